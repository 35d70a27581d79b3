/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_CONTAINER_H
#define SHUNT_CONTAINER_H

#include <stddef.h>

#include <shunt/group.h>

/*
 * A container: one iommufd with all that is made on it. It knows the order of tear-down.
 *
 *   struct shunt_container
 *     |- platform, iommufd
 *     |- address spaces           shunt_space_create() on shunt_container_spaces()
 *     |- memory                   mapped in every space
 *     `- devices, opened by name, each with the group that it is in
 *
 * For programs that use libshunt without its DPDK plugin. One thread at a time.
 */

#ifdef __cplusplus
extern "C" {
#endif

struct shunt_container;

/**
 * Opens the platform's iommufd.
 *
 * @param platform  the container's from now on; on failure it stays the caller's
 * @return 0; -ENOMEM; errors of shunt_iommufd_open()
 */
int shunt_container_open(struct shunt_platform *platform, struct shunt_container **container);

/**
 * Releases everything: members leave their groups, devices are closed, spaces, memory, iommufd and
 * platform go. DMA must have stopped. NULL is allowed.
 *
 * @return 0; -EBUSY something of the caller's own still uses a group or a space, and is named: what
 *         is left stays open, and the call can be repeated
 */
int shunt_container_close(struct shunt_container *container);

/** The container's address spaces. */
struct shunt_spaces *shunt_container_spaces(struct shunt_container *container);

/**
 * Allocates zeroed memory, of hugepages if there are any, and maps it in every space at IOVA = va.
 *
 * @param size  bytes; rounded up to whole pages
 * @return 0; errors of shunt_arena_create() and shunt_spaces_map()
 */
int shunt_container_memory(struct shunt_container *container, size_t size, void **memory);

/**
 * Opens a function's device, for shunt_group_join().
 *
 * @param function     "0000:03:00.0"; the domain may be left out
 * @param[out] device  closed with the container
 * @param[out] group   the group that it is in, one for all devices of the container in that group
 * @return 0; -ENOMEM; errors of shunt_pci_find(), shunt_pci_usable() and shunt_vfio_open()
 */
int shunt_container_device(struct shunt_container *container, const char *function,
	struct shunt_vfio_device **device, struct shunt_group **group);

#ifdef __cplusplus
}
#endif

#endif
