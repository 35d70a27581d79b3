/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports of a group are set up anew, removed and added while it is switched by quiesce and two other
 * ports have traffic. Those lose no frame, no counter runs backwards, and each step ends.
 *
 *   port 0 ===wire=== port 1      traffic, never touched
 *   port 2 ===wire=== port 3      MTU, queues and descriptors; removed and added; a few frames
 *
 * With the program shunt as argument, `shunt ctl` switches the group from another process.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_bus_vdev.h>
#include <rte_cycles.h>

#include <shunt/error.h>

#include "direction.h"
#include "rte_net_shunt.h"
#include "two_ports.h"

#define ROUNDS       100
#define TRIES        100000
#define UNDERWAY     128 /* frames: fewer than the far end has descriptors */
#define LENGTH       100
#define XSTATS       128
#define STATS        7
#define CTL_SWITCHES 20
#define FEW          16 /* frames in a round, from the changed port to the added one */
#define CHANGING     2  /* ports */

static const char *const functions[CHANGING] = { "0000:05:00.0", "0000:06:00.0" };
static const char *const names[CHANGING] = { "net_shunt2", "net_shunt3" };
static struct rte_mempool *pool; /* of the ports that change */
static struct direction directions[NET_PORTS];
static bool stop_switching, stop_polling;
static unsigned int switches, failures;

static const char *shunt; /* the program, or NULL */
static char prefix[32];   /* --file-prefix of DPDK */

static bool told(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void switch_once(struct shunt_group *group)
{
	struct shunt_space *to = shunt_space_find(rte_net_shunt_spaces(), switches % 2 ? "a" : "b");
	struct shunt_switch_result result;

	if (shunt_group_switch(group, to, SHUNT_PLAN_QUIESCE, &result)) {
		print_message("switch %u: %s\n", switches, shunt_errmsg());
		failures++;
	}
	switches++;
	rte_delay_us_sleep(500);
}

static void switch_by_ctl(void)
{
	char command[512];

	snprintf(command, sizeof(command),
		"%s ctl --file-prefix %s switch b a --plan quiesce --switches %d --every 1ms "
		">/dev/null",
		shunt, prefix, CTL_SWITCHES);
	failures += system(command) != 0; /* NOLINT(cert-env33-c): the test's own arguments */
	switches += CTL_SWITCHES;
}

static void *switch_on(void *arg)
{
	while (!told(&stop_switching)) {
		if (shunt)
			switch_by_ctl();
		else
			switch_once(arg);
	}
	return NULL;
}

static bool underway(void)
{
	return directions[0].sent != directions[0].received ||
	       directions[1].sent != directions[1].received;
}

static void poll_once(bool send)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		if (send && directions[i].sent - directions[i].received < UNDERWAY)
			direction_send(&net, &directions[i], DIRECTION_BURST);
		direction_receive(&net, &directions[i]);
	}
}

static void *poll(void *arg)
{
	while (!told(&stop_polling)) {
		poll_once(true);
		rte_delay_us_sleep(20);
	}
	for (unsigned int tries = 0; underway() && tries < TRIES; tries++) {
		poll_once(false);
		rte_delay_us_sleep(50);
	}
	return NULL;
}

static uint16_t port_of(unsigned int index)
{
	uint16_t port;

	assert_int_equal(rte_eth_dev_get_port_by_name(names[index], &port), 0);
	return port;
}

static void add(unsigned int index)
{
	char arguments[64];

	snprintf(arguments, sizeof(arguments), "pci=%s", functions[index]);
	assert_int_equal(rte_vdev_init(names[index], arguments), 0);
}

/* Parameters of a round. */
static void set_up_and_start(unsigned int index, unsigned int round)
{
	static const uint16_t descriptors[] = { 64, 256, 1024, 4096, 128 };
	static const uint16_t mtus[] = { 1500, 9000, 600 };
	uint16_t port = port_of(index), queues = (uint16_t)(1 + round % 4);
	uint16_t count = descriptors[round % RTE_DIM(descriptors)];
	struct rte_eth_conf conf = { .rxmode.mq_mode =
					     queues > 1 ? RTE_ETH_MQ_RX_RSS : RTE_ETH_MQ_RX_NONE };

	conf.rx_adv_conf.rss_conf.rss_hf = queues > 1 ? RTE_ETH_RSS_IPV4 : 0;
	assert_int_equal(rte_eth_dev_configure(port, queues, queues, &conf), 0);
	assert_int_equal(rte_eth_dev_set_mtu(port, mtus[round % RTE_DIM(mtus)]), 0);
	for (uint16_t i = 0; i < queues; i++) {
		assert_int_equal(rte_eth_rx_queue_setup(port, i, count, 0, NULL, pool), 0);
		assert_int_equal(rte_eth_tx_queue_setup(port, i, count, 0, NULL), 0);
	}
	assert_int_equal(rte_eth_dev_start(port), 0);
}

static void reconfigure(unsigned int round)
{
	assert_int_equal(rte_eth_dev_stop(port_of(0)), 0);
	set_up_and_start(0, round);
}

static void replace(unsigned int round)
{
	assert_int_equal(rte_eth_dev_stop(port_of(1)), 0);
	assert_int_equal(rte_vdev_uninit(names[1]), 0);
	add(1);
	set_up_and_start(1, round + 1);
}

/* Frames pass from the changed port to the added one, and back. */
static void talk(unsigned int from)
{
	uint16_t sender = port_of(from), receiver = port_of(!from);
	struct rte_mbuf *frames[FEW];
	struct rte_eth_link link;
	unsigned int received = 0;

	assert_int_equal(rte_eth_link_get(sender, &link), 0);
	assert_int_equal(rte_eth_link_get(receiver, &link), 0);
	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, frames, FEW), 0);
	for (unsigned int i = 0; i < FEW; i++)
		memset(rte_pktmbuf_append(frames[i], LENGTH), 0xFF, LENGTH); /* broadcast */
	for (unsigned int sent = 0; sent < FEW;)
		sent += rte_eth_tx_burst(sender, 0, frames + sent, (uint16_t)(FEW - sent));
	for (unsigned int tries = 0; received < FEW && tries < TRIES; tries++) {
		uint16_t n = rte_eth_rx_burst(receiver, 0, frames, FEW);

		rte_pktmbuf_free_bulk(frames, n);
		received += n;
		rte_delay_us_sleep(50);
	}
	assert_int_equal(received, FEW);
}

struct counters {
	uint64_t stats[STATS];
	uint64_t xstats[XSTATS];
};

static void count(uint16_t port, struct counters *counters)
{
	struct rte_eth_xstat values[XSTATS];
	struct rte_eth_stats stats;
	int n;

	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	n = rte_eth_xstats_get(port, values, XSTATS);
	assert_in_range(n, 1, XSTATS);
	*counters = (struct counters){ .stats = { stats.ipackets, stats.opackets, stats.ibytes,
					       stats.obytes, stats.imissed, stats.ierrors,
					       stats.oerrors } };
	for (int i = 0; i < n; i++)
		counters->xstats[values[i].id] = values[i].value;
}

/* Values that are no sums are left out. */
static void none_ran_backwards(
	uint16_t port, const struct counters *before, const struct counters *after)
{
	struct rte_eth_xstat_name xstats[XSTATS];
	int n = rte_eth_xstats_get_names(port, xstats, XSTATS);

	for (unsigned int i = 0; i < RTE_DIM(before->stats); i++)
		assert_true(after->stats[i] >= before->stats[i]);
	for (int i = 0; i < n; i++) {
		if (!strstr(xstats[i].name, "_last_") && after->xstats[i] < before->xstats[i])
			fail_msg("port %u: %s ran backwards", port, xstats[i].name);
	}
}

static double step(void (*what)(unsigned int round), unsigned int round)
{
	uint64_t start = rte_rdtsc();

	what(round);
	return (double)(rte_rdtsc() - start) * 1e3 / (double)rte_get_tsc_hz();
}

static void rounds(unsigned int n)
{
	struct counters before[NET_PORTS], own, after;
	double longest = 0;

	for (unsigned int i = 0; i < NET_PORTS; i++)
		count(net.port[i], &before[i]);
	count(port_of(0), &own);
	for (unsigned int round = 0; round < n; round++) {
		longest = RTE_MAX(longest, step(reconfigure, round));
		longest = RTE_MAX(longest, step(replace, round));
		for (unsigned int i = 0; i < NET_PORTS; i++) {
			count(net.port[i], &after);
			none_ran_backwards(net.port[i], &before[i], &after);
			before[i] = after;
		}
		talk(0);
		talk(1);
		count(port_of(0), &after);
		/* Its queues, and so its xstats, have changed. */
		for (unsigned int i = 0; i < STATS; i++)
			assert_true(after.stats[i] >= own.stats[i]);
		assert_int_equal(after.stats[0], own.stats[0] + FEW);
		assert_int_equal(after.stats[1], own.stats[1] + FEW);
		own = after;
	}
	print_message("%u rounds, the longest step took %.0f ms\n", n, longest);
}

static void others_lose_nothing(void **state)
{
	struct shunt_space *other;
	pthread_t poller, switcher;
	struct shunt_group *group;
	struct rte_eth_stats stats;

	config.sim.ports = NET_PORTS + CHANGING;
	net_create(&net, &config);
	assert_int_equal(shunt_sim_wire(net.sim, functions[0], functions[1]), 0);
	pool = rte_pktmbuf_pool_create(
		"changing", 40000, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	assert_non_null(pool);
	net_start(&net);
	for (unsigned int i = 0; i < CHANGING; i++) {
		add(i);
		set_up_and_start(i, i);
	}
	for (unsigned int i = 0; i < NET_PORTS; i++)
		directions[i] = (struct direction){
			.from = i, .length = LENGTH, .segments = 1, .last = -1
		};
	assert_int_equal(rte_net_shunt_group(net.port[0], &group), 0);
	assert_int_equal(shunt_space_create(rte_net_shunt_spaces(), "b", &other), 0);
	stop_switching = stop_polling = false;
	switches = failures = 0;
	assert_int_equal(pthread_create(&poller, NULL, poll, NULL), 0);
	assert_int_equal(pthread_create(&switcher, NULL, switch_on, group), 0);

	rounds(ROUNDS);

	__atomic_store_n(&stop_switching, true, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(switcher, NULL), 0);
	__atomic_store_n(&stop_polling, true, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(poller, NULL), 0);
	print_message(
		"%u switches, %u frames\n", switches, directions[0].sent + directions[1].sent);
	assert_int_equal(failures, 0);
	assert_true(switches > 0);
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		assert_int_equal(directions[i].received, directions[i].sent);
		assert_int_equal(directions[i].wrong, 0);
		assert_int_equal(rte_eth_stats_get(net.port[i], &stats), 0);
		assert_int_equal(stats.imissed + stats.ierrors + stats.oerrors, 0);
	}
	for (unsigned int i = 0; i < CHANGING; i++) {
		assert_int_equal(rte_eth_dev_stop(port_of(i)), 0);
		assert_int_equal(rte_vdev_uninit(names[i]), 0);
	}
	net_stop(&net);
	assert_int_equal(rte_mempool_avail_count(pool), 40000);
	rte_mempool_free(pool);
	net_destroy(&net);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { TEST(others_lose_nothing) };

	if (argc > 1) {
		shunt = argv[1];
		snprintf(prefix, sizeof(prefix), "shunt-reconfigure-%d", (int)getpid());
	}
	net_eal_start_shared(argv[0], shunt ? prefix : NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
