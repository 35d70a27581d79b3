/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include <rte_errno.h>
#include <rte_vfio.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "hosted.h"
#include "plugin.h"

/*
 * EAL's VFIO entry points of <rte_vfio.h>, on iommufd. EAL's PCI bus calls them, EAL itself, and
 * drivers that map memory explicitly. What iommufd has no counterpart for fails with a message: the
 * descriptor of a group or container, and containers other than the default one.
 *
 * They return what EAL's do: 0, or -1 with rte_errno.
 */

static int failed(const char *what, int err)
{
	SHUNT_LOG(ERR, "%s: %s", what, shunt_errmsg());
	rte_errno = -err;
	return -1;
}

static int no_counterpart(const char *what)
{
	return failed(what, shunt_fail(-ENOTSUP, "there is none with iommufd: a driver that needs "
						 "one cannot be hosted"));
}

static int get_info(int fd, const char *address, struct vfio_device_info *info)
{
	*info = (struct vfio_device_info){ .argsz = sizeof(*info) };
	return ioctl(fd, VFIO_DEVICE_GET_INFO, info)
		       ? shunt_fail_errno(-errno, "%s: VFIO_DEVICE_GET_INFO", address)
		       : 0;
}

static int open_primary(const char *address, int *fd)
{
	struct hosted_function *function;
	int ret;

	shunt_context_lock();
	ret = hosted_function_open(address, &function);
	if (!ret)
		*fd = function->device.fd;
	shunt_context_unlock();
	return ret;
}

static bool is_primary(void)
{
	return rte_eal_process_type() == RTE_PROC_PRIMARY;
}

static int close_device(const char *address, int fd)
{
	struct hosted_function *function;
	int ret = 0;

	if (!is_primary()) {
		close(fd);
		return 0;
	}
	shunt_context_lock();
	function = hosted_function_find(address);
	if (function)
		ret = hosted_function_close(function);
	else
		ret = shunt_fail(-ENODEV, "%s is not held", address);
	shunt_context_unlock();
	return ret;
}

int rte_vfio_setup_device(const char *sysfs_base, const char *dev_addr, int *vfio_dev_fd,
	struct vfio_device_info *device_info)
{
	int ret = is_primary() ? open_primary(dev_addr, vfio_dev_fd)
			       : hosted_secondary_ask(dev_addr, vfio_dev_fd);

	if (!ret) {
		ret = get_info(*vfio_dev_fd, dev_addr, device_info);
		if (ret)
			close_device(dev_addr, *vfio_dev_fd);
	}
	return ret ? failed(dev_addr, ret) : 0;
}

int rte_vfio_release_device(const char *sysfs_base, const char *dev_addr, int fd)
{
	int ret = close_device(dev_addr, fd);

	return ret ? failed(dev_addr, ret) : 0;
}

int rte_vfio_enable(const char *modname)
{
	return 0;
}

/* "vfio", "vfio-pci", "vfio_pci": the kernel's cdevs are there, or a function says what is missing.
 */
int rte_vfio_is_enabled(const char *modname)
{
	return strncmp(modname, "vfio", strlen("vfio")) == 0;
}

/* Without an IOMMU there is no iommufd. */
int rte_vfio_noiommu_is_enabled(void)
{
	return 0;
}

int rte_vfio_clear_group(int vfio_group_fd)
{
	return 0;
}

static int find_group(const char *address, int *number)
{
	const struct shunt_pci_function *function;
	struct shunt_pci_list list;
	int ret = shunt_scan_kernel(&list);

	if (ret)
		return ret;
	ret = shunt_pci_find(&list, address, &function);
	if (!ret)
		*number = function->group;
	shunt_pci_list_free(&list);
	return ret;
}

/* 1: it has one, 0: it has none. */
int rte_vfio_get_group_num(const char *sysfs_base, const char *dev_addr, int *iommu_group_num)
{
	int ret = find_group(dev_addr, iommu_group_num);

	if (ret)
		return failed(dev_addr, ret);
	return *iommu_group_num != SHUNT_PCI_NO_GROUP;
}

/* EAL calls these two for a secondary process that was started without this library. */
int rte_vfio_get_container_fd(void)
{
	return failed("a VFIO container's descriptor",
		shunt_fail(-ENOTSUP, "functions are held through iommufd; if a secondary process "
				     "asks: start it with `shunt run --secondary`"));
}

int rte_vfio_get_group_fd(int iommu_group_num)
{
	return failed("a VFIO group's descriptor",
		shunt_fail(-ENOTSUP,
			"group %d is held through iommufd; if a secondary process asks: start it "
			"with `shunt run --secondary`",
			iommu_group_num));
}

int rte_vfio_container_create(void)
{
	return no_counterpart("a VFIO container of a driver's own");
}

int rte_vfio_container_destroy(int container_fd)
{
	return no_counterpart("a VFIO container of a driver's own");
}

int rte_vfio_container_group_bind(int container_fd, int iommu_group_num)
{
	return no_counterpart("a VFIO container of a driver's own");
}

int rte_vfio_container_group_unbind(int container_fd, int iommu_group_num)
{
	return no_counterpart("a VFIO container of a driver's own");
}

/* IOVAs equal to the address belong to the application's memory; others are mapped as they are. */
static int map(struct shunt_context *context, bool add, void *va, uint64_t iova, uint64_t length)
{
	if (iova == (uintptr_t)va)
		return add ? shunt_eal_memory_map(context->memory, va, length)
			   : shunt_eal_memory_unmap(context->memory, va, length);
	return add ? shunt_spaces_map(context->spaces, va, length, iova, SHUNT_DMA_BOTH)
		   : shunt_spaces_unmap(context->spaces, iova, length);
}

static int map_default(int container, bool add, uint64_t vaddr, uint64_t iova, uint64_t length)
{
	const char *what = add ? "mapping memory" : "unmapping memory";
	struct shunt_context *context;
	int ret;

	if (container != RTE_VFIO_DEFAULT_CONTAINER_FD)
		return no_counterpart("a VFIO container of a driver's own");
	if (!is_primary())
		return failed(what, shunt_fail(-ENOTSUP, "only the primary process can"));
	if (length == 0)
		return failed(what, shunt_fail(-EINVAL, "0x%" PRIx64 ": no length", vaddr));
	context = shunt_context_acquire(); /* its driver's start may ask, with hosted_lock() held */
	if (!context)
		return failed(what, shunt_fail(-ENODEV, "no function is held"));
	ret = map(context, add, (void *)(uintptr_t)vaddr, iova, length);
	shunt_context_release();
	return ret ? failed(what, ret) : 0;
}

int rte_vfio_container_dma_map(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len)
{
	return map_default(container_fd, true, vaddr, iova, len);
}

int rte_vfio_container_dma_unmap(int container_fd, uint64_t vaddr, uint64_t iova, uint64_t len)
{
	return map_default(container_fd, false, vaddr, iova, len);
}

/* Newer releases only. The device may be set up already, or not. */
#ifdef HOSTED_GET_DEVICE_INFO
int rte_vfio_get_device_info(const char *sysfs_base, const char *dev_addr, int *vfio_dev_fd,
	struct vfio_device_info *device_info)
{
	int ret;

	if (*vfio_dev_fd < 0)
		return rte_vfio_setup_device(sysfs_base, dev_addr, vfio_dev_fd, device_info);
	ret = get_info(*vfio_dev_fd, dev_addr, device_info);
	return ret ? failed(dev_addr, ret) : 0;
}
#endif

/* clang-format off */
#define ENTRY(name, needed) { #name, (void *)(uintptr_t)(name), needed }
/* clang-format on */

const struct hosted_vfio_call hosted_vfio_api[] = {
	ENTRY(rte_vfio_setup_device, true),
	ENTRY(rte_vfio_release_device, true),
	ENTRY(rte_vfio_is_enabled, true),
	ENTRY(rte_vfio_noiommu_is_enabled, true),
	ENTRY(rte_vfio_container_dma_map, true),
	ENTRY(rte_vfio_container_dma_unmap, true),
	ENTRY(rte_vfio_enable, false),
	ENTRY(rte_vfio_clear_group, false),
	ENTRY(rte_vfio_get_group_num, false),
	ENTRY(rte_vfio_get_container_fd, false),
	ENTRY(rte_vfio_get_group_fd, false),
	ENTRY(rte_vfio_container_create, false),
	ENTRY(rte_vfio_container_destroy, false),
	ENTRY(rte_vfio_container_group_bind, false),
	ENTRY(rte_vfio_container_group_unbind, false),
#ifdef HOSTED_GET_DEVICE_INFO
	ENTRY(rte_vfio_get_device_info, false),
#endif
	{ NULL, NULL, false },
};
