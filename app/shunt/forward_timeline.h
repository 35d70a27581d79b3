/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_TIMELINE_H
#define FORWARD_TIMELINE_H

#include "forward.h"
#include "shunt_trail.h"

/*
 * One switch in full, for --timeline.
 *
 *   shunt_window --measured--> waiting[]      switches, until every port is measured and the frames
 *                                 |           around have come back
 *   trails, stamps, faults,  --> take --> held      the one wanted so far
 *   the model's truth                       |
 *                                         write --> "shunt.timeline/1"
 *
 * Main thread.
 */

#define TIMELINE_WAITING 64   /* switches; as many as the window keeps unmeasured */
#define TIMELINE_FRAMES  4096 /* of each port; of more, those in the middle are left out */
#define TIMELINE_FAULTS  1024 /* fault records; of more, the last ones are left out */

/* A frame; times in ticks, 0: never, or not known. */
struct timeline_frame {
	uint64_t number;
	uint64_t sent;
	uint64_t seen; /* behind the port's receive side */
	uint64_t back; /* at the tester */
	enum shunt_trail_fate in;
	enum shunt_trail_fate out;
};

/* One port's part of a switch. */
struct timeline_port {
	bool measured;
	struct shunt_measurement measurement; /* its result is the switch's */
	bool blocked_known;
	struct shunt_sim_blocked blocked;
	unsigned int frame_count;
	uint64_t frames_omitted;
	struct timeline_frame frames[TIMELINE_FRAMES];
};

/* A switch of which not everything is in yet. */
struct timeline_waiting {
	bool present;
	uint64_t number;
	struct shunt_switch_result result;
	uint32_t measured; /* bit a port */
	struct shunt_measurement measurements[SHUNT_WINDOW_MAX_PORTS];
	bool group_measured;
	struct shunt_group_measurement group;
};

/* A switch that was taken down. */
struct timeline_switch {
	bool present;
	bool window;  /* some port lost frames */
	bool traffic; /* timeline_traffic() */
	uint64_t number;
	uint64_t from; /* ticks: what is shown */
	uint64_t to;
	struct shunt_switch_result result;
	bool group_measured;
	struct shunt_group_measurement group; /* its result is not to be used */
	unsigned int fault_count;
	unsigned int faults_omitted;
	struct shunt_fault faults[TIMELINE_FAULTS];
	struct timeline_port ports[];
};

struct forward_timeline {
	struct shunt_trail *in[SHUNT_WINDOW_MAX_PORTS];  /* behind each port */
	struct shunt_trail *out[SHUNT_WINDOW_MAX_PORTS]; /* at the tester, by stream */
	struct timeline_waiting waiting[TIMELINE_WAITING];
	uint64_t next; /* number after the highest switch that was measured */
	struct timeline_switch *held;
};

/* ---- forward_timeline_take.c ---- */

/* What is to be shown around a switch. */
void timeline_span(
	const struct timeline_waiting *waiting, unsigned int ports, uint64_t *from, uint64_t *to);

/* Whether frames were sent into every port shortly before and shortly after: there is to be seen
   that nothing was lost. */
bool timeline_traffic(struct forward *run, const struct timeline_waiting *waiting);

/* Takes a switch down in place of the one held. */
void timeline_take(struct forward *run, const struct timeline_waiting *waiting);

/* ---- forward_timeline_json.c ---- */

/* Writes the switch held. @return 0, -ENOMEM, -errno of the file */
int timeline_write(const struct forward *run, const char *path);

#endif
