/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <netinet/in.h>

#include <rte_ether.h>
#include <rte_ip.h>

#include "sim_nic.h"

#define ADDRESS_MASK 0xFFFFFFFFFFFFull

/* Multicast table: 12 bits of the address, chosen by RCTL.MO, datasheet 7.1 and 8.10. */
static bool in_multicast_table(const struct sim_nic *nic, const uint8_t *address)
{
	static const unsigned int shifts[] = { 4, 3, 2, 0 };
	unsigned int shift =
		shifts[sim_register(nic, SHUNT_82576_RCTL) >> SHUNT_82576_RCTL_MO_SHIFT & 3u];
	uint32_t hash = ((uint32_t)address[5] << 8 | address[4]) >> shift & 0xFFFu;

	return sim_register(nic, SHUNT_82576_MTA(hash >> 5)) >> (hash & 31u) & 1u;
}

bool sim_rx_accept(const struct sim_nic *nic, const uint8_t *frame)
{
	uint32_t rctl = sim_register(nic, SHUNT_82576_RCTL);
	uint64_t address;
	unsigned int i;

	if (!(frame[0] & 1) && (rctl & SHUNT_82576_RCTL_UPE))
		return true;
	memcpy(&address, frame, sizeof(address));
	address &= ADDRESS_MASK;
	if (address == ADDRESS_MASK)
		return rctl & SHUNT_82576_RCTL_BAM;
	if ((frame[0] & 1) && (rctl & SHUNT_82576_RCTL_MPE))
		return true;
	for (i = 0; i < nic->address_count; i++)
		if (nic->addresses[i] == address)
			return true;
	return (frame[0] & 1) && in_multicast_table(nic, frame);
}

static uint32_t transport(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return SHUNT_82576_RXD_PACKET_TCP;
	case IPPROTO_UDP:
		return SHUNT_82576_RXD_PACKET_UDP;
	case IPPROTO_SCTP:
		return SHUNT_82576_RXD_PACKET_SCTP;
	default:
		return 0;
	}
}

uint32_t sim_rx_classify(
	const struct sim_nic *nic, const uint8_t *frame, uint32_t length, uint32_t *status)
{
	const uint8_t *ip = frame + sizeof(struct rte_ether_hdr);
	uint32_t type = 0, header, sum = 0, i;
	uint16_t word;

	if (frame[12] == 0x86 && frame[13] == 0xDD && length >= 54) {
		type = SHUNT_82576_RXD_PACKET_IPV6 | transport(ip[6]);
	} else if (frame[12] == 0x08 && frame[13] == 0x00 && ip[0] >> 4 == 4) {
		header = (ip[0] & 0xFu) * 4u;
		if (header < sizeof(struct rte_ipv4_hdr) ||
			length < sizeof(struct rte_ether_hdr) + header)
			return 0;
		type = SHUNT_82576_RXD_PACKET_IPV4;
		if (header > sizeof(struct rte_ipv4_hdr))
			type |= SHUNT_82576_RXD_PACKET_IPV4_OPT;
		if (!(ip[6] & 0x3F) && !ip[7]) /* not a fragment */
			type |= transport(ip[9]);
		if (sim_register(nic, SHUNT_82576_RXCSUM) & SHUNT_82576_RXCSUM_IPOFLD) {
			for (i = 0; i < header; i += 2) {
				memcpy(&word, ip + i, sizeof(word));
				sum += word;
			}
			sum = (sum & 0xFFFF) + (sum >> 16);
			sum = (sum & 0xFFFF) + (sum >> 16);
			*status |= SHUNT_82576_RXD_IPCS;
			if (sum != 0xFFFF)
				*status |= SHUNT_82576_RXD_IPE;
		}
	}
	return type << SHUNT_82576_RXD_PACKET_TYPE_SHIFT;
}
