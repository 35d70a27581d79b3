/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_FAULT_IRQS_H
#define KERNEL_FAULT_IRQS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_fault_lines.h"
#include "irq_settle.h"

/*
 * The fault interrupts of one IOMMU: an observer that no rate limit suppresses.
 *
 *   <sys>/bus/pci/devices/0000:03:00.0/iommu -> .../dmar0   its name
 *   <sys>/kernel/irq/24/actions       "dmar0": its fault interrupt (virtio-iommu: "virtio0", on a
 *                                     line of its own or shared; AMD: "AMD-Vi0-Evt", "AMD-Vi";
 *                                     SMMUv3: "arm-smmu-v3-evtq", of any of them)
 *   <sys>/kernel/irq/24/per_cpu_count how often it came
 *   <proc>/irq/24/effective_affinity_list   on which processor
 *
 * Files stay open: a count costs a pread(2). One thread.
 */

#define FAULT_UNIT_NAME 64
#define FAULT_UNIT_IRQS 32 /* an interrupt does not name its SMMU */

struct fault_irq {
	int count_fd;
	int affinity_fd;
	uint32_t count; /* when last read */
};

struct fault_unit {
	char name[FAULT_UNIT_NAME];
	enum fault_iommu iommu; /* FAULT_IOMMUS: of no known kind */
	struct fault_irq irqs[FAULT_UNIT_IRQS];
	unsigned int irq_count;
	bool complete; /* all its interrupts are counted */
};

/**
 * Finds the interrupts of the IOMMU that translates a function's DMA, and begins to count them.
 *
 * @param sys, proc  roots of sysfs and procfs
 * @param unit       its name is set
 */
void fault_unit_open(
	struct fault_unit *unit, const char *sys, const char *proc, const char *function);

void fault_unit_close(struct fault_unit *unit);

/** Adds the processors on which its interrupts come. @return 0; -ENODEV one is gone */
int fault_unit_processors(const struct fault_unit *unit, struct processors *set);

/** Reads its counts. @return whether one moved since the last time, 0 or 1; -ENODEV one is gone */
int fault_unit_read(struct fault_unit *unit);

#endif
