/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_VFIO_H
#define SIM_VFIO_H

#include <linux/vfio.h>

#include "sim_iommufd.h"

/*
 * A VFIO device by its character device: an open file that is bound to an iommufd or not yet.
 *
 *   /dev/vfio/devices/vfio0 --> struct sim_vfio (a file) --> sim_function, sim_nic
 *                                  `- sim_device, iommufd's file   once bound
 *
 * A function can be opened many times and bound once. Order of checks and errnos follow
 * drivers/vfio of Linux 6.12 with vfio-pci. Not modelled: INTx, MSI, migration and other features,
 * hot reset. Callers hold sim::lock, unless said otherwise.
 */

#define SIM_VFIO_OFFSET_SHIFT 40 /* region index in an offset, as vfio-pci has it */

/** An open VFIO device. */
struct sim_vfio {
	struct sim_file file;
	struct sim_function *function;
	_Atomic bool bound;
	struct sim_device *device;    /**< once bound */
	bool msix;                    /**< MSI-X is enabled */
	int vectors[SIM_NIC_VECTORS]; /**< own duplicates of the caller's eventfds; -1: none */
};

/** Opens a function. @return 0, -ENOMEM. Any lock state. */
int sim_vfio_open(struct sim_function *function, struct sim_file **file);

/** VFIO_DEVICE_GET_IRQ_INFO and VFIO_DEVICE_SET_IRQS (sim_irqs.c). */
int sim_irqs_info(struct sim_vfio *vfio, void *arg);
int sim_irqs_set(struct sim_vfio *vfio, void *arg);

/** Removes all vectors. On return none is signalled any more. */
void sim_irqs_disable(struct sim_vfio *vfio);

/** Unmaps what a file's map() gave. Any lock state but held. */
int sim_region_unmap(struct sim *sim, void *addr, size_t length);

/** Releases what was left mapped. */
void sim_regions_destroy(struct sim *sim);

#endif
