/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_TRUTH_H
#define FORWARD_TRUTH_H

#include <shunt/record.h>
#include <shunt/sim.h>
#include <shunt/window.h>

/*
 * Checks measurements against the ground truth of the software platform:
 *
 *   shunt_window: window and uncertainty, from frames     \
 *                                                          agree: the blocked interval lies within
 *   shunt_sim_blocked(): when the model blocked the port /        what the measurement states
 *
 * The group is blocked from its first blocked port until its last port is free.
 */

struct forward_truth;

/** How long DMA was blocked, ticks: at least, and at most. */
struct forward_truth_span {
	uint64_t least;
	uint64_t most;
};

/** @param ports  in the order of the window's @return 0, -ENOMEM */
int forward_truth_create(struct shunt_platform *platform, const struct shunt_window_port *ports,
	unsigned int count, struct forward_truth **truth);

/** NULL is allowed. */
void forward_truth_destroy(struct forward_truth *truth);

/**
 * Compares a port's measurement.
 *
 * @return false if the platform's records are gone, or if the plan stopped the port
 */
bool forward_truth_port(struct forward_truth *truth, const struct shunt_measurement *measurement,
	struct forward_truth_span *span);

/** The interval in which the platform blocked a port in a switch. @return false if unknown */
bool forward_truth_blocked(struct forward_truth *truth, unsigned int port,
	const struct shunt_switch_result *result, struct shunt_sim_blocked *blocked);

/** Compares the group's measurement, after those of its ports. @return as above */
bool forward_truth_group(struct forward_truth *truth, const struct shunt_measurement *measurement,
	struct forward_truth_span *span);

/** Numbers of measurements compared, and of those that agree. */
const struct shunt_record_ground_truth *forward_truth_result(
	const struct forward_truth *truth, unsigned int port);
const struct shunt_record_ground_truth *forward_truth_group_result(
	const struct forward_truth *truth);

#endif
