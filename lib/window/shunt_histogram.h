/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_HISTOGRAM_H
#define SHUNT_HISTOGRAM_H

#include <stdint.h>

#include "shunt_atomic.h"

/*
 * A histogram whose buckets are as wide as a fixed part of what they hold, for values of which
 * there are too many to keep (one a frame):
 *
 *   0 1 2 ... 63 | 64 66 68 ... 126 | 128 132 ... 252 | 256 264 ... | ... 2^64 - 1
 *   one value a     32 buckets for each power of two, the values of one bucket
 *   bucket          differ by less than 1/32 (3.2 %)
 *
 * The scheme is HdrHistogram's (Gil Tene, hdrhistogram.org). It is written here because what this
 * project builds on has none for C: Debian 12 packages neither HdrHistogram_c nor circllhist, GSL's
 * is under the GPL and wants its ranges in advance, and DPDK 22.11's latency statistics keep a
 * minimum, an average and a maximum.
 *
 * Memory is fixed, adding a value is a shift and two stores. One thread adds; any thread reads
 * meanwhile: each count is a whole one, their sum may lack the last values.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_HISTOGRAM_PRECISION                                      \
	32u /* a quantile is too high by less than one part of so many \
	     */
#define SHUNT_HISTOGRAM_BUCKETS (SHUNT_HISTOGRAM_PRECISION * 60u)

/** Zero-initialised is empty. */
struct shunt_histogram {
	SHUNT_ATOMIC(uint64_t) counts[SHUNT_HISTOGRAM_BUCKETS];
	SHUNT_ATOMIC(uint64_t) largest; /**< value, exact */
};

/** Index of the bucket that holds a value. */
static inline unsigned int shunt_histogram_bucket(uint64_t value)
{
	const uint64_t top = value | SHUNT_HISTOGRAM_PRECISION;
	const unsigned int shift = (unsigned int)__builtin_clzll(SHUNT_HISTOGRAM_PRECISION) -
				   (unsigned int)__builtin_clzll(top);

	return shift * SHUNT_HISTOGRAM_PRECISION + (unsigned int)(value >> shift);
}

/** The one thread that adds. */
static inline void shunt_histogram_add(struct shunt_histogram *histogram, uint64_t value)
{
	SHUNT_ATOMIC(uint64_t) *count = &histogram->counts[shunt_histogram_bucket(value)];

	atomic_store_explicit(
		count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
	if (__builtin_expect(
		    value > atomic_load_explicit(&histogram->largest, memory_order_relaxed), 0))
		atomic_store_explicit(&histogram->largest, value, memory_order_relaxed);
}

/** Smallest value of a bucket. */
uint64_t shunt_histogram_from(unsigned int bucket);

/** Largest value of a bucket. */
uint64_t shunt_histogram_to(unsigned int bucket);

/** Values added. */
uint64_t shunt_histogram_count(const struct shunt_histogram *histogram);

/** Values in one bucket. */
uint64_t shunt_histogram_in(const struct shunt_histogram *histogram, unsigned int bucket);

/** Largest value added; 0 if there is none. */
uint64_t shunt_histogram_max(const struct shunt_histogram *histogram);

/**
 * Quantile by nearest rank: the largest value of the bucket in which it lies, but no more than the
 * maximum. Never too low, too high by less than 1/SHUNT_HISTOGRAM_PRECISION.
 *
 * @param q  0 to 1; 1 is the maximum
 * @return the value; 0 if there is none
 */
uint64_t shunt_histogram_quantile(const struct shunt_histogram *histogram, double q);

#ifdef __cplusplus
}
#endif

#endif
