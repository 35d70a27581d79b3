/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_FAULTS_H
#define KERNEL_FAULTS_H

#include <stddef.h>

#include "shunt_platform.h"

/*
 * Faults of the kernel platform: three observers, and rules for what they say together.
 *
 *   /dev/kmsg  -----------------------------.
 *   /sys/kernel/irq/N/per_cpu_count --------+--> struct fault_rules --> struct shunt_fault
 *   <tracefs>/instances/shunt-PID-N --------'
 *
 * Any thread.
 */

struct kernel_faults;

/**
 * Opens what can be opened; faults from now on are seen.
 *
 * @return 0, whatever could be opened; -ENOMEM
 */
int kernel_faults_create(struct kernel_faults **faults);

/** Releases it and removes the trace instance. NULL is allowed. */
void kernel_faults_destroy(struct kernel_faults *faults);

/** As shunt_platform_ops::faults. */
int kernel_faults_take(struct kernel_faults *faults, struct shunt_fault *records, unsigned int n);

/** Names of the observers there are, as in shunt_platform_info. */
void kernel_faults_observers(struct kernel_faults *faults, char *names, size_t size);

#endif
