/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_CLOCK_H
#define SHUNT_CLOCK_H

#include <stdint.h>

#include <rte_cycles.h>

/*
 * The one clock of the project: the processor's invariant time-stamp counter, the same on every
 * core, cheap enough to read once a frame. Stored in ticks, shown in nanoseconds.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** Now, in ticks. Any thread; no ordering with surrounding memory accesses is implied. */
static inline uint64_t shunt_clock_now(void)
{
	return rte_rdtsc();
}

/** Ticks per second, measured against CLOCK_MONOTONIC_RAW at the first call (10 ms). */
uint64_t shunt_clock_hz(void);

/** Length of an interval of ticks in nanoseconds. */
uint64_t shunt_clock_to_ns(uint64_t ticks);

/** Length of an interval of nanoseconds in ticks. */
uint64_t shunt_clock_from_ns(uint64_t ns);

#ifdef __cplusplus
}
#endif

#endif
