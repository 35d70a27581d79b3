/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <netinet/in.h>

#include "sim_headers.h"
#include "sim_nic.h"

#define ADDRESS_MASK   0xFFFFFFFFFFFFull

#define IPV4_ADDRESSES 12u /* place in the header, and bytes of both */
#define IPV4_BYTES     8u
#define IPV6_ADDRESSES 8u
#define IPV6_BYTES     32u
#define PORTS_BYTES    4u

/* Multicast table: 12 bits of the address, chosen by RCTL.MO, datasheet 7.1 and 8.10. */
static bool in_multicast_table(const struct sim_nic *nic, const uint8_t *address)
{
	static const unsigned int shifts[] = { 4, 3, 2, 0 };
	unsigned int shift =
		shifts[sim_register(nic, SHUNT_82576_RCTL) >> SHUNT_82576_RCTL_MO_SHIFT & 3u];
	uint32_t hash = ((uint32_t)address[5] << 8 | address[4]) >> shift & 0xFFFu;

	return sim_register(nic, SHUNT_82576_MTA(hash >> 5)) >> (hash & 31u) & 1u;
}

static bool address_passes(const struct sim_nic *nic, const uint8_t *frame, uint32_t rctl)
{
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

static bool vlan_passes(const struct sim_nic *nic, const uint8_t *frame)
{
	uint32_t id = sim_get16(frame + SIM_TAG_AT + 2) & SHUNT_82576_VLAN_ID_MASK;

	return !sim_rx_tagged(nic, frame) ||
	       (sim_register(nic, SHUNT_82576_VFTA(id >> 5)) >> (id & 31u) & 1u);
}

bool sim_rx_accept(const struct sim_nic *nic, const uint8_t *frame)
{
	uint32_t rctl = sim_register(nic, SHUNT_82576_RCTL);

	if (unlikely((rctl & SHUNT_82576_RCTL_VFE) && !vlan_passes(nic, frame)))
		return false;
	return address_passes(nic, frame, rctl);
}

static uint32_t transport_type(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return SHUNT_82576_RXD_PACKET_TCP;
	case IPPROTO_UDP:
		return SHUNT_82576_RXD_PACKET_UDP;
	default:
		return SHUNT_82576_RXD_PACKET_SCTP;
	}
}

static uint32_t packet_type(const struct sim_headers *headers)
{
	uint32_t type =
		headers->version == 4 ? SHUNT_82576_RXD_PACKET_IPV4 : SHUNT_82576_RXD_PACKET_IPV6;

	if (headers->more)
		type |= headers->version == 4 ? SHUNT_82576_RXD_PACKET_IPV4_OPT
					      : SHUNT_82576_RXD_PACKET_IPV6_EXT;
	if (headers->transport != 0)
		type |= transport_type(headers->protocol);
	return type;
}

static uint32_t check_ip(const uint8_t *frame, const struct sim_headers *headers)
{
	const uint8_t *ip = frame + headers->ip;
	bool good = sim_sum(ip, (ip[0] & 0xFu) * 4, 0) == 0xFFFF;

	return SHUNT_82576_RXD_IPCS | (good ? 0 : SHUNT_82576_RXD_IPE);
}

/* SCTP is not checked (RXCSUM.CRCOFL is not modelled), nor is UDP without a checksum. */
static uint32_t check_transport(const uint8_t *frame, const struct sim_headers *headers)
{
	const uint8_t *transport = frame + headers->transport;
	uint32_t sum, checked = SHUNT_82576_RXD_L4CS;

	if (headers->cut || headers->protocol == IPPROTO_SCTP)
		return 0;
	if (headers->protocol == IPPROTO_UDP) {
		if (sim_get16(transport + 6) == 0)
			return 0;
		checked |= SHUNT_82576_RXD_UDPCS;
	}
	sum = sim_sum(transport, headers->end - headers->transport, sim_sum_pseudo(frame, headers));
	return checked | (sum == 0xFFFF ? 0 : SHUNT_82576_RXD_L4E);
}

uint32_t sim_rx_classify(
	const struct sim_nic *nic, const uint8_t *frame, uint32_t length, uint32_t *status)
{
	uint16_t tag = (uint16_t)sim_register(nic, SHUNT_82576_VET);
	uint32_t checks = sim_register(nic, SHUNT_82576_RXCSUM);
	struct sim_headers headers;

	if (likely(!sim_headers_possible(frame, tag)))
		return 0;
	sim_headers_find(frame, length, tag, &headers);
	if (headers.ip == 0)
		return 0;
	if (headers.version == 4 && (checks & SHUNT_82576_RXCSUM_IPOFLD))
		*status |= check_ip(frame, &headers);
	if (headers.transport != 0 && (checks & SHUNT_82576_RXCSUM_TUOFLD))
		*status |= check_transport(frame, &headers);
	return packet_type(&headers) << SHUNT_82576_RXD_PACKET_TYPE_SHIFT;
}

/* Receive side scaling, datasheet 7.1.1.7: Toeplitz hash, redirection table. */

static unsigned int queue_of(const struct sim_nic *nic, uint32_t entry)
{
	return sim_register(nic, SHUNT_82576_RETA(entry / 4)) >> 8 * (entry % 4) &
	       SHUNT_82576_RETA_QUEUE;
}

void sim_rx_update(struct sim_nic *nic)
{
	nic->rss = (sim_register(nic, SHUNT_82576_MRQC) & SHUNT_82576_MRQC_MASK) ==
			   SHUNT_82576_MRQC_RSS &&
		   (sim_register(nic, SHUNT_82576_RXCSUM) & SHUNT_82576_RXCSUM_PCSD);
	nic->rx_dressed = (sim_register(nic, SHUNT_82576_CTRL) & SHUNT_82576_CTRL_VME) ||
			  !(sim_register(nic, SHUNT_82576_RCTL) & SHUNT_82576_RCTL_SECRC);
	nic->rx_targets = 1;
	for (unsigned int i = 0; nic->rss && i < SHUNT_82576_RETA_ENTRIES; i++)
		nic->rx_targets |= 1u << queue_of(nic, i);
}

/* For each bit of the input that is set, the 32 bits of the key from there on. */
static uint32_t toeplitz(const struct sim_nic *nic, const uint8_t *input, uint32_t length)
{
	uint8_t key[SHUNT_82576_RSSRK_SIZE];
	uint32_t window, hash = 0, i;
	unsigned int bit;

	for (i = 0; i < SHUNT_82576_RSSRK_SIZE; i++)
		key[i] = (uint8_t)(sim_register(nic, SHUNT_82576_RSSRK(i / 4)) >> 8 * (i % 4));
	window = sim_get16(key) << 16 | sim_get16(key + 2);
	for (i = 0; i < length; i++) {
		for (bit = 0; bit < 8; bit++) {
			if (input[i] & 0x80u >> bit)
				hash ^= window;
			window = window << 1 | (key[i + 4] >> (7 - bit) & 1u);
		}
	}
	return hash;
}

/* What MRQC says is hashed of such a frame, as an RSS type. */
static uint32_t type_of(const struct sim_nic *nic, const struct sim_headers *headers)
{
	static const struct {
		uint32_t enabled;
		uint32_t type;
		uint8_t version;
		uint8_t protocol; /* 0: any */
	} types[] = {
		{ SHUNT_82576_MRQC_TCP_IPV4, SHUNT_82576_RXD_RSS_TCP_IPV4, 4, IPPROTO_TCP },
		{ SHUNT_82576_MRQC_UDP_IPV4, SHUNT_82576_RXD_RSS_UDP_IPV4, 4, IPPROTO_UDP },
		{ SHUNT_82576_MRQC_IPV4, SHUNT_82576_RXD_RSS_IPV4, 4, 0 },
		{ SHUNT_82576_MRQC_TCP_IPV6, SHUNT_82576_RXD_RSS_TCP_IPV6, 6, IPPROTO_TCP },
		{ SHUNT_82576_MRQC_TCP_IPV6_EX, SHUNT_82576_RXD_RSS_TCP_IPV6_EX, 6, IPPROTO_TCP },
		{ SHUNT_82576_MRQC_UDP_IPV6, SHUNT_82576_RXD_RSS_UDP_IPV6, 6, IPPROTO_UDP },
		{ SHUNT_82576_MRQC_UDP_IPV6_EX, SHUNT_82576_RXD_RSS_UDP_IPV6_EX, 6, IPPROTO_UDP },
		{ SHUNT_82576_MRQC_IPV6, SHUNT_82576_RXD_RSS_IPV6, 6, 0 },
		{ SHUNT_82576_MRQC_IPV6_EX, SHUNT_82576_RXD_RSS_IPV6_EX, 6, 0 },
	};
	uint32_t mrqc = sim_register(nic, SHUNT_82576_MRQC);
	unsigned int i;

	for (i = 0; headers->ip != 0 && i < sizeof(types) / sizeof(types[0]); i++)
		if ((mrqc & types[i].enabled) && headers->version == types[i].version &&
			(types[i].protocol == 0 || (headers->transport != 0 &&
							   headers->protocol == types[i].protocol)))
			return types[i].type;
	return SHUNT_82576_RXD_RSS_NONE;
}

static bool hashes_ports(uint32_t type)
{
	return type != SHUNT_82576_RXD_RSS_IPV4 && type != SHUNT_82576_RXD_RSS_IPV6 &&
	       type != SHUNT_82576_RXD_RSS_IPV6_EX;
}

void sim_rx_steer(
	struct sim_nic *nic, const uint8_t *frame, uint32_t length, struct sim_rx_target *target)
{
	uint16_t tag = (uint16_t)sim_register(nic, SHUNT_82576_VET);
	uint8_t input[IPV6_BYTES + PORTS_BYTES];
	struct sim_headers headers;
	uint32_t bytes;

	*target = (struct sim_rx_target){ 0 };
	sim_headers_find(frame, length, tag, &headers);
	target->type = type_of(nic, &headers);
	if (target->type == SHUNT_82576_RXD_RSS_NONE)
		return;
	if (headers.version == 4) {
		bytes = IPV4_BYTES;
		memcpy(input, frame + headers.ip + IPV4_ADDRESSES, IPV4_BYTES);
	} else {
		bytes = IPV6_BYTES;
		memcpy(input, frame + headers.ip + IPV6_ADDRESSES, IPV6_BYTES);
	}
	if (hashes_ports(target->type)) {
		memcpy(input + bytes, frame + headers.transport, PORTS_BYTES);
		bytes += PORTS_BYTES;
	}
	target->hash = toeplitz(nic, input, bytes);
	target->queue = queue_of(nic, target->hash % SHUNT_82576_RETA_ENTRIES);
}
