/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a frame costs inside rte_eth_rx_burst() and rte_eth_tx_burst(), of whatever driver the ports
 * have: port 0 sends bursts to port 1, by a wire.
 *
 *   round      ROUND bursts: transmit, receive, release; the counter is read before and after each
 *              call
 *   cost       of each burst of a round the least that it took in any of ROUNDS rounds: interrupts
 *              and other processors are not in it
 *
 * The counter is the processor's. Under QEMU's -icount that is instructions, and the figure is the
 * same each time; otherwise it is cycles. Prints "rx N.NNN tx N.NNN", of a frame.
 * test/bench/vm-instructions runs it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define DESCRIPTORS 512
#define BURST       32
#define LENGTH      60 /* and FCS: 64 bytes on the wire */
#define ROUND       64 /* bursts: several laps of the rings and of the pool's cache */
#define ROUNDS      24
#define TRIES       100000 /* calls without a frame until the NIC counts as silent */

struct cost {
	uint64_t rx, tx;
};

static struct rte_mempool *pool;
static struct cost least[ROUND];

static int start(uint16_t id)
{
	struct rte_eth_conf conf = {
		.txmode.offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE,
	};
	struct rte_eth_dev_info info;
	struct rte_eth_txconf txconf;
	struct rte_eth_link link = { 0 };

	if (rte_eth_dev_info_get(id, &info))
		return -1;
	conf.txmode.offloads &= info.tx_offload_capa;
	txconf = info.default_txconf;
	txconf.offloads = conf.txmode.offloads;
	if (rte_eth_dev_configure(id, 1, 1, &conf) ||
		rte_eth_rx_queue_setup(id, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL, pool) ||
		rte_eth_tx_queue_setup(id, 0, DESCRIPTORS, SOCKET_ID_ANY, &txconf) ||
		rte_eth_dev_start(id))
		return -1;
	for (int i = 0; i < 100 && !link.link_status; i++) {
		rte_delay_us_sleep(50000);
		if (rte_eth_link_get_nowait(id, &link))
			return -1;
	}
	return link.link_status ? 0 : -1;
}

static int make(struct rte_mbuf **frames)
{
	if (rte_pktmbuf_alloc_bulk(pool, frames, BURST))
		return -1;
	for (unsigned int i = 0; i < BURST; i++) {
		char *bytes = rte_pktmbuf_append(frames[i], LENGTH);
		struct rte_ether_hdr *header = (struct rte_ether_hdr *)bytes;

		memset(bytes, 0, LENGTH);
		rte_eth_macaddr_get(1, &header->dst_addr);
		rte_eth_macaddr_get(0, &header->src_addr);
		header->ether_type = rte_cpu_to_be_16(0x88b5); /* IEEE 802: local experiments */
	}
	return 0;
}

/* Calls that bring nothing are not counted: how many there are is not the driver's doing. */
static int receive_all(struct cost *cost)
{
	struct rte_mbuf *frames[BURST];
	unsigned int received = 0;
	uint64_t before, took;
	uint16_t count;

	for (int i = 0; received < BURST && i < TRIES; i++) {
		before = rte_rdtsc();
		count = rte_eth_rx_burst(1, 0, frames, BURST);
		took = rte_rdtsc() - before;
		if (!count)
			continue;
		cost->rx += took;
		received += count;
		rte_pktmbuf_free_bulk(frames, count);
	}
	return received == BURST ? 0 : -1;
}

static int burst(struct cost *cost)
{
	struct rte_mbuf *frames[BURST];
	uint64_t before;
	uint16_t sent;

	*cost = (struct cost){ 0 };
	if (make(frames))
		return -1;
	before = rte_rdtsc();
	sent = rte_eth_tx_burst(0, 0, frames, BURST);
	cost->tx = rte_rdtsc() - before;
	return sent == BURST ? receive_all(cost) : -1;
}

static int run(void)
{
	struct cost cost;

	memset(least, 0xff, sizeof(least));
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < ROUND; i++) {
			if (burst(&cost))
				return -1;
			least[i].rx = RTE_MIN(least[i].rx, cost.rx);
			least[i].tx = RTE_MIN(least[i].tx, cost.tx);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct cost sum = { 0 };

	if (rte_eal_init(argc, argv) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create(
		"frames", 4096, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!pool || rte_eth_dev_count_avail() != 2 || start(0) || start(1)) {
		fprintf(stderr, "there are not two ports with a link\n");
		return 1;
	}
	if (run()) {
		fprintf(stderr, "frames do not arrive\n");
		return 1;
	}
	for (int i = 0; i < ROUND; i++) {
		sum.rx += least[i].rx;
		sum.tx += least[i].tx;
	}
	printf("rx %.3f tx %.3f\n", (double)sum.rx / (ROUND * BURST),
		(double)sum.tx / (ROUND * BURST));
	for (uint16_t id = 0; id < 2; id++) {
		rte_eth_dev_stop(id);
		rte_eth_dev_close(id);
	}
	rte_eal_cleanup();
	return 0;
}
