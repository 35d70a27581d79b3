/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HOSTED_H
#define HOSTED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "context.h"
#include "shunt_dpdk.h"
#include "shunt_poll.h"

/*
 * DPDK's own drivers of PCI functions, hosted on our iommufd. This is a library to preload. It
 * replaces EAL's VFIO containers and leaves everything else to EAL's PCI bus.
 *
 *   application, DPDK's drivers          unmodified
 *     |  rte_eth_dev_start() ...     --> control.c, ordered.c  serialize the call with switches,
 *     |                                                        then call DPDK's function
 *     |  rte_eth_rx_burst() ...      --> bursts.c              counts the pollers inside
 *   EAL's PCI bus
 *     |  rte_vfio_setup_device() ... --> rte_vfio_api.c        EAL's VFIO entry points
 *     v                                   |
 *   BARs, interrupts, by the cdev         v
 *                  function.c   struct hosted_function: VFIO device, member of its port group
 *                    |- ethdev.c           stops and starts its ports for a switch
 *                    |   |- saved_config.c   settings that a stop loses; interrupts.c
 *                    |   `- bus_master.c     no DMA in between, whatever the driver leaves running
 *                    |- iova0_page.c       what a driver lets its device read too early
 *                    |- secondary.c        descriptors for secondary processes
 *                    `- registry.c         functions and their ethdev ports
 *   preload_check.c  at load time: are all entry points ours? If not, the process ends.
 *
 * Locks, outermost first: the context's, a group's, hosted_lock(). Whatever changes a hosted port
 * holds hosted_lock(): the application's call, or a switch.
 */

/** State of a function before its Bus Master bit was cleared. */
struct hosted_bus_master {
	uint16_t command;      /* 0: not cleared */
	uint8_t virtio_status; /* 0: not a virtio function, or not running */
};

struct hosted_function {
	TAILQ_ENTRY(hosted_function) next;
	struct shunt_context *context;
	struct shunt_vfio_device device;
	struct shunt_group *group;
	uint16_t vendor, device_id;
	/* Under hosted_lock(): */
	int leaving; /* calls of the application that close or detach it, now */
	struct hosted_bus_master master;
};

/* ---- interpose.c ---- */

void hosted_lock(void);
void hosted_unlock(void);

/** DPDK's function of that name, which the application meant to call. */
void *hosted_next(const char *name);

/* ---- registry.c: functions, and their ethdev ports ---- */

/** The function, or NULL. Context's lock held, as for the next two. */
struct hosted_function *hosted_function_find(const char *address);
void hosted_function_add(struct hosted_function *function);
/** Its ports, if it still has any, are not hosted any more. */
void hosted_function_remove(struct hosted_function *function);

/** Function of an ethdev port; NULL: it is not hosted. The pointer is good while the port is. */
struct hosted_function *hosted_function_of(uint16_t port_id);
void hosted_port_set(uint16_t port_id, struct hosted_function *function);

/**
 * The application begins to close or detach a device, or has done so. Meanwhile its ports are not
 * stopped for a switch.
 */
void hosted_ports_leaving(const struct rte_device *device, bool leaving);

/* ---- function.c: opened and closed by EAL's PCI bus ---- */

/** Opens a function ("0000:03:00.0") and joins it to its group. Context's lock held. */
int hosted_function_open(const char *address, struct hosted_function **function);

/** Leaves the group and closes the function. Context's lock held. */
int hosted_function_close(struct hosted_function *function);

/* ---- ethdev.c: a function's ethdev ports ---- */

extern const struct shunt_port_ops hosted_port_ops;

/** Tells the group which driver a hosted port has. hosted_lock() not held. */
void hosted_port_named(uint16_t port_id);

/** Registers for ethdev ports that appear and vanish. EAL runs. @return 0, -ENOMEM */
int hosted_ports_follow(void);

/* ---- bursts.c ---- */

/**
 * Puts our bursts before those of a started port. After a restart, takes over the burst
 * functions that the driver chose.
 *
 * @return 0; -ENOMEM; -ENOTSUP a port number beyond HOSTED_PORTS
 */
int hosted_bursts_wrap(struct rte_eth_dev *dev);

#define HOSTED_PORTS 32

/** Whether the application calls our bursts. */
bool hosted_bursts_wrapped(uint16_t port_id);

/**
 * Enters a queue as a transmit burst does, in the poller's place.
 *
 * @param[out] poll  leave it with shunt_poll_leave(); NULL: closed, do not touch the queue
 * @return 0; -ENOENT the queue does not use our bursts
 */
int hosted_bursts_enter_tx(uint16_t port_id, uint16_t queue_id, struct shunt_poll **poll);

/**
 * From now on bursts return 0. Waits until no poller is inside one.
 *
 * @return 0; -ETIMEDOUT. hosted_bursts_open() has to follow in either case
 */
int hosted_bursts_close(uint16_t port_id);

/** Lets bursts through again. */
void hosted_bursts_open(uint16_t port_id);

/* ---- saved_config.c: settings that a driver's stop or start loses ---- */

struct hosted_config;

/** Saves the settings of a started port. @return NULL: out of memory */
struct hosted_config *hosted_config_save(struct rte_eth_dev *dev);

/** Restores them on the port, now started again, and frees them. @return 0, -errno */
int hosted_config_restore(struct rte_eth_dev *dev, struct hosted_config *kept);

void hosted_config_drop(struct hosted_config *kept);

/**
 * Lets the driver add the NIC's counters to its statistics. Called before a stop, which may reset
 * the NIC and clear them.
 */
void hosted_config_read_counters(struct rte_eth_dev *dev);

/** Remembers the application's multicast addresses. hosted_lock() held, as for the next one. */
void hosted_config_multicast(uint16_t port_id, const struct rte_ether_addr *list, uint32_t count);

/** Remembers whether the application took the link down. */
void hosted_config_link(uint16_t port_id, bool down);

/* ---- interrupts.c: threads that wait for receive interrupts ---- */

struct hosted_waits;

/** Saves which descriptors the application waits for. @return NULL: none, or out of memory */
struct hosted_waits *hosted_waits_save(struct rte_eth_dev *dev);

/** Registers the new descriptors in their place and arms the queues. @return 0, -errno */
int hosted_waits_restore(struct rte_eth_dev *dev, struct hosted_waits *waits);

/* ---- bus_master.c ---- */

/** Clears Bus Master: the function makes no DMA. @return 0, -errno of an access */
int hosted_bus_master_clear(struct hosted_function *function, struct hosted_bus_master *master);

/** Restores Bus Master, and the status of a virtio device. */
int hosted_bus_master_restore(
	struct hosted_function *function, const struct hosted_bus_master *master);

/* ---- iova0_page.c ---- */

/** Maps a page of zeros at IOVA 0 if the driver needs one. Context's lock held. */
int hosted_iova0_get(const struct hosted_function *function);

int hosted_iova0_put(const struct hosted_function *function);

/* ---- secondary.c ---- */

/** In the primary process: serves requests of secondary ones. @return 0, -errno */
int hosted_secondary_serve(void);

/** In a secondary process: asks for a function's cdev. @return 0, -errno */
int hosted_secondary_ask(const char *address, int *fd);

/** A live secondary process that has the function's descriptor. @return its pid, 0: none */
int hosted_secondary_of(const char *address);

/* ---- preload_check.c ---- */

/** One VFIO entry point of EAL. */
struct hosted_vfio_call {
	const char *name;
	void *function;
	bool needed; /* EAL's PCI bus calls it, or this DPDK takes its devices in another way */
};

extern const struct hosted_vfio_call hosted_vfio_api[]; /* rte_vfio_api.c; ends with NULL */

#endif
