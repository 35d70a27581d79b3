/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "members.h"

int shunt_group_create(int number, struct shunt_group **group)
{
	struct shunt_group *made = calloc(1, sizeof(*made));

	if (!made)
		return shunt_fail(-ENOMEM, "group %d: out of memory", number);
	made->number = number;
	pthread_mutex_init(&made->lock, NULL);
	*group = made;
	return 0;
}

int shunt_group_destroy(struct shunt_group *group)
{
	if (!group)
		return 0;
	if (shunt_group_members(group))
		return shunt_fail(-EBUSY, "group %d has members, %s first: take them out",
			group->number, group->members[0].device->function);
	pthread_mutex_destroy(&group->lock);
	free(group);
	return 0;
}

void shunt_group_observe(struct shunt_group *group, shunt_fault_observer observer, void *context)
{
	SHUNT_HOLD(&group->lock);

	group->observer = observer;
	group->observer_context = context;
}

bool shunt_group_observed(struct shunt_group *group)
{
	SHUNT_HOLD(&group->lock);

	return group->observer != NULL;
}

void shunt_group_evidence(struct shunt_group *group, const struct shunt_evidence *evidence)
{
	SHUNT_HOLD(&group->lock);

	group->evidence = *evidence;
}

/* A switch relies on both halves of a pair being there. */
static int refuse_ops(const struct shunt_port_ops *ops)
{
	if (!ops)
		return 0;
	if (ops->pause && !(ops->drain && ops->resume))
		return shunt_fail(-EINVAL, "its port can pause: drain and resume are missing");
	if (ops->stop && !ops->start)
		return shunt_fail(-EINVAL, "its port can stop: start is missing");
	return 0;
}

static int refuse_join(const struct shunt_group *group, const struct shunt_vfio_device *device)
{
	if (group->count && group->members[0].device->iommufd != device->iommufd)
		return shunt_fail(-EINVAL,
			"it is bound to another iommufd than the members: a group has one owner");
	if (group->to)
		return shunt_fail(-EBUSY,
			"its members are not on one page table since a failed roll-back: take "
			"them out first");
	for (unsigned int i = 0; i < group->count; i++)
		if (strcmp(group->members[i].device->function, device->function) == 0)
			return shunt_fail(-EBUSY, "it is a member already");
	if (group->count == SHUNT_GROUP_MAX_MEMBERS)
		return shunt_fail(-ENOSPC, "it has %d members already", SHUNT_GROUP_MAX_MEMBERS);
	return 0;
}

/* The kernel tells what the IOMMU allows only while no member is attached. */
static int say_unfit(const struct shunt_group *group, struct shunt_vfio_device *device,
	struct shunt_space *space)
{
	struct shunt_iova_range *ranges;
	char why[400];
	uint32_t count;

	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (!group->count && !shunt_vfio_allowed(device, &ranges, &count)) {
		if (shunt_space_fits(space, ranges, count))
			shunt_fail_while(-EADDRINUSE, "%s", why);
		else
			shunt_fail(-EADDRINUSE, "%s", why);
		free(ranges);
		return -EADDRINUSE;
	}
	return shunt_fail(-EADDRINUSE, "%s", why);
}

/* Counted as a user before the attach, so that no other group can restart the space meanwhile. */
static int attach(struct shunt_group *group, struct shunt_vfio_device *device,
	struct shunt_space *space, uint32_t *hwpt_id)
{
	int ret;

	ret = group->count ? 0 : shunt_space_use(space, group->number);
	if (ret)
		return ret;
	*hwpt_id = group->hwpt_id;
	if (!group->count)
		ret = shunt_space_hwpt(space, group->number, device, hwpt_id);
	if (!ret)
		ret = shunt_vfio_attach(device, *hwpt_id, NULL);
	if (ret == -EADDRINUSE)
		ret = say_unfit(group, device, space);
	if (ret && !group->count)
		shunt_space_leave(space, group->number);
	return ret;
}

static int join_locked(struct shunt_group *group, struct shunt_vfio_device *device,
	const char *driver, const struct shunt_port_ops *ops, void *port, struct shunt_space *space)
{
	struct member *member;
	uint32_t hwpt_id;
	int ret;

	ret = refuse_ops(ops);
	if (!ret)
		ret = refuse_join(group, device);
	if (!ret)
		ret = shunt_space_takes(space, device);
	if (ret)
		return ret;
	ret = attach(group, device, group->count ? group->space : space, &hwpt_id);
	if (ret)
		return ret;
	if (!group->count) {
		group->space = space;
		group->hwpt_id = hwpt_id;
	}
	member = &group->members[group->count++];
	*member = (struct member){
		.device = device,
		.ops = ops ? ops : &member_no_ops,
		.port = port,
		.hwpt_id = hwpt_id,
	};
	snprintf(member->driver, sizeof(member->driver), "%s", driver);
	device->used = true;
	device->group = group->number;
	return 0;
}

int shunt_group_join(struct shunt_group *group, struct shunt_vfio_device *device,
	const char *driver, const struct shunt_port_ops *ops, void *port, struct shunt_space *space)
{
	SHUNT_HOLD(&group->lock);
	int ret = join_locked(group, device, driver, ops, port, space);

	if (ret)
		return shunt_fail_while(
			ret, "%s joining group %d", device->function, group->number);
	return 0;
}

/* @return count: it is not a member */
static unsigned int find_member(
	const struct shunt_group *group, const struct shunt_vfio_device *device)
{
	unsigned int i;

	for (i = 0; i < group->count && group->members[i].device != device; i++)
		;
	return i;
}

static void leave_spaces(struct shunt_group *group)
{
	shunt_space_leave(group->space, group->number);
	if (group->to)
		shunt_space_leave(group->to, group->number);
	shunt_space_forget(group->space, group->number);
	group->space = group->to = NULL;
}

/* A failed detach is reported, and the member is out: closing the device detaches it anyway. */
int shunt_group_leave(struct shunt_group *group, struct shunt_vfio_device *device)
{
	SHUNT_HOLD(&group->lock);
	unsigned int i = find_member(group, device);
	int ret;

	if (i == group->count)
		return shunt_fail(-ENOENT, "%s leaving group %d: it is not a member",
			device->function, group->number);
	ret = shunt_vfio_detach(device);
	device->used = false;
	group->count--;
	memmove(group->members + i, group->members + i + 1,
		(group->count - i) * sizeof(group->members[0]));
	if (group->count == 0)
		leave_spaces(group);
	if (ret)
		return shunt_fail_while(
			ret, "%s leaving group %d", device->function, group->number);
	return 0;
}

int shunt_group_prepare(struct shunt_group *group, struct shunt_space *space)
{
	SHUNT_HOLD(&group->lock);
	uint32_t hwpt_id;

	if (!group->count)
		return shunt_fail(-ENODEV, "group %d has no member", group->number);
	return shunt_space_hwpt(space, group->number, group->members[0].device, &hwpt_id);
}

struct shunt_space *shunt_group_space(struct shunt_group *group)
{
	SHUNT_HOLD(&group->lock);

	return group->to ? NULL : group->space;
}

int shunt_group_number(const struct shunt_group *group)
{
	return group->number;
}

unsigned int shunt_group_members(struct shunt_group *group)
{
	SHUNT_HOLD(&group->lock);

	return group->count;
}

int shunt_group_driver(
	struct shunt_group *group, struct shunt_vfio_device *device, const char *driver)
{
	SHUNT_HOLD(&group->lock);
	unsigned int i = find_member(group, device);

	if (i == group->count)
		return shunt_fail(
			-ENOENT, "%s is not a member of group %d", device->function, group->number);
	snprintf(group->members[i].driver, sizeof(group->members[i].driver), "%s", driver);
	return 0;
}

unsigned int shunt_group_list(
	struct shunt_group *group, struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS])
{
	SHUNT_HOLD(&group->lock);

	for (unsigned int i = 0; i < group->count; i++) {
		const struct member *member = &group->members[i];
		struct shunt_member_info *info = &members[i];

		*info = (struct shunt_member_info){
			.hwpt_id = member->hwpt_id,
			.can_pause = member->ops->pause,
			.can_stop = member->ops->stop,
			.counts = member->counts,
		};
		memcpy(info->function, member->device->function, sizeof(info->function));
		memcpy(info->driver, member->driver, sizeof(info->driver));
	}
	return group->count;
}
