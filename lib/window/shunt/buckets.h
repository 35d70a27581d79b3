/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_BUCKETS_H
#define SHUNT_BUCKETS_H

#include <stdint.h>

/*
 * Buckets as wide as a fixed part of what they hold; with a precision of 32:
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
 * A precision is a power of two, and known when it is compiled: then a bucket is a shift.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** Rows of `precision` buckets each that hold every value. */
#define SHUNT_BUCKET_ROWS(precision) \
	((unsigned int)__builtin_clzll((unsigned long long)(precision)) + 2)

/** Index of the bucket that holds a value. */
static inline unsigned int shunt_bucket(uint64_t value, unsigned int precision)
{
	const unsigned int shift = (unsigned int)__builtin_clzll((uint64_t)precision) -
				   (unsigned int)__builtin_clzll(value | precision);

	return shift * precision + (unsigned int)(value >> shift);
}

/** Smallest value of a bucket. */
static inline uint64_t shunt_bucket_from(unsigned int bucket, unsigned int precision)
{
	if (bucket < 2 * precision)
		return bucket;
	return (uint64_t)(precision + bucket % precision) << (bucket / precision - 1);
}

/** Largest value of a bucket. */
static inline uint64_t shunt_bucket_to(unsigned int bucket, unsigned int precision)
{
	if (bucket < 2 * precision)
		return bucket;
	return shunt_bucket_from(bucket, precision) + ((1ull << (bucket / precision - 1)) - 1);
}

/** Which of `count` values in order is the quantile q by nearest rank, from 1. */
uint64_t shunt_bucket_rank(uint64_t count, double q);

#ifdef __cplusplus
}
#endif

#endif
