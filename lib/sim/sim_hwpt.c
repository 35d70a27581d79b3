/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <sys/param.h>

#include "sim_iommufd.h"
#include "sim_user.h"

int sim_hwpt_create(struct sim_iommufd *iommufd, struct sim_ioas *ioas, enum sim_dirty dirty,
	struct sim_hwpt **hwpt)
{
	struct sim *sim = iommufd->file.sim;
	struct sim_hwpt *created = calloc(1, sizeof(*created));
	int ret;

	if (!created)
		return -ENOMEM;
	ret = sim_domain_create(&sim->iommu, dirty, &created->domain);
	if (ret)
		goto no_domain;
	ret = sim_object_add(iommufd, &created->object, SIM_OBJECT_HWPT);
	if (ret)
		goto no_id;
	created->ioas = ioas;
	ioas->object.users++;
	sim->objects.hwpt++;
	*hwpt = created;
	return 0;

no_id:
	sim_domain_destroy(created->domain);
no_domain:
	free(created);
	return ret;
}

/* The kernel pins an area for its first hwpt: here the memory is checked then. */
static int map_area(struct sim_hwpt *hwpt, const struct sim_area *area, bool first)
{
	uint64_t length = area->last - area->start + 1;

	if (area->pages) {
		int ret = sim_pages_pin(area->pages);

		if (ret)
			return ret;
	} else if (first && !sim_user_mapped((uintptr_t)area->memory, length)) {
		return -EFAULT;
	}
	/* The parts of a copy need not be whole pages if their sum is: the kernel refuses them
	 * here. */
	if ((area->start | (uintptr_t)area->memory | length) & (SIM_PAGE_SIZE - 1))
		return -EINVAL;
	return sim_domain_map(hwpt->domain, area->start, area->memory, length, area->prot,
		!hwpt->ioas->space.small_pages);
}

static void unmap_area(struct sim_hwpt *hwpt, const struct sim_area *area)
{
	sim_domain_unmap(hwpt->domain, area->start, area->last - area->start + 1);
}

int sim_hwpt_fill(struct sim_hwpt *hwpt)
{
	struct sim_ioas *ioas = hwpt->ioas;
	struct sim_iova_space *space = &ioas->space;
	uint64_t alignment = MAX(space->alignment, SIM_PAGE_SIZE);
	bool first = TAILQ_EMPTY(&ioas->hwpts);
	size_t done = 0;
	int ret;

	if (alignment != space->alignment) {
		ret = sim_iova_aligned(space, alignment);
		if (ret)
			return ret;
	}
	ret = sim_iova_reserve(space, SIM_DOMAIN_LAST + 1, UINT64_MAX, hwpt->domain);
	if (ret)
		return ret;
	while (done < space->area_count) {
		ret = map_area(hwpt, space->areas[done], first);
		if (ret)
			goto undo;
		done++;
	}
	space->alignment = alignment;
	TAILQ_INSERT_TAIL(&ioas->hwpts, hwpt, link);
	hwpt->filled = true;
	return 0;

undo:
	while (done--)
		unmap_area(hwpt, space->areas[done]);
	sim_iova_unreserve(space, hwpt->domain);
	return ret;
}

int sim_hwpt_destroy(struct sim_iommufd *iommufd, struct sim_hwpt *hwpt)
{
	struct sim_ioas *ioas = hwpt->ioas;

	if (hwpt->object.users != 1)
		return -EBUSY;
	sim_object_remove(iommufd, &hwpt->object);
	if (hwpt->filled) {
		TAILQ_REMOVE(&ioas->hwpts, hwpt, link);
		sim_iova_unreserve(&ioas->space, hwpt->domain);
		if (TAILQ_EMPTY(&ioas->hwpts))
			ioas->space.alignment = ioas->space.small_pages ? SIM_PAGE_SIZE : 1;
	}
	sim_domain_destroy(hwpt->domain);
	ioas->object.users--;
	iommufd->file.sim->objects.hwpt--;
	free(hwpt);
	return 0;
}

void sim_hwpts_unmap(struct sim_ioas *ioas, const struct sim_area *area)
{
	struct sim_hwpt *hwpt;

	TAILQ_FOREACH (hwpt, &ioas->hwpts, link)
		unmap_area(hwpt, area);
}

int sim_hwpts_map(struct sim_ioas *ioas, struct sim_area **areas, size_t count)
{
	struct sim_hwpt *hwpt;
	size_t done = 0;
	int ret = 0;

	for (; done < count && !ret; done++)
		for (hwpt = TAILQ_FIRST(&ioas->hwpts); hwpt && !ret; hwpt = TAILQ_NEXT(hwpt, link))
			ret = map_area(hwpt, areas[done], hwpt == TAILQ_FIRST(&ioas->hwpts));
	/* A hwpt that has none of an area loses nothing. */
	while (ret && done--)
		sim_hwpts_unmap(ioas, areas[done]);
	return ret;
}

int sim_hwpt_alloc(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_hwpt_alloc *command = &request->hwpt_alloc;
	const uint32_t allowed =
		iommufd->file.sim->config.dirty_tracking ? IOMMU_HWPT_ALLOC_DIRTY_TRACKING : 0u;
	struct sim_object *object;
	struct sim_hwpt *hwpt;
	int ret;

	if (command->__reserved)
		return -EOPNOTSUPP;
	if ((command->data_type == IOMMU_HWPT_DATA_NONE) != (command->data_len == 0))
		return -EINVAL;
	if (!sim_device_find(iommufd, command->dev_id))
		return -ENOENT;
	object = sim_object_find(iommufd, command->pt_id);
	if (!object)
		return -EINVAL;
	if (object->type == SIM_OBJECT_HWPT) {
		/* A nested hwpt, on one that was not allocated as a parent. */
		if ((command->flags & ~(uint32_t)IOMMU_HWPT_FAULT_ID_VALID) || !command->data_len)
			return -EOPNOTSUPP;
		return -EINVAL;
	}
	if (object->type != SIM_OBJECT_IOAS)
		return -EINVAL;
	if ((command->flags & ~allowed) || command->data_len)
		return -EOPNOTSUPP;

	ret = sim_hwpt_create(iommufd, (struct sim_ioas *)object,
		command->flags ? SIM_DIRTY_OFF : SIM_DIRTY_NEVER, &hwpt);
	if (ret)
		return ret;
	ret = sim_hwpt_fill(hwpt);
	if (ret) {
		sim_hwpt_destroy(iommufd, hwpt);
		return ret;
	}
	command->out_hwpt_id = hwpt->object.id;
	return 0;
}

int sim_hwpt_set_dirty_tracking(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_hwpt_set_dirty_tracking *command = &request->set_dirty_tracking;
	struct sim_hwpt *hwpt;

	if (command->flags & ~(uint32_t)IOMMU_HWPT_DIRTY_TRACKING_ENABLE)
		return -EOPNOTSUPP;
	hwpt = sim_hwpt_find(iommufd, command->hwpt_id);
	if (!hwpt)
		return -ENOENT;
	if (sim_domain_dirty(hwpt->domain) == SIM_DIRTY_NEVER)
		return -EOPNOTSUPP;
	sim_domain_set_dirty(hwpt->domain, command->flags ? SIM_DIRTY_ON : SIM_DIRTY_OFF);
	return 0;
}

/* The caller's bitmap: a bit for each `page_size` bytes from `first` on. */
struct bitmap {
	uint64_t data;
	uint64_t first, last, page_size;
};

/* Sets bits and clears none. As in the kernel, bits are lost where the bitmap is not mapped. */
static void set_bits(void *context, uint64_t first, uint64_t last)
{
	const struct bitmap *bitmap = context;
	uint64_t bit, end, at, word = 0;

	bit = first < bitmap->first ? 0 : (first - bitmap->first) / bitmap->page_size;
	end = ((last > bitmap->last ? bitmap->last : last) - bitmap->first) / bitmap->page_size;
	while (bit <= end) {
		bool there;

		at = bitmap->data + bit / 64 * sizeof(word);
		there = sim_user_read(&word, at, sizeof(word)) == 0;
		do
			word |= 1ull << bit % 64;
		while (bit++ < end && bit % 64);
		if (there)
			sim_user_write(at, &word, sizeof(word));
	}
}

int sim_hwpt_get_dirty_bitmap(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_hwpt_get_dirty_bitmap *command = &request->get_dirty_bitmap;
	struct bitmap bitmap = {
		.data = command->data, .first = command->iova, .page_size = command->page_size
	};
	struct sim_hwpt *hwpt;
	uint64_t bits;

	if ((command->flags & ~(uint32_t)IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) ||
		command->__reserved)
		return -EOPNOTSUPP;
	hwpt = sim_hwpt_find(iommufd, command->hwpt_id);
	if (!hwpt)
		return -ENOENT;
	if (__builtin_add_overflow(command->iova, command->length - 1, &bitmap.last))
		return -EOVERFLOW;
	bits = command->iova | (bitmap.last + 1);
	if ((bits & (hwpt->ioas->space.alignment - 1)) || !command->page_size ||
		(bits & (command->page_size - 1)))
		return -EINVAL;
	if (sim_domain_dirty(hwpt->domain) == SIM_DIRTY_NEVER)
		return -EOPNOTSUPP;
	sim_domain_read_dirty(
		hwpt->domain, bitmap.first, bitmap.last, !command->flags, set_bits, &bitmap);
	return 0;
}
