/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "shunt_clock.h"
#include "shunt_dpdk.h"
#include "telemetry.h"

struct answer telemetry_member(struct shunt_context *context, struct answer ports,
	const char *function, unsigned int index)
{
	const struct rte_eth_dev *dev = shunt_context_dev(context, function);
	char name[16];
	struct answer row;

	if (dev) {
		row = answer_nth(ports, dev->data->port_id);
		answer_text(row, "name", dev->data->name);
	} else {
		snprintf(name, sizeof(name), "member%u", index);
		row = answer_object(ports, name);
	}
	answer_text(row, "function", function);
	return row;
}

static void add_counts(const struct shunt_member_counts *counts, struct answer row)
{
	answer_count(row, "switches", counts->switches);
	answer_count(row, "failed_switches", counts->failed);
	answer_count(row, "faults", counts->faults);
	answer_count(row, "faults_unknown_switches", counts->unknown);
	answer_count(row, "recoveries", counts->recoveries);
	answer_count(row, "paused_last_ns", shunt_clock_to_ns(counts->halted_last));
	answer_count(row, "paused_max_ns", shunt_clock_to_ns(counts->halted_max));
}

void telemetry_members(
	struct shunt_context *context, struct shunt_group *group, struct answer answer)
{
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];
	unsigned int count = shunt_group_list(group, members);
	struct answer ports = answer_object(answer, "ports");

	for (unsigned int i = 0; i < count; i++) {
		struct answer row = telemetry_member(context, ports, members[i].function, i);

		answer_text(row, "driver", members[i].driver);
		answer_number(row, "hwpt", (int)members[i].hwpt_id);
		answer_flag(row, "can_pause", members[i].can_pause);
		answer_flag(row, "can_stop", members[i].can_stop);
		add_counts(&members[i].counts, row);
	}
}
