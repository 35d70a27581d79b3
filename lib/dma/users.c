/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <shunt/error.h>

#include "spaces.h"

/* In place of a group: had a hwpt that the kernel did not destroy. */
#define NOBODY (-2)

unsigned int space_groups(const struct shunt_space *space)
{
	unsigned int groups = 0;

	for (size_t i = 0; i < space->user_count; i++)
		groups += space->users[i].uses != 0 && space->users[i].group != SPACE_APPLICATION;
	return groups;
}

int space_unused(const struct shunt_space *space)
{
	char who[200];
	size_t used = 0;

	for (size_t i = 0; i < space->user_count && used < sizeof(who); i++)
		if (space->users[i].uses)
			used += (size_t)snprintf(who + used, sizeof(who) - used,
				space->users[i].group == SPACE_APPLICATION ? "%sthe application"
									   : "%sgroup %d",
				used ? ", " : "", space->users[i].group);
	return used ? shunt_fail(-EBUSY, "in use by %s", who) : 0;
}

/* @return NULL: no memory */
static struct space_user *user_of(struct shunt_space *space, int group)
{
	struct space_user *users;

	for (size_t i = 0; i < space->user_count; i++)
		if (space->users[i].group == group)
			return &space->users[i];
	users = realloc(space->users, (space->user_count + 1) * sizeof(*users));
	if (!users)
		return NULL;
	space->users = users;
	users[space->user_count] = (struct space_user){ .group = group };
	return &users[space->user_count++];
}

int space_use(struct shunt_space *space, int group)
{
	struct space_user *user = user_of(space, group);

	if (!user)
		return shunt_fail(-ENOMEM, "space '%s': out of memory", space->name);
	user->uses++;
	return 0;
}

int shunt_space_use(struct shunt_space *space, int group)
{
	HOLD(space->all);
	return space_use(space, group);
}

void shunt_space_leave(struct shunt_space *space, int group)
{
	HOLD(space->all);
	user_of(space, group)->uses--;
}

void shunt_space_put(struct shunt_space *space)
{
	if (space)
		shunt_space_leave(space, SPACE_APPLICATION);
}

unsigned int shunt_space_users(struct shunt_space *space)
{
	HOLD(space->all);
	return space_groups(space);
}

int shunt_space_takes(const struct shunt_space *space, const struct shunt_vfio_device *device)
{
	const struct shunt_iommufd *of_space = space->all->iommufd;

	if (device->iommufd == of_space)
		return 0;
	return shunt_fail(-EINVAL,
		"%s is bound to the iommufd of descriptor %d, space '%s' is of that of descriptor "
		"%d: ids of one mean nothing to the other",
		device->function, device->iommufd->fd, space->name, of_space->fd);
}

int shunt_space_hwpt(
	struct shunt_space *space, int group, struct shunt_vfio_device *device, uint32_t *hwpt_id)
{
	struct space_user *user;
	int ret = shunt_space_takes(space, device);

	HOLD(space->all);
	user = user_of(space, group);
	if (!ret && !user)
		ret = shunt_fail(-ENOMEM, "out of memory");
	if (!ret && !user->hwpt_id)
		ret = shunt_hwpt_alloc(
			space->all->iommufd, device->id, space->ioas_id, &user->hwpt_id);
	/*
	 * Some IOMMU drivers (virtio-iommu's in Linux 6.12) know what a domain can translate only
	 * once a device is attached to it; until then it is nothing, and the mappings are in its
	 * way. There the kernel makes the hwpt inside each attach to the IOAS. If it really is too
	 * small, that attach fails with the same errno.
	 */
	if (ret && ret != -EADDRINUSE)
		return shunt_fail_while(ret, "hwpt of space '%s' for group %d", space->name, group);
	*hwpt_id = ret ? space->ioas_id : user->hwpt_id;
	return 0;
}

static int destroy_hwpt(struct shunt_space *space, struct space_user *user)
{
	int ret = user->hwpt_id ? shunt_iommufd_destroy_id(space->all->iommufd, user->hwpt_id) : 0;

	if (!ret)
		user->hwpt_id = 0;
	return ret;
}

int space_destroy_hwpts(struct shunt_space *space)
{
	int ret = 0;

	for (size_t i = 0; i < space->user_count && !ret; i++)
		ret = destroy_hwpt(space, &space->users[i]);
	return ret;
}

/* What the kernel keeps, because a device did not detach, goes with the space. */
static void forget(struct shunt_space *space, int group)
{
	for (size_t i = 0; i < space->user_count; i++) {
		struct space_user *user = &space->users[i];

		if (user->group != group || user->uses)
			continue;
		if (destroy_hwpt(space, user))
			user->group = NOBODY;
		else
			*user = space->users[--space->user_count];
		return;
	}
}

void shunt_space_forget(struct shunt_space *space, int group)
{
	HOLD(space->all);
	for (struct shunt_space *each = space->all->first; each; each = each->next)
		forget(each, group);
}
