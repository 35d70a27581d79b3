/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <stdbool.h>

#include <rte_eal.h>

#include <shunt/sim.h>

#include "shunt_dpdk.h"

/*
 * What the library adds to a process that is linked with it, or that loads it with -d or from
 * DPDK's plugin folder:
 *
 *   plugin.c, when it is loaded: is this the release it was built for, and the only copy?
 *     |- vdev.c       the driver of net_shunt devices on the vdev bus, which the user names
 *     |- pci.c        the driver on the PCI bus, for functions that the user names by address or
 *     |               not at all
 *     |- autoprobe.c  which of these become ports, and which the PCI bus must not probe
 *     |- secondary.c  their ports in secondary processes
 *     `- telemetry.c  the commands /shunt/...
 *
 * If it is not, the library logs that and does nothing: the application runs without it.
 */

extern struct rte_vdev_driver net_shunt_driver;

/** Blocks functions on the PCI bus before that bus probes. @return 0, -ENOMEM */
int autoprobe_register(void);

/** Whether a function becomes our port. Context's lock held. */
bool autoprobe_takes(const char *address);

/** The kernel's functions, whatever platform is in use. @return 0, -errno */
struct shunt_pci_list;
int shunt_scan_kernel(struct shunt_pci_list *list);

/** From now on only devices that the user names become ports. */
void shunt_named_only(void);

/** Whether this process runs one EAL, of the release that this was built for. @return 0, -ENOTSUP
 */
int shunt_check_release(void);

/** Registers the driver of functions before all others of the PCI bus. */
void pci_register(void);

/* ---- device.c: what the drivers of both buses do. Failures of device_map() as EAL has them ----
 */

/**
 * Opens the port of a device, with the device's name. Context's lock held.
 *
 * @param sim      platform to make; NULL: none
 * @param address  function; "": the next one of a software platform
 * @return 0, -errno
 */
int device_open(struct rte_device *device, const struct shunt_sim_config *sim, const char *address);

/** Closes it, unless the application has. @return 0, -errno */
int device_close(struct rte_device *device);

/** Maps or unmaps the application's own memory. @return 0; -1 with rte_errno */
int device_map(struct rte_device *device, bool add, void *addr, size_t length);

/* ---- secondary.c ---- */

/** In the primary process: serves requests of that name. @return 0, -errno */
int shunt_mp_serve(const char *action, rte_mp_t handler);
/** Replies with shunt_errmsg() if `err`, else with a descriptor; -1: none. */
int shunt_mp_reply(const struct rte_mp_msg *request, const void *peer, int err, int fd);
/**
 * In a secondary process: asks the primary one.
 *
 * @param remedy   ends the message if it does not answer
 * @param[out] fd  descriptor of the reply; NULL: it has none
 */
int shunt_mp_ask(const char *action, const void *request, size_t size, const char *remedy, int *fd);

/** In the primary process: answers secondary ones. @return 0, -errno */
int shunt_secondary_serve(void);

/** Marks a port's private data, which other processes see, as ours. */
void shunt_secondary_mark(struct rte_eth_dev *dev, uint16_t vendor, uint16_t device_id);

/**
 * In a secondary process: the primary's port of that name.
 *
 * @return 0; -ENODEV the primary process has none; -ENXIO it is another driver's there, or that of
 *         another version of this library
 */
int shunt_secondary_attach(struct rte_device *device);

/** Registers the commands. @return 0, -errno */
int telemetry_register(void);

#endif
