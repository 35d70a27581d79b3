/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"

/* The link, and how long frames take on it. */

#define FRAME_GAP         20u          /* bytes: preamble, and the least between two frames */
#define LONGEST_SEGMENTED (2u * 65536) /* bytes: 64 KB, and as much for headers of its segments */

uint64_t igb_wire_ns(struct igb_port *port)
{
	bool segments = port->port.dev->data->dev_conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO;
	uint64_t longest = segments ? LONGEST_SEGMENTED : SHUNT_82576_FRAME_MAX + FRAME_GAP;
	struct rte_eth_link link;
	unsigned int queues = 0;

	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++)
		queues += igb_tx_runs(port, i);
	igb_hw_link(port, &link);
	/* A bit takes 1000 ns at 1 Mb/s. */
	return link.link_speed ? queues * longest * 8000 / link.link_speed : 0;
}

void igb_hw_link(struct igb_port *port, struct rte_eth_link *link)
{
	uint32_t status = igb_read(port, SHUNT_82576_STATUS);

	*link = (struct rte_eth_link){ .link_autoneg = RTE_ETH_LINK_AUTONEG,
		.link_speed = RTE_ETH_SPEED_NUM_NONE,
		.link_duplex = RTE_ETH_LINK_HALF_DUPLEX,
		.link_status = RTE_ETH_LINK_DOWN };
	if (port->access_error || !(status & SHUNT_82576_STATUS_LU) || !port->hw->connected(port))
		return;
	link->link_status = RTE_ETH_LINK_UP;
	if (status & SHUNT_82576_STATUS_FD)
		link->link_duplex = RTE_ETH_LINK_FULL_DUPLEX;
	switch (status & SHUNT_82576_STATUS_SPEED_MASK) {
	case SHUNT_82576_STATUS_SPEED_10:
		link->link_speed = RTE_ETH_SPEED_NUM_10M;
		break;
	case SHUNT_82576_STATUS_SPEED_100:
		link->link_speed = RTE_ETH_SPEED_NUM_100M;
		break;
	default:
		link->link_speed = RTE_ETH_SPEED_NUM_1G;
	}
}
