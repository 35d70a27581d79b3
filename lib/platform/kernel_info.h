/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_INFO_H
#define KERNEL_INFO_H

#include <stdbool.h>

#include <shunt/platform.h>

/** Where a machine describes itself; roots of its trees. */
struct kernel_roots {
	const char *sys;
	const char *proc;
	const char *boot;
	const char *log;     /**< of the kernel, "/dev/kmsg" */
	const char *tracefs; /**< where it is mounted; NULL: the usual places */
};

/**
 * What this machine is: its IOMMU in the field's words ("intel-iommu legacy", "amd-iommu",
 * "arm-smmu-v3", "virtio-iommu", "none"), its kernel, and whether it is a virtual one. Leaves nic
 * empty and fault_observers as they are.
 *
 * @param function  as in shunt_platform_ops::info
 */
void kernel_info_fill(
	const struct kernel_roots *roots, const char *function, struct shunt_platform_info *info);

#endif
