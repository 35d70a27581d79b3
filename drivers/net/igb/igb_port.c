/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

#include <rte_malloc.h>

#include "igb.h"
#include "shunt_error.h"

/* Life of a port: open, configure, start, stop, reset, close. */

int igb_failed(const struct rte_eth_dev *dev, int ret)
{
	if (ret)
		SHUNT_LOG(ERR, "%s: %s", dev->data->name, shunt_errmsg());
	return ret;
}

static int check_modes(const struct rte_eth_dev *dev)
{
	const struct rte_eth_conf *conf = &dev->data->dev_conf;

	if (conf->rxmode.mq_mode & ~(uint32_t)RTE_ETH_MQ_RX_RSS_FLAG)
		return shunt_fail(-ENOTSUP,
			"rxmode.mq_mode %#x: frames go to queues by hash "
			"(RTE_ETH_MQ_RX_RSS), or to queue 0",
			conf->rxmode.mq_mode);
	if (conf->link_speeds & RTE_ETH_LINK_SPEED_FIXED)
		return shunt_fail(-ENOTSUP, "link_speeds: a fixed speed is not driven, leave the "
					    "link to autonegotiation");
	if (conf->lpbk_mode > 1)
		return shunt_fail(-ENOTSUP, "lpbk_mode %u: 1 sends frames back inside the NIC",
			conf->lpbk_mode);
	return 0;
}

int igb_configure(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	int ret = check_modes(dev);

	if (ret)
		return igb_failed(dev, ret);
	pthread_mutex_lock(&port->lock);
	igb_rss_load(dev);
	pthread_mutex_unlock(&port->lock);
	return 0;
}

static void choose_bursts(struct rte_eth_dev *dev)
{
	const struct rte_eth_conf *conf = &dev->data->dev_conf;
	bool fenced = shunt_barrier_missing();

	igb_port_of(dev)->rx_full =
		(conf->rxmode.offloads & IGB_RX_FULL) || igb_port_of(dev)->rss.on;
	if (igb_port_of(dev)->rx_full)
		dev->rx_pkt_burst = igb_rx_function_full(fenced);
	else
		dev->rx_pkt_burst = igb_rx_function(dev->data->scattered_rx, fenced);
	igb_port_of(dev)->tx_full = conf->txmode.offloads & IGB_TX_FULL;
	if (igb_port_of(dev)->tx_full) {
		dev->tx_pkt_burst = igb_tx_function_full(fenced);
		dev->tx_pkt_prepare = igb_tx_prepare_full;
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

static void mark_queues(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		dev->data->rx_queue_state[i] = port->rx[i] && port->rx[i]->started
						       ? RTE_ETH_QUEUE_STATE_STARTED
						       : RTE_ETH_QUEUE_STATE_STOPPED;
		dev->data->tx_queue_state[i] = port->tx[i] && port->tx[i]->started
						       ? RTE_ETH_QUEUE_STATE_STARTED
						       : RTE_ETH_QUEUE_STATE_STOPPED;
	}
}

int igb_halt(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	int ret = igb_keep_out(port);
	int stuck = 0;

	if (ret)
		return ret;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (port->rx[i] && port->rx[i]->started && !stuck)
			stuck = igb_rx_queue_disable(port->rx[i]);
		if (port->tx[i] && port->tx[i]->started && !stuck)
			stuck = igb_tx_queue_disable(port->tx[i]);
	}
	if (!stuck) {
		igb_stats_update(port);
		stuck = igb_hw_reset(port);
	}
	if (stuck) {
		SHUNT_LOG(
			NOTICE, "%s: %s; resetting the function", dev->data->name, shunt_errmsg());
		ret = shunt_vfio_reset(&port->port.device);
		if (ret) /* what is left to keep it from the buffers */
			shunt_vfio_bus_master(&port->port.device, false);
	}
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (port->rx[i] && port->rx[i]->started)
			igb_rx_queue_drain(port->rx[i]);
		if (port->tx[i] && port->tx[i]->started)
			igb_tx_queue_drain(port->tx[i]);
	}
	igb_close_queues(port);
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
		ret = igb_hw_reset(port);
	if (!ret)
		ret = igb_hw_configure(port);
	if (ret)
		return ret;
	igb_hw_transmit(port, true);
	ret = igb_learn_heed(port);
	if (ret)
		return ret;
	ret = start_queues(port, rx_queues, tx_queues);
	if (ret)
		return ret;
	igb_rss_direct(port, 0);
	igb_recover_baseline(port);
	port->trial = (struct igb_trial){ 0 };
	port->paused = false;
	igb_hw_receive(port, true);
	return igb_access_end(port);
}

int igb_run(struct rte_eth_dev *dev, uint32_t rx_queues, uint32_t tx_queues)
{
	struct igb_port *port = igb_port_of(dev);
	int ret;

	igb_access_begin(port);
	ret = bring_up(dev, rx_queues, tx_queues);
	if (!ret) {
		port->started = true;
		igb_let_in(port);
		return 0;
	}
	igb_failed(dev, ret);
	igb_access_begin(port);
	igb_halt(dev);
	return ret;
}

int igb_start(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	uint32_t rx_queues = 0, tx_queues = 0;
	int ret;

	ret = igb_interrupts_open(dev);
	if (ret)
		return igb_failed(dev, ret);
	pthread_mutex_lock(&port->lock);
	ret = shunt_port_memory_check(&port->port);
	if (ret) {
		igb_failed(dev, ret);
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
	port->stopped = false;
	ret = igb_run(dev, rx_queues, tx_queues);
	mark_queues(dev);
unlock:
	pthread_mutex_unlock(&port->lock);
	if (ret)
		igb_interrupts_close(dev);
	return ret;
}

int igb_stop(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	struct rte_eth_link link = { 0 };
	int ret = 0;

	pthread_mutex_lock(&port->lock);
	igb_access_begin(port);
	if (port->started)
		ret = igb_halt(dev);
	port->stopped = false;
	mark_queues(dev);
	dev->data->dev_started = 0;
	pthread_mutex_unlock(&port->lock);
	igb_failed(dev, ret);
	igb_interrupts_close(dev);
	rte_eth_linkstatus_set(dev, &link);
	return ret;
}

/* What the application had set up is as after open. */
static void forget(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	memset(port->addresses, 0, sizeof(port->addresses));
	port->addresses[0] = port->address;
	memset(dev->data->mac_addrs, 0, sizeof(port->addresses));
	dev->data->mac_addrs[0] = port->address;
	memset(port->multicast, 0, sizeof(port->multicast));
	memset(port->vlans, 0, sizeof(port->vlans));
	memset(&dev->data->vlan_filter_conf, 0, sizeof(dev->data->vlan_filter_conf));
	port->promiscuous = port->all_multicast = false;
	dev->data->promiscuous = dev->data->all_multicast = 0;
	port->stopped = false;
	port->trial = (struct igb_trial){ 0 };
	port->paused = false;
}

int igb_reset(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	int ret;

	pthread_mutex_lock(&port->lock);
	igb_access_begin(port);
	if (port->port.device.can_reset)
		ret = shunt_vfio_reset(&port->port.device);
	else
		ret = igb_hw_reset(port);
	if (!ret)
		ret = shunt_vfio_bus_master(&port->port.device, true);
	if (!ret)
		ret = igb_hw_wait_ready(port);
	if (!ret) {
		igb_witness_configure(port);
		ret = igb_hw_reset(port);
	}
	if (!ret)
		forget(dev);
	pthread_mutex_unlock(&port->lock);
	return igb_failed(dev, ret);
}

int igb_dev_close(struct rte_eth_dev *dev)
{
	int first, ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	first = igb_stop(dev);
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++)
		igb_rx_queue_release(dev, i);
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++)
		igb_tx_queue_release(dev, i);
	dev->data->nb_rx_queues = dev->data->nb_tx_queues = 0;
	ret = shunt_port_close(dev);
	return first ? first : ret;
}

int igb_open(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	struct shunt_vfio_device *device = &port->port.device;
	int ret;

	pthread_mutex_init(&port->lock, NULL);
	ret = shunt_vfio_region(device, VFIO_PCI_BAR0_REGION_INDEX, &port->bar0_region);
	if (ret)
		goto destroy_lock;
	if (!port->bar0_region.mappable || port->bar0_region.size < SHUNT_82576_BAR0_SIZE) {
		ret = shunt_fail(-ENODEV,
			"%s: BAR 0 has %llu bytes%s: expected the 82576's %u, mappable",
			device->function, (unsigned long long)port->bar0_region.size,
			port->bar0_region.mappable ? "" : " and cannot be mapped",
			SHUNT_82576_BAR0_SIZE);
		goto destroy_lock;
	}
	ret = shunt_vfio_map(device, &port->bar0_region, &port->bar0);
	if (ret)
		goto destroy_lock;
	ret = igb_witness_create(port);
	if (ret)
		goto unmap;
	igb_access_begin(port);
	igb_hw_look(port);
	igb_witness_configure(port);
	ret = igb_hw_reset(port);
	if (!ret)
		ret = igb_hw_own_address(port, &port->address);
	if (ret)
		goto destroy_witness;

	dev->data->mac_addrs = rte_calloc(
		"igb_addresses", SHUNT_82576_ADDRESSES, sizeof(struct rte_ether_addr), 0);
	if (!dev->data->mac_addrs) {
		ret = shunt_fail(
			-ENOMEM, "%s: table of addresses: out of memory", device->function);
		goto unmap;
	}
	rte_ether_addr_copy(&port->address, &dev->data->mac_addrs[0]);
	port->addresses[0] = port->address;
	dev->data->dev_flags |= RTE_ETH_DEV_AUTOFILL_QUEUE_XSTATS | RTE_ETH_DEV_INTR_LSC;
	dev->dev_ops = &igb_ops;
	dev->rx_queue_count = igb_rx_queue_count;
	dev->rx_descriptor_status = igb_rx_descriptor_status;
	dev->tx_descriptor_status = igb_tx_descriptor_status;
	return 0;

destroy_witness:
	igb_witness_destroy(port);
unmap:
	shunt_vfio_unmap(device, &port->bar0_region, port->bar0);
destroy_lock:
	pthread_mutex_destroy(&port->lock);
	return ret;
}

void igb_close(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	igb_access_begin(port);
	igb_write(port, SHUNT_82576_CTRL_EXT,
		igb_read(port, SHUNT_82576_CTRL_EXT) & ~SHUNT_82576_CTRL_EXT_DRV_LOAD);
	igb_witness_destroy(port);
	shunt_vfio_unmap(&port->port.device, &port->bar0_region, port->bar0);
	pthread_mutex_destroy(&port->lock);
}

const struct shunt_port_driver igb_driver = {
	.name = "net_shunt igb",
	.vendor = SHUNT_82576_VENDOR,
	.device = SHUNT_82576_DEVICE,
	.private_size = sizeof(struct igb_port),
	.group_ops = &igb_group_ops,
	.open = igb_open,
	.close = igb_close,
};
