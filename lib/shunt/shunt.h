/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_SHUNT_H
#define SHUNT_SHUNT_H

/*
 * libshunt: IOMMU groups of PCI functions on VFIO and iommufd, moved between I/O page tables.
 *
 *   platform  kernel, or <shunt/sim.h>          answers the system calls
 *   pci       functions and groups              what there is
 *   iommufd, vfio                               descriptors, devices
 *   space     an IOAS, mappings, page tables    what devices see of memory
 *   group     members, switched as one          replace, quiesce, and other plans
 *   container all of it, closed by one call, for programs without DPDK
 *
 * A function returns 0 or a negative errno; shunt_errmsg() has the sentence. Objects are destroyed
 * by whoever created them; what is still in use is not destroyed, -EBUSY names the user.
 *
 * Results and tables of operations that can grow end in `reserved`. A later version names parts of
 * it, the size stays. Callers leave it zero in tables of operations, and do not read it in results.
 */

#include <shunt/clock.h>
#include <shunt/container.h>
#include <shunt/error.h>
#include <shunt/group.h>
#include <shunt/iommufd.h>
#include <shunt/pci.h>
#include <shunt/platform.h>
#include <shunt/space.h>
#include <shunt/version.h>
#include <shunt/vfio.h>

#endif
