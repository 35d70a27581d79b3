/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_WINDOW_H
#define SHUNT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/group.h>
#include <shunt/histogram.h>
#include <shunt/tester.h>
#include <shunt/watch.h>

/*
 * Measuring a run: fault windows and loss, from frames alone.
 *
 *   wire -->  stamp s1   s2   s3   s4   s5   s6   s7      (tester's log)
 *              left  l1   l2   l3   l4   l5   l6   l7
 *   port -->   seen      seen lost lost lost seen seen    (watch after the port's receive side)
 *                         |<------ window ----->|   = l6 - s2
 *                               |<----->|           = s5 - l3: DMA was surely refused
 *
 * RFC 6201's timestamp method: the fault window of a port and a switch is the time between the
 * last frame that reached memory before and the first one after, by the frames' own stamps. A
 * frame is stamped before its burst is given to the tester's port and has left by the time when
 * that call returned; where the platform puts frames on the wire (sim) the two are one. The truth
 * lies between the two lines above; their difference is the uncertainty, stated for every switch.
 * Where no frame was lost the window is 0 and the uncertainty is the longest time between two
 * frames on the wire during the switch. A port that stopped keeps frames until it is repaired, and
 * that time belongs to its window: a frame counts there from its stamp until it was seen, or
 * without a loss until the switch ended. A loss that had begun before the switch may be due to an
 * earlier one: then the uncertainty is the whole window.
 *
 * RFC 6201's frame-loss method is the cross-check: frames lost, times the mean time between two
 * frames that the tester sent around the gap. Its uncertainty is the longest such time, plus, for
 * each frame lost, the difference of the means before and after. The methods agree if their ranges
 * overlap. Where they do not, the sender changed its rate during the loss.
 *
 * The outage is what was seen, with lost frames or without. After the port it is the longest time
 * between two bursts that overlaps the switch. At the tester it is the longest time between two
 * frames, up to the first one sent after the switch.
 *
 * A platform moves the members one by one. The group's window is first blocked to last free:
 *
 *   port 0   last |-----------| first
 *   port 1            last |---------| first
 *   group         |------------------|
 *
 * A port that lost nothing may have been blocked between two frames, at any time of the switch.
 * Then the upper bound is the switch, not the frames of the other ports.
 *
 * Every frame is accounted for. A lost frame is explained by a switch that troubled its port at
 * that time, or by the port's own count of dropped frames. The rest is unexplained. A switch
 * troubles a port if it has fault records for it, if the port was repaired after it or stopped for
 * it, or if its fault status is unknown. The figures count the unknown ones.
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

/**
 * One switch, measured of a port; or, once all are, of the group: its window is first blocked to
 * last free, and the frame-loss method, outages and `port` are not its. Times in shunt_clock ticks.
 */
struct shunt_measurement {
	uint64_t number; /**< of the switch, from 0 */
	unsigned int port;
	struct shunt_edges edges; /**< by the stamps of frames; if none was lost, only the outer
				       two, by the switch */
	uint64_t window;          /**< from the first edge to the last */
	uint64_t uncertainty;     /**< the truth is in [window - uncertainty, window]; when no frame
				      was lost, in [0, uncertainty] */
	uint64_t lost;            /**< frames, on the way into this port, or any of the group */
	uint64_t loss_window;     /**< by the frame-loss method */
	uint64_t loss_uncertainty;  /**< in either direction; 0: not known, too few frames around */
	struct shunt_outage outage; /**< after the port; length 0: not known */
	struct shunt_outage returned; /**< where its frames come back; length 0: not known */
	const struct shunt_switch_result *result;
};

/** Receives every measurement when it is complete: those of the ports, then the group's. */
struct shunt_window_sink {
	void *context;
	void (*port)(void *context, const struct shunt_measurement *measurement);
	void (*group)(void *context, const struct shunt_measurement *measurement);
};

/** Whether the two methods agree. Both have measured lost frames. */
bool shunt_window_methods_agree(const struct shunt_measurement *measurement);

/** What was measured in switches that failed, of a port or the group. */
struct shunt_window_failed {
	struct shunt_samples window_ns;
	struct shunt_samples uncertainty_ns;
	uint64_t unmeasured; /**< as below */
	uint64_t lost;       /**< frames, on the way into the port or any of the group's */
	int64_t faults;      /**< as below; of a port only */
	uint64_t fault_unknown;
};

/**
 * What was measured of one port in all, or of the group: only its windows. Samples are of switches
 * that were done.
 */
struct shunt_window_figures {
	struct shunt_window_failed failed;
	struct shunt_samples window_ns;
	struct shunt_samples uncertainty_ns;
	struct shunt_samples loss_window_ns;
	struct shunt_samples loss_uncertainty_ns;
	struct shunt_samples outage_ns;
	struct shunt_samples outage_uncertainty_ns;
	struct shunt_samples returned_ns;
	struct shunt_samples returned_uncertainty_ns;
	struct shunt_samples ioctl_ns;
	struct shunt_samples paused_ns; /**< plans that pause or stop: how long, ioctls included */
	struct shunt_samples recovery_ns; /**< recoveries: from noticing that a queue may not run to
					   all running */
	uint64_t unmeasured;              /**< switches without a frame after them to tell by; of
					   the group: in which some port was not measured */
	uint64_t methods_compared; /**< switches that lost frames and were measured by both */
	uint64_t methods_agree;
	uint64_t last_window_ns;
	int64_t faults; /**< fault records during switches, failed or not, at least; negative:
			     unknown: no record, and the fault status of some switch is unknown */
	uint64_t fault_unknown; /**< switches without a record whose fault status is unknown */
	struct shunt_recovery recovered;
	uint64_t recoveries;   /**< switches after which something was repaired */
	uint64_t late;         /**< frames that came back, after a higher number */
	uint64_t rx_lost;      /**< frames that did not come back, lost on the way in */
	uint64_t rx_explained; /**< of these, during switches with faults or recoveries */
	uint64_t tx_lost; /**< frames that did not come back, lost on the way out of this port */
	uint64_t tx_explained;
	uint64_t baseline_sent; /**< frames that came back in the baseline, or were lost */
	uint64_t baseline_lost; /**< of these, did not come back */
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

/** Sets the receiver of measurements. */
void shunt_window_sink(struct shunt_window *window, const struct shunt_window_sink *sink);

/** What comes now is the baseline, until shunt_window_switching(): no switches. */
void shunt_window_baseline(struct shunt_window *window);

/** The baseline has ended; frames under way belong to what comes now. */
void shunt_window_switching(struct shunt_window *window);

/**
 * Whether one more switch has room. A limited number can wait for the frames that measure them.
 * Without room, the next switch makes the window give up those that wait: they stay unmeasured.
 */
bool shunt_window_room(const struct shunt_window *window);

/** Adds a switch that was done, or failed: result->error says which. @return 0, -ENOMEM */
int shunt_window_switch(struct shunt_window *window, const struct shunt_switch_result *result);

/** Adds what shunt_group_check() repaired between two switches. @return 0, -ENOMEM */
int shunt_window_check(struct shunt_window *window, const struct shunt_switch_result *result);

/** Takes the gaps in, completes what can be completed. To be called often. @return 0, -ENOMEM */
int shunt_window_poll(struct shunt_window *window);

/** Whether every switch so far has been measured, or given up. */
bool shunt_window_complete(const struct shunt_window *window);

/**
 * Ends: the tester has stopped and the watches get no more frames. Frames still missing are lost.
 *
 * @return 0, -ENOMEM; -EOVERFLOW: gaps were lost, the accounting cannot be trusted
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
struct shunt_window_figures *shunt_window_group_figures(struct shunt_window *window);

#ifdef __cplusplus
}
#endif

#endif
