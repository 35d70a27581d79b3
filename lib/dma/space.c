/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "spaces.h"

int shunt_spaces_create(struct shunt_iommufd *iommufd, struct shunt_spaces **spaces)
{
	struct shunt_spaces *made = calloc(1, sizeof(*made));

	if (!made)
		return shunt_fail(-ENOMEM, "address spaces: out of memory");
	made->iommufd = iommufd;
	shunt_iommufd_get(iommufd);
	TAILQ_INIT(&made->own);
	pthread_mutex_init(&made->lock, NULL);
	*spaces = made;
	return 0;
}

static void space_free(struct shunt_space *space)
{
	free(space->users);
	free(space);
}

/* Nothing is attached any more, so the kernel refuses none of it. */
int shunt_spaces_destroy(struct shunt_spaces *spaces)
{
	struct shunt_space *space;
	struct range *top;
	int ret;

	for (space = spaces ? spaces->first : NULL; space; space = space->next) {
		ret = space_unused(space);
		if (ret)
			return shunt_fail_while(ret, "space '%s'", space->name);
	}
	if (!spaces)
		return 0;
	while ((space = spaces->first) != NULL) {
		space_destroy_hwpts(space);
		shunt_iommufd_destroy_id(spaces->iommufd, space->ioas_id);
		spaces->first = space->next;
		space_free(space);
	}
	while ((top = RB_ROOT(&spaces->table)) != NULL) {
		shunt_ranges_remove(&spaces->table, top);
		free(top); /* the mapping that begins with it */
	}
	shunt_iommufd_put(spaces->iommufd);
	pthread_mutex_destroy(&spaces->lock);
	free(spaces);
	return 0;
}

static struct shunt_space *find(const struct shunt_spaces *spaces, const char *name)
{
	struct shunt_space *space = spaces->first;

	while (space && strcmp(space->name, name) != 0)
		space = space->next;
	return space;
}

struct shunt_space *shunt_space_find(struct shunt_spaces *spaces, const char *name)
{
	HOLD(spaces);
	return find(spaces, name);
}

struct shunt_space *shunt_space_get(struct shunt_spaces *spaces, const char *name)
{
	struct shunt_space *space;

	HOLD(spaces);
	space = find(spaces, name);
	return space && !space_use(space, SPACE_APPLICATION) ? space : NULL;
}

struct shunt_space *shunt_space_next(struct shunt_spaces *spaces, const struct shunt_space *after)
{
	HOLD(spaces);
	return after ? after->next : spaces->first;
}

const char *shunt_space_name(const struct shunt_space *space)
{
	return space->name;
}

uint32_t shunt_space_ioas(const struct shunt_space *space)
{
	return space->ioas_id;
}

static unsigned int free_slot(const struct shunt_spaces *spaces)
{
	struct space_set taken = { 0 };
	struct shunt_space slot = { 0 };

	for (const struct shunt_space *space = spaces->first; space; space = space->next)
		set_put(&taken, space, true);
	while (slot.slot < SHUNT_SPACES_MAX && set_has(&taken, &slot))
		slot.slot++;
	return slot.slot;
}

static int create(struct shunt_spaces *spaces, const char *name, const struct shunt_space *from,
	struct shunt_space **space)
{
	struct shunt_space *made, **last;
	int ret;

	if (!*name || strlen(name) >= SHUNT_SPACE_NAME)
		return shunt_fail(-EINVAL, "a name has 1 to %d characters", SHUNT_SPACE_NAME - 1);
	if (find(spaces, name))
		return shunt_fail(-EEXIST, "there is a space of that name");
	if (free_slot(spaces) == SHUNT_SPACES_MAX)
		return shunt_fail(
			-ENOSPC, "there are %d spaces already: destroy one", SHUNT_SPACES_MAX);
	made = calloc(1, sizeof(*made));
	if (!made)
		return shunt_fail(-ENOMEM, "out of memory");
	made->all = spaces;
	made->slot = free_slot(spaces);
	snprintf(made->name, sizeof(made->name), "%s", name);
	ret = shunt_ioas_alloc(spaces->iommufd, &made->ioas_id);
	if (ret)
		goto free;
	ret = mapping_copy_all(made, from);
	if (ret)
		goto destroy;
	for (last = &spaces->first; *last; last = &(*last)->next)
		;
	*last = made;
	*space = made;
	return 0;

destroy:
	mapping_forget(made);
	shunt_iommufd_destroy_id(spaces->iommufd, made->ioas_id);
free:
	space_free(made);
	return ret;
}

int shunt_space_create(struct shunt_spaces *spaces, const char *name, struct shunt_space **space)
{
	int ret;

	HOLD(spaces);
	ret = create(spaces, name, NULL, space);
	return ret ? shunt_fail_while(ret, "space '%s'", name) : 0;
}

int shunt_space_copy(struct shunt_space *from, const char *name, struct shunt_space **space)
{
	int ret;

	HOLD(from->all);
	ret = create(from->all, name, from, space);
	return ret ? shunt_fail_while(ret, "space '%s', a copy of '%s'", name, from->name) : 0;
}

int shunt_space_destroy(struct shunt_space *space)
{
	struct shunt_spaces *spaces = space->all;
	struct shunt_space **link;
	int ret;

	HOLD(spaces);
	ret = space_unused(space);
	if (!ret && space == spaces->first && !space->next && spaces->shared)
		ret = shunt_fail(-EBUSY,
			"it is the last one, and %zu mappings are shared: unmap them first",
			spaces->shared);
	if (!ret)
		ret = space_destroy_hwpts(space);
	if (!ret)
		ret = shunt_iommufd_destroy_id(spaces->iommufd, space->ioas_id);
	if (ret)
		return shunt_fail_while(ret, "space '%s'", space->name);
	mapping_forget(space);
	for (link = &spaces->first; *link != space; link = &(*link)->next)
		;
	*link = space->next;
	space_free(space);
	return 0;
}

uint64_t shunt_space_mapped(struct shunt_space *space)
{
	HOLD(space->all);
	return space->mapped;
}

uint64_t shunt_spaces_mapped_by_file(struct shunt_spaces *spaces)
{
	HOLD(spaces);
	return spaces->file_bytes;
}

/* The first shared mapping that a space lacks; NULL: it has all. */
static const struct mapping *lost(struct shunt_space *space)
{
	const struct mapping *mapping = NULL;

	while (space->doubtful &&
		(mapping = mapping_next(space->all, mapping, 0, UINT64_MAX)) != NULL)
		if (mapping_wanted(mapping, space) && !set_has(&mapping->in, space))
			return mapping;
	space->doubtful = false;
	return NULL;
}

int shunt_space_covers(struct shunt_space *to, struct shunt_space *from)
{
	const struct mapping *mapping;

	if (to->all != from->all)
		return shunt_fail(-EINVAL,
			"space '%s' is of the iommufd of descriptor %d, space '%s' of that of "
			"descriptor %d: ids of one mean nothing to the other",
			to->name, to->all->iommufd->fd, from->name, from->all->iommufd->fd);
	HOLD(from->all);
	mapping = lost(to);
	if (mapping)
		return shunt_fail(-EIO,
			"space '%s' lost its mapping of IOVA 0x%" PRIx64
			" in a restart: destroy it and make it anew",
			to->name, mapping->about.iova);
	TAILQ_FOREACH (mapping, &from->all->own, next) {
		uint64_t covered = mapping_covered(to, &mapping->about);

		if (set_has(&mapping->in, from) && covered < mapping->about.length)
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

	HOLD(space->all);
	while (!ret && (mapping = mapping_next(space->all, mapping, 0, UINT64_MAX)) != NULL)
		if (set_has(&mapping->in, space))
			ret = ranges_allow(ranges, count, &mapping->about);
	return ret ? shunt_fail_while(-EADDRINUSE, "space '%s'", space->name) : 0;
}
