/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/vfio.h>

#include <rte_malloc.h>

#include <shunt/error.h>

#include "igb.h"

#define LINK_POLL_NS 10000000ull
#define LINK_POLLS   900 /* copper negotiates for up to some seconds */

static int igb_link_update(struct rte_eth_dev *dev, int wait)
{
	struct igb_port *port = igb_port_of(dev);
	struct rte_eth_link link;
	bool failed;
	int ret;

	for (unsigned int polls = 0;; polls++) {
		pthread_mutex_lock(&port->lock);
		igb_access_begin(port);
		igb_hw_link(port, &link);
		failed = igb_access_end(port) != 0;
		ret = rte_eth_linkstatus_set(dev, &link);
		pthread_mutex_unlock(&port->lock);
		if (link.link_status == RTE_ETH_LINK_UP || failed || !wait || polls == LINK_POLLS ||
			!dev->data->dev_started)
			break;
		igb_sleep_ns(port, LINK_POLL_NS);
	}
	return ret;
}

static int set_link(struct rte_eth_dev *dev, bool off)
{
	struct igb_port *port = igb_control_begin(dev);

	int ret;

	port->link_off = off;
	ret = port->hw->set_link(port);
	return igb_control_end(dev, ret);
}

static int igb_set_link_up(struct rte_eth_dev *dev)
{
	return set_link(dev, false);
}

static int igb_set_link_down(struct rte_eth_dev *dev)
{
	return set_link(dev, true);
}

/* Promiscuity and the like take effect at once on a started port, else at its start. */
static int set_receive(struct rte_eth_dev *dev, bool *what, bool on)
{
	struct igb_port *port = igb_control_begin(dev);
	bool before = *what;
	int ret;

	*what = on;
	ret = port->hw->set_modes(port);
	if (ret)
		*what = before;
	return igb_control_end(dev, ret);
}

static int igb_promiscuous_enable(struct rte_eth_dev *dev)
{
	return set_receive(dev, &igb_port_of(dev)->promiscuous, true);
}

static int igb_promiscuous_disable(struct rte_eth_dev *dev)
{
	return set_receive(dev, &igb_port_of(dev)->promiscuous, false);
}

static int igb_allmulticast_enable(struct rte_eth_dev *dev)
{
	return set_receive(dev, &igb_port_of(dev)->all_multicast, true);
}

static int igb_allmulticast_disable(struct rte_eth_dev *dev)
{
	return set_receive(dev, &igb_port_of(dev)->all_multicast, false);
}

static int write_address(
	struct rte_eth_dev *dev, uint32_t index, const struct rte_ether_addr *address)
{
	struct igb_port *port = igb_control_begin(dev);
	int ret = port->hw->set_address(port, index, address);

	if (!ret)
		port->addresses[index] = address ? *address : (struct rte_ether_addr){ 0 };
	return igb_control_end(dev, ret);
}

static int igb_mac_addr_add(
	struct rte_eth_dev *dev, struct rte_ether_addr *address, uint32_t index, uint32_t pool)
{
	return write_address(dev, index, address);
}

static void igb_mac_addr_remove(struct rte_eth_dev *dev, uint32_t index)
{
	write_address(dev, index, NULL);
}

static int igb_mac_addr_set(struct rte_eth_dev *dev, struct rte_ether_addr *address)
{
	return write_address(dev, 0, address);
}

static int igb_mtu_set(struct rte_eth_dev *dev, uint16_t mtu)
{
	struct igb_port *port = igb_control_begin(dev);
	const uint32_t before = port->max_frame;
	int ret = 0;

	for (unsigned int i = 0; !ret && port->started && i < SHUNT_82576_QUEUES; i++) {
		if (port->rx[i] && !dev->data->scattered_rx &&
			mtu + IGB_OVERHEAD > port->rx[i]->buffer_size)
			ret = shunt_fail(-EBUSY,
				"MTU %u needs frames of several buffers (%u bytes each): stop the "
				"port first",
				mtu, port->rx[i]->buffer_size);
	}
	if (!ret && port->started) {
		port->max_frame = mtu + IGB_OVERHEAD;
		ret = port->hw->set_max_frame(port);
		if (ret)
			port->max_frame = before;
	}
	return igb_control_end(dev, ret);
}

int igb_infos(const struct igb_hw *hw, struct rte_eth_dev_info *info)
{
	info->min_rx_bufsize = SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT;
	info->max_rx_pktlen = SHUNT_82576_FRAME_MAX;
	info->min_mtu = IGB_MTU_MIN;
	info->max_mtu = IGB_MTU_MAX;
	info->max_rx_queues = hw->rx_queues;
	info->max_tx_queues = hw->tx_queues;
	info->max_mac_addrs = hw->addresses;
	info->rx_offload_capa = hw->rx_offloads;
	info->rx_queue_offload_capa = 0;
	info->tx_queue_offload_capa =
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	info->tx_offload_capa = info->tx_queue_offload_capa | IGB_TX_OFFLOADS;
	info->hash_key_size = hw->rss_types ? SHUNT_82576_RSSRK_SIZE : 0;
	info->reta_size = hw->rss_types ? SHUNT_82576_RETA_ENTRIES : 0;
	info->flow_type_rss_offloads = hw->rss_types;
	info->speed_capa = hw->speeds;
	info->dev_capa =
		RTE_ETH_DEV_CAPA_RUNTIME_RX_QUEUE_SETUP | RTE_ETH_DEV_CAPA_RUNTIME_TX_QUEUE_SETUP;
	info->rx_desc_lim = (struct rte_eth_desc_lim){ .nb_max = IGB_DESCRIPTORS_MAX,
		.nb_min = IGB_DESCRIPTORS_MIN,
		.nb_align = IGB_DESCRIPTORS_ALIGN };
	info->tx_desc_lim = info->rx_desc_lim;
	info->tx_desc_lim.nb_seg_max = info->tx_desc_lim.nb_mtu_seg_max = IGB_TX_SEGMENTS_MAX;
	info->default_rxconf.rx_free_thresh = IGB_REFILL;
	info->default_txconf.tx_rs_thresh = 0;
	info->default_rxportconf = (struct rte_eth_dev_portconf){
		.burst_size = 32, .ring_size = IGB_DESCRIPTORS_DEFAULT, .nb_queues = 1
	};
	info->default_txportconf = info->default_rxportconf;
	return 0;
}

static int igb_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	return igb_infos(igb_port_of(dev)->hw, info);
}

const uint32_t *igb_supported_ptypes(struct rte_eth_dev *dev SHUNT_PTYPES_ARGUMENT)
{
	static const uint32_t types[] = { RTE_PTYPE_L2_ETHER, RTE_PTYPE_L3_IPV4,
		RTE_PTYPE_L3_IPV4_EXT, RTE_PTYPE_L3_IPV6, RTE_PTYPE_L3_IPV6_EXT, RTE_PTYPE_L4_TCP,
		RTE_PTYPE_L4_UDP, RTE_PTYPE_L4_SCTP, RTE_PTYPE_UNKNOWN };

	SHUNT_PTYPES_COUNT(types);
	return types;
}

SHUNT_QUEUE_COUNT igb_rx_queue_count(void *queue)
{
	return igb_rx_ring_completed(queue);
}

static void igb_rxq_info_get(struct rte_eth_dev *dev, uint16_t index, struct rte_eth_rxq_info *info)
{
	const struct igb_rx_queue *queue = igb_port_of(dev)->rx[index];

	info->mp = queue->pool;
	info->scattered_rx = dev->data->scattered_rx;
	info->nb_desc = queue->count;
	info->rx_buf_size = queue->buffer_size;
	info->conf.rx_free_thresh = queue->refill_size;
	info->conf.rx_drop_en = queue->drop_enable;
	info->conf.rx_deferred_start = queue->deferred_start;
	info->conf.offloads = dev->data->dev_conf.rxmode.offloads;
}

static void igb_txq_info_get(struct rte_eth_dev *dev, uint16_t index, struct rte_eth_txq_info *info)
{
	const struct igb_tx_queue *queue = igb_port_of(dev)->tx[index];

	info->nb_desc = queue->count;
	info->conf.tx_free_thresh = queue->free_threshold;
	info->conf.tx_rs_thresh = queue->report_threshold;
	info->conf.tx_deferred_start = queue->deferred_start;
	info->conf.offloads = dev->data->dev_conf.txmode.offloads;
	if (queue->fast_free)
		info->conf.offloads |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
}

static int name_mode(struct rte_eth_burst_mode *mode, const char *kind)
{
	snprintf(mode->info, sizeof(mode->info), "Scalar%s%s", kind,
		shunt_barrier_missing() ? " Fenced" : "");
	return 0;
}

static int igb_rx_burst_mode(
	struct rte_eth_dev *dev, uint16_t index, struct rte_eth_burst_mode *mode)
{
	const char *kind = dev->data->scattered_rx ? " Scattered" : "";

	return name_mode(mode, igb_port_of(dev)->rx_full ? " Full" : kind);
}

static int igb_tx_burst_mode(
	struct rte_eth_dev *dev, uint16_t index, struct rte_eth_burst_mode *mode)
{
	return name_mode(mode, igb_port_of(dev)->tx_offload ? " Full" : "");
}

static const struct eth_dev_ops igb_ops = {
	.dev_configure = igb_configure,
	.dev_start = igb_start,
	.dev_stop = igb_stop,
	.dev_close = igb_dev_close,
	.dev_reset = igb_reset,
	.link_update = igb_link_update,
	.dev_set_link_up = igb_set_link_up,
	.dev_set_link_down = igb_set_link_down,
	.promiscuous_enable = igb_promiscuous_enable,
	.promiscuous_disable = igb_promiscuous_disable,
	.allmulticast_enable = igb_allmulticast_enable,
	.allmulticast_disable = igb_allmulticast_disable,
	.mac_addr_add = igb_mac_addr_add,
	.mac_addr_remove = igb_mac_addr_remove,
	.mac_addr_set = igb_mac_addr_set,
	.set_mc_addr_list = igb_set_mc_addr_list,
	.mtu_set = igb_mtu_set,
	.vlan_filter_set = igb_vlan_filter_set,
	.vlan_offload_set = igb_vlan_offload_set,
	.reta_update = igb_reta_update,
	.reta_query = igb_reta_query,
	.rss_hash_update = igb_rss_hash_update,
	.rss_hash_conf_get = igb_rss_hash_conf_get,
	.stats_get = igb_stats_get,
	.stats_reset = igb_stats_reset,
	.xstats_get = igb_xstats_get,
	.xstats_get_names = igb_xstats_get_names,
	.xstats_reset = igb_stats_reset,
	.dev_infos_get = igb_infos_get,
	.fw_version_get = igb_fw_version_get,
	.get_reg = igb_get_reg,
	.dev_supported_ptypes_get = igb_supported_ptypes,
	.rxq_info_get = igb_rxq_info_get,
	.txq_info_get = igb_txq_info_get,
	.rx_burst_mode_get = igb_rx_burst_mode,
	.tx_burst_mode_get = igb_tx_burst_mode,
	.rx_queue_setup = igb_rx_queue_setup,
	.rx_queue_release = igb_rx_queue_release,
	.rx_queue_start = igb_rx_queue_start,
	.rx_queue_stop = igb_rx_queue_stop,
	.rx_queue_intr_enable = igb_rx_queue_intr_enable,
	.rx_queue_intr_disable = igb_rx_queue_intr_disable,
	.tx_queue_setup = igb_tx_queue_setup,
	.tx_queue_release = igb_tx_queue_release,
	.tx_queue_start = igb_tx_queue_start,
	.tx_queue_stop = igb_tx_queue_stop,
	.tx_done_cleanup = igb_tx_done_cleanup,
};

int igb_port_open(struct rte_eth_dev *dev, const struct igb_hw *hw)
{
	struct igb_port *port = igb_port_of(dev);
	struct shunt_vfio_device *device = &port->port.device;
	int ret;

	port->hw = hw;
	pthread_mutex_init(&port->lock, NULL);
	ret = shunt_vfio_region(device, VFIO_PCI_BAR0_REGION_INDEX, &port->bar0_region);
	if (ret)
		goto destroy_lock;
	if (!port->bar0_region.mappable || port->bar0_region.size < hw->bar0_size) {
		ret = shunt_fail(-ENODEV,
			"%s: BAR 0 has %llu bytes%s: expected the 82576's %u, mappable",
			device->function, (unsigned long long)port->bar0_region.size,
			port->bar0_region.mappable ? "" : " and cannot be mapped", hw->bar0_size);
		goto destroy_lock;
	}
	ret = shunt_vfio_map(device, &port->bar0_region, &port->bar0);
	if (ret)
		goto destroy_lock;
	port->canary_ring =
		shunt_arena_alloc(&port->port.arena, IGB_CANARY_BYTES, IGB_CANARY_BYTES);
	if (!port->canary_ring) {
		ret = -ENOMEM;
		goto unmap;
	}
	igb_access_begin(port);
	ret = hw->open(port);
	if (!ret)
		ret = igb_link_open(dev);
	if (ret)
		goto destroy_canary;

	dev->data->mac_addrs =
		rte_calloc("igb_addresses", hw->addresses, sizeof(struct rte_ether_addr), 0);
	if (!dev->data->mac_addrs) {
		ret = shunt_fail(
			-ENOMEM, "%s: table of addresses: out of memory", device->function);
		goto close_link;
	}
	rte_ether_addr_copy(&port->address, &dev->data->mac_addrs[0]);
	port->addresses[0] = port->address;
	dev->data->dev_flags |= RTE_ETH_DEV_AUTOFILL_QUEUE_XSTATS | RTE_ETH_DEV_INTR_LSC;
	dev->dev_ops = &igb_ops;
	dev->rx_queue_count = igb_rx_queue_count;
	dev->rx_descriptor_status = igb_rx_descriptor_status;
	dev->tx_descriptor_status = igb_tx_descriptor_status;
	return 0;

close_link:
	igb_link_close(dev);
destroy_canary:
	shunt_arena_free(&port->port.arena, port->canary_ring, IGB_CANARY_BYTES);
unmap:
	shunt_vfio_unmap(device, &port->bar0_region, port->bar0);
destroy_lock:
	pthread_mutex_destroy(&port->lock);
	return ret;
}

void igb_port_close(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	igb_link_close(dev);
	igb_access_begin(port);
	port->hw->close(port);
	shunt_arena_free(&port->port.arena, port->canary_ring, IGB_CANARY_BYTES);
	shunt_vfio_unmap(&port->port.device, &port->bar0_region, port->bar0);
	pthread_mutex_destroy(&port->lock);
}
