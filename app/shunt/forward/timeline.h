/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_TIMELINE_H
#define FORWARD_TIMELINE_H

#include <shunt/watch.h>

#include "forward.h"

/*
 * One switch in full, for --timeline.
 *
 *   shunt_window --measured--> waiting[]      switches, until every port is measured and the frames
 *                                 |           around have come back
 *   trails, stamps, faults,  --> take --> held      the best one so far
 *   ground truth                            |
 *                                         write --> "shunt.timeline/2"
 *
 * Main thread.
 */

#define TIMELINE_WAITING 64   /* switches; at least the pending switches of a window */
#define TIMELINE_FRAMES  4096 /* of each port; more are omitted in the middle */
#define TIMELINE_FAULTS  1024 /* fault records; more are omitted at the end */

/* A switch, as far as it was measured. */
struct timeline_switch {
	bool present;
	uint64_t number;
	struct shunt_switch_result result;
	uint32_t measured;                                             /* bit a port */
	struct shunt_measurement measurements[SHUNT_WINDOW_MAX_PORTS]; /* use no result of theirs */
	bool group_measured;
	struct shunt_measurement group;
};

/* What came to a port. The arrays have the frames; times in ticks, 0: never, or unknown. */
struct timeline_port {
	bool blocked_known;
	struct shunt_sim_blocked blocked;
	unsigned int frame_count;
	uint64_t frames_omitted;
	uint64_t number[TIMELINE_FRAMES];
	uint64_t sent[TIMELINE_FRAMES];
	uint64_t seen[TIMELINE_FRAMES]; /* after the port's receive side */
	uint64_t back[TIMELINE_FRAMES]; /* at the tester */
	enum shunt_trail_fate in[TIMELINE_FRAMES];
	enum shunt_trail_fate out[TIMELINE_FRAMES];
};

/* A captured switch. */
struct timeline_held {
	struct timeline_switch done; /* or not present */
	bool window;                 /* some port lost frames */
	bool traffic;                /* frames came shortly before and after */
	uint64_t from;               /* ticks: range that is shown */
	uint64_t to;
	unsigned int fault_count;
	unsigned int faults_omitted;
	struct shunt_fault faults[TIMELINE_FAULTS];
	struct timeline_port ports[];
};

struct forward_timeline {
	struct shunt_trail *in[SHUNT_WINDOW_MAX_PORTS];  /* after each port */
	struct shunt_trail *out[SHUNT_WINDOW_MAX_PORTS]; /* at the tester, by stream */
	struct timeline_switch waiting[TIMELINE_WAITING];
	uint64_t next; /* number after the highest switch that was measured */
	struct timeline_held *held;
};

/* ---- timeline_json.c ---- */

/* Writes a switch. @return 0, -ENOMEM, -EIO */
int timeline_write(const struct forward_config *config, const struct forward_ports *ports,
	const struct timeline_held *held, FILE *file);

#endif
