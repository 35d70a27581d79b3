/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb_pf.h"

/* The physical function: what it has and does for the files that all functions share. */

static int pf_open(struct igb_port *port)
{
	int ret;

	/* A NIC that has long had power and does not report this never does; QEMU's does not. */
	port->reports_auto_read = igb_read(port, SHUNT_82576_EEC) & SHUNT_82576_EEC_AUTO_RD;
	igb_canary_configure(port);
	ret = igb_hw_reset(port);
	return ret ? ret : igb_hw_own_address(port, &port->address);
}

static void pf_close(struct igb_port *port)
{
	igb_write(port, SHUNT_82576_CTRL_EXT,
		igb_read(port, SHUNT_82576_CTRL_EXT) & ~SHUNT_82576_CTRL_EXT_DRV_LOAD);
}

/* A port that runs has it set. */
static bool was_reset(struct igb_port *port)
{
	return !(igb_read(port, SHUNT_82576_RCTL) & SHUNT_82576_RCTL_EN);
}

static bool answers(struct igb_port *port)
{
	return igb_read(port, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_GIO_MASTER_ENABLE;
}

static bool connected(struct igb_port *port)
{
	return true;
}

static void link_event(struct igb_port *port)
{
	igb_read(port, SHUNT_82576_ICR); /* clears on read */
}

static int set_address(struct igb_port *port, uint32_t index, const struct rte_ether_addr *address)
{
	if (port->started)
		igb_hw_address(port, index, address);
	return igb_access_flush(port);
}

/* What was reset from outside is to be seen as such by the next recovery. */
static bool takes_control(struct igb_port *port)
{
	return port->started && !igb_was_reset(port);
}

static int set_modes(struct igb_port *port)
{
	if (takes_control(port))
		igb_hw_receive(port, true);
	return igb_access_end(port);
}

static int set_multicast(struct igb_port *port)
{
	if (port->started)
		igb_hw_multicast(port);
	return igb_access_flush(port);
}

static int set_vlan(struct igb_port *port, uint16_t id, bool on)
{
	if (port->started)
		igb_write(port, SHUNT_82576_VFTA(id / 32u), port->vlans[id / 32u]);
	return igb_access_flush(port);
}

static int set_vlan_offload(struct igb_port *port)
{
	if (takes_control(port)) {
		igb_hw_vlans(port);
		igb_hw_control(port);
		igb_hw_receive(port, true);
	}
	return igb_access_end(port);
}

static int set_max_frame(struct igb_port *port)
{
	igb_write(port, SHUNT_82576_RLPML, port->max_frame);
	return igb_access_flush(port);
}

static int set_link(struct igb_port *port)
{
	return port->started ? igb_phy_start(port) : 0;
}

static int firmware(struct igb_port *port, uint16_t *version)
{
	return igb_hw_eeprom(port, SHUNT_82576_EEPROM_VERSION, version);
}

static const struct igb_hw igb_pf = {
	.device = SHUNT_82576_DEVICE,
	.bar0_size = SHUNT_82576_BAR0_SIZE,
	.rx_queue = SHUNT_82576_RX_QUEUE(0),
	.tx_queue = SHUNT_82576_TX_QUEUE(0),
	.queue_stride = SHUNT_82576_RX_QUEUE(1) - SHUNT_82576_RX_QUEUE(0),
	.queues = SHUNT_82576_QUEUES,
	.rx_queues = IGB_CANARY_QUEUE, /* all but that one */
	.tx_queues = SHUNT_82576_QUEUES,
	.addresses = SHUNT_82576_ADDRESSES,
	.vectors = IGB_VECTORS,
	.canary = true,
	.loopback = true,
	.speeds = IGB_SPEEDS,
	.rx_offloads = RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_IPV4_CKSUM |
		       RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM |
		       RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_VLAN_FILTER |
		       RTE_ETH_RX_OFFLOAD_KEEP_CRC | RTE_ETH_RX_OFFLOAD_RSS_HASH,
	.rss_types = IGB_RSS_TYPES,
	.counters = igb_counters,
	.counter_count = IGB_REGISTER_COUNTERS,
	.counters_clear = true,
	.registers = igb_registers,
	.register_count = IGB_REGISTER_RUNS,
	.open = pf_open,
	.close = pf_close,
	.stop_dma = igb_hw_stop_dma,
	.reset = igb_hw_reset,
	.wait_ready = igb_hw_wait_ready,
	.configure = igb_hw_configure,
	.receive = igb_hw_receive,
	.transmit = igb_hw_transmit,
	.probe_dma_stop = igb_probe_dma_stop,
	.finish_pause = igb_finish_pause,
	.was_reset = was_reset,
	.answers = answers,
	.connected = connected,
	.link_event = link_event,
	.set_address = set_address,
	.set_modes = set_modes,
	.set_multicast = set_multicast,
	.set_vlan = set_vlan,
	.set_vlan_offload = set_vlan_offload,
	.set_max_frame = set_max_frame,
	.set_link = set_link,
	.firmware = firmware,
};

static const struct shunt_port_ops group_ops = {
	IGB_GROUP_OPS,
	.pause = igb_group_pause,
	.drain = igb_group_drain,
	.keeps_frames = igb_group_keeps_frames,
	.resume = igb_group_resume,
};

static int infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	return igb_infos(&igb_pf, info);
}

static int xstats_get_names(
	struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned int room)
{
	return igb_xstats_names(&igb_pf, names, room);
}

static const struct eth_dev_ops secondary_ops = {
	IGB_SECONDARY_OPS,
	.xstats_get_names = xstats_get_names,
	.dev_infos_get = infos_get,
};

/* Copper ones, which differ in nothing that is touched here; SerDes has other ids. */
static const uint16_t devices[] = { SHUNT_82576_DEVICE, SHUNT_82576_DEVICE_QUAD,
	SHUNT_82576_DEVICE_NS, SHUNT_82576_DEVICE_ET2, 0 };

static int open_port(struct rte_eth_dev *dev)
{
	return igb_port_open(dev, &igb_pf);
}

const struct shunt_port_driver igb_driver = {
	.name = "net_shunt igb",
	.vendor = SHUNT_82576_VENDOR,
	.devices = devices,
	.private_size = sizeof(struct igb_port),
	.group_ops = &group_ops,
	.secondary_ops = &secondary_ops,
	.open = open_port,
	.close = igb_port_close,
};
