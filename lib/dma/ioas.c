/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <shunt/error.h>

#include "spaces.h"

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

static void note(struct shunt_space *space, struct mapping *mapping, bool in)
{
	const uint64_t length = mapping->about.length;
	const bool before = !set_empty(&mapping->in);
	const bool by_file = mapping->shared && mapping->about.by_file;

	set_put(&mapping->in, space, in);
	space->mapped += in ? length : -length;
	if (by_file && before == set_empty(&mapping->in))
		space->all->file_bytes += in ? length : -length;
}

int mapping_put(struct shunt_space *space, struct mapping *mapping)
{
	const struct shunt_space *from = mapping_holder(space->all, mapping);
	struct shunt_mapping *about = &mapping->about;
	char why[512];
	int ret;

	if (from)
		ret = shunt_ioas_copy(space->all->iommufd, space->ioas_id, from->ioas_id,
			about->iova, about->length, about->prot);
	else
		ret = map_memory(space, about);
	if (!ret)
		note(space, mapping, true);
	if (ret != -EINVAL)
		return ret;
	snprintf(why, sizeof(why), "%s", shunt_errmsg());
	ret = space_allows(space, about);
	return ret ? ret : shunt_fail(-EINVAL, "%s", why);
}

int mapping_take(struct shunt_space *space, struct mapping *mapping)
{
	int ret;

	if (!set_has(&mapping->in, space))
		return 0;
	ret = shunt_ioas_unmap(
		space->all->iommufd, space->ioas_id, mapping->about.iova, mapping->about.length);
	if (ret && ret != -ENOENT)
		return ret;
	note(space, mapping, false);
	return 0;
}

/* Whether a mapping goes on where the one before ends, so that one call copies both. */
static bool goes_on(
	const struct mapping *before, const struct mapping *mapping, const struct shunt_space *from)
{
	return mapping && mapping->range.start == before->range.last + 1 &&
	       mapping->about.prot == before->about.prot && set_has(&mapping->in, from);
}

static bool is_for(const struct mapping *mapping, const struct shunt_space *from)
{
	return (mapping->shared || from) && mapping_wanted(mapping, from);
}

static struct mapping *next_for(const struct shunt_spaces *spaces, const struct mapping *after,
	const struct shunt_space *from)
{
	struct mapping *mapping;

	do
		mapping = mapping_next(spaces, after, 0, UINT64_MAX);
	while ((after = mapping) && !is_for(mapping, from));
	return mapping;
}

/* One call for a run of mappings side by side; they stay mappings of their own. */
int mapping_copy_all(struct shunt_space *space, const struct shunt_space *from)
{
	struct shunt_spaces *spaces = space->all;
	struct mapping *first = next_for(spaces, NULL, from), *last, *end, *each;
	int ret = 0;

	for (; first && !ret; first = end) {
		const struct shunt_space *source = mapping_holder(spaces, first);

		last = first;
		end = next_for(spaces, first, from);
		while (source && goes_on(last, end, source)) {
			last = end;
			end = next_for(spaces, end, from);
		}
		if (source)
			ret = shunt_ioas_copy(spaces->iommufd, space->ioas_id, source->ioas_id,
				first->about.iova, last->range.last - first->range.start + 1,
				first->about.prot);
		else
			ret = map_memory(space, &first->about);
		for (each = first; !ret && each != end; each = next_for(spaces, each, from)) {
			set_put(&each->own, space, !each->shared);
			note(space, each, true);
		}
	}
	return ret;
}

void mapping_forget(struct shunt_space *space)
{
	struct shunt_spaces *spaces = space->all;
	struct mapping *mapping = mapping_next(spaces, NULL, 0, UINT64_MAX), *next;

	for (; mapping; mapping = next) {
		next = mapping_next(spaces, mapping, 0, UINT64_MAX);
		if (set_has(&mapping->in, space))
			note(space, mapping, false);
		mapping_unwant(spaces, mapping, space);
	}
}
