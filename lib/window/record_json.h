/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RECORD_JSON_H
#define RECORD_JSON_H

#include <jansson.h>

#include "shunt_record.h"

/*
 * Parts of the record as JSON. Each call gives a new object; jansson passes over NULLs, so running
 * out of memory shows at the end, when the whole is missing.
 */

json_t *record_count(uint64_t count);

/** "p50", "p99" and "max" of samples. */
json_t *record_quantiles(struct shunt_samples *samples);

/** "p50", "p90", "p99", "p99.9", "max" and "count" of times in ticks, in nanoseconds. */
json_t *record_times(const struct shunt_histogram *histogram);

/** The same with "buckets": those that are not empty, each [from, to, count]. */
json_t *record_histogram(const struct shunt_histogram *histogram);

/** "compared" and "within". */
json_t *record_truth(const struct shunt_record_truth *truth);

/** A port's entry. */
json_t *record_port(const struct shunt_record *record, const struct shunt_record_port *port);

/** The run's part without switches; null if there was none. */
json_t *record_baseline(const struct shunt_record *record);

#endif
