/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "members.h"
#include "shunt_error.h"

enum shunt_hwpt_kind choose_kind(const struct shunt_space *space, uint32_t hwpt_id)
{
	return hwpt_id == shunt_space_ioas(space) ? SHUNT_HWPT_AUTOMATIC : SHUNT_HWPT_EXPLICIT;
}

enum shunt_outcome shunt_switch_outcome(const struct shunt_switch_result *result)
{
	enum shunt_outcome outcome = SHUNT_OUTCOME_CLEAN;

	for (unsigned int i = 0; i < result->member_count; i++) {
		const struct shunt_switch_member *member = &result->members[i];

		if (member->faults > 0)
			return SHUNT_OUTCOME_FAULTED;
		if (member->faults < 0)
			outcome = SHUNT_OUTCOME_UNKNOWN;
		else if (shunt_recovery_mended(&member->recovery) && outcome == SHUNT_OUTCOME_CLEAN)
			outcome = SHUNT_OUTCOME_MENDED;
	}
	return outcome;
}

bool shunt_switch_late_faults(const struct shunt_switch_result *result)
{
	for (unsigned int i = 0; i < result->member_count; i++)
		if (result->members[i].faults_late > 0)
			return true;
	return false;
}

/* What a replace says for the plan counts only under traffic, of which the group knows nothing. */
void choose_learn(struct shunt_group *group, const struct shunt_switch_result *result)
{
	const struct shunt_switch_result *before = &group->history.last;
	struct shunt_evidence_seen *seen = &group->evidence.seen[before->hwpt_kind];
	enum shunt_outcome outcome = shunt_switch_outcome(result);

	if (shunt_switch_late_faults(result) && before->member_count &&
		before->plan == SHUNT_PLAN_REPLACE &&
		shunt_switch_outcome(before) != SHUNT_OUTCOME_FAULTED) {
		seen->switches++;
		seen->faulted++;
	}
	seen = &group->evidence.seen[result->hwpt_kind];
	if (result->plan != SHUNT_PLAN_REPLACE || outcome < SHUNT_OUTCOME_UNKNOWN)
		return;
	seen->switches++;
	seen->faulted += outcome == SHUNT_OUTCOME_FAULTED;
	seen->unknown += outcome == SHUNT_OUTCOME_UNKNOWN;
}

int choose_plan(const struct shunt_group *group, enum shunt_hwpt_kind kind, enum shunt_live live,
	enum shunt_plan *plan, char why[SHUNT_PLAN_TEXT])
{
	char known[SHUNT_EVIDENCE_TEXT], name[MEMBER_TEXT], reason[700];
	const bool hitless = shunt_evidence_hitless(&group->evidence.seen[kind]);

	shunt_evidence_say(&group->evidence, kind, known);
	snprintf(why, SHUNT_PLAN_TEXT, "%s", known);
	if (hitless && (live || !members_run_on(group))) {
		*plan = SHUNT_PLAN_REPLACE;
		return 0;
	}
	if (!members_without_pause(group)) {
		*plan = SHUNT_PLAN_QUIESCE;
		return 0;
	}
	if (ports_able(group, SHUNT_PLAN_STOP_REPLACE_START)) {
		snprintf(reason, sizeof(reason), "%s", shunt_errmsg());
		return shunt_fail(-EOPNOTSUPP, "%s (%s), and %s",
			hitless ? "replace is for ports that can pause their DMA"
				: "replace is not known to be hitless",
			known, reason);
	}
	snprintf(why, SHUNT_PLAN_TEXT, "%s cannot pause its DMA; %s",
		member_say(members_without_pause(group), name), known);
	*plan = SHUNT_PLAN_STOP_REPLACE_START;
	return 0;
}

static int choose_locked(struct shunt_group *group, struct shunt_space *to, enum shunt_plan *plan,
	char why[SHUNT_PLAN_TEXT])
{
	uint32_t hwpt_id;
	int ret;

	if (!group->count)
		return shunt_fail(-ENODEV, "it has no member");
	ret = shunt_space_hwpt(to, group->number, group->members[0].device, &hwpt_id);
	return ret ? ret : choose_plan(group, choose_kind(to, hwpt_id), SHUNT_LIVE_NO, plan, why);
}

int shunt_group_choose(struct shunt_group *group, struct shunt_space *to, enum shunt_plan *plan,
	char why[SHUNT_PLAN_TEXT])
{
	int ret;

	pthread_mutex_lock(&group->lock);
	ret = choose_locked(group, to, plan, why);
	pthread_mutex_unlock(&group->lock);
	return ret ? shunt_fail_while(ret, "group %d: auto", group->number) : 0;
}
