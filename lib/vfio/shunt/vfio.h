/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_VFIO_H
#define SHUNT_VFIO_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/iommufd.h>

/*
 * A VFIO device by its character device (/dev/vfio/devices/vfioN), bound to an iommufd.
 *
 *   open + bind --> struct shunt_vfio_device (id in the iommufd)
 *        attach pt   : first attach, or replace when attached; moves the whole IOMMU group
 *        regions     : BARs and configuration space; map() for doorbells, read/write for the rest
 *        interrupts  : eventfds
 *        reset       : function level reset
 *
 * Only lib/group may attach, replace and detach members of a populated group.
 * Source: <linux/vfio.h>, VFIO_DEVICE_BIND_IOMMUFD and following. Any thread, but the caller
 * serialises close against everything else.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** An attach that fails with EBUSY is retried for that many milliseconds. */
#define SHUNT_VFIO_BUSY_MS 200u

/** A region of the device, as VFIO_DEVICE_GET_REGION_INFO gives it. */
struct shunt_vfio_region {
	uint64_t offset; /**< in the device's file descriptor */
	uint64_t size;   /**< bytes; 0: not there */
	bool mappable;
	void *registers; /**< mapped, where loads and stores are accesses; else NULL */
};

/** A bound device. */
struct shunt_vfio_device {
	struct shunt_iommufd *iommufd;
	int fd;
	uint32_t id;       /**< device id in the iommufd */
	bool can_reset;    /**< VFIO_DEVICE_FLAGS_RESET: function level reset or better */
	char function[16]; /**< "0000:03:00.0" */
	struct shunt_vfio_region config;
	uint16_t command; /**< PCI command register, as written last */
	bool used;        /**< member of a group: cannot be closed */
	int group;        /**< its number */
};

/**
 * Opens the device's cdev, binds it to the iommufd.
 *
 * @param cdev      path, "/dev/vfio/devices/vfio0" (struct shunt_pci_function::cdev)
 * @param function  the PCI function, for messages: "0000:03:00.0"
 * @return 0; -ENOENT no such cdev, -EACCES, -EINVAL owned by another process, -ESTALE the cdev is
 *         not the device that sysfs has for this function
 */
int shunt_vfio_open(struct shunt_iommufd *iommufd, const char *cdev, const char *function,
	struct shunt_vfio_device *device);

/**
 * Detaches, unbinds and closes the device. The kernel resets it. Does nothing if it is closed.
 *
 * @return 0; -EBUSY it is a member of a group, which is named: nothing was touched
 */
int shunt_vfio_close(struct shunt_vfio_device *device);

/**
 * VFIO_DEVICE_ATTACH_IOMMUFD_PT: attach, or replace if attached.
 *
 * @param pt_id         IOAS or hwpt
 * @param[out] hwpt_id  the hwpt that is now in use; may be NULL
 * @return 0, -EINVAL when the group uses another hwpt, -ENOENT no such pt, -EBUSY while a function
 * of the group is reset, for longer than SHUNT_VFIO_BUSY_MS
 */
int shunt_vfio_attach(struct shunt_vfio_device *device, uint32_t pt_id, uint32_t *hwpt_id);

/** VFIO_DEVICE_DETACH_IOMMUFD_PT; 0 when not attached. */
int shunt_vfio_detach(struct shunt_vfio_device *device);

/**
 * The IOVAs that the device's IOMMU allows: less than 64 bits wide, and without reserved ranges
 * such as that for interrupts. Found by an attach to an empty IOAS.
 *
 * @param device       detached, as is all of its group
 * @param[out] ranges  in ascending order; to be freed
 * @return 0, -ENOMEM, the kernel's errno
 */
int shunt_vfio_allowed(
	struct shunt_vfio_device *device, struct shunt_iova_range **ranges, uint32_t *count);

/** VFIO_DEVICE_GET_REGION_INFO; index is VFIO_PCI_BAR0_REGION_INDEX and so on. */
int shunt_vfio_region(
	struct shunt_vfio_device *device, uint32_t index, struct shunt_vfio_region *region);

/**
 * Maps a whole region; unmapped with shunt_vfio_unmap(). Where the platform allows it, reads and
 * writes of 32-bit registers then use the mapping, without a system call.
 */
int shunt_vfio_map(struct shunt_vfio_device *device, struct shunt_vfio_region *region, void **addr);

/** Unmaps what shunt_vfio_map() gave. */
int shunt_vfio_unmap(
	struct shunt_vfio_device *device, struct shunt_vfio_region *region, void *addr);

/** Reads length (1, 2, 4 or 8) bytes at an offset of a region; slow path. */
int shunt_vfio_read(struct shunt_vfio_device *device, const struct shunt_vfio_region *region,
	uint64_t offset, void *buf, uint32_t length);

/** Writes length (1, 2, 4 or 8) bytes at an offset of a region; slow path. */
int shunt_vfio_write(struct shunt_vfio_device *device, const struct shunt_vfio_region *region,
	uint64_t offset, const void *buf, uint32_t length);

/** Sets PCI command register bit Bus Master: without it a function makes no DMA. */
int shunt_vfio_bus_master(struct shunt_vfio_device *device, bool enable);

/**
 * VFIO_DEVICE_SET_IRQS: signals an eventfd per MSI-X vector.
 *
 * @param eventfds  count descriptors; -1 leaves a vector unsignalled. count 0 switches MSI-X off.
 */
int shunt_vfio_msix(struct shunt_vfio_device *device, const int *eventfds, uint32_t count);

/**
 * VFIO_DEVICE_SET_IRQS: signals an eventfd when the kernel wants the function back. It then waits
 * until the device is closed.
 */
int shunt_vfio_request(struct shunt_vfio_device *device, int eventfd);

/** VFIO_DEVICE_RESET. Registers return to their reset values; attachment is kept. */
int shunt_vfio_reset(struct shunt_vfio_device *device);

#ifdef __cplusplus
}
#endif

#endif
