/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_config.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "ctl.h"
#include "screen.h"
#include "text.h"

#define SECOND_NS 1000000000ull

/** A port's counters at the last update. */
struct seen {
	uint64_t rx, tx;
	bool known;
};

struct watch {
	struct ctl_process *process;
	const struct ctl_options *options;
	struct screen screen;
	struct seen ports[RTE_MAX_ETHPORTS];
	double seconds; /**< since the last update */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = 1;
}

static const char *rate_text(uint64_t frames, double seconds)
{
	return text_of("%.3f", (double)frames / seconds / 1e6);
}

/* They stay as they are until there are two updates. */
static int find_rates(struct watch *watch, const char *id, const char **rx, const char **tx)
{
	unsigned long number = strtoul(id, NULL, 10);
	struct seen now, *before;
	json_t *stats;
	int ret;

	if (number >= RTE_MAX_ETHPORTS)
		return shunt_fail(-EPROTO, "port %lu: above DPDK's maximum", number);
	ret = ctl_ask(watch->process, &stats, "/ethdev/stats,%lu", number);
	if (ret)
		return ret;
	now = (struct seen){ ctl_count(stats, "ipackets"), ctl_count(stats, "opackets"), true };
	before = &watch->ports[number];
	if (before->known) {
		*rx = rate_text(now.rx - before->rx, watch->seconds);
		*tx = rate_text(now.tx - before->tx, watch->seconds);
	}
	*before = now;
	json_decref(stats);
	return 0;
}

/* A time of the last switch or the longest one; "-" before the first. */
static const char *paused_text(const json_t *port, const char *name)
{
	return ctl_count(port, "switches") ? time_text(ctl_count(port, name)) : "-";
}

/* 79 columns. */
static int look_at_member(struct watch *watch, const char *id, const json_t *port)
{
	const char *rx = "-", *tx = "-";
	int ret = 0;

	if (json_object_get(port, "name"))
		ret = find_rates(watch, id, &rx, &tx);
	screen_line(&watch->screen,
		"%-4s %-12s %7s %7s %8" PRIu64 " %7" PRIu64 " %10" PRIu64 " %8s %8s",
		json_object_get(port, "name") ? safe_text(id, 15) : "-", ctl_text(port, "function"),
		rx, tx, ctl_count(port, "switches"), ctl_count(port, "faults"),
		ctl_count(port, "recoveries"), paused_text(port, "paused_last_ns"),
		paused_text(port, "paused_max_ns"));
	return ret;
}

static bool is_wanted(const struct watch *watch, const char *number)
{
	return !watch->options->group ||
	       strtol(watch->options->group, NULL, 10) == strtol(number, NULL, 10);
}

static unsigned int lines_of(const struct watch *watch, json_t *groups)
{
	unsigned int lines = 1;
	const char *number;
	json_t *group;

	json_object_foreach (groups, number, group)
		if (is_wanted(watch, number))
			lines +=
				1 + (unsigned int)json_object_size(json_object_get(group, "ports"));
	return lines;
}

static int look_at_group(struct watch *watch, const char *number, const json_t *group)
{
	const char *id;
	json_t *port;
	int ret = 0;

	screen_line(&watch->screen, "group %ld: space '%s'", strtol(number, NULL, 10),
		ctl_text(group, "space"));
	json_object_foreach (json_object_get(group, "ports"), id, port)
		if (!ret)
			ret = look_at_member(watch, id, port);
	return ret;
}

static int look(struct watch *watch)
{
	const char *number;
	json_t *list, *groups, *group;
	int ret = ctl_ask_list(watch->process, &list);

	if (ret)
		return ret;
	groups = json_object_get(list, "groups");
	screen_begin(&watch->screen, lines_of(watch, groups));
	screen_line(&watch->screen, "%-4s %-12s %7s %7s %8s %7s %10s %8s %8s", "port", "function",
		"rx Mpps", "tx Mpps", "switches", "faults", "recoveries", "pause", "longest");
	json_object_foreach (groups, number, group)
		if (!ret && is_wanted(watch, number))
			ret = look_at_group(watch, number, group);
	screen_end(&watch->screen);
	json_decref(list);
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

	screen_init(&watch.screen, stdout);
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
