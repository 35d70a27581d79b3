/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RTE_NET_SHUNT_H
#define RTE_NET_SHUNT_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/group.h>
#include <shunt/platform.h>
#include <shunt/space.h>
#include <shunt/vfio.h>

/*
 * What net_shunt offers to an application beyond ethdev: the platform its ports run on, and the
 * objects that a switch needs.
 *
 *   application                     --vdev=net_shunt0,pci=0000:03:00.0
 *     | rte_net_shunt_platform()        |
 *     v                                 v
 *   the process's context: platform, iommufd, spaces ("a", ...), port groups
 *     opened with the first port, closed with the last
 *     |- port 0 --- struct shunt_vfio_device, struct shunt_group
 *     `- port 1 --- ...
 *
 * Device arguments: pci= names the function; sim=1 makes a software platform of its own, with
 * ports= functions (2) wired in pairs, iommu= (blocking, hitless) and nic= (drop, wedge); there
 * pci= may be left out: each port takes the next function.
 *
 * Frames are received and sent from EAL's memory at IOVA = virtual address.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** Name of the address space that the context starts with and that every port joins. */
#define RTE_NET_SHUNT_FIRST_SPACE "a"

/**
 * Bytes that a port maps beside EAL's memory, rounded up to a hugepage where there is one: room for
 * 16 rings of each direction with 4096 descriptors of 16 bytes.
 */
#define RTE_NET_SHUNT_PORT_BYTES (2u << 20)

/**
 * Chooses the platform of the ports probed from now on, instead of the kernel's.
 *
 * @param platform  stays the caller's and outlives the last port; NULL: the kernel's again
 * @return 0; -EBUSY ports exist
 */
int rte_net_shunt_platform(struct shunt_platform *platform);

/** The platform in use; NULL without ports. */
struct shunt_platform *rte_net_shunt_platform_in_use(void);

/** The address spaces; NULL without ports. */
struct shunt_spaces *rte_net_shunt_spaces(void);

/** Whether one of our datapaths drives PCI functions with these IDs. */
bool rte_net_shunt_drives(uint16_t vendor, uint16_t device);

/** Name of that datapath, as port groups show it: "net_shunt igb"; NULL: none. */
const char *rte_net_shunt_driver(uint16_t vendor, uint16_t device);

/** All IDs that they drive, for messages: "8086:10c9, 8086:10e8 (82576)". */
const char *rte_net_shunt_driven(void);

/** Port group of a port. @return 0; -ENODEV not a port of net_shunt */
int rte_net_shunt_group(uint16_t port_id, struct shunt_group **group);

/** VFIO device of a port. @return 0; -ENODEV not a port of net_shunt */
int rte_net_shunt_device(uint16_t port_id, struct shunt_vfio_device **device);

/** Milliseconds between two checks of the ports, unless the application says otherwise. */
#define RTE_NET_SHUNT_CHECK_MS 100

/**
 * Sets the period at which a watchdog thread checks every port group (shunt_group_check()). A queue
 * that a fault stopped between two switches is restarted within that time. Repairs show in the
 * ports' xstats.
 *
 * @param ms  0: never, the application checks the groups itself
 */
void rte_net_shunt_check_every(unsigned int ms);

#ifdef __cplusplus
}
#endif

#endif
