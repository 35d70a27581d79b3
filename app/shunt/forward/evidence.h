/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_EVIDENCE_H
#define FORWARD_EVIDENCE_H

#include <limits.h>

#include <shunt/evidence.h>
#include <shunt/window.h>

#include "cold.h"

/*
 * Outcomes of replace in this run, switch by switch, as evidence under the run's kind of traffic.
 *
 *   each switch by replace
 *     |- a fault record of any port ---------------> faulted
 *     |- fault status of a port unknown -----------> unknown
 *     |- no fault, but a port was recovered -------> no evidence
 *     |- no fault, but the switch failed ----------> no evidence
 *     `- no fault
 *          |- every port's measurement met traffic > one more under traffic
 *          `- otherwise ---------------------------> no evidence
 *
 * A port met dense traffic if no frame was lost, and the longest gap between two frames on its wire
 * in the whole switch was shorter than the first member's ioctl. The translation of all members
 * moves in that ioctl, so at least one frame came during it. Its time counts up to twice the
 * shortest one: an ioctl whose thread lost its processor would be longer than any gap.
 *
 * A port met cold traffic (cold.h) if no frame was lost, and its first frame since the caches
 * became cold was stamped and had left while that ioctl ran. A longer ioctl does not attract the
 * frame, so only stalled ones are no evidence.
 */

#define FORWARD_EVIDENCE_HISTORY 128 /* more than the pending switches of a window */

struct forward_evidence {
	char path[PATH_MAX]; /* "": none */
	char refused[512];   /* why the default file is not used; "" */
	enum shunt_evidence_traffic traffic;
	uint64_t replaces;          /* in this run */
	uint64_t shortest;          /* ticks, of the first members' ioctls; 0: none yet */
	struct shunt_evidence seen; /* in this run */
	struct {
		uint64_t number;
		uint32_t ports; /* bit a port that met traffic */
	} met[FORWARD_EVIDENCE_HISTORY];
};

/** Takes in a switch that has ended, or was rolled back. */
void forward_evidence_switch(
	struct forward_evidence *evidence, const struct shunt_switch_result *result);

/** Takes in a port's measurement. @param first  with cold caches; otherwise NULL */
void forward_evidence_measured(struct forward_evidence *evidence,
	const struct shunt_measurement *measurement, const struct forward_cold_first *first);

/** Sum over all kinds of hwpt, without dates. */
struct shunt_evidence_seen forward_evidence_sum(const struct forward_evidence *evidence);

/**
 * Adds the outcomes to the file.
 *
 * @param info   at the end of the run: without an observer every fault status is unknown
 * @param sound  the run has no unexplained loss; otherwise only evidence against replace counts
 * @return 0, errors of shunt_evidence_add()
 */
int forward_evidence_keep(
	struct forward_evidence *evidence, const struct shunt_platform_info *info, bool sound);

#endif
