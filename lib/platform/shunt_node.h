/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_NODE_H
#define SHUNT_NODE_H

#include <sys/stat.h>
#include <sys/types.h>

/*
 * Nodes of /dev, compared with sysfs. A node is a name and a number that need not belong together:
 * the static nodes of a container keep a number that the kernel has since given to another device.
 *
 *   /dev/vfio/devices/vfio0  st_rdev 248:2  <-- open(2) uses this
 *   <sysfs>/class/vfio-dev/vfio0/dev 248:0  <-- this is the device that was meant
 *
 * Any thread.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** Reads a number, "248:2", from a file of sysfs. @return 0; -ENOENT, no shunt_errmsg() */
int shunt_node_read(const char *path, dev_t *number);

/**
 * Number that sysfs has for a node: /dev/iommu, /dev/vfio/devices/NAME, /dev/vfio/GROUP.
 *
 * @return 0; -ENOENT sysfs has none, no shunt_errmsg()
 */
int shunt_node_number(const char *sysfs, const char *node, dev_t *number);

/**
 * Checks that a node, or a descriptor that stands for it, is the device that sysfs has for it.
 *
 * @param status  of the descriptor or the node
 * @param whose   for the message: "the node", "descriptor 11"
 * @return 0, also for a node that sysfs does not have, except one of VFIO; -ESTALE another
 *         device: shunt_errmsg() has both numbers and the command that makes the node again
 */
int shunt_node_check(
	const char *sysfs, const char *node, const struct stat *status, const char *whose);

#ifdef __cplusplus
}
#endif

#endif
