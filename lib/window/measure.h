/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEASURE_H
#define MEASURE_H

#include <shunt/window.h>

#include "loss_accounting.h"

/*
 * One switch, measured: each port from its gaps and the tester's stamps, the group from its ports.
 *
 *   gaps, stamps, bursts --> measure_port() --> struct shunt_measurement --.
 *   gaps, stamps, bursts --> measure_port() --> struct shunt_measurement --+--> struct whole
 *                                                                               measure_group()
 */

/* What the ports of a switch add up to; zero-initialised is none yet. */
struct whole {
	unsigned int ports; /* measured */
	unsigned int lossy; /* of these, lost frames */
	struct shunt_edges edges;
	uint64_t lost;
};

/**
 * Measures a port.
 *
 * @param[in,out] measurement  number, port and result are set
 * @return false: nothing was sent to tell by
 */
bool measure_port(struct shunt_tester *tester, const struct shunt_window_port *port,
	const struct port_losses *losses, struct shunt_measurement *measurement);

/** Adds a port that was measured. */
void measure_add(struct whole *whole, const struct shunt_measurement *measurement);

/** @param[in,out] measurement  number and result are set */
void measure_group(const struct whole *whole, struct shunt_measurement *measurement);

/*
 * A port's figures grow by what a switch did to it and by what was measured of it.
 */

/** What the switch itself reports of the port. @return 0, -ENOMEM */
int figures_add_member(struct shunt_window_figures *figures,
	const struct shunt_switch_result *result, unsigned int port);

/** What was done to make the port run again, if anything. @return 0, -ENOMEM */
int figures_add_recovery(
	struct shunt_window_figures *figures, const struct shunt_recovery *recovery);

/** @return 0, -ENOMEM */
int figures_add_measurement(
	struct shunt_window_figures *figures, const struct shunt_measurement *measurement);

/** Releases the samples. */
void figures_free(struct shunt_window_figures *figures);

#endif
