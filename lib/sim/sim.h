/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_H
#define SIM_H

#include <pthread.h>
#include <sys/queue.h>

#include <shunt/sim.h>

#include "sim_dma.h"

/*
 * Objects of the software platform, inside lib/sim.
 *
 *   struct sim (the platform)                                           sim.c
 *     |- struct sim_function [n]    one 82576: VFIO device, DMA state, NIC
 *     |     |- sim_dma              engine's view of the IOMMU            sim_dma.c
 *     |     |- sim_vfio             open VFIO device                      sim_vfio.c, sim_irqs.c
 *     |     `- sim_nic              registers, queues, wire               sim_nic*.c
 *     |- struct sim_group [n]       IOMMU group: owner, hwpt, members     sim_attach.c
 *     |- struct sim_iommu           invalidation, changes, faults         sim_iommu.c, sim_switch.c
 *     |- descriptors                open iommufds and VFIO devices        sim_fd.c
 *     |     `- iommufd objects      IOAS, hwpt, device                    sim_iommufd.c and others
 *     |- sysfs tree                 describes the functions               sim_sysfs.c
 *     `- engine                     the thread that moves frames          sim_engine.c
 *
 * Locks, outermost first: sim::lock (all ioctls), the descriptor table's (leaf), the IOMMU queue's
 * and the fault log's (leaves; the only ones the engine takes).
 */

struct sim_nic;
struct sim_engine;
struct sim_vfio;
struct sim_iommufd;
struct sim_hwpt;
struct sim_device;
struct sim_region;
struct sim_group;

TAILQ_HEAD(sim_device_list, sim_device);
LIST_HEAD(sim_region_list, sim_region);

/** One PCI function of the platform. */
struct sim_function {
	struct sim *sim;
	char address[16]; /**< "0000:03:00.0" */
	struct sim_group *group;
	struct sim_dma dma;
	struct sim_nic *nic;
	struct sim_vfio *vfio; /**< open VFIO device, or NULL; under sim::lock */
};

/** One IOMMU group. Its functions are neighbours in sim::functions, in order of address. */
struct sim_group {
	int number; /**< "/sys/kernel/iommu_groups/10" */
	struct sim_function *functions;
	unsigned int function_count;
	/* under sim::lock */
	struct sim_iommufd *owner; /**< holds its DMA; NULL: none */
	unsigned int owner_count;  /**< devices bound to the owner */
	struct sim_hwpt *hwpt;     /**< what its members translate through; NULL: blocked */
	struct sim_device_list attached;
};

/** The platform. */
struct sim {
	struct shunt_platform platform;
	struct shunt_sim_config config;
	pthread_mutex_t lock; /**< all ioctls; the engine never takes it */
	struct sim_function *functions;
	unsigned int function_count;
	struct sim_group *groups; /**< config.groups of them */
	struct sim_iommu iommu;
	struct sim_engine *engine;
	/** Ticks in which the NICs could act: they pass while the engine makes its rounds. */
	_Atomic uint64_t time;
	struct sim_fds *fds;
	struct sim_sysfs *sysfs;
	struct sim_region_list regions;   /**< mapped ones; under sim::lock */
	struct shunt_sim_objects objects; /**< but descriptors; under sim::lock */
};

/** Finds a function by address. @return NULL: no such function */
struct sim_function *sim_function_find(struct sim *sim, const char *address);

/* ---- NIC: what VFIO needs of it (sim_nic.c). Any thread. ---- */

#define SIM_NIC_BAR0_SIZE   0x20000u /* 128 KiB, 82576 datasheet section 9.4 (memory BAR) */
#define SIM_NIC_BAR3_SIZE   0x4000u  /* 16 KiB, MSI-X table and pending bits */
#define SIM_NIC_CONFIG_SIZE 4096u
#define SIM_NIC_VECTORS     10u /* MSI-X vectors of a PF */

/** Makes the NIC of a function. @return 0, -ENOMEM */
int sim_nic_create(struct sim_function *function, unsigned int index);
void sim_nic_destroy(struct sim_nic *nic);

/** Memory of BAR 0. The engine sees doorbells stored here. */
void *sim_nic_bar0(struct sim_nic *nic);

/** Register access through the region, side effects included. @return 0, -EINVAL */
int sim_nic_read(struct sim_nic *nic, uint32_t index, uint64_t offset, void *buf, uint32_t length);
int sim_nic_write(
	struct sim_nic *nic, uint32_t index, uint64_t offset, const void *buf, uint32_t length);

/** Function level reset: on return no DMA of the function is in flight. */
void sim_nic_reset(struct sim_nic *nic);

/** Sets the eventfd of an MSI-X vector, -1 for none. */
void sim_nic_vector(struct sim_nic *nic, uint32_t vector, int eventfd);

/* ---- sysfs tree (sim_sysfs.c) ---- */

/** Writes the tree and names it in sim::platform. @return 0, -errno with shunt_errmsg() */
int sim_sysfs_create(struct sim *sim);
void sim_sysfs_destroy(struct sim *sim);

/* ---- engine (sim_engine.c) ---- */

int sim_engine_start(struct sim *sim);
/** Ends the thread. On return nothing of the platform is in use by it. */
void sim_engine_stop(struct sim *sim);

#endif
