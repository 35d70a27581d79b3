/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "shunt_error.h"
#include "spaces.h"

static int make_hwpt(
	struct shunt_space *space, int group, struct shunt_vfio_device *device, uint32_t *hwpt_id)
{
	struct space_hwpt *hwpts;
	int ret;

	hwpts = realloc(space->hwpts, (space->hwpt_count + 1) * sizeof(*hwpts));
	if (!hwpts)
		return shunt_fail(-ENOMEM, "no memory for another hwpt");
	space->hwpts = hwpts;
	ret = shunt_hwpt_alloc(space->all->iommufd, device->id, space->ioas_id, hwpt_id);
	/*
	 * Some IOMMU drivers (virtio-iommu's in Linux 6.12) know what a domain can translate only
	 * once a device is attached to it; until then it is nothing, and the mappings are in its
	 * way. There the kernel makes the hwpt inside each attach to the IOAS. If it really is too
	 * small, that attach fails with the same errno.
	 */
	if (ret == -EADDRINUSE)
		*hwpt_id = space->ioas_id;
	else if (ret)
		return ret;
	hwpts[space->hwpt_count++] = (struct space_hwpt){ .group = group, .id = *hwpt_id };
	return 0;
}

int shunt_space_hwpt(
	struct shunt_space *space, int group, struct shunt_vfio_device *device, uint32_t *hwpt_id)
{
	int ret = 0;
	size_t i;

	pthread_mutex_lock(&space->all->lock);
	for (i = 0; i < space->hwpt_count && space->hwpts[i].group != group; i++)
		;
	if (i < space->hwpt_count)
		*hwpt_id = space->hwpts[i].id;
	else
		ret = make_hwpt(space, group, device, hwpt_id);
	pthread_mutex_unlock(&space->all->lock);
	return ret ? shunt_fail_while(ret, "hwpt of space '%s' for group %d", space->name, group)
		   : 0;
}

int space_destroy_hwpts(struct shunt_space *space)
{
	int ret;

	for (; space->hwpt_count; space->hwpt_count--) {
		uint32_t id = space->hwpts[space->hwpt_count - 1].id;

		if (id == space->ioas_id)
			continue;
		ret = shunt_iommufd_destroy_id(space->all->iommufd, id);
		if (ret)
			return ret;
	}
	return 0;
}
