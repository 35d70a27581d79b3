/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_dma.h"
#include "sim_iova.h"

/*
 * Largest alignment of an IOVA that the kernel chooses: a page in a kernel without transparent
 * hugepages, 2 MiB in one with them (io_pagetable.c).
 */
#define PLACE_ALIGNMENT_MAX SIM_PAGE_SIZE

void sim_iova_init(struct sim_iova_space *space)
{
	memset(space, 0, sizeof(*space));
	space->alignment = 1;
}

void sim_area_free(struct sim_area *area)
{
	if (!area)
		return;
	sim_pages_put(area->pages);
	free(area);
}

void sim_iova_free(struct sim_iova_space *space)
{
	for (size_t i = 0; i < space->area_count; i++)
		sim_area_free(space->areas[i]);
	free(space->areas);
	free(space->reserved);
	free(space->allowed);
	sim_iova_init(space);
}

size_t sim_iova_first(const struct sim_iova_space *space, uint64_t iova)
{
	size_t low = 0, high = space->area_count;

	/* Most mappings come in ascending order. */
	if (high && space->areas[high - 1]->last < iova)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (space->areas[middle]->last < iova)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool sim_iova_mapped(const struct sim_iova_space *space, uint64_t start, uint64_t last)
{
	size_t i = sim_iova_first(space, start);

	return i < space->area_count && space->areas[i]->start <= last;
}

bool sim_iova_reserved(const struct sim_iova_space *space, uint64_t start, uint64_t last)
{
	for (size_t i = 0; i < space->reserved_count; i++) {
		const struct iommu_iova_range *interval = &space->reserved[i].interval;

		if (interval->start <= last && interval->last >= start)
			return true;
	}
	return false;
}

static bool wanted(const struct sim_iova_space *space, uint64_t start, uint64_t last)
{
	for (size_t i = 0; i < space->allowed_count; i++) {
		if (space->allowed[i].start <= last && space->allowed[i].last >= start)
			return true;
	}
	return false;
}

int sim_iova_check(const struct sim_iova_space *space, uint64_t iova, uint64_t length)
{
	uint64_t last;

	if (iova & (space->alignment - 1))
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	if (sim_iova_reserved(space, iova, last))
		return -EINVAL;
	if (sim_iova_mapped(space, iova, last))
		return -EEXIST;
	return 0;
}

/* First reserved or mapped interval that ends at or after `at`. */
static bool next_used(
	const struct sim_iova_space *space, uint64_t at, struct iommu_iova_range *used)
{
	size_t i = sim_iova_first(space, at);
	bool found = false;

	if (i < space->area_count) {
		used->start = space->areas[i]->start;
		used->last = space->areas[i]->last;
		found = true;
	}
	for (i = 0; i < space->reserved_count; i++) {
		const struct iommu_iova_range *interval = &space->reserved[i].interval;

		if (interval->last >= at && (!found || interval->start < used->start)) {
			*used = *interval;
			found = true;
		}
	}
	return found;
}

/* Aligns the start of a free interval. @return whether the length still fits */
static bool align_start(struct iommu_iova_range *interval, uint64_t length, uint64_t alignment,
	uint64_t page_offset)
{
	uint64_t aligned;

	if (__builtin_add_overflow(interval->start, alignment - 1, &aligned))
		return false;
	aligned = (aligned & ~(alignment - 1)) | page_offset;
	/* The kernel wants more room than the length strictly needs: start below last. */
	if (aligned >= interval->last || interval->last - aligned < length - 1)
		return false;
	interval->start = aligned;
	return true;
}

/* Looks in one allowed interval. */
static bool place_in(const struct sim_iova_space *space, struct iommu_iova_range allowed,
	uint64_t length, uint64_t alignment, uint64_t page_offset, uint64_t *iova)
{
	uint64_t at;

	if (!align_start(&allowed, length, alignment, page_offset))
		return false;
	at = allowed.start;
	for (;;) {
		struct iommu_iova_range hole = { at, allowed.last };
		struct iommu_iova_range used = { 0, 0 };
		bool found = next_used(space, at, &used) && used.start <= allowed.last;

		if (!found || used.start > at) {
			if (found)
				hole.last = used.start - 1;
			if (align_start(&hole, length, alignment, page_offset)) {
				*iova = hole.start;
				return true;
			}
		}
		if (!found || used.last >= allowed.last)
			return false;
		at = used.last + 1;
	}
}

static uint64_t round_up_to_power_of_two(uint64_t value)
{
	return value <= 1 ? 1 : 1ull << (64 - __builtin_clzll(value - 1));
}

int sim_iova_place(
	const struct sim_iova_space *space, uint64_t memory, uint64_t length, uint64_t *iova)
{
	const struct iommu_iova_range everything = { SIM_PAGE_SIZE, UINT64_MAX - SIM_PAGE_SIZE };
	uint64_t page_offset = memory & (SIM_PAGE_SIZE - 1);
	uint64_t alignment;

	if (length == 0 || length >= UINT64_MAX / 2)
		return -EOVERFLOW;
	alignment = round_up_to_power_of_two(length);
	if (memory && alignment > (memory & -memory))
		alignment = memory & -memory;
	if (alignment > PLACE_ALIGNMENT_MAX)
		alignment = PLACE_ALIGNMENT_MAX;
	if (alignment < space->alignment)
		return -EINVAL;

	if (!space->allowed_count)
		return place_in(space, everything, length, alignment, page_offset, iova) ? 0
											 : -ENOSPC;
	for (size_t i = 0; i < space->allowed_count; i++) {
		struct iommu_iova_range allowed = space->allowed[i];

		/* Neighbours without a gap count as one. */
		while (i + 1 < space->allowed_count &&
			space->allowed[i + 1].start == allowed.last + 1)
			allowed.last = space->allowed[++i].last;
		if (allowed.last < everything.start || allowed.start > everything.last)
			continue;
		if (allowed.start < everything.start)
			allowed.start = everything.start;
		if (allowed.last > everything.last)
			allowed.last = everything.last;
		if (place_in(space, allowed, length, alignment, page_offset, iova))
			return 0;
	}
	return -ENOSPC;
}

int sim_iova_insert(struct sim_iova_space *space, struct sim_area *area)
{
	const size_t at = sim_iova_first(space, area->start);
	struct sim_area **areas = reallocarray(space->areas, space->area_count + 1, sizeof(*areas));

	if (!areas)
		return -ENOMEM;
	memmove(&areas[at + 1], &areas[at], (space->area_count - at) * sizeof(*areas));
	areas[at] = area;
	space->areas = areas;
	space->area_count++;
	return 0;
}

void sim_iova_remove(struct sim_iova_space *space, struct sim_area *area)
{
	size_t at = sim_iova_first(space, area->start);

	space->area_count--;
	memmove(&space->areas[at], &space->areas[at + 1],
		(space->area_count - at) * sizeof(*space->areas));
}

int sim_iova_reserve(struct sim_iova_space *space, uint64_t start, uint64_t last, const void *owner)
{
	struct sim_reservation *reserved;
	size_t at = 0;

	if (sim_iova_mapped(space, start, last) || wanted(space, start, last))
		return -EADDRINUSE;
	reserved = realloc(space->reserved, (space->reserved_count + 1) * sizeof(*reserved));
	if (!reserved)
		return -ENOMEM;
	space->reserved = reserved;
	while (at < space->reserved_count && reserved[at].interval.start <= start)
		at++;
	memmove(&reserved[at + 1], &reserved[at], (space->reserved_count - at) * sizeof(*reserved));
	reserved[at] = (struct sim_reservation){ { start, last }, owner };
	space->reserved_count++;
	return 0;
}

void sim_iova_unreserve(struct sim_iova_space *space, const void *owner)
{
	size_t kept = 0;

	for (size_t i = 0; i < space->reserved_count; i++) {
		if (space->reserved[i].owner != owner)
			space->reserved[kept++] = space->reserved[i];
	}
	space->reserved_count = kept;
}

int sim_iova_aligned(const struct sim_iova_space *space, uint64_t alignment)
{
	for (size_t i = 0; i < space->area_count; i++) {
		const struct sim_area *area = space->areas[i];
		uint64_t bits = area->start | (area->last + 1 - area->start) |
				((uintptr_t)area->memory & (SIM_PAGE_SIZE - 1));

		if (bits & (alignment - 1))
			return -EADDRINUSE;
	}
	return 0;
}

bool sim_iova_usable(
	const struct sim_iova_space *space, uint64_t from, struct iommu_iova_range *usable)
{
	*usable = (struct iommu_iova_range){ from, UINT64_MAX };
	for (size_t i = 0; i < space->reserved_count; i++) {
		const struct iommu_iova_range *reserved = &space->reserved[i].interval;

		if (reserved->last < usable->start)
			continue;
		if (reserved->start > usable->start) {
			usable->last = reserved->start - 1;
			return true;
		}
		if (reserved->last == UINT64_MAX)
			return false;
		usable->start = reserved->last + 1;
	}
	return true;
}
