/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <shunt/error.h>

#include "spaces.h"

struct mapping *mapping_new(
	struct shunt_spaces *spaces, const struct shunt_mapping *about, unsigned int slot)
{
	struct mapping *mapping = calloc(1, sizeof(*mapping));

	if (!mapping)
		return NULL;
	mapping->about = *about;
	mapping->range.start = about->iova;
	mapping->range.last = about->iova + (about->length - 1);
	shunt_ranges_insert(&spaces->table, &mapping->range);
	bit_set(mapping->wanted, slot);
	if (slot == SHARED)
		spaces->shared++;
	else
		TAILQ_INSERT_TAIL(&spaces->own, mapping, next);
	return mapping;
}

void mapping_unwant(struct shunt_spaces *spaces, struct mapping *mapping, unsigned int slot)
{
	if (bit_test(mapping->wanted, slot)) {
		bit_clear(mapping->wanted, slot);
		if (slot == SHARED)
			spaces->shared--;
		else if (slots_empty(mapping->wanted))
			TAILQ_REMOVE(&spaces->own, mapping, next);
	}
	if (!slots_empty(mapping->wanted) || !slots_empty(mapping->in))
		return;
	shunt_ranges_remove(&spaces->table, &mapping->range);
	free(mapping);
}

bool mapping_wanted(const struct mapping *mapping, unsigned int slot)
{
	return bit_test(mapping->wanted, SHARED) || bit_test(mapping->wanted, slot);
}

struct mapping *mapping_next_wanted(
	const struct shunt_spaces *spaces, const struct mapping *after, unsigned int slot)
{
	struct mapping *mapping;

	do
		mapping = shunt_ranges_next(&spaces->table, after, 0, UINT64_MAX);
	while ((after = mapping) && !mapping_wanted(mapping, slot));
	return mapping;
}

struct mapping *mapping_exact(
	const struct shunt_spaces *spaces, uint64_t iova, uint64_t length, unsigned int slot)
{
	struct mapping *mapping = NULL;

	while ((mapping = shunt_ranges_next(&spaces->table, mapping, iova, iova)) != NULL)
		if (mapping->about.iova == iova && mapping->about.length == length &&
			bit_test(mapping->wanted, slot))
			break;
	return mapping;
}

uint64_t mapping_covered(const struct shunt_space *space, const struct shunt_mapping *mapping)
{
	const uint64_t last = mapping->iova + (mapping->length - 1);
	const struct ranges *table = &space->all->table;
	const struct mapping *have = NULL;
	uint64_t covered = 0;

	while (covered < mapping->length &&
		(have = shunt_ranges_next(table, have, mapping->iova, last)) != NULL) {
		uint64_t iova = mapping->iova + covered;
		uint64_t skip = iova - have->about.iova;

		if (!bit_test(have->in, space->slot))
			continue;
		if (have->about.iova > iova || (mapping->prot & ~have->about.prot) ||
			(char *)have->about.va + skip != (char *)mapping->va + covered)
			break;
		covered += have->about.length - skip;
	}
	return covered < mapping->length ? covered : mapping->length;
}

int ranges_allow(
	const struct shunt_iova_range *ranges, uint32_t count, const struct shunt_mapping *mapping)
{
	uint64_t last = mapping->iova + (mapping->length - 1);
	uint32_t i;

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

int space_allows(struct shunt_space *space, const struct shunt_mapping *mapping)
{
	struct shunt_iova_range *ranges;
	uint64_t alignment;
	uint32_t count;
	int ret;

	ret = shunt_ioas_iova_ranges(
		space->all->iommufd, space->ioas_id, &ranges, &count, &alignment);
	if (ret)
		return ret;
	if ((mapping->iova | mapping->length) % alignment)
		ret = shunt_fail(-EINVAL,
			"IOVA 0x%" PRIx64 " length 0x%" PRIx64 " is not a multiple of 0x%" PRIx64,
			mapping->iova, mapping->length, alignment);
	else
		ret = ranges_allow(ranges, count, mapping);
	free(ranges);
	return ret;
}

/* By file if it has one and the kernel can, else by address. */
static int map_memory(struct shunt_space *space, struct shunt_mapping *memory)
{
	struct shunt_spaces *spaces = space->all;
	int ret;

	if (memory->by_file && !spaces->no_map_file) {
		ret = shunt_ioas_map_file(spaces->iommufd, space->ioas_id, memory->fd,
			memory->offset, memory->length, memory->iova, memory->prot);
		if (ret != -ENOTTY)
			return ret;
		spaces->no_map_file = true;
	}
	memory->by_file = false;
	return shunt_ioas_map(spaces->iommufd, space->ioas_id, memory->va, memory->length,
		memory->iova, memory->prot);
}

static void note(struct shunt_space *space, struct mapping *mapping)
{
	bit_set(mapping->in, space->slot);
	space->mapped += mapping->about.length;
}

/* A space that has a mapping; NULL: none does. */
static const struct shunt_space *holder(
	const struct shunt_spaces *spaces, const struct mapping *mapping)
{
	const struct shunt_space *space;

	TAILQ_FOREACH (space, &spaces->list, next)
		if (bit_test(mapping->in, space->slot))
			break;
	return space;
}

/* A mapping, and those side by side with it that `from` has too. */
static int copy_or_map(struct shunt_space *space, const struct shunt_space *from,
	struct mapping *mapping, uint64_t length)
{
	const struct shunt_mapping *about = &mapping->about;

	if (!from)
		return map_memory(space, &mapping->about);
	return shunt_ioas_copy(space->all->iommufd, space->ioas_id, from->ioas_id, about->iova,
		length, about->prot);
}

int mapping_put(struct shunt_space *space, struct mapping *mapping)
{
	int ret, refused;

	if (bit_test(mapping->in, space->slot))
		return 0;
	ret = copy_or_map(space, holder(space->all, mapping), mapping, mapping->about.length);
	if (!ret) {
		note(space, mapping);
		return 0;
	}
	space->doubtful = true;
	refused = ret == -EINVAL ? space_allows(space, &mapping->about) : 0;
	return refused ? refused : ret;
}

int mapping_take(struct shunt_space *space, struct mapping *mapping)
{
	int ret;

	if (!bit_test(mapping->in, space->slot))
		return 0;
	ret = shunt_ioas_unmap(
		space->all->iommufd, space->ioas_id, mapping->about.iova, mapping->about.length);
	if (ret && ret != -ENOENT)
		return ret;
	bit_clear(mapping->in, space->slot);
	space->mapped -= mapping->about.length;
	return 0;
}

/* Whether a mapping begins where the one before ends, so that one call copies both. */
static bool continues(
	const struct mapping *before, const struct mapping *mapping, const struct shunt_space *from)
{
	return mapping && mapping->range.start == before->range.last + 1 &&
	       mapping->about.prot == before->about.prot && bit_test(mapping->in, from->slot);
}

int mapping_copy_all(struct shunt_space *space, unsigned int slot)
{
	struct shunt_spaces *spaces = space->all;
	struct mapping *first = mapping_next_wanted(spaces, NULL, slot), *last, *end;
	int ret = 0;

	while (first && !ret) {
		const struct shunt_space *source = holder(spaces, first);

		end = first;
		do {
			last = end;
			end = mapping_next_wanted(spaces, last, slot);
		} while (source && continues(last, end, source));
		ret = copy_or_map(space, source, first, last->range.last - first->range.start + 1);
		for (; !ret && first != end; first = mapping_next_wanted(spaces, first, slot)) {
			if (!bit_test(first->wanted, SHARED))
				bit_set(first->wanted, space->slot);
			note(space, first);
		}
	}
	return ret;
}

void mapping_forget(struct shunt_space *space)
{
	struct shunt_spaces *spaces = space->all;
	struct mapping *mapping = shunt_ranges_next(&spaces->table, NULL, 0, UINT64_MAX), *next;

	for (; mapping; mapping = next) {
		next = shunt_ranges_next(&spaces->table, mapping, 0, UINT64_MAX);
		bit_clear(mapping->in, space->slot);
		mapping_unwant(spaces, mapping, space->slot);
	}
}
