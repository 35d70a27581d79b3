/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A group of two ports: one can pause its DMA, the other can only be stopped and started, like
 * ports of other DPDK drivers. For that the second port leaves its group and joins again with the
 * operations that ethdev has for any port. The group is switched while another thread sends and
 * receives.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "direction.h"
#include "rte_net_shunt.h"

#define LENGTH   64
#define SWITCHES 40
#define OTHER    "net_other"
#define ROOM     256 /* buffers that stay in the pool */

static struct net net;
static struct direction directions[NET_PORTS];
static pthread_t poller;
static bool polling, stop_polling;
/* ethdev logs an error for bursts on a stopped port: the thread that stops one tells the poller. */
static pthread_mutex_t bursts = PTHREAD_MUTEX_INITIALIZER;
static bool stopped[NET_PORTS];

static void *poll(void *arg)
{
	while (!__atomic_load_n(&stop_polling, __ATOMIC_ACQUIRE)) {
		for (unsigned int i = 0; i < NET_PORTS; i++) {
			pthread_mutex_lock(&bursts);
			if (!stopped[i])
				direction_send(&net, &directions[i], ROOM);
			if (!stopped[!i])
				direction_receive(&net, &directions[i]);
			pthread_mutex_unlock(&bursts);
		}
	}
	return NULL;
}

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

static void assert_traffic_runs(void)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		uint32_t before = __atomic_load_n(&directions[i].received, __ATOMIC_RELAXED);
		unsigned int ms = 0;

		while (__atomic_load_n(&directions[i].received, __ATOMIC_RELAXED) == before &&
			ms++ < 5000)
			rte_delay_us_sleep(1000);
		assert_true(ms < 5000);
	}
}

static uint64_t faults(void)
{
	static const char *const functions[NET_PORTS] = { "0000:03:00.0", "0000:04:00.0" };
	uint64_t sum = 0;

	for (unsigned int i = 0; i < NET_PORTS; i++) {
		struct shunt_sim_port_truth truth;

		assert_int_equal(shunt_sim_port_truth(net.sim, functions[i], &truth), 0);
		sum += truth.rx_fault + truth.tx_fault;
	}
	return sum;
}

static int stop_port(void *port)
{
	const uint16_t *id = port;
	int ret;

	pthread_mutex_lock(&bursts);
	stopped[id - net.port] = true;
	ret = rte_eth_dev_stop(*id);
	pthread_mutex_unlock(&bursts);
	return ret ? shunt_fail_errno(ret, "stopping it") : 0;
}

static int start_port(void *port)
{
	const uint16_t *id = port;
	int ret;

	pthread_mutex_lock(&bursts);
	ret = rte_eth_dev_start(*id);
	stopped[id - net.port] = ret != 0;
	pthread_mutex_unlock(&bursts);
	return ret ? shunt_fail_errno(ret, "starting it") : 0;
}

static const struct shunt_port_ops ethdev_ops = { .stop = stop_port, .start = start_port };

static void join_by_ethdev(struct shunt_group *group, unsigned int index)
{
	struct shunt_vfio_device *device;

	assert_int_equal(rte_net_shunt_device(net.port[index], &device), 0);
	assert_int_equal(rte_eth_dev_stop(net.port[index]), 0);
	assert_int_equal(shunt_group_leave(group, device), 0);
	assert_int_equal(shunt_group_join(group, device, OTHER, &ethdev_ops, &net.port[index],
				 shunt_group_space(group)),
		0);
	assert_int_equal(rte_eth_dev_start(net.port[index]), 0);
}

/* A group under traffic. Its last `others` ports are stopped and started by ethdev only. */
static struct shunt_group *begin(enum shunt_sim_iommu iommu, unsigned int others)
{
	struct net_config config = net_defaults;
	struct shunt_group *group = NULL;
	struct shunt_space *b;

	config.sim.iommu = iommu;
	config.sim.nic = SHUNT_SIM_WEDGE;
	config.check_ms = 0;
	for (unsigned int i = 0; i < NET_PORTS; i++)
		directions[i] = (struct direction){
			.from = i, .length = LENGTH, .segments = 1, .last = -1
		};
	net_create(&net, &config);
	net_start(&net);
	assert_int_equal(rte_net_shunt_group(net.port[0], &group), 0);
	for (unsigned int i = NET_PORTS - others; i < NET_PORTS; i++)
		join_by_ethdev(group, i);
	assert_int_equal(shunt_space_create(rte_net_shunt_spaces(), "b", &b), 0);
	assert_int_equal(shunt_group_prepare(group, b), 0);
	stop_polling = false;
	assert_int_equal(pthread_create(&poller, NULL, poll, NULL), 0);
	polling = true;
	assert_traffic_runs();
	return group;
}

static void end(void)
{
	stop_poller();
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		assert_int_equal(directions[i].wrong, 0);
		assert_true(directions[i].received > 0);
	}
	net_stop(&net);
	net_destroy(&net);
}

static struct shunt_space *other_space(struct shunt_group *group)
{
	struct shunt_space *a = shunt_space_find(rte_net_shunt_spaces(), "a");

	return shunt_group_space(group) == a ? shunt_space_find(rte_net_shunt_spaces(), "b") : a;
}

static double halted_us(const struct shunt_switch_member *member)
{
	return (double)shunt_clock_to_ns(member->pause_end - member->pause_start) / 1e3;
}

/* Prints both halts of the last switch: the cost of each class of port. */
static void stop_replace_start(unsigned int others, const enum shunt_halt halts[NET_PORTS])
{
	struct shunt_group *group = begin(SHUNT_SIM_BLOCKING, others);
	struct shunt_switch_result result;

	for (unsigned int i = 0; i < SWITCHES; i++) {
		int ret = shunt_group_switch(group, other_space(group),
			others ? SHUNT_PLAN_AUTO : SHUNT_PLAN_STOP_REPLACE_START, &result);

		if (ret)
			print_message("switch %u: %s\n", i, shunt_errmsg());
		assert_int_equal(ret, 0);
		assert_int_equal(result.plan, SHUNT_PLAN_STOP_REPLACE_START);
		for (unsigned int port = 0; port < NET_PORTS; port++) {
			assert_int_equal(result.members[port].halt, halts[port]);
			assert_false(shunt_recovery_any(&result.members[port].recovery));
		}
		assert_traffic_runs();
	}
	assert_int_equal(faults(), 0);
	print_message("%s: %.0f us, %s: %.0f us\n", result.members[0].driver,
		halted_us(&result.members[0]), result.members[1].driver,
		halted_us(&result.members[1]));
	if (halts[0] == SHUNT_HALT_PAUSE)
		assert_true(halted_us(&result.members[0]) < halted_us(&result.members[1]));
	end();
}

static void our_own_ports_stop_and_start(void **state)
{
	stop_replace_start(0, (enum shunt_halt[]){ SHUNT_HALT_STOP, SHUNT_HALT_STOP });
}

static void a_mixed_group_moves_as_one(void **state)
{
	stop_replace_start(1, (enum shunt_halt[]){ SHUNT_HALT_PAUSE, SHUNT_HALT_STOP });
}

static void ports_of_another_driver_stop_and_start(void **state)
{
	stop_replace_start(2, (enum shunt_halt[]){ SHUNT_HALT_STOP, SHUNT_HALT_STOP });
}

static void assert_refused(
	struct shunt_group *group, enum shunt_plan plan, enum shunt_unpaused unpaused, int err)
{
	struct shunt_switch_result result;

	assert_int_equal(
		shunt_group_switch_unpaused(group, other_space(group), plan, unpaused, &result),
		err);
	if (!strstr(shunt_errmsg(), "0000:04:00.0 (" OTHER ") cannot pause its DMA") ||
		!strstr(shunt_errmsg(), "use stop-replace-start"))
		fail_msg("%s", shunt_errmsg());
}

/*
 * Where a replace refuses no DMA, all ports run on under it. There is no fault observer here, so
 * after the first switch the fault status is unknown.
 */
static void live_under_a_hitless_iommu(void **state)
{
	struct shunt_group *group = begin(SHUNT_SIM_HITLESS, 1);
	struct shunt_switch_result result;

	assert_refused(group, SHUNT_PLAN_QUIESCE, SHUNT_UNPAUSED_FORCE, -EOPNOTSUPP);
	assert_refused(group, SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_REFUSE, -EPERM);
	assert_refused(group, SHUNT_PLAN_DETACH_ATTACH, SHUNT_UNPAUSED_ALLOW, -EPERM);
	for (unsigned int i = 0; i < SWITCHES; i++) {
		assert_int_equal(shunt_group_switch_unpaused(group, other_space(group),
					 SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_ALLOW, &result),
			0);
		assert_non_null(strstr(result.warning,
			i ? "fault status unknown" : "nothing is known of replace"));
		assert_traffic_runs();
	}
	assert_int_equal(faults(), 0);
	end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(our_own_ports_stop_and_start, abandon),
		cmocka_unit_test_teardown(a_mixed_group_moves_as_one, abandon),
		cmocka_unit_test_teardown(ports_of_another_driver_stop_and_start, abandon),
		cmocka_unit_test_teardown(live_under_a_hitless_iommu, abandon),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
