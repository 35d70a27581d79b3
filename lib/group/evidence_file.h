/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVIDENCE_FILE_H
#define EVIDENCE_FILE_H

#include <jansson.h>

#include "shunt_evidence.h"

/*
 * The file of evidence, "shunt.evidence/1": one entry for each IOMMU, kernel and kind of hwpt.
 *
 *   { "schema": "shunt.evidence/1",
 *     "entries": [ { "iommu": "intel-iommu legacy", "kernel": "6.12.95", "emulated": false,
 *                    "hwpt": "explicit", "switches": 1000, "faulted": 12, "unknown": 0,
 *                    "first": "2026-11-24", "last": "2026-11-25" } ] }
 *
 * What else stands in it is kept.
 */

/**
 * Reads a file, and whether each entry has what it must have.
 *
 * @param[out] root  to be released; of a file that is not there: no entries
 * @return 0; -EIO broken; -errno
 */
int evidence_load(const char *path, json_t **root);

/** Takes in the entries of the evidence's key. */
void evidence_take(json_t *root, struct shunt_evidence *evidence);

/** Adds counts to an entry, which is made if it is not there. @return 0, -ENOMEM */
int evidence_put(json_t *root, const struct shunt_evidence *seen, enum shunt_hwpt_kind kind,
	const char *today);

/** Writes it under another name, then renames it. @return 0, -errno */
int evidence_store(const char *path, const json_t *root);

#endif
