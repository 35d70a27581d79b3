/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shunt_error.h"
#include "spaces.h"

int shunt_spaces_create(struct shunt_iommufd *iommufd, struct shunt_spaces **spaces)
{
	struct shunt_spaces *made = calloc(1, sizeof(*made));

	if (!made)
		return shunt_fail(-ENOMEM, "address spaces: out of memory");
	made->iommufd = iommufd;
	pthread_mutex_init(&made->lock, NULL);
	*spaces = made;
	return 0;
}

static void space_free(struct shunt_space *space)
{
	mappings_free(&space->own);
	free(space->hwpts);
	free(space);
}

/* Nothing is attached any more, so the kernel refuses none of it. */
void shunt_spaces_destroy(struct shunt_spaces *spaces)
{
	struct shunt_space *space;

	if (!spaces)
		return;
	while ((space = spaces->first) != NULL) {
		spaces->first = space->next;
		space_destroy_hwpts(space);
		shunt_iommufd_destroy_id(spaces->iommufd, space->ioas_id);
		space_free(space);
	}
	mappings_free(&spaces->shared);
	pthread_mutex_destroy(&spaces->lock);
	free(spaces);
}

static struct shunt_space *find_locked(struct shunt_spaces *spaces, const char *name)
{
	struct shunt_space *space = spaces->first;

	while (space && strcmp(space->name, name) != 0)
		space = space->next;
	return space;
}

struct shunt_space *shunt_space_find(struct shunt_spaces *spaces, const char *name)
{
	struct shunt_space *space;

	pthread_mutex_lock(&spaces->lock);
	space = find_locked(spaces, name);
	pthread_mutex_unlock(&spaces->lock);
	return space;
}

struct shunt_space *shunt_space_next(struct shunt_spaces *spaces, const struct shunt_space *after)
{
	struct shunt_space *space;

	pthread_mutex_lock(&spaces->lock);
	space = after ? after->next : spaces->first;
	pthread_mutex_unlock(&spaces->lock);
	return space;
}

const char *shunt_space_name(const struct shunt_space *space)
{
	return space->name;
}

uint32_t shunt_space_ioas(const struct shunt_space *space)
{
	return space->ioas_id;
}

void shunt_space_use(struct shunt_space *space)
{
	pthread_mutex_lock(&space->all->lock);
	space->users++;
	pthread_mutex_unlock(&space->all->lock);
}

void shunt_space_leave(struct shunt_space *space)
{
	pthread_mutex_lock(&space->all->lock);
	space->users--;
	pthread_mutex_unlock(&space->all->lock);
}

unsigned int shunt_space_users(struct shunt_space *space)
{
	unsigned int users;

	pthread_mutex_lock(&space->all->lock);
	users = space->users;
	pthread_mutex_unlock(&space->all->lock);
	return users;
}

/* Index of the first mapping, from `at` on, that does not continue the one before. */
static size_t run_end(const struct mappings *mappings, size_t at)
{
	const struct shunt_mapping *items = mappings->items;

	do
		at++;
	while (at < mappings->count &&
		items[at].iova == items[at - 1].iova + items[at - 1].length &&
		items[at].prot == items[at - 1].prot);
	return at;
}

/*
 * Shared mappings exist only once there is a space, so there is always one to copy from. One call
 * for a run of mappings side by side; they stay mappings of their own.
 */
static int copy_shared(struct shunt_spaces *spaces, uint32_t ioas_id)
{
	const struct mappings *shared = &spaces->shared;
	int ret = 0;

	for (size_t i = 0, end; i < shared->count && !ret; i = end) {
		const struct shunt_mapping *first = &shared->items[i], *last;

		end = run_end(shared, i);
		last = &shared->items[end - 1];
		ret = shunt_ioas_copy(spaces->iommufd, ioas_id, spaces->first->ioas_id, first->iova,
			last->iova + last->length - first->iova, first->prot);
	}
	return ret;
}

static int copy_own(const struct shunt_space *from, struct shunt_space *to)
{
	int ret = 0;

	for (size_t i = 0; i < from->own.count && !ret; i++) {
		const struct shunt_mapping *mapping = &from->own.items[i];

		ret = mappings_reserve(&to->own);
		if (!ret)
			ret = shunt_ioas_copy(from->all->iommufd, to->ioas_id, from->ioas_id,
				mapping->iova, mapping->length, mapping->prot);
		if (!ret)
			mappings_insert(&to->own, mapping);
	}
	return ret;
}

static int create_locked(struct shunt_spaces *spaces, const char *name,
	const struct shunt_space *from, struct shunt_space **space)
{
	struct shunt_space *made, **last;
	int ret;

	if (!*name || strlen(name) >= SHUNT_SPACE_NAME)
		return shunt_fail(-EINVAL, "a name has 1 to %d characters", SHUNT_SPACE_NAME - 1);
	if (find_locked(spaces, name))
		return shunt_fail(-EEXIST, "there is a space of that name");
	made = calloc(1, sizeof(*made));
	if (!made)
		return shunt_fail(-ENOMEM, "out of memory");
	made->all = spaces;
	snprintf(made->name, sizeof(made->name), "%s", name);
	ret = shunt_ioas_alloc(spaces->iommufd, &made->ioas_id);
	if (ret)
		goto free;
	ret = copy_shared(spaces, made->ioas_id);
	if (!ret && from)
		ret = copy_own(from, made);
	if (ret)
		goto destroy;
	for (last = &spaces->first; *last; last = &(*last)->next)
		;
	*last = made;
	*space = made;
	return 0;

destroy:
	shunt_iommufd_destroy_id(spaces->iommufd, made->ioas_id);
free:
	space_free(made);
	return ret;
}

int shunt_space_create(struct shunt_spaces *spaces, const char *name, struct shunt_space **space)
{
	int ret;

	pthread_mutex_lock(&spaces->lock);
	ret = create_locked(spaces, name, NULL, space);
	pthread_mutex_unlock(&spaces->lock);
	return ret ? shunt_fail_while(ret, "space '%s'", name) : 0;
}

int shunt_space_copy(struct shunt_space *from, const char *name, struct shunt_space **space)
{
	int ret;

	pthread_mutex_lock(&from->all->lock);
	ret = create_locked(from->all, name, from, space);
	pthread_mutex_unlock(&from->all->lock);
	return ret ? shunt_fail_while(ret, "space '%s', a copy of '%s'", name, from->name) : 0;
}

static int destroy_locked(struct shunt_spaces *spaces, struct shunt_space *space)
{
	struct shunt_space **link;
	int ret;

	if (space == spaces->first && !space->next && spaces->shared.count)
		return shunt_fail(-EBUSY,
			"it is the last one, and %zu mappings are shared: unmap them first",
			spaces->shared.count);
	ret = space_destroy_hwpts(space);
	if (!ret)
		ret = shunt_iommufd_destroy_id(spaces->iommufd, space->ioas_id);
	if (ret)
		return ret;
	for (link = &spaces->first; *link != space; link = &(*link)->next)
		;
	*link = space->next;
	return 0;
}

int shunt_space_destroy(struct shunt_space *space)
{
	struct shunt_spaces *spaces = space->all;
	int ret;

	pthread_mutex_lock(&spaces->lock);
	ret = destroy_locked(spaces, space);
	pthread_mutex_unlock(&spaces->lock);
	if (ret)
		return shunt_fail_while(ret, "space '%s'", space->name);
	space_free(space);
	return 0;
}

uint64_t shunt_space_mapped(struct shunt_space *space)
{
	uint64_t bytes;

	pthread_mutex_lock(&space->all->lock);
	bytes = space->all->shared.bytes + space->own.bytes;
	pthread_mutex_unlock(&space->all->lock);
	return bytes;
}

uint64_t shunt_spaces_mapped_by_file(struct shunt_spaces *spaces)
{
	uint64_t bytes;

	pthread_mutex_lock(&spaces->lock);
	bytes = spaces->shared.file_bytes;
	pthread_mutex_unlock(&spaces->lock);
	return bytes;
}

int shunt_space_covers(struct shunt_space *to, struct shunt_space *from)
{
	struct shunt_spaces *spaces = from->all;
	int ret = 0;

	pthread_mutex_lock(&spaces->lock);
	if (to->lost)
		ret = shunt_fail(-EIO,
			"space '%s' lost its mapping of IOVA 0x%" PRIx64
			" in a restart: destroy it and make it anew",
			to->name, to->lost - 1);
	for (size_t i = 0; i < from->own.count && !ret; i++) {
		const struct shunt_mapping *mapping = &from->own.items[i];
		uint64_t covered = mappings_covered(&to->own, mapping);

		if (covered < mapping->length)
			ret = shunt_fail(-ENOENT,
				"space '%s' lacks IOVA 0x%" PRIx64 " to 0x%" PRIx64
				", which is in use in space '%s': map it there first",
				to->name, mapping->iova + covered,
				mapping->iova + mapping->length - 1, from->name);
	}
	pthread_mutex_unlock(&spaces->lock);
	return ret;
}
