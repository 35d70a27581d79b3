/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports are switched between address spaces while another thread sends and receives. Whatever the
 * IOMMU and the NIC do, every queue runs afterwards. Frames keep their order, none comes twice, and
 * only those are missing that the model lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "switch_fixture.h"

#define SWITCHES 60

static unsigned int switches = SWITCHES;
static uint64_t longest; /* recovery of all ports after a switch, ticks */

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
 * Switches back and forth, as often as asked. If a refused DMA is wanted it goes on until there is
 * one, since a DMA falls into the window by chance only; at last with detach-attach, whose window
 * is longer. Faults are not observed: every recovery has to detect them itself.
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
	/* A reset can cut off a frame that the NIC has gathered in part; it is sent again. */
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
	};

	net_eal_start(argv[0]);
	/* By hand: a longer run of one case. */
	if (argc > 1)
		switches = (unsigned int)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		cmocka_set_test_filter(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
