/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_FAULT_LOG_H
#define SHUNT_FAULT_LOG_H

#include <stdbool.h>
#include <stdint.h>

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

#ifdef __cplusplus
}
#endif

#endif
