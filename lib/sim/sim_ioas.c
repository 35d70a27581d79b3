/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_iommufd.h"
#include "sim_user.h"

int sim_ioas_alloc(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_ioas_alloc *command = &request->ioas_alloc;
	struct sim_ioas *ioas;
	int ret;

	if (command->flags)
		return -EOPNOTSUPP;
	ioas = calloc(1, sizeof(*ioas));
	if (!ioas)
		return -ENOMEM;
	ret = sim_object_add(iommufd, &ioas->object, SIM_OBJECT_IOAS);
	if (ret) {
		free(ioas);
		return ret;
	}
	sim_iova_init(&ioas->space);
	TAILQ_INIT(&ioas->hwpts);
	iommufd->file.sim->objects.ioas++;
	command->out_ioas_id = ioas->object.id;
	return 0;
}

void sim_ioas_free(struct sim *sim, struct sim_ioas *ioas)
{
	sim->objects.mappings -= (unsigned int)ioas->space.area_count;
	sim->objects.ioas--;
	sim_iova_free(&ioas->space);
	free(ioas);
}

int sim_ioas_iova_ranges(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_ioas_iova_ranges *command = &request->iova_ranges;
	struct sim_ioas *ioas;
	struct iommu_iova_range usable = { 0 };
	uint32_t room = command->num_iovas;
	bool more;

	if (command->__reserved)
		return -EOPNOTSUPP;
	ioas = sim_ioas_find(iommufd, command->ioas_id);
	if (!ioas)
		return -ENOENT;
	command->num_iovas = 0;
	command->out_iova_alignment = ioas->space.alignment;
	more = sim_iova_usable(&ioas->space, 0, &usable);
	while (more) {
		uint64_t to = command->allowed_iovas + command->num_iovas * sizeof(usable);

		if (command->num_iovas < room && sim_user_write(to, &usable, sizeof(usable)))
			return -EFAULT;
		command->num_iovas++;
		more = usable.last != UINT64_MAX &&
		       sim_iova_usable(&ioas->space, usable.last + 1, &usable);
	}
	return command->num_iovas > room ? -EMSGSIZE : 0;
}

static int insert_allowed(
	struct iommu_iova_range *allowed, size_t count, struct iommu_iova_range range)
{
	size_t at = 0;

	if (range.start >= range.last)
		return -EINVAL;
	while (at < count && allowed[at].last < range.start)
		at++;
	if (at < count && allowed[at].start <= range.last)
		return -EINVAL;
	memmove(&allowed[at + 1], &allowed[at], (count - at) * sizeof(*allowed));
	allowed[at] = range;
	return 0;
}

int sim_ioas_allow_iovas(struct sim_iommufd *iommufd, union sim_command *request)
{
	struct iommu_ioas_allow_iovas *command = &request->allow_iovas;
	struct iommu_iova_range *allowed = NULL;
	struct sim_ioas *ioas;
	uint32_t count = command->num_iovas;
	int ret = 0;

	if (command->__reserved)
		return -EOPNOTSUPP;
	ioas = sim_ioas_find(iommufd, command->ioas_id);
	if (!ioas)
		return -ENOENT;
	for (uint32_t i = 0; i < count; i++) {
		struct iommu_iova_range *grown = realloc(allowed, (i + 1) * sizeof(*grown));
		struct iommu_iova_range range;

		if (!grown) {
			ret = -ENOMEM;
			goto out;
		}
		allowed = grown;
		ret = sim_user_read(
			&range, command->allowed_iovas + i * sizeof(range), sizeof(range));
		if (!ret)
			ret = insert_allowed(allowed, i, range);
		if (ret)
			goto out;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (sim_iova_reserved(&ioas->space, allowed[i].start, allowed[i].last)) {
			ret = -EADDRINUSE;
			goto out;
		}
	}
	free(ioas->space.allowed);
	ioas->space.allowed = allowed;
	ioas->space.allowed_count = count;
	return 0;

out:
	free(allowed);
	return ret;
}

static int disable_large(struct sim_ioas *ioas)
{
	struct sim_iova_space *space = &ioas->space;
	int ret;

	if (space->small_pages)
		return 0;
	if (!TAILQ_EMPTY(&ioas->hwpts) && space->area_count)
		return -EINVAL;
	ret = sim_iova_aligned(space, SIM_PAGE_SIZE);
	if (ret)
		return ret;
	space->small_pages = true;
	space->alignment = SIM_PAGE_SIZE;
	return 0;
}

int sim_ioas_option(struct sim_iommufd *iommufd, struct iommu_option *command)
{
	struct sim_ioas *ioas = sim_ioas_find(iommufd, command->object_id);

	if (!ioas)
		return -ENOENT;
	if (command->op == IOMMU_OPTION_OP_GET) {
		command->val64 = !ioas->space.small_pages;
		return 0;
	}
	if (command->op != IOMMU_OPTION_OP_SET)
		return -EOPNOTSUPP;
	if (command->val64 == 0)
		return disable_large(ioas);
	if (command->val64 != 1)
		return -EINVAL;
	ioas->space.small_pages = false;
	ioas->space.alignment = TAILQ_EMPTY(&ioas->hwpts) ? 1 : SIM_PAGE_SIZE;
	return 0;
}
