/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdint.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "shunt_thread.h"

#define SLICE_NS       100000ull
#define TIMER_SLACK_NS 1000ul

void shunt_thread_prompt(void)
{
	/* As in <linux/sched/types.h>, which the C library's headers do not bear beside it. */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attributes = { .size = sizeof(attributes), .policy = SCHED_OTHER, .runtime = SLICE_NS };

	attributes.nice = getpriority(PRIO_PROCESS, 0);
	syscall(SYS_sched_setattr, 0, &attributes, 0);
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
}

void shunt_thread_urgent(void)
{
	const struct sched_param param = { .sched_priority = 1 };

	shunt_thread_prompt();
	sched_setscheduler(0, SCHED_FIFO, &param);
}
