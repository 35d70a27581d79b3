/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_WINDOW_H
#define SHUNT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "shunt_group.h"
#include "shunt_samples.h"
#include "shunt_tester.h"
#include "shunt_watch.h"

/*
 * Measuring a run: fault windows and books, from frames alone.
 *
 *   wire -->  stamp s1   s2   s3   s4   s5   s6   s7      (tester's log)
 *              left  l1   l2   l3   l4   l5   l6   l7
 *   port -->   seen      seen lost lost lost seen seen    (watch behind the port's receive side)
 *                         |<------ window ----->|   = l6 - s2
 *                               |<----->|           = s5 - l3: DMA was surely refused
 *
 * RFC 6201's timestamp method: the fault window of a port and a switch is the time between the
 * last frame that reached memory before and the first one after, by the frames' own stamps. A
 * frame is stamped before its burst is given to the tester's port and has left by the time when
 * that call returned; where the platform puts frames on the wire (sim) the two are one. The truth
 * lies between the two lines above; their difference is the resolution, stated for every switch.
 * Where no frame was lost the window is 0 and the resolution is the longest time between two
 * frames on the wire during the switch. A port that stopped keeps frames until it is mended, which
 * belongs to its window: there a frame counts from its stamp until it was seen, and without a loss
 * until the switch had ended. If a loss had begun before a switch it may be an earlier one's, and
 * the resolution is the whole window.
 *
 * RFC 6201's frame-loss method checks it: frames lost times the mean time between two frames that
 * the tester sent before the gap and after it. Its resolution is the longest such time, and what
 * the means before and after differ by, for all frames lost. The two methods agree if what they
 * allow overlaps: where they do not, the sender kept another rate during the loss.
 *
 * Outage is what was seen, lost frames or not: the longest time between two bursts behind the port
 * of which a part lies in the switch, and the longest between two frames coming back until the
 * first that was sent after it.
 *
 * The group's window is first blocked to last free, for a platform moves its members one by one:
 *
 *   port 0   last |-----------| first
 *   port 1            last |---------| first
 *   group         |------------------|
 *
 * A port that lost nothing may have been blocked between two frames at any time of the switch: then
 * the upper bound is the switch, not the frames of the others.
 *
 * Books: a lost frame is explained by a switch that troubled the port that lost it, at that time;
 * or by what the port says it dropped. What remains is unexplained. A switch troubled a port if it
 * had fault records of it, if the port had to be mended after it or was stopped for it, or if
 * nobody can tell whether it had faults: the figures say in how many switches that was so.
 *
 * One thread (the one that switches).
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_WINDOW_MAX_PORTS 32
#define SHUNT_WINDOW_TESTER    UINT32_MAX

/** A port that is measured. */
struct shunt_window_port {
	const char *name;            /**< of the port, "net_shunt0" */
	const char *function;        /**< "0000:03:00.0" */
	unsigned int stream;         /**< of the tester, sent into this port */
	unsigned int sender;         /**< index of the port that sends it, whose DMA can be refused
					too; SHUNT_WINDOW_TESTER: none of these */
	unsigned int out;            /**< index of the port where its frames leave */
	struct shunt_watch *receive; /**< watch on the stream behind this port's receive side */
};

/**
 * Between what two pairs of times DMA was refused, ticks: it began after `begin_from` and not after
 * `begin_to`, it ended not before `end_from` and before `end_to`.
 */
struct shunt_edges {
	uint64_t begin_from;
	uint64_t begin_to;
	uint64_t end_from;
	uint64_t end_to;
};

/** One port's measurement of one switch. Times in ticks of shunt_clock. */
struct shunt_measurement {
	uint64_t number; /**< of the switch, from 0 */
	unsigned int port;
	struct shunt_edges edges; /**< by the stamps of frames; if none was lost, only the outer
				       two, by the switch */
	uint64_t window;          /**< from the first edge to the last */
	uint64_t resolution;      /**< the truth is in [window - resolution, window]; when no frame
				       was lost, in [0, resolution] */
	uint64_t lost;            /**< frames, on the way into this port */
	uint64_t loss_window;     /**< by the frame-loss method */
	uint64_t loss_resolution; /**< in either direction; 0: not known, too few frames around */
	struct shunt_outage outage;   /**< behind the port; length 0: not known */
	struct shunt_outage returned; /**< where its frames come back; length 0: not known */
	const struct shunt_switch_result *result;
};

/** The group's measurement of one switch, once all its ports are measured. Times in ticks. */
struct shunt_group_measurement {
	uint64_t number;
	uint64_t window;     /**< first blocked to last free */
	uint64_t resolution; /**< as above */
	uint64_t lost;       /**< frames, on the way into any port */
	const struct shunt_switch_result *result;
};

/** Told of every measurement when it is complete: of the ports, then of the group. */
struct shunt_window_sink {
	void *context;
	void (*port)(void *context, const struct shunt_measurement *measurement);
	void (*group)(void *context, const struct shunt_group_measurement *measurement);
};

/** Whether the two methods allow the same window. Both know of frames lost. */
bool shunt_window_methods_agree(const struct shunt_measurement *measurement);

/** What was measured of one port in all. */
struct shunt_window_figures {
	struct shunt_samples window_ns;
	struct shunt_samples resolution_ns;
	struct shunt_samples loss_window_ns;
	struct shunt_samples loss_resolution_ns;
	struct shunt_samples outage_ns;
	struct shunt_samples outage_resolution_ns;
	struct shunt_samples returned_ns;
	struct shunt_samples returned_resolution_ns;
	struct shunt_samples ioctl_ns;
	struct shunt_samples paused_ns; /**< plans that pause or stop: how long, ioctls included */
	struct shunt_samples mend_ns;   /**< recoveries: from noticing that a queue may not run to
					     all running */
	uint64_t unmeasured;            /**< switches without a frame after them to tell by */
	uint64_t methods_compared;      /**< switches that lost frames and were measured by both */
	uint64_t methods_agree;
	uint64_t last_window_ns;
	int64_t faults; /**< fault records during switches, at least; negative: unknown, there is no
			     record and in some switch nobody could tell */
	uint64_t fault_unknown; /**< switches without a record in which nobody could tell */
	struct shunt_recovery recovered;
	uint64_t recoveries;   /**< switches after which something had to be mended */
	uint64_t late;         /**< frames that came back, after a higher number */
	uint64_t rx_lost;      /**< frames that did not come back, lost on the way in */
	uint64_t rx_explained; /**< of these, during switches with faults or recoveries */
	uint64_t tx_lost; /**< frames that did not come back, lost on the way out of this port */
	uint64_t tx_explained;
	uint64_t baseline_sent; /**< frames that came back in the baseline, or were lost */
	uint64_t baseline_lost; /**< of these, did not come back */
};

/** What was measured of the group in all. */
struct shunt_window_group_figures {
	struct shunt_samples window_ns;
	struct shunt_samples resolution_ns;
	uint64_t unmeasured; /**< switches in which some port was not measured */
};

struct shunt_window;

/**
 * Begins to measure.
 *
 * @param ports  count ports in the order of the group's members; copied
 */
int shunt_window_create(struct shunt_tester *tester, const struct shunt_window_port *ports,
	unsigned int count, struct shunt_window **window);

/** Releases it. NULL is allowed. */
void shunt_window_destroy(struct shunt_window *window);

/** Sets who is told of measurements. */
void shunt_window_sink(struct shunt_window *window, const struct shunt_window_sink *sink);

/** What comes now is the baseline, until shunt_window_switching(): no switches. */
void shunt_window_baseline(struct shunt_window *window);

/** The baseline has ended; frames under way belong to what comes now. */
void shunt_window_switching(struct shunt_window *window);

/** Adds a switch that was done (or failed and was rolled back). @return 0, -ENOMEM */
int shunt_window_switch(struct shunt_window *window, const struct shunt_switch_result *result);

/** Adds what shunt_group_check() mended between two switches. @return 0, -ENOMEM */
int shunt_window_check(struct shunt_window *window, const struct shunt_switch_result *result);

/** Takes the gaps in, completes what can be completed. To be called often. @return 0, -ENOMEM */
int shunt_window_poll(struct shunt_window *window);

/** Whether every switch so far has been measured, or given up. */
bool shunt_window_complete(const struct shunt_window *window);

/**
 * Ends: the tester has stopped, nobody feeds the watches any more. Frames still missing are lost.
 *
 * @return 0, -ENOMEM; -EOVERFLOW: gaps were lost, the books cannot be trusted
 */
int shunt_window_end(struct shunt_window *window);

/**
 * Frames that came back changed, or that are no frames of the tester: a port whose reads were
 * refused may send anything.
 *
 * @param[out] in_switches  of these, such that may have met a switch that troubled a port
 */
void shunt_window_changed(struct shunt_window *window, uint64_t *frames, uint64_t *in_switches);

/** Figures of a port so far; the samples stay the window's. */
struct shunt_window_figures *shunt_window_figures(struct shunt_window *window, unsigned int port);

/** Figures of the group so far, as above. */
struct shunt_window_group_figures *shunt_window_group_figures(struct shunt_window *window);

#ifdef __cplusplus
}
#endif

#endif
