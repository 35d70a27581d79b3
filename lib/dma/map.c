/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "shunt_error.h"
#include "spaces.h"

#define MAX_RANGES 32

/* Whether a space allows a range, by what the kernel says of its devices. */
static int check_allowed(struct shunt_space *space, const struct shunt_mapping *mapping)
{
	struct shunt_iova_range ranges[MAX_RANGES];
	uint32_t count = MAX_RANGES, i;
	uint64_t last = mapping->iova + (mapping->length - 1);
	uint64_t alignment;
	int ret;

	ret = shunt_ioas_iova_ranges(
		space->all->iommufd, space->ioas_id, ranges, &count, &alignment);
	if (ret)
		return ret;
	if ((mapping->iova | mapping->length) % alignment)
		return shunt_fail(-EINVAL,
			"IOVA 0x%" PRIx64 " length 0x%" PRIx64 " is not a multiple of 0x%" PRIx64,
			mapping->iova, mapping->length, alignment);
	for (i = 0; i < count && ranges[i].last < mapping->iova; i++)
		;
	if (i == count)
		return shunt_fail(-EINVAL,
			"IOVA 0x%" PRIx64 " to 0x%" PRIx64
			" is above the ranges that the IOMMU allows: the last one ends at "
			"0x%" PRIx64,
			mapping->iova, last, count ? ranges[count - 1].last : 0);
	if (mapping->iova < ranges[i].start)
		return shunt_fail(-EINVAL,
			"IOVA 0x%" PRIx64 " to 0x%" PRIx64
			" is outside the ranges that the IOMMU allows: the next one is "
			"0x%" PRIx64 " to 0x%" PRIx64,
			mapping->iova, last, ranges[i].start, ranges[i].last);
	if (last > ranges[i].last)
		return shunt_fail(-EINVAL,
			"IOVA 0x%" PRIx64 " to 0x%" PRIx64
			" leaves the range that the IOMMU allows, 0x%" PRIx64 " to 0x%" PRIx64,
			mapping->iova, last, ranges[i].start, ranges[i].last);
	return 0;
}

/*
 * A device narrows the ranges of a space only while it is attached there: what is mapped into a
 * space beyond what the others allow would make the switch to it fail.
 */
static int check_allowed_everywhere(
	struct shunt_spaces *spaces, const struct shunt_mapping *mapping)
{
	int ret = 0;

	for (struct shunt_space *space = spaces->first; space && !ret; space = space->next)
		ret = check_allowed(space, mapping);
	return ret;
}

static int refuse_overlap(const struct mappings *mappings, const struct shunt_mapping *mapping)
{
	const struct shunt_mapping *other =
		mappings_overlap(mappings, mapping->iova, mapping->length);

	if (!other)
		return 0;
	return shunt_fail(-EEXIST,
		"IOVA 0x%" PRIx64 " to 0x%" PRIx64 " overlaps the mapping of 0x%" PRIx64
		" to 0x%" PRIx64,
		mapping->iova, mapping->iova + (mapping->length - 1), other->iova,
		other->iova + (other->length - 1));
}

static int check(const struct shunt_mapping *mapping)
{
	if (mapping->length == 0 || mapping->iova + (mapping->length - 1) < mapping->iova)
		return shunt_fail(-EINVAL, "IOVA 0x%" PRIx64 " length 0x%" PRIx64 " is no range",
			mapping->iova, mapping->length);
	if (!(mapping->prot & SHUNT_DMA_BOTH))
		return shunt_fail(-EINVAL, "a mapping that may neither be read nor written");
	return 0;
}

/* By file if it has one and the kernel can, else by address. */
static int map_memory(struct shunt_space *space, const struct shunt_mapping *mapping)
{
	struct shunt_spaces *spaces = space->all;
	int ret;

	if (mapping->by_file && !spaces->no_map_file) {
		ret = shunt_ioas_map_file(spaces->iommufd, space->ioas_id, mapping->fd,
			mapping->offset, mapping->length, mapping->iova, mapping->prot);
		if (ret != -ENOTTY)
			return ret;
		spaces->no_map_file = true;
	}
	return shunt_ioas_map(spaces->iommufd, space->ioas_id, mapping->va, mapping->length,
		mapping->iova, mapping->prot);
}

int space_map_one(struct shunt_space *space, const struct shunt_mapping *mapping)
{
	char why[512];
	int ret;

	ret = map_memory(space, mapping);
	if (ret != -EINVAL)
		return ret;
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	ret = check_allowed(space, mapping);
	return ret ? ret : shunt_fail(-EINVAL, "%s", why);
}

int space_unmap_one(struct shunt_space *space, const struct shunt_mapping *mapping)
{
	return shunt_ioas_unmap(
		space->all->iommufd, space->ioas_id, mapping->iova, mapping->length);
}

static int copy_one(struct shunt_space *space, const struct shunt_mapping *mapping)
{
	return shunt_ioas_copy(space->all->iommufd, space->ioas_id, space->all->first->ioas_id,
		mapping->iova, mapping->length, mapping->prot);
}

/* Unmaps from the spaces before `end`; false if one kept it. */
static bool undo_map(
	struct shunt_spaces *spaces, const struct shunt_space *end, const struct shunt_mapping *m)
{
	bool clean = true;

	for (struct shunt_space *space = spaces->first; space != end; space = space->next)
		clean = space_unmap_one(space, m) == 0 && clean;
	return clean;
}

static int map_shared_locked(struct shunt_spaces *spaces, struct shunt_mapping *mapping)
{
	struct shunt_space *space;
	char why[512];
	int ret;

	if (!spaces->first)
		return shunt_fail(-ENOENT, "no address space to map into: create one first");
	ret = refuse_overlap(&spaces->shared, mapping);
	for (space = spaces->first; space && !ret; space = space->next)
		ret = refuse_overlap(&space->own, mapping);
	if (!ret)
		ret = mappings_reserve(&spaces->shared);
	if (ret)
		return ret;
	for (space = spaces->first; space; space = space->next) {
		ret = space == spaces->first ? space_map_one(space, mapping)
					     : copy_one(space, mapping);
		if (ret)
			goto undo;
	}
	mapping->by_file = mapping->by_file && !spaces->no_map_file;
	mappings_insert(&spaces->shared, mapping);
	return 0;

undo:
	snprintf(why, sizeof(why), "space '%s': %s", space->name, shunt_errmsg());
	if (undo_map(spaces, space, mapping))
		return shunt_fail(ret, "%s", why);
	return shunt_fail_while(ret, "%s; and it stays mapped in another space", why);
}

static int map_shared(struct shunt_spaces *spaces, struct shunt_mapping *mapping)
{
	int ret = check(mapping);

	if (ret)
		return ret;
	pthread_mutex_lock(&spaces->lock);
	ret = map_shared_locked(spaces, mapping);
	pthread_mutex_unlock(&spaces->lock);
	return ret;
}

int shunt_spaces_map(
	struct shunt_spaces *spaces, void *va, uint64_t length, uint64_t iova, unsigned int prot)
{
	struct shunt_mapping mapping = { .iova = iova, .length = length, .va = va, .prot = prot };

	return map_shared(spaces, &mapping);
}

int shunt_spaces_map_file(struct shunt_spaces *spaces, int fd, uint64_t offset, void *va,
	uint64_t length, uint64_t iova, unsigned int prot)
{
	struct shunt_mapping mapping = {
		.iova = iova,
		.length = length,
		.va = va,
		.prot = prot,
		.by_file = true,
		.fd = fd,
		.offset = offset,
	};

	return map_shared(spaces, &mapping);
}

static int unmap_shared_locked(struct shunt_spaces *spaces, uint64_t iova, uint64_t length)
{
	const struct shunt_mapping *found = mappings_exact(&spaces->shared, iova, length);
	struct shunt_mapping mapping;
	struct shunt_space *space, *undone;
	bool restored = true;
	char why[512];
	int ret = 0;

	if (!found)
		return shunt_fail(-ENOENT,
			"no shared mapping is exactly IOVA 0x%" PRIx64 " length 0x%" PRIx64, iova,
			length);
	mapping = *found;
	for (space = spaces->first; space; space = space->next) {
		ret = space_unmap_one(space, &mapping);
		if (ret)
			break;
	}
	if (!ret) {
		mappings_remove(&spaces->shared, iova);
		return 0;
	}
	snprintf(why, sizeof(why), "space '%s': %s", space->name, shunt_errmsg());
	for (undone = spaces->first; undone != space; undone = undone->next)
		restored = space_map_one(undone, &mapping) == 0 && restored;
	if (restored)
		return shunt_fail(ret, "%s", why);
	return shunt_fail_while(ret, "%s; and it could not be mapped again elsewhere", why);
}

int shunt_spaces_unmap(struct shunt_spaces *spaces, uint64_t iova, uint64_t length)
{
	int ret;

	pthread_mutex_lock(&spaces->lock);
	ret = unmap_shared_locked(spaces, iova, length);
	pthread_mutex_unlock(&spaces->lock);
	return ret;
}

int shunt_space_map(
	struct shunt_space *space, void *va, uint64_t length, uint64_t iova, unsigned int prot)
{
	struct shunt_mapping mapping = { .iova = iova, .length = length, .va = va, .prot = prot };
	int ret = check(&mapping);

	if (ret)
		return shunt_fail_while(ret, "space '%s'", space->name);
	pthread_mutex_lock(&space->all->lock);
	ret = check_allowed_everywhere(space->all, &mapping);
	if (!ret)
		ret = refuse_overlap(&space->all->shared, &mapping);
	if (!ret)
		ret = refuse_overlap(&space->own, &mapping);
	if (!ret)
		ret = mappings_reserve(&space->own);
	if (!ret)
		ret = space_map_one(space, &mapping);
	if (!ret)
		mappings_insert(&space->own, &mapping);
	pthread_mutex_unlock(&space->all->lock);
	return ret ? shunt_fail_while(ret, "space '%s'", space->name) : 0;
}

int shunt_space_unmap(struct shunt_space *space, uint64_t iova, uint64_t length)
{
	const struct shunt_mapping *mapping;
	int ret;

	pthread_mutex_lock(&space->all->lock);
	mapping = mappings_exact(&space->own, iova, length);
	if (mapping)
		ret = space_unmap_one(space, mapping);
	else
		ret = shunt_fail(-ENOENT,
			"no mapping of its own is exactly IOVA 0x%" PRIx64 " length 0x%" PRIx64,
			iova, length);
	if (!ret)
		mappings_remove(&space->own, iova);
	pthread_mutex_unlock(&space->all->lock);
	return ret ? shunt_fail_while(ret, "space '%s'", space->name) : 0;
}
