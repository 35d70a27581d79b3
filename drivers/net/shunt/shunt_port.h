/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_PORT_H
#define SHUNT_PORT_H

#include <sys/queue.h>

#include <shunt/group.h>
#include <shunt/space.h>
#include <shunt/vfio.h>

#include "shunt_dpdk.h"

/*
 * Between the front-end, which knows devices, groups and address spaces, and the datapaths, which
 * know a NIC.
 *
 *   vdev.c --- probe, remove, arguments
 *      |
 *   port.c --- struct shunt_port: VFIO device, group membership, arena for rings
 *      |             ^ first member of the ethdev port's private data
 *      |             |
 *      |       struct shunt_port_driver: igb, ...
 *   context.c  what the ports of a process share
 *
 * Control-path functions: the threads that DPDK's ethdev interface allows.
 */

struct shunt_context;
struct shunt_port;

/** A datapath. */
struct shunt_port_driver {
	const char *name; /**< "net_shunt igb" */
	uint16_t vendor;
	const uint16_t *devices; /**< ends with 0 */
	size_t private_size;     /**< of the ethdev port; begins with struct shunt_port */
	const struct shunt_port_ops *group_ops;
	const struct eth_dev_ops *secondary_ops; /**< of its ports in a secondary process */
	/**
	 * Brings the NIC into reset state and fills in the ethdev port: operations, addresses. The
	 * device is bound but not attached: no DMA.
	 */
	int (*open)(struct rte_eth_dev *dev);
	/** Undoes open; the NIC does no DMA any more. */
	void (*close)(struct rte_eth_dev *dev);
};

/** What switches did to a port since the last reset of its statistics. Under the port's lock. */
struct shunt_port_switches {
	uint64_t switches; /**< done */
	uint64_t failed;   /**< rolled back, or left in the middle */
	uint64_t faults;   /**< records of this function during switches, at least */
	uint64_t unknown;  /**< switches without a record and with unknown fault status */
	uint64_t ioctl_last_ns;
	uint64_t ioctl_max_ns;
	uint64_t ioctl_total_ns;
	uint64_t paused_last_ns; /**< paused or stopped, ioctls included; 0: it ran */
	uint64_t paused_max_ns;
	uint64_t paused_total_ns;
};

#define SHUNT_PORT_XSTATS      10 /* each of those */

#define SHUNT_SECONDARY_XSTATS 128

/** What secondary processes read, when the primary has brought it up to date. (secondary.c) */
struct shunt_port_shared {
	char mark[24]; /**< this library, and its version */
	uint16_t vendor, device_id;
	unsigned int count; /**< of xstats */
	struct rte_eth_stats stats;
	shunt_queue_stats_t queues;
	uint64_t xstats[SHUNT_SECONDARY_XSTATS];
};

/** One port. */
struct shunt_port {
	struct shunt_port_shared shared; /**< first */
	TAILQ_ENTRY(shunt_port) next;
	struct shunt_context *context;
	const struct shunt_port_driver *driver;
	struct rte_eth_dev *dev;
	struct shunt_vfio_device device;
	struct shunt_group *group;
	struct rte_intr_handle
		*request; /**< device requests of the kernel; shunt_port_raise_event() */
	enum rte_eth_event_type event; /**< to be raised; _UNKNOWN: none of the datapath's */
	struct shunt_port_switches switches;
	struct shunt_arena arena; /**< rings of descriptors; in every space, IOVA = address */
};

/** Driver of a PCI function. @return NULL if there is none */
const struct shunt_port_driver *shunt_port_driver_find(uint16_t vendor, uint16_t device);

/** Those of all driven functions; the rest of the table stays as it is. */
struct rte_pci_id;
void shunt_port_ids(struct rte_pci_id *ids, unsigned int room);

/**
 * Opens the function behind an allocated ethdev port and joins it to its group.
 *
 * @param context  a reference that the port takes over on success
 * @return 0; on failure nothing is left but the ethdev port
 */
int shunt_port_open(struct rte_eth_dev *dev, const struct shunt_port_driver *driver,
	struct shunt_context *context, const char *cdev, const char *function, int group);

/** Closes a stopped port: out of its group, device closed, context given back. */
int shunt_port_close(struct rte_eth_dev *dev);

/** From now on RTE_ETH_EVENT_INTR_RMV is raised when the kernel requests the function back. */
int shunt_device_request_open(struct shunt_port *port);

/** Undoes it, as shunt_notify_close() does. The device is closed after that. */
void shunt_device_request_close(struct shunt_port *port);

/** Has EAL's interrupt thread raise an event of the port soon. Locks may be held. */
void shunt_port_raise_event(struct shunt_port *port, enum rte_eth_event_type event);

/**
 * Makes an eventfd whose signals EAL's interrupt thread hands to `handler`. (notify.c)
 *
 * @param[out] handle  it, with the descriptor
 * @return 0, -errno
 */
int shunt_notify_open(const char *function, rte_intr_callback_fn handler, void *arg,
	struct rte_intr_handle **handle);

/**
 * Undoes it. No call of the handler is under way after that, but for the caller's own. The caller
 * holds no lock that the handler, or what the application does in an event, may wait for.
 */
void shunt_notify_close(struct rte_intr_handle *handle, rte_intr_callback_fn handler, void *arg);

/** Called first by the handler: consumes the signal. @return whether there was one */
bool shunt_notify_taken(struct rte_intr_handle *const *handle);

/** The `switched` operation of a datapath: counts the switch. */
void shunt_port_switched(void *port, const struct shunt_switch_result *result,
	const struct shunt_switch_member *member);

/** Values of the counters of switches, for a datapath's xstats. Under the port's lock. */
void shunt_port_xstats(const struct shunt_port *port, uint64_t values[SHUNT_PORT_XSTATS]);

/** Name of one of them. */
const char *shunt_port_xstat_name(unsigned int index);

/** Operations of a port in a secondary process: the primary has the device. @return 0, -errno */
int shunt_secondary_stats_get(
	struct rte_eth_dev *dev, struct rte_eth_stats *stats SHUNT_QUEUE_STATS_ARGUMENT);
int shunt_secondary_xstats_get(
	struct rte_eth_dev *dev, struct rte_eth_xstat *values, unsigned int room);
int shunt_secondary_link_update(struct rte_eth_dev *dev, int wait);

/** Checks that all memory buffers may come from is mapped. @return 0 or the errno of a mapping */
int shunt_port_memory_check(struct shunt_port *port);

extern const struct shunt_port_driver igb_driver, igbvf_driver;

#endif
