/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "spaces.h"

/* In place of a group: it had a hwpt that the kernel did not destroy. */
#define NO_GROUP (-1)

int shunt_spaces_create(struct shunt_iommufd *iommufd, struct shunt_spaces **spaces)
{
	struct shunt_spaces *made = calloc(1, sizeof(*made));

	if (!made)
		return shunt_fail(-ENOMEM, "address spaces: out of memory");
	made->iommufd = iommufd;
	shunt_iommufd_get(iommufd);
	TAILQ_INIT(&made->list);
	TAILQ_INIT(&made->own);
	bit_set(made->slots, SHARED);
	pthread_mutex_init(&made->lock, NULL);
	*spaces = made;
	return 0;
}

unsigned int space_groups(const struct shunt_space *space)
{
	unsigned int groups = 0;

	for (size_t i = 0; i < space->user_count; i++)
		groups += space->users[i].uses != 0;
	return groups;
}

/* @return 0; -EBUSY, naming the users */
static int check_unused(const struct shunt_space *space)
{
	char names[200] = "";
	size_t used = 0;

	for (size_t i = 0; i < space->user_count && used < sizeof(names); i++)
		if (space->users[i].uses)
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%sgroup %d",
				used ? ", " : "", space->users[i].group);
	if (!used && !space->application)
		return 0;
	return shunt_fail(-EBUSY, "in use by %s%s", names,
		!space->application ? ""
		: used              ? " and the application"
				    : "the application");
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

int shunt_space_use(struct shunt_space *space, int group)
{
	struct space_user *user;

	SHUNT_HOLD(&space->all->lock);
	user = user_of(space, group);
	if (!user)
		return shunt_fail(-ENOMEM, "space '%s': out of memory", space->name);
	user->uses++;
	return 0;
}

void shunt_space_leave(struct shunt_space *space, int group)
{
	SHUNT_HOLD(&space->all->lock);
	user_of(space, group)->uses--;
}

unsigned int shunt_space_users(struct shunt_space *space)
{
	SHUNT_HOLD(&space->all->lock);
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

	SHUNT_HOLD(&space->all->lock);
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

/* An object that the space has; 0: none. */
static int destroy_id(const struct shunt_space *space, uint32_t *id)
{
	int ret = *id ? shunt_iommufd_destroy_id(space->all->iommufd, *id) : 0;

	if (!ret)
		*id = 0;
	return ret;
}

static int destroy_ids(struct shunt_space *space)
{
	int ret = 0;

	for (size_t i = 0; i < space->user_count && !ret; i++)
		ret = destroy_id(space, &space->users[i].hwpt_id);
	return ret ? ret : destroy_id(space, &space->ioas_id);
}

/* What the kernel keeps, because a device did not detach, is destroyed with the space. */
void shunt_space_forget(struct shunt_space *space, int group)
{
	struct shunt_space *each;

	SHUNT_HOLD(&space->all->lock);
	TAILQ_FOREACH (each, &space->all->list, next)
		for (size_t i = 0; i < each->user_count; i++) {
			struct space_user *user = &each->users[i];

			if (user->group == group && !user->uses && destroy_id(each, &user->hwpt_id))
				user->group = NO_GROUP;
		}
}

/* Also if the kernel does not destroy its objects: they go with the iommufd. */
static void space_free(struct shunt_space *space)
{
	destroy_ids(space);
	mapping_forget(space);
	bit_clear(space->all->slots, space->slot);
	TAILQ_REMOVE(&space->all->list, space, next);
	free(space->users);
	free(space);
}

/* Nothing is attached any more, so the kernel refuses none of it. */
int shunt_spaces_destroy(struct shunt_spaces *spaces)
{
	struct shunt_space *space, *next;
	struct mapping *mapping;
	int ret;

	if (!spaces)
		return 0;
	TAILQ_FOREACH (space, &spaces->list, next) {
		ret = check_unused(space);
		if (ret)
			return shunt_fail_while(ret, "space '%s'", space->name);
	}
	for (space = TAILQ_FIRST(&spaces->list); space; space = next) {
		next = TAILQ_NEXT(space, next);
		space_free(space);
	}
	while ((mapping = mapping_next_wanted(spaces, NULL, SHARED)) != NULL)
		mapping_unwant(spaces, mapping, SHARED);
	shunt_iommufd_put(spaces->iommufd);
	pthread_mutex_destroy(&spaces->lock);
	free(spaces);
	return 0;
}

static struct shunt_space *find(const struct shunt_spaces *spaces, const char *name)
{
	struct shunt_space *space;

	TAILQ_FOREACH (space, &spaces->list, next)
		if (strcmp(space->name, name) == 0)
			break;
	return space;
}

struct shunt_space *shunt_space_find(struct shunt_spaces *spaces, const char *name)
{
	SHUNT_HOLD(&spaces->lock);
	return find(spaces, name);
}

struct shunt_space *shunt_space_get(struct shunt_spaces *spaces, const char *name)
{
	struct shunt_space *space;

	SHUNT_HOLD(&spaces->lock);
	space = find(spaces, name);
	if (space)
		space->application++;
	return space;
}

void shunt_space_put(struct shunt_space *space)
{
	if (!space)
		return;
	SHUNT_HOLD(&space->all->lock);
	space->application--;
}

struct shunt_space *shunt_space_next(struct shunt_spaces *spaces, const struct shunt_space *after)
{
	SHUNT_HOLD(&spaces->lock);
	return after ? TAILQ_NEXT(after, next) : TAILQ_FIRST(&spaces->list);
}

const char *shunt_space_name(const struct shunt_space *space)
{
	return space->name;
}

uint32_t shunt_space_ioas(const struct shunt_space *space)
{
	return space->ioas_id;
}

static int create(struct shunt_spaces *spaces, const char *name, unsigned int from,
	struct shunt_space **space)
{
	struct shunt_space *made;
	int ret, slot;

	if (!*name || strlen(name) >= SHUNT_SPACE_NAME)
		return shunt_fail(-EINVAL, "a name has 1 to %d characters", SHUNT_SPACE_NAME - 1);
	if (find(spaces, name))
		return shunt_fail(-EEXIST, "there is a space of that name");
	bit_ffc(spaces->slots, SLOTS, &slot);
	if (slot < 0)
		return shunt_fail(
			-ENOSPC, "there are %d spaces already: destroy one", SHUNT_SPACES_MAX);
	made = calloc(1, sizeof(*made));
	if (!made)
		return shunt_fail(-ENOMEM, "out of memory");
	made->all = spaces;
	made->slot = (unsigned int)slot;
	bit_set(spaces->slots, slot);
	snprintf(made->name, sizeof(made->name), "%s", name);
	TAILQ_INSERT_TAIL(&spaces->list, made, next);
	ret = shunt_ioas_alloc(spaces->iommufd, &made->ioas_id);
	if (!ret)
		ret = mapping_copy_all(made, from);
	if (ret)
		space_free(made);
	else
		*space = made;
	return ret;
}

int shunt_space_create(struct shunt_spaces *spaces, const char *name, struct shunt_space **space)
{
	int ret;

	SHUNT_HOLD(&spaces->lock);
	ret = create(spaces, name, SHARED, space);
	return ret ? shunt_fail_while(ret, "space '%s'", name) : 0;
}

int shunt_space_copy(struct shunt_space *from, const char *name, struct shunt_space **space)
{
	int ret;

	SHUNT_HOLD(&from->all->lock);
	ret = create(from->all, name, from->slot, space);
	return ret ? shunt_fail_while(ret, "space '%s', a copy of '%s'", name, from->name) : 0;
}

int shunt_space_destroy(struct shunt_space *space)
{
	struct shunt_spaces *spaces = space->all;
	int ret;

	SHUNT_HOLD(&spaces->lock);
	ret = check_unused(space);
	if (!ret && space == TAILQ_FIRST(&spaces->list) && !TAILQ_NEXT(space, next) &&
		spaces->shared)
		ret = shunt_fail(-EBUSY,
			"it is the last one, and has shared mappings (%zu): unmap them first",
			spaces->shared);
	if (!ret)
		ret = destroy_ids(space);
	if (ret)
		return shunt_fail_while(ret, "space '%s'", space->name);
	space_free(space);
	return 0;
}

uint64_t shunt_space_mapped(struct shunt_space *space)
{
	SHUNT_HOLD(&space->all->lock);
	return space->mapped;
}

/* The first mapping that a space lacks; NULL: it has all. */
static const struct mapping *lost(struct shunt_space *space)
{
	const struct mapping *mapping = NULL;

	if (!space->doubtful)
		return NULL;
	do
		mapping = mapping_next_wanted(space->all, mapping, space->slot);
	while (mapping && bit_test(mapping->in, space->slot));
	space->doubtful = mapping;
	return mapping;
}

int shunt_space_covers(struct shunt_space *to, struct shunt_space *from)
{
	const struct mapping *mapping;

	if (to->all != from->all)
		return shunt_fail(-EINVAL,
			"space '%s' is of the iommufd of descriptor %d, space '%s' of that of "
			"descriptor %d: ids of one mean nothing to the other",
			to->name, to->all->iommufd->fd, from->name, from->all->iommufd->fd);
	SHUNT_HOLD(&from->all->lock);
	mapping = lost(to);
	if (mapping)
		return shunt_fail(-EIO,
			"space '%s' lost its mapping of IOVA 0x%" PRIx64
			" in a restart: destroy it and create it again",
			to->name, mapping->about.iova);
	TAILQ_FOREACH (mapping, &from->all->own, next) {
		uint64_t covered = mapping_covered(to, &mapping->about);

		if (bit_test(mapping->in, from->slot) && covered < mapping->about.length)
			return shunt_fail(-ENOENT,
				"space '%s' lacks IOVA 0x%" PRIx64 " to 0x%" PRIx64
				", which is in use in space '%s': map it there first",
				to->name, mapping->about.iova + covered, mapping->range.last,
				from->name);
	}
	return 0;
}

int shunt_space_fits(
	struct shunt_space *space, const struct shunt_iova_range *ranges, uint32_t count)
{
	const struct mapping *mapping = NULL;
	int ret = 0;

	SHUNT_HOLD(&space->all->lock);
	while (!ret && (mapping = shunt_ranges_next(&space->all->table, mapping, 0, UINT64_MAX)))
		if (bit_test(mapping->in, space->slot))
			ret = ranges_allow(ranges, count, &mapping->about);
	return ret ? shunt_fail_while(-EADDRINUSE, "space '%s'", space->name) : 0;
}
