/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_EVIDENCE_H
#define SHUNT_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shunt/group.h>
#include <shunt/platform.h>

/*
 * The fault log takes the fault records out of the platform and gives each to its function.
 *
 *   platform->faults() --> struct shunt_fault_log --> 0000:03:00.0: 17 in all, 3 since last asked
 *                                                 --> 0000:04:00.0: none in all
 *                                                 --> 0000:05:00.0: unknown since last asked
 *
 * Two observers may see the same fault: records are counted for each observer, and the largest
 * count is the answer. A positive answer is a lower bound: IOMMUs merge faults of one function, and
 * logs of kernels are rate-limited. 0 is certain. A function without a record whose DMA may have
 * been refused is unknown, for the time between two questions.
 *
 * Any thread.
 */

#ifdef __cplusplus
extern "C" {
#endif

struct shunt_fault_log;

/** A log of a platform's faults. Records from before are discarded. @return 0, -ENOMEM */
int shunt_fault_log_create(struct shunt_platform *platform, struct shunt_fault_log **log);

/** Releases it. NULL is allowed. */
void shunt_fault_log_destroy(struct shunt_fault_log *log);

/** Adds a function to keep count of. @return 0, -EEXIST, errors of shunt_platform_ops::watch */
int shunt_fault_log_add(struct shunt_fault_log *log, const char *function);

/**
 * Fault records of a function since the last call for it: a shunt_fault_observer.
 *
 * @param log  struct shunt_fault_log
 * @return count, at least; 0 surely none; -ENOTSUP unknown, this platform cannot see faults;
 *         -EOVERFLOW unknown, records were suppressed or lost; another negative errno: unknown;
 *         -ENOENT this function is not in the log
 */
int64_t shunt_fault_log_since(void *log, const char *function);

/** Fault records of a function since it was added, as above. */
int64_t shunt_fault_log_total(struct shunt_fault_log *log, const char *function);

#define SHUNT_FAULT_LOG_KEPT 4096 /* records, the last ones of all functions */

/**
 * The records themselves, of any function, in the order in which they were taken in, of those that
 * are kept.
 *
 * @param from, to  seen in this time, ticks
 * @param[out] records  the first n of them
 * @return their number, which may be more than n
 */
unsigned int shunt_fault_log_records(struct shunt_fault_log *log, uint64_t from, uint64_t to,
	struct shunt_fault *records, unsigned int n);

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
