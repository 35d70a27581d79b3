/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SYSFS_TREE_H
#define SYSFS_TREE_H

#include <stdint.h>

#include <shunt/platform.h>

/*
 * A small sysfs tree in a temporary folder, as far as lib/pci reads it, and a platform whose only
 * use is to name it:
 *
 *   <root>/bus/pci/devices/0000:03:00.0/{vendor,device,class,driver ->,iommu_group ->,vfio-dev/}
 *
 * Failing to build it fails the test.
 */

struct sysfs_tree {
	char root[64];
	struct shunt_platform platform;
};

/** A function to put into the tree. */
struct sysfs_function {
	const char *address;
	uint16_t vendor;
	uint16_t device;
	uint32_t class_code;
	const char *driver; /**< NULL: none */
	int group;          /**< negative: no link */
	const char *cdev;   /**< "vfio0"; NULL: no vfio-dev folder */
};

/** An empty tree: a root folder and nothing in it. */
void sysfs_tree_create(struct sysfs_tree *tree);

/** Removes the folder and all that is in it. */
void sysfs_tree_destroy(struct sysfs_tree *tree);

/** Adds <root>/bus/pci/devices. */
void sysfs_tree_add_bus(struct sysfs_tree *tree);

/** Adds a function, and the bus if it is not there. */
void sysfs_tree_add(struct sysfs_tree *tree, const struct sysfs_function *function);

/** Removes, or writes, one file or link of a function: "vendor", "driver". */
void sysfs_tree_remove(struct sysfs_tree *tree, const char *address, const char *file);
void sysfs_tree_write(
	struct sysfs_tree *tree, const char *address, const char *file, const char *text);
void sysfs_tree_link(
	struct sysfs_tree *tree, const char *address, const char *file, const char *target);

/** Gives an IOMMU group a name. */
void sysfs_tree_name_group(struct sysfs_tree *tree, int group, const char *name);

#endif
