/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_PCI_H
#define SHUNT_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shunt/platform.h>

/*
 * PCI functions and their IOMMU groups, read with libpci and from the platform's sysfs tree.
 *
 *   group 14 --+-- 0000:02:00.0  bridge, pcieport: may stay (bridges do no DMA of their own)
 *              +-- 0000:03:00.0  82576, vfio-pci, /dev/vfio/devices/vfio0
 *              `-- 0000:04:00.0  82576, igb  <- blocks the group: bind it to vfio-pci
 *
 * A snapshot: taken by shunt_pci_scan(), never refreshed behind the reader. Any thread.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_PCI_NO_GROUP (-1)

/** One PCI function. */
struct shunt_pci_function {
	char address[16]; /**< "0000:03:00.0" */
	uint16_t vendor;
	uint16_t device;
	uint32_t class_code; /**< 24 bits, base class first */
	char name[96];       /**< "Intel Corporation 82576 Gigabit Network Connection" */
	char driver[32];     /**< kernel driver bound to it; "" for none */
	char cdev[64];       /**< "/dev/vfio/devices/vfio0"; "" unless bound to a VFIO driver */
	int group;           /**< IOMMU group; SHUNT_PCI_NO_GROUP without an IOMMU */
	bool is_bridge;
	bool no_iommu; /**< VFIO has it without an IOMMU: its DMA reaches all memory, untranslated
			*/
};

/** A function that could not be read: it went meanwhile, or its sysfs folder is odd. */
struct shunt_pci_skipped {
	char address[16];
	char reason[256];
};

/** All functions of the platform, in order of address, but those that were skipped. */
struct shunt_pci_list {
	struct shunt_platform *platform;
	struct shunt_pci_function *functions;
	size_t count;
	struct shunt_pci_skipped *skipped;
	size_t skipped_count;
};

/**
 * Reads all functions of the platform. One that cannot be read is no reason not to have the others:
 * it is skipped, with the reason.
 *
 * @return 0, -ENOENT when the platform has no PCI sysfs tree, -ENOMEM, -EIO, -ENAMETOOLONG
 */
int shunt_pci_scan(struct shunt_platform *platform, struct shunt_pci_list *list);

/** Releases a list. */
void shunt_pci_list_free(struct shunt_pci_list *list);

/**
 * Finds a function by address; the domain may be left out ("03:00.0").
 *
 * @return 0, -EINVAL not an address, -ENODEV no such function, or it was skipped: with the reason
 */
int shunt_pci_find(const struct shunt_pci_list *list, const char *address,
	const struct shunt_pci_function **function);

/**
 * Whether this function makes its group unusable for VFIO: bound to a kernel driver that does DMA
 * (anything but a VFIO driver, pci-stub and a bridge's pcieport).
 */
bool shunt_pci_blocks_group(const struct shunt_pci_function *function);

/**
 * Checks that an IOMMU translates a function's DMA.
 *
 * @return 0; -ENOTSUP no IOMMU group, or VFIO has it in no-IOMMU mode
 */
int shunt_pci_translated(const struct shunt_pci_function *function);

/**
 * Checks that a function can be taken: it has a group, a cdev, and no other function blocks its
 * group.
 *
 * @return 0; -EBUSY a sibling blocks (named, with the command that mends it), or the kernel waits
 *         for a process to give it back; -ENODEV not bound to vfio-pci; -ENOTSUP no IOMMU
 */
int shunt_pci_usable(const struct shunt_pci_list *list, const struct shunt_pci_function *function);

#ifdef __cplusplus
}
#endif

#endif
