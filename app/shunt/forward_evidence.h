/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_EVIDENCE_H
#define FORWARD_EVIDENCE_H

#include <limits.h>

#include "shunt_evidence.h"
#include "shunt_window.h"

/*
 * What a run sees of the plan replace, switch by switch, for the evidence.
 *
 *   each switch by replace
 *     |- a fault record of any port ---------------> faulted
 *     |- nobody could tell of some port -----------> unknown
 *     |- no fault, but a port had to be mended ----> says nothing
 *     `- no fault
 *          |- every port's measurement met traffic > one more under traffic
 *          `- else --------------------------------> says nothing
 *
 * A port met traffic if no frame was lost and the longest time between two frames on its wire, in
 * all of the switch, was shorter than the first member's ioctl, in which the translation of all
 * members moves: then at least one frame came while it did. No ioctl counts for more than twice the
 * shortest one: one in which the thread lost its processor would be long enough for any traffic.
 */

#define FORWARD_EVIDENCE_HISTORY 128 /* more than a window has pending */

struct forward_evidence {
	char path[PATH_MAX];        /* "": none */
	char refused[512];          /* why the default file is not used; "" */
	uint64_t replaces;          /* in this run */
	uint64_t shortest;          /* ticks, of the first members' ioctls; 0: none yet */
	struct shunt_evidence seen; /* in this run */
	struct {
		uint64_t number;
		uint32_t ports; /* bit a port that met traffic */
	} met[FORWARD_EVIDENCE_HISTORY];
};

/** A switch has ended, or was rolled back. */
void forward_evidence_switch(
	struct forward_evidence *evidence, const struct shunt_switch_result *result);

/** A port of a switch was measured. */
void forward_evidence_measured(
	struct forward_evidence *evidence, const struct shunt_measurement *measurement);

/**
 * Adds what was seen to the file.
 *
 * @param info   by now: without an observer nobody could tell of any switch
 * @param sound  the run's books balance; otherwise only what speaks against replace counts
 * @return 0, errors of shunt_evidence_add()
 */
int forward_evidence_keep(
	struct forward_evidence *evidence, const struct shunt_platform_info *info, bool sound);

#endif
