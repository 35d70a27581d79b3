/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_json.h"
#include "shunt_error.h"

#define SCHEMA "shunt.result/1"

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
	json = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "id", record->group, "members", members,
		"window_ns", record_quantiles(&figures->window_ns), "resolution_ns",
		record_count(shunt_samples_quantile(&figures->resolution_ns, 0.99)),
		"windows_measured", record_count(figures->window_ns.count), "windows_unmeasured",
		record_count(figures->unmeasured));
	if (record->group_truth.known)
		json_object_set_new(json, "truth", record_truth(&record->group_truth));
	return json;
}

static json_t *rate_json(uint64_t rate)
{
	return rate == SHUNT_RATE_MAX ? json_string("max") : record_count(rate);
}

static json_t *record_json(const struct shunt_record *record)
{
	const char *kernel = record->info.kernel[0] ? record->info.kernel : NULL;
	const char *why = record->plan_why[0] ? record->plan_why : NULL;

	return json_pack("{s:s, s:s, s:s?, s:s, s:o, s:s, s:b, s:b, s:s, s:s, s:s?, s:s, s:o, s:o, "
			 "s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"schema", SCHEMA, "platform", record->platform, "kernel", kernel, "iommu",
		record->info.iommu, "fault_observers", words_json(record->info.fault_observers),
		"nic", record->info.nic, "emulated", record->info.emulated, "hugepages",
		record->hugepages, "plan", record->plan, "plan_taken", record->plan_taken,
		"plan_why", why, "traffic", record->traffic, "rate", rate_json(record->rate),
		"switches", record_count(record->switches), "failed_switches",
		record_count(record->failed), "duration_s", record->duration_s, "unexplained",
		record_count(shunt_record_unexplained(record)), "foreign",
		record_count(record->foreign), "changed", record_count(record->changed),
		"changed_in_faulted_switches", record_count(record->changed_in_switches), "group",
		group_json(record), "baseline", record_baseline(record), "ports",
		ports_json(record));
}

static int write_file(json_t *json, const char *path)
{
	char *temporary;
	FILE *file;
	int ret = 0;

	if (asprintf(&temporary, "%s.new", path) < 0)
		return -ENOMEM;
	file = fopen(temporary, "we");
	if (!file) {
		ret = -errno;
		goto free;
	}
	if (json_dumpf(json, file, JSON_INDENT(2)) || fputc('\n', file) == EOF)
		ret = -EIO;
	if (fclose(file) && !ret)
		ret = -errno;
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret)
		unlink(temporary);
free:
	free(temporary);
	return ret;
}

int shunt_record_write(const struct shunt_record *record, const char *path)
{
	json_t *json = record_json(record);
	int ret = 0;

	if (!json)
		return shunt_fail(-ENOMEM, "result record: out of memory");
	if (strcmp(path, "-") != 0)
		ret = write_file(json, path);
	else if (json_dumpf(json, stdout, JSON_INDENT(2)) || putchar('\n') == EOF)
		ret = -EIO;
	json_decref(json);
	return ret ? shunt_fail_errno(ret, "result record %s", path) : 0;
}
