/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"

/* What the port does for its group: the operations, from the files below this one. */

static void hold(void *port)
{
	pthread_mutex_lock(&((struct igb_port *)port)->lock);
}

static void release(void *port)
{
	pthread_mutex_unlock(&((struct igb_port *)port)->lock);
}

const struct shunt_port_ops igb_group_ops = {
	.hold = hold,
	.release = release,
	.pause = igb_group_pause,
	.drain = igb_group_drain,
	.keeps_frames = igb_group_keeps_frames,
	.resume = igb_group_resume,
	.stop = igb_group_stop,
	.start = igb_group_start,
	.recover = igb_recover,
	.switched = shunt_port_switched,
};
