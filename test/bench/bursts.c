/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cycles that a frame costs inside our receive and transmit bursts alone: two igb ports on a wire
 * of the software platform, frames circling, the two calls timed with the time-stamp counter and
 * counted only when they moved frames.
 *
 *   bench_bursts [seconds]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <shunt/clock.h>

#include "rte_net_shunt.h"

#define PORTS       2
#define BURST       32
#define LENGTH      64
#define DESCRIPTORS 512
#define CIRCLING    256         /* frames in each direction */
#define FULL        (BURST / 2) /* bursts counted as "at burst 32": at least this full */

/* A call this long was interrupted: its core did something else meanwhile. */
#define INTERRUPTED_NS 20000

/** What a kind of call cost. */
struct cost {
	uint64_t calls, frames, ticks;
	uint64_t interrupted; /**< calls not counted */
};

static uint64_t interrupted_ticks;

static void add(struct cost *cost, uint64_t ticks, uint16_t frames)
{
	if (ticks > interrupted_ticks) {
		cost->interrupted++;
		return;
	}
	cost->calls++;
	cost->frames += frames;
	cost->ticks += ticks;
}

static double per_frame(const struct cost *cost)
{
	return cost->frames ? (double)cost->ticks / (double)cost->frames : 0.0;
}

static int start_port(unsigned int index, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = { .txmode = { .offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE } };
	uint16_t port;
	char name[32];
	int ret;

	snprintf(name, sizeof(name), "net_shunt%u", index);
	ret = rte_vdev_init(name, "sim=1");
	if (!ret)
		ret = rte_eth_dev_get_port_by_name(name, &port);
	if (!ret)
		ret = rte_eth_dev_configure(port, 1, 1, &conf);
	if (!ret)
		ret = rte_eth_rx_queue_setup(port, 0, DESCRIPTORS, 0, NULL, pool);
	if (!ret)
		ret = rte_eth_tx_queue_setup(port, 0, DESCRIPTORS, 0, NULL);
	if (!ret)
		ret = rte_eth_promiscuous_enable(port);
	return ret ? ret : rte_eth_dev_start(port);
}

static int send_first(uint16_t port, struct rte_mempool *pool)
{
	struct rte_mbuf *frames[CIRCLING];
	unsigned int sent = 0;

	if (rte_pktmbuf_alloc_bulk(pool, frames, CIRCLING))
		return -1;
	for (unsigned int i = 0; i < CIRCLING; i++)
		memset(rte_pktmbuf_append(frames[i], LENGTH), (int)i, LENGTH);
	while (sent < CIRCLING)
		sent += rte_eth_tx_burst(port, 0, frames + sent, (uint16_t)(CIRCLING - sent));
	return 0;
}

static void circulate(uint64_t seconds, struct cost *rx, struct cost *tx, struct cost *rx_full,
	struct cost *tx_full)
{
	uint64_t end = rte_rdtsc() + seconds * shunt_clock_hz();
	struct rte_mbuf *frames[BURST];

	while (rte_rdtsc() < end) {
		for (uint16_t port = 0; port < PORTS; port++) {
			uint64_t start = rte_rdtsc_precise(), middle, done;
			uint16_t received = rte_eth_rx_burst(port, 0, frames, BURST);
			uint16_t sent;

			middle = rte_rdtsc_precise();
			if (!received)
				continue;
			sent = rte_eth_tx_burst(port, 0, frames, received);
			done = rte_rdtsc_precise();
			add(rx, middle - start, received);
			add(tx, done - middle, sent);
			if (received >= FULL) {
				add(rx_full, middle - start, received);
				add(tx_full, done - middle, sent);
			}
			rte_pktmbuf_free_bulk(frames + sent, received - sent);
		}
	}
}

int main(int argc, char **argv)
{
	struct cost rx = { 0 }, tx = { 0 }, rx_full = { 0 }, tx_full = { 0 };
	uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 5;
	char prefix[32];
	char *eal[] = { argv[0], (char[]){ "--no-huge" }, (char[]){ "-m" }, (char[]){ "512" },
		(char[]){ "--no-pci" }, (char[]){ "--no-telemetry" }, (char[]){ "--iova-mode=va" },
		(char[]){ "--log-level=lib.eal:warning" }, (char[]){ "-l" }, (char[]){ "1" },
		(char[]){ "--file-prefix" }, prefix, NULL };
	struct shunt_platform_info info;
	struct shunt_platform *platform;
	struct rte_mempool *pool;
	int ret = 1;

	snprintf(prefix, sizeof(prefix), "bursts%d", getpid());
	if (rte_eal_init((int)RTE_DIM(eal) - 1, eal) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create(
		"bursts", 4095, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!pool || start_port(0, pool) || start_port(1, pool))
		goto clean_up;
	interrupted_ticks = shunt_clock_from_ns(INTERRUPTED_NS);
	if (send_first(0, pool) || send_first(1, pool))
		goto clean_up;
	circulate(seconds, &rx, &tx, &rx_full, &tx_full);
	platform = rte_net_shunt_platform_in_use();
	platform->ops->info(platform, NULL, &info);
	printf("frames of %u bytes, %s, %s, no hugepages: %.2f million a second\n", LENGTH,
		info.nic, info.iommu, (double)rx.frames / 1e6 / (double)seconds);
	printf("%-28s %10s %10s %10s\n", "TSC cycles a frame", "receive", "transmit", "together");
	printf("%-28s %10.1f %10.1f %10.1f  (%.1f frames a burst)\n", "every burst with frames",
		per_frame(&rx), per_frame(&tx), per_frame(&rx) + per_frame(&tx),
		rx.calls ? (double)rx.frames / (double)rx.calls : 0.0);
	printf("%-28s %10.1f %10.1f %10.1f  (%.1f frames a burst)\n", "bursts of 16 and more",
		per_frame(&rx_full), per_frame(&tx_full), per_frame(&rx_full) + per_frame(&tx_full),
		rx_full.calls ? (double)rx_full.frames / (double)rx_full.calls : 0.0);
	printf("%" PRIu64 " of %" PRIu64 " calls were interrupted and are left out\n",
		rx.interrupted + tx.interrupted, rx.calls + tx.calls);
	ret = rx.frames ? 0 : 1;
clean_up:
	for (unsigned int i = 0; i < PORTS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "net_shunt%u", i);
		rte_vdev_uninit(name);
	}
	rte_eal_cleanup();
	return ret;
}
