/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <rte_epoll.h>
#include <rte_interrupts.h>

#include <shunt/error.h>

#include "hosted.h"

/*
 * An application that sleeps until a queue receives adds the descriptor of the queue's vector to
 * epoll (rte_eth_dev_rx_intr_ctl_q()) and arms the queue. Drivers close these descriptors in a stop
 * and open new ones in a start, and EAL silently removes them from epoll: the application would
 * sleep forever. So the new ones are added and the queue is armed. At worst it wakes once too
 * often.
 */

struct wait {
	int epfd; /* -1: no thread waits for this queue */
	void *data;
};

struct hosted_waits {
	uint16_t count;
	struct wait queues[];
};

/* By queue, as rte_eth_dev_rx_intr_ctl_q() finds its event. */
static struct rte_epoll_event *event_of(struct rte_eth_dev *dev, uint16_t queue)
{
	struct rte_intr_handle *handle = dev->intr_handle;
	int vector;

	if (!handle || !dev->data->dev_conf.intr_conf.rxq || !rte_intr_dp_is_en(handle))
		return NULL;
	vector = rte_intr_vec_list_index_get(handle, queue);
	if (vector < RTE_INTR_VEC_RXTX_OFFSET)
		return NULL;
	return rte_intr_elist_index_get(handle, vector - RTE_INTR_VEC_RXTX_OFFSET);
}

struct hosted_waits *hosted_waits_save(struct rte_eth_dev *dev)
{
	uint16_t count = dev->data->nb_rx_queues;
	struct hosted_waits *waits;
	bool any = false;

	waits = calloc(1, sizeof(*waits) + count * sizeof(waits->queues[0]));
	if (!waits)
		return NULL;
	waits->count = count;
	for (uint16_t i = 0; i < count; i++) {
		const struct rte_epoll_event *event = event_of(dev, i);
		struct wait *wait = &waits->queues[i];

		wait->epfd = -1;
		if (!event || event->status == RTE_EPOLL_INVALID)
			continue;
		wait->epfd = event->epfd;
		wait->data = event->epdata.data;
		any = true;
	}
	if (any)
		return waits;
	free(waits);
	return NULL;
}

int hosted_waits_restore(struct rte_eth_dev *dev, struct hosted_waits *waits)
{
	uint16_t port_id = dev->data->port_id;
	int ret = 0;

	for (uint16_t i = 0; waits && i < waits->count && !ret; i++) {
		const struct wait *wait = &waits->queues[i];
		const struct rte_epoll_event *event = event_of(dev, i);

		if (wait->epfd < 0)
			continue;
		/* A driver that keeps its descriptors leaves them in epoll. */
		if (!event || event->status == RTE_EPOLL_INVALID)
			ret = rte_eth_dev_rx_intr_ctl_q(
				port_id, i, wait->epfd, RTE_INTR_EVENT_ADD, wait->data);
		if (!ret)
			ret = rte_eth_dev_rx_intr_enable(port_id, i);
	}
	return ret ? shunt_fail_errno(ret, "port %u: receive interrupts", port_id) : 0;
}
