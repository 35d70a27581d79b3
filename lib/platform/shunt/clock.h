/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_CLOCK_H
#define SHUNT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The one clock of the project: the processor's time-stamp counter, cheap enough to read once a
 * frame. Stored in ticks, shown in nanoseconds. It is a clock where it is invariant, and the same
 * on every core: shunt_clock_steady().
 */

#ifdef __cplusplus
extern "C" {
#endif

/** Now, in ticks. Any thread; no ordering with surrounding memory accesses is implied. */
static inline uint64_t shunt_clock_now(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
#error "no counter is known of this processor"
#endif
}

/** Ticks per second, measured against CLOCK_MONOTONIC_RAW at the first call (10 ms). */
uint64_t shunt_clock_hz(void);

/**
 * Whether the counter is steady: the kernel has it among its clocks, from which it takes one that
 * it found to stop, to change its rate or to differ between processors. Where that cannot be read,
 * and on other processors than x86, whose counters are so by their architecture, as the processor
 * says.
 *
 * @param sysfs  root of sysfs
 */
bool shunt_clock_steady(const char *sysfs);

/** Length of an interval of ticks in nanoseconds. */
uint64_t shunt_clock_to_ns(uint64_t ticks);

/** Length of an interval of nanoseconds in ticks. */
uint64_t shunt_clock_from_ns(uint64_t ns);

#ifdef __cplusplus
}
#endif

#endif
