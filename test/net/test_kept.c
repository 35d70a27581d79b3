/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An application's settings are kept, whatever happens to the NIC: recovery after refused DMA,
 * switches by every plan, resets by others. Runs on the software platform; with two functions
 * named, on those of the kernel.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>
#include <rte_interrupts.h>

#include "kept_fixture.h"

#define WAIT_MS 5000

static const struct rte_ether_addr more = { { 2, 0, 0, 0, 0, 9 } };
static struct rte_ether_addr many = { { 1, 0, 0x5E, 7, 7, 7 } };

static void set_all(uint16_t port)
{
	struct rte_eth_rss_reta_entry64 table[2] = { { .mask = UINT64_MAX },
		{ .mask = UINT64_MAX } };
	struct rte_ether_addr address = more;

	assert_int_equal(rte_eth_promiscuous_disable(port), 0);
	assert_int_equal(rte_eth_dev_mac_addr_add(port, &address, 0), 0);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(port, &many, 1), 0);
	assert_int_equal(rte_eth_dev_vlan_filter(port, VLAN, 1), 0);
	for (unsigned int i = 0; i < 128; i++)
		table[i / 64].reta[i % 64] = i < 64;
	assert_int_equal(rte_eth_dev_rss_reta_update(port, table, 128), 0);
}

/* Frames may still be in flight. */
static void drain(void)
{
	struct rte_mbuf *frames[BURST];
	unsigned int quiet = 0;

	while (quiet < 50) {
		unsigned int n = 0;

		for (uint16_t i = 0; i < QUEUES; i++) {
			n = rte_eth_rx_burst(net.port[1], i, frames, BURST);
			rte_pktmbuf_free_bulk(frames, n);
			quiet = n ? 0 : quiet;
		}
		quiet++;
		rte_delay_us_sleep(100);
	}
}

/* Unwanted frames go first, so that arrivals show the fate of both. */
static void check_frame(const struct packet *packet, const struct rte_ether_addr *to)
{
	struct packet other = *packet, wanted = *packet;
	struct rte_mbuf *frames[3], *frame;
	uint16_t queue;

	other.last = 77;
	frames[0] = packet_make(&net, &other);
	other.last = 9;
	other.vlan++;
	frames[1] = packet_make(&net, &other);
	frames[2] = packet_make(&net, packet);
	if (to)
		*rte_pktmbuf_mtod(frames[2], struct rte_ether_addr *) = *to;
	assert_int_equal(net_send(net.port[0], frames, 3), 3);
	frame = net_take(net.port[1], QUEUES, &queue);
	assert_non_null(frame);
	assert_int_equal(frame->vlan_tci, VLAN);
	assert_int_equal(
		frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED, RTE_MBUF_F_RX_VLAN_STRIPPED);
	assert_int_equal(
		frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	assert_int_equal(queue, frame->hash.rss % 128 < 64);
	wanted.vlan = 0;
	if (to)
		memcpy(rte_pktmbuf_mtod(frame, void *), (uint8_t[6]){ 2, 0, 0, 0, 0, 9 }, 6);
	assert_true(packet_is(frame, &wanted));
}

static void check_all(void)
{
	drain();
	for (uint16_t flow = 0; flow < 12; flow++) {
		struct packet packet = { .flow = flow, .vlan = VLAN, .last = 9, .payload = 30 };

		check_frame(&packet, flow & 1 ? &many : NULL);
	}
	for (uint16_t flow = 0; flow < 3; flow++) {
		struct packet packet = {
			.flow = flow, .vlan = VLAN, .last = 9, .payload = MTU - 28, .segments = 3
		};

		check_frame(&packet, NULL);
	}
}

static void wait_for_link(void)
{
	struct rte_eth_link link;

	for (unsigned int i = 0; i < NET_PORTS; i++) {
		for (unsigned int ms = 0; ms < 2 * WAIT_MS; ms++) {
			assert_int_equal(rte_eth_link_get_nowait(net.port[i], &link), 0);
			if (link.link_status == RTE_ETH_LINK_UP)
				break;
			rte_delay_us_sleep(1000);
		}
		assert_int_equal(link.link_status, RTE_ETH_LINK_UP);
	}
}

static void all_is_kept(void **state)
{
	config.eth.intr_conf.rxq = config.eth.intr_conf.lsc = 1;
	begin_kept();
	set_all(net.port[1]);
	check_all();
	change_space(SHUNT_PLAN_QUIESCE);
	check_all();
	change_space(SHUNT_PLAN_RESTART);
	wait_for_link();
	check_all();
	change_space(SHUNT_PLAN_STOP_REPLACE_START);
	wait_for_link();
	check_all();
	for (unsigned int i = 0; i < 2; i++) {
		reset_from_outside(1);
		wait_for_link();
		check_all();
	}
	assert_int_equal(rte_eth_dev_stop(net.port[1]), 0);
	assert_int_equal(rte_eth_dev_start(net.port[1]), 0);
	wait_for_link();
	check_all();
	finish();
}

/* A device reset differs: it leaves a port in its initial state. */
static void a_device_reset_forgets(void **state)
{
	struct rte_ether_addr before, after;

	begin_kept();
	assert_int_equal(rte_eth_macaddr_get(net.port[1], &before), 0);
	set_all(net.port[1]);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(net.port[1], &many), -EINVAL);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(
				 net.port[1], &(struct rte_ether_addr){ { 2, 1, 1, 1, 1, 1 } }),
		0);
	assert_int_equal(rte_eth_dev_reset(net.port[1]), 0);
	assert_int_equal(rte_eth_promiscuous_get(net.port[1]), 0);
	assert_int_equal(rte_eth_macaddr_get(net.port[1], &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(net_configure(&net, 1), 0);
	assert_int_equal(rte_eth_dev_start(net.port[1]), 0);
	wait_for_link();
	set_all(net.port[1]);
	check_all();
	finish();
}

/* A thread that finds a paused queue empty and goes to sleep is woken when the queue runs again. */
static void sleepers_are_woken(void **state)
{
	struct rte_epoll_event event;

	config.eth.intr_conf.rxq = 1;
	begin_kept();
	assert_int_equal(rte_eth_dev_rx_intr_ctl_q(
				 net.port[1], 1, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, NULL),
		0);
	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(rte_eth_dev_rx_intr_enable(net.port[1], 1), 0);
		while (rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, 20) == 1)
			;
		if (i < 4)
			change_space(SHUNT_PLAN_QUIESCE);
		else
			reset_from_outside(1);
		assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, WAIT_MS), 1);
	}
	assert_int_equal(rte_eth_dev_rx_intr_ctl_q(
				 net.port[1], 1, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_DEL, NULL),
		0);
	finish();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		KEPT_TEST(all_is_kept),
		KEPT_TEST(a_device_reset_forgets),
		KEPT_TEST(sleepers_are_woken),
	};

	if (argc == 3)
		net_use_kernel(argv[1], argv[2]);
	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
