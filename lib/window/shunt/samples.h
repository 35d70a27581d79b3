/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_SAMPLES_H
#define SHUNT_SAMPLES_H

#include <stdint.h>

#include <shunt/buckets.h>

/*
 * Samples of one quantity, a value a switch, in any number: counted in the buckets of
 * buckets.h. Memory comes a row at a time, 8 KiB for each power of two that a value was in,
 * so it is bounded by how far the values spread and not by how many there are. One thread at a
 * time.
 */

#ifdef __cplusplus
extern "C" {
#endif

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
