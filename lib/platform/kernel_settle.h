/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_SETTLE_H
#define KERNEL_SETTLE_H

#include <sched.h>

/*
 * Processors that have handled their interrupts: a device's interrupt from before the call may wait
 * at a processor for that to take it, and its handler may be at work there.
 *
 *   caller on 1 --> on 0: its interrupts were taken, their handlers have returned --> back on 1
 *
 * Running there is the cheapest that is sure. What sends an interrupt itself (membarrier(2),
 * reading a perf event of that processor) comes, with its higher vector, before a device's
 * interrupt that is still waiting.
 */

#define SETTLE_PROCESSORS 8192

/** A set of processors as large as the kernel's can be. */
struct processors {
	cpu_set_t parts[SETTLE_PROCESSORS / CPU_SETSIZE];
};

/** Adds the processors of a list as the kernel writes them, "0-3,8\n". @return 0, -EINVAL */
int processors_add(struct processors *set, const char *list);

/**
 * Makes sure that each processor of a set has, since the call, been where it takes interrupts. The
 * calling thread's own affinity is back afterwards.
 *
 * @return 0; -EINVAL, -EPERM: the thread may not run on one of them
 */
int processors_settle(const struct processors *set);

#endif
