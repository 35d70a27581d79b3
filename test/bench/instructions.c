/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our receive and transmit bursts for callgrind to count, without anything of time in them: the
 * rings are made here and this thread plays the NIC between two bursts.
 *
 *   NIC's part   writes descriptors back      not counted
 *   burst        the driver's own object code counted, with the pool's functions that it calls
 *
 * Prints a line for each kind of burst: name, frames a burst, bursts. Callgrind's figures are
 * dumped under "name-frames". test/bench/instructions runs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <valgrind/callgrind.h>

#include "igb.h"

#define DESCRIPTORS 512
#define BURST       32
#define LENGTH      60 /* and FCS: 64 bytes on the wire */
#define WARM_UP     64
#define BURSTS      4096 /* many laps of the rings and of the pool's cache */

/* Nobody pauses here. */
uint32_t shunt_poll_sleepers;
uint32_t shunt_poll_waiters;

bool shunt_poll_enter_late(struct shunt_poll *poll, bool fenced)
{
	return false;
}

void shunt_poll_wake(void)
{
}

static struct rte_mempool *pool;

/* ---- receive ---- */

static struct igb_port port;
static struct igb_rx_queue *rx;
static uint32_t rx_tail;
static uint16_t rx_nic; /* slot that the NIC uses next */
static eth_rx_burst_t receive;

static int rx_create(void)
{
	struct rte_mbuf fresh;

	rx = rte_zmalloc("rx", sizeof(*rx), RTE_CACHE_LINE_SIZE);
	if (!rx)
		return -1;
	rx->ring = rte_zmalloc("rx_ring", DESCRIPTORS * sizeof(*rx->ring), 128);
	rx->buffers = rte_calloc(
		"rx_buffers", DESCRIPTORS + IGB_RX_BUFFERS_MORE, sizeof(*rx->buffers), 0);
	if (!rx->ring || !rx->buffers)
		return -1;
	memset(&fresh, 0, sizeof(fresh));
	fresh.nb_segs = 1;
	fresh.data_off = RTE_PKTMBUF_HEADROOM;
	rte_mbuf_refcnt_set(&fresh, 1);
	memcpy(&rx->rearm, &fresh.rearm_data, sizeof(rx->rearm));
	rx->count = rx->unfilled = DESCRIPTORS;
	rx->buffer_size = 2048;
	rx->port = &port;
	igb_rx_begin(rx);
	rx->pool = pool;
	rx->doorbell = &rx_tail;
	rx->refill_size = IGB_REFILL;
	igb_rx_refill(rx, 1);
	receive = igb_rx_function(false, false);
	return rx->unfilled;
}

static void nic_receives(uint16_t frames)
{
	for (uint16_t i = 0; i < frames; i++) {
		union shunt_82576_rx_descriptor *descriptor = &rx->ring[rx_nic];

		descriptor->quad[0] = 0;
		descriptor->quad[1] = rte_cpu_to_le_64(
			(uint64_t)LENGTH << 32 | SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP);
		rx_nic = (rx_nic + 1) % DESCRIPTORS;
	}
}

static int receive_once(uint16_t size)
{
	struct rte_mbuf *frames[BURST];
	uint16_t received;

	nic_receives(size);
	received = receive(rx, frames, BURST);
	rte_pktmbuf_free_bulk(frames, received);
	return received == size ? 0 : -1;
}

/* ---- transmit ---- */

static struct igb_tx_queue *tx;
static uint32_t tx_tail;
static uint16_t tx_nic;
static eth_tx_burst_t transmit;

static int tx_create(void)
{
	tx = rte_zmalloc("tx", sizeof(*tx), RTE_CACHE_LINE_SIZE);
	if (!tx)
		return -1;
	tx->ring = rte_zmalloc("tx_ring", DESCRIPTORS * sizeof(*tx->ring), 128);
	tx->buffers = rte_calloc("tx_buffers", DESCRIPTORS, sizeof(*tx->buffers), 0);
	tx->reports = rte_calloc("tx_reports", DESCRIPTORS, sizeof(*tx->reports), 0);
	if (!tx->ring || !tx->buffers || !tx->reports)
		return -1;
	tx->count = DESCRIPTORS;
	tx->free = DESCRIPTORS - 1;
	tx->report_threshold = IGB_REPORT;
	tx->segments_max = IGB_TX_SEGMENTS_MAX;
	tx->free_threshold = DESCRIPTORS - 2 * IGB_REPORT;
	tx->fast_free = true; /* the fewest instructions: what pausing adds shows most */
	tx->doorbell = &tx_tail;
	transmit = igb_tx_function(false);
	return 0;
}

static void nic_transmits(void)
{
	for (; tx_nic != tx_tail; tx_nic = (tx_nic + 1) % DESCRIPTORS) {
		union shunt_82576_tx_descriptor *descriptor = &tx->ring[tx_nic];

		if (descriptor->quad[1] & rte_cpu_to_le_64(SHUNT_82576_TXD_RS))
			descriptor->quad[1] = rte_cpu_to_le_64((uint64_t)SHUNT_82576_TXD_DD << 32);
	}
}

static int transmit_once(uint16_t size)
{
	struct rte_mbuf *frames[BURST];
	uint16_t sent;

	if (rte_pktmbuf_alloc_bulk(pool, frames, size))
		return -1;
	for (uint16_t i = 0; i < size; i++)
		frames[i]->data_len = (uint16_t)(frames[i]->pkt_len = LENGTH);
	sent = transmit(tx, frames, size);
	nic_transmits();
	return sent == size ? 0 : -1;
}

/* ---- what is counted ---- */

struct kind {
	const char *name;
	int (*once)(uint16_t size);
	uint16_t size;
};

static int count(const struct kind *kind)
{
	char label[32];

	for (unsigned int i = 0; i < WARM_UP; i++) {
		if (kind->once(kind->size))
			return -1;
	}
	CALLGRIND_ZERO_STATS;
	for (unsigned int i = 0; i < BURSTS; i++) {
		if (kind->once(kind->size))
			return -1;
	}
	snprintf(label, sizeof(label), "%s-%u", kind->name, kind->size);
	CALLGRIND_DUMP_STATS_AT(label);
	printf("%s %u %u\n", kind->name, kind->size, BURSTS);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct kind kinds[] = {
		{ "receive", receive_once, BURST },
		{ "transmit", transmit_once, BURST },
		{ "receive", receive_once, 4 },
		{ "transmit", transmit_once, 4 },
		{ "receive", receive_once, 0 },
		{ "transmit", transmit_once, 0 },
	};
	char *eal[] = { argv[0], (char[]){ "--no-huge" }, (char[]){ "-m" }, (char[]){ "64" },
		(char[]){ "--no-pci" }, (char[]){ "--no-telemetry" }, (char[]){ "--no-shconf" },
		(char[]){ "--log-level=lib.eal:warning" }, (char[]){ "--lcores" },
		(char[]){ "0@0" }, NULL };
	int ret = 0;

	if (rte_eal_init((int)RTE_DIM(eal) - 1, eal) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create(
		"instructions", 4095, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!pool || rx_create() || tx_create()) {
		fprintf(stderr, "%s: out of memory\n", argv[0]);
		return 1;
	}
	for (size_t i = 0; i < RTE_DIM(kinds) && !ret; i++) {
		ret = count(&kinds[i]);
		if (ret)
			fprintf(stderr, "%s: a %s burst of %u frames was refused\n", argv[0],
				kinds[i].name, kinds[i].size);
	}
	rte_eal_cleanup();
	return ret ? 1 : 0;
}
