/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_SAMPLES_H
#define SHUNT_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Samples of one quantity, a value a switch: few enough to keep them all, so that quantiles are
 * exact. One thread at a time.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** Samples; zero-initialised is empty. */
struct shunt_samples {
	uint64_t *values;
	size_t count;
	size_t room;
	size_t sorted; /**< values[0 .. sorted) are in order */
};

/** Adds a value. @return 0, -ENOMEM */
int shunt_samples_add(struct shunt_samples *samples, uint64_t value);

/**
 * Quantile by nearest rank (smallest value that at least q of all do not exceed).
 *
 * @param q  0 to 1; 1 is the maximum
 * @return the value; 0 without samples
 */
uint64_t shunt_samples_quantile(struct shunt_samples *samples, double q);

/** Releases the memory. */
void shunt_samples_free(struct shunt_samples *samples);

#ifdef __cplusplus
}
#endif

#endif
