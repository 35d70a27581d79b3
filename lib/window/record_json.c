/* SPDX-License-Identifier: BSD-3-Clause */

#include <shunt/clock.h>

#include "record_json.h"

#define PRECISION SHUNT_HISTOGRAM_PRECISION

json_t *record_count(uint64_t count)
{
	return json_integer((json_int_t)count);
}

json_t *record_quantile(const struct shunt_samples *samples, double q)
{
	return samples->count ? record_count(shunt_samples_quantile(samples, q)) : json_null();
}

json_t *record_quantiles(const struct shunt_samples *samples)
{
	return json_pack("{s:o, s:o, s:o}", "p50", record_quantile(samples, 0.50), "p99",
		record_quantile(samples, 0.99), "max", record_quantile(samples, 1.0));
}

/* Of a histogram in ticks. */
static json_t *time_quantile(const struct shunt_histogram *histogram, double q)
{
	if (!shunt_histogram_count(histogram))
		return json_null();
	return record_count(shunt_clock_to_ns(shunt_histogram_quantile(histogram, q)));
}

json_t *record_longest(const struct shunt_histogram *histogram)
{
	return time_quantile(histogram, 1.0);
}

json_t *record_times(const struct shunt_histogram *histogram)
{
	static const struct {
		const char *name;
		double q;
	} quantiles[] = {
		{ "p50", 0.50 },
		{ "p90", 0.90 },
		{ "p99", 0.99 },
		{ "p99.9", 0.999 },
		{ "max", 1.0 },
	};
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		json_object_set_new(
			json, quantiles[i].name, time_quantile(histogram, quantiles[i].q));
	json_object_set_new(json, "count", record_count(shunt_histogram_count(histogram)));
	return json;
}

static json_t *bucket_time(uint64_t ticks)
{
	return record_count(shunt_clock_to_ns(ticks));
}

json_t *record_histogram(const struct shunt_histogram *histogram)
{
	json_t *json = record_times(histogram), *buckets = json_array();

	for (unsigned int i = 0; i < SHUNT_HISTOGRAM_BUCKETS; i++) {
		uint64_t count = shunt_histogram_in(histogram, i);

		if (count)
			json_array_append_new(buckets,
				json_pack("[o, o, o]", bucket_time(shunt_bucket_from(i, PRECISION)),
					bucket_time(shunt_bucket_to(i, PRECISION)),
					record_count(count)));
	}
	json_object_set_new(json, "buckets", buckets);
	return json;
}

json_t *record_ground_truth(const struct shunt_record_ground_truth *truth)
{
	return json_pack("{s:o, s:o}", "compared", record_count(truth->compared), "within",
		record_count(truth->within));
}

json_t *record_failed(const struct shunt_window_failed *failed)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "window_ns",
		record_quantiles(&failed->window_ns), "uncertainty_ns",
		record_quantile(&failed->uncertainty_ns, 0.99), "windows_measured",
		record_count(failed->window_ns.count), "windows_unmeasured",
		record_count(failed->unmeasured), "lost", record_count(failed->lost));
}

static json_t *baseline_port(const struct shunt_record_port *port)
{
	const struct shunt_times *times = port->baseline;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", port->name, "function",
		port->function, "sent", record_count(port->figures->baseline_sent), "lost",
		record_count(port->figures->baseline_lost), "max_gap_ns",
		record_longest(&times->gap), "gap_ns", record_times(&times->gap), "latency_ns",
		record_times(&times->latency));
}

json_t *record_baseline(const struct shunt_record *record)
{
	json_t *ports;

	if (record->baseline_s <= 0)
		return json_null();
	ports = json_array();
	for (unsigned int i = 0; i < record->port_count; i++)
		json_array_append_new(ports, baseline_port(&record->ports[i]));
	return json_pack("{s:f, s:o}", "duration_s", record->baseline_s, "ports", ports);
}
