/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WATCHDOG_H
#define WATCHDOG_H

/*
 * A thread that calls a function periodically (rte_net_shunt_check_every()): the context has it
 * check every port group. It is a thread of its own because a repair takes milliseconds, for which
 * EAL's interrupt thread must not be blocked.
 */

/** Starts the thread on the caller's processors. @return 0, -errno */
int shunt_watchdog_start(void (*check)(void));

/** Ends the thread; waits for a check that is under way. */
void shunt_watchdog_stop(void);

#endif
