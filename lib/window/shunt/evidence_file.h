/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_EVIDENCE_FILE_H
#define SHUNT_EVIDENCE_FILE_H

#include <stddef.h>

#include <shunt/evidence.h>

/*
 * The file of evidence, "shunt.evidence/2": one entry for each IOMMU, kernel, kind of hwpt and
 * traffic.
 *
 *   { "schema": "shunt.evidence/2",
 *     "entries": [ { "iommu": "intel-iommu legacy", "kernel": "6.12.95", "emulated": false,
 *                    "hwpt": "explicit", "traffic": "dense", "switches": 1000, "faulted": 12,
 *                    "unknown": 0, "first": "2026-11-24", "last": "2026-11-25" } ] }
 *
 * Other members are kept. Entries of "shunt.evidence/1" name no traffic: they were gathered under
 * dense traffic, are read as such, and written as "shunt.evidence/2".
 *
 * Any thread, any number of processes: a lock beside the file (FILE.lock) orders the writers, and
 * each adds to what is there. The file appears whole or not at all.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_EVIDENCE_FILE "evidence.json"

/**
 * The file used unless another is named: /var/lib/shunt/evidence.json for root, otherwise
 * $XDG_STATE_HOME/shunt/evidence.json, by default ~/.local/state/shunt/evidence.json.
 *
 * @return 0; -ENOENT no home folder is known; -ENAMETOOLONG
 */
int shunt_evidence_path(char *path, size_t size);

/**
 * Reads what is known of what runs below. A file that is not there knows nothing.
 *
 * @return 0; -EIO the file is broken, the text says where and what to do; -errno of reading.
 *         On a failure the evidence is empty.
 */
int shunt_evidence_read(
	const char *path, const struct shunt_platform_info *info, struct shunt_evidence *evidence);

/**
 * Whether shunt_evidence_add() could write: makes the folder and takes the lock, so that a long
 * run does not end with evidence that cannot be kept.
 *
 * @return 0; the errors of shunt_evidence_add(), but for those of reading
 */
int shunt_evidence_writable(const char *path);

/**
 * Adds to the file what was seen since, with today's date. Nothing seen: nothing is written.
 *
 * @param seen  of these the counts are read, and the key
 * @return 0; -EIO the file is broken and stays as it is; -EBUSY another process holds the lock; the
 *         errno of the folder or the file that cannot be written, named in the text
 */
int shunt_evidence_add(const char *path, const struct shunt_evidence *seen);

#ifdef __cplusplus
}
#endif

#endif
