/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_config.h>

#include "ctl.h"
#include "shunt_clock.h"
#include "shunt_error.h"
#include "text.h"

#define SECOND_NS 1000000000ull

/** A port as it was at the last look. */
struct seen {
	uint64_t rx, tx;
	bool known;
};

struct watch {
	struct ctl_process *process;
	const struct ctl_options *options;
	struct seen ports[RTE_MAX_ETHPORTS];
	double seconds; /**< since the last look */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = 1;
}

static void print_rate(double frames, double seconds)
{
	printf(" %10.3f", frames / seconds / 1e6);
}

static int print_rates(struct watch *watch, const char *id)
{
	unsigned long number = strtoul(id, NULL, 10);
	json_t *stats;
	struct seen now;
	int ret;

	if (number >= RTE_MAX_ETHPORTS)
		return shunt_fail(-EPROTO, "port %s: there cannot be so many", id);
	ret = ctl_ask(watch->process, &stats, "/ethdev/stats,%lu", number);
	if (ret)
		return ret;
	now = (struct seen){ ctl_count(stats, "ipackets"), ctl_count(stats, "opackets"), true };
	if (watch->ports[number].known) {
		print_rate((double)(now.rx - watch->ports[number].rx), watch->seconds);
		print_rate((double)(now.tx - watch->ports[number].tx), watch->seconds);
	} else {
		printf(" %10s %10s", "-", "-");
	}
	watch->ports[number] = now;
	json_decref(stats);
	return 0;
}

static int look_at_member(struct watch *watch, const char *id, const json_t *port)
{
	char function[32], driver[64], last[TIME_TEXT], max[TIME_TEXT];
	int ret = 0;

	printf("%-5s %-14s %-16s", id, ctl_text(port, "function", function, sizeof(function)),
		ctl_text(port, "driver", driver, sizeof(driver)));
	if (json_object_get(port, "name"))
		ret = print_rates(watch, id);
	else
		printf(" %10s %10s", "-", "-");
	printf(" %8" PRIu64 " %8" PRIu64 " %10" PRIu64 " %10s %10s\n", ctl_count(port, "switches"),
		ctl_count(port, "faults"), ctl_count(port, "recoveries"),
		time_text(ctl_count(port, "paused_last_ns"), last),
		time_text(ctl_count(port, "paused_max_ns"), max));
	return ret;
}

static int look_at_group(struct watch *watch, const char *number, const json_t *group)
{
	char space[64];
	const char *id;
	json_t *port;
	int ret = 0;

	if (watch->options->group &&
		strtol(watch->options->group, NULL, 10) != strtol(number, NULL, 10))
		return 0;
	printf("group %s: space '%s'\n", number, ctl_text(group, "space", space, sizeof(space)));
	json_object_foreach (json_object_get(group, "ports"), id, port)
		if (!ret)
			ret = look_at_member(watch, id, port);
	return ret;
}

static int look(struct watch *watch)
{
	const char *number;
	json_t *list, *group;
	int ret = ctl_ask(watch->process, &list, "/shunt/list");

	if (ret)
		return ret;
	printf("%-5s %-14s %-16s %10s %10s %8s %8s %10s %10s %10s\n", "port", "function", "driver",
		"rx Mpps", "tx Mpps", "switches", "faults", "recoveries", "last pause", "longest");
	json_object_foreach (json_object_get(list, "groups"), number, group)
		if (!ret)
			ret = look_at_group(watch, number, group);
	json_decref(list);
	fflush(stdout);
	return ret;
}

int ctl_watch(struct ctl_process *process, const struct ctl_options *options)
{
	struct watch watch = { .process = process, .options = options };
	struct sigaction action = { .sa_handler = interrupt };
	const struct timespec pause = {
		.tv_sec = (time_t)(options->every_ns / SECOND_NS),
		.tv_nsec = (long)(options->every_ns % SECOND_NS),
	};
	uint64_t before = 0, now;
	int ret = 0;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (uint64_t i = 0; !ret && !interrupted && (!options->count || i < options->count); i++) {
		if (i)
			nanosleep(&pause, NULL);
		if (interrupted)
			break;
		now = shunt_clock_now();
		watch.seconds = (double)shunt_clock_to_ns(now - before) / SECOND_NS;
		before = now;
		ret = look(&watch);
	}
	return interrupted ? 0 : ret;
}
