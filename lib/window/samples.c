/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "shunt_error.h"
#include "shunt_samples.h"

int shunt_samples_add(struct shunt_samples *samples, uint64_t value)
{
	if (samples->count == samples->room) {
		size_t room = samples->room ? 2 * samples->room : 256;
		uint64_t *values = realloc(samples->values, room * sizeof(*values));

		if (!values)
			return shunt_fail(-ENOMEM, "no memory for %zu samples", room);
		samples->values = values;
		samples->room = room;
	}
	samples->values[samples->count++] = value;
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t shunt_samples_quantile(struct shunt_samples *samples, double q)
{
	size_t rank;

	if (!samples->count)
		return 0;
	if (samples->sorted < samples->count) {
		qsort(samples->values, samples->count, sizeof(samples->values[0]), compare);
		samples->sorted = samples->count;
	}
	rank = (size_t)ceil(q * (double)samples->count);
	return samples->values[rank ? rank - 1 : 0];
}

void shunt_samples_free(struct shunt_samples *samples)
{
	free(samples->values);
	*samples = (struct shunt_samples){ 0 };
}
