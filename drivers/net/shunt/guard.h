/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GUARD_H
#define GUARD_H

/*
 * The guard: an alarm of EAL, in its interrupt thread, that looks after every port group. It never
 * waits for who opens or closes ports, nor for a switch, which looks after its ports itself.
 */

/** Begins with the context. Context locked. */
void shunt_guard_start(void);

/** Ends before the context goes; waits for a check that is under way. Context locked. */
void shunt_guard_stop(void);

#endif
