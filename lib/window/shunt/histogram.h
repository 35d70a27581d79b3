/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_HISTOGRAM_H
#define SHUNT_HISTOGRAM_H

#include <stdint.h>

#include <shunt/atomic.h>
#include <shunt/buckets.h>

/*
 * A histogram of values of which there are too many to look at twice (one a frame). Its buckets
 * are those of buckets.h.
 *
 * Memory is fixed, adding a value is a shift and two stores. One thread adds; any thread reads
 * meanwhile: each count is a whole one, their sum may lack the last values.
 */

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
