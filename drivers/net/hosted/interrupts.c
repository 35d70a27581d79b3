/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <rte_epoll.h>
#include <rte_interrupts.h>

#include "hosted.h"
#include "shunt_error.h"

/*
 * An application that sleeps until a queue receives has epoll wait for the descriptor of the
 * queue's vector (rte_eth_dev_rx_intr_ctl_q()) and arms the queue before it sleeps. Drivers close
 * these descriptors in their stop and open others in their start, and EAL takes them out of epoll
 * without a word: the application would sleep for good. So it is registered again, and the queue
 * armed: at worst it wakes once for nothing.
 */

struct wait {
	int epfd; /* -1: nobody waits for this queue */
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

struct hosted_waits *hosted_waits_take(struct rte_eth_dev *dev)
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

int hosted_waits_give(struct rte_eth_dev *dev, struct hosted_waits *waits)
{
	uint16_t port_id = dev->data->port_id;
	int ret = 0;

	for (uint16_t i = 0; waits && i < waits->count && !ret; i++) {
		const struct wait *wait = &waits->queues[i];
		const struct rte_epoll_event *event = event_of(dev, i);

		if (wait->epfd < 0)
			continue;
		/* A driver that kept its descriptors left them where they were. */
		if (!event || event->status == RTE_EPOLL_INVALID)
			ret = rte_eth_dev_rx_intr_ctl_q(
				port_id, i, wait->epfd, RTE_INTR_EVENT_ADD, wait->data);
		if (!ret)
			ret = rte_eth_dev_rx_intr_enable(port_id, i);
	}
	return ret ? shunt_fail_errno(ret, "port %u: receive interrupts", port_id) : 0;
}
