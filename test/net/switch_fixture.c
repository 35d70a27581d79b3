/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shunt_wait.h"
#include "switch_fixture.h"

#define DRAIN_NS 20000000000ull /* of the model's time */
#define NAPS     120000         /* of a millisecond, for threads that wait for a processor */

struct net net;
struct direction directions[NET_PORTS];
uint32_t length, segments;
unsigned int pause_us;
static pthread_t poller;
static bool polling, stop_polling;

static void stop_poller(void)
{
	__atomic_store_n(&stop_polling, true, __ATOMIC_RELEASE);
	if (polling)
		pthread_join(poller, NULL);
	polling = false;
}

int abandon(void **state)
{
	stop_poller();
	net_abandon(&net);
	return 0;
}

/* Sleeps between looks: the threads that it waits for may need this processor. */
static bool comes_true(bool (*condition)(unsigned int, uint32_t), unsigned int i, uint32_t before)
{
	for (unsigned int naps = 0; naps < NAPS && !condition(i, before); naps++)
		rte_delay_us_sleep(1000);
	return condition(i, before);
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

struct shunt_sim_port_truth truth_of(unsigned int port)
{
	static const char *const functions[NET_PORTS] = { "0000:03:00.0", "0000:04:00.0" };
	struct shunt_sim_port_truth truth;

	assert_int_equal(shunt_sim_port_truth(net.sim, functions[port], &truth), 0);
	return truth;
}

uint64_t gone(const struct shunt_sim_port_truth *tx)
{
	return net.config.sim.nic == SHUNT_SIM_DROP ? tx->tx_fault : 0;
}

/* Frames that the test has not received yet: in a FIFO, or in memory and not polled. */
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

/* Polls in the poller's place, until no frame waits any more. */
static void drain(void)
{
	struct shunt_wait wait;

	shunt_wait_begin(&wait, net.sim);
	while (frames_wait() && !shunt_wait_over(&wait, DRAIN_NS)) {
		for (unsigned int i = 0; i < NET_PORTS; i++)
			direction_receive(&net, &directions[i]);
		shunt_wait_nap(&wait, 100000);
	}
	assert_false(frames_wait());
}

uint64_t faults(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < NET_PORTS; i++) {
		struct shunt_sim_port_truth truth = truth_of(i);

		sum += truth.rx_fault + truth.tx_fault;
	}
	return sum;
}

static bool sends(unsigned int port, uint32_t unused)
{
	return truth_of(port).tx_wire >= 100;
}

struct shunt_group *begin_traffic(const struct net_config *config)
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
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_true(comes_true(sends, i, 0));
	return group;
}

void end_traffic(void)
{
	stop_poller();
	drain();
}

static uint32_t received_of(unsigned int direction)
{
	return __atomic_load_n(&directions[direction].received, __ATOMIC_RELAXED);
}

/* Prints the state of a direction in which no frame arrives. */
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

static bool receives(unsigned int direction, uint32_t before)
{
	return received_of(direction) != before;
}

void assert_traffic_runs(void)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		bool runs = comes_true(receives, i, received_of(i));

		if (!runs)
			say_stuck(i);
		assert_true(runs);
	}
}
