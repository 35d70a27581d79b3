/* SPDX-License-Identifier: BSD-3-Clause */
#include "record_json.h"
#include "shunt_clock.h"

json_t *record_count(uint64_t count)
{
	return json_integer((json_int_t)count);
}

json_t *record_quantiles(struct shunt_samples *samples)
{
	return json_pack("{s:o, s:o, s:o}", "p50",
		record_count(shunt_samples_quantile(samples, 0.50)), "p99",
		record_count(shunt_samples_quantile(samples, 0.99)), "max",
		record_count(shunt_samples_quantile(samples, 1.0)));
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
		json_object_set_new(json, quantiles[i].name,
			record_count(shunt_clock_to_ns(
				shunt_histogram_quantile(histogram, quantiles[i].q))));
	json_object_set_new(json, "count", record_count(shunt_histogram_count(histogram)));
	return json;
}

json_t *record_histogram(const struct shunt_histogram *histogram)
{
	json_t *json = record_times(histogram), *buckets = json_array();

	for (unsigned int i = 0; i < SHUNT_HISTOGRAM_BUCKETS; i++) {
		uint64_t count = shunt_histogram_in(histogram, i);

		if (count)
			json_array_append_new(buckets,
				json_pack("[o, o, o]",
					record_count(shunt_clock_to_ns(shunt_histogram_from(i))),
					record_count(shunt_clock_to_ns(shunt_histogram_to(i))),
					record_count(count)));
	}
	json_object_set_new(json, "buckets", buckets);
	return json;
}

json_t *record_truth(const struct shunt_record_truth *truth)
{
	return json_pack("{s:o, s:o}", "compared", record_count(truth->compared), "within",
		record_count(truth->within));
}

static json_t *baseline_port(const struct shunt_record_port *port)
{
	const struct shunt_times *times = port->baseline;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", port->name, "function",
		port->function, "sent", record_count(port->figures->baseline_sent), "lost",
		record_count(port->figures->baseline_lost), "max_gap_ns",
		record_count(shunt_clock_to_ns(shunt_histogram_max(&times->gap))), "gap_ns",
		record_times(&times->gap), "latency_ns", record_times(&times->latency));
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
