/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "sim_iommufd.h"

/* VT-d's interrupt window, which no IOVA may use (Intel VT-d specification, 3.14). */
#define MSI_WINDOW_FIRST 0xfee00000u
#define MSI_WINDOW_LAST  0xfeefffffu

/* How a device gets to a hwpt: a first attach, or a replace. */
typedef int (*move_fn)(struct sim_device *device, struct sim_hwpt *hwpt, struct sim_hwpt **old);

int sim_device_bind(
	struct sim_iommufd *iommufd, struct sim_function *function, struct sim_device **device)
{
	struct sim_group *group = function->group;
	struct sim_device *created;
	int ret;

	if (group->owner && group->owner != iommufd)
		return -EPERM;
	created = calloc(1, sizeof(*created));
	if (!created)
		return -ENOMEM;
	ret = sim_object_add(iommufd, &created->object, SIM_OBJECT_DEVICE);
	if (ret) {
		free(created);
		return ret;
	}
	created->object.users++;
	created->iommufd = iommufd;
	created->function = function;
	group->owner = iommufd;
	group->owner_count++;
	function->sim->objects.devices++;
	*device = created;
	return 0;
}

void sim_device_unbind(struct sim_device *device)
{
	struct sim_group *group = device->function->group;

	sim_device_detach(device);
	sim_object_remove(device->iommufd, &device->object);
	if (--group->owner_count == 0)
		group->owner = NULL;
	device->function->sim->objects.devices--;
	free(device);
}

static int reserve_msi_window(struct sim_ioas *ioas, struct sim_device *device)
{
	int ret = sim_iova_reserve(&ioas->space, MSI_WINDOW_FIRST, MSI_WINDOW_LAST, device);

	if (ret)
		sim_iova_unreserve(&ioas->space, device);
	return ret;
}

static void unreserve_members(struct sim_group *group, struct sim_ioas *ioas)
{
	struct sim_device *member;

	TAILQ_FOREACH (member, &group->attached, link)
		sim_iova_unreserve(&ioas->space, member);
}

/* First attach of a device. The first member moves the group; the others must name the same hwpt.
 */
static int attach(struct sim_device *device, struct sim_hwpt *hwpt, struct sim_hwpt **old)
{
	struct sim_group *group = device->function->group;
	int ret;

	*old = NULL;
	if (group->hwpt && group->hwpt != hwpt)
		return -EINVAL;
	ret = reserve_msi_window(hwpt->ioas, device);
	if (ret)
		return ret;
	if (TAILQ_EMPTY(&group->attached)) {
		sim_iommu_switch(group, hwpt->domain);
		group->hwpt = hwpt;
	}
	hwpt->object.users++;
	TAILQ_INSERT_TAIL(&group->attached, device, link);
	device->attached = true;
	return 0;
}

/* Detaches a device. Its use of the hwpt is left for the caller to put. */
static struct sim_hwpt *leave(struct sim_device *device)
{
	struct sim_group *group = device->function->group;
	struct sim_hwpt *hwpt = group->hwpt;

	TAILQ_REMOVE(&group->attached, device, link);
	device->attached = false;
	if (TAILQ_EMPTY(&group->attached)) {
		sim_iommu_switch(group, NULL);
		group->hwpt = NULL;
	}
	sim_iova_unreserve(&hwpt->ioas->space, device);
	return hwpt;
}

/* Puts one use of a hwpt. The last use of an automatic one destroys it. */
static void put(struct sim_iommufd *iommufd, struct sim_hwpt *hwpt)
{
	hwpt->object.users--;
	if (hwpt->automatic)
		sim_hwpt_destroy(iommufd, hwpt);
}

void sim_device_detach(struct sim_device *device)
{
	if (device->attached)
		put(device->iommufd, leave(device));
}

/*
 * Between two hwpts of one IOAS nothing is reserved, and nothing released if the replace fails.
 * Linux 7.3 releases it then (test/conformance/README.md): that fault is not modelled.
 */
static int reserve_for_members(struct sim_group *group, struct sim_ioas *ioas)
{
	struct sim_device *member;

	if (ioas == group->hwpt->ioas)
		return 0;
	TAILQ_FOREACH (member, &group->attached, link) {
		int ret = reserve_msi_window(ioas, member);

		if (ret) {
			unreserve_members(group, ioas);
			return ret;
		}
	}
	return 0;
}

/* Moves the whole group, and every attached member's use of the old hwpt. */
static int replace(struct sim_device *device, struct sim_hwpt *hwpt, struct sim_hwpt **old)
{
	struct sim_group *group = device->function->group;
	struct sim_hwpt *from = group->hwpt;
	struct sim_device *member;
	int ret;

	*old = NULL;
	if (hwpt == from)
		return 0;
	ret = reserve_for_members(group, hwpt->ioas);
	if (ret)
		return ret;
	sim_iommu_switch(group, hwpt->domain);
	if (hwpt->ioas != from->ioas)
		unreserve_members(group, from->ioas);
	group->hwpt = hwpt;
	TAILQ_FOREACH (member, &group->attached, link) {
		hwpt->object.users++;
		from->object.users--;
	}
	/* One use stays with the caller, which puts it. */
	from->object.users++;
	*old = from;
	return 0;
}

/* Makes a new automatic hwpt. As in Linux, a first attach comes before it is filled, a replace
 * after. */
static int move_to_new(struct sim_device *device, struct sim_ioas *ioas, move_fn move,
	struct sim_hwpt **hwpt, struct sim_hwpt **old)
{
	struct sim_iommufd *iommufd = device->iommufd;
	bool attach_first = move == attach;
	struct sim_hwpt *created;
	int ret;

	ret = sim_hwpt_create(iommufd, ioas, SIM_DIRTY_NEVER, &created);
	if (ret)
		return ret;
	if (attach_first)
		ret = move(device, created, old);
	if (!ret)
		ret = sim_hwpt_fill(created);
	if (!ret && !attach_first)
		ret = move(device, created, old);
	if (!ret) {
		created->automatic = true;
		*hwpt = created;
		return 0;
	}
	if (attach_first && device->attached)
		leave(device)->object.users--;
	sim_hwpt_destroy(iommufd, created);
	return ret;
}

static int move_to_ioas(struct sim_device *device, struct sim_ioas *ioas, move_fn move,
	struct sim_hwpt **hwpt, struct sim_hwpt **old)
{
	struct sim_hwpt *candidate;

	TAILQ_FOREACH (candidate, &ioas->hwpts, link) {
		int ret;

		if (!candidate->automatic)
			continue;
		ret = move(device, candidate, old);
		if (ret == -EINVAL)
			continue;
		if (!ret)
			*hwpt = candidate;
		return ret;
	}
	return move_to_new(device, ioas, move, hwpt, old);
}

int sim_device_attach(struct sim_device *device, uint32_t *pt_id)
{
	struct sim_object *object = sim_object_find(device->iommufd, *pt_id);
	move_fn move = device->attached ? replace : attach;
	struct sim_hwpt *hwpt = NULL;
	struct sim_hwpt *old = NULL;
	int ret;

	if (!object)
		return -ENOENT;
	switch (object->type) {
	case SIM_OBJECT_HWPT:
		hwpt = (struct sim_hwpt *)object;
		ret = move(device, hwpt, &old);
		break;
	case SIM_OBJECT_IOAS:
		ret = move_to_ioas(device, (struct sim_ioas *)object, move, &hwpt, &old);
		break;
	default:
		ret = -EINVAL;
		break;
	}
	if (ret)
		return ret;
	*pt_id = hwpt->object.id;
	if (old)
		put(device->iommufd, old);
	return 0;
}
