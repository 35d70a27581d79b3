/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RECORD_JSON_H
#define RECORD_JSON_H

#include <jansson.h>

#include <shunt/record.h>

/*
 * Parts of the record as JSON. Each call gives a new object; jansson passes over NULLs, so running
 * out of memory shows at the end, when the whole is missing.
 */

json_t *record_count(uint64_t count);

/** A quantile of samples; null without any. */
json_t *record_quantile(const struct shunt_samples *samples, double q);

/** The longest of times in ticks, in nanoseconds; null without any. */
json_t *record_longest(const struct shunt_histogram *histogram);

/** "p50", "p99" and "max" of samples; nulls without any. */
json_t *record_quantiles(const struct shunt_samples *samples);

/** "p50", "p90", "p99", "p99.9", "max" and "count" of times in ticks, in nanoseconds; nulls without
    any. */
json_t *record_times(const struct shunt_histogram *histogram);

/** The same with "buckets": those that are not empty, each [from, to, count]. */
json_t *record_histogram(const struct shunt_histogram *histogram);

/** "compared" and "within". */
json_t *record_ground_truth(const struct shunt_record_ground_truth *truth);

/** What was measured of switches that failed. */
json_t *record_failed(const struct shunt_window_failed *failed);

/** A port's entry. */
json_t *record_port(const struct shunt_record *record, const struct shunt_record_port *port);

/** The run's part without switches; null if there was none. */
json_t *record_baseline(const struct shunt_record *record);

#endif
