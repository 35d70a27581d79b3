/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <shunt/clock.h>

#include "shunt_dpdk.h"
#include "telemetry.h"

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

void telemetry_members(struct shunt_context *context, struct shunt_group *group, struct part *part,
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
