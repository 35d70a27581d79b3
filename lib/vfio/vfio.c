/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <shunt/error.h>
#include <shunt/vfio.h>

#define BUSY_PAUSE_NS 5000000

static struct shunt_platform *platform_of(struct shunt_vfio_device *device)
{
	return device->iommufd->platform;
}

static int device_ioctl(struct shunt_vfio_device *device, unsigned long request, void *arg)
{
	return platform_of(device)->ops->ioctl(platform_of(device), device->fd, request, arg);
}

/* EINVAL: the device is bound already. */
static const char *bind_remedy(int err)
{
	switch (err) {
	case -EINVAL:
	case -EBUSY:
		return " (another process holds this function: `fuser -v /dev/vfio/devices/*` "
		       "names it)";
	case -EPERM:
		return " (a process has another function of its group, or interrupts are not "
		       "isolated here: 'shunt doctor' shows which)";
	default:
		return "";
	}
}

/* Before Linux 7 these errnos also stand for what the kernel cannot do. */
static const char *attach_remedy(int err)
{
	switch (err) {
	case -EBUSY:
		return " (still, after waiting: a function of its group is being reset, or is "
		       "owned by "
		       "another process)";
	case -EADDRINUSE:
		return " (a mapping lies where this IOMMU allows none, or the kernel cannot "
		       "replace: "
		       "on virtio-iommu it can since Linux 7)";
	case -EINVAL:
		return " (its group is on another page table, or the kernel cannot use this kind: "
		       "VT-d with first-stage tables alone since Linux 7)";
	case -ENOMEM:
		return " (out of memory, or over the locked-memory limit: raise `ulimit -l`)";
	default:
		return "";
	}
}

/* Since Linux 7 iommufd takes a function without an IOMMU too: IOVAs are physical addresses then.
 */
static int check_translated(const char *cdev, const char *function)
{
	const char *name = strrchr(cdev, '/');

	if (strncmp(name ? name + 1 : cdev, "noiommu-", strlen("noiommu-")) != 0)
		return 0;
	return shunt_fail(-ENOTSUP,
		"%s: %s is without an IOMMU, so its DMA would reach any memory of the machine: "
		"shunt does not drive it",
		function, cdev);
}

/*
 * While the descriptor is open, its number is not given to another function. So it is checked now
 * that it is still this function's.
 */
static int check_function(
	const struct shunt_platform *platform, const char *cdev, const char *function)
{
	const char *name = strrchr(cdev, '/');
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/vfio-dev/%s", platform->sysfs,
		    function, name ? name + 1 : cdev) >= (int)sizeof(path))
		return shunt_fail(-ENAMETOOLONG, "%s: path of %s is too long", function, cdev);
	if (access(path, F_OK))
		return shunt_fail(-ESTALE,
			"%s: %s belongs to another function now: 'shunt list' shows which",
			function, cdev);
	return 0;
}

int shunt_vfio_open(struct shunt_iommufd *iommufd, const char *cdev, const char *function,
	struct shunt_vfio_device *device)
{
	struct shunt_platform *platform = iommufd->platform;
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd->fd };
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int ret;

	ret = check_translated(cdev, function);
	if (ret)
		return ret;
	*device = (struct shunt_vfio_device){ .iommufd = iommufd };
	snprintf(device->function, sizeof(device->function), "%s", function);
	device->fd = platform->ops->open(platform, cdev);
	if (device->fd == -ESTALE)
		return shunt_fail_while(device->fd, "%s", function);
	if (device->fd < 0)
		return shunt_fail_errno(device->fd, "%s: open %s", function, cdev);
	ret = check_function(platform, cdev, function);
	if (ret)
		goto close;
	ret = device_ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	if (ret < 0) {
		shunt_fail_errno(ret, "%s: VFIO_DEVICE_BIND_IOMMUFD%s", function, bind_remedy(ret));
		goto close;
	}
	device->id = bind.out_devid;
	ret = device_ioctl(device, VFIO_DEVICE_GET_INFO, &info);
	if (ret < 0) {
		shunt_fail_errno(ret, "%s: VFIO_DEVICE_GET_INFO", function);
		goto close;
	}
	device->can_reset = info.flags & VFIO_DEVICE_FLAGS_RESET;
	ret = shunt_vfio_region(device, VFIO_PCI_CONFIG_REGION_INDEX, &device->config);
	if (!ret)
		ret = shunt_vfio_read(device, &device->config, PCI_COMMAND, &device->command,
			sizeof(device->command));
	if (ret)
		goto close;
	shunt_iommufd_get(iommufd);
	return 0;

close:
	platform->ops->close(platform, device->fd);
	device->fd = -1;
	return ret;
}

int shunt_vfio_close(struct shunt_vfio_device *device)
{
	if (device->used)
		return shunt_fail(-EBUSY,
			"closing %s: it is a member of group %d: take it out first",
			device->function, device->group);
	if (device->fd < 0)
		return 0;
	platform_of(device)->ops->close(platform_of(device), device->fd);
	device->fd = -1;
	shunt_iommufd_put(device->iommufd);
	return 0;
}

int shunt_vfio_attach(struct shunt_vfio_device *device, uint32_t pt_id, uint32_t *hwpt_id)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = pt_id };
	const struct timespec pause = { .tv_nsec = BUSY_PAUSE_NS };
	int ret;

	for (unsigned int waited = 0;; waited += BUSY_PAUSE_NS / 1000000) {
		ret = device_ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
		if (ret != -EBUSY || waited >= SHUNT_VFIO_BUSY_MS)
			break;
		attach.pt_id = pt_id;
		nanosleep(&pause, NULL);
	}
	if (ret < 0)
		return shunt_fail_errno(ret, "%s: VFIO_DEVICE_ATTACH_IOMMUFD_PT page table %u%s",
			device->function, pt_id, attach_remedy(ret));
	if (hwpt_id)
		*hwpt_id = attach.pt_id;
	return 0;
}

int shunt_vfio_detach(struct shunt_vfio_device *device)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };
	int ret = device_ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);

	if (ret < 0)
		return shunt_fail_errno(ret, "%s: VFIO_DEVICE_DETACH_IOMMUFD_PT", device->function);
	return 0;
}

int shunt_vfio_allowed(
	struct shunt_vfio_device *device, struct shunt_iova_range **ranges, uint32_t *count)
{
	struct shunt_iommufd *iommufd = device->iommufd;
	uint64_t alignment;
	uint32_t ioas;
	int ret, err;

	ret = shunt_ioas_alloc(iommufd, &ioas);
	if (ret)
		return ret;
	ret = shunt_vfio_attach(device, ioas, NULL);
	if (ret)
		goto destroy;
	ret = shunt_ioas_iova_ranges(iommufd, ioas, ranges, count, &alignment);
	err = shunt_vfio_detach(device);
	if (!ret && err) {
		free(*ranges);
		ret = err;
	}
destroy:
	shunt_iommufd_destroy_id(iommufd, ioas);
	return ret;
}

int shunt_vfio_region(
	struct shunt_vfio_device *device, uint32_t index, struct shunt_vfio_region *region)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };
	int ret = device_ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info);

	if (ret < 0)
		return shunt_fail_errno(ret, "%s: VFIO_DEVICE_GET_REGION_INFO of region %u",
			device->function, index);
	region->offset = info.offset;
	region->size = info.size;
	region->mappable = info.flags & VFIO_REGION_INFO_FLAG_MMAP;
	region->registers = NULL;
	return 0;
}

int shunt_vfio_map(struct shunt_vfio_device *device, struct shunt_vfio_region *region, void **addr)
{
	int ret = platform_of(device)->ops->map(
		platform_of(device), device->fd, region->offset, region->size, addr);

	if (ret < 0)
		return shunt_fail_errno(ret,
			"%s: mmap of a region of 0x%" PRIx64 " bytes at 0x%" PRIx64,
			device->function, region->size, region->offset);
	if (platform_of(device)->registers_mapped)
		region->registers = *addr;
	return 0;
}

int shunt_vfio_unmap(struct shunt_vfio_device *device, struct shunt_vfio_region *region, void *addr)
{
	int ret = platform_of(device)->ops->unmap(platform_of(device), addr, region->size);

	region->registers = NULL;
	if (ret < 0)
		return shunt_fail_errno(ret, "%s: munmap of a region", device->function);
	return 0;
}

static int check_access(struct shunt_vfio_device *device, const struct shunt_vfio_region *region,
	uint64_t offset, uint32_t length)
{
	if (offset > region->size || length > region->size - offset)
		return shunt_fail(-EINVAL,
			"%s: access of length %u at 0x%" PRIx64 " outside a region of 0x%" PRIx64
			" bytes",
			device->function, length, offset, region->size);
	return 0;
}

/* The register of an access; NULL if the platform has to make the access. */
static volatile uint32_t *mapped_register(
	const struct shunt_vfio_region *region, uint64_t offset, uint32_t length)
{
	if (!region->registers || length != sizeof(uint32_t) || offset % sizeof(uint32_t))
		return NULL;
	return (volatile uint32_t *)region->registers + offset / sizeof(uint32_t);
}

int shunt_vfio_read(struct shunt_vfio_device *device, const struct shunt_vfio_region *region,
	uint64_t offset, void *buf, uint32_t length)
{
	const volatile uint32_t *reg;
	int ret = check_access(device, region, offset, length);

	if (ret)
		return ret;
	reg = mapped_register(region, offset, length);
	if (reg) {
		*(uint32_t *)buf = *reg;
		return 0;
	}
	ret = platform_of(device)->ops->read(
		platform_of(device), device->fd, region->offset + offset, buf, length);
	if (ret < 0)
		return shunt_fail_errno(
			ret, "%s: read of a region at 0x%" PRIx64, device->function, offset);
	return 0;
}

int shunt_vfio_write(struct shunt_vfio_device *device, const struct shunt_vfio_region *region,
	uint64_t offset, const void *buf, uint32_t length)
{
	volatile uint32_t *reg;
	int ret = check_access(device, region, offset, length);

	if (ret)
		return ret;
	reg = mapped_register(region, offset, length);
	if (reg) {
		atomic_thread_fence(memory_order_release); /* what was written to memory before */
		*reg = *(const uint32_t *)buf;
		return 0;
	}
	ret = platform_of(device)->ops->write(
		platform_of(device), device->fd, region->offset + offset, buf, length);
	if (ret < 0)
		return shunt_fail_errno(
			ret, "%s: write of a region at 0x%" PRIx64, device->function, offset);
	return 0;
}

/* Only the owner of the device writes the command register: it need not be read. */
int shunt_vfio_bus_master(struct shunt_vfio_device *device, bool enable)
{
	uint16_t command = device->command;
	int ret;

	if (enable)
		command |= PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
	else
		command &= (uint16_t)~PCI_COMMAND_MASTER;
	ret = shunt_vfio_write(device, &device->config, PCI_COMMAND, &command, sizeof(command));
	if (!ret)
		device->command = command;
	return ret;
}

static int set_irqs(
	struct shunt_vfio_device *device, uint32_t index, const int *eventfds, uint32_t count)
{
	struct vfio_irq_set *set;
	size_t size = sizeof(*set) + count * sizeof(int32_t);
	int ret;

	set = calloc(1, size);
	if (!set)
		return shunt_fail(
			-ENOMEM, "%s: no memory for interrupts (%u)", device->function, count);
	set->argsz = (uint32_t)size;
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER |
		     (count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->index = index;
	set->count = count;
	if (count)
		memcpy(set->data, eventfds, count * sizeof(int32_t));
	ret = device_ioctl(device, VFIO_DEVICE_SET_IRQS, set);
	free(set);
	return ret < 0 ? ret : 0;
}

int shunt_vfio_msix(struct shunt_vfio_device *device, const int *eventfds, uint32_t count)
{
	int ret = set_irqs(device, VFIO_PCI_MSIX_IRQ_INDEX, eventfds, count);

	if (ret < 0)
		return shunt_fail_errno(ret, "%s: VFIO_DEVICE_SET_IRQS of %u MSI-X vectors",
			device->function, count);
	return 0;
}

int shunt_vfio_request(struct shunt_vfio_device *device, int eventfd)
{
	int ret = set_irqs(device, VFIO_PCI_REQ_IRQ_INDEX, &eventfd, 1);

	if (ret < 0)
		return shunt_fail_errno(
			ret, "%s: VFIO_DEVICE_SET_IRQS of the request", device->function);
	return 0;
}

int shunt_vfio_reset(struct shunt_vfio_device *device)
{
	int ret = device_ioctl(device, VFIO_DEVICE_RESET, NULL);

	if (ret < 0)
		return shunt_fail_errno(ret, "%s: VFIO_DEVICE_RESET", device->function);
	return 0;
}
