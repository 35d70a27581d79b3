/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwards between two ports, and moves their IOMMU group from one address space to the other every
 * second. Without --vdev on the software platform, where both ports are on one wire: 32 frames go
 * round.
 *
 *   forward [SECONDS] [-- EAL's arguments, --vdev=net_shunt0,pci=0000:03:00.0 and so on]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#include <rte_net_shunt.h>

#include <shunt/error.h>

#define BURST 32
#define RING  256

static int start_port(uint16_t port, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_link link;
	int ret = rte_eth_dev_configure(port, 1, 1, &conf);

	if (!ret)
		ret = rte_eth_rx_queue_setup(port, 0, RING, 0, NULL, pool);
	if (!ret)
		ret = rte_eth_tx_queue_setup(port, 0, RING, 0, NULL);
	if (!ret)
		ret = rte_eth_promiscuous_enable(port);
	if (!ret)
		ret = rte_eth_dev_start(port);
	return ret ? ret : rte_eth_link_get(port, &link); /* waits for it */
}

static void first_frames(uint16_t port, struct rte_mempool *pool)
{
	struct rte_mbuf *frame;

	for (int i = 0; i < BURST && (frame = rte_pktmbuf_alloc(pool)); i++) {
		memset(rte_pktmbuf_append(frame, 60), 0, 60);
		if (!rte_eth_tx_burst(port, 0, &frame, 1))
			rte_pktmbuf_free(frame);
	}
}

static uint64_t forward(uint16_t from, uint16_t to)
{
	struct rte_mbuf *frames[BURST];
	uint16_t n = rte_eth_rx_burst(from, 0, frames, BURST);
	uint16_t sent = rte_eth_tx_burst(to, 0, frames, n);

	rte_pktmbuf_free_bulk(frames + sent, n - sent);
	return sent;
}

static int fail(const char *what)
{
	fprintf(stderr, "forward: %s: %s\n", what, shunt_errmsg());
	return 1;
}

int main(int argc, char **argv)
{
	const char *software[] = { "forward", "--no-huge", "-m", "128", "--no-pci",
		"--no-telemetry", "--iova-mode=va", NULL };
	int seconds = argc > 1 ? atoi(argv[1]) : 5;
	struct shunt_switch_result result;
	struct shunt_space *a, *b, *to;
	struct shunt_group *group;
	struct rte_mempool *pool;

	if (argc > 3 ? rte_eal_init(argc - 2, argv + 2) < 0
		     : rte_eal_init(7, (char **)(uintptr_t)software) < 0)
		return fail("EAL");
	if (argc <= 3 && (rte_vdev_init("net_shunt0", "sim=1") || rte_vdev_init("net_shunt1", "")))
		return fail("ports on the software platform");
	pool = rte_pktmbuf_pool_create("frames", 2047, 32, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (!pool || rte_eth_dev_count_avail() != 2 || start_port(0, pool) || start_port(1, pool))
		return fail("starting two ports");
	a = shunt_space_find(rte_net_shunt_spaces(), RTE_NET_SHUNT_FIRST_SPACE);
	if (shunt_space_create(rte_net_shunt_spaces(), "b", &b) || rte_net_shunt_group(0, &group) ||
		shunt_group_prepare(group, b))
		return fail("a second address space");

	first_frames(0, pool);
	for (int second = 0; second < seconds; second++) {
		uint64_t end = rte_rdtsc() + rte_get_tsc_hz(), frames = 0;

		while (rte_rdtsc() < end)
			frames += forward(0, 1) + forward(1, 0);
		to = shunt_group_space(group) == a ? b : a;
		if (shunt_group_switch(group, to, SHUNT_PLAN_QUIESCE, &result))
			return fail("switching");
		printf("%lu frames, then to space '%s' in %lu us\n", frames, shunt_space_name(to),
			(result.end - result.start) * 1000000 / rte_get_tsc_hz());
		if (!frames)
			return fail("no frame was forwarded");
	}
	rte_vdev_uninit("net_shunt0");
	rte_vdev_uninit("net_shunt1");
	return rte_eal_cleanup() ? 1 : 0;
}
