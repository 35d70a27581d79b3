/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_TRUTH_H
#define FORWARD_TRUTH_H

#include "shunt_window.h"

/*
 * The measurement checked against the software platform's own knowledge:
 *
 *   shunt_window: window and resolution, from frames     \
 *                                                          agree: the blocked interval lies within
 *   shunt_sim_blocked(): when the model blocked the port /        what the measurement states
 */

struct forward_truth;

/** For the ports of a run, in the order of the window's. @return 0, -ENOMEM */
int forward_truth_create(struct shunt_platform *platform, const struct shunt_window_port *ports,
	unsigned int count, struct forward_truth **truth);

/** NULL is allowed. */
void forward_truth_destroy(struct forward_truth *truth);

/** A shunt_measurement_sink. @param truth struct forward_truth */
void forward_truth_check(void *truth, const struct shunt_measurement *measurement);

/** Measurements of a port that could be compared, and those of them that agree. */
void forward_truth_result(
	const struct forward_truth *truth, unsigned int port, uint64_t *compared, uint64_t *within);

#endif
