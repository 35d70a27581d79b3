/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_INFO_H
#define KERNEL_INFO_H

#include <stdbool.h>

#include "shunt_platform.h"

/** Where a machine describes itself; roots of its trees. */
struct kernel_roots {
	const char *sys;
	const char *proc;
	const char *boot;
};

/**
 * What this machine is: its IOMMUs in the field's words ("intel-iommu legacy", "amd-iommu",
 * "arm-smmu-v3", "virtio-iommu"; several kinds with " and " between them; "none"), its kernel, and
 * whether it is a virtual one. Leaves nic empty and fault_observers as they are.
 */
void kernel_info_fill(const struct kernel_roots *roots, struct shunt_platform_info *info);

#endif
