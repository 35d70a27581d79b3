/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_TRUTH_H
#define FORWARD_TRUTH_H

#include "shunt_record.h"
#include "shunt_sim.h"
#include "shunt_window.h"

/*
 * The measurement checked against the software platform's own knowledge:
 *
 *   shunt_window: window and resolution, from frames     \
 *                                                          agree: the blocked interval lies within
 *   shunt_sim_blocked(): when the model blocked the port /        what the measurement states
 *
 * The group's blocked interval is that from its first blocked port to its last free one.
 */

struct forward_truth;

/** How long DMA was blocked, ticks: at least, and at most. */
struct forward_truth_span {
	uint64_t least;
	uint64_t most;
};

/** For the ports of a run, in the order of the window's. @return 0, -ENOMEM */
int forward_truth_create(struct shunt_platform *platform, const struct shunt_window_port *ports,
	unsigned int count, struct forward_truth **truth);

/** NULL is allowed. */
void forward_truth_destroy(struct forward_truth *truth);

/**
 * Compares a port's measurement.
 *
 * @return false: the platform's records of it are gone, or the plan stopped the port
 */
bool forward_truth_port(struct forward_truth *truth, const struct shunt_measurement *measurement,
	struct forward_truth_span *span);

/** The interval in which the platform blocked a port in a switch. @return false: it is not known */
bool forward_truth_blocked(struct forward_truth *truth, unsigned int port,
	const struct shunt_switch_result *result, struct shunt_sim_blocked *blocked);

/** Compares the group's, after those of its ports. @return as above */
bool forward_truth_group(struct forward_truth *truth,
	const struct shunt_group_measurement *measurement, struct forward_truth_span *span);

/** Measurements that could be compared, and those of them that agree. */
const struct shunt_record_truth *forward_truth_result(
	const struct forward_truth *truth, unsigned int port);
const struct shunt_record_truth *forward_truth_group_result(const struct forward_truth *truth);

#endif
