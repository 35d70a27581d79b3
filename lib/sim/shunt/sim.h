/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_SIM_H
#define SHUNT_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shunt/platform.h>

/*
 * The software platform: iommufd and VFIO with the kernel's rules and errnos, an IOMMU that
 * translates through page tables and an IOTLB, and 82576 NICs at register and descriptor level,
 * whose DMA runs on a thread of its own and races with everything the caller does.
 *
 *   caller's threads                        engine thread
 *   ioctl, register access                  polls doorbells, moves frames
 *        |                                       |
 *   iommufd objects --- domains (page tables) <--+-- context entry, IOTLB of each function
 *        |                                       |
 *   VFIO devices ------ 82576 registers ---------+-- wires --- other ports, endpoints
 *
 * The platform cannot pin memory. Memory given to IOMMU_IOAS_MAP must stay mapped in the process
 * until it is unmapped from every IOAS. Memory of a file (IOMMU_IOAS_MAP_FILE) need not. When a
 * hwpt maps the memory, the platform checks that it is there, but not its permissions. Not
 * modelled: the limit of locked memory, nested hwpts, page requests, INTx, MSI and hot reset. Rules
 * and errnos are those of Linux 6.12 on VT-d without scalable mode.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_SIM_MAX_PORTS_PER_GROUP 16
#define SHUNT_SIM_MAX_GROUPS          8

/** How the IOMMU moves a function from one domain to another. */
enum shunt_sim_iommu {
	SHUNT_SIM_BLOCKING, /**< clear the context entry, flush, set: as VT-d does */
	SHUNT_SIM_HITLESS,  /**< one atomic update of the context entry, then flush */
	SHUNT_SIM_CACHED,   /**< clear, set, flush: DMA of a function whose entry is cached goes on
				 by the old one; where it is not, as after a flush until the next
				 DMA, DMA in between fetches the cleared entry and is refused */
};

/** What the NIC does when its DMA is refused. */
enum shunt_sim_nic {
	SHUNT_SIM_DROP,  /**< the frame is dropped, the queue goes on: as QEMU's igb does */
	SHUNT_SIM_WEDGE, /**< a refused read stops the queue's descriptor engine until a function
			      level reset: as reported of real 82576 */
};

/** Why the IOMMU refused, shunt_fault::reason on this platform. */
enum shunt_sim_reason {
	SHUNT_SIM_BLOCKED = 1,  /**< no domain in the context entry */
	SHUNT_SIM_NOT_MAPPED,   /**< no translation for the IOVA */
	SHUNT_SIM_NOT_READABLE, /**< mapped without read permission */
	SHUNT_SIM_NOT_WRITABLE, /**< mapped without write permission */
};

/** What the platform consists of. */
struct shunt_sim_config {
	unsigned int groups; /**< IOMMU groups, 1 to SHUNT_SIM_MAX_GROUPS */
	unsigned int ports;  /**< ports of each group, 1 to SHUNT_SIM_MAX_PORTS_PER_GROUP */
	enum shunt_sim_iommu iommu;
	enum shunt_sim_nic nic;
	bool dirty_tracking; /**< hwpts can note which pages were written to, as the kernel's mock
				IOMMU */
	bool map_file; /**< answers IOMMU_IOAS_MAP_FILE, which came after 6.12, as Linux 7 does */
};

/**
 * Starts a software platform. Group g (0, 1, ...) has number 10 + g and its ports at
 * "0000:GG:00.0" with GG = 16 * g + 3, 16 * g + 4 and so on (hexadecimal), below a bridge.
 *
 * @param[out] platform  released with shunt_platform_destroy()
 * @return 0, -EINVAL (what was out of range), -ENOMEM, -errno of the sysfs tree
 */
int shunt_sim_create(const struct shunt_sim_config *config, struct shunt_platform **platform);

/** Values of --iommu and --nic, by name. @return 0, -EINVAL with the names that exist. */
int shunt_sim_iommu_parse(const char *name, enum shunt_sim_iommu *iommu);
int shunt_sim_nic_parse(const char *name, enum shunt_sim_nic *nic);

/**
 * The far end of a wire that is not a port: a tester. All calls come from the engine thread, while
 * it holds the port: they may not call the platform.
 */
struct shunt_sim_endpoint {
	void *context;
	/**
	 * Next frame to put on the wire, if one is due.
	 *
	 * @param now     shunt_clock ticks, just read
	 * @param ready   the port would take a frame now without dropping it
	 * @param length  [out] bytes, without FCS: 60 or more, or the port drops it as a runt
	 * @return the frame, valid until the next call; NULL if none is due
	 */
	const void *(*send)(void *context, uint64_t now, bool ready, uint32_t *length);
	/** Whether a frame is due soon, so that the engine does not nap; NULL: never. */
	bool (*soon)(void *context, uint64_t now);
	/** A frame arrived from the port. The frame is valid during the call. */
	void (*receive)(void *context, uint64_t now, const void *frame, uint32_t length);
};

/** Puts a wire between two ports. Traffic must not flow yet. @return 0, -ENODEV, -EBUSY wired. */
int shunt_sim_wire(struct shunt_platform *platform, const char *port_a, const char *port_b);

/**
 * Puts an endpoint at the other end of a port's wire. On return of a call with endpoint NULL the
 * engine no longer uses the old one.
 *
 * @return 0, -ENODEV, -EBUSY already wired
 */
int shunt_sim_connect(struct shunt_platform *platform, const char *port,
	const struct shunt_sim_endpoint *endpoint);

#define SHUNT_SIM_SPEED_MAX 1000u

/**
 * Sets the speed of a port's wire, for both ends: 10, 100 or SHUNT_SIM_SPEED_MAX Mb/s, the default.
 * On a slow wire each frame that a NIC sends takes its time. On a fast one it takes none, and
 * neither do frames of an endpoint.
 *
 * @return 0, -ENODEV, -EINVAL
 */
int shunt_sim_speed(struct shunt_platform *platform, const char *port, unsigned int speed);

/** The far end of a port's wire sends XOFF, or XON. Ports with CTRL.RFCE obey. @return 0, -ENODEV
 */
int shunt_sim_hold_back(struct shunt_platform *platform, const char *port, bool off);

/** When the IOMMU blocked a function during one change of its domain: the ground truth. */
struct shunt_sim_blocked {
	char function[16];
	uint64_t from;   /**< ticks: after this no DMA was translated by the old domain */
	uint64_t still;  /**< ticks: and still not by the new one */
	uint64_t until;  /**< ticks: from here on DMA was translated by the new domain */
	uint64_t faults; /**< DMA refused in between */
	bool detached;   /**< ended, or began, by a detach of the whole group */
};

/**
 * Takes out up to n records of blocked intervals in order of time; the platform keeps the last
 * 65536. A hitless change gives one with from == until.
 *
 * @return number of records
 */
int shunt_sim_blocked(
	struct shunt_platform *platform, struct shunt_sim_blocked *records, unsigned int n);

/** Ground truth of one port's model, to check what was measured from outside. */
struct shunt_sim_port_truth {
	uint64_t rx_wire;         /**< frames that came in from the wire */
	uint64_t rx_delivered;    /**< frames written to memory with their descriptor */
	uint64_t rx_no_room;      /**< dropped: no descriptor and the FIFO full, or receive off */
	uint64_t rx_fault;        /**< dropped: a DMA of this frame was refused */
	uint64_t rx_reset;        /**< dropped: in the FIFO when the port was reset */
	uint64_t rx_filtered;     /**< dropped: address or length did not pass the filters */
	uint64_t rx_fifo;         /**< in the receive FIFO, now; with the five above: rx_wire */
	uint64_t tx_wire;         /**< frames put on the wire */
	uint64_t tx_fault;        /**< dropped: a DMA of this frame was refused */
	uint64_t tx_discarded;    /**< dropped: malformed, cut off, or asks for an offload */
	uint64_t lost_writebacks; /**< descriptors used without DD: their write-back, or a write
				       of the same frame before it, was refused */
	uint64_t rx_stopped;      /**< ticks: when a refused read last stopped a receive queue */
	uint64_t rx_resumed;      /**< ticks: when one took descriptors again after that */
	uint32_t wedged_queues;   /**< queues stopped by a refused read, now */
};

/** Reads it. @return 0, -ENODEV */
int shunt_sim_port_truth(
	struct shunt_platform *platform, const char *port, struct shunt_sim_port_truth *truth);

/** What exists on the platform; all zero after an orderly end. */
struct shunt_sim_objects {
	unsigned int descriptors; /**< open descriptors: iommufds and devices */
	unsigned int ioas;
	unsigned int hwpt;
	unsigned int devices;  /**< bound devices */
	unsigned int mappings; /**< of all IOASes */
	unsigned int regions;  /**< mapped regions */
};

/** Counts them. */
void shunt_sim_objects(struct shunt_platform *platform, struct shunt_sim_objects *objects);

#ifdef __cplusplus
}
#endif

#endif
