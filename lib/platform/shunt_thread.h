/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_THREAD_H
#define SHUNT_THREAD_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Asks the scheduler to let the calling thread on soon and for short: slices of 100 us
 * (sched_setattr(2), from Linux 6.12 on) and timers that are exact to 1 us. For threads that share
 * a processor with one that polls. Where the kernel knows neither, nothing is lost but smoothness.
 */
void shunt_thread_prompt(void);

/**
 * The same, and where the caller may (root, CAP_SYS_NICE, RLIMIT_RTPRIO) real-time priority 1: for
 * a thread that mostly sleeps and shares a processor with one that polls, which would otherwise
 * keep it for a whole tick of the scheduler. Threads that it starts afterwards inherit it.
 */
void shunt_thread_urgent(void);

#ifdef __cplusplus
}
#endif

#endif
