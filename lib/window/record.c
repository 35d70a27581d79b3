/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "shunt_error.h"
#include "shunt_record.h"

#define SCHEMA "shunt.result/1"

uint64_t shunt_record_lost(const struct shunt_record_port *port)
{
	return port->sent - port->received;
}

static uint64_t above(uint64_t value, uint64_t limit)
{
	return value > limit ? value - limit : 0;
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

static json_t *count_json(uint64_t count)
{
	return json_integer((json_int_t)count);
}

static void set_count(json_t *json, const char *name, uint64_t count)
{
	json_object_set_new(json, name, count_json(count));
}

static json_t *quantiles(struct shunt_samples *samples)
{
	return json_pack("{s:o, s:o, s:o}", "p50",
		count_json(shunt_samples_quantile(samples, 0.50)), "p99",
		count_json(shunt_samples_quantile(samples, 0.99)), "max",
		count_json(shunt_samples_quantile(samples, 1.0)));
}

/* None seen is a number only if somebody looked, and could tell, in every switch. */
static json_t *faults_json(const struct shunt_record *record, const struct shunt_record_port *port)
{
	int64_t faults = port->figures->faults;

	if (faults < 0 || (faults == 0 && !record->info.fault_observers[0]))
		return json_string("unknown");
	return json_integer(faults);
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

static json_t *books_json(const struct shunt_record_port *port)
{
	const struct shunt_window_figures *figures = port->figures;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rx_lost",
		count_json(figures->rx_lost), "rx_lost_in_faulted_switches",
		count_json(figures->rx_explained), "rx_dropped", count_json(port->rx_dropped),
		"tx_lost", count_json(figures->tx_lost), "tx_lost_in_faulted_switches",
		count_json(figures->tx_explained), "tx_dropped", count_json(port->tx_dropped),
		"unexplained", count_json(port_unexplained(port)));
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

static json_t *port_json(const struct shunt_record *record, const struct shunt_record_port *port)
{
	struct shunt_window_figures *figures = port->figures;
	json_t *json = json_pack("{s:s, s:s}", "name", port->name, "function", port->function);

	set_count(json, "rx", port->rx);
	set_count(json, "tx", port->tx);
	set_count(json, "sent", port->sent);
	set_count(json, "received", port->received);
	set_count(json, "lost", shunt_record_lost(port));
	set_count(json, "late", port->late);
	set_count(json, "duplicates", port->duplicates);
	set_count(json, "corrupt", port->corrupt);
	set_count(json, "max_gap_ns", port->max_gap_ns);
	set_count(json, "resolution_ns", shunt_samples_quantile(&figures->resolution_ns, 0.99));
	json_object_set_new(json, "faults", faults_json(record, port));
	set_count(json, "faults_unknown_switches", figures->fault_unknown);
	set_count(json, "recoveries", figures->recoveries);
	json_object_set_new(json, "recovered", recovery_json(&figures->recovered));
	json_object_set_new(json, "window_ns", quantiles(&figures->window_ns));
	set_count(json, "windows_measured", figures->window_ns.count);
	set_count(json, "windows_unmeasured", figures->unmeasured);
	json_object_set_new(json, "ioctl_ns", quantiles(&figures->ioctl_ns));
	json_object_set_new(json, "paused_ns", quantiles(&figures->paused_ns));
	json_object_set_new(json, "mend_ns", quantiles(&figures->mend_ns));
	json_object_set_new(json, "books", books_json(port));
	if (port->has_truth)
		json_object_set_new(json, "truth",
			json_pack("{s:o, s:o}", "compared", count_json(port->compared), "within",
				count_json(port->within)));
	return json;
}

static json_t *ports_json(const struct shunt_record *record)
{
	json_t *ports = json_array();

	for (unsigned int i = 0; i < record->port_count; i++)
		json_array_append_new(ports, port_json(record, &record->ports[i]));
	return ports;
}

static json_t *group_json(const struct shunt_record *record)
{
	json_t *members = json_array();

	for (unsigned int i = 0; i < record->port_count; i++)
		json_array_append_new(members, json_string(record->ports[i].function));
	return json_pack("{s:i, s:o}", "id", record->group, "members", members);
}

static json_t *rate_json(uint64_t rate)
{
	return rate == SHUNT_RATE_MAX ? json_string("max") : count_json(rate);
}

static json_t *record_json(const struct shunt_record *record)
{
	const char *kernel = record->info.kernel[0] ? record->info.kernel : NULL;

	return json_pack("{s:s, s:s, s:s?, s:s, s:o, s:s, s:b, s:b, s:s, s:s, s:o, s:o, s:o, s:f, "
			 "s:o, s:o, s:o, s:o, s:o, s:o}",
		"schema", SCHEMA, "platform", record->platform, "kernel", kernel, "iommu",
		record->info.iommu, "fault_observers", words_json(record->info.fault_observers),
		"nic", record->info.nic, "emulated", record->info.emulated, "hugepages",
		record->hugepages, "plan", record->plan, "traffic", record->traffic, "rate",
		rate_json(record->rate), "switches", count_json(record->switches),
		"failed_switches", count_json(record->failed), "duration_s", record->duration_s,
		"unexplained", count_json(shunt_record_unexplained(record)), "foreign",
		count_json(record->foreign), "changed", count_json(record->changed),
		"changed_in_faulted_switches", count_json(record->changed_in_switches), "group",
		group_json(record), "ports", ports_json(record));
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
