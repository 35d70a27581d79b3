/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "shunt_clock.h"
#include "shunt_error.h"
#include "telemetry.h"

static const char *const outcomes[] = {
	[SHUNT_OUTCOME_CLEAN] = "clean",
	[SHUNT_OUTCOME_MENDED] = "mended",
	[SHUNT_OUTCOME_UNKNOWN] = "unknown",
	[SHUNT_OUTCOME_FAULTED] = "faulted",
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

	answer_text(row, "function", member->function);
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
		const struct shunt_port *port = shunt_context_port(context, member->function);

		if (port)
			add_member(member, answer_nth(ports, port->dev->data->port_id));
	}
}

static void add_last(
	struct shunt_context *context, const struct shunt_switch_result *last, struct answer answer)
{
	answer_text(answer, "plan", shunt_plan_name(last->asked));
	answer_text(answer, "plan_taken", shunt_plan_name(last->plan));
	if (last->why[0])
		answer_text(answer, "plan_why", last->why);
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

int telemetry_switch(struct shunt_context *context, const struct words *words, struct answer answer)
{
	enum shunt_plan plan = SHUNT_PLAN_AUTO;
	struct shunt_switch_result result;
	struct context_group *entry;
	struct shunt_space *space;
	int ret;

	ret = telemetry_find_group(context, words->text[0], &entry);
	if (!ret)
		ret = telemetry_find_space(context, words->text[1], &space);
	if (!ret && words->count > 2)
		ret = shunt_plan_parse(words->text[2], &plan);
	if (ret)
		return ret;
	shunt_context_observe(context, entry);
	ret = shunt_group_switch(entry->group, space, plan, &result);
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
