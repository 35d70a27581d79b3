/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLUGIN_H
#define PLUGIN_H

#include "shunt_dpdk.h"

/*
 * What the library brings to a process that loads it, by itself, by -d or from DPDK's folder of
 * plugins:
 *
 *   plugin.c, when it is loaded: is this the release it was built for, and the only copy?
 *     |- vdev.c       the driver of net_shunt devices
 *     |- automatic.c  devices for functions that nobody named, while the vdev bus is scanned
 *     `- telemetry.c  the commands /shunt/...
 *
 * If not, it says so and does nothing: the application runs without it.
 */

extern struct rte_vdev_driver net_shunt_driver;

/** Has the vdev bus ask for devices when it is scanned. @return 0, -ENOMEM */
int automatic_register(void);

/** From now on only devices that the user names are taken. */
void automatic_named_only(void);

/** Registers the commands. @return 0, -errno */
int telemetry_register(void);

#endif
