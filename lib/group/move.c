/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "members.h"
#include "shunt_clock.h"
#include "shunt_error.h"

static void count_ioctl(struct shunt_switch_member *row, uint64_t start)
{
	uint64_t end = shunt_clock_now();

	if (!row->ioctl_start)
		row->ioctl_start = start;
	row->ioctl_end = end;
	row->ioctl_time += end - start;
}

static int attach(struct shunt_switch_member *row, struct member *member, uint32_t hwpt_id)
{
	uint64_t start = shunt_clock_now();
	int ret = shunt_vfio_attach(member->device, hwpt_id, NULL);

	count_ioctl(row, start);
	if (!ret)
		member->hwpt_id = hwpt_id;
	return ret;
}

static int detach(struct shunt_switch_member *row, struct member *member)
{
	uint64_t start = shunt_clock_now();
	int ret = shunt_vfio_detach(member->device);

	count_ioctl(row, start);
	if (!ret)
		member->hwpt_id = 0;
	return ret;
}

/*
 * Attached members are replaced: the first call moves every member's translation. The others find
 * nothing left to do in the kernel, but their devices' records follow only with them.
 */
static int attach_all(
	struct shunt_group *group, uint32_t hwpt_id, struct shunt_switch_result *result)
{
	int ret = 0;

	for (unsigned int i = 0; i < group->count && !ret; i++)
		ret = attach(&result->members[i], &group->members[i], hwpt_id);
	return ret;
}

/* While one member is attached the group stays translated: it is blocked from the last detach on.
 */
static int detach_all(struct shunt_group *group, struct shunt_switch_result *result)
{
	int ret = 0;

	for (unsigned int i = 0; i < group->count && !ret; i++)
		ret = detach(&result->members[i], &group->members[i]);
	return ret;
}

static int move_by_plan(struct shunt_group *group, struct shunt_space *to, uint32_t hwpt_id,
	struct shunt_switch_result *result)
{
	int ret = 0;

	if (result->plan == SHUNT_PLAN_DETACH_ATTACH || result->plan == SHUNT_PLAN_RESTART)
		ret = detach_all(group, result);
	if (!ret && result->plan == SHUNT_PLAN_RESTART)
		ret = shunt_space_remap(to);
	return ret ? ret : attach_all(group, hwpt_id, result);
}

/*
 * Members that moved go back by replace, the last one first; then those that are detached are
 * attached, which the kernel allows only to the hwpt that the group has by then.
 */
static int roll_back(struct shunt_group *group, struct shunt_switch_result *result)
{
	int ret = 0, err;

	for (unsigned int i = group->count; i-- > 0;) {
		if (group->members[i].hwpt_id == 0 || group->members[i].hwpt_id == group->hwpt_id)
			continue;
		err = attach(&result->members[i], &group->members[i], group->hwpt_id);
		ret = ret ? ret : err;
	}
	for (unsigned int i = group->count; i-- > 0;) {
		if (group->members[i].hwpt_id)
			continue;
		err = attach(&result->members[i], &group->members[i], group->hwpt_id);
		ret = ret ? ret : err;
	}
	return ret;
}

/* Called after a failed roll-back: who is where, and the way out. */
static int say_state(const struct shunt_group *group, int ret, const char *why)
{
	char state[600];
	size_t used = 0;

	state[0] = '\0';
	for (unsigned int i = 0; i < group->count && used < sizeof(state); i++) {
		const struct member *member = &group->members[i];

		used += (size_t)snprintf(state + used, sizeof(state) - used,
			member->hwpt_id ? " %s on hwpt %u," : " %s detached,",
			member->device->function, member->hwpt_id);
	}
	return shunt_fail_while(ret,
		"%s; rolling back failed too, leaving%s hwpt %u wanted; take every member out and "
		"join them again",
		why, state, group->hwpt_id);
}

int move_members(struct shunt_group *group, struct shunt_space *to, uint32_t hwpt_id,
	struct shunt_switch_result *result)
{
	char why[600];
	int ret;

	ret = move_by_plan(group, to, hwpt_id, result);
	if (!ret) {
		group->space = to;
		group->hwpt_id = hwpt_id;
		return 0;
	}
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (roll_back(group, result)) {
		group->space = NULL;
		return say_state(group, ret, why);
	}
	result->rolled_back = true;
	return shunt_fail(ret, "%s; every member is back on hwpt %u", why, group->hwpt_id);
}
