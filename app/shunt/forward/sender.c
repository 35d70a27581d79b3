/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_memcpy.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "forward.h"
#include "text.h"

/*
 * The tester's frames through real ports. Rate max is a closed loop: the number of frames in flight
 * is limited to less than a receive ring, because whatever is between two ports drops excess frames
 * silently. Frames lost in a switch count as in flight until a later one comes back. If all were
 * lost, probes are sent, each after twice the time, so as not to swamp a receiver that only waits
 * for a processor.
 */
#define IN_FLIGHT 448     /* of all streams: one ring of 512 may have to hold them */
#define PROBE_NS  1000000 /* without a frame back, until the first probe */
#define SEND_MAX  8       /* frames of a burst: all have left when the last one has */

/* Whether the stream may send another frame. */
static bool ready(struct forward_sender *sender, unsigned int stream, uint64_t now)
{
	struct forward_flight *flight = &sender->flights[stream];
	struct shunt_tester *tester = sender->traffic->tester;
	uint64_t sent = shunt_tester_sent(tester, stream);
	uint64_t returned = shunt_tester_watch(tester, stream)->next;

	if (returned > flight->returned) {
		flight->returned = returned;
		flight->moved = now;
		flight->patience = shunt_clock_from_ns(PROBE_NS);
	}
	if (sent - returned < IN_FLIGHT / sender->traffic->ports->count)
		return true;
	if (now - flight->moved < flight->patience)
		return false;
	flight->moved = now;
	flight->patience *= 2;
	return true;
}

/* An addressed copy of the stream's next frame; NULL if none is due or no buffer is free. */
static struct rte_mbuf *next_frame(struct forward_sender *sender, unsigned int stream)
{
	struct forward_traffic *traffic = sender->traffic;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(traffic->ports->pool);
	struct rte_ether_hdr *header;
	const void *frame;
	uint64_t now;
	uint32_t length;

	if (!mbuf)
		return NULL;
	now = shunt_clock_now();
	frame = shunt_tester_send(
		traffic->tester, stream, now, ready(sender, stream, now), &length);
	if (!frame) {
		rte_pktmbuf_free(mbuf);
		return NULL;
	}
	header = (struct rte_ether_hdr *)rte_pktmbuf_append(mbuf, (uint16_t)length);
	rte_memcpy(header, frame, length);
	rte_ether_addr_copy(&traffic->ports->list[stream].address, &header->dst_addr);
	rte_ether_addr_copy(&sender->address, &header->src_addr);
	return mbuf;
}

static void all_left(struct forward_sender *sender)
{
	uint64_t now = shunt_clock_now();

	for (unsigned int i = 0; i < sender->streams; i++)
		shunt_tester_left(sender->traffic->tester, sender->first_stream + i, now);
}

static void send_due(struct forward_sender *sender)
{
	unsigned int idle = 0;
	uint16_t sent;

	if (!sender->held) {
		sender->first = 0;
		while (idle < sender->streams && sender->held < SEND_MAX) {
			struct rte_mbuf *mbuf =
				next_frame(sender, sender->first_stream + sender->next);

			sender->next = (sender->next + 1) % sender->streams;
			idle = mbuf ? 0 : idle + 1;
			if (mbuf)
				sender->frames[sender->held++] = mbuf;
		}
	}
	if (!sender->held)
		return;
	sent = rte_eth_tx_burst(sender->id, 0, sender->frames + sender->first, sender->held);
	sender->first += sent;
	sender->held -= sent;
	sender->sent += sent;
	if (!sender->held)
		all_left(sender);
}

static void take_back(
	struct forward_traffic *traffic, struct rte_mbuf **frames, uint16_t count, uint64_t now)
{
	for (uint16_t i = 0; i < count; i++)
		shunt_tester_receive(traffic->tester, now,
			rte_pktmbuf_mtod(frames[i], const void *), rte_pktmbuf_data_len(frames[i]));
	rte_pktmbuf_free_bulk(frames, count);
}

int forward_tester_lcore(void *arg)
{
	struct forward_traffic *traffic = arg;
	struct forward_sender *sender = &traffic->senders[0];
	struct rte_mbuf *frames[FORWARD_BURST];
	uint16_t count;

	while (!atomic_load_explicit(&traffic->stop, memory_order_relaxed)) {
		count = rte_eth_rx_burst(traffic->ports->tester.id, 0, frames, FORWARD_BURST);
		take_back(traffic, frames, count, shunt_clock_now());
		send_due(sender);
		forward_polled(traffic, FORWARD_SENDING);
	}
	return 0;
}

static void receive_own(struct forward_port *port)
{
	uint16_t count = rte_eth_rx_burst(port->id, 0, port->frames, FORWARD_BURST);
	uint64_t now;

	if (!count)
		return;
	now = shunt_clock_now();
	forward_watch(port, count, now);
	atomic_fetch_add_explicit(&port->rx, count, memory_order_relaxed);
	take_back(port->traffic, port->frames, count, now);
}

int forward_own_lcore(void *arg)
{
	struct forward_traffic *traffic = arg;

	while (!atomic_load_explicit(&traffic->stop, memory_order_relaxed)) {
		for (unsigned int i = 0; i < traffic->ports->count; i++) {
			receive_own(&traffic->ports->list[i]);
			send_due(&traffic->senders[i]);
		}
		forward_polled(traffic, FORWARD_WORKER);
	}
	return 0;
}

uint64_t forward_returned(const struct forward_traffic *traffic)
{
	uint64_t frames = 0;

	for (unsigned int i = 0; i < traffic->ports->count; i++)
		frames += shunt_watch_frames(shunt_tester_watch(traffic->tester, i));
	return frames;
}

bool forward_missing(const struct forward_traffic *traffic)
{
	for (unsigned int i = 0; i < traffic->ports->count; i++)
		if (shunt_watch_next(shunt_tester_watch(traffic->tester, i)) <
			shunt_tester_sent(traffic->tester, i))
			return true;
	return false;
}

static void init_sender(struct forward_traffic *traffic, struct forward_sender *sender, uint16_t id,
	const struct rte_ether_addr *address, unsigned int first, unsigned int streams)
{
	sender->traffic = traffic;
	sender->id = id;
	sender->address = *address;
	sender->first_stream = first;
	sender->streams = streams;
	for (unsigned int i = 0; i < SHUNT_WINDOW_MAX_PORTS; i++)
		sender->flights[i].patience = shunt_clock_from_ns(PROBE_NS);
}

int forward_senders_make(struct forward_traffic *traffic)
{
	const struct forward_ports *ports = traffic->ports;
	const enum forward_source source = traffic->config->source;
	unsigned int count = source == FORWARD_OWN ? ports->count : 1;

	if (source == FORWARD_WIRES)
		return 0;
	if (posix_memalign((void **)&traffic->senders, RTE_CACHE_LINE_SIZE,
		    count * sizeof(*traffic->senders)))
		return shunt_fail(-ENOMEM, "out of memory for %u sender%s", count, plural(count));
	memset(traffic->senders, 0, count * sizeof(*traffic->senders));
	traffic->sender_count = count;
	shunt_tester_in_bursts(traffic->tester);
	if (source == FORWARD_TESTER) {
		init_sender(traffic, &traffic->senders[0], ports->tester.id, &ports->tester.address,
			0, ports->count);
		return 0;
	}
	/* Port i sends what port i + 1 receives: stream i + 1. */
	for (unsigned int i = 0; i < count; i++)
		init_sender(traffic, &traffic->senders[i], ports->list[i].id,
			&ports->list[i].address, ports->list[i].out_index, 1);
	return 0;
}

void forward_senders_free(struct forward_traffic *traffic)
{
	for (unsigned int i = 0; i < traffic->sender_count; i++) {
		struct forward_sender *sender = &traffic->senders[i];

		rte_pktmbuf_free_bulk(sender->frames + sender->first, sender->held);
	}
	free(traffic->senders);
	traffic->senders = NULL;
	traffic->sender_count = 0;
}
