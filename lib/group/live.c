/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "members.h"
#include "shunt_error.h"

/* Faults with the other kind of hwpts count too, unless this kind was seen to be hitless. */
static bool was_seen_to_block(const struct shunt_group *group,
	const struct shunt_switch_result *result, char known[SHUNT_EVIDENCE_TEXT])
{
	if (result->plan == SHUNT_PLAN_DETACH_ATTACH) {
		snprintf(known, SHUNT_EVIDENCE_TEXT,
			"from the last detach to the first attach DMA is refused on every IOMMU");
		return true;
	}
	if (shunt_evidence_hitless(&group->evidence.seen[result->hwpt_kind]))
		return false;
	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++) {
		if (!group->evidence.seen[kind].faulted)
			continue;
		shunt_evidence_say(&group->evidence, (enum shunt_hwpt_kind)kind, known);
		return true;
	}
	return false;
}

/* What is left to do with a port that was not made for it. */
static const char *way_out(const struct member *member)
{
	return member->ops->stop ? "use stop-replace-start" : "stop it first";
}

int choose_live(const struct shunt_group *group, struct shunt_switch_result *result)
{
	const struct member *member = members_run_on(group);
	char name[MEMBER_TEXT], known[SHUNT_EVIDENCE_TEXT];
	bool blocks;

	if (!member ||
		(result->plan != SHUNT_PLAN_REPLACE && result->plan != SHUNT_PLAN_DETACH_ATTACH))
		return 0;
	member_say(member, name);
	if (result->live == SHUNT_LIVE_NO)
		return shunt_fail(-EPERM,
			"%s cannot pause its DMA and would run on, which has to be asked for "
			"(live): %s",
			name, way_out(member));
	blocks = was_seen_to_block(group, result, known);
	if (blocks && result->live != SHUNT_LIVE_FORCED)
		return shunt_fail(-EPERM,
			"%s; %s cannot pause its DMA, and may receive nothing any more until it is "
			"stopped and started: %s, or force it",
			known, name, way_out(member));
	if (blocks) {
		snprintf(result->warning, sizeof(result->warning),
			"%s: %s may receive nothing any more until it is stopped and started",
			known, name);
		return 0;
	}
	if (shunt_evidence_hitless(&group->evidence.seen[result->hwpt_kind]))
		return 0;
	shunt_evidence_say(&group->evidence, result->hwpt_kind, known);
	snprintf(result->warning, sizeof(result->warning),
		"%s: if DMA is refused, %s may receive nothing any more until it is stopped and "
		"started",
		known, name);
	return 0;
}
