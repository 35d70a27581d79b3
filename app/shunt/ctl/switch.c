/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <shunt/error.h>
#include <shunt/group.h>
#include <shunt/histogram.h>

#include "ctl.h"
#include "log.h"
#include "text.h"

#define SECOND_NS 1000000000ull

/** Statistics of several switches at a port. */
struct port_sum {
	char id[16];
	char function[16];
	char driver[SHUNT_DRIVER_NAME];
	struct shunt_samples ioctl_ns, paused_ns, recovery_ns;
	uint64_t faults, faults_unknown, recoveries;
};

struct run {
	struct ctl_process *process;
	const struct ctl_options *options;
	int group;
	struct log log;
	char space[64]; /**< in use */
	uint64_t switches;
	uint64_t already; /**< switches skipped because the group was on the space already */
	struct shunt_samples duration_ns;
	json_t *last;
	unsigned int port_count;
	struct port_sum ports[SHUNT_GROUP_MAX_MEMBERS];
};

/* The lines of shunt forward --log. */
static json_t *port_line(const json_t *port)
{
	const json_t *recovered = json_object_get(port, "recovered");

	/* An address is short; what another program sends need not be. */
	return log_port(text_of("%.31s", ctl_text(port, "function")),
		json_is_string(json_object_get(port, "faults"))
			? json_string("unknown")
			: json_integer((json_int_t)ctl_count(port, "faults")),
		ctl_count(port, "ioctl_ns"), ctl_count(recovered, "repaired_descriptors"),
		ctl_count(recovered, "queue_resets") + ctl_count(recovered, "port_resets") +
			ctl_count(recovered, "function_resets"));
}

static int log_end(const struct run *run, json_t *result)
{
	json_t *ports, *port;
	const char *id;

	if (run->log.fd < 0)
		return 0;
	ports = json_array();
	json_object_foreach (json_object_get(result, "ports"), id, port)
		ports = text_append(ports, port_line(port));
	return log_put(&run->log,
		json_pack("{s:I, s:I, s:I, s:b, s:o}", "switch", (json_int_t)run->switches, "from",
			(json_int_t)ctl_count(result, "from_hwpt"), "to",
			(json_int_t)ctl_count(result, "to_hwpt"), "rolled_back", 0, "ports",
			ports));
}

static struct port_sum *sum_of(struct run *run, const char *id, const json_t *port)
{
	struct port_sum *sum;

	for (unsigned int i = 0; i < run->port_count; i++)
		if (strcmp(run->ports[i].id, id) == 0)
			return &run->ports[i];
	if (run->port_count == SHUNT_GROUP_MAX_MEMBERS)
		return NULL;
	sum = &run->ports[run->port_count++];
	snprintf(sum->id, sizeof(sum->id), "%s", id);
	snprintf(sum->function, sizeof(sum->function), "%s", ctl_text(port, "function"));
	snprintf(sum->driver, sizeof(sum->driver), "%s", ctl_text(port, "driver"));
	return sum;
}

static int add_port(struct run *run, const char *id, const json_t *port)
{
	struct port_sum *sum = sum_of(run, id, port);
	int ret;

	if (!sum)
		return shunt_fail(
			-E2BIG, "the group has more than %d ports", SHUNT_GROUP_MAX_MEMBERS);
	ret = shunt_samples_add(&sum->ioctl_ns, ctl_count(port, "ioctl_ns"));
	if (!ret)
		ret = shunt_samples_add(&sum->paused_ns, ctl_count(port, "paused_ns"));
	if (!ret && json_object_get(port, "recovered")) {
		ret = shunt_samples_add(&sum->recovery_ns, ctl_count(port, "recovery_ns"));
		sum->recoveries++;
	}
	sum->faults += ctl_count(port, "faults");
	sum->faults_unknown += json_is_string(json_object_get(port, "faults"));
	return ret ? shunt_fail(ret, "out of memory") : 0;
}

/* Adds a result, and keeps it as the last one. */
static int add(struct run *run, json_t *result)
{
	const char *id;
	json_t *port;
	int ret;

	ret = log_end(run, result);
	run->switches++;
	json_decref(run->last);
	run->last = result;
	snprintf(run->space, sizeof(run->space), "%s", ctl_text(result, "space"));
	if (!ret && shunt_samples_add(&run->duration_ns, ctl_count(result, "duration_ns")))
		ret = shunt_fail(-ENOMEM, "out of memory");
	json_object_foreach (json_object_get(result, "ports"), id, port)
		if (!ret)
			ret = add_port(run, id, port);
	return ret;
}

static int switch_to(struct run *run, const char *space)
{
	const struct ctl_options *options = run->options;
	const char *live = options->force ? ",force" : options->live ? ",live" : "";
	json_t *result;
	int ret;

	if (strcmp(run->space, space) == 0) {
		run->already++;
		return 0;
	}
	ret = log_begin(&run->log, run->switches);
	if (!ret)
		ret = ctl_ask(run->process, &result, "/shunt/switch,%d,%s,%s%s", run->group, space,
			options->plan, live);
	return ret ? ret : add(run, result);
}

static void wait_until(struct timespec *next, uint64_t every_ns)
{
	uint64_t ns = (uint64_t)next->tv_nsec + every_ns % SECOND_NS;

	next->tv_sec += (time_t)(every_ns / SECOND_NS + ns / SECOND_NS);
	next->tv_nsec = (long)(ns % SECOND_NS);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL) == EINTR)
		;
}

static int switch_all(struct run *run)
{
	const struct ctl_options *options = run->options;
	uint64_t spaces = (uint64_t)options->word_count;
	uint64_t count = options->switches ? options->switches : spaces;
	struct timespec next;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t i = 0; !ret && i < count; i++) {
		if (i)
			wait_until(&next, options->every_ns);
		ret = switch_to(run, options->words[i % spaces]);
	}
	if (ret && run->switches)
		return shunt_fail_while(
			ret, "after %" PRIu64 " switch%s", run->switches, plural_es(run->switches));
	return ret;
}

static json_t *quantile(struct shunt_samples *samples, double q)
{
	if (!samples->count)
		return json_null();
	return json_integer((json_int_t)shunt_samples_quantile(samples, q));
}

static json_t *quantiles(struct shunt_samples *samples)
{
	return json_pack("{s:o, s:o, s:o}", "p50", quantile(samples, 0.50), "p99",
		quantile(samples, 0.99), "max", quantile(samples, 1.0));
}

/* Named like the fields of the result record. */
static json_t *port_json(struct port_sum *sum)
{
	char *end;
	long id = strtol(sum->id, &end, 10);

	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:I}", "port",
		*end ? json_null() : json_integer(id), "function", sum->function, "driver",
		sum->driver, "ioctl_ns", quantiles(&sum->ioctl_ns), "paused_ns",
		quantiles(&sum->paused_ns), "recovery_ns", quantiles(&sum->recovery_ns), "faults",
		(json_int_t)sum->faults, "faults_unknown_switches", (json_int_t)sum->faults_unknown,
		"recoveries", (json_int_t)sum->recoveries);
}

static int print_json(struct run *run)
{
	json_t *ports = json_array();

	for (unsigned int i = 0; i < run->port_count; i++)
		ports = text_append(ports, port_json(&run->ports[i]));
	return text_json(json_pack("{s:s, s:i, s:s, s:I, s:I, s:o, s:o, s:O?}", "schema",
		"shunt.switches/2", "group", run->group, "space", run->space, "switches",
		(json_int_t)run->switches, "already", (json_int_t)run->already, "duration_ns",
		quantiles(&run->duration_ns), "ports", ports, "last", run->last));
}

static const char *three(struct shunt_samples *samples)
{
	return text_of("%s, %s, %s", quantile_text(samples, 0.5), quantile_text(samples, 0.99),
		quantile_text(samples, 1.0));
}

static void print_sums(struct run *run)
{
	printf("group %d: %" PRIu64 " switch%s by %s, each in %s (median, p99, max)\n", run->group,
		run->switches, plural_es(run->switches), ctl_text(run->last, "plan_taken"),
		three(&run->duration_ns));
	ctl_print_warning(run->last);
	printf("%-5s %-14s %-16s %-32s %-32s %8s %8s %10s\n", "port", "function", "driver",
		"ioctls", "paused, stopped", "faults", "unknown", "recoveries");
	for (unsigned int i = 0; i < run->port_count; i++) {
		struct port_sum *sum = &run->ports[i];

		printf("%-5s %-14s %-16s %-32s %-32s %8" PRIu64 " %8" PRIu64 " %10" PRIu64 "\n",
			sum->id, sum->function, sum->driver, three(&sum->ioctl_ns),
			three(&sum->paused_ns), sum->faults, sum->faults_unknown, sum->recoveries);
	}
}

static int print(struct run *run)
{
	if (run->options->json)
		return print_json(run);
	if (run->already)
		printf("group %d: on the space already, %" PRIu64 " time%s\n", run->group,
			run->already, plural(run->already));
	if (run->switches > 1)
		print_sums(run);
	else if (run->switches)
		ctl_print_result(run->last);
	return 0;
}

static void release(struct run *run)
{
	for (unsigned int i = 0; i < run->port_count; i++) {
		shunt_samples_free(&run->ports[i].ioctl_ns);
		shunt_samples_free(&run->ports[i].paused_ns);
		shunt_samples_free(&run->ports[i].recovery_ns);
	}
	shunt_samples_free(&run->duration_ns);
	json_decref(run->last);
	log_close(&run->log);
}

/* The group's space; "" after a failed roll-back. */
static int find_space(struct run *run)
{
	json_t *group;
	int ret = ctl_ask(run->process, &group, "/shunt/result,%d", run->group);

	if (ret)
		return ret;
	snprintf(run->space, sizeof(run->space), "%s", ctl_text(group, "space"));
	json_decref(group);
	return 0;
}

int ctl_switch(struct ctl_process *process, const struct ctl_options *options)
{
	struct run run = { .process = process, .options = options };
	int ret;

	ret = log_open(&run.log, options->log);
	if (ret)
		return ret;
	run.group = ctl_group(process, options);
	ret = run.group < 0 ? run.group : find_space(&run);
	if (!ret)
		ret = switch_all(&run);
	if (!ret)
		ret = print(&run);
	release(&run);
	return ret;
}
