/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "members.h"

/* Begins a result: which members there are, and where they are attached. */
static void describe(const struct shunt_group *group, struct shunt_switch_result *result)
{
	*result = (struct shunt_switch_result){
		.plan = result->plan,
		.asked = result->plan,
		.unpaused = result->unpaused,
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

static int refuse(const struct shunt_group *group, const struct shunt_space *to)
{
	if (!group->count)
		return shunt_fail(-ENODEV, "it has no member");
	if (group->to)
		return shunt_fail(-EBUSY,
			"its members are not on one page table since a failed roll-back: take "
			"them out and join them again");
	if (to == group->space)
		return shunt_fail(-EALREADY, "it uses that space already");
	return 0;
}

/* The group is a user of `to` already: it cannot be destroyed or unmapped meanwhile. */
static int preflight(struct shunt_group *group, struct shunt_space *to, uint32_t *hwpt_id,
	struct shunt_switch_result *result)
{
	int ret;

	if (result->asked == SHUNT_PLAN_RESTART && shunt_space_users(to) > 1)
		return shunt_fail(-EBUSY, "another group uses it: a restart would unmap it there");
	ret = shunt_space_covers(to, group->space);
	if (!ret)
		ret = shunt_space_hwpt(to, group->number, group->members[0].device, hwpt_id);
	if (ret)
		return ret;
	result->hwpt_kind = hwpt_kind_of(to, *hwpt_id);
	if (result->asked == SHUNT_PLAN_AUTO)
		ret = policy_choose(
			group, result->hwpt_kind, result->unpaused, &result->plan, result->why);
	if (!ret)
		ret = ports_able(group, result->plan);
	return ret ? ret : policy_unpaused(group, result);
}

/* Attaches a member, or replaces where it is attached; with 0 detaches it. */
static int move(struct shunt_switch_member *row, struct member *member, uint32_t hwpt_id)
{
	uint64_t start = shunt_clock_now();
	int ret = hwpt_id ? shunt_vfio_attach(member->device, hwpt_id, NULL)
			  : shunt_vfio_detach(member->device);

	row->ioctl_end = shunt_clock_now();
	row->ioctl_time += row->ioctl_end - start;
	if (!row->ioctl_start)
		row->ioctl_start = start;
	if (!ret)
		member->hwpt_id = hwpt_id;
	return ret;
}

/*
 * The first replace moves the translation of the whole group. The others change nothing in the
 * IOMMU, but the kernel records the hwpt of each device. The group stays translated while one
 * member is attached: the last detach blocks DMA.
 */
static int move_all(struct shunt_group *group, uint32_t hwpt_id, struct shunt_switch_result *result)
{
	int ret = 0;

	for (unsigned int i = 0; i < group->count && !ret; i++)
		ret = move(&result->members[i], &group->members[i], hwpt_id);
	return ret;
}

static int move_by_plan(
	struct shunt_group *group, uint32_t hwpt_id, struct shunt_switch_result *result)
{
	int ret = 0;

	if (result->plan == SHUNT_PLAN_DETACH_ATTACH || result->plan == SHUNT_PLAN_RESTART)
		ret = move_all(group, 0, result);
	if (!ret && result->plan == SHUNT_PLAN_RESTART)
		ret = shunt_space_remap(group->to);
	return ret ? ret : move_all(group, hwpt_id, result);
}

static int move_back(struct shunt_group *group, struct shunt_switch_result *result, bool attached)
{
	int ret = 0, err;

	for (unsigned int i = group->count; i-- > 0;) {
		struct member *member = &group->members[i];

		if (member->hwpt_id == group->hwpt_id || (member->hwpt_id != 0) != attached)
			continue;
		err = move(&result->members[i], member, group->hwpt_id);
		ret = ret ? ret : err;
	}
	return ret;
}

/*
 * Members that moved are replaced back, in reverse order. Then detached members are attached: the
 * kernel accepts only the hwpt that the group has, so this comes second.
 */
static int roll_back(struct shunt_group *group, struct shunt_switch_result *result)
{
	int replaced = move_back(group, result, true);
	int attached = move_back(group, result, false);

	return replaced ? replaced : attached;
}

/* After a failed roll-back: says where each member is, and what to do. */
static int say_state(const struct shunt_group *group, int ret, const char *why)
{
	char state[600];
	size_t used = 0;

	state[0] = '\0';
	for (unsigned int i = 0; i < group->count && used < sizeof(state); i++) {
		const struct member *member = &group->members[i];

		used += (size_t)snprintf(state + used, sizeof(state) - used,
			member->hwpt_id ? " %s on hwpt %u,"
					: " %s detached (its port stays paused or stopped),",
			member->device->function, member->hwpt_id);
	}
	return shunt_fail_while(ret,
		"%s; rolling back failed too, leaving%s hwpt %u wanted; take every member out and "
		"join them again",
		why, state, group->hwpt_id);
}

/* After a refused attach: names the mapping that lies outside what the IOMMU allows. */
static void say_unfit(const struct shunt_group *group, char *why, size_t size)
{
	struct shunt_iommufd *iommufd = group->members[0].device->iommufd;
	struct shunt_iova_range *ranges;
	size_t used = strlen(why);
	uint64_t alignment;
	uint32_t count;

	if (shunt_ioas_iova_ranges(
		    iommufd, shunt_space_ioas(group->space), &ranges, &count, &alignment))
		return;
	if (shunt_space_fits(group->to, ranges, count))
		snprintf(why + used, size - used, ": %s", shunt_errmsg());
	free(ranges);
}

/*
 * Moves every member from group->space to group->to, and exchanges the two. SHUNT_PLAN_RESTART maps
 * `to` anew while no member is attached.
 *
 * On failure every member goes back to its old hwpt: result->rolled_back. If that fails too,
 * group->to stays set, and the text says where each member is.
 */
static int move_members(
	struct shunt_group *group, uint32_t hwpt_id, struct shunt_switch_result *result)
{
	struct shunt_space *from = group->space;
	char why[600];
	int ret;

	ret = move_by_plan(group, hwpt_id, result);
	if (!ret) {
		group->space = group->to;
		group->to = from;
		group->hwpt_id = hwpt_id;
		return 0;
	}
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (roll_back(group, result))
		return say_state(group, ret, why);
	if (ret == -EADDRINUSE)
		say_unfit(group, why, sizeof(why));
	result->rolled_back = true;
	return shunt_fail(ret, "%s; every member is back on hwpt %u", why, group->hwpt_id);
}

/* Leaves the space that no member uses now. After a failed roll-back the group keeps both. */
static void leave_other(struct shunt_group *group, const struct shunt_space *to, bool rolled_back)
{
	if (!rolled_back && group->space != to)
		return;
	shunt_space_leave(group->to, group->number);
	group->to = NULL;
}

/* Ports resume and are recovered even if the move, or another port, failed. */
static int switch_held(struct shunt_group *group, struct shunt_space *to, uint32_t hwpt_id,
	struct shunt_switch_result *result)
{
	struct failure failure = { 0 };
	int moved = 0;

	result->start = shunt_clock_now();
	failure_note(&failure, ports_halt(group, result));
	if (failure.ret)
		result->rolled_back = true; /* nothing has moved */
	else
		moved = move_members(group, hwpt_id, result);
	failure_note(&failure, moved);
	failure_note(&failure, ports_go_on(group, result));
	result->moved = shunt_clock_now();
	leave_other(group, to, result->rolled_back);
	failure_note(&failure, ports_recover(group, result));
	result->end = shunt_clock_now();
	result->error = failure.ret;
	result->recovered = failure.ret && !moved && ports_run(result);
	return failure_report(&failure);
}

static int switch_locked(
	struct shunt_group *group, struct shunt_space *to, struct shunt_switch_result *result)
{
	uint32_t hwpt_id;
	int ret;

	ret = refuse(group, to);
	if (!ret)
		ret = shunt_space_use(to, group->number);
	if (ret)
		return ret;
	group->to = to;
	ret = preflight(group, to, &hwpt_id, result);
	if (ret) {
		leave_other(group, to, true);
		return ret;
	}
	result->to_hwpt = hwpt_id;
	ports_take_late_faults(group, result);
	ports_hold(group);
	ret = switch_held(group, to, hwpt_id, result);
	for (unsigned int i = 0; i < group->count; i++)
		result->members[i].hwpt_id = group->members[i].hwpt_id;
	ports_tell(group, result);
	ports_release(group);
	policy_learn(group, result);
	if (ret)
		group->history.failed++;
	else
		group->history.switches++;
	group->history.last = *result;
	return ret;
}

int shunt_group_switch_unpaused(struct shunt_group *group, struct shunt_space *to,
	enum shunt_plan plan, enum shunt_unpaused unpaused, struct shunt_switch_result *result)
{
	SHUNT_HOLD(&group->lock);
	int ret;

	result->plan = plan;
	result->unpaused = unpaused;
	describe(group, result);
	ret = switch_locked(group, to, result);
	if (ret)
		return shunt_fail_while(ret, "group %d: %s to space '%s'", group->number,
			shunt_plan_name(result->plan), shunt_space_name(to));
	return 0;
}

int shunt_group_switch(struct shunt_group *group, struct shunt_space *to, enum shunt_plan plan,
	struct shunt_switch_result *result)
{
	return shunt_group_switch_unpaused(group, to, plan, SHUNT_UNPAUSED_REFUSE, result);
}

void shunt_group_history(struct shunt_group *group, struct shunt_group_history *history)
{
	SHUNT_HOLD(&group->lock);

	*history = group->history;
}

static int check_locked(struct shunt_group *group, struct shunt_switch_result *result)
{
	struct failure failure = { 0 };
	unsigned int recovered;

	describe(group, result);
	ports_hold(group);
	result->start = result->moved = shunt_clock_now();
	recovered = ports_check(group, result, &failure);
	result->end = shunt_clock_now();
	result->recovered = failure.ret && ports_run(result);
	ports_release(group);
	return failure.ret ? failure_report(&failure) : (int)recovered;
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
