/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>

#include "record_json.h"

#define SCHEMA "shunt.result/2"

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
	struct shunt_window_group_figures *figures = record->group_figures;
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

static json_t *rate_json(uint64_t rate)
{
	return rate == SHUNT_RATE_MAX ? json_string("max") : record_count(rate);
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
	json_t *json;

	json = json_pack(
		"{s:s, s:s, s:s?, s:s, s:o, s:s, s:b, s:b, s:s, s:s, s:s?, s:s, s:o, s:o, s:o, "
		"s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"schema", SCHEMA, "platform", record->platform, "kernel", kernel, "iommu",
		record->info.iommu, "fault_observers", words_json(record->info.fault_observers),
		"nic", record->info.nic, "emulated", record->info.emulated, "hugepages",
		record->hugepages, "plan", record->plan, "plan_taken", record->plan_taken,
		"plan_reason", why, "traffic", record->traffic, "rate", rate_json(record->rate),
		"switch_every_ns", record_count(record->switch_every_ns), "switches",
		record_count(record->switches), "failed_switches", record_count(record->failed),
		"duration_s", record->duration_s, "unexplained",
		record_count(shunt_record_unexplained(record)), "foreign",
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
