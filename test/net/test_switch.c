/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports switched between address spaces while another thread sends and receives: whatever the
 * IOMMU and the NIC do, every queue runs afterwards, frames keep their order, none comes twice, and
 * those that are missing are the ones that the model lost.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "direction.h"
#include "rte_net_shunt.h"
#include "shunt_clock.h"
#include "shunt_error.h"

#define LENGTH       64
#define SWITCHES     60
#define SWITCHES_MAX 100000

static struct net net;
static struct direction directions[NET_PORTS];
static uint32_t length, segments;
static unsigned int pause_us;
static unsigned int switches = SWITCHES;
static pthread_t poller;
static bool polling, stop_polling;
static uint64_t longest; /* recovery of all ports after a switch, ticks */

static void stop_poller(void)
{
	__atomic_store_n(&stop_polling, true, __ATOMIC_RELEASE);
	if (polling)
		pthread_join(poller, NULL);
	polling = false;
}

static int abandon(void **state)
{
	stop_poller();
	net_abandon(&net);
	return 0;
}

static bool told(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void *poll(void *arg)
{
	while (!told(&stop_polling)) {
		for (unsigned int i = 0; i < NET_PORTS; i++) {
			direction_send(&net, &directions[i], DIRECTION_BURST * segments);
			direction_receive(&net, &directions[i]);
		}
		if (pause_us)
			rte_delay_us_sleep(pause_us);
	}
	return NULL;
}

static struct shunt_sim_port_truth truth_of(unsigned int port)
{
	static const char *const functions[NET_PORTS] = { "0000:03:00.0", "0000:04:00.0" };
	struct shunt_sim_port_truth truth;

	assert_int_equal(shunt_sim_port_truth(net.sim, functions[port], &truth), 0);
	return truth;
}

/* A wedged queue's frame is sent again after the reset, a dropped one is gone. */
static uint64_t gone(const struct shunt_sim_port_truth *tx)
{
	return net.config.sim.nic == SHUNT_SIM_DROP ? tx->tx_fault : 0;
}

/* What is not in the hands of a test yet: frames in a FIFO, or in memory and not polled. */
static bool frames_wait(void)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		struct shunt_sim_port_truth tx = truth_of(i), rx = truth_of(!i);

		if (rx.rx_fifo || tx.tx_wire + gone(&tx) < directions[i].sent ||
			rte_eth_rx_descriptor_status(net.port[i], 0, 0) == RTE_ETH_RX_DESC_DONE)
			return true;
	}
	return false;
}

/* Takes over from the poller, until nothing waits any more. */
static void drain(void)
{
	uint64_t limit = rte_rdtsc() + 20 * rte_get_tsc_hz();

	while (frames_wait() && rte_rdtsc() < limit) {
		for (unsigned int i = 0; i < NET_PORTS; i++)
			direction_receive(&net, &directions[i]);
		rte_delay_us_sleep(100);
	}
	assert_false(frames_wait());
}

static uint64_t faults(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < NET_PORTS; i++) {
		struct shunt_sim_port_truth truth = truth_of(i);

		sum += truth.rx_fault + truth.tx_fault;
	}
	return sum;
}

static void add(struct shunt_recovery *sum, const struct shunt_recovery *recovery)
{
	sum->repaired_descriptors += recovery->repaired_descriptors;
	sum->queue_resets += recovery->queue_resets;
	sum->port_resets += recovery->port_resets;
	sum->function_resets += recovery->function_resets;
	sum->rx_dropped += recovery->rx_dropped;
	sum->tx_dropped += recovery->tx_dropped;
}

/*
 * Switches to and fro: as often as asked, and on until a DMA was refused if that is wanted, since
 * whether one falls into the window is chance; then with detach-attach, whose window is longer.
 * Nobody observes faults: every recovery has to find out by itself.
 */
static void switch_about(struct shunt_group *group, enum shunt_plan plan, bool want_faults,
	struct shunt_recovery *sum)
{
	struct shunt_spaces *spaces = rte_net_shunt_spaces();
	struct shunt_space *spaces_of[2] = { shunt_space_find(spaces, "a"),
		shunt_space_find(spaces, "b") };

	for (unsigned int i = 0; i < switches || (want_faults && !faults() && i < SWITCHES_MAX);
		i++) {
		struct shunt_switch_result result;
		int ret = shunt_group_switch(group, spaces_of[(i + 1) & 1],
			i < switches ? plan : SHUNT_PLAN_DETACH_ATTACH, &result);

		longest = RTE_MAX(longest, result.end - result.moved);
		if (ret)
			print_message("switch %u: %s\n", i, shunt_errmsg());
		assert_int_equal(ret, 0);
		for (unsigned int m = 0; m < result.member_count; m++)
			add(sum, &result.members[m].recovery);
		rte_delay_us_sleep(200);
	}
}

static void check_books(unsigned int from)
{
	const struct direction *direction = &directions[from];
	struct shunt_sim_port_truth tx = truth_of(from), rx = truth_of(!from);
	uint64_t damaged = net_xstat(net.port[!from], "rx_damaged_packets");
	uint64_t resets = net_xstat(net.port[from], "recover_queue_resets") +
			  net_xstat(net.port[from], "recover_port_resets") +
			  net_xstat(net.port[from], "recover_function_resets");

	assert_int_equal(direction->wrong, 0);
	assert_true(direction->received > 0);
	assert_int_equal(tx.tx_wire, rx.rx_wire);
	/* A reset can cut a frame off that the NIC has gathered some of; it is sent again. */
	assert_in_range(tx.tx_discarded, 0, segments > 1 ? resets : 0);
	assert_int_equal(direction->sent, tx.tx_wire + gone(&tx));
	assert_int_equal(rx.rx_wire, rx.rx_delivered + rx.rx_no_room + rx.rx_fault + rx.rx_reset +
					     rx.rx_filtered + rx.rx_fifo);
	assert_int_equal(rx.rx_fifo, 0);
	assert_int_equal(rx.rx_filtered, 0);
	assert_int_equal(rx.wedged_queues, 0);
	assert_int_equal(tx.wedged_queues, 0);
	if (segments == 1)
		assert_int_equal(direction->received, rx.rx_delivered);
	else
		assert_in_range(direction->received, rx.rx_delivered - damaged, rx.rx_delivered);
}

/* Two switchable ports with frames of `length` and `segments` on their way in both directions. */
static struct shunt_group *begin_traffic(const struct net_config *config)
{
	struct shunt_group *group = NULL;
	struct shunt_space *b;

	stop_polling = false;
	for (unsigned int i = 0; i < NET_PORTS; i++)
		directions[i] = (struct direction){
			.from = i, .length = length, .segments = segments, .last = -1
		};
	net_create(&net, config);
	net_start(&net);
	assert_int_equal(rte_net_shunt_group(net.port[0], &group), 0);
	assert_int_equal(shunt_space_create(rte_net_shunt_spaces(), "b", &b), 0);
	assert_int_equal(shunt_group_prepare(group, b), 0);
	assert_int_equal(pthread_create(&poller, NULL, poll, NULL), 0);
	polling = true;
	while (truth_of(0).tx_wire < 100 || truth_of(1).tx_wire < 100)
		rte_delay_us_sleep(100);
	return group;
}

static void end_traffic(void)
{
	stop_poller();
	drain();
}

static void run(enum shunt_sim_iommu iommu, enum shunt_sim_nic nic, enum shunt_plan plan,
	uint32_t frame_length, uint32_t frame_segments, unsigned int slow_us)
{
	const bool safe = iommu == SHUNT_SIM_HITLESS || plan == SHUNT_PLAN_QUIESCE;
	struct net_config config = net_defaults;
	struct shunt_recovery sum = { 0 };
	uint64_t resets = 0;
	struct shunt_group *group;

	length = frame_length;
	segments = frame_segments;
	pause_us = slow_us;
	config.sim.iommu = iommu;
	config.sim.nic = nic;
	if (segments > 1) {
		config.data_room = RTE_PKTMBUF_HEADROOM + 1024;
		config.mtu = 9000;
		config.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
		config.buffers = 8191;
	}
	group = begin_traffic(&config);

	switch_about(group, plan, !safe && !slow_us, &sum);

	end_traffic();
	print_message(
		"%u + %u frames, repaired %u, resets: queue %u, port %u, function %u; dropped "
		"%u + %u; longest recovery %.2f ms\n",
		directions[0].sent, directions[1].sent, sum.repaired_descriptors, sum.queue_resets,
		sum.port_resets, sum.function_resets, sum.rx_dropped, sum.tx_dropped,
		(double)shunt_clock_to_ns(longest) / 1e6);
	longest = 0;
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		resets += truth_of(i).rx_reset;
		check_books(i);
		assert_int_equal(net_xstat(net.port[i], "recover_tx_dropped_packets"), 0);
	}
	if (segments == 1)
		assert_int_equal(sum.rx_dropped, resets);
	if (safe) {
		assert_int_equal(faults(), 0);
		assert_int_equal(resets, 0);
		assert_int_equal(sum.repaired_descriptors, 0);
		assert_int_equal(sum.function_resets, 0);
	} else if (!slow_us) {
		assert_true(faults() > 0);
	}
	if (nic == SHUNT_SIM_DROP) {
		assert_int_equal(sum.port_resets, 0);
		assert_int_equal(sum.function_resets, 0);
	}
	net_stop(&net);
	net_destroy(&net);
}

static uint32_t received_of(unsigned int direction)
{
	return __atomic_load_n(&directions[direction].received, __ATOMIC_RELAXED);
}

/* What there is to know of a direction in which nothing arrives. */
static void say_stuck(unsigned int from)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		struct shunt_sim_port_truth truth = truth_of(i);

		print_message(
			"port %u%s: given %u, tx wire %lu fault %lu; rx wire %lu delivered %lu no "
			"room %lu fault %lu reset %lu fifo %lu; %u wedged\n",
			i, i == from ? " sends" : "", directions[i].sent, truth.tx_wire,
			truth.tx_fault, truth.rx_wire, truth.rx_delivered, truth.rx_no_room,
			truth.rx_fault, truth.rx_reset, truth.rx_fifo, truth.wedged_queues);
	}
	print_message("failed last: %s\n", inject_failed_call(net.inject));
}

/* Frames arrive in both directions, now. */
static void assert_traffic_runs(void)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		uint32_t before = received_of(i);
		unsigned int ms = 0;

		while (received_of(i) == before && ms++ < 5000)
			rte_delay_us_sleep(1000);
		if (received_of(i) == before)
			say_stuck(i);
		assert_int_not_equal(received_of(i), before);
	}
}

/* A failure of these leaves the group where it was. */
static unsigned int calls_before_the_move(enum shunt_plan plan)
{
	switch (plan) {
	case SHUNT_PLAN_QUIESCE: /* disable, prove, replace */
		return 3 * NET_PORTS;
	case SHUNT_PLAN_DETACH_ATTACH:
		return 2 * NET_PORTS;
	default:
		return NET_PORTS;
	}
}

/* Every call of a switch fails in turn, those of the recovery that follows it too. */
static void fail_each_call(struct shunt_group *group, enum shunt_plan plan)
{
	struct shunt_spaces *spaces = rte_net_shunt_spaces();
	struct shunt_space *of[2] = { shunt_space_find(spaces, "a"),
		shunt_space_find(spaces, "b") };
	unsigned int rolled_back = 0, moved_on = 0;

	for (uint64_t nth = 1;; nth++) {
		struct shunt_space *from = shunt_group_space(group);
		struct shunt_space *to = from == of[0] ? of[1] : of[0];
		struct shunt_switch_result result;
		uint32_t hwpt_id;
		int ret;

		inject_fail(net.inject, NULL, nth, 1, ENXIO);
		ret = shunt_group_switch(group, to, plan, &result);
		inject_stop(net.inject);
		if (!inject_failures(net.inject))
			break;
		if (ret && !strstr(shunt_errmsg(), "No such device or address"))
			fail_msg("call %u, %s: %s", (unsigned int)nth,
				inject_failed_call(net.inject), shunt_errmsg());
		assert_int_not_equal(ret, 0);
		assert_ptr_equal(shunt_group_space(group), result.rolled_back ? from : to);
		hwpt_id = result.rolled_back ? result.from_hwpt : result.to_hwpt;
		for (unsigned int m = 0; m < result.member_count; m++)
			assert_int_equal(result.members[m].hwpt_id, hwpt_id);
		print_message("call %lu: %s\n", nth, shunt_errmsg());
		assert_traffic_runs();
		rolled_back += result.rolled_back;
		moved_on += !result.rolled_back;
	}
	print_message("%u rolled back, %u failed after the move\n", rolled_back, moved_on);
	assert_int_equal(rolled_back, calls_before_the_move(plan));
	assert_true(moved_on > 0);
}

static void each_call_fails_under_traffic(void **state)
{
	struct net_config config = net_defaults;
	struct shunt_group *group;

	length = LENGTH;
	segments = 1;
	pause_us = 0;
	config.sim.iommu = SHUNT_SIM_BLOCKING;
	config.sim.nic = SHUNT_SIM_WEDGE;
	group = begin_traffic(&config);
	fail_each_call(group, SHUNT_PLAN_REPLACE);
	fail_each_call(group, SHUNT_PLAN_DETACH_ATTACH);
	fail_each_call(group, SHUNT_PLAN_QUIESCE);
	end_traffic();
	assert_int_equal(directions[0].wrong + directions[1].wrong, 0);
	net_stop(&net);
	net_destroy(&net);
}

static void blocking_drop(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_DROP, SHUNT_PLAN_REPLACE, LENGTH, 1, 0);
}

static void blocking_drop_detach(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_DROP, SHUNT_PLAN_DETACH_ATTACH, LENGTH, 1, 0);
}

static void blocking_drop_quiet(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_DROP, SHUNT_PLAN_REPLACE, LENGTH, 1, 2000);
}

static void blocking_drop_scattered(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_DROP, SHUNT_PLAN_REPLACE, 5000, 7, 0);
}

static void blocking_wedge(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_WEDGE, SHUNT_PLAN_REPLACE, LENGTH, 1, 0);
}

static void blocking_wedge_detach(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_WEDGE, SHUNT_PLAN_DETACH_ATTACH, LENGTH, 1, 0);
}

static void blocking_wedge_scattered(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_WEDGE, SHUNT_PLAN_REPLACE, 5000, 7, 0);
}

static void hitless_drop(void **state)
{
	run(SHUNT_SIM_HITLESS, SHUNT_SIM_DROP, SHUNT_PLAN_REPLACE, LENGTH, 1, 0);
}

static void hitless_wedge(void **state)
{
	run(SHUNT_SIM_HITLESS, SHUNT_SIM_WEDGE, SHUNT_PLAN_REPLACE, LENGTH, 1, 0);
}

static void blocking_wedge_quiesce(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_WEDGE, SHUNT_PLAN_QUIESCE, LENGTH, 1, 0);
}

static void blocking_wedge_quiesce_scattered(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_WEDGE, SHUNT_PLAN_QUIESCE, 5000, 7, 0);
}

static void blocking_drop_quiesce_quiet(void **state)
{
	run(SHUNT_SIM_BLOCKING, SHUNT_SIM_DROP, SHUNT_PLAN_QUIESCE, LENGTH, 1, 2000);
}

static bool wedged(void)
{
	return truth_of(0).wedged_queues || truth_of(1).wedged_queues;
}

/* Behind the group's back: every member detached and attached again, which refuses DMA. */
static void refuse_dma(uint32_t hwpt_id)
{
	struct shunt_vfio_device *devices[NET_PORTS];

	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(rte_net_shunt_device(net.port[i], &devices[i]), 0);
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(shunt_vfio_detach(devices[i]), 0);
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(shunt_vfio_attach(devices[i], hwpt_id, NULL), 0);
}

static void a_queue_that_stopped_between_switches_is_brought_back(void **state)
{
	struct net_config config = net_defaults;
	struct shunt_switch_result result;
	struct shunt_group *group;
	unsigned int ms = 0;

	length = LENGTH;
	segments = 1;
	pause_us = 0;
	config.sim.iommu = SHUNT_SIM_BLOCKING;
	config.sim.nic = SHUNT_SIM_WEDGE;
	config.check_ms = 20;
	group = begin_traffic(&config);
	assert_int_equal(shunt_group_switch(group, shunt_space_find(rte_net_shunt_spaces(), "b"),
				 SHUNT_PLAN_QUIESCE, &result),
		0);
	for (unsigned int i = 0; i < SWITCHES_MAX && !faults(); i++) {
		refuse_dma(result.to_hwpt);
		rte_delay_us_sleep(200);
	}
	assert_true(faults() > 0);
	while (wedged() && ms++ < 10000)
		rte_delay_us_sleep(1000);
	assert_false(wedged());
	assert_traffic_runs();
	assert_true(net_xstat(net.port[0], "recover_events") +
			    net_xstat(net.port[1], "recover_events") >
		    0);
	end_traffic();
	assert_int_equal(directions[0].wrong + directions[1].wrong, 0);
	net_stop(&net);
	net_destroy(&net);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(blocking_drop, abandon),
		cmocka_unit_test_teardown(blocking_drop_detach, abandon),
		cmocka_unit_test_teardown(blocking_drop_quiet, abandon),
		cmocka_unit_test_teardown(blocking_drop_scattered, abandon),
		cmocka_unit_test_teardown(blocking_wedge, abandon),
		cmocka_unit_test_teardown(blocking_wedge_detach, abandon),
		cmocka_unit_test_teardown(blocking_wedge_scattered, abandon),
		cmocka_unit_test_teardown(hitless_drop, abandon),
		cmocka_unit_test_teardown(hitless_wedge, abandon),
		cmocka_unit_test_teardown(blocking_wedge_quiesce, abandon),
		cmocka_unit_test_teardown(blocking_wedge_quiesce_scattered, abandon),
		cmocka_unit_test_teardown(blocking_drop_quiesce_quiet, abandon),
		cmocka_unit_test_teardown(
			a_queue_that_stopped_between_switches_is_brought_back, abandon),
		cmocka_unit_test_teardown(each_call_fails_under_traffic, abandon),
	};

	net_eal_start(argv[0]);
	/* By hand: a longer run, and of one case. */
	if (argc > 1)
		switches = (unsigned int)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
