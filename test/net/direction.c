/* SPDX-License-Identifier: BSD-3-Clause */
#include "direction.h"

void direction_send(struct net *net, struct direction *direction, unsigned int room)
{
	struct rte_mbuf *frames[DIRECTION_BURST];
	uint16_t n = 0, sent;

	while (n < DIRECTION_BURST && rte_mempool_avail_count(net->pool) > room) {
		frames[n] =
			net_frame(net, direction->length, direction->segments, direction->sent + n);
		n++;
	}
	sent = rte_eth_tx_burst(net->port[direction->from], 0, frames, n);
	direction->sent += sent;
	rte_pktmbuf_free_bulk(frames + sent, n - sent);
}

void direction_receive(struct net *net, struct direction *direction)
{
	struct rte_mbuf *frames[DIRECTION_BURST];
	uint16_t n = rte_eth_rx_burst(net->port[!direction->from], 0, frames, DIRECTION_BURST);

	for (uint16_t i = 0; i < n; i++) {
		uint32_t sequence = net_frame_sequence(frames[i]);

		if (sequence <= direction->last ||
			!net_frame_is(frames[i], direction->length, sequence))
			direction->wrong++;
		direction->last = sequence;
		__atomic_store_n(&direction->received, direction->received + 1, __ATOMIC_RELAXED);
	}
	rte_pktmbuf_free_bulk(frames, n);
}
