/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shunt_clock.h"
#include "shunt_error.h"
#include "telemetry.h"

static const char *const outcomes[] = {
	[SHUNT_OUTCOME_CLEAN] = "clean",
	[SHUNT_OUTCOME_MENDED] = "mended",
	[SHUNT_OUTCOME_UNKNOWN] = "unknown",
	[SHUNT_OUTCOME_FAULTED] = "faulted",
};

static const char *const halts[] = {
	[SHUNT_HALT_NONE] = "none",
	[SHUNT_HALT_PAUSE] = "pause",
	[SHUNT_HALT_STOP] = "stop",
};

static const char *const lives[] = {
	[SHUNT_LIVE_NO] = "no",
	[SHUNT_LIVE_ASKED] = "live",
	[SHUNT_LIVE_FORCED] = "force",
};

static void add_recovery(const struct shunt_recovery *recovery, struct answer port)
{
	struct answer row = answer_object(port, "recovered");

	answer_count(row, "repaired_descriptors", recovery->repaired_descriptors);
	answer_count(row, "queue_resets", recovery->queue_resets);
	answer_count(row, "port_resets", recovery->port_resets);
	answer_count(row, "function_resets", recovery->function_resets);
	answer_count(row, "rx_dropped", recovery->rx_dropped);
	answer_count(row, "tx_dropped", recovery->tx_dropped);
}

/* A port's part of the last switch. */
static void add_member(const struct shunt_switch_member *member, struct answer row)
{
	uint64_t paused = member->pause_start ? member->pause_end - member->pause_start : 0;

	answer_text(row, "driver", member->driver);
	answer_text(row, "halt", halts[member->halt]);
	answer_number(row, "hwpt", (int)member->hwpt_id);
	answer_count(row, "ioctl_ns", shunt_clock_to_ns(member->ioctl_time));
	answer_count(row, "paused_ns", shunt_clock_to_ns(paused));
	if (member->faults < 0)
		answer_text(row, "faults", "unknown");
	else
		answer_count(row, "faults", (uint64_t)member->faults);
	answer_count(row, "mend_ns", shunt_clock_to_ns(member->recovery.time));
	if (shunt_recovery_mended(&member->recovery))
		add_recovery(&member->recovery, row);
}

static void add_ports(
	struct shunt_context *context, const struct shunt_switch_result *last, struct answer answer)
{
	struct answer ports = answer_object(answer, "ports");

	for (unsigned int i = 0; i < last->member_count; i++) {
		const struct shunt_switch_member *member = &last->members[i];

		add_member(member, telemetry_member(context, ports, member->function, i));
	}
}

static void add_last(
	struct shunt_context *context, const struct shunt_switch_result *last, struct answer answer)
{
	answer_text(answer, "plan", shunt_plan_name(last->asked));
	answer_text(answer, "plan_taken", shunt_plan_name(last->plan));
	if (last->why[0])
		answer_text(answer, "plan_why", last->why);
	answer_text(answer, "live", lives[last->live]);
	if (last->warning[0])
		answer_text(answer, "warning", last->warning);
	answer_number(answer, "from_hwpt", (int)last->from_hwpt);
	answer_number(answer, "to_hwpt", (int)last->to_hwpt);
	answer_flag(answer, "rolled_back", last->rolled_back);
	answer_text(answer, "outcome", outcomes[shunt_switch_outcome(last)]);
	answer_count(answer, "duration_ns", shunt_clock_to_ns(last->end - last->start));
	add_ports(context, last, answer);
}

static void add_group(
	struct shunt_context *context, struct shunt_group *group, struct answer answer)
{
	struct shunt_space *space = shunt_group_space(group);
	struct shunt_group_history history;

	shunt_group_history(group, &history);
	answer_number(answer, "group", shunt_group_number(group));
	answer_text(answer, "space", space ? shunt_space_name(space) : "");
	answer_count(answer, "switches", history.switches);
	answer_count(answer, "failed_switches", history.failed);
	if (history.switches + history.failed)
		add_last(context, &history.last, answer);
}

static int parse_live(const char *word, enum shunt_live *live)
{
	for (unsigned int i = SHUNT_LIVE_ASKED; i < RTE_DIM(lives); i++) {
		if (strcmp(lives[i], word) == 0) {
			*live = (enum shunt_live)i;
			return 0;
		}
	}
	return shunt_fail(-EINVAL, "'%.40s' after the plan: live or force is wanted", word);
}

int telemetry_switch(struct shunt_context *context, const struct words *words, struct answer answer)
{
	enum shunt_plan plan = SHUNT_PLAN_AUTO;
	enum shunt_live live = SHUNT_LIVE_NO;
	struct shunt_switch_result result;
	struct context_group *entry;
	struct shunt_space *space;
	int ret;

	ret = telemetry_find_group(context, words->text[0], &entry);
	if (!ret)
		ret = telemetry_find_space(context, words->text[1], &space);
	if (!ret && words->count > 2)
		ret = shunt_plan_parse(words->text[2], &plan);
	if (!ret && words->count > 3)
		ret = parse_live(words->text[3], &live);
	if (ret)
		return ret;
	shunt_context_observe(context, entry);
	ret = shunt_group_switch_live(entry->group, space, plan, live, &result);
	if (ret)
		return ret;
	shunt_context_keep(context, &result);
	add_group(context, entry->group, answer);
	return 0;
}

int telemetry_result(struct shunt_context *context, const struct words *words, struct answer answer)
{
	struct context_group *entry;
	int ret;

	ret = telemetry_find_group(context, words->text[0], &entry);
	if (!ret)
		add_group(context, entry->group, answer);
	return ret;
}
