/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hosted ports through ethdev, stopped and started as in a switch. No function of a stopped driver
 * runs, and its NIC's counts are kept. The test's own driver checks whether it runs, and its NIC
 * loses its counters in a stop.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>
#undef stop /* a macro of cmocka 2 */
#include <rte_flow.h>
#include <rte_flow_driver.h>
#include <rte_mempool.h>

#include <shunt/error.h>

#include "hosted.h"

#define ADDRESS "0000:03:00.0"
#define STOPS   200
#define CALLERS 2

static struct rte_driver device_driver = { .name = "net_test" };
static struct rte_device device = { .name = ADDRESS, .driver = &device_driver };
static struct hosted_function function = { .device.function = ADDRESS };
static struct rte_eth_dev *dev;
static int ring;
static bool runs, ended;
static unsigned int strays;       /* calls of a stopped driver */
static uint64_t nic, read_so_far; /* frames: counted by the NIC, and read from it by the driver */
static uint64_t nic_more, more_so_far; /* the same for an extended statistic */

/* ---- stubs of what ethdev.c and control.c use ---- */

int shunt_group_driver(
	struct shunt_group *group, struct shunt_vfio_device *member, const char *name)
{
	return 0;
}

int hosted_secondary_of(const char *address)
{
	return 0;
}

int hosted_bus_master_clear(struct hosted_function *of, struct hosted_bus_master *master)
{
	return 0;
}

int hosted_bus_master_restore(struct hosted_function *of, const struct hosted_bus_master *master)
{
	return 0;
}

/* ---- a driver ---- */

static void look(void)
{
	bool before = __atomic_load_n(&runs, __ATOMIC_RELAXED);

	for (unsigned int i = 0; i < 50; i++)
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!before || !__atomic_load_n(&runs, __ATOMIC_RELAXED))
		__atomic_fetch_add(&strays, 1, __ATOMIC_RELAXED);
}

static uint16_t burst(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	look();
	return 0;
}

static int configure(struct rte_eth_dev *port)
{
	return 0;
}

static int start(struct rte_eth_dev *port)
{
	__atomic_store_n(&runs, true, __ATOMIC_SEQ_CST);
	return 0;
}

static int stop(struct rte_eth_dev *port)
{
	__atomic_store_n(&runs, false, __ATOMIC_SEQ_CST);
	nic = nic_more = 0;
	return 0;
}

static int infos_get(struct rte_eth_dev *port, struct rte_eth_dev_info *info)
{
	info->max_rx_queues = info->max_tx_queues = 1;
	info->max_rx_pktlen = 1518;
	return 0;
}

static int rx_setup(struct rte_eth_dev *port, uint16_t queue, uint16_t count, unsigned int socket,
	const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	port->data->rx_queues[queue] = &ring;
	return 0;
}

static int tx_setup(struct rte_eth_dev *port, uint16_t queue, uint16_t count, unsigned int socket,
	const struct rte_eth_txconf *conf)
{
	port->data->tx_queues[queue] = &ring;
	return 0;
}

static int stats_get(
	struct rte_eth_dev *port, struct rte_eth_stats *stats SHUNT_QUEUE_STATS_ARGUMENT)
{
	look();
	read_so_far += nic;
	nic = 0;
	stats->ipackets = read_so_far;
	return 0;
}

static int xstats_get(struct rte_eth_dev *port, struct rte_eth_xstat *values, unsigned int room)
{
	look();
	if (room < 1)
		return 1;
	more_so_far += nic_more;
	nic_more = 0;
	values[0] = (struct rte_eth_xstat){ .value = more_so_far };
	return 1;
}

static int xstats_get_names(
	struct rte_eth_dev *port, struct rte_eth_xstat_name *names, unsigned int room)
{
	if (room)
		snprintf(names[0].name, sizeof(names[0].name), "more");
	return 1;
}

static int link_update(struct rte_eth_dev *port, int wait)
{
	look();
	return 0;
}

static int tx_done_cleanup(void *queue, uint32_t count)
{
	look();
	return 0;
}

static int rx_intr(struct rte_eth_dev *port, uint16_t queue)
{
	look();
	return 0;
}

static int flow_ctrl_set(struct rte_eth_dev *port, struct rte_eth_fc_conf *conf)
{
	look();
	return 0;
}

static int flow_flush(struct rte_eth_dev *port, struct rte_flow_error *error)
{
	look();
	return 0;
}

static int flow_ops_get(struct rte_eth_dev *port, const struct rte_flow_ops **ops)
{
	static const struct rte_flow_ops flow_ops = { .flush = flow_flush };

	*ops = &flow_ops;
	return 0;
}

static const struct eth_dev_ops driver = {
	.dev_configure = configure,
	.dev_start = start,
	.dev_stop = stop,
	.dev_infos_get = infos_get,
	.rx_queue_setup = rx_setup,
	.tx_queue_setup = tx_setup,
	.stats_get = stats_get,
	.xstats_get = xstats_get,
	.xstats_get_names = xstats_get_names,
	.link_update = link_update,
	.tx_done_cleanup = tx_done_cleanup,
	.rx_queue_intr_enable = rx_intr,
	.flow_ctrl_set = flow_ctrl_set,
	.flow_ops_get = flow_ops_get,
};

/* ---- the application ---- */

static int set_up(void **state)
{
	static const struct rte_eth_conf conf;
	struct rte_mempool *pool = rte_pktmbuf_pool_create("frames", 64, 0, 0, 2048, SOCKET_ID_ANY);
	uint16_t port;

	if (!pool || hosted_ports_follow())
		return -1;
	dev = rte_eth_dev_allocate(ADDRESS);
	dev->device = &device;
	dev->dev_ops = &driver;
	dev->rx_pkt_burst = dev->tx_pkt_burst = burst;
	dev->data->mac_addrs = rte_zmalloc(NULL, sizeof(*dev->data->mac_addrs), 0);
	rte_eth_dev_probing_finish(dev);
	port = dev->data->port_id;
	if (!hosted_function_of(port) || rte_eth_dev_configure(port, 1, 1, &conf) ||
		rte_eth_rx_queue_setup(port, 0, 64, 0, NULL, pool) ||
		rte_eth_tx_queue_setup(port, 0, 64, 0, NULL))
		return -1;
	return rte_eth_dev_start(port);
}

static int tear_down(void **state)
{
	return rte_eth_dev_stop(dev->data->port_id);
}

/* As a group does it. */
static int change_space(void)
{
	const struct timespec nap = { .tv_nsec = 100000 };
	int ret;

	hosted_port_ops.hold(&function);
	ret = hosted_port_ops.stop(&function);
	if (!ret)
		nanosleep(&nap, NULL);
	assert_int_equal(hosted_port_ops.start(&function), 0);
	hosted_port_ops.release(&function);
	return ret;
}

static void *call(void *arg)
{
	uint16_t port = dev->data->port_id;

	while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
		struct rte_eth_fc_conf conf = { 0 };
		struct rte_flow_error error;
		struct rte_eth_stats stats;
		struct rte_eth_xstat value;
		struct rte_eth_link link;

		assert_int_equal(rte_eth_stats_get(port, &stats), 0);
		assert_true(rte_eth_xstats_get(port, &value, 1) > 0);
		assert_int_equal(rte_eth_link_get_nowait(port, &link), 0);
		assert_int_equal(rte_eth_dev_rx_intr_enable(port, 0), 0);
		assert_int_equal(rte_eth_dev_flow_ctrl_set(port, &conf), 0);
		assert_int_equal(rte_flow_flush(port, &error), 0);
	}
	return NULL;
}

/* The thread that polls a queue frees its sent frames. */
static void *poll_queue(void *arg)
{
	struct rte_mbuf *frames[4];
	uint16_t port = dev->data->port_id;

	while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
		rte_eth_rx_burst(port, 0, frames, 4);
		assert_int_equal(rte_eth_tx_done_cleanup(port, 0, 0), 0);
	}
	return NULL;
}

static void nothing_of_a_stopped_driver_runs(void **state)
{
	pthread_t callers[CALLERS], poller;

	strays = 0;
	ended = false;
	for (unsigned int i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_create(&callers[i], NULL, call, NULL), 0);
	assert_int_equal(pthread_create(&poller, NULL, poll_queue, NULL), 0);
	for (unsigned int i = 0; i < STOPS; i++)
		assert_int_equal(change_space(), 0);
	__atomic_store_n(&ended, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < CALLERS; i++)
		pthread_join(callers[i], NULL);
	pthread_join(poller, NULL);
	assert_int_equal(strays, 0);
}

/* Nobody reads the counters between the switches. */
static void what_the_nic_counted_is_kept(void **state)
{
	uint16_t port = dev->data->port_id;
	struct rte_eth_stats before, after;
	struct rte_eth_xstat value;
	uint64_t more;
	int count;

	count = rte_eth_xstats_get(port, NULL, 0);
	assert_true(count > 0);
	assert_int_equal(rte_eth_stats_get(port, &before), 0);
	more = more_so_far;
	nic = 4000;
	nic_more = 7;
	assert_int_equal(change_space(), 0);
	nic = 512;
	nic_more = 3;
	assert_int_equal(change_space(), 0);
	assert_int_equal(rte_eth_stats_get(port, &after), 0);
	assert_int_equal(after.ipackets, before.ipackets + 4512);
	assert_int_equal(xstats_get(dev, &value, 1), 1);
	assert_int_equal(value.value, more + 10);
}

/* The owner of a port may call the driver's bursts directly, past those that count. */
static void a_port_with_an_owner_is_not_stopped(void **state)
{
	struct rte_eth_dev_owner owner = { .name = "fail-safe" };
	uint16_t port = dev->data->port_id;

	assert_int_equal(rte_eth_dev_owner_new(&owner.id), 0);
	assert_int_equal(rte_eth_dev_owner_set(port, &owner), 0);
	assert_int_equal(change_space(), -ENOTSUP);
	assert_non_null(strstr(shunt_errmsg(), "fail-safe"));
	assert_true(runs);
	assert_int_equal(rte_eth_dev_owner_unset(port, owner.id), 0);
	assert_int_equal(change_space(), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_a_stopped_driver_runs),
		cmocka_unit_test(what_the_nic_counted_is_kept),
		cmocka_unit_test(a_port_with_an_owner_is_not_stopped),
	};
	char *eal[] = { argv[0], (char[]){ "--no-huge" }, (char[]){ "-m" }, (char[]){ "64" },
		(char[]){ "--no-pci" }, (char[]){ "--no-telemetry" }, (char[]){ "--iova-mode=va" },
		(char[]){ "--no-shconf" }, (char[]){ "--log-level=lib.eal:warning" }, NULL };

	if (rte_eal_init((int)RTE_DIM(eal) - 1, eal) < 0) {
		fprintf(stderr, "%s: EAL does not start\n", argv[0]);
		return 1;
	}
	hosted_function_add(&function);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
