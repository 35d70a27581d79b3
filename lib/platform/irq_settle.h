/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IRQ_SETTLE_H
#define IRQ_SETTLE_H

#include <sched.h>

/*
 * Processors that have handled their interrupts: a device's interrupt from before the call may wait
 * at a processor for that to take it, and its handler may be at work there.
 *
 *   caller on 1 --> visitor, a thread, is sent to 0 and reports that it ran there,
 *                   or not within the bound: fetched back, "unknown"
 *
 * Running there is the cheapest sure way. What sends an interrupt itself (membarrier(2),
 * reading a perf event of that processor) comes, with its higher vector, before a device's
 * interrupt that is still waiting. The caller's own affinity never changes.
 */

#define SETTLE_PROCESSORS 8192

/** A set of processors as large as the kernel's can be. */
struct processors {
	cpu_set_t parts[SETTLE_PROCESSORS / CPU_SETSIZE];
};

/** Adds the processors of a list as the kernel writes them, "0-3,8\n". @return 0, -EINVAL */
int processors_add(struct processors *set, const char *list);

/** The thread that visits processors; used by one thread at a time. */
struct visitor;

/** Makes it. @return 0, -ENOMEM, -EAGAIN */
int visitor_create(struct visitor **visitor);

/** Ends it. NULL is allowed. */
void visitor_destroy(struct visitor *visitor);

/**
 * Makes sure that each processor of a set has, since the call, been where it takes interrupts.
 * Waits for 100 ms at most, and for 5 ms after a call that ran out of them.
 *
 * @return 0; -ETIMEDOUT the thread could not run on one; -EINVAL, -EPERM one is unavailable
 */
int visitor_settle(struct visitor *visitor, const struct processors *set);

#endif
