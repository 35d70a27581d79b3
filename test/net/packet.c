/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "packet.h"

#define ROOM     65536
#define SHORTEST 60u
#define HEADERS  128u /* in one piece, as rte_eth_tx_prepare() wants them */
#define ETHER    sizeof(struct rte_ether_hdr)
#define TAG      sizeof(struct rte_vlan_hdr)

static uint32_t l2_length(const struct packet *packet)
{
	return ETHER + (packet->vlan ? TAG : 0);
}

static uint32_t l3_length(const struct packet *packet)
{
	return packet->ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
}

static uint32_t l4_length(const struct packet *packet)
{
	return packet->tcp ? sizeof(struct rte_tcp_hdr) : sizeof(struct rte_udp_hdr);
}

uint32_t packet_headers(const struct packet *packet)
{
	return l2_length(packet) + l3_length(packet) + l4_length(packet);
}

static void put_ethernet(const struct packet *packet, uint8_t *bytes)
{
	struct rte_ether_hdr *ether = (struct rte_ether_hdr *)bytes;
	rte_be16_t type =
		packet->ipv6 ? RTE_BE16(RTE_ETHER_TYPE_IPV6) : RTE_BE16(RTE_ETHER_TYPE_IPV4);

	memset(ether, 0, sizeof(*ether));
	ether->dst_addr.addr_bytes[0] = 2;
	ether->dst_addr.addr_bytes[5] = packet->last;
	if (!packet->last)
		memset(&ether->dst_addr, 0xFF, sizeof(ether->dst_addr));
	ether->src_addr.addr_bytes[0] = 2;
	ether->src_addr.addr_bytes[5] = 0xEE;
	ether->ether_type = type;
	if (packet->vlan) {
		struct rte_vlan_hdr *tag = (struct rte_vlan_hdr *)(bytes + ETHER);

		ether->ether_type = RTE_BE16(RTE_ETHER_TYPE_VLAN);
		tag->vlan_tci = rte_cpu_to_be_16(packet->vlan);
		tag->eth_proto = type;
	}
}

static void put_ip(const struct packet *packet, uint8_t *bytes)
{
	uint16_t behind = (uint16_t)(l4_length(packet) + packet->payload);
	uint8_t protocol = packet->tcp ? IPPROTO_TCP : IPPROTO_UDP;

	memset(bytes, 0, l3_length(packet));
	if (packet->ipv6) {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)bytes;
		/* An array, or from 24.11 on a structure. */
		uint8_t *from = (uint8_t *)&ip->src_addr, *to = (uint8_t *)&ip->dst_addr;

		ip->vtc_flow = RTE_BE32(6u << 28);
		ip->payload_len = rte_cpu_to_be_16(behind);
		ip->proto = protocol;
		ip->hop_limits = 64;
		from[0] = to[0] = 0xFD;
		from[15] = (uint8_t)packet->flow;
		to[15] = (uint8_t)(packet->flow >> 8);
	} else {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)bytes;

		ip->version_ihl = 0x45;
		ip->total_length = rte_cpu_to_be_16((uint16_t)(l3_length(packet) + behind));
		ip->packet_id = rte_cpu_to_be_16(packet->flow);
		ip->time_to_live = 64;
		ip->next_proto_id = protocol;
		ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 1) + packet->flow);
		ip->dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 9, 0, 1) + packet->flow / 3);
	}
}

static void put_transport(const struct packet *packet, uint8_t *bytes)
{
	memset(bytes, 0, l4_length(packet));
	if (packet->tcp) {
		struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)bytes;

		tcp->src_port = rte_cpu_to_be_16((uint16_t)(1000 + packet->flow));
		tcp->dst_port = RTE_BE16(80);
		tcp->sent_seq = RTE_BE32(0xFFFFF000);
		tcp->data_off = sizeof(*tcp) / 4 << 4;
		tcp->tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG;
		tcp->rx_win = RTE_BE16(4096);
	} else {
		struct rte_udp_hdr *udp = (struct rte_udp_hdr *)bytes;

		udp->src_port = rte_cpu_to_be_16((uint16_t)(1000 + packet->flow));
		udp->dst_port = RTE_BE16(53);
		udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + packet->payload));
	}
	for (uint32_t i = 0; i < packet->payload; i++)
		bytes[l4_length(packet) + i] =
			(uint8_t)(packet->seed + i * 7 + (i >> 8) + packet->flow);
}

static uint32_t bytes_without_sums(const struct packet *packet, uint8_t *bytes)
{
	put_ethernet(packet, bytes);
	put_ip(packet, bytes + l2_length(packet));
	put_transport(packet, bytes + l2_length(packet) + l3_length(packet));
	return packet_headers(packet) + packet->payload;
}

static void put_transport_sum(bool tcp, uint8_t *transport, uint16_t sum)
{
	if (tcp)
		((struct rte_tcp_hdr *)transport)->cksum = sum;
	else
		((struct rte_udp_hdr *)transport)->dgram_cksum = sum;
}

uint32_t packet_bytes(const struct packet *packet, uint8_t *bytes)
{
	uint32_t length = bytes_without_sums(packet, bytes);
	uint8_t *ip = bytes + l2_length(packet), *transport = ip + l3_length(packet);
	struct rte_ipv4_hdr *header = (struct rte_ipv4_hdr *)ip;
	uint16_t sum;

	if (packet->ipv6) {
		sum = rte_ipv6_udptcp_cksum((struct rte_ipv6_hdr *)ip, transport);
	} else {
		header->hdr_checksum = rte_ipv4_cksum(header);
		sum = rte_ipv4_udptcp_cksum(header, transport);
	}
	put_transport_sum(packet->tcp, transport, sum);
	return length;
}

struct rte_mbuf *packet_from(
	struct net *net, const uint8_t *bytes, uint32_t length, uint32_t segments)
{
	uint32_t pieces = segments && length >= 2 * HEADERS ? segments : 1;
	uint32_t piece = length / pieces, offset = 0;
	struct rte_mbuf *frame = NULL;

	for (uint32_t i = 0; i < pieces; i++) {
		uint32_t part = i + 1 == pieces ? length - offset
				: i             ? RTE_MIN(piece, length - offset)
						: RTE_MAX(piece, HEADERS);
		struct rte_mbuf *segment = rte_pktmbuf_alloc(net->pool);

		assert_non_null(segment);
		assert_true(part <= rte_pktmbuf_tailroom(segment));
		memcpy(rte_pktmbuf_append(segment, (uint16_t)part), bytes + offset, part);
		if (frame)
			assert_int_equal(rte_pktmbuf_chain(frame, segment), 0);
		else
			frame = segment;
		offset += part;
	}
	return frame;
}

struct rte_mbuf *packet_make(struct net *net, const struct packet *packet)
{
	uint8_t bytes[ROOM];
	uint32_t length = packet_bytes(packet, bytes);

	return packet_from(net, bytes, length, packet->segments);
}

struct rte_mbuf *packet_make_unsummed(struct net *net, const struct packet *packet)
{
	uint8_t bytes[ROOM];
	uint32_t length = bytes_without_sums(packet, bytes);
	struct rte_mbuf *frame = packet_from(net, bytes, length, packet->segments);

	frame->l2_len = l2_length(packet);
	frame->l3_len = l3_length(packet);
	frame->l4_len = l4_length(packet);
	frame->ol_flags =
		packet->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	frame->ol_flags |= packet->tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	return frame;
}

uint32_t packet_copy(const struct rte_mbuf *frame, uint8_t *bytes, uint32_t room)
{
	uint32_t length = 0;

	for (; frame; frame = frame->next) {
		assert_true(length + frame->data_len <= room);
		memcpy(bytes + length, rte_pktmbuf_mtod(frame, const void *), frame->data_len);
		length += frame->data_len;
	}
	return length;
}

bool packet_equals(const struct rte_mbuf *frame, const struct packet *packet)
{
	uint8_t bytes[ROOM], expected[ROOM];
	uint32_t length = packet_copy(frame, bytes, ROOM);
	uint32_t wanted = packet_bytes(packet, expected);

	return frame->pkt_len == length && memcmp(bytes, expected, wanted) == 0 &&
	       (length == wanted || (wanted < SHORTEST && length <= SHORTEST));
}

bool packet_is(struct rte_mbuf *frame, const struct packet *packet)
{
	bool is = packet_equals(frame, packet);

	if (!is)
		print_message("%u bytes, %u wanted, or others\n", frame->pkt_len,
			packet_headers(packet) + packet->payload);
	rte_pktmbuf_free(frame);
	return is;
}

bool packet_sums_right(const struct rte_mbuf *frame)
{
	uint8_t bytes[ROOM];
	const struct rte_ether_hdr *ether = (const struct rte_ether_hdr *)bytes;
	rte_be16_t type;
	uint8_t *ip = bytes + ETHER;

	packet_copy(frame, bytes, ROOM);
	type = ether->ether_type;
	if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN)) {
		type = ((const struct rte_vlan_hdr *)ip)->eth_proto;
		ip += TAG;
	}
	if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
		return rte_ipv6_udptcp_cksum_verify(
			       (struct rte_ipv6_hdr *)ip, ip + sizeof(struct rte_ipv6_hdr)) == 0;
	return type == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
	       rte_ipv4_cksum((struct rte_ipv4_hdr *)ip) == 0 &&
	       rte_ipv4_udptcp_cksum_verify(
		       (struct rte_ipv4_hdr *)ip, ip + sizeof(struct rte_ipv4_hdr)) == 0;
}
