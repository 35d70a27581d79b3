/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "shunt_dpdk.h"
#include "telemetry.h"

/* Ports of a reply, which has 16 KiB: DPDK silently leaves out what does not fit. The names and
 * counters of a port take up to 600 bytes. */
#define LIST_PART 12

/* NULL after a switch that could not be rolled back. */
static const char *space_of(struct shunt_group *group)
{
	struct shunt_space *space = shunt_group_space(group);

	return space ? shunt_space_name(space) : "";
}

struct telemetry_reply telemetry_member(struct shunt_context *context, struct telemetry_reply ports,
	const char *function, unsigned int index)
{
	const struct rte_eth_dev *dev = shunt_context_dev(context, function);
	char name[16];
	struct telemetry_reply row;

	if (dev) {
		row = reply_nth(ports, dev->data->port_id);
		reply_text(row, "name", dev->data->name);
	} else {
		snprintf(name, sizeof(name), "member%u", index);
		row = reply_object(ports, name);
	}
	reply_text(row, "function", function);
	return row;
}

static void add_counts(const struct shunt_member_counts *counts, struct telemetry_reply row)
{
	reply_count(row, "switches", counts->switches);
	reply_count(row, "failed_switches", counts->failed);
	reply_count(row, "faults", counts->faults);
	reply_count(row, "faults_unknown_switches", counts->unknown);
	reply_count(row, "recoveries", counts->recoveries);
	reply_count(row, "paused_last_ns", shunt_clock_to_ns(counts->halted_last));
	reply_count(row, "paused_max_ns", shunt_clock_to_ns(counts->halted_max));
}

/* The members of a group that are in the part, as "ports". */
static void add_members(struct shunt_context *context, struct shunt_group *group, struct part *part,
	struct telemetry_reply reply)
{
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];
	unsigned int count = shunt_group_list(group, members);
	struct telemetry_reply ports = reply_object(reply, "ports");

	for (unsigned int i = 0; i < count; i++) {
		struct telemetry_reply row;

		if (!telemetry_in_part(part))
			continue;
		row = telemetry_member(context, ports, members[i].function, i);
		reply_text(row, "driver", members[i].driver);
		reply_number(row, "hwpt", (int)members[i].hwpt_id);
		reply_number(row, "can_pause", members[i].can_pause);
		reply_number(row, "can_stop", members[i].can_stop);
		add_counts(&members[i].counts, row);
	}
}

int telemetry_list(
	struct shunt_context *context, const struct words *words, struct telemetry_reply reply)
{
	struct shunt_platform_info info = { 0 };
	struct context_group *entry;
	struct telemetry_reply groups;
	struct part part;
	int ret;

	ret = telemetry_part(words, LIST_PART, &part);
	if (ret)
		return ret;
	context->platform->ops->info(context->platform, NULL, &info);
	reply_text(reply, "platform", context->platform->name);
	reply_text(reply, "kernel", info.kernel);
	reply_text(reply, "iommu", info.iommu);
	reply_text(reply, "nic", info.nic);
	reply_number(reply, "emulated", info.emulated);
	reply_text(reply, "fault_observers", info.fault_observers);
	reply_text(reply, "dpdk", rte_version());
	groups = reply_object(reply, "groups");
	TAILQ_FOREACH (entry, &context->groups, next) {
		struct telemetry_reply row =
			reply_nth(groups, (unsigned int)shunt_group_number(entry->group));

		reply_text(row, "space", space_of(entry->group));
		add_members(context, entry->group, &part, row);
	}
	return 0;
}

int telemetry_group(
	struct shunt_context *context, const struct words *words, struct telemetry_reply reply)
{
	struct part whole = { .room = SHUNT_GROUP_MAX_MEMBERS };
	char why[SHUNT_PLAN_TEXT] = "";
	struct context_group *entry;
	struct shunt_space *space;
	enum shunt_plan plan;
	int ret;

	ret = telemetry_find_group(context, words->text[0], &entry);
	if (ret)
		return ret;
	shunt_context_observe_faults(context, entry);
	space = shunt_group_space(entry->group);
	reply_number(reply, "group", shunt_group_number(entry->group));
	reply_text(reply, "space", space_of(entry->group));
	reply_count(reply, "members", shunt_group_members(entry->group));
	if (space) {
		ret = shunt_group_choose(entry->group, space, &plan, why);
		reply_text(reply, "auto", ret ? "refused" : shunt_plan_name(plan));
		reply_text(reply, "auto_why", ret ? shunt_errmsg() : why);
	}
	add_members(context, entry->group, &whole, reply);
	return 0;
}
