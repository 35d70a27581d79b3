/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SWITCH_FIXTURE_H
#define SWITCH_FIXTURE_H

#include "direction.h"
#include "rte_net_shunt.h"

/* Two ports of one group, a second space, and a thread that sends and receives on both ports. */

#define LENGTH       64
#define SWITCHES_MAX 100000

extern struct net net;
extern struct direction directions[NET_PORTS];

/* Length of the frames, and the thread's sleep between two rounds. Set before begin_traffic(). */
extern uint32_t length, segments;
extern unsigned int pause_us;

/** For cmocka. */
int abandon(void **state);

struct shunt_group *begin_traffic(const struct net_config *config);

/** Stops the thread, and receives until no frame is in flight. */
void end_traffic(void);

/** Fails unless frames arrive in both directions. */
void assert_traffic_runs(void);

struct shunt_sim_port_truth truth_of(unsigned int port);

/** The frame of a wedged queue is sent again after the reset; a dropped one is lost. */
uint64_t gone(const struct shunt_sim_port_truth *tx);

/** Number of refused DMAs of both ports. */
uint64_t faults(void);

#endif
