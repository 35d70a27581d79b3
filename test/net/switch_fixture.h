/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SWITCH_FIXTURE_H
#define SWITCH_FIXTURE_H

#include "direction.h"
#include "rte_net_shunt.h"

/* Two ports of one group that a thread has send to each other and receive, and a second space. */

#define LENGTH       64
#define SWITCHES_MAX 100000

extern struct net net;
extern struct direction directions[NET_PORTS];

/* Of the frames, and how long the thread sleeps between two rounds; set before begin_traffic(). */
extern uint32_t length, segments;
extern unsigned int pause_us;

/** For cmocka. */
int abandon(void **state);

struct shunt_group *begin_traffic(const struct net_config *config);

/** Stops the thread, and receives until nothing is on its way. */
void end_traffic(void);

/** Fails unless frames arrive in both directions, now. */
void assert_traffic_runs(void);

struct shunt_sim_port_truth truth_of(unsigned int port);

/** A wedged queue's frame is sent again after the reset, a dropped one is gone. */
uint64_t gone(const struct shunt_sim_port_truth *tx);

/** DMA that was refused, of both ports. */
uint64_t faults(void);

#endif
