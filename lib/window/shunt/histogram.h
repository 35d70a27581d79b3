/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_HISTOGRAM_H
#define SHUNT_HISTOGRAM_H

#include <stdint.h>

/*
 * Atomic fields of public structures, for C and for C++ before its 23, which has no <stdatomic.h>:
 * the same size and the same operations. To be included outside extern "C".
 */

#ifdef __cplusplus
#include <atomic>

#define SHUNT_ATOMIC(type) std::atomic<type>

using std::atomic_load_explicit;
using std::atomic_store_explicit;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
#else
#include <stdatomic.h>

#define SHUNT_ATOMIC(type) _Atomic(type)
#endif

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

/*
 * A histogram of values of which there are too many to look at twice (one a frame). Its buckets
 * are those above.
 *
 * Memory is fixed, adding a value is a shift and two stores. One thread adds; any thread reads
 * meanwhile: each count is a whole one, their sum may lack the last values.
 */

/* A quantile is too high by less than one part in this many. */
#define SHUNT_HISTOGRAM_PRECISION 32u
#define SHUNT_HISTOGRAM_BUCKETS \
	(SHUNT_HISTOGRAM_PRECISION * SHUNT_BUCKET_ROWS(SHUNT_HISTOGRAM_PRECISION))

/** Zero-initialised is empty. */
struct shunt_histogram {
	SHUNT_ATOMIC(uint64_t) counts[SHUNT_HISTOGRAM_BUCKETS];
	SHUNT_ATOMIC(uint64_t) largest; /**< value, exact */
};

/** The one thread that adds. */
static inline void shunt_histogram_add(struct shunt_histogram *histogram, uint64_t value)
{
	SHUNT_ATOMIC(uint64_t) *count =
		&histogram->counts[shunt_bucket(value, SHUNT_HISTOGRAM_PRECISION)];

	atomic_store_explicit(
		count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
	if (__builtin_expect(
		    value > atomic_load_explicit(&histogram->largest, memory_order_relaxed), 0))
		atomic_store_explicit(&histogram->largest, value, memory_order_relaxed);
}

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

/*
 * Samples of one quantity, a value a switch, in any number, counted in the same buckets. Memory
 * comes a row at a time, 8 KiB for each power of two that a value was in. So it is bounded by how
 * far the values spread and not by how many there are. One thread at a time.
 */

/* A quantile is too high by less than one part in this many; values up to twice as many are exact.
 */
#define SHUNT_SAMPLES_PRECISION 1024u

/** Samples; zero-initialised is empty. */
struct shunt_samples {
	uint64_t *rows[SHUNT_BUCKET_ROWS(SHUNT_SAMPLES_PRECISION)]; /**< counts; NULL: all 0 */
	uint64_t count;
	uint64_t largest; /**< value, exact */
};

/** Adds a value. @return 0, -ENOMEM */
int shunt_samples_add(struct shunt_samples *samples, uint64_t value);

/**
 * Quantile by nearest rank (smallest value that at least q of all do not exceed): never too low,
 * too high by less than 1/SHUNT_SAMPLES_PRECISION.
 *
 * @param q  0 to 1; 1 is the maximum, which is exact
 * @return the value; 0 without samples
 */
uint64_t shunt_samples_quantile(const struct shunt_samples *samples, double q);

/** Releases the memory. */
void shunt_samples_free(struct shunt_samples *samples);

#ifdef __cplusplus
}
#endif

#endif
