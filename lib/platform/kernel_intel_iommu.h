/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_INTEL_IOMMU_H
#define KERNEL_INTEL_IOMMU_H

#include <stddef.h>

/*
 * What sysfs tells of VT-d remapping units: their extended capability register, which the
 * kernel shows as <sys>/class/iommu/dmarN/intel-iommu/ecap (VT-d specification, section 11.4.3).
 */

/**
 * Name and mode of a unit, for records: "intel-iommu legacy", "intel-iommu scalable, second stage".
 * The kernel does not show which mode it chose; where the registers, its command line and its
 * configuration leave it open, the name says so.
 *
 * @param sys, proc, boot  roots of sysfs, procfs and the folder of kernel configurations
 * @param unit             "dmar0"
 */
void intel_iommu_name(const char *sys, const char *proc, const char *boot, const char *unit,
	char *name, size_t size);

#endif
