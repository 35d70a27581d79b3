/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <shunt/error.h>
#include <shunt/histogram.h>

#define PRECISION SHUNT_SAMPLES_PRECISION
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
