/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include <shunt/clock.h>

#include "forward.h"

/* The stamp is at the end of the frame, in its last buffer or across the last two. */
static bool read_stamp(struct rte_mbuf *frame, struct shunt_stamp *stamp)
{
	const void *bytes;
	uint8_t copy[sizeof(*stamp)];

	if (likely(frame->nb_segs == 1))
		return shunt_stamp_read(
			rte_pktmbuf_mtod(frame, const void *), frame->pkt_len, stamp);
	if (frame->pkt_len < sizeof(*stamp))
		return false;
	bytes = rte_pktmbuf_read(
		frame, frame->pkt_len - (uint32_t)sizeof(*stamp), sizeof(*stamp), copy);
	return bytes && shunt_stamp_read(bytes, sizeof(*stamp), stamp);
}

void forward_watch(struct forward_port *port, uint16_t count, uint64_t now)
{
	struct shunt_stamp stamp;

	for (uint16_t i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod_offset(port->frames[i], void *,
			port->frames[i]->data_len - (uint32_t)sizeof(stamp)));
	for (uint16_t i = 0; i < count; i++)
		if (likely(read_stamp(port->frames[i], &stamp)))
			shunt_watch_see(&port->watch, &stamp, now);
	shunt_watch_publish(&port->watch);
}

static void add(_Atomic uint64_t *counter, uint16_t count)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, value + count, memory_order_relaxed);
}

/* Frames that the other port does not accept are kept: that slows the tester, and loses nothing. */
static void send_held(struct forward_port *port)
{
	uint16_t sent = rte_eth_tx_burst(port->out, 0, port->frames + port->first, port->held);

	port->first += sent;
	port->held -= sent;
	add(&port->tx, sent);
}

/* On a shared segment frames need the tester's address. */
static void address(struct forward_port *port, uint16_t count)
{
	const struct forward_traffic *traffic = port->traffic;
	const struct rte_ether_addr *own = &traffic->ports->list[port->out_index].address;

	for (uint16_t i = 0; i < count; i++) {
		struct rte_ether_hdr *header =
			rte_pktmbuf_mtod(port->frames[i], struct rte_ether_hdr *);

		rte_ether_addr_copy(&traffic->ports->tester.address, &header->dst_addr);
		rte_ether_addr_copy(own, &header->src_addr);
	}
}

static void forward_burst(struct forward_port *port)
{
	uint16_t count;

	if (port->held) {
		send_held(port);
		if (port->held)
			return;
	}
	count = rte_eth_rx_burst(port->id, 0, port->frames, FORWARD_BURST);
	if (!count)
		return;
	forward_watch(port, count, shunt_clock_now());
	if (port->traffic->config->source == FORWARD_TESTER)
		address(port, count);
	add(&port->rx, count);
	port->first = 0;
	port->held = count;
	send_held(port);
}

int forward_lcore(void *arg)
{
	struct forward_traffic *traffic = arg;

	while (!atomic_load_explicit(&traffic->stop, memory_order_relaxed)) {
		for (unsigned int i = 0; i < traffic->ports->count; i++)
			forward_burst(&traffic->ports->list[i]);
		forward_polled(traffic, FORWARD_WORKER);
	}
	for (unsigned int i = 0; i < traffic->ports->count; i++)
		rte_pktmbuf_free_bulk(
			traffic->ports->list[i].frames + traffic->ports->list[i].first,
			traffic->ports->list[i].held);
	return 0;
}
