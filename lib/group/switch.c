/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "members.h"
#include "shunt_clock.h"
#include "shunt_error.h"

static int preflight(struct shunt_group *group, struct shunt_space *to, uint32_t *hwpt_id)
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
	ret = shunt_space_covers(to, group->space);
	if (ret)
		return ret;
	return shunt_space_hwpt(to, group->number, group->members[0].device, hwpt_id);
}

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
 * The first call moves every member's translation. The others find nothing left to do in the
 * kernel, but their devices' records follow only with them.
 */
static int replace_all(
	struct shunt_group *group, uint32_t hwpt_id, struct shunt_switch_result *result)
{
	int ret = 0;

	for (unsigned int i = 0; i < group->count && !ret; i++)
		ret = attach(&result->members[i], &group->members[i], hwpt_id);
	return ret;
}

/* While one member is attached the group stays translated: it is blocked from the last detach on.
 */
static int detach_attach_all(
	struct shunt_group *group, uint32_t hwpt_id, struct shunt_switch_result *result)
{
	int ret = 0;

	for (unsigned int i = 0; i < group->count && !ret; i++)
		ret = detach(&result->members[i], &group->members[i]);
	for (unsigned int i = 0; i < group->count && !ret; i++)
		ret = attach(&result->members[i], &group->members[i], hwpt_id);
	return ret;
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

static int64_t ask_observer(struct shunt_group *group, const struct member *member)
{
	if (!group->observer)
		return -ENOTSUP;
	return group->observer(group->observer_context, member->device->function);
}

/*
 * Runs the port again. A failed call may have left it half mended, so there is a second attempt;
 * what failed in the first is reported even if that one works.
 */
static int recover(struct member *member, struct shunt_switch_member *row)
{
	char why[600];
	int ret;

	ret = member->ops->recover(member->port, row->faults != 0, &row->recovery);
	if (!ret)
		return 0;
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (member->ops->recover(member->port, true, &row->recovery))
		return shunt_fail_while(ret, "%s; and in a second attempt", why);
	return shunt_fail(ret, "%s; it runs after a second attempt", why);
}

/* Every port, whatever became of those before it; the first failure is the one reported. */
static int recover_all(struct shunt_group *group, struct shunt_switch_result *result)
{
	char why[800] = "";
	int ret = 0, err;

	for (unsigned int i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		struct shunt_switch_member *row = &result->members[i];

		row->faults = ask_observer(group, member);
		if (!member->ops || !member->hwpt_id)
			continue;
		err = recover(member, row);
		if (err && !ret) {
			ret = err;
			snprintf(why, sizeof(why), "%s", shunt_errmsg());
		}
	}
	return ret ? shunt_fail(ret, "%s", why) : 0;
}

static int move(struct shunt_group *group, struct shunt_space *to, uint32_t hwpt_id,
	enum shunt_plan plan, struct shunt_switch_result *result)
{
	char why[600];
	int ret;

	ret = plan == SHUNT_PLAN_REPLACE ? replace_all(group, hwpt_id, result)
					 : detach_attach_all(group, hwpt_id, result);
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

static int switch_locked(struct shunt_group *group, struct shunt_space *to, enum shunt_plan plan,
	struct shunt_switch_result *result)
{
	char why[600];
	uint32_t hwpt_id;
	int ret, err;

	ret = preflight(group, to, &hwpt_id);
	if (ret)
		return ret;
	result->from_hwpt = group->hwpt_id;
	result->to_hwpt = hwpt_id;
	/* Faults from before the switch are not the switch's. */
	for (unsigned int i = 0; i < group->count; i++)
		ask_observer(group, &group->members[i]);

	result->start = shunt_clock_now();
	ret = move(group, to, hwpt_id, plan, result);
	result->moved = shunt_clock_now();

	snprintf(why, sizeof(why), "%s", ret ? shunt_errmsg() : "");
	err = recover_all(group, result);
	result->end = shunt_clock_now();
	if (!ret)
		return err;
	return err ? shunt_fail_while(ret, "%s; and", why) : shunt_fail(ret, "%s", why);
}

int shunt_group_switch(struct shunt_group *group, struct shunt_space *to, enum shunt_plan plan,
	struct shunt_switch_result *result)
{
	int ret;

	*result = (struct shunt_switch_result){ .plan = plan };
	pthread_mutex_lock(&group->lock);
	result->member_count = group->count;
	for (unsigned int i = 0; i < group->count; i++)
		snprintf(result->members[i].function, sizeof(result->members[i].function), "%s",
			group->members[i].device->function);
	ret = switch_locked(group, to, plan, result);
	for (unsigned int i = 0; i < group->count; i++)
		result->members[i].hwpt_id = group->members[i].hwpt_id;
	pthread_mutex_unlock(&group->lock);
	if (ret)
		return shunt_fail_while(ret, "group %d: %s to space '%s'", group->number,
			shunt_plan_name(plan), shunt_space_name(to));
	return 0;
}
