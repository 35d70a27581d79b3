/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/record.h>

#include "loss_accounting.h"

#define SCHEMA    "shunt.result/2"
#define PRECISION SHUNT_HISTOGRAM_PRECISION

/*
 * Each call gives a new object. jansson passes over NULLs, so running out of memory shows at the
 * end, when the whole is missing.
 */

static json_t *record_count(uint64_t count)
{
	return json_integer((json_int_t)count);
}

/* null without samples */
static json_t *record_quantile(const struct shunt_samples *samples, double q)
{
	return samples->count ? record_count(shunt_samples_quantile(samples, q)) : json_null();
}

static json_t *record_quantiles(const struct shunt_samples *samples)
{
	return json_pack("{s:o, s:o, s:o}", "p50", record_quantile(samples, 0.50), "p99",
		record_quantile(samples, 0.99), "max", record_quantile(samples, 1.0));
}

static json_t *time_json(uint64_t ticks)
{
	return record_count(shunt_clock_to_ns(ticks));
}

/* Of a histogram in ticks. */
static json_t *time_quantile(const struct shunt_histogram *histogram, double q)
{
	if (!shunt_histogram_count(histogram))
		return json_null();
	return time_json(shunt_histogram_quantile(histogram, q));
}

static json_t *record_times(const struct shunt_histogram *histogram)
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

static json_t *record_histogram(const struct shunt_histogram *histogram)
{
	json_t *json = record_times(histogram), *buckets = json_array();

	for (unsigned int i = 0; i < SHUNT_HISTOGRAM_BUCKETS; i++) {
		uint64_t count = shunt_histogram_in(histogram, i);

		if (count)
			json_array_append_new(buckets,
				json_pack("[o, o, o]", time_json(shunt_bucket_from(i, PRECISION)),
					time_json(shunt_bucket_to(i, PRECISION)),
					record_count(count)));
	}
	json_object_set_new(json, "buckets", buckets);
	return json;
}

static json_t *record_ground_truth(const struct shunt_record_ground_truth *truth)
{
	return json_pack("{s:o, s:o}", "compared", record_count(truth->compared), "within",
		record_count(truth->within));
}

static json_t *record_failed(const struct shunt_window_failed *failed)
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
		time_quantile(&times->gap, 1.0), "gap_ns", record_times(&times->gap), "latency_ns",
		record_times(&times->latency));
}

static json_t *record_baseline(const struct shunt_record *record)
{
	json_t *ports;

	if (record->baseline_s <= 0)
		return json_null();
	ports = json_array();
	for (unsigned int i = 0; i < record->port_count; i++)
		json_array_append_new(ports, baseline_port(&record->ports[i]));
	return json_pack("{s:f, s:o}", "duration_s", record->baseline_s, "ports", ports);
}

uint64_t shunt_record_lost(const struct shunt_record_port *port)
{
	return port->sent - port->received;
}

static uint64_t port_unexplained(const struct shunt_record_port *port)
{
	const struct shunt_window_figures *figures = port->figures;

	return above(figures->rx_lost - figures->rx_explained, port->rx_dropped) +
	       above(figures->tx_lost - figures->tx_explained, port->tx_dropped);
}

uint64_t shunt_record_unexplained(const struct shunt_record *record)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < record->port_count; i++)
		sum += port_unexplained(&record->ports[i]);
	return sum;
}

static void set_count(json_t *json, const char *name, uint64_t count)
{
	json_object_set_new(json, name, record_count(count));
}

/* None seen is a number only if somebody looked, and could tell, in every switch. */
static json_t *faults_json(const struct shunt_record *record, int64_t faults)
{
	if (faults < 0 || (faults == 0 && !record->info.fault_observers[0]))
		return json_string("unknown");
	return json_integer(faults);
}

static json_t *accounting_json(const struct shunt_record_port *port)
{
	const struct shunt_window_figures *figures = port->figures;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rx_lost",
		record_count(figures->rx_lost), "rx_lost_in_faulted_switches",
		record_count(figures->rx_explained), "rx_dropped", record_count(port->rx_dropped),
		"tx_lost", record_count(figures->tx_lost), "tx_lost_in_faulted_switches",
		record_count(figures->tx_explained), "tx_dropped", record_count(port->tx_dropped),
		"unexplained", record_count(port_unexplained(port)));
}

static json_t *recovery_json(const struct shunt_recovery *recovery)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "repaired_descriptors",
		(json_int_t)recovery->repaired_descriptors, "queue_resets",
		(json_int_t)recovery->queue_resets, "port_resets",
		(json_int_t)recovery->port_resets, "function_resets",
		(json_int_t)recovery->function_resets, "rx_dropped",
		(json_int_t)recovery->rx_dropped, "tx_dropped", (json_int_t)recovery->tx_dropped);
}

static void set_quantiles(json_t *json, const char *name, struct shunt_samples *samples)
{
	json_object_set_new(json, name, record_quantiles(samples));
}

static void set_p99(json_t *json, const char *name, struct shunt_samples *samples)
{
	json_object_set_new(json, name, record_quantile(samples, 0.99));
}

static json_t *failed_json(
	const struct shunt_record *record, const struct shunt_window_failed *failed)
{
	json_t *json = record_failed(failed);

	json_object_set_new(json, "faults", faults_json(record, failed->faults));
	set_count(json, "faults_unknown_switches", failed->fault_unknown);
	return json;
}

static json_t *record_port(const struct shunt_record *record, const struct shunt_record_port *port)
{
	struct shunt_window_figures *figures = port->figures;
	json_t *json = json_pack("{s:s, s:s, s:s}", "name", port->name, "function", port->function,
		"driver", port->driver);

	set_count(json, "rx", port->rx);
	set_count(json, "tx", port->tx);
	set_count(json, "sent", port->sent);
	set_count(json, "received", port->received);
	set_count(json, "lost", shunt_record_lost(port));
	set_count(json, "late", port->late);
	set_count(json, "duplicates", port->duplicates);
	set_count(json, "corrupt", port->corrupt);
	json_object_set_new(json, "max_gap_ns", time_quantile(&port->times->gap, 1.0));
	set_p99(json, "uncertainty_ns", &figures->uncertainty_ns);
	json_object_set_new(json, "faults", faults_json(record, figures->faults));
	set_count(json, "faults_unknown_switches", figures->fault_unknown);
	set_count(json, "recoveries", figures->recoveries);
	json_object_set_new(json, "recovered", recovery_json(&figures->recovered));
	set_quantiles(json, "window_ns", &figures->window_ns);
	set_count(json, "windows_measured", figures->window_ns.count);
	set_count(json, "windows_unmeasured", figures->unmeasured);
	json_object_set_new(json, "failed", failed_json(record, &figures->failed));
	set_quantiles(json, "loss_window_ns", &figures->loss_window_ns);
	set_p99(json, "loss_uncertainty_ns", &figures->loss_uncertainty_ns);
	json_object_set_new(json, "methods",
		json_pack("{s:o, s:o}", "compared", record_count(figures->methods_compared),
			"agree", record_count(figures->methods_agree)));
	set_quantiles(json, "outage_ns", &figures->outage_ns);
	set_p99(json, "outage_uncertainty_ns", &figures->outage_uncertainty_ns);
	set_count(json, "outages_measured", figures->outage_ns.count);
	set_quantiles(json, "returned_outage_ns", &figures->returned_ns);
	set_p99(json, "returned_outage_uncertainty_ns", &figures->returned_uncertainty_ns);
	set_count(json, "returned_outages_measured", figures->returned_ns.count);
	json_object_set_new(json, "gap_ns", record_histogram(&port->times->gap));
	json_object_set_new(json, "latency_ns", record_histogram(&port->times->latency));
	set_quantiles(json, "ioctl_ns", &figures->ioctl_ns);
	set_quantiles(json, "paused_ns", &figures->paused_ns);
	set_quantiles(json, "recovery_ns", &figures->recovery_ns);
	json_object_set_new(json, "loss_accounting", accounting_json(port));
	if (port->truth.known)
		json_object_set_new(json, "ground_truth", record_ground_truth(&port->truth));
	return json;
}

/* A list of the words of a text. */
static json_t *words_json(const char *text)
{
	json_t *words = json_array();
	size_t length;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		length = strcspn(text, " ");
		json_array_append_new(words, json_stringn(text, length));
		text += length;
	}
	return words;
}

static json_t *ports_json(const struct shunt_record *record)
{
	json_t *ports = json_array();

	for (unsigned int i = 0; i < record->port_count; i++)
		json_array_append_new(ports, record_port(record, &record->ports[i]));
	return ports;
}

static json_t *group_json(const struct shunt_record *record)
{
	struct shunt_window_figures *figures = record->group_figures;
	json_t *members = json_array(), *json;

	for (unsigned int i = 0; i < record->port_count; i++)
		json_array_append_new(members, json_string(record->ports[i].function));
	json = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "id", record->group, "members",
		members, "window_ns", record_quantiles(&figures->window_ns), "uncertainty_ns",
		record_quantile(&figures->uncertainty_ns, 0.99), "windows_measured",
		record_count(figures->window_ns.count), "windows_unmeasured",
		record_count(figures->unmeasured), "failed", record_failed(&figures->failed));
	if (record->group_ground_truth.known)
		json_object_set_new(
			json, "ground_truth", record_ground_truth(&record->group_ground_truth));
	return json;
}

static json_t *date_json(time_t date)
{
	char text[32];
	struct tm utc;

	gmtime_r(&date, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	return json_string(text);
}

/* Words of a command line may be no UTF-8, which JSON has no way to say. */
static json_t *command_json(const struct shunt_record_run *run)
{
	json_t *words = json_array();

	for (unsigned int i = 0; i < run->command_words; i++) {
		json_t *word = json_string(run->command[i]);

		json_array_append_new(words, word ? word : json_null());
	}
	return words;
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static void set_run(json_t *json, const struct shunt_record_run *run)
{
	json_object_set_new(json, "version", json_string(run->version));
	json_object_set_new(json, "dpdk", json_string(run->dpdk));
	json_object_set_new(json, "date", date_json(run->date));
	json_object_set_new(json, "host", text_or_null(run->host));
	json_object_set_new(json, "processor", text_or_null(run->processor));
	json_object_set_new(json, "processors", record_count(run->processors));
	json_object_set_new(json, "command", command_json(run));
	json_object_set_new(json, "interrupted", json_boolean(run->interrupted));
}

static json_t *evidence_json(const struct shunt_record *record)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "traffic", record->evidence_traffic, "switches",
		record_count(record->evidence.switches), "faulted",
		record_count(record->evidence.faulted), "unknown",
		record_count(record->evidence.unknown));
}

static json_t *record_json(const struct shunt_record *record)
{
	const char *kernel = record->info.kernel[0] ? record->info.kernel : NULL;
	const char *why = record->plan_reason[0] ? record->plan_reason : NULL;
	json_t *rate =
		record->rate == SHUNT_RATE_MAX ? json_string("max") : record_count(record->rate);
	json_t *json;

	json = json_pack(
		"{s:s, s:s, s:s?, s:s, s:o, s:s, s:b, s:b, s:s, s:s, s:s?, s:s, s:o, s:o, s:o, "
		"s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"schema", SCHEMA, "platform", record->platform, "kernel", kernel, "iommu",
		record->info.iommu, "fault_observers", words_json(record->info.fault_observers),
		"nic", record->info.nic, "emulated", record->info.emulated, "hugepages",
		record->hugepages, "plan", record->plan, "plan_taken", record->plan_taken,
		"plan_reason", why, "traffic", record->traffic, "rate", rate, "switch_every_ns",
		record_count(record->switch_every_ns), "switches", record_count(record->switches),
		"failed_switches", record_count(record->failed), "duration_s", record->duration_s,
		"unexplained", record_count(shunt_record_unexplained(record)), "foreign",
		record_count(record->foreign), "changed", record_count(record->changed),
		"changed_in_faulted_switches", record_count(record->changed_in_switches), "group",
		group_json(record), "baseline", record_baseline(record), "ports",
		ports_json(record));
	json_object_set_new(json, "cold_idle_ns",
		record->cold_idle_ns ? record_count(record->cold_idle_ns) : json_null());
	json_object_set_new(json, "evidence", evidence_json(record));
	set_run(json, &record->run);
	return json;
}

int shunt_record_write(const struct shunt_record *record, FILE *file)
{
	json_t *json = record_json(record);
	int ret = 0;

	if (!json)
		return shunt_fail(-ENOMEM, "result record: out of memory");
	if (json_dumpf(json, file, JSON_INDENT(2)) || fputc('\n', file) == EOF)
		ret = shunt_fail(-EIO, "result record: it cannot be written");
	json_decref(json);
	return ret;
}
