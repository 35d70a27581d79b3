/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "telemetry.h"

static const char *const outcomes[] = {
	[SHUNT_OUTCOME_CLEAN] = "clean",
	[SHUNT_OUTCOME_RECOVERED] = "recovered",
	[SHUNT_OUTCOME_FAILED] = "failed",
	[SHUNT_OUTCOME_UNKNOWN] = "unknown",
	[SHUNT_OUTCOME_FAULTED] = "faulted",
};

static const char *const halts[] = {
	[SHUNT_HALT_NONE] = "none",
	[SHUNT_HALT_PAUSE] = "pause",
	[SHUNT_HALT_STOP] = "stop",
};

static const char *const unpaused_words[] = {
	[SHUNT_UNPAUSED_REFUSE] = "no",
	[SHUNT_UNPAUSED_ALLOW] = "live",
	[SHUNT_UNPAUSED_FORCE] = "force",
};

static void add_recovery(const struct shunt_recovery *recovery, struct telemetry_reply port)
{
	struct telemetry_reply row = reply_object(port, "recovered");

	reply_count(row, "repaired_descriptors", recovery->repaired_descriptors);
	reply_count(row, "queue_resets", recovery->queue_resets);
	reply_count(row, "port_resets", recovery->port_resets);
	reply_count(row, "function_resets", recovery->function_resets);
	reply_count(row, "rx_dropped", recovery->rx_dropped);
	reply_count(row, "tx_dropped", recovery->tx_dropped);
}

/* A port's part of the last switch. */
static void add_member(const struct shunt_switch_member *member, struct telemetry_reply row)
{
	uint64_t paused = member->pause_start ? member->pause_end - member->pause_start : 0;

	reply_text(row, "driver", member->driver);
	reply_text(row, "halt", halts[member->halt]);
	reply_number(row, "hwpt", (int)member->hwpt_id);
	reply_count(row, "ioctl_ns", shunt_clock_to_ns(member->ioctl_time));
	reply_count(row, "paused_ns", shunt_clock_to_ns(paused));
	if (member->faults < 0)
		reply_text(row, "faults", "unknown");
	else
		reply_count(row, "faults", (uint64_t)member->faults);
	reply_count(row, "recovery_ns", shunt_clock_to_ns(member->recovery.time));
	if (shunt_recovery_any(&member->recovery))
		add_recovery(&member->recovery, row);
}

static void add_ports(struct shunt_context *context, const struct shunt_switch_result *last,
	struct telemetry_reply reply)
{
	struct telemetry_reply ports = reply_object(reply, "ports");

	for (unsigned int i = 0; i < last->member_count; i++) {
		const struct shunt_switch_member *member = &last->members[i];

		add_member(member, telemetry_member(context, ports, member->function, i));
	}
}

static void add_last(struct shunt_context *context, const struct shunt_switch_result *last,
	struct telemetry_reply reply)
{
	reply_text(reply, "plan", shunt_plan_name(last->asked));
	reply_text(reply, "plan_taken", shunt_plan_name(last->plan));
	if (last->why[0])
		reply_text(reply, "plan_reason", last->why);
	reply_text(reply, "live", unpaused_words[last->unpaused]);
	if (last->warning[0])
		reply_text(reply, "warning", last->warning);
	reply_number(reply, "from_hwpt", (int)last->from_hwpt);
	reply_number(reply, "to_hwpt", (int)last->to_hwpt);
	reply_number(reply, "rolled_back", last->rolled_back);
	reply_text(reply, "outcome", outcomes[shunt_switch_outcome(last)]);
	reply_count(reply, "duration_ns", shunt_clock_to_ns(last->end - last->start));
	add_ports(context, last, reply);
}

static void add_group(
	struct shunt_context *context, struct shunt_group *group, struct telemetry_reply reply)
{
	struct shunt_space *space = shunt_group_space(group);
	struct shunt_group_history history;

	shunt_group_history(group, &history);
	reply_number(reply, "group", shunt_group_number(group));
	reply_text(reply, "space", space ? shunt_space_name(space) : "");
	reply_count(reply, "switches", history.switches);
	reply_count(reply, "failed_switches", history.failed);
	if (history.switches + history.failed)
		add_last(context, &history.last, reply);
}

static int parse_unpaused(const char *word, enum shunt_unpaused *unpaused)
{
	for (unsigned int i = SHUNT_UNPAUSED_ALLOW; i < RTE_DIM(unpaused_words); i++) {
		if (strcmp(unpaused_words[i], word) == 0) {
			*unpaused = (enum shunt_unpaused)i;
			return 0;
		}
	}
	return shunt_fail(-EINVAL, "'%.40s' after the plan: live or force is wanted", word);
}

int telemetry_switch(
	struct shunt_context *context, const struct words *words, struct telemetry_reply reply)
{
	enum shunt_plan plan = SHUNT_PLAN_AUTO;
	enum shunt_unpaused unpaused = SHUNT_UNPAUSED_REFUSE;
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
		ret = parse_unpaused(words->text[3], &unpaused);
	if (ret)
		return ret;
	shunt_context_observe_faults(context, entry);
	ret = shunt_group_switch_unpaused(entry->group, space, plan, unpaused, &result);
	if (ret)
		return ret;
	shunt_context_save_evidence(context, &result);
	add_group(context, entry->group, reply);
	return 0;
}

int telemetry_result(
	struct shunt_context *context, const struct words *words, struct telemetry_reply reply)
{
	struct context_group *entry;
	int ret;

	ret = telemetry_find_group(context, words->text[0], &entry);
	if (!ret)
		add_group(context, entry->group, reply);
	return ret;
}
