/* SPDX-License-Identifier: BSD-3-Clause */
#include "igbvf.h"

/* A virtual function: what it has and does for the files that all functions share. */

static const struct igb_counter counters[] = {
	{ .name = "rx_nic_good_packets", .reg = SHUNT_82576_VFGPRC, .kind = IGB_COUNTER_GOOD_RX },
	{ .name = "rx_nic_good_bytes", .reg = SHUNT_82576_VFGORC },
	{ .name = "rx_multicast_packets", .reg = SHUNT_82576_VFMPRC },
	{ .name = "tx_nic_good_packets", .reg = SHUNT_82576_VFGPTC },
	{ .name = "tx_nic_good_bytes", .reg = SHUNT_82576_VFGOTC },
	{ .name = "rx_same_port_packets", .reg = SHUNT_82576_VFGPRLBC },
	{ .name = "rx_same_port_bytes", .reg = SHUNT_82576_VFGORLBC },
	{ .name = "tx_same_port_packets", .reg = SHUNT_82576_VFGPTLBC },
	{ .name = "tx_same_port_bytes", .reg = SHUNT_82576_VFGOTLBC },
};

_Static_assert(RTE_DIM(counters) <= IGB_REGISTER_COUNTERS, "room for them in the port");

/* Registers of both queues, by those of the physical function's. */
#define RX(reg)                                                                                \
	{ (reg) - SHUNT_82576_RX_QUEUE(0) + SHUNT_82576_RX_QUEUE_ALIAS, SHUNT_82576_VF_QUEUES, \
		SHUNT_82576_QUEUE_ALIAS_STRIDE }
#define TX(reg)                                                                                \
	{ (reg) - SHUNT_82576_TX_QUEUE(0) + SHUNT_82576_TX_QUEUE_ALIAS, SHUNT_82576_VF_QUEUES, \
		SHUNT_82576_QUEUE_ALIAS_STRIDE }

static const struct igb_register_run registers[] = {
	{ SHUNT_82576_STATUS, 1, 4 },
	{ SHUNT_82576_EIMS, 1, 4 },
	{ SHUNT_82576_EIAC, 1, 4 },
	{ SHUNT_82576_EIAM, 1, 4 },
	{ SHUNT_82576_EITR(0), SHUNT_82576_VF_VECTORS, 4 },
	{ SHUNT_82576_VTIVAR, 1, 4 },
	{ SHUNT_82576_VTIVAR_MISC, 1, 4 },
	RX(SHUNT_82576_RDBAL(0)),
	RX(SHUNT_82576_RDBAH(0)),
	RX(SHUNT_82576_RDLEN(0)),
	RX(SHUNT_82576_SRRCTL(0)),
	RX(SHUNT_82576_RDH(0)),
	RX(SHUNT_82576_RDT(0)),
	RX(SHUNT_82576_RXDCTL(0)),
	TX(SHUNT_82576_TDBAL(0)),
	TX(SHUNT_82576_TDBAH(0)),
	TX(SHUNT_82576_TDLEN(0)),
	TX(SHUNT_82576_TDH(0)),
	TX(SHUNT_82576_TDT(0)),
	TX(SHUNT_82576_TXDCTL(0)),
};

/* Receiver and transmitter are the physical function's. */
static void leave_on(struct igb_port *port, bool enable)
{
}

static int probe_dma_stop(struct igb_port *port)
{
	port->dma_stop = IGB_DMA_STOP_QUEUES;
	return 0;
}

/* Whether tags are stripped, and that VLANs are filtered, is the other side's choice. */
static int set_vlan_offload(struct igb_port *port)
{
	return 0;
}

static const struct igb_hw igbvf = {
	.device = SHUNT_82576_DEVICE_VF,
	.bar0_size = SHUNT_82576_VF_BAR0_SIZE,
	.rx_queue = SHUNT_82576_RX_QUEUE_ALIAS,
	.tx_queue = SHUNT_82576_TX_QUEUE_ALIAS,
	.queue_stride = SHUNT_82576_QUEUE_ALIAS_STRIDE,
	.queues = SHUNT_82576_VF_QUEUES,
	.rx_queues = SHUNT_82576_VF_QUEUES,
	.tx_queues = SHUNT_82576_VF_QUEUES,
	.addresses = 1,
	.vectors = SHUNT_82576_VF_VECTORS,
	.speeds = IGB_SPEEDS,
	.rx_offloads = RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_IPV4_CKSUM |
		       RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM |
		       RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_VLAN_FILTER,
	.waits_for_others = true,
	.counters = counters,
	.counter_count = RTE_DIM(counters),
	.registers = registers,
	.register_count = RTE_DIM(registers),
	.open = igbvf_open,
	.close = igbvf_close,
	.stop_dma = igbvf_stop_dma,
	.reset = igbvf_reset,
	.wait_ready = igbvf_wait_ready,
	.configure = igbvf_configure,
	.receive = leave_on,
	.transmit = leave_on,
	.probe_dma_stop = probe_dma_stop,
	.finish_pause = igbvf_finish_pause,
	.was_reset = igbvf_was_reset,
	.answers = igbvf_answers,
	.connected = igbvf_connected,
	.link_event = igbvf_link_event,
	.set_address = igbvf_set_address,
	.set_modes = igbvf_set_modes,
	.set_multicast = igbvf_set_multicast,
	.set_vlan = igbvf_set_vlan,
	.set_vlan_offload = set_vlan_offload,
	.set_max_frame = igbvf_set_max_frame,
	.set_link = igbvf_set_link,
};

/* Frames that arrive during a pause are dropped: no keeps_frames. */
static const struct shunt_port_ops group_ops = {
	IGB_GROUP_OPS,
	.pause = igbvf_group_pause,
	.drain = igbvf_group_drain,
	.resume = igbvf_group_resume,
};

static int infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	return igb_infos(&igbvf, info);
}

static int xstats_get_names(
	struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned int room)
{
	return igb_xstats_names(&igbvf, names, room);
}

static const struct eth_dev_ops secondary_ops = {
	IGB_SECONDARY_OPS,
	.xstats_get_names = xstats_get_names,
	.dev_infos_get = infos_get,
};

static const uint16_t devices[] = { SHUNT_82576_DEVICE_VF, 0 };

static int open_port(struct rte_eth_dev *dev)
{
	return igb_port_open(dev, &igbvf);
}

const struct shunt_port_driver igbvf_driver = {
	.name = "net_shunt igbvf",
	.vendor = SHUNT_82576_VENDOR,
	.devices = devices,
	.private_size = sizeof(struct igbvf_port),
	.group_ops = &group_ops,
	.secondary_ops = &secondary_ops,
	.open = open_port,
	.close = igb_port_close,
};
