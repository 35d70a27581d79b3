/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FIGURES_H
#define FIGURES_H

#include <shunt/window.h>

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

/** @return 0, -ENOMEM */
int figures_add_group(struct shunt_window_group_figures *figures,
	const struct shunt_group_measurement *measurement);

/** Releases the samples. */
void figures_free(struct shunt_window_figures *figures);
void figures_free_group(struct shunt_window_group_figures *figures);

#endif
