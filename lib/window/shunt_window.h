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
 *   wire -->  stamp t1   t2   t3   t4   t5   t6   t7      (tester's log)
 *   port -->   seen      seen lost lost lost seen seen    (watch behind the port's receive side)
 *                          |<----- window ----->|   = t6 - t2
 *                               |<------->|         = t5 - t3: DMA was surely refused
 *
 * RFC 6201's timestamp method: the fault window of a port and a switch is the time between the
 * last frame that reached memory before and the first one after, by the frames' own stamps. The
 * truth lies between the two lines above; their difference is the resolution, stated for every
 * switch. Where no frame was lost the window is 0 and the resolution is the longest time between
 * two frames on the wire during the switch.
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

/** One port's measurement of one switch. Times in ticks of shunt_clock. */
struct shunt_measurement {
	uint64_t number; /**< of the switch, from 0 */
	unsigned int port;
	uint64_t last;       /**< stamp of the last frame before; 0 if none was lost */
	uint64_t first;      /**< stamp of the first frame after; 0 if none was lost */
	uint64_t window;     /**< first - last */
	uint64_t resolution; /**< the truth is in [window - resolution, window]; when no frame was
				  lost, in [0, resolution] */
	uint64_t lost;       /**< frames, on the way into this port */
	const struct shunt_switch_result *result;
};

/** Told of every measurement when it is complete. */
typedef void (*shunt_measurement_sink)(void *context, const struct shunt_measurement *measurement);

/** What was measured of one port in all. */
struct shunt_window_figures {
	struct shunt_samples window_ns;
	struct shunt_samples resolution_ns;
	struct shunt_samples ioctl_ns;
	struct shunt_samples
		paused_ns; /**< plans that pause or stop: for how long, ioctls included */
	struct shunt_samples mend_ns; /**< recoveries: from noticing that a queue may not run to all
					   running */
	uint64_t unmeasured;          /**< switches without a frame after them to tell by */
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
void shunt_window_sink(struct shunt_window *window, shunt_measurement_sink sink, void *context);

/** Adds a switch that was done (or failed and was rolled back). @return 0, -ENOMEM */
int shunt_window_switch(struct shunt_window *window, const struct shunt_switch_result *result);

/** Adds what shunt_group_check() mended between two switches. @return 0, -ENOMEM */
int shunt_window_check(struct shunt_window *window, const struct shunt_switch_result *result);

/** Takes the gaps in, completes what can be completed. To be called often. @return 0, -ENOMEM */
int shunt_window_poll(struct shunt_window *window);

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

#ifdef __cplusplus
}
#endif

#endif
