/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "shunt_dpdk.h"
#include "shunt_error.h"
#include "telemetry.h"

/* NULL after a switch that could not be rolled back. */
static const char *space_of(struct shunt_group *group)
{
	struct shunt_space *space = shunt_group_space(group);

	return space ? shunt_space_name(space) : "";
}

int telemetry_list(struct shunt_context *context, const struct words *words, struct answer answer)
{
	struct shunt_platform_info info = { 0 };
	struct context_group *entry;
	struct answer groups;

	context->platform->ops->info(context->platform, &info);
	answer_text(answer, "platform", context->platform->name);
	answer_text(answer, "kernel", info.kernel);
	answer_text(answer, "iommu", info.iommu);
	answer_text(answer, "nic", info.nic);
	answer_flag(answer, "emulated", info.emulated);
	answer_text(answer, "fault_observers", info.fault_observers);
	answer_text(answer, "dpdk", rte_version());
	groups = answer_object(answer, "groups");
	TAILQ_FOREACH (entry, &context->groups, next) {
		struct answer row =
			answer_nth(groups, (unsigned int)shunt_group_number(entry->group));

		answer_text(row, "space", space_of(entry->group));
		telemetry_members(context, entry->group, row);
	}
	return 0;
}

int telemetry_group(struct shunt_context *context, const struct words *words, struct answer answer)
{
	char why[SHUNT_PLAN_TEXT] = "";
	struct context_group *entry;
	struct shunt_space *space;
	enum shunt_plan plan;
	int ret;

	ret = telemetry_find_group(context, words->text[0], &entry);
	if (ret)
		return ret;
	shunt_context_observe(context, entry);
	space = shunt_group_space(entry->group);
	answer_number(answer, "group", shunt_group_number(entry->group));
	answer_text(answer, "space", space_of(entry->group));
	answer_count(answer, "members", shunt_group_members(entry->group));
	if (space) {
		ret = shunt_group_choose(entry->group, space, &plan, why);
		answer_text(answer, "auto", ret ? "refused" : shunt_plan_name(plan));
		answer_text(answer, "auto_why", ret ? shunt_errmsg() : why);
	}
	telemetry_members(context, entry->group, answer);
	return 0;
}
