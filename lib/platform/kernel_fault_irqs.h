/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_FAULT_IRQS_H
#define KERNEL_FAULT_IRQS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_fault_lines.h"

/*
 * The fault interrupts of the IOMMUs: an observer that nothing suppresses.
 *
 *   <sys>/class/iommu/dmar0/          an IOMMU with PCI functions behind it
 *   <sys>/kernel/irq/24/actions       "dmar0": its fault interrupt (virtio-iommu: "virtio0", on a
 *                                     line of its own or shared; AMD: "AMD-Vi0-Evt", "AMD-Vi";
 *                                     SMMUv3: "arm-smmu-v3-evtq" and "-gerror")
 *   <sys>/kernel/irq/24/per_cpu_count how often it came
 *   <proc>/irq/24/effective_affinity_list   on which processor
 *   <proc>/PID/comm "irq/24-..."      the thread that handles it, if one does
 *
 * Files stay open: a count costs a pread(2). One thread.
 */

struct fault_irq {
	enum fault_iommu iommu;
	unsigned int number;
	int count_fd;
	int affinity_fd;
	int thread_fd;  /* <proc>/PID/stat; -1: handled without a thread */
	bool beside;    /* tells of the IOMMU's errors, not of faults */
	uint32_t count; /* when last read */
	uint32_t news;  /* how often it came from one fault_irqs_read() to the last */
};

struct fault_irqs {
	const char *sys;
	const char *proc;
	struct fault_irq *irqs;
	unsigned int irq_count;
	unsigned int iommus; /* in <sys>/class/iommu when last looked */
	bool complete;       /* every IOMMU in use has its interrupts here */
	bool unsettled;      /* some handler may not have ended when counts were last read */
};

/** @param sys, proc  roots of sysfs and procfs, kept */
void fault_irqs_init(struct fault_irqs *irqs, const char *sys, const char *proc);

void fault_irqs_fini(struct fault_irqs *irqs);

/**
 * Looks for the fault interrupts and begins to count them, anew where they were known.
 *
 * @return 0, whether complete or not; -ENOMEM, -ENFILE, -EMFILE
 */
int fault_irqs_scan(struct fault_irqs *irqs);

/** Whether IOMMUs came or went since the last scan. */
bool fault_irqs_stale(const struct fault_irqs *irqs);

/**
 * Reads the counts, and waits until the handlers of what was counted have ended. In
 * irqs->irqs[].news is how often each came since the last time, at least once if a handler had not
 * ended then.
 *
 * @return 0; -EBUSY interrupts come too fast, or their processors are not to be had for the calling
 *         thread (a cpuset): some handlers may not have ended; -ENODEV one is gone: scan again
 */
int fault_irqs_read(struct fault_irqs *irqs);

#endif
