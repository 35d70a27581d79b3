/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Failures while another thread sends and receives. Each call of a switch fails in turn, and queues
 * stop between switches. The group is where its result says, and traffic runs.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "shunt_wait.h"
#include "switch_fixture.h"

#define REFUSED_NS 20000

static struct shunt_group *group;
static struct shunt_space *spaces[2]; /* it starts in the first */

/* Traffic on ports whose queues stop after a refused DMA. check_ms is as in struct net_config. */
static void begin_wedging(unsigned int check_ms)
{
	struct net_config config = net_defaults;

	length = LENGTH;
	segments = 1;
	pause_us = 0;
	config.sim.iommu = SHUNT_SIM_BLOCKING;
	config.sim.nic = SHUNT_SIM_WEDGE;
	config.check_ms = check_ms;
	group = begin_traffic(&config);
	spaces[0] = shunt_space_find(rte_net_shunt_spaces(), "a");
	spaces[1] = shunt_space_find(rte_net_shunt_spaces(), "b");
}

/* Called when its traffic has ended. */
static void finish(void)
{
	assert_int_equal(directions[0].wrong + directions[1].wrong, 0);
	net_stop(&net);
	net_destroy(&net);
}

/* If one of these fails, the group stays where it was. */
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

/* Every call of a switch fails in turn, and those of the recovery after it too. */
static void fail_each_call(enum shunt_plan plan)
{
	unsigned int rolled_back = 0, moved_on = 0;

	for (uint64_t nth = 1;; nth++) {
		struct shunt_space *from = shunt_group_space(group);
		struct shunt_space *to = from == spaces[0] ? spaces[1] : spaces[0];
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
	begin_wedging(0);
	fail_each_call(SHUNT_PLAN_REPLACE);
	fail_each_call(SHUNT_PLAN_DETACH_ATTACH);
	fail_each_call(SHUNT_PLAN_QUIESCE);
	end_traffic();
	finish();
}

static bool wedged(void)
{
	return truth_of(0).wedged_queues || truth_of(1).wedged_queues;
}

/*
 * Detaches every member and attaches it again, without the group. DMA is refused for the model's
 * time in between.
 */
static void refuse_dma(uint32_t hwpt_id)
{
	struct shunt_vfio_device *devices[NET_PORTS];

	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(rte_net_shunt_device(net.port[i], &devices[i]), 0);
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(shunt_vfio_detach(devices[i]), 0);
	shunt_wait_sleep(net.sim, REFUSED_NS);
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(shunt_vfio_attach(devices[i], hwpt_id, NULL), 0);
}

static void count_faults(uint64_t *blocked, uint64_t *others)
{
	struct shunt_fault records[64];
	int n;

	do {
		n = net.sim->ops->faults(net.sim, records, RTE_DIM(records));
		assert_true(n >= 0);
		for (int i = 0; i < n; i++)
			(*(records[i].reason == SHUNT_SIM_BLOCKED ? blocked : others))++;
	} while (n);
}

/*
 * A queue has stopped. The switch that repairs it fails in each read in turn and in all after it,
 * while its poller runs. The NIC reads only descriptors that were prepared for it: one that was
 * written back holds none of our addresses.
 */
static void a_half_repaired_port_makes_no_dma(void **state)
{
	uint64_t blocked = 0, others = 0, failed = 0;
	struct shunt_switch_result result;
	int ret;

	begin_wedging(0);
	assert_int_equal(shunt_group_switch(group, spaces[1], SHUNT_PLAN_QUIESCE, &result), 0);
	for (uint64_t nth = 1; nth == 1 || inject_failures(net.inject); nth++) {
		for (unsigned int i = 0; i < SWITCHES_MAX && !wedged(); i++) {
			refuse_dma(result.to_hwpt);
			rte_delay_us_sleep(200);
		}
		assert_true(wedged());
		inject_fail(net.inject, "read", nth, UINT32_MAX, ENXIO);
		ret = shunt_group_switch(group, spaces[0], SHUNT_PLAN_REPLACE, &result);
		assert_int_equal(ret != 0, inject_failures(net.inject) != 0);
		failed += ret != 0;
		rte_delay_us_sleep(1000);
		inject_stop(net.inject);
		assert_int_equal(
			shunt_group_switch(group, spaces[1], SHUNT_PLAN_REPLACE, &result), 0);
		assert_traffic_runs();
	}
	end_traffic();
	count_faults(&blocked, &others);
	print_message("%lu switches failed; DMA refused: %lu blocked, %lu others\n", failed,
		blocked, others);
	assert_true(blocked > 0);
	assert_int_equal(others, 0);
	finish();
}

static uint64_t recoveries(void)
{
	return net_xstat(net.port[0], "recover_events") + net_xstat(net.port[1], "recover_events");
}

static void a_queue_that_stopped_between_switches_is_brought_back(void **state)
{
	struct shunt_switch_result result;
	unsigned int ms = 0;

	begin_wedging(20);
	assert_int_equal(shunt_group_switch(group, spaces[1], SHUNT_PLAN_QUIESCE, &result), 0);
	for (unsigned int i = 0; i < SWITCHES_MAX && !faults(); i++) {
		refuse_dma(result.to_hwpt);
		rte_delay_us_sleep(200);
	}
	assert_true(faults() > 0);
	/* The count changes when the recovery ends, a little after the queues run. */
	while ((wedged() || !recoveries()) && ms++ < 10000)
		rte_delay_us_sleep(1000);
	assert_false(wedged());
	assert_traffic_runs();
	assert_true(recoveries() > 0);
	end_traffic();
	finish();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			a_queue_that_stopped_between_switches_is_brought_back, abandon),
		cmocka_unit_test_teardown(each_call_fails_under_traffic, abandon),
		cmocka_unit_test_teardown(a_half_repaired_port_makes_no_dma, abandon),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
