/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_iommufd.h"

#define MAP_PROT  (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)
#define MAP_FLAGS (IOMMU_IOAS_MAP_FIXED_IOVA | MAP_PROT)

/* New areas with adjacent IOVAs, before an IOAS has them. */
struct pieces {
	struct sim_area **areas;
	size_t count;
};

static unsigned int prot_of(uint32_t flags)
{
	return (flags & IOMMU_IOAS_MAP_READABLE ? SHUNT_DMA_READ : 0) |
	       (flags & IOMMU_IOAS_MAP_WRITEABLE ? SHUNT_DMA_WRITE : 0);
}

static int add_piece(struct pieces *pieces, uint8_t *memory, struct sim_pages *held,
	uint64_t length, unsigned int prot, bool writable)
{
	struct sim_area **areas = reallocarray(pieces->areas, pieces->count + 1, sizeof(*areas));
	struct sim_area *area;

	if (!areas)
		return -ENOMEM;
	pieces->areas = areas;
	area = calloc(1, sizeof(*area));
	if (!area)
		return -ENOMEM;
	area->memory = memory;
	area->last = length - 1; /* relative: its IOVA is not known yet */
	area->prot = prot;
	area->writable = writable;
	area->pages = held;
	sim_pages_hold(held);
	pieces->areas[pieces->count++] = area;
	return 0;
}

static void free_pieces(struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++)
		sim_area_free(pieces->areas[i]);
	free(pieces->areas);
}

/* What determines the alignment of the IOVA: the address, or the offset in the file. */
static uint64_t alignment_hint(const struct sim_area *area)
{
	if (!area->pages)
		return (uintptr_t)area->memory;
	return area->pages->start + (uint64_t)(area->memory - area->pages->memory);
}

/* Checks a piece as the kernel does when it inserts an area, and sets its IOVA. */
static int place_piece(struct sim_iova_space *space, struct sim_area *area, uint64_t iova)
{
	if ((area->prot & SHUNT_DMA_WRITE) && !area->writable)
		return -EPERM;
	if (((uintptr_t)area->memory & (SIM_PAGE_SIZE - 1)) & (space->alignment - 1))
		return -EINVAL;
	area->start = iova;
	if (__builtin_add_overflow(iova, area->last, &area->last))
		return -EOVERFLOW;
	return 0;
}

/* Inserts the pieces at *iova, or where they fit, and maps them in all hwpts. They are the IOAS's
 * then. */
static int map_pieces(struct sim *sim, struct sim_ioas *ioas, struct pieces *pieces,
	uint64_t length, uint64_t *iova, bool fixed)
{
	struct sim_iova_space *space = &ioas->space;
	size_t inserted = 0;
	uint64_t at;
	int ret;

	if ((length & (space->alignment - 1)) || !length)
		return -EINVAL;
	if (fixed)
		ret = sim_iova_check(space, *iova, length);
	else
		ret = sim_iova_place(space, alignment_hint(pieces->areas[0]), length, iova);
	if (ret)
		return ret;
	at = *iova;
	for (size_t i = 0; i < pieces->count; i++) {
		struct sim_area *area = pieces->areas[i];

		ret = place_piece(space, area, at);
		if (ret)
			goto undo;
		at = area->last + 1;
		ret = sim_iova_insert(space, area);
		if (ret)
			goto undo;
		inserted++;
	}
	ret = sim_hwpts_map(ioas, pieces->areas, pieces->count);
	if (ret)
		goto undo;
	sim->objects.mappings += (unsigned int)pieces->count;
	pieces->count = 0;
	return 0;

undo:
	while (inserted--)
		sim_iova_remove(space, pieces->areas[inserted]);
	return ret;
}

int sim_ioas_map(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_ioas_map *command = &request->map;
	struct pieces pieces = { .areas = NULL };
	unsigned int prot = prot_of(command->flags);
	uint64_t iova = command->iova;
	struct sim_ioas *ioas;
	uint64_t end;
	int ret;

	if ((command->flags & ~(uint32_t)MAP_FLAGS) || command->__reserved)
		return -EOPNOTSUPP;
	if (command->iova == UINT64_MAX || command->length == UINT64_MAX)
		return -EOVERFLOW;
	if (!prot)
		return -EINVAL;
	ioas = sim_ioas_find(iommufd, command->ioas_id);
	if (!ioas)
		return -ENOENT;
	if (command->length > UINT64_MAX - SIM_PAGE_SIZE || command->length == 0)
		return -EINVAL;
	if (__builtin_add_overflow(command->user_va, command->length, &end))
		return -EOVERFLOW;

	ret = add_piece(&pieces, (uint8_t *)(uintptr_t)command->user_va, NULL, command->length,
		prot, prot & SHUNT_DMA_WRITE);
	if (!ret)
		ret = map_pieces(iommufd->file.sim, ioas, &pieces, command->length, &iova,
			command->flags & IOMMU_IOAS_MAP_FIXED_IOVA);
	command->iova = iova;
	free_pieces(&pieces);
	return ret;
}

int sim_ioas_map_file(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_ioas_map_file *command = &request->map_file;
	bool fixed = command->flags & IOMMU_IOAS_MAP_FIXED_IOVA;
	struct pieces pieces = { .areas = NULL };
	unsigned int prot = prot_of(command->flags);
	uint64_t iova = command->iova;
	struct sim_pages *held;
	struct sim_ioas *ioas;
	int ret;

	if (command->flags & ~(uint32_t)MAP_FLAGS)
		return -EOPNOTSUPP;
	if (command->iova == UINT64_MAX || command->length == UINT64_MAX)
		return -EOVERFLOW;
	if (!prot)
		return -EINVAL;
	ioas = sim_ioas_find(iommufd, command->ioas_id);
	if (!ioas)
		return -ENOENT;
	ret = sim_pages_create(
		command->fd, command->start, command->length, fixed ? iova : command->start, &held);
	if (ret)
		return ret;
	ret = add_piece(&pieces, held->memory, held, command->length, prot, prot & SHUNT_DMA_WRITE);
	if (!ret)
		ret = map_pieces(iommufd->file.sim, ioas, &pieces, command->length, &iova, fixed);
	command->iova = iova;
	free_pieces(&pieces);
	sim_pages_put(held);
	return ret;
}

/* Collects what is mapped from iova on, without a gap, for length bytes. */
static int collect(struct sim_ioas *ioas, uint64_t iova, uint64_t length, unsigned int prot,
	struct pieces *pieces)
{
	struct sim_iova_space *space = &ioas->space;
	uint64_t last;

	if (!length)
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	for (size_t i = sim_iova_first(space, iova);; i++) {
		const struct sim_area *area;
		uint64_t end;
		int ret;

		if (i == space->area_count || space->areas[i]->start > iova)
			return -ENOENT;
		area = space->areas[i];
		end = area->last < last ? area->last : last;
		ret = add_piece(pieces, area->memory + (iova - area->start), area->pages,
			end - iova + 1, prot, area->writable);
		if (ret || end == last)
			return ret;
		iova = end + 1;
	}
}

int sim_ioas_copy(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_ioas_copy *command = &request->copy;
	struct pieces pieces = { .areas = NULL };
	unsigned int prot = prot_of(command->flags);
	uint64_t iova = command->dst_iova;
	struct sim_ioas *from, *to;
	int ret;

	if (command->flags & ~(uint32_t)MAP_FLAGS)
		return -EOPNOTSUPP;
	if (command->length == UINT64_MAX || command->src_iova == UINT64_MAX ||
		command->dst_iova == UINT64_MAX)
		return -EOVERFLOW;
	if (!prot)
		return -EINVAL;
	from = sim_ioas_find(iommufd, command->src_ioas_id);
	if (!from)
		return -ENOENT;
	ret = collect(from, command->src_iova, command->length, prot, &pieces);
	if (ret)
		goto out;
	to = sim_ioas_find(iommufd, command->dst_ioas_id);
	if (!to) {
		ret = -ENOENT;
		goto out;
	}
	ret = map_pieces(iommufd->file.sim, to, &pieces, command->length, &iova,
		command->flags & IOMMU_IOAS_MAP_FIXED_IOVA);
	command->dst_iova = iova;
out:
	free_pieces(&pieces);
	return ret;
}

/* Unmaps whole areas until one reaches out of the interval; those before it stay unmapped. */
static int unmap_areas(
	struct sim *sim, struct sim_ioas *ioas, uint64_t start, uint64_t last, uint64_t *unmapped)
{
	struct sim_iova_space *space = &ioas->space;
	size_t first = sim_iova_first(space, start);
	size_t end = first;
	int ret = 0;

	*unmapped = 0;
	while (end < space->area_count && space->areas[end]->start <= last) {
		struct sim_area *area = space->areas[end];

		if (area->start < start || area->last > last) {
			ret = -ENOENT;
			break;
		}
		sim_hwpts_unmap(ioas, area);
		*unmapped += area->last - area->start + 1;
		sim_area_free(area);
		end++;
	}
	if (end > first)
		memmove(&space->areas[first], &space->areas[end],
			(space->area_count - end) * sizeof(*space->areas));
	space->area_count -= end - first;
	sim->objects.mappings -= (unsigned int)(end - first);
	return ret;
}

int sim_ioas_unmap(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_ioas_unmap *command = &request->unmap;
	struct sim *sim = iommufd->file.sim;
	struct sim_ioas *ioas = sim_ioas_find(iommufd, command->ioas_id);
	uint64_t unmapped, last;
	int ret;

	if (!ioas)
		return -ENOENT;
	if (command->iova == 0 && command->length == UINT64_MAX) {
		ret = unmap_areas(sim, ioas, 0, UINT64_MAX, &unmapped);
	} else {
		if (command->iova == UINT64_MAX || command->length == UINT64_MAX)
			return -EOVERFLOW;
		if (!command->length)
			return -EINVAL;
		if (__builtin_add_overflow(command->iova, command->length - 1, &last))
			return -EOVERFLOW;
		ret = unmap_areas(sim, ioas, command->iova, last, &unmapped);
		if (!ret && !unmapped)
			ret = -ENOENT;
	}
	if (!ret)
		command->length = unmapped;
	return ret;
}
