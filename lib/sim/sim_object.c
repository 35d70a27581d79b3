/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim_iommufd.h"

int sim_object_add(
	struct sim_iommufd *iommufd, struct sim_object *object, enum sim_object_type type)
{
	uint32_t slot = 0;

	while (slot < iommufd->capacity && iommufd->objects[slot])
		slot++;
	if (slot == iommufd->capacity) {
		uint32_t capacity = iommufd->capacity ? 2 * iommufd->capacity : 16;
		struct sim_object **objects =
			realloc(iommufd->objects, capacity * sizeof(*objects));

		if (!objects)
			return -ENOMEM;
		memset(&objects[slot], 0, (capacity - slot) * sizeof(*objects));
		iommufd->objects = objects;
		iommufd->capacity = capacity;
	}
	object->type = type;
	object->id = slot + 1;
	object->users = 1;
	iommufd->objects[slot] = object;
	return 0;
}

void sim_object_remove(struct sim_iommufd *iommufd, struct sim_object *object)
{
	iommufd->objects[object->id - 1] = NULL;
}

struct sim_object *sim_object_find(struct sim_iommufd *iommufd, uint32_t id)
{
	return id && id <= iommufd->capacity ? iommufd->objects[id - 1] : NULL;
}

static void *find(struct sim_iommufd *iommufd, uint32_t id, enum sim_object_type type)
{
	struct sim_object *object = sim_object_find(iommufd, id);

	return object && object->type == type ? object : NULL;
}

struct sim_ioas *sim_ioas_find(struct sim_iommufd *iommufd, uint32_t id)
{
	return find(iommufd, id, SIM_OBJECT_IOAS);
}

struct sim_hwpt *sim_hwpt_find(struct sim_iommufd *iommufd, uint32_t id)
{
	return find(iommufd, id, SIM_OBJECT_HWPT);
}

struct sim_device *sim_device_find(struct sim_iommufd *iommufd, uint32_t id)
{
	return find(iommufd, id, SIM_OBJECT_DEVICE);
}
