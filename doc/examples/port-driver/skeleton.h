/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SKELETON_H
#define SKELETON_H

#include <pthread.h>

#include "shunt_poll.h"
#include "shunt_port.h"

/*
 * A port driver without a NIC. Where a real driver accesses a register, this one sets a flag of
 * struct skeleton_nic. test/sim/test_port_driver.c switches a group of such ports by every plan.
 */

/** Stands for the NIC: what its registers would show. */
struct skeleton_nic {
	bool dma_enabled;
	bool queues_enabled;
};

struct skeleton {
	struct shunt_port port; /**< first: the front-end's part */
	pthread_mutex_t lock;   /**< control path: ethdev's calls and the group's */
	bool started;
	bool paused;
	struct skeleton_nic nic;
	struct shunt_poll rx, tx; /**< of one queue each */
};

extern const struct shunt_port_driver skeleton_driver;

#endif
