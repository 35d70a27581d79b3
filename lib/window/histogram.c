/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "shunt_histogram.h"

#define PRECISION SHUNT_HISTOGRAM_PRECISION

uint64_t shunt_histogram_from(unsigned int bucket)
{
	if (bucket < 2 * PRECISION)
		return bucket;
	return (uint64_t)(PRECISION + bucket % PRECISION) << (bucket / PRECISION - 1);
}

uint64_t shunt_histogram_to(unsigned int bucket)
{
	if (bucket < 2 * PRECISION)
		return bucket;
	return shunt_histogram_from(bucket) + ((1ull << (bucket / PRECISION - 1)) - 1);
}

uint64_t shunt_histogram_in(const struct shunt_histogram *histogram, unsigned int bucket)
{
	return atomic_load_explicit(&histogram->counts[bucket], memory_order_relaxed);
}

uint64_t shunt_histogram_count(const struct shunt_histogram *histogram)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < SHUNT_HISTOGRAM_BUCKETS; i++)
		count += shunt_histogram_in(histogram, i);
	return count;
}

uint64_t shunt_histogram_max(const struct shunt_histogram *histogram)
{
	return atomic_load_explicit(&histogram->largest, memory_order_relaxed);
}

uint64_t shunt_histogram_quantile(const struct shunt_histogram *histogram, double q)
{
	uint64_t count = shunt_histogram_count(histogram);
	uint64_t max = shunt_histogram_max(histogram), passed = 0, rank, to;

	rank = (uint64_t)ceil(q * (double)count);
	if (rank == 0 && count)
		rank = 1;
	for (unsigned int i = 0; i < SHUNT_HISTOGRAM_BUCKETS && passed < rank; i++) {
		passed += shunt_histogram_in(histogram, i);
		to = shunt_histogram_to(i);
		if (passed >= rank)
			return to < max ? to : max;
	}
	return count ? max : 0;
}
