/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GUARD_H
#define GUARD_H

/*
 * The guard: a thread that looks after every port group now and then. It never waits for who opens
 * or closes ports, nor for a switch, which looks after its ports itself. A thread of its own, for
 * mending takes milliseconds that EAL's interrupt thread owes to others.
 */

/** Begins with the context, where the calling thread runs. Context locked. @return 0, -errno */
int shunt_guard_start(void);

/** Ends before the context goes; waits for a check that is under way. Context locked. */
void shunt_guard_stop(void);

#endif
