/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_WAIT_H
#define SHUNT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/platform.h>

/*
 * Waiting for a device, bounded by time as the device has it (shunt_platform_ops::time). A device
 * of the kernel's has the machine's time. The software platform's devices are a thread, which may
 * have to wait for a processor longer than any sensible bound: their time passes only while that
 * thread makes its turns.
 *
 *   shunt_wait_begin(&wait, platform);
 *   while (the device has not answered) {
 *           if (shunt_wait_over(&wait, 100000))
 *                   return shunt_fail(-ETIMEDOUT, ...);
 *           shunt_wait_nap(&wait, 10000);
 *   }
 *
 * Bounded all the same: a device whose time did not move while a waiter slept for
 * SHUNT_WAIT_DEAD_NS is dead, and every wait for it is over after one nap until it moves again.
 * Sleep is counted as it was asked for: a process that was stopped did not wait.
 *
 * A wait is one thread's.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_WAIT_DEAD_NS 10000000000ull

/** A wait. */
struct shunt_wait {
	struct shunt_platform *platform;
	uint64_t start; /**< device's ticks */
	uint64_t seen;  /**< device's ticks, when last looked at */
	uint64_t slept; /**< ns, since its time moved */
};

/** The device's time now, in ticks of shunt_clock; it never goes back. */
uint64_t shunt_wait_time(struct shunt_platform *platform);

/** Begins a wait. */
void shunt_wait_begin(struct shunt_wait *wait, struct shunt_platform *platform);

/** How long the device has had since the wait began, in nanoseconds. */
uint64_t shunt_wait_ns(struct shunt_wait *wait);

/** Whether the device has had more than that many nanoseconds, or is dead. */
bool shunt_wait_over(struct shunt_wait *wait, uint64_t ns);

/**
 * Sleeps between two looks at the device, for ns, and longer each time while its time does not
 * move. Waits sleep rather than yield: the thread that models or emulates a NIC may need this core,
 * but so may one that polls, and a yield gives that one a whole slice of milliseconds.
 */
void shunt_wait_nap(struct shunt_wait *wait, uint64_t ns);

/** Sleeps until the device has had that many nanoseconds, or is dead. */
void shunt_wait_sleep(struct shunt_platform *platform, uint64_t ns);

#ifdef __cplusplus
}
#endif

#endif
