/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <shunt/error.h>

#include "spaces.h"

static int check(const struct shunt_mapping *mapping)
{
	if (mapping->length == 0 || mapping->iova + (mapping->length - 1) < mapping->iova)
		return shunt_fail(-EINVAL, "IOVA 0x%" PRIx64 " length 0x%" PRIx64 " is no range",
			mapping->iova, mapping->length);
	if (!(mapping->prot & SHUNT_DMA_BOTH))
		return shunt_fail(-EINVAL, "a mapping that may neither be read nor written");
	return 0;
}

/* Puts or takes in every space; unless it is `all`, not in those after the first that fails. */
static int everywhere(struct shunt_spaces *spaces, struct mapping *mapping,
	int (*change)(struct shunt_space *, struct mapping *), bool all)
{
	struct shunt_space *space;
	int ret, failed = 0;

	TAILQ_FOREACH (space, &spaces->list, next) {
		ret = failed && !all ? 0 : change(space, mapping);
		if (ret)
			failed = shunt_fail_while(ret, "space '%s'", space->name);
	}
	return failed;
}

/*
 * Enters a mapping in the table. What is left over in its range is unmapped; what a space wants
 * there is in the way. Another space's own of the same memory is this one's too: to be copied.
 */
static int enter(struct shunt_spaces *spaces, const struct shunt_mapping *about, unsigned int slot,
	struct mapping **mapping)
{
	const uint64_t last = about->iova + (about->length - 1);
	struct mapping *other, *after = NULL;
	int ret;

	*mapping = NULL;
	while ((other = shunt_ranges_next(&spaces->table, after, about->iova, last)) != NULL) {
		if (slots_empty(other->wanted)) {
			ret = everywhere(spaces, other, mapping_take, true);
			if (ret)
				return shunt_fail_while(ret,
					"IOVA 0x%" PRIx64 " to 0x%" PRIx64
					" is still mapped to memory that is gone",
					other->range.start, other->range.last);
			mapping_unwant(spaces, other, SHARED);
			continue;
		}
		if (slot == SHARED || mapping_wanted(other, slot))
			return shunt_fail(-EEXIST,
				"IOVA 0x%" PRIx64 " to 0x%" PRIx64 " overlaps the mapping of "
				"0x%" PRIx64 " to 0x%" PRIx64,
				about->iova, last, other->range.start, other->range.last);
		if (other->about.iova == about->iova && other->about.length == about->length &&
			other->about.va == about->va && other->about.prot == about->prot)
			*mapping = other;
		after = other;
	}
	if (*mapping)
		bit_set((*mapping)->wanted, slot);
	else
		*mapping = mapping_new(spaces, about, slot);
	return *mapping ? 0 : shunt_fail(-ENOMEM, "no memory for another mapping");
}

int shunt_spaces_add(struct shunt_spaces *spaces, const struct shunt_mapping *about)
{
	struct mapping *mapping;
	char why[512];
	int ret = check(about);

	if (ret)
		return ret;
	SHUNT_HOLD(&spaces->lock);
	if (TAILQ_EMPTY(&spaces->list))
		return shunt_fail(-ENOENT, "no address space to map into: create one first");
	ret = enter(spaces, about, SHARED, &mapping);
	if (ret)
		return ret;
	ret = everywhere(spaces, mapping, mapping_put, false);
	if (!ret)
		return 0;
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (everywhere(spaces, mapping, mapping_take, true))
		shunt_fail_while(ret, "%s; and it stays mapped elsewhere", why);
	mapping_unwant(spaces, mapping, SHARED);
	return ret;
}

int shunt_spaces_map(
	struct shunt_spaces *spaces, void *va, uint64_t length, uint64_t iova, unsigned int prot)
{
	return shunt_spaces_add(spaces,
		&(struct shunt_mapping){ .iova = iova, .length = length, .va = va, .prot = prot });
}

static int unmap(struct shunt_spaces *spaces, uint64_t iova, uint64_t length, bool freed)
{
	struct mapping *mapping;
	char why[512];
	int ret;

	SHUNT_HOLD(&spaces->lock);
	mapping = mapping_exact(spaces, iova, length, SHARED);
	if (!mapping)
		return shunt_fail(-ENOENT,
			"no shared mapping is exactly IOVA 0x%" PRIx64 " length 0x%" PRIx64, iova,
			length);
	ret = everywhere(spaces, mapping, mapping_take, freed);
	if (!ret || freed) {
		mapping_unwant(spaces, mapping, SHARED);
		return ret;
	}
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (everywhere(spaces, mapping, mapping_put, true))
		shunt_fail_while(ret, "%s; and it could not be mapped again elsewhere", why);
	return ret;
}

int shunt_spaces_unmap(struct shunt_spaces *spaces, uint64_t iova, uint64_t length)
{
	return unmap(spaces, iova, length, false);
}

int shunt_spaces_drop(struct shunt_spaces *spaces, uint64_t iova, uint64_t length)
{
	return unmap(spaces, iova, length, true);
}

bool shunt_spaces_next(struct shunt_spaces *spaces, const void *owner, uint64_t start,
	uint64_t last, struct shunt_mapping *mapping)
{
	const struct mapping *found = NULL;

	SHUNT_HOLD(&spaces->lock);
	do
		found = shunt_ranges_next(&spaces->table, found, start, last);
	while (found && !(mapping_wanted(found, SHARED) && found->about.owner == owner));
	if (found)
		*mapping = found->about;
	return found;
}

uint64_t shunt_spaces_mapped_by_file(struct shunt_spaces *spaces)
{
	const struct mapping *mapping = NULL;
	uint64_t bytes = 0;

	SHUNT_HOLD(&spaces->lock);
	while ((mapping = mapping_next_wanted(spaces, mapping, SHARED)) != NULL)
		bytes += mapping->about.by_file ? mapping->about.length : 0;
	return bytes;
}

int shunt_space_map_own(
	struct shunt_space *space, void *va, uint64_t length, uint64_t iova, unsigned int prot)
{
	struct shunt_mapping about = { .iova = iova, .length = length, .va = va, .prot = prot };
	struct shunt_spaces *spaces = space->all;
	struct shunt_space *each;
	struct mapping *mapping;
	int ret = check(&about);

	SHUNT_HOLD(&spaces->lock);
	/* In all: a device narrows a space only while it is attached, and may be switched here. */
	TAILQ_FOREACH (each, &spaces->list, next)
		ret = ret ? ret : space_allows(each, &about);
	if (!ret)
		ret = enter(spaces, &about, space->slot, &mapping);
	if (!ret) {
		ret = mapping_put(space, mapping);
		if (ret)
			mapping_unwant(spaces, mapping, space->slot);
	}
	return ret ? shunt_fail_while(ret, "space '%s'", space->name) : 0;
}

int shunt_space_unmap_own(struct shunt_space *space, uint64_t iova, uint64_t length)
{
	struct mapping *mapping;
	int ret;

	SHUNT_HOLD(&space->all->lock);
	mapping = mapping_exact(space->all, iova, length, space->slot);
	if (!mapping)
		return shunt_fail(-ENOENT,
			"space '%s': no mapping of its own is exactly IOVA 0x%" PRIx64
			" length 0x%" PRIx64,
			space->name, iova, length);
	ret = mapping_take(space, mapping);
	if (ret)
		return shunt_fail_while(ret, "space '%s'", space->name);
	mapping_unwant(space->all, mapping, space->slot);
	return 0;
}

static int remap_one(struct shunt_space *space, struct mapping *mapping)
{
	char why[512];
	int ret = mapping_take(space, mapping);

	if (ret)
		return ret;
	ret = mapping_put(space, mapping);
	if (!ret)
		return 0;
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (!mapping_put(space, mapping))
		return shunt_fail(ret, "%s; mapped in a second attempt", why);
	return shunt_fail_while(
		ret, "%s; the mapping of IOVA 0x%" PRIx64 " is lost", why, mapping->about.iova);
}

int shunt_space_remap(struct shunt_space *space)
{
	struct mapping *mapping = NULL;
	int ret = 0;

	SHUNT_HOLD(&space->all->lock);
	if (space_groups(space) > 1)
		ret = shunt_fail(-EBUSY, "another group uses it too");
	while (!ret && (mapping = mapping_next_wanted(space->all, mapping, space->slot)) != NULL)
		ret = remap_one(space, mapping);
	return ret ? shunt_fail_while(ret, "space '%s'", space->name) : 0;
}
