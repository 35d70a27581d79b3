/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in a ring are sent with their offloads, whatever happens to the NIC. Runs on the software
 * platform; with two functions named, on those of the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>

#include "kept_fixture.h"

/* Runs of frames that share a context, with other frames between them. */
static struct packet kind(unsigned int i)
{
	return (struct packet){ .tcp = i / 7 & 1,
		.ipv6 = i / 20 & 1,
		.flow = (uint16_t)i,
		.vlan = VLAN,
		.payload = 20 + i % 900,
		.segments = 1 + i % 3,
		.last = 9 };
}

static struct rte_mbuf *make(unsigned int i)
{
	struct packet packet = kind(i);
	struct rte_mbuf *frame;

	packet.vlan = 0;
	frame = i % 5 ? packet_make_unsummed(&net, &packet) : packet_make(&net, &packet);
	frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
	frame->vlan_tci = VLAN;
	return frame;
}

static bool is_kind(const struct rte_mbuf *frame, unsigned int number)
{
	struct packet packet = kind(number);

	packet.vlan = 0;
	return packet_equals(frame, &packet);
}

/* Receives up to the frame of this number. */
static unsigned int receive_up_to(unsigned int last, struct rte_mbuf **frames, unsigned int room)
{
	unsigned int received = 0, quiet = 0;

	while (quiet < 20000 && received < room) {
		uint16_t n = rte_eth_rx_burst(
			net.port[1], 0, frames + received, (uint16_t)(room - received));

		received += n;
		if (n && is_kind(frames[received - 1], last))
			break;
		quiet = n ? 0 : quiet + 1;
		rte_delay_us_sleep(n ? 0 : 100);
	}
	return received;
}

/*
 * At the reset some frames are sent, and others are in the ring, without DMA. Those are sent
 * afterwards, in order and whole. Of the sent ones, those that were not reported as done may come
 * again.
 */
static void held_frames_are_sent(unsigned int sent, unsigned int held)
{
	struct rte_mbuf *frames[256], *received[512];
	struct shunt_vfio_device *device;
	unsigned int n;

	for (unsigned int i = 0; i < sent + held; i++)
		frames[i] = make(i);
	assert_int_equal(
		rte_eth_tx_prepare(net.port[0], 0, frames, (uint16_t)(sent + held)), sent + held);
	assert_int_equal(net_send(net.port[0], frames, sent), sent);
	assert_int_equal(net_receive(net.port[1], received, sent), sent);
	rte_pktmbuf_free_bulk(received, sent);
	assert_int_equal(rte_net_shunt_device(net.port[0], &device), 0);
	assert_int_equal(shunt_vfio_bus_master(device, false), 0);
	assert_int_equal(net_send(net.port[0], frames + sent, held), held);
	reset_from_outside(0);

	n = receive_up_to(sent + held - 1, received, RTE_DIM(received));
	assert_true(n >= held);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(received[i]->vlan_tci, VLAN);
		assert_true(packet_sums_right(received[i]));
	}
	for (unsigned int i = 0; i < held; i++)
		assert_true(is_kind(received[n - held + i], sent + i));
	rte_pktmbuf_free_bulk(received, n);
}

static void work_on_held_frames_is_not_forgotten(void **state)
{
	config.rx_queues = 1;
	config.eth.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	begin_kept();
	for (unsigned int sent = 0; sent < 80; sent += 3)
		held_frames_are_sent(sent, 1 + sent * 7 % 50);
	finish();
}

static bool came(struct rte_mbuf **frames, unsigned int n, unsigned int number)
{
	while (n--) {
		if (is_kind(frames[n], number))
			return true;
	}
	return false;
}

/* In the second round, some of the frames held before may have been sent, and come again. */
static void held_twice(void **state)
{
	struct rte_mbuf *frames[64], *received[128];
	struct shunt_vfio_device *device;
	unsigned int n;

	config.rx_queues = 1;
	config.eth.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	begin_kept();
	for (unsigned int i = 0; i < 64; i++)
		frames[i] = make(i);
	assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, frames, 64), 64);
	assert_int_equal(rte_net_shunt_device(net.port[0], &device), 0);
	assert_int_equal(shunt_vfio_bus_master(device, false), 0);
	assert_int_equal(net_send(net.port[0], frames, 40), 40);
	reset_from_outside(0);
	assert_int_equal(shunt_vfio_bus_master(device, false), 0);
	assert_int_equal(net_send(net.port[0], frames + 40, 24), 24);
	reset_from_outside(0);
	n = receive_up_to(63, received, RTE_DIM(received));
	for (unsigned int i = 0; i < n; i++)
		assert_true(packet_sums_right(received[i]));
	for (unsigned int i = 0; i < 64; i++)
		assert_true(came(received, n, i));
	rte_pktmbuf_free_bulk(received, n);
	finish();
}

/* In a switch an idle queue proves that it runs, with a context of its own. */
static void work_is_not_forgotten_between_frames(void **state)
{
	const struct packet packet = { .flow = 3, .payload = 50, .last = 9 };

	config.rx_queues = 1;
	config.eth.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	begin_kept();
	for (unsigned int i = 0; i < 80; i++) {
		struct rte_mbuf *frame = packet_make_unsummed(&net, &packet);

		frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
		frame->vlan_tci = VLAN;
		assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, &frame, 1), 1);
		assert_int_equal(net_send(net.port[0], &frame, 1), 1);
		assert_int_equal(net_receive(net.port[1], &frame, 1), 1);
		assert_int_equal(frame->vlan_tci, VLAN);
		assert_true(packet_is(frame, &packet));
		if (i % 3 == 0)
			change_space(SHUNT_PLAN_QUIESCE);
	}
	finish();
}

static unsigned int check_received(uint16_t queue)
{
	struct rte_mbuf *frames[BURST];
	uint16_t n = rte_eth_rx_burst(net.port[1], queue, frames, BURST);

	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(frames[i]->vlan_tci, VLAN);
		assert_true(packet_sums_right(frames[i]));
		if (frames[i]->ol_flags & RTE_MBUF_F_RX_RSS_HASH)
			assert_int_equal(frames[i]->hash.rss % config.rx_queues, queue);
	}
	rte_pktmbuf_free_bulk(frames, n);
	return n;
}

/* Switches with refused DMA, and queues that stop: no frame is sent with a wrong checksum. */
static void across_switches(uint16_t queues)
{
	unsigned int received[QUEUES] = { 0 };
	struct rte_mbuf *frames[BURST];

	config.sim.nic = SHUNT_SIM_WEDGE;
	config.rx_queues = queues;
	config.eth.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	begin_kept();
	for (unsigned int round = 0; round < 800; round++) {
		unsigned int n = rte_mempool_avail_count(net.pool) > 1500 ? BURST : 0, sent;

		for (unsigned int i = 0; i < n; i++)
			frames[i] = make(round * BURST + i);
		assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, frames, (uint16_t)n), n);
		sent = rte_eth_tx_burst(net.port[0], 0, frames, (uint16_t)n);
		rte_pktmbuf_free_bulk(frames + sent, n - sent);
		if (round % 8 == 0)
			change_space(round % 16 ? SHUNT_PLAN_DETACH_ATTACH : SHUNT_PLAN_REPLACE);
		for (uint16_t i = 0; i < queues; i++)
			received[i] += check_received(i);
	}
	for (uint16_t i = 0; i < queues; i++)
		assert_true(received[i] > 1000);
	finish();
}

static void sums_are_right_across_switches(void **state)
{
	across_switches(1);
}

static void and_over_several_queues(void **state)
{
	across_switches(QUEUES);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest on_both[] = { KEPT_TEST(work_is_not_forgotten_between_frames) };
	const struct CMUnitTest on_sim[] = {
		KEPT_TEST(work_on_held_frames_is_not_forgotten),
		KEPT_TEST(held_twice),
		KEPT_TEST(sums_are_right_across_switches),
		KEPT_TEST(and_over_several_queues),
	};
	int failed;

	if (argc == 3)
		net_use_kernel(argv[1], argv[2]);
	net_eal_start(argv[0]);
	failed = cmocka_run_group_tests(on_both, NULL, NULL);
	if (!net_on_kernel())
		failed += cmocka_run_group_tests(on_sim, NULL, NULL);
	return failed;
}
