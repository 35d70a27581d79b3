/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "sim_vfio.h"

/* One mapping of a region; keeps its device's file open, as a process's mapping does. */
struct sim_region {
	struct sim_file *file;
	void *addr;
	size_t length;
	LIST_ENTRY(sim_region) link;
};

uint64_t sim_region_size(uint32_t index)
{
	switch (index) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		return SIM_NIC_BAR0_SIZE;
	case VFIO_PCI_BAR3_REGION_INDEX:
		return SIM_NIC_BAR3_SIZE;
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return SIM_NIC_CONFIG_SIZE;
	default:
		return 0;
	}
}

int sim_region_map(struct sim_file *file, uint64_t offset, size_t length, void **addr)
{
	struct sim_vfio *vfio = (struct sim_vfio *)file;
	struct sim *sim = file->sim;
	uint64_t in_region = offset & ((1ull << SIM_VFIO_OFFSET_SHIFT) - 1);
	struct sim_region *region;

	if (!length || (offset & (SIM_PAGE_SIZE - 1)) || !atomic_load(&vfio->bound))
		return -EINVAL;
	if (offset >> SIM_VFIO_OFFSET_SHIFT != VFIO_PCI_BAR0_REGION_INDEX)
		return -EINVAL;
	if (in_region > SIM_NIC_BAR0_SIZE || length > SIM_NIC_BAR0_SIZE - in_region)
		return -EINVAL;
	region = calloc(1, sizeof(*region));
	if (!region)
		return -ENOMEM;
	region->file = file;
	region->addr = (uint8_t *)sim_nic_bar0(vfio->function->nic) + in_region;
	region->length = length;
	sim_file_hold(file);

	pthread_mutex_lock(&sim->lock);
	LIST_INSERT_HEAD(&sim->regions, region, link);
	sim->objects.regions++;
	pthread_mutex_unlock(&sim->lock);
	*addr = region->addr;
	return 0;
}

static void release(struct sim_region *region)
{
	struct sim_file *file = region->file;

	free(region);
	sim_file_put(file);
}

int sim_region_unmap(struct sim *sim, void *addr, size_t length)
{
	struct sim_region *region;

	pthread_mutex_lock(&sim->lock);
	LIST_FOREACH (region, &sim->regions, link) {
		if (region->addr == addr && region->length == length)
			break;
	}
	if (region) {
		LIST_REMOVE(region, link);
		sim->objects.regions--;
	}
	pthread_mutex_unlock(&sim->lock);
	if (!region)
		return -EINVAL;
	release(region);
	return 0;
}

void sim_regions_destroy(struct sim *sim)
{
	struct sim_region *region;

	while ((region = LIST_FIRST(&sim->regions)) != NULL) {
		LIST_REMOVE(region, link);
		sim->objects.regions--;
		release(region);
	}
}
