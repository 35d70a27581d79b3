/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "members.h"
#include "shunt_clock.h"
#include "shunt_error.h"

static int preflight(struct shunt_group *group, struct shunt_space *to, uint32_t *hwpt_id,
	struct shunt_switch_result *result)
{
	int ret;

	if (!group->count)
		return shunt_fail(-ENODEV, "it has no member");
	if (!group->space)
		return shunt_fail(-EBUSY,
			"its members are not on one page table since a failed roll-back: take "
			"them out and join them again");
	if (to == group->space)
		return shunt_fail(-EALREADY, "it uses that space already");
	if (result->asked == SHUNT_PLAN_RESTART && shunt_space_users(to))
		return shunt_fail(-EBUSY, "another group uses it: a restart would unmap it there");
	ret = shunt_space_covers(to, group->space);
	if (!ret)
		ret = shunt_space_hwpt(to, group->number, group->members[0].device, hwpt_id);
	if (ret)
		return ret;
	result->hwpt_kind = choose_kind(to, *hwpt_id);
	if (result->asked == SHUNT_PLAN_AUTO)
		ret = choose_plan(
			group, result->hwpt_kind, result->live, &result->plan, result->why);
	if (!ret)
		ret = ports_able(group, result->plan);
	return ret ? ret : choose_live(group, result);
}

/* Ports go on and are looked after whatever became of the move, and of each other. */
static int switch_held(struct shunt_group *group, struct shunt_space *to, uint32_t hwpt_id,
	struct shunt_switch_result *result)
{
	struct failure failure = { 0 };

	ports_take_late_faults(group, result);
	shunt_space_use(to);
	result->start = shunt_clock_now();
	failure_note(&failure, ports_halt(group, result));
	if (failure.ret)
		result->rolled_back = true; /* nothing has moved */
	else
		failure_note(&failure, move_members(group, to, hwpt_id, result));
	failure_note(&failure, ports_go_on(group, result));
	result->moved = shunt_clock_now();
	if (group->space == to)
		group_use(group, to);
	shunt_space_leave(to);
	failure_note(&failure, ports_recover(group, result));
	result->end = shunt_clock_now();
	return failure_report(&failure);
}

static int switch_locked(
	struct shunt_group *group, struct shunt_space *to, struct shunt_switch_result *result)
{
	uint32_t hwpt_id;
	int ret;

	ret = preflight(group, to, &hwpt_id, result);
	if (ret)
		return ret;
	result->to_hwpt = hwpt_id;
	ports_hold(group);
	ret = switch_held(group, to, hwpt_id, result);
	for (unsigned int i = 0; i < group->count; i++)
		result->members[i].hwpt_id = group->members[i].hwpt_id;
	ports_tell(group, result);
	ports_release(group);
	choose_learn(group, result);
	if (ret)
		group->history.failed++;
	else
		group->history.switches++;
	group->history.last = *result;
	return ret;
}

void group_describe(const struct shunt_group *group, struct shunt_switch_result *result)
{
	*result = (struct shunt_switch_result){
		.plan = result->plan,
		.asked = result->plan,
		.live = result->live,
		.from_hwpt = group->hwpt_id,
		.to_hwpt = group->hwpt_id,
		.member_count = group->count,
	};
	for (unsigned int i = 0; i < group->count; i++) {
		memcpy(result->members[i].function, group->members[i].device->function,
			sizeof(result->members[i].function));
		memcpy(result->members[i].driver, group->members[i].driver,
			sizeof(result->members[i].driver));
		result->members[i].hwpt_id = group->members[i].hwpt_id;
	}
}

int shunt_group_switch_live(struct shunt_group *group, struct shunt_space *to, enum shunt_plan plan,
	enum shunt_live live, struct shunt_switch_result *result)
{
	int ret;

	result->plan = plan;
	result->live = live;
	pthread_mutex_lock(&group->lock);
	group_describe(group, result);
	ret = switch_locked(group, to, result);
	pthread_mutex_unlock(&group->lock);
	if (ret)
		return shunt_fail_while(ret, "group %d: %s to space '%s'", group->number,
			shunt_plan_name(result->plan), shunt_space_name(to));
	return 0;
}

int shunt_group_switch(struct shunt_group *group, struct shunt_space *to, enum shunt_plan plan,
	struct shunt_switch_result *result)
{
	return shunt_group_switch_live(group, to, plan, SHUNT_LIVE_NO, result);
}

void shunt_group_history(struct shunt_group *group, struct shunt_group_history *history)
{
	pthread_mutex_lock(&group->lock);
	*history = group->history;
	pthread_mutex_unlock(&group->lock);
}
