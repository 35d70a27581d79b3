/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_SYSFS_H
#define SIM_SYSFS_H

#include "sim.h"

/*
 * A sysfs tree for the platform's functions, as lib/pci and libpci read the kernel's:
 *
 *   shunt-sim.XXXXXX/
 *     bus/pci/devices/0000:03:00.0 --> ../../../devices/pci0000:00/0000:03:00.0
 *     bus/pci/drivers/vfio-pci/, pcieport/
 *     devices/pci0000:00/0000:03:00.0/  vendor, device, class, config, ..., vfio-dev/vfio0/,
 *                                       driver -->, iommu_group -->
 *     kernel/iommu_groups/10/devices/0000:03:00.0 -->
 *
 * It lies in $TMPDIR or /tmp and goes with the platform. Its root is locked (flock) as long as the
 * platform is there: one that nobody has locked any more goes when the next platform is created.
 */

/** Writes the tree and names it in sim::platform. @return 0, -errno with shunt_errmsg() */
int sim_sysfs_create(struct sim *sim);

/** Removes it. */
void sim_sysfs_destroy(struct sim *sim);

#endif
