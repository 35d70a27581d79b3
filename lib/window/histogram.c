/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <shunt/error.h>
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

#define PRECISION SHUNT_SAMPLES_PRECISION /* of samples */
#define ROWS      SHUNT_BUCKET_ROWS(PRECISION)

int shunt_samples_add(struct shunt_samples *samples, uint64_t value)
{
	const unsigned int bucket = shunt_bucket(value, PRECISION);
	uint64_t **row = &samples->rows[bucket / PRECISION];

	if (!*row)
		*row = calloc(PRECISION, sizeof(**row));
	if (!*row)
		return shunt_fail(-ENOMEM, "no memory for samples");
	(*row)[bucket % PRECISION]++;
	samples->count++;
	if (value > samples->largest)
		samples->largest = value;
	return 0;
}

uint64_t shunt_samples_quantile(const struct shunt_samples *samples, double q)
{
	const uint64_t rank = shunt_bucket_rank(samples->count, q);
	uint64_t passed = 0, to;

	for (unsigned int i = 0; i < ROWS * PRECISION && samples->count; i++) {
		if (!samples->rows[i / PRECISION]) {
			i += PRECISION - 1;
			continue;
		}
		passed += samples->rows[i / PRECISION][i % PRECISION];
		to = shunt_bucket_to(i, PRECISION);
		if (passed >= rank)
			return to < samples->largest ? to : samples->largest;
	}
	return 0;
}

void shunt_samples_free(struct shunt_samples *samples)
{
	for (unsigned int i = 0; i < ROWS; i++)
		free(samples->rows[i]);
	*samples = (struct shunt_samples){ 0 };
}
