/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include <shunt/histogram.h>

uint64_t shunt_bucket_rank(uint64_t count, double q)
{
	uint64_t rank = (uint64_t)ceil(q * (double)count);

	return rank ? rank : 1;
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
	uint64_t max = shunt_histogram_max(histogram), passed = 0, to;
	const uint64_t rank = shunt_bucket_rank(count, q);

	for (unsigned int i = 0; i < SHUNT_HISTOGRAM_BUCKETS && count; i++) {
		passed += shunt_histogram_in(histogram, i);
		to = shunt_bucket_to(i, SHUNT_HISTOGRAM_PRECISION);
		if (passed >= rank)
			return to < max ? to : max;
	}
	return count ? max : 0;
}
