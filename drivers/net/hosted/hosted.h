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
 * DPDK's own drivers of PCI functions, hosted on our iommufd: a library to preload, which takes the
 * place of EAL's VFIO containers and leaves all else to EAL's PCI bus.
 *
 *   application, DPDK's drivers        unmodified
 *     |  rte_eth_dev_start() ...   --> control.c   orders them and the switches, then the real ones
 *     |  rte_eth_rx_burst() ...    --> bursts.c    counts who is inside
 *   EAL's PCI bus
 *     |  rte_vfio_setup_device() ... > entry.c     EAL's VFIO entry points
 *     v                                  |
 *   BARs, interrupts, by the cdev        v
 *                        function.c  struct hosted_function: VFIO device, member of its port group
 *                          |- ethdev.c   stopped and started for a switch, by ethdev's operations
 *                          |   |- kept.c    what a stop would forget; interrupts.c
 *                          |   `- master.c  no DMA in between, whatever the driver leaves running
 *                          |- zero.c    what a driver has its device read before it has set it
 *                          `- secondary.c  descriptors for secondary processes
 *   takeover.c  when it is loaded: are all entry points ours? Otherwise the process ends.
 *
 * Locks, in the order in which they are taken: the context's, a group's, hosted_lock(). The last is
 * held by whoever changes a hosted port: the application's call, or a switch.
 */

/** What a function was before its Bus Master was taken away. */
struct hosted_master {
	uint16_t command;      /* 0: it was not */
	uint8_t virtio_status; /* 0: not a virtio function, or not running */
};

struct hosted_function {
	TAILQ_ENTRY(hosted_function) next;
	struct shunt_context *context;
	struct shunt_vfio_device device;
	struct shunt_group *group;
	uint16_t vendor, device_id;
	/* Under hosted_lock(): */
	int leaving; /* the application's calls that close or detach it */
	struct hosted_master master;
};

/* ---- function.c: taken and given back by EAL's PCI bus ---- */

/** Opens a function ("0000:03:00.0") and joins it to its group. Context's lock held. */
int hosted_function_open(const char *address, struct hosted_function **function);

/** Takes it out of its group and closes it. Context's lock held. */
int hosted_function_close(struct hosted_function *function);

/** The function, or NULL. Context's lock held. */
struct hosted_function *hosted_function_find(const char *address);

/* ---- ethdev.c: a function's ethdev ports ---- */

extern const struct shunt_port_ops hosted_port_ops;

/** Function of an ethdev port; NULL: it is not hosted. The pointer is good while the port is. */
struct hosted_function *hosted_function_of(uint16_t port_id);

/** Tells the group the driver of a hosted port. hosted_lock() not held. */
void hosted_port_named(uint16_t port_id);

/** Follows the coming and going of ethdev ports, once EAL runs. @return 0, -ENOMEM */
int hosted_ports_follow(void);

/** The function is given back: its ports, if it has any yet, are not hosted any more. */
void hosted_ports_forget(const struct hosted_function *function);

/**
 * The application begins to close or detach a device, or has done so. Its ports are not stopped for
 * a switch meanwhile.
 */
void hosted_ports_leaving(const struct rte_device *device, bool leaving);

/* ---- bursts.c ---- */

/**
 * Puts itself between the application and the bursts of a started port; or takes over what the
 * driver chose when it was started anew.
 *
 * @return 0; -ENOMEM; -ENOTSUP a port number beyond HOSTED_PORTS
 */
int hosted_bursts_wrap(struct rte_eth_dev *dev);

#define HOSTED_PORTS 32

/** Whether the bursts that the application calls are counted. */
bool hosted_bursts_wrapped(uint16_t port_id);

/**
 * From now on bursts return 0; waits until nobody is inside one.
 *
 * @return 0; -ETIMEDOUT, hosted_bursts_open() has to follow all the same
 */
int hosted_bursts_close(uint16_t port_id);

/** Lets them through again. */
void hosted_bursts_open(uint16_t port_id);

/* ---- kept.c: what a driver's stop or start forgets ---- */

struct hosted_kept;

/** Notes settings of a started port. @return NULL: out of memory */
struct hosted_kept *hosted_kept_take(struct rte_eth_dev *dev);

/** Gives them to the port, started again, as far as it takes them; and releases them. */
int hosted_kept_give(struct rte_eth_dev *dev, struct hosted_kept *kept);

void hosted_kept_drop(struct hosted_kept *kept);

/** The application's list of multicast addresses. Under hosted_lock(), as the next one. */
void hosted_kept_multicast(uint16_t port_id, const struct rte_ether_addr *list, uint32_t count);

/** Whether it took the link down. */
void hosted_kept_link(uint16_t port_id, bool down);

/* ---- interrupts.c: who waits for receive interrupts ---- */

struct hosted_waits;

/** Notes which descriptors the application waits for. @return NULL: none, or out of memory */
struct hosted_waits *hosted_waits_take(struct rte_eth_dev *dev);

/** Has it wait for the new ones, armed. @return 0, -errno */
int hosted_waits_give(struct rte_eth_dev *dev, struct hosted_waits *waits);

/* ---- master.c ---- */

/** Without Bus Master a function makes no DMA. @return 0, failure of an access */
int hosted_master_take(struct hosted_function *function, struct hosted_master *master);

/** Puts back what was. */
int hosted_master_give(struct hosted_function *function, const struct hosted_master *master);

/* ---- zero.c ---- */

/** Maps zeros at IOVA 0 where a driver has its device read from there. Context's lock held. */
int hosted_zero_get(const struct hosted_function *function);

int hosted_zero_put(const struct hosted_function *function);

/* ---- control.c ---- */

void hosted_lock(void);
void hosted_unlock(void);

/** The function of that name which the application would have called without us. */
void *hosted_next(const char *name);

/* ---- secondary.c ---- */

/** In the primary process: answers secondary ones. @return 0, -errno */
int hosted_secondary_serve(void);

/** In a secondary process: the descriptor of a function's cdev. @return it, -errno */
int hosted_secondary_ask(const char *address);

/** A process that has the function's descriptor and is still alive; 0: none. */
int hosted_secondary_of(const char *address);

/* ---- takeover.c ---- */

/** One entry point of EAL. */
struct hosted_entry {
	const char *name;
	void *function;
	bool needed; /* EAL's PCI bus has to call it */
};

extern const struct hosted_entry hosted_entries[]; /* entry.c; ends with NULL */

#endif
