/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_FAULTS_H
#define KERNEL_FAULTS_H

#include <stddef.h>

#include <shunt/platform.h>

#include "kernel_info.h"

/*
 * Faults of the kernel platform, of the functions that are watched.
 *
 *   /sys/kernel/irq/N/per_cpu_count   of the function's own IOMMU: was any DMA refused?
 *        |
 *        |- it did not move: none, whatever the log says
 *        `- it moved: some; which function's, say
 *             <tracefs>/instances/shunt-PID-N   events of iommu:io_page_fault, which count always
 *             /dev/kmsg                         messages, which the kernel's rate limit drops
 *           of the functions that neither names it is unknown
 *
 * The count is that of the interrupts that were handled, so it is read when the processors on which
 * they come have taken what was waiting (irq_settle.h). One that does not within the bound
 * leaves everything unknown. Any thread.
 */

struct kernel_faults;

/** Opens what can be opened. @return 0, whatever could be opened; -ENOMEM, -EAGAIN */
int kernel_faults_create(const struct kernel_roots *roots, struct kernel_faults **faults);

/** Releases it and removes the trace instance. NULL is allowed. */
void kernel_faults_destroy(struct kernel_faults *faults);

/** As shunt_platform_ops::watch. */
int kernel_faults_watch(struct kernel_faults *faults, const char *function);

/** As shunt_platform_ops::faults. */
int kernel_faults_take(struct kernel_faults *faults, struct shunt_fault *records, unsigned int n);

/** Names of the observers there are, as in shunt_platform_info. */
void kernel_faults_observers(struct kernel_faults *faults, char *names, size_t size);

#endif
