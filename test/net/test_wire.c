/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slow wire, or a far end that holds frames back, does not make a queue stuck. The watchdog and a
 * recovery wait for as long as the wire may take. On each wire they find a stuck queue.
 */
#include <linux/vfio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_cycles.h>

#include <shunt/error.h>

#include "rte_net_shunt.h"
#include "82576.h"
#include "two_ports.h"

#define FUNCTION    "0000:03:00.0" /* of port 0, which sends */
#define FULL        1514u
#define LONGEST     (SHUNT_82576_FRAME_MAX - SHUNT_82576_FCS_SIZE - RTE_VLAN_HLEN)
#define FRAME_MBUFS 6u
#define QUEUES      2u
#define LEFT        1024u /* mbufs for the receiving side */
#define MSS         1400u
#define SEGMENTED   64000u

static struct shunt_group *group;
static struct shunt_switch_result result;

static void begin_at(unsigned int speed)
{
	config.tx_queues = QUEUES;
	config.mtu = LONGEST - RTE_ETHER_HDR_LEN;
	config.eth.rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER;
	config.tx_offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	begin();
	assert_int_equal(shunt_sim_speed(net.sim, FUNCTION, speed), 0);
	assert_int_equal(rte_net_shunt_group(net.port[0], &group), 0);
}

/* Makes frames on the wire arrive at once, so that the ports can be stopped. */
static void end(void)
{
	assert_int_equal(shunt_sim_speed(net.sim, FUNCTION, SHUNT_SIM_SPEED_MAX), 0);
	finish();
}

static struct rte_mbuf *frame_of(uint32_t length)
{
	return net_frame(&net, length, length > FULL ? FRAME_MBUFS : 1, 0);
}

static struct rte_mbuf *segmented(uint32_t payload)
{
	struct packet packet = { .tcp = true, .payload = payload, .segments = 33, .last = 9 };
	struct rte_mbuf *frame = packet_make_unsummed(&net, &packet);

	frame->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
	frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	frame->tso_segsz = MSS;
	assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, &frame, 1), 1);
	return frame;
}

/* Fills all queues, with no more frames than a ring has: the wire may be as fast as this loop. */
static void fill(struct rte_mbuf *(*make)(uint32_t length), uint32_t length)
{
	struct rte_mbuf *frame;

	for (uint16_t queue = 0; queue < QUEUES; queue++) {
		for (unsigned int n = 0; n < config.tx_descriptors; n++) {
			if (rte_mempool_avail_count(net.pool) <= LEFT)
				break;
			frame = make(length);
			if (!rte_eth_tx_burst(net.port[0], queue, &frame, 1)) {
				rte_pktmbuf_free(frame);
				break;
			}
		}
	}
}

static unsigned int take_all(void)
{
	struct rte_mbuf *frames[32];
	unsigned int n, sum = 0;

	while ((n = rte_eth_rx_burst(net.port[1], 0, frames, RTE_DIM(frames))) > 0) {
		rte_pktmbuf_free_bulk(frames, n);
		sum += n;
	}
	return sum;
}

static int check(void)
{
	int repaired = shunt_group_check(group, &result);

	if (repaired < 0)
		print_message("%s\n", shunt_errmsg());
	return repaired;
}

static void nothing_was_reset(void)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		assert_int_equal(net_xstat(net.port[i], "recover_queue_resets"), 0);
		assert_int_equal(net_xstat(net.port[i], "recover_port_resets"), 0);
		assert_int_equal(net_xstat(net.port[i], "recover_function_resets"), 0);
	}
}

static void watch_full_queues(unsigned int speed, struct rte_mbuf *(*make)(uint32_t length),
	uint32_t length, unsigned int frames)
{
	print_message("%u Mb/s, %u bytes\n", speed, length);
	begin_at(speed);
	for (unsigned int received = 0; received < frames;) {
		fill(make, length);
		received += take_all();
		assert_int_equal(check(), 0);
	}
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(net_xstat(net.port[i], "recover_liveness_checks"), 0);
	nothing_was_reset();
	end();
}

static void a_slow_wire_is_no_stuck_queue(void **state)
{
	watch_full_queues(10, frame_of, FULL, 60);
	watch_full_queues(10, frame_of, LONGEST, 20);
	watch_full_queues(100, frame_of, LONGEST, 60);
}

static void nor_is_one_that_sends_64_kilobytes(void **state)
{
	config.tx_offloads = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
			     RTE_ETH_TX_OFFLOAD_TCP_TSO;
	watch_full_queues(100, segmented, SEGMENTED, 10 * (SEGMENTED / MSS));
}

/* It is unknown which DMA was refused: each queue has to move, or to answer. */
static void a_recovery_waits_for_the_wire(void **state)
{
	struct shunt_space *spaces[2];

	begin_at(10);
	spaces[0] = shunt_group_space(group);
	assert_int_equal(shunt_space_copy(spaces[0], "b", &spaces[1]), 0);
	assert_int_equal(shunt_group_prepare(group, spaces[1]), 0);
	for (unsigned int i = 0; i < 8; i++) {
		fill(frame_of, LONGEST);
		assert_int_equal(
			shunt_group_switch(group, spaces[!(i & 1)], SHUNT_PLAN_REPLACE, &result),
			0);
		take_all();
	}
	assert_true(net_xstat(net.port[0], "recover_liveness_checks") > 0);
	nothing_was_reset();
	end();
}

static void obey_pause(void)
{
	struct shunt_vfio_region region;
	struct shunt_vfio_device *device;
	uint32_t control;

	assert_int_equal(rte_net_shunt_device(net.port[0], &device), 0);
	assert_int_equal(shunt_vfio_region(device, VFIO_PCI_BAR0_REGION_INDEX, &region), 0);
	assert_int_equal(shunt_vfio_read(device, &region, SHUNT_82576_CTRL, &control, 4), 0);
	control |= SHUNT_82576_CTRL_RFCE;
	assert_int_equal(shunt_vfio_write(device, &region, SHUNT_82576_CTRL, &control, 4), 0);
}

static void hold_back(void *held)
{
	assert_int_equal(shunt_sim_hold_back(net.sim, FUNCTION, true), 0);
	*(bool *)held = true;
}

/* The far end holds frames back just after the watchdog has seen some wait, and when it looks
 * again. */
static void a_queue_that_is_held_back_is_not_stuck(void **state)
{
	bool held = false;

	begin_at(10);
	obey_pause();
	fill(frame_of, FULL);
	inject_after_read(net.inject, SHUNT_82576_TDT(0), hold_back, &held);
	assert_int_equal(check(), 0);
	assert_true(held);
	assert_int_equal(check(), 0);
	nothing_was_reset();
	assert_int_equal(shunt_sim_hold_back(net.sim, FUNCTION, false), 0);
	net_until(take_all());
	end();
}

static unsigned int wedged_queues(void)
{
	struct shunt_sim_port_truth truth;

	assert_int_equal(shunt_sim_port_truth(net.sim, FUNCTION, &truth), 0);
	return truth.wedged_queues;
}

/* While the ports are detached, a queue reads a frame to send, which is refused. */
static void wedge(void)
{
	struct shunt_vfio_device *devices[NET_PORTS];

	assert_int_equal(check(), 0);
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(rte_net_shunt_device(net.port[i], &devices[i]), 0);
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(shunt_vfio_detach(devices[i]), 0);
	fill(frame_of, FULL);
	net_until(wedged_queues());
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(shunt_vfio_attach(devices[i], result.members[i].hwpt_id, NULL), 0);
}

static void a_queue_that_is_stuck_is_found_on_each_wire(void **state)
{
	static const unsigned int speeds[] = { 10, 100, SHUNT_SIM_SPEED_MAX };

	config.sim.nic = SHUNT_SIM_WEDGE;
	for (unsigned int i = 0; i < RTE_DIM(speeds); i++) {
		begin_at(speeds[i]);
		wedge();
		assert_int_equal(check(), 1);
		assert_int_equal(wedged_queues(), 0);
		assert_int_equal(net_xstat(net.port[0], "recover_function_resets"), 1);
		take_all();
		fill(frame_of, FULL); /* the others may have come already */
		net_until(take_all());
		end();
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_slow_wire_is_no_stuck_queue),
		TEST(nor_is_one_that_sends_64_kilobytes),
		TEST(a_recovery_waits_for_the_wire),
		TEST(a_queue_that_is_held_back_is_not_stuck),
		TEST(a_queue_that_is_stuck_is_found_on_each_wire),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
