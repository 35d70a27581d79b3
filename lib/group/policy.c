/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>

#include "members.h"

static const char *const names[SHUNT_PLANS + 1] = {
	[SHUNT_PLAN_REPLACE] = "replace",
	[SHUNT_PLAN_QUIESCE] = "quiesce",
	[SHUNT_PLAN_STOP_REPLACE_START] = "stop-replace-start",
	[SHUNT_PLAN_DETACH_ATTACH] = "detach-attach",
	[SHUNT_PLAN_RESTART] = "restart",
	[SHUNT_PLAN_AUTO] = "auto",
};

int shunt_plan_parse(const char *name, enum shunt_plan *plan)
{
	for (unsigned int i = 0; i <= SHUNT_PLANS; i++) {
		if (strcmp(names[i], name) == 0) {
			*plan = (enum shunt_plan)i;
			return 0;
		}
	}
	return shunt_fail(-EINVAL,
		"unknown plan '%s': there are replace, quiesce, stop-replace-start, detach-attach, "
		"restart and auto",
		name);
}

const char *shunt_plan_name(enum shunt_plan plan)
{
	return names[plan];
}

enum shunt_hwpt_kind hwpt_kind_of(const struct shunt_space *space, uint32_t hwpt_id)
{
	return hwpt_id == shunt_space_ioas(space) ? SHUNT_HWPT_AUTOMATIC : SHUNT_HWPT_EXPLICIT;
}

enum shunt_outcome shunt_switch_outcome(const struct shunt_switch_result *result)
{
	enum shunt_outcome outcome = result->error ? SHUNT_OUTCOME_FAILED : SHUNT_OUTCOME_CLEAN;

	for (unsigned int i = 0; i < result->member_count; i++) {
		const struct shunt_switch_member *member = &result->members[i];

		if (member->faults > 0)
			return SHUNT_OUTCOME_FAULTED;
		if (member->faults < 0)
			outcome = SHUNT_OUTCOME_UNKNOWN;
		else if (shunt_recovery_any(&member->recovery) && outcome == SHUNT_OUTCOME_CLEAN)
			outcome = SHUNT_OUTCOME_RECOVERED;
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

/* Hitless switches count only under traffic, which the group does not see: it adds faults only. */
void policy_learn(struct shunt_group *group, const struct shunt_switch_result *result)
{
	const struct shunt_switch_result *before = &group->history.last;
	struct shunt_evidence_seen *seen =
		&group->evidence.seen[before->hwpt_kind][SHUNT_EVIDENCE_OTHER];
	enum shunt_outcome outcome = shunt_switch_outcome(result);

	if (shunt_switch_late_faults(result) && before->member_count &&
		before->plan == SHUNT_PLAN_REPLACE &&
		shunt_switch_outcome(before) != SHUNT_OUTCOME_FAULTED) {
		seen->switches++;
		seen->faulted++;
	}
	seen = &group->evidence.seen[result->hwpt_kind][SHUNT_EVIDENCE_OTHER];
	if (result->plan != SHUNT_PLAN_REPLACE || outcome < SHUNT_OUTCOME_UNKNOWN)
		return;
	seen->switches++;
	seen->faulted += outcome == SHUNT_OUTCOME_FAULTED;
	seen->unknown += outcome == SHUNT_OUTCOME_UNKNOWN;
}

/* The command that gathers the missing evidence; none where a fault was seen or its status unknown.
 */
static void add_command(
	const struct shunt_evidence *evidence, enum shunt_hwpt_kind kind, char why[SHUNT_PLAN_TEXT])
{
	const struct shunt_evidence_seen sum = shunt_evidence_sum(evidence, kind);
	const bool dense = shunt_evidence_hitless(&evidence->seen[kind][SHUNT_EVIDENCE_DENSE]);
	const bool cold = shunt_evidence_hitless(&evidence->seen[kind][SHUNT_EVIDENCE_COLD]);
	const size_t used = strlen(why);

	if (sum.faulted || sum.unknown)
		return;
	snprintf(why + used, SHUNT_PLAN_TEXT - used,
		"; 'shunt forward --plan replace%s' gathers what is missing%s",
		dense ? " --cold 10ms" : "", dense || cold ? "" : ", without and with --cold 10ms");
}

int policy_choose(const struct shunt_group *group, enum shunt_hwpt_kind kind,
	enum shunt_unpaused unpaused, enum shunt_plan *plan, char why[SHUNT_PLAN_TEXT])
{
	char known[SHUNT_EVIDENCE_TEXT], name[MEMBER_TEXT], reason[700];
	const bool hitless = shunt_evidence_allows(&group->evidence, kind);

	shunt_evidence_say(&group->evidence, kind, known);
	snprintf(why, SHUNT_PLAN_TEXT, "%s", known);
	if (hitless && (unpaused || !members_run_on(group))) {
		*plan = SHUNT_PLAN_REPLACE;
		return 0;
	}
	if (!members_without_pause(group)) {
		if (!hitless)
			add_command(&group->evidence, kind, why);
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

int shunt_group_choose(struct shunt_group *group, struct shunt_space *to, enum shunt_plan *plan,
	char why[SHUNT_PLAN_TEXT])
{
	SHUNT_HOLD(&group->lock);
	uint32_t hwpt_id;
	int ret;

	if (group->count)
		ret = shunt_space_hwpt(to, group->number, group->members[0].device, &hwpt_id);
	else
		ret = shunt_fail(-ENODEV, "it has no member");
	if (!ret)
		ret = policy_choose(
			group, hwpt_kind_of(to, hwpt_id), SHUNT_UNPAUSED_REFUSE, plan, why);
	return ret ? shunt_fail_while(ret, "group %d: auto", group->number) : 0;
}

/* Faults seen with the other kind of hwpt count too, unless this kind was seen to be hitless. */
static bool was_seen_to_block(const struct shunt_group *group,
	const struct shunt_switch_result *result, char known[SHUNT_EVIDENCE_TEXT])
{
	if (result->plan == SHUNT_PLAN_DETACH_ATTACH) {
		snprintf(known, SHUNT_EVIDENCE_TEXT,
			"from the last detach to the first attach DMA is refused on every IOMMU");
		return true;
	}
	if (shunt_evidence_allows(&group->evidence, result->hwpt_kind))
		return false;
	for (unsigned int kind = 0; kind < SHUNT_HWPT_KINDS; kind++) {
		if (!shunt_evidence_sum(&group->evidence, (enum shunt_hwpt_kind)kind).faulted)
			continue;
		shunt_evidence_say(&group->evidence, (enum shunt_hwpt_kind)kind, known);
		return true;
	}
	return false;
}

/* What to do with a port that cannot pause. */
static const char *remedy(const struct member *member)
{
	return member->ops->stop ? "use stop-replace-start" : "stop it first";
}

int policy_unpaused(const struct shunt_group *group, struct shunt_switch_result *result)
{
	const struct member *member = members_run_on(group);
	char name[MEMBER_TEXT], known[SHUNT_EVIDENCE_TEXT];
	bool blocks;

	if (!member ||
		(result->plan != SHUNT_PLAN_REPLACE && result->plan != SHUNT_PLAN_DETACH_ATTACH))
		return 0;
	member_say(member, name);
	if (result->unpaused == SHUNT_UNPAUSED_REFUSE)
		return shunt_fail(-EPERM,
			"%s cannot pause its DMA and would run on, which has to be asked for "
			"(live): %s",
			name, remedy(member));
	blocks = was_seen_to_block(group, result, known);
	if (blocks && result->unpaused != SHUNT_UNPAUSED_FORCE)
		return shunt_fail(-EPERM,
			"%s; %s cannot pause its DMA, and may receive nothing any more until it is "
			"stopped and started: %s, or force it",
			known, name, remedy(member));
	if (blocks) {
		snprintf(result->warning, sizeof(result->warning),
			"%s: %s may receive nothing any more until it is stopped and started",
			known, name);
		return 0;
	}
	if (shunt_evidence_allows(&group->evidence, result->hwpt_kind))
		return 0;
	shunt_evidence_say(&group->evidence, result->hwpt_kind, known);
	snprintf(result->warning, sizeof(result->warning),
		"%s: if DMA is refused, %s may receive nothing any more until it is stopped and "
		"started",
		known, name);
	return 0;
}
