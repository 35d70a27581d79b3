/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_BARRIER_H
#define SHUNT_BARRIER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * An asymmetric barrier between threads that poll and one that controls, membarrier(2)
 * PRIVATE_EXPEDITED: when it returns, every thread of the process has passed a full barrier between
 * what it did before and after. Threads that poll pay nothing. Any thread.
 */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Registers the process, once.
 *
 * @return true: the kernel has no such barrier (or ThreadSanitizer, which does not know it, is
 *         there): pollers need full barriers of their own
 */
bool shunt_barrier_missing(void);

/**
 * The barrier; where it is missing, nothing.
 *
 * @return 0; -ENOMEM and other errnos of membarrier(2): there was no barrier, so a poller may still
 *         be inside
 */
int shunt_barrier(void);

/** Number of the last barrier that has begun. What the caller did before comes before the next. */
uint64_t shunt_barrier_begun(void);

/** The barrier, unless one after that number has ended: that one does as well. @return as above */
int shunt_barrier_after(uint64_t number);

#ifdef __cplusplus
}
#endif

#endif
