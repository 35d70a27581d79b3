/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdio.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/vfio.h>

#include "rte_net_shunt.h"
#include "stress.h"

#define XSTATS_MAX  256
#define PAUSE_US    5000
#define RING_UNIT   64
#define RING_CHOICE 4

/* ThreadSanitizer does not see the lock of ethdev's table of ports: so one thread at a time changes
 * it.
 */
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

static int at(struct stress_port *port, const char *place)
{
	stress_at(port->control, place);
	stress_forget();
	return 0;
}

static void must(struct stress_port *port, int ret)
{
	stress_expect(port->control, ret, NULL);
}

static uint16_t ring(struct stress_port *port)
{
	return (uint16_t)(RING_UNIT * (1 + stress_random(port->control, RING_CHOICE)));
}

static void set_up_rx(struct stress_port *port)
{
	at(port, "receive queue set up");
	must(port, rte_eth_rx_queue_setup(port->id, 0, ring(port), 0, NULL, stress.pool));
}

static void set_up_tx(struct stress_port *port, uint16_t queue)
{
	at(port, "transmit queue set up");
	must(port, rte_eth_tx_queue_setup(port->id, queue, ring(port), 0, NULL));
}

/* Bursts of either kind, and an interrupt thread that has something to do. */
static void configure(struct stress_port *port)
{
	struct rte_eth_conf conf = { 0 };

	if (stress_random(port->control, 2)) {
		conf.rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_STRIP |
				       RTE_ETH_RX_OFFLOAD_VLAN_FILTER | RTE_ETH_RX_OFFLOAD_CHECKSUM;
		conf.txmode.offloads =
			RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
		conf.intr_conf.lsc = conf.intr_conf.rxq = 1;
	}
	port->offloads = conf.rxmode.offloads != 0;
	at(port, "configure");
	must(port, rte_eth_dev_configure(port->id, 1, STRESS_WORKERS, &conf));
	set_up_rx(port);
	for (uint16_t i = 0; i < STRESS_WORKERS; i++)
		set_up_tx(port, i);
}

static void probe(struct stress_port *port)
{
	char arguments[32];

	snprintf(arguments, sizeof(arguments), "pci=%s", port->function);
	at(port, "probe");
	pthread_mutex_lock(&table);
	must(port, rte_vdev_init(port->name, arguments));
	must(port, rte_eth_dev_get_port_by_name(port->name, &port->id));
	pthread_mutex_unlock(&table);
	configure(port);
	at(port, "promiscuous");
	must(port, rte_eth_promiscuous_enable(port->id));
	port->probed = true;
}

static void start(struct stress_port *port)
{
	at(port, "start");
	must(port, rte_eth_dev_start(port->id));
	port->started = port->rx_on = true;
	for (unsigned int i = 0; i < STRESS_WORKERS; i++)
		port->tx_on[i] = true;
	stress_let_in(port);
}

static void stop_port(struct stress_port *port)
{
	stress_keep_out(port);
	at(port, "stop");
	must(port, rte_eth_dev_stop(port->id));
	port->started = false;
}

void stress_close(struct stress_port *port)
{
	stress_keep_out(port);
	at(port, port->started ? "remove, started" : "remove, stopped");
	pthread_mutex_lock(&table);
	must(port, rte_vdev_uninit(port->name));
	pthread_mutex_unlock(&table);
	port->probed = port->started = false;
}

static void rx_queue(struct stress_port *port, bool on)
{
	at(port, on ? "receive queue start" : "receive queue stop");
	must(port, on ? rte_eth_dev_rx_queue_start(port->id, 0)
		      : rte_eth_dev_rx_queue_stop(port->id, 0));
	port->rx_on = on;
}

static void tx_queue(struct stress_port *port, uint16_t queue, bool on)
{
	at(port, on ? "transmit queue start" : "transmit queue stop");
	must(port, on ? rte_eth_dev_tx_queue_start(port->id, queue)
		      : rte_eth_dev_tx_queue_stop(port->id, queue));
	port->tx_on[queue] = on;
}

/* ---- operations; the port is started ---- */

static void restart(struct stress_port *port)
{
	stop_port(port);
	if (!stress_random(port->control, 2))
		rte_delay_us_sleep(stress_random(port->control, PAUSE_US));
	start(port);
}

static void set_up_anew(struct stress_port *port)
{
	stop_port(port);
	configure(port);
	start(port);
}

static void turn_queue(struct stress_port *port)
{
	unsigned int n = stress_random(port->control, 1 + STRESS_WORKERS);

	if (n == STRESS_WORKERS)
		rx_queue(port, !port->rx_on);
	else
		tx_queue(port, (uint16_t)n, !port->tx_on[n]);
}

/* On a running port. The queue is off, and the workers are out of what is released. */
static void replace_queue(struct stress_port *port)
{
	unsigned int n = stress_random(port->control, 1 + STRESS_WORKERS);

	stress_keep_out(port);
	if (n == STRESS_WORKERS) {
		rx_queue(port, false);
		set_up_rx(port);
		rx_queue(port, true);
	} else {
		tx_queue(port, (uint16_t)n, false);
		set_up_tx(port, (uint16_t)n);
		tx_queue(port, (uint16_t)n, true);
	}
	stress_let_in(port);
}

static void close_and_probe(struct stress_port *port)
{
	/* The first port keeps the group and the spaces. */
	if (port->index == 0)
		return;
	if (stress_random(port->control, 2))
		stop_port(port);
	stress_close(port);
	rte_delay_us_sleep(stress_random(port->control, PAUSE_US));
	probe(port);
	start(port);
}

/* A reset as by sysfs: the driver is not told. */
static void reset_from_outside(struct stress_port *port)
{
	struct shunt_vfio_device *device;

	at(port, "reset from outside");
	must(port, rte_net_shunt_device(port->id, &device));
	__atomic_fetch_add(&stress.resetting, 1, __ATOMIC_SEQ_CST);
	must(port, shunt_vfio_reset(device));
	__atomic_store_n(&stress.reset_end, shunt_clock_now(), __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&stress.resetting, 1, __ATOMIC_SEQ_CST);
}

static void change_link(struct stress_port *port)
{
	at(port, port->wired ? "cut the wire" : "connect the wire");
	stress_connect(port, !port->wired && !stress.cut);
}

static void read_all(struct stress_port *port)
{
	struct rte_eth_xstat values[XSTATS_MAX];
	struct rte_eth_stats stats;
	struct rte_eth_link link;

	at(port, "reading");
	must(port, rte_eth_stats_get(port->id, &stats));
	if (rte_eth_xstats_get(port->id, values, XSTATS_MAX) <= 0)
		stress_fail("%s: no xstats", port->control->name);
	must(port, rte_eth_link_get_nowait(port->id, &link));
	if (!stress_random(port->control, 4))
		must(port, rte_eth_stats_reset(port->id));
}

static void change_filters(struct stress_port *port)
{
	struct rte_ether_addr many = { { 1, 0, 0x5E, 1, 1, 1 } };
	struct rte_ether_addr address = { .addr_bytes = { 2, 0, 0, 0, 1,
						  (uint8_t)stress_random(port->control, 256) } };

	at(port, "filters");
	must(port, rte_eth_promiscuous_disable(port->id));
	must(port, rte_eth_promiscuous_enable(port->id));
	must(port, rte_eth_dev_default_mac_addr_set(port->id, &address));
	must(port, rte_eth_dev_set_mtu(
			   port->id, (uint16_t)(1000 + stress_random(port->control, 500))));
	must(port, rte_eth_dev_set_mc_addr_list(port->id, &many, 1));
}

static void change_offloads(struct stress_port *port)
{
	uint16_t vlan = (uint16_t)stress_random(port->control, 4096);

	if (!port->offloads)
		return;
	at(port, "offloads");
	must(port, rte_eth_dev_vlan_filter(port->id, vlan, 1));
	must(port, rte_eth_dev_set_vlan_offload(port->id, RTE_ETH_VLAN_FILTER_OFFLOAD));
	must(port, rte_eth_dev_set_vlan_offload(
			   port->id, RTE_ETH_VLAN_FILTER_OFFLOAD | RTE_ETH_VLAN_STRIP_OFFLOAD));
	must(port, rte_eth_dev_vlan_filter(port->id, vlan, 0));
	at(port, "receive interrupts");
	must(port, rte_eth_dev_rx_intr_enable(port->id, 0));
	if (stress_random(port->control, 2))
		must(port, rte_eth_dev_rx_intr_disable(port->id, 0));
}

void stress_settle(struct stress_port *port)
{
	if (!port->probed)
		probe(port);
	if (!port->started)
		start(port);
	if (!port->rx_on)
		rx_queue(port, true);
	for (uint16_t i = 0; i < STRESS_WORKERS; i++) {
		if (!port->tx_on[i])
			tx_queue(port, i, true);
	}
	stress_connect(port, true);
	stress_at(port->control, NULL);
}

void *stress_control(void *arg)
{
	static void (*const operations[])(struct stress_port *) = { restart, set_up_anew,
		turn_queue, turn_queue, replace_queue, close_and_probe, reset_from_outside,
		change_link, change_link, read_all, read_all, change_filters, change_offloads };
	struct stress_port *port = arg;

	while (!stress_told(&stress.stop)) {
		operations[stress_random(port->control, RTE_DIM(operations))](port);
		port->control->operations++;
		if (stress_random(port->control, 2))
			rte_delay_us_sleep(stress_random(port->control, PAUSE_US));
	}
	stress_at(port->control, NULL);
	return NULL;
}
