/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <shunt/error.h>

#include "igb.h"

/* Life of a port: open, configure, start, stop, reset, close. */

static int check_modes(const struct rte_eth_dev *dev)
{
	const struct rte_eth_conf *conf = &dev->data->dev_conf;
	const struct igb_hw *hw = igb_port_of(dev)->hw;

	if (conf->rxmode.mq_mode & ~(uint32_t)RTE_ETH_MQ_RX_RSS_FLAG)
		return shunt_fail(-ENOTSUP,
			"rxmode.mq_mode %#x: frames go to queues by hash "
			"(RTE_ETH_MQ_RX_RSS), or to queue 0",
			conf->rxmode.mq_mode);
	if (conf->link_speeds != RTE_ETH_LINK_SPEED_AUTONEG &&
		(conf->link_speeds & (RTE_ETH_LINK_SPEED_FIXED | hw->speeds)) != hw->speeds)
		return shunt_fail(-ENOTSUP,
			"link_speeds %#x: neither a fixed speed nor a choice of them is driven, "
			"leave the link to autonegotiation of all (RTE_ETH_LINK_SPEED_AUTONEG)",
			conf->link_speeds);
	if (conf->lpbk_mode > hw->loopback)
		return shunt_fail(-ENOTSUP, "lpbk_mode %u: %s", conf->lpbk_mode,
			hw->loopback ? "1 sends frames back inside the NIC"
				     : "the function cannot send frames back to itself");
	return igb_rss_check_key(&conf->rx_adv_conf.rss_conf);
}

int igb_configure(struct rte_eth_dev *dev)
{
	int ret = check_modes(dev);

	if (ret)
		return igb_log_error(dev, ret);
	igb_control_begin(dev);
	igb_rss_load(dev);
	return igb_control_end(dev, 0);
}

static void choose_bursts(struct rte_eth_dev *dev)
{
	const struct rte_eth_conf *conf = &dev->data->dev_conf;
	struct igb_port *port = igb_port_of(dev);
	bool fenced = shunt_barrier_missing();

	port->rx_full = (conf->rxmode.offloads & IGB_RX_FULL) || port->rss.on;
	dev->rx_pkt_burst = igb_rx_function(port->rx_full, fenced);
	port->tx_offload = conf->txmode.offloads & IGB_TX_OFFLOADS;
	if (port->tx_offload) {
		dev->tx_pkt_burst = igb_tx_function_offload(fenced);
		dev->tx_pkt_prepare = igb_tx_prepare_offload;
	} else {
		dev->tx_pkt_burst = igb_tx_function(fenced);
		dev->tx_pkt_prepare = igb_tx_prepare;
	}
}

/* Frames that do not fit into one buffer of some queue are taken apart. */
static void choose_scattered(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	port->max_frame = dev->data->mtu + IGB_OVERHEAD;
	dev->data->scattered_rx =
		(dev->data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (port->rx[i] && port->rx[i]->buffer_size < port->max_frame)
			dev->data->scattered_rx = 1;
	}
	port->scattered = dev->data->scattered_rx;
}

static uint8_t state_of(bool started)
{
	return started ? RTE_ETH_QUEUE_STATE_STARTED : RTE_ETH_QUEUE_STATE_STOPPED;
}

static void mark_queues(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		dev->data->rx_queue_state[i] = state_of(igb_rx_runs(port, i));
		dev->data->tx_queue_state[i] = state_of(igb_tx_runs(port, i));
	}
}

/*
 * Nothing of the NIC runs after this, whatever state it was in: a function that does not even stop
 * its queues is reset as a whole. Buffers go back to their pools. ethdev's marks of the queues
 * stay: it looks at them without the lock. Lock held.
 *
 * @return 0; -ETIMEDOUT a poller does not leave its burst: all is as before; -errno of the reset
 */
static int halt(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	int ret = igb_pollers_fence(port);
	int stuck = 0;

	if (ret) {
		igb_pollers_admit(port);
		return ret;
	}
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_rx_runs(port, i) && !stuck)
			stuck = igb_rx_queue_disable(port->rx[i]);
		if (igb_tx_runs(port, i) && !stuck)
			stuck = igb_tx_queue_disable(port->tx[i]);
	}
	if (!stuck) {
		igb_stats_update(port);
		stuck = port->hw->reset(port);
	}
	if (stuck) {
		SHUNT_LOG(
			NOTICE, "%s: %s; resetting the function", dev->data->name, shunt_errmsg());
		ret = shunt_vfio_reset(&port->port.device);
		if (ret) /* what is left to keep it from the buffers */
			shunt_vfio_bus_master(&port->port.device, false);
	}
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_rx_runs(port, i))
			igb_rx_queue_drain(port->rx[i]);
		if (igb_tx_runs(port, i))
			igb_tx_queue_drain(port->tx[i]);
	}
	igb_pollers_close(port);
	port->started = false;
	return ret;
}

static int start_queues(struct igb_port *port, uint32_t rx_queues, uint32_t tx_queues)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < SHUNT_82576_QUEUES; i++) {
		if (tx_queues >> i & 1)
			ret = igb_tx_queue_begin(port->tx[i]);
		if (!ret && (rx_queues >> i & 1))
			ret = igb_rx_queue_begin(port->rx[i]);
	}
	return ret;
}

static int bring_up(struct rte_eth_dev *dev, uint32_t rx_queues, uint32_t tx_queues)
{
	struct igb_port *port = igb_port_of(dev);
	int ret;

	ret = shunt_vfio_bus_master(&port->port.device, true);
	if (!ret)
		ret = port->hw->reset(port);
	if (!ret)
		ret = port->hw->configure(port);
	if (ret)
		return ret;
	port->hw->transmit(port, true);
	ret = port->hw->probe_dma_stop(port);
	if (ret)
		return ret;
	ret = start_queues(port, rx_queues, tx_queues);
	if (ret)
		return ret;
	igb_rss_direct(port, 0);
	igb_stats_baseline(port);
	port->recovery_state = (struct igb_recovery_state){ 0 };
	port->backoff = (struct igb_backoff){ 0 };
	port->dma_paused = false;
	port->hw->receive(port, true);
	return igb_access_end(port);
}

/* Brings a halted port up with these queues. Lock held. On a failure it is halted. */
static int run(struct rte_eth_dev *dev, uint32_t rx_queues, uint32_t tx_queues)
{
	struct igb_port *port = igb_port_of(dev);
	int ret;

	igb_access_begin(port);
	ret = bring_up(dev, rx_queues, tx_queues);
	if (!ret) {
		port->started = true;
		igb_pollers_admit(port);
		return 0;
	}
	if (!port->backoff.times)
		igb_log_error(dev, ret);
	igb_access_begin(port);
	halt(dev);
	return ret;
}

int igb_start(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	uint32_t rx_queues = 0, tx_queues = 0;
	int ret;

	ret = igb_interrupts_open(dev);
	if (ret)
		return igb_log_error(dev, ret);
	pthread_mutex_lock(&port->lock);
	ret = shunt_port_memory_check(&port->port);
	if (ret) {
		igb_log_error(dev, ret);
		goto unlock;
	}
	port->link_off = false;
	igb_filter_load(dev);
	choose_scattered(dev);
	choose_bursts(dev);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (port->rx[i] && !port->rx[i]->deferred_start)
			rx_queues |= 1u << i;
		if (port->tx[i] && !port->tx[i]->deferred_start)
			tx_queues |= 1u << i;
	}
	port->group_stopped = false;
	/* Attempts to recover wait less, and say less. */
	port->recovery_state = (struct igb_recovery_state){ 0 };
	port->backoff = (struct igb_backoff){ 0 };
	ret = run(dev, rx_queues, tx_queues);
	mark_queues(dev);
unlock:
	pthread_mutex_unlock(&port->lock);
	if (ret)
		igb_interrupts_close(dev);
	return ret;
}

/* A port that a poller does not leave stays started, so that ethdev does not let it be closed. */
int igb_stop(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	struct rte_eth_link link = { 0 };
	bool runs;
	int ret = 0;

	pthread_mutex_lock(&port->lock);
	igb_access_begin(port);
	if (port->started)
		ret = halt(dev);
	runs = port->started;
	if (!runs) {
		port->group_stopped = false;
		mark_queues(dev);
		dev->data->dev_started = 0;
		rte_eth_linkstatus_set(dev, &link);
	}
	pthread_mutex_unlock(&port->lock);
	igb_log_error(dev, ret);
	if (!runs)
		igb_interrupts_close(dev);
	return ret;
}

/* What the application had set up is as after open. */
static void forget(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	memset(port->addresses, 0, sizeof(port->addresses));
	port->addresses[0] = port->address;
	memset(dev->data->mac_addrs, 0, port->hw->addresses * sizeof(port->addresses[0]));
	dev->data->mac_addrs[0] = port->address;
	memset(port->multicast, 0, sizeof(port->multicast));
	memset(port->vlans, 0, sizeof(port->vlans));
	memset(&dev->data->vlan_filter_conf, 0, sizeof(dev->data->vlan_filter_conf));
	port->promiscuous = port->all_multicast = false;
	dev->data->promiscuous = dev->data->all_multicast = 0;
	port->group_stopped = false;
	port->dma_paused = false;
}

int igb_reset(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_control_begin(dev);
	int ret;

	port->recovery_state = (struct igb_recovery_state){ 0 };
	port->backoff = (struct igb_backoff){ 0 };
	if (port->port.device.can_reset)
		ret = shunt_vfio_reset(&port->port.device);
	else
		ret = port->hw->reset(port);
	if (!ret)
		ret = shunt_vfio_bus_master(&port->port.device, true);
	if (!ret)
		ret = port->hw->wait_ready(port);
	if (!ret) {
		igb_canary_configure(port);
		ret = port->hw->reset(port);
	}
	if (!ret)
		forget(dev);
	return igb_control_end(dev, ret);
}

int igb_dev_close(struct rte_eth_dev *dev)
{
	int first, ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	first = igb_stop(dev);
	if (dev->data->dev_started)
		return first;
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++)
		igb_rx_queue_release(dev, i);
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++)
		igb_tx_queue_release(dev, i);
	dev->data->nb_rx_queues = dev->data->nb_tx_queues = 0;
	igb_link_close(dev);
	ret = shunt_port_close(dev);
	return first ? first : ret;
}

void igb_group_hold(void *opaque)
{
	pthread_mutex_lock(&((struct igb_port *)opaque)->lock);
}

void igb_group_release(void *opaque)
{
	pthread_mutex_unlock(&((struct igb_port *)opaque)->lock);
}

int igb_group_stop(void *opaque)
{
	struct igb_port *port = opaque;
	int ret;

	if (!port->started)
		return 0;
	port->rx_restart = port->tx_restart = 0;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		port->rx_restart |= (uint32_t)igb_rx_runs(port, i) << i;
		port->tx_restart |= (uint32_t)igb_tx_runs(port, i) << i;
	}
	igb_access_begin(port);
	ret = halt(port->port.dev);
	port->group_stopped = !port->started;
	return ret;
}

int igb_restart(struct igb_port *port)
{
	int ret = run(port->port.dev, port->rx_restart, port->tx_restart);

	port->group_stopped = ret != 0;
	return ret;
}

int igb_group_start(void *opaque)
{
	struct igb_port *port = opaque;

	return port->group_stopped ? igb_restart(port) : 0;
}
