/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "igb.h"

/* Which multicast addresses and VLANs are received, 8.10.13 and 8.10.19; tags stripped, 7.4. */

#define WORD_BITS  32u
#define HASH_SHIFT 4u /* RCTL.MO = 0: bits 47:36 of the address, last byte highest */
#define HASH_MASK  0xFFFu

void igb_filter_load(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	uint64_t offloads = dev->data->dev_conf.rxmode.offloads;

	port->vlan_strip = offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
	port->vlan_filter = offloads & RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	port->keep_crc = offloads & RTE_ETH_RX_OFFLOAD_KEEP_CRC;
	port->loopback = dev->data->dev_conf.lpbk_mode;
	port->checksums = SHUNT_82576_RXCSUM_PCSD;
	if (offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM)
		port->checksums |= SHUNT_82576_RXCSUM_IPOFLD;
	if (offloads & (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM))
		port->checksums |= SHUNT_82576_RXCSUM_TUOFLD;
}

int igb_set_mc_addr_list(struct rte_eth_dev *dev, struct rte_ether_addr *addresses, uint32_t count)
{
	struct igb_port *port = igb_control_begin(dev);
	uint32_t before[SHUNT_82576_MTA_SIZE];
	int ret;

	memcpy(before, port->multicast, sizeof(before));
	memset(port->multicast, 0, sizeof(port->multicast));
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *byte = addresses[i].addr_bytes;
		uint32_t hash = ((uint32_t)byte[5] << 8 | byte[4]) >> HASH_SHIFT & HASH_MASK;

		port->multicast[hash / WORD_BITS] |= 1u << hash % WORD_BITS;
	}
	ret = port->hw->set_multicast(port);
	if (ret)
		memcpy(port->multicast, before, sizeof(before));
	return igb_control_end(dev, ret);
}

int igb_vlan_filter_set(struct rte_eth_dev *dev, uint16_t id, int on)
{
	struct igb_port *port = igb_control_begin(dev);
	uint32_t *word = &port->vlans[id / WORD_BITS], bit = 1u << id % WORD_BITS, before = *word;
	int ret;

	*word = on ? before | bit : before & ~bit;
	ret = port->hw->set_vlan(port, id, on);
	if (ret)
		*word = before;
	return igb_control_end(dev, ret);
}

/* On a running port the bursts stay as they are: any of them takes a stripped frame. */
int igb_vlan_offload_set(struct rte_eth_dev *dev, int mask)
{
	struct igb_port *port = igb_control_begin(dev);
	uint64_t offloads = dev->data->dev_conf.rxmode.offloads;

	if (mask & RTE_ETH_VLAN_STRIP_MASK)
		port->vlan_strip = offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
	if (mask & RTE_ETH_VLAN_FILTER_MASK)
		port->vlan_filter = offloads & RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	return igb_control_end(dev, port->hw->set_vlan_offload(port));
}
