/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <shunt/error.h>

#include "spaces.h"

/*
 * A device narrows the ranges of a space only while it is attached there: what is mapped into a
 * space beyond what the others allow would make the switch to it fail.
 */
static int check_allowed_everywhere(
	struct shunt_spaces *spaces, const struct shunt_mapping *mapping)
{
	int ret = 0;

	for (struct shunt_space *space = spaces->first; space && !ret; space = space->next)
		ret = space_allows(space, mapping);
	return ret;
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

/*
 * Out of every space, up to the first that keeps it, or out of `all` that do not.
 *
 * @return the first error, with the space's name
 */
static int take_everywhere(struct shunt_spaces *spaces, struct mapping *mapping, bool all)
{
	char why[512];
	int first = 0;

	for (struct shunt_space *space = spaces->first; space && (all || !first);
		space = space->next) {
		int ret = mapping_take(space, mapping);

		if (!ret || first)
			continue;
		snprintf(why, sizeof(why), "space '%s': %s", space->name, shunt_errmsg());
		first = ret;
	}
	return first ? shunt_fail(first, "%s", why) : 0;
}

/* What is left over goes; what somebody wants there is in the way. */
static int make_room(struct shunt_spaces *spaces, const struct shunt_mapping *about,
	const struct shunt_space *space)
{
	const uint64_t last = about->iova + (about->length - 1);
	struct mapping *other, *after = NULL;
	int ret;

	while ((other = mapping_next(spaces, after, about->iova, last)) != NULL) {
		if (mapping_wanted(other, space))
			return shunt_fail(-EEXIST,
				"IOVA 0x%" PRIx64 " to 0x%" PRIx64 " overlaps the mapping of "
				"0x%" PRIx64 " to 0x%" PRIx64,
				about->iova, last, other->range.start, other->range.last);
		if (mapping_wanted(other, NULL)) {
			after = other;
			continue;
		}
		ret = take_everywhere(spaces, other, true);
		if (ret)
			return shunt_fail_while(ret,
				"IOVA 0x%" PRIx64 " to 0x%" PRIx64
				" is still mapped to memory that is gone",
				other->range.start, other->range.last);
		mapping_unwant(spaces, other, NULL);
	}
	return 0;
}

int shunt_spaces_add(struct shunt_spaces *spaces, const struct shunt_mapping *about)
{
	struct mapping *mapping;
	struct shunt_space *space;
	char why[512];
	int ret = check(about);

	if (ret)
		return ret;
	HOLD(spaces);
	if (!spaces->first)
		return shunt_fail(-ENOENT, "no address space to map into: create one first");
	ret = make_room(spaces, about, NULL);
	if (ret)
		return ret;
	mapping = mapping_new(spaces, about, NULL);
	if (!mapping)
		return shunt_fail(-ENOMEM, "no memory for another mapping");
	for (space = spaces->first; space && !ret; space = ret ? space : space->next)
		ret = mapping_put(space, mapping);
	if (!ret)
		return 0;
	snprintf(why, sizeof(why), "space '%s': %s", space->name, shunt_errmsg());
	if (take_everywhere(spaces, mapping, true))
		shunt_fail_while(ret, "%s; and it stays mapped elsewhere", why);
	else
		shunt_fail(ret, "%s", why);
	mapping_unwant(spaces, mapping, NULL);
	return ret;
}

int shunt_spaces_map(
	struct shunt_spaces *spaces, void *va, uint64_t length, uint64_t iova, unsigned int prot)
{
	return shunt_spaces_add(spaces,
		&(struct shunt_mapping){ .iova = iova, .length = length, .va = va, .prot = prot });
}

/* Where it had been, copied from where it still is. */
static int put_back(
	struct shunt_spaces *spaces, struct mapping *mapping, const struct space_set *before)
{
	int first = 0;

	for (struct shunt_space *space = spaces->first; space; space = space->next) {
		int ret;

		if (!set_has(before, space) || set_has(&mapping->in, space))
			continue;
		ret = mapping_put(space, mapping);
		space->doubtful = space->doubtful || ret;
		first = first ? first : ret;
	}
	return first;
}

static int unmap(struct shunt_spaces *spaces, uint64_t iova, uint64_t length, bool goes)
{
	struct mapping *mapping;
	struct space_set before;
	char why[512];
	int ret;

	HOLD(spaces);
	mapping = mapping_exact(spaces, iova, length, NULL);
	if (!mapping)
		return shunt_fail(-ENOENT,
			"no shared mapping is exactly IOVA 0x%" PRIx64 " length 0x%" PRIx64, iova,
			length);
	before = mapping->in;
	ret = take_everywhere(spaces, mapping, goes);
	if (!ret || goes) {
		mapping_unwant(spaces, mapping, NULL);
		return ret;
	}
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (put_back(spaces, mapping, &before))
		return shunt_fail_while(ret, "%s; and it could not be mapped again elsewhere", why);
	return shunt_fail(ret, "%s", why);
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

	HOLD(spaces);
	do
		found = mapping_next(spaces, found, start, last);
	while (found && !(found->shared && found->wanted && found->about.owner == owner));
	if (found)
		*mapping = found->about;
	return found;
}

/* Another space's own, of the same memory: to be copied. */
static struct mapping *same_elsewhere(
	const struct shunt_spaces *spaces, const struct shunt_mapping *about)
{
	struct mapping *mapping = NULL;

	while ((mapping = mapping_next(spaces, mapping, about->iova, about->iova)) != NULL)
		if (mapping->about.iova == about->iova && mapping->about.length == about->length &&
			mapping->about.va == about->va && mapping->about.prot == about->prot)
			break;
	return mapping;
}

static int map_own(struct shunt_space *space, const struct shunt_mapping *about)
{
	struct shunt_spaces *spaces = space->all;
	struct mapping *mapping;
	int ret = check(about);

	HOLD(spaces);
	if (!ret)
		ret = check_allowed_everywhere(spaces, about);
	if (!ret)
		ret = make_room(spaces, about, space);
	if (ret)
		return ret;
	mapping = same_elsewhere(spaces, about);
	if (!mapping)
		mapping = mapping_new(spaces, about, space);
	if (!mapping)
		return shunt_fail(-ENOMEM, "no memory for another mapping");
	ret = mapping_put(space, mapping);
	if (ret)
		mapping_unwant(spaces, mapping, space);
	else
		set_put(&mapping->own, space, true);
	return ret;
}

int shunt_space_map_own(
	struct shunt_space *space, void *va, uint64_t length, uint64_t iova, unsigned int prot)
{
	struct shunt_mapping about = { .iova = iova, .length = length, .va = va, .prot = prot };
	int ret = map_own(space, &about);

	return ret ? shunt_fail_while(ret, "space '%s'", space->name) : 0;
}

int shunt_space_unmap_own(struct shunt_space *space, uint64_t iova, uint64_t length)
{
	struct mapping *mapping;
	int ret;

	HOLD(space->all);
	mapping = mapping_exact(space->all, iova, length, space);
	if (!mapping)
		return shunt_fail(-ENOENT,
			"space '%s': no mapping of its own is exactly IOVA 0x%" PRIx64
			" length 0x%" PRIx64,
			space->name, iova, length);
	ret = mapping_take(space, mapping);
	if (ret)
		return shunt_fail_while(ret, "space '%s'", space->name);
	mapping_unwant(space->all, mapping, space);
	return 0;
}

static int remap_one(struct shunt_space *space, struct mapping *mapping)
{
	char why[512];
	int ret;

	ret = mapping_take(space, mapping);
	if (ret)
		return ret;
	ret = mapping_put(space, mapping);
	if (!ret)
		return 0;
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	if (!mapping_put(space, mapping))
		return shunt_fail(ret, "%s; mapped in a second attempt", why);
	space->doubtful = true;
	return shunt_fail_while(
		ret, "%s; the mapping of IOVA 0x%" PRIx64 " is lost", why, mapping->about.iova);
}

int shunt_space_remap(struct shunt_space *space)
{
	struct mapping *mapping = NULL;
	int ret = 0;

	HOLD(space->all);
	if (space_groups(space) > 1)
		ret = shunt_fail(-EBUSY, "another group uses it too");
	while (!ret && (mapping = mapping_next(space->all, mapping, 0, UINT64_MAX)) != NULL)
		if (mapping_wanted(mapping, space))
			ret = remap_one(space, mapping);
	return ret ? shunt_fail_while(ret, "space '%s'", space->name) : 0;
}
