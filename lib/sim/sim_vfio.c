/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "sim_user.h"
#include "sim_vfio.h"

/* Size of a structure up to and with a member: what a caller's argsz must reach. */
#define SIZE_TO(_struct, _member) \
	(offsetof(struct _struct, _member) + sizeof(((struct _struct *)NULL)->_member))

/* One mapping of a region; keeps its device's file open, as a process's mapping does. */
struct sim_region {
	struct sim_file *file;
	void *addr;
	size_t length;
	LIST_ENTRY(sim_region) link;
};

static uint64_t region_size(uint32_t index)
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

/* vfio-pci clears Bus Master when a device is opened: it starts without permission to make DMA. */
static void clear_bus_master(struct sim_vfio *vfio)
{
	struct sim_nic *nic = vfio->function->nic;
	uint16_t command;

	sim_nic_read(nic, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, sizeof(command));
	command &= (uint16_t)~PCI_COMMAND_MASTER;
	sim_nic_write(nic, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND, &command, sizeof(command));
}

/* The caller holds the iommufd's file, and a bound device keeps that reference. */
static int bind_locked(struct sim_vfio *vfio, struct sim_iommufd *iommufd, uint32_t *id)
{
	struct sim_function *function = vfio->function;
	int ret;

	if (function->vfio)
		return -EINVAL;
	ret = sim_device_bind(iommufd, function, &vfio->device);
	if (ret)
		return ret;
	sim_nic_reset(function->nic);
	clear_bus_master(vfio);
	function->vfio = vfio;
	*id = vfio->device->object.id;
	atomic_store(&vfio->bound, true);
	return 0;
}

static int bind_iommufd(struct sim_vfio *vfio, void *arg)
{
	struct vfio_device_bind_iommufd *bind = arg;
	struct sim *sim = vfio->file.sim;
	struct sim_file *file;
	int ret;

	if (!sim_user_mapped((uintptr_t)arg, sizeof(*bind)))
		return -EFAULT;
	if (bind->argsz < SIZE_TO(vfio_device_bind_iommufd, out_devid) || bind->flags ||
		bind->iommufd < 0)
		return -EINVAL;
	if (atomic_load(&vfio->bound))
		return -EINVAL;
	file = sim_fd_get(sim, bind->iommufd);
	if (!file)
		return -EBADF;
	if (!sim_iommufd_of(file)) {
		ret = -EBADFD;
		goto out;
	}
	pthread_mutex_lock(&sim->lock);
	ret = bind_locked(vfio, sim_iommufd_of(file), &bind->out_devid);
	pthread_mutex_unlock(&sim->lock);
	if (!ret)
		return 0;
out:
	sim_file_put(file);
	return ret;
}

static int attach(struct sim_vfio *vfio, void *arg)
{
	struct vfio_device_attach_iommufd_pt *request = arg;
	uint32_t pt_id = request->pt_id;
	int ret;

	if (request->flags)
		return -EINVAL;
	ret = sim_device_attach(vfio->device, &pt_id);
	if (!ret)
		request->pt_id = pt_id;
	return ret;
}

static int detach(struct sim_vfio *vfio, void *arg)
{
	const struct vfio_device_detach_iommufd_pt *request = arg;

	if (request->flags)
		return -EINVAL;
	sim_device_detach(vfio->device);
	return 0;
}

static int get_info(struct sim_vfio *vfio, void *arg)
{
	struct vfio_device_info *info = arg;

	info->flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info->num_regions = VFIO_PCI_NUM_REGIONS;
	info->num_irqs = VFIO_PCI_NUM_IRQS;
	if (info->argsz >= SIZE_TO(vfio_device_info, cap_offset))
		info->cap_offset = 0;
	return 0;
}

static int get_region_info(struct sim_vfio *vfio, void *arg)
{
	struct vfio_region_info *info = arg;

	if (info->index >= VFIO_PCI_NUM_REGIONS || info->index == VFIO_PCI_VGA_REGION_INDEX)
		return -EINVAL;
	info->offset = (uint64_t)info->index << SIM_VFIO_OFFSET_SHIFT;
	info->size = region_size(info->index);
	info->flags = 0;
	if (info->size)
		info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (info->index == VFIO_PCI_BAR0_REGION_INDEX)
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return 0;
}

static int reset(struct sim_vfio *vfio, void *arg)
{
	sim_nic_reset(vfio->function->nic);
	return 0;
}

/* Commands of a bound device. The argument's first field is argsz, which must reach `size`. */
static const struct {
	unsigned long request;
	uint32_t size;
	int (*execute)(struct sim_vfio *vfio, void *arg);
} commands[] = {
	{ VFIO_DEVICE_ATTACH_IOMMUFD_PT, SIZE_TO(vfio_device_attach_iommufd_pt, pt_id), attach },
	{ VFIO_DEVICE_DETACH_IOMMUFD_PT, SIZE_TO(vfio_device_detach_iommufd_pt, flags), detach },
	{ VFIO_DEVICE_GET_INFO, SIZE_TO(vfio_device_info, num_irqs), get_info },
	{ VFIO_DEVICE_GET_REGION_INFO, SIZE_TO(vfio_region_info, offset), get_region_info },
	{ VFIO_DEVICE_GET_IRQ_INFO, SIZE_TO(vfio_irq_info, count), sim_irqs_info },
	{ VFIO_DEVICE_SET_IRQS, sizeof(struct vfio_irq_set), sim_irqs_set },
	{ VFIO_DEVICE_RESET, 0, reset },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int vfio_ioctl(struct sim_file *file, unsigned long request, void *arg)
{
	struct sim_vfio *vfio = (struct sim_vfio *)file;
	size_t i = 0;
	int ret;

	if (request == VFIO_DEVICE_BIND_IOMMUFD)
		return bind_iommufd(vfio, arg);
	if (!atomic_load(&vfio->bound))
		return -EINVAL;
	while (i < COMMANDS && commands[i].request != request)
		i++;
	if (i == COMMANDS)
		return -ENOTTY;
	if (commands[i].size && !sim_user_mapped((uintptr_t)arg, commands[i].size))
		return -EFAULT;
	if (commands[i].size && *(const uint32_t *)arg < commands[i].size)
		return -EINVAL;
	pthread_mutex_lock(&file->sim->lock);
	ret = commands[i].execute(vfio, arg);
	pthread_mutex_unlock(&file->sim->lock);
	return ret;
}

/* Finds the region of an access. @return 0, -EINVAL unbound or outside it */
static int region_of(
	struct sim_vfio *vfio, uint64_t offset, size_t length, uint32_t *index, uint64_t *at)
{
	uint64_t number = offset >> SIM_VFIO_OFFSET_SHIFT;
	uint64_t size;

	if (!atomic_load(&vfio->bound) || number >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	*index = (uint32_t)number;
	*at = offset & ((1ull << SIM_VFIO_OFFSET_SHIFT) - 1);
	size = region_size(*index);
	return *at >= size || length > size - *at ? -EINVAL : 0;
}

static int vfio_read(struct sim_file *file, uint64_t offset, void *buf, size_t length)
{
	struct sim_vfio *vfio = (struct sim_vfio *)file;
	uint32_t index;
	uint64_t at;
	int ret = region_of(vfio, offset, length, &index, &at);

	return ret ? ret : sim_nic_read(vfio->function->nic, index, at, buf, (uint32_t)length);
}

static int vfio_write(struct sim_file *file, uint64_t offset, const void *buf, size_t length)
{
	struct sim_vfio *vfio = (struct sim_vfio *)file;
	uint32_t index;
	uint64_t at;
	int ret = region_of(vfio, offset, length, &index, &at);

	return ret ? ret : sim_nic_write(vfio->function->nic, index, at, buf, (uint32_t)length);
}

static int map_region(struct sim_file *file, uint64_t offset, size_t length, void **addr)
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

static void release_region(struct sim_region *region)
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
	release_region(region);
	return 0;
}

void sim_regions_destroy(struct sim *sim)
{
	struct sim_region *region;

	while ((region = LIST_FIRST(&sim->regions)) != NULL) {
		LIST_REMOVE(region, link);
		sim->objects.regions--;
		release_region(region);
	}
}

/* As vfio-pci closes a device: its DMA ends before its translation does. */
static void vfio_release(struct sim_file *file)
{
	struct sim_vfio *vfio = (struct sim_vfio *)file;
	struct sim_file *iommufd = NULL;

	pthread_mutex_lock(&file->sim->lock);
	if (vfio->device) {
		iommufd = &vfio->device->iommufd->file;
		sim_nic_reset(vfio->function->nic);
		sim_irqs_disable(vfio);
		sim_device_unbind(vfio->device);
		vfio->function->vfio = NULL;
	}
	pthread_mutex_unlock(&file->sim->lock);
	if (iommufd)
		sim_file_put(iommufd);
	free(vfio);
}

static const struct sim_file_ops vfio_ops = {
	.ioctl = vfio_ioctl,
	.read = vfio_read,
	.write = vfio_write,
	.map = map_region,
	.release = vfio_release,
};

int sim_vfio_open(struct sim_function *function, struct sim_file **file)
{
	struct sim_vfio *vfio = calloc(1, sizeof(*vfio));

	if (!vfio)
		return -ENOMEM;
	vfio->file.ops = &vfio_ops;
	vfio->file.sim = function->sim;
	vfio->file.references = 1;
	vfio->function = function;
	for (uint32_t i = 0; i < SIM_NIC_VECTORS; i++)
		vfio->vectors[i] = -1;
	*file = &vfio->file;
	return 0;
}
