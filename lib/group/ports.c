/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>

#include "members.h"
#include "shunt_clock.h"
#include "shunt_error.h"

void ports_hold(struct shunt_group *group)
{
	for (unsigned int i = 0; i < group->count; i++)
		if (group->members[i].ops->hold)
			group->members[i].ops->hold(group->members[i].port);
}

void ports_release(struct shunt_group *group)
{
	for (unsigned int i = group->count; i-- > 0;)
		if (group->members[i].ops->release)
			group->members[i].ops->release(group->members[i].port);
}

static int64_t ask_observer(struct shunt_group *group, const struct member *member)
{
	if (!group->observer)
		return -ENOTSUP;
	return group->observer(group->observer_context, member->device->function);
}

void ports_take_late_faults(struct shunt_group *group, struct shunt_switch_result *result)
{
	for (unsigned int i = 0; i < group->count; i++)
		result->members[i].faults_late = ask_observer(group, &group->members[i]);
}

/*
 * Runs the port again. A failed call may have left it half mended, so there is a second attempt;
 * what failed in the first is reported even if that one works.
 */
static int recover(
	const struct member *member, enum shunt_doubt doubt, struct shunt_recovery *recovery)
{
	char why[600];
	int ret;

	ret = member->ops->recover(member->port, doubt, recovery);
	if (!ret)
		return 0;
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (member->ops->recover(member->port, SHUNT_DOUBT_FAULT, recovery))
		return shunt_fail_while(ret, "%s; and in a second attempt", why);
	return shunt_fail(ret, "%s; it runs after a second attempt", why);
}

/* Every queue that ran before a pause runs after it, or the port says so when it resumes. */
static enum shunt_doubt doubt(const struct shunt_switch_member *row)
{
	if (row->faults || row->faults_late > 0)
		return SHUNT_DOUBT_FAULT;
	return row->halt == SHUNT_HALT_PAUSE ? SHUNT_DOUBT_NONE : SHUNT_DOUBT_SOME;
}

int ports_recover(struct shunt_group *group, struct shunt_switch_result *result)
{
	struct failure failure = { 0 };

	for (unsigned int i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		struct shunt_switch_member *row = &result->members[i];

		row->faults = ask_observer(group, member);
		if (member->ops->recover && member->hwpt_id)
			failure_note(&failure, recover(member, doubt(row), &row->recovery));
	}
	return failure_report(&failure);
}

static void count(struct shunt_member_counts *counts, const struct shunt_switch_result *result,
	const struct shunt_switch_member *row)
{
	if (result->rolled_back || row->hwpt_id != result->to_hwpt)
		counts->failed++;
	else
		counts->switches++;
	if (row->faults > 0)
		counts->faults += (uint64_t)row->faults;
	else
		counts->unknown += row->faults < 0;
	counts->recoveries += shunt_recovery_mended(&row->recovery);
	counts->halted_last = row->pause_start ? row->pause_end - row->pause_start : 0;
	if (counts->halted_last > counts->halted_max)
		counts->halted_max = counts->halted_last;
}

void ports_tell(struct shunt_group *group, const struct shunt_switch_result *result)
{
	for (unsigned int i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];

		count(&member->counts, result, &result->members[i]);
		if (member->ops->switched)
			member->ops->switched(member->port, result, &result->members[i]);
	}
}

static int check_locked(struct shunt_group *group, struct shunt_switch_result *result)
{
	struct failure failure = { 0 };
	int mended = 0;

	group_describe(group, result);
	ports_hold(group);
	result->start = result->moved = shunt_clock_now();
	for (unsigned int i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		struct shunt_recovery *recovery = &result->members[i].recovery;

		if (member->ops->recover && member->hwpt_id)
			failure_note(&failure, recover(member, SHUNT_DOUBT_SOME, recovery));
		mended += shunt_recovery_mended(recovery);
		member->counts.recoveries += shunt_recovery_mended(recovery);
	}
	result->end = shunt_clock_now();
	ports_release(group);
	return failure.ret ? failure_report(&failure) : mended;
}

int shunt_group_check(struct shunt_group *group, struct shunt_switch_result *result)
{
	int ret;

	if (pthread_mutex_trylock(&group->lock))
		return shunt_fail(-EBUSY, "group %d is being switched or changed", group->number);
	ret = check_locked(group, result);
	pthread_mutex_unlock(&group->lock);
	return ret < 0 ? shunt_fail_while(ret, "group %d", group->number) : ret;
}
