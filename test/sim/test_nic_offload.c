/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the NIC model does with the content of frames: VLAN tags, checksums, TCP segmentation,
 * receive side scaling. Sums are those of DPDK's functions, which the model does not use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_thash.h>
#include <rte_udp.h>

#include "nic_bench.h"
#include "sim_headers.h"

#define ETHER   sizeof(struct rte_ether_hdr)
#define IPV4    sizeof(struct rte_ipv4_hdr)
#define IPV6    sizeof(struct rte_ipv6_hdr)
#define TCP     sizeof(struct rte_tcp_hdr)
#define UDP     sizeof(struct rte_udp_hdr)
#define PAYLOAD 100u

static int start(void **state)
{
	struct bench *bench;

	if (bench_create(state))
		return -1;
	bench = *state;
	bench_connect(bench, 0);
	bench_start(bench, 0);
	return 0;
}

/* A frame of IPv4 and TCP or UDP, checksums zero. @return its length */
static uint32_t make_ipv4(uint8_t *frame, uint8_t protocol, uint32_t payload)
{
	uint32_t l4 = protocol == IPPROTO_TCP ? TCP : UDP;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + ETHER);
	uint8_t *transport = frame + ETHER + IPV4;

	memset(frame, 0, ETHER + IPV4 + l4);
	memset(frame, 2, 12);
	frame[12] = 0x08;
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(IPV4 + l4 + payload));
	ip->packet_id = rte_cpu_to_be_16(0xFFFE);
	ip->time_to_live = 9;
	ip->next_proto_id = protocol;
	ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 1, 2, 3));
	ip->dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 9, 8, 7));
	sim_put16(transport, 1234);
	sim_put16(transport + 2, 80);
	if (protocol == IPPROTO_UDP)
		sim_put16(transport + 4, UDP + payload);
	else
		transport[12] = TCP / 4 << 4;
	for (uint32_t i = 0; i < payload; i++)
		transport[l4 + i] = (uint8_t)(i * 13 + (i >> 7));
	return (uint32_t)(ETHER + IPV4 + l4 + payload);
}

static uint32_t make_ipv6(uint8_t *frame, uint8_t protocol, uint32_t payload)
{
	uint32_t l4 = protocol == IPPROTO_TCP ? TCP : UDP;
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame + ETHER);
	uint8_t inner[128 + PAYLOAD];

	make_ipv4(inner, protocol, payload);
	memset(frame, 2, 12);
	frame[12] = 0x86;
	frame[13] = 0xDD;
	memset(ip, 0, IPV6);
	ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(l4 + payload));
	ip->proto = protocol;
	for (uint8_t i = 0; i < 16; i++) {
		((uint8_t *)&ip->src_addr)[i] = i;
		((uint8_t *)&ip->dst_addr)[i] = (uint8_t)(0xF0 - i);
	}
	memcpy(frame + ETHER + IPV6, inner + ETHER + IPV4, l4 + payload);
	return (uint32_t)(ETHER + IPV6 + l4 + payload);
}

static void put_sums(uint8_t *frame)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + ETHER);
	uint8_t *transport = frame + ETHER + IPV4;
	uint16_t sum;

	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	sum = rte_ipv4_udptcp_cksum(ip, transport);
	memcpy(transport + (ip->next_proto_id == IPPROTO_TCP ? 16 : 6), &sum, sizeof(sum));
}

static bool sums_are_right(const uint8_t *frame)
{
	uint8_t right[BENCH_BUFFER];
	uint32_t length = ETHER + sim_get16(frame + ETHER + 2);

	memcpy(right, frame, length);
	memset(right + ETHER + IPV4 + (frame[ETHER + 9] == IPPROTO_TCP ? 16 : 6), 0, 2);
	put_sums(right);
	return memcmp(right, frame, length) == 0;
}

/* ---- receive ---- */

static uint32_t status_of(struct bench *bench, const uint8_t *frame, uint32_t length)
{
	struct bench_port *port = &bench->port[0];
	const union shunt_82576_rx_descriptor *descriptor = &port->rx[port->rx_next];

	bench_post(bench, 0, 1);
	sim_rx_frame(port->nic, frame, length);
	assert_true(bench_receive(bench, 0) >= 0);
	return descriptor->writeback.status_error & ~(SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP);
}

static void received_sums_are_checked(void **state)
{
	const uint32_t tcp = SHUNT_82576_RXD_L4CS, udp = tcp | SHUNT_82576_RXD_UDPCS;
	uint8_t frame[512];
	uint32_t length;

	length = make_ipv4(frame, IPPROTO_TCP, PAYLOAD);
	put_sums(frame);
	assert_int_equal(status_of(*state, frame, length), SHUNT_82576_RXD_IPCS | tcp);
	frame[ETHER + IPV4 + TCP + 7] ^= 1;
	assert_int_equal(
		status_of(*state, frame, length), SHUNT_82576_RXD_IPCS | tcp | SHUNT_82576_RXD_L4E);
	/* Odd length, and padding that is no part of the datagram. */
	length = make_ipv4(frame, IPPROTO_UDP, 3);
	put_sums(frame);
	memset(frame + length, 0x55, 60 - length);
	assert_int_equal(status_of(*state, frame, 60), SHUNT_82576_RXD_IPCS | udp);
	frame[ETHER + 8]--;
	assert_int_equal(
		status_of(*state, frame, 60), SHUNT_82576_RXD_IPCS | SHUNT_82576_RXD_IPE | udp);
	/* No checksum of UDP, fragments: nothing to check. */
	frame[ETHER + IPV4 + 6] = frame[ETHER + IPV4 + 7] = 0;
	assert_false(status_of(*state, frame, 60) & udp);
	frame[ETHER + 6] = 0x20;
	frame[ETHER + IPV4 + 6] = 1;
	assert_false(status_of(*state, frame, 60) & udp);
	bench_set(*state, 0, SHUNT_82576_RXCSUM, 0);
	assert_int_equal(status_of(*state, frame, 60), 0);
}

static void sums_of_ipv6_are_checked(void **state)
{
	uint8_t frame[512];
	uint32_t length = make_ipv6(frame, IPPROTO_TCP, PAYLOAD);
	uint16_t sum =
		rte_ipv6_udptcp_cksum((struct rte_ipv6_hdr *)(frame + ETHER), frame + ETHER + IPV6);

	assert_int_equal(
		status_of(*state, frame, length), SHUNT_82576_RXD_L4CS | SHUNT_82576_RXD_L4E);
	memcpy(frame + ETHER + IPV6 + 16, &sum, sizeof(sum));
	assert_int_equal(status_of(*state, frame, length), SHUNT_82576_RXD_L4CS);
}

static uint32_t add_tag(uint8_t *frame, uint32_t length, uint16_t tag)
{
	memmove(frame + 16, frame + 12, length - 12);
	frame[12] = 0x81;
	frame[13] = 0x00;
	sim_put16(frame + 14, tag);
	return length + 4;
}

static void tags_are_stripped(void **state)
{
	struct bench *bench = *state;
	struct bench_port *port = &bench->port[0];
	uint8_t frame[512], plain[512];
	uint32_t length = make_ipv4(frame, IPPROTO_TCP, PAYLOAD), fcs;

	put_sums(frame);
	memcpy(plain, frame, length);
	length = add_tag(frame, length, 0x6ABC);
	/* It is a part of the frame, and what is behind it is looked at all the same. */
	assert_int_equal(
		status_of(bench, frame, length), SHUNT_82576_RXD_IPCS | SHUNT_82576_RXD_L4CS);
	assert_memory_equal(port->rx_buffers, frame, length);
	bench_set(bench, 0, SHUNT_82576_CTRL,
		bench_get(bench, 0, SHUNT_82576_CTRL) | SHUNT_82576_CTRL_VME);
	assert_int_equal(status_of(bench, frame, length),
		SHUNT_82576_RXD_IPCS | SHUNT_82576_RXD_L4CS | SHUNT_82576_RXD_VP);
	assert_int_equal(port->rx[1].writeback.vlan, 0x6ABC);
	assert_int_equal(port->rx[1].writeback.length, length - 4);
	assert_memory_equal(port->rx_buffers + BENCH_BUFFER, plain, length - 4);
	/* The FCS is that of the wire. */
	bench_set(bench, 0, SHUNT_82576_RCTL,
		bench_get(bench, 0, SHUNT_82576_RCTL) & ~SHUNT_82576_RCTL_SECRC);
	assert_true(status_of(bench, frame, length) & SHUNT_82576_RXD_VP);
	assert_int_equal(port->rx[2].writeback.length, length);
	memcpy(&fcs, port->rx_buffers + 2 * BENCH_BUFFER + length - 4, sizeof(fcs));
	assert_int_equal(fcs, sim_wire_fcs(frame, length));
	assert_false(status_of(bench, plain, length - 4) & SHUNT_82576_RXD_VP);
}

static void tags_are_filtered(void **state)
{
	struct bench *bench = *state;
	struct sim_nic *nic = bench->port[0].nic;
	uint8_t frame[64];

	bench_post(bench, 0, 8);
	bench_set(bench, 0, SHUNT_82576_RCTL,
		bench_get(bench, 0, SHUNT_82576_RCTL) | SHUNT_82576_RCTL_VFE);
	bench_set(bench, 0, SHUNT_82576_VFTA(100 / 32), 1u << 100 % 32);
	bench_make_frame(frame, 0, 60);
	sim_rx_frame(nic, frame, 60); /* without a tag */
	add_tag(frame, 60, 0xE000 | 100);
	sim_rx_frame(nic, frame, 64);
	assert_int_equal(bench_truth(bench, 0).rx_delivered, 2);
	sim_put16(frame + 14, 101);
	sim_rx_frame(nic, frame, 64);
	assert_int_equal(bench_truth(bench, 0).rx_delivered, 2);
	assert_int_equal(bench_truth(bench, 0).rx_filtered, 1);
}

/* Microsoft's verification suite of RSS: its key, and its first row. */
static void frames_are_hashed(void **state)
{
	static const uint8_t key[40] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
		0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
		0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac,
		0x01, 0xfa };
	struct bench *bench = *state;
	struct bench_port *port = &bench->port[0];
	uint8_t frame[256];
	uint32_t length = make_ipv4(frame, IPPROTO_TCP, 8);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + ETHER);

	ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(66, 9, 149, 187));
	ip->dst_addr = rte_cpu_to_be_32(RTE_IPV4(161u, 142, 100, 80));
	sim_put16(frame + ETHER + IPV4, 2794);
	sim_put16(frame + ETHER + IPV4 + 2, 1766);
	for (uint32_t i = 0; i < 10; i++)
		bench_set(bench, 0, SHUNT_82576_RSSRK(i),
			(uint32_t)key[4 * i] | (uint32_t)key[4 * i + 1] << 8 |
				(uint32_t)key[4 * i + 2] << 16 | (uint32_t)key[4 * i + 3] << 24);
	bench_set(bench, 0, SHUNT_82576_RXCSUM, SHUNT_82576_RXCSUM_PCSD);
	bench_set(bench, 0, SHUNT_82576_MRQC,
		SHUNT_82576_MRQC_RSS | SHUNT_82576_MRQC_TCP_IPV4 | SHUNT_82576_MRQC_IPV4);
	status_of(bench, frame, length);
	assert_int_equal(port->rx[0].writeback.rss_hash, 0x51ccc178);
	assert_int_equal(port->rx[0].writeback.packet_info & SHUNT_82576_RXD_RSS_TYPE,
		SHUNT_82576_RXD_RSS_TCP_IPV4);
	ip->next_proto_id = IPPROTO_UDP; /* not chosen: addresses alone */
	status_of(bench, frame, length);
	assert_int_equal(port->rx[1].writeback.rss_hash, 0x323e8fc2);
	assert_int_equal(port->rx[1].writeback.packet_info & SHUNT_82576_RXD_RSS_TYPE,
		SHUNT_82576_RXD_RSS_IPV4);
	frame[12] = 0x88;
	status_of(bench, frame, length);
	assert_int_equal(port->rx[2].writeback.rss_hash, 0);
	assert_int_equal(port->rx[2].writeback.packet_info & SHUNT_82576_RXD_RSS_TYPE, 0);
}

static void hashes_choose_queues(void **state)
{
	struct bench *bench = *state;
	struct sim_nic *nic = bench->port[0].nic;
	uint8_t frame[256];
	uint32_t length = make_ipv4(frame, IPPROTO_UDP, PAYLOAD);
	uint64_t iova = (uintptr_t)bench->port[1].rx;

	bench_set(bench, 0, SHUNT_82576_RXCSUM, SHUNT_82576_RXCSUM_PCSD);
	for (uint32_t i = 0; i < SHUNT_82576_RETA_ENTRIES / 4; i++)
		bench_set(bench, 0, SHUNT_82576_RETA(i), 0x05050505);
	bench_set(bench, 0, SHUNT_82576_MRQC, SHUNT_82576_MRQC_RSS | SHUNT_82576_MRQC_UDP_IPV4);
	/* Queue 5 is off. */
	sim_rx_frame(nic, frame, length);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_RQDPC(5)), 1);
	assert_int_equal(bench_truth(bench, 0).rx_no_room, 1);
	assert_int_equal(bench_truth(bench, 0).rx_fifo, 0);

	bench_set(bench, 0, SHUNT_82576_RDBAL(5), (uint32_t)iova);
	bench_set(bench, 0, SHUNT_82576_RDBAH(5), (uint32_t)(iova >> 32));
	bench_set(bench, 0, SHUNT_82576_RDLEN(5), BENCH_RING * 16);
	bench_set(bench, 0, SHUNT_82576_SRRCTL(5), 2 | SHUNT_82576_SRRCTL_DESCTYPE_ADVANCED);
	bench_set(bench, 0, SHUNT_82576_RXDCTL(5), SHUNT_82576_RXDCTL_ENABLE);
	bench_turn(bench, 0);
	bench->port[1].rx[0].read.packet_address = (uintptr_t)bench->port[1].rx_buffers;
	bench_set(bench, 0, SHUNT_82576_RDT(5), 1);
	sim_rx_frame(nic, frame, length);
	assert_true(bench->port[1].rx[0].writeback.status_error & SHUNT_82576_RXD_DD);
	assert_memory_equal(bench->port[1].rx_buffers, frame, length);
	bench_balanced(bench, 0);
}

/* ---- transmit ---- */

static void give_context(struct bench *bench, uint32_t lengths, uint32_t type, uint32_t mss)
{
	struct bench_port *port = &bench->port[0];
	union shunt_82576_tx_descriptor *descriptor = &port->tx[port->tx_tail];

	descriptor->context.vlan_lengths = lengths;
	descriptor->context.reserved = 0;
	descriptor->context.command_type =
		SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_CONTEXT | type;
	descriptor->context.mss_l4_length = mss;
	port->tx_tail = (port->tx_tail + 1) % BENCH_RING;
}

/* Sends a frame from buffer memory. */
static void transmit(struct bench *bench, const uint8_t *frame, uint32_t length, uint32_t command,
	uint32_t options, uint32_t payload)
{
	struct bench_port *port = &bench->port[0];
	union shunt_82576_tx_descriptor *descriptor = &port->tx[port->tx_tail];

	memcpy(port->tx_buffers, frame, length);
	descriptor->read.address = (uintptr_t)port->tx_buffers;
	descriptor->read.command_length = length | command | SHUNT_82576_TXD_DTYP_DATA |
					  SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_EOP |
					  SHUNT_82576_TXD_IFCS;
	descriptor->read.options = options | payload << SHUNT_82576_TXD_PAYLEN_SHIFT;
	port->tx_tail = (port->tx_tail + 1) % BENCH_RING;
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
}

static uint32_t lengths(uint32_t ip, uint32_t vlan)
{
	return ip | ETHER << SHUNT_82576_TXC_MACLEN_SHIFT | vlan << SHUNT_82576_TXC_VLAN_SHIFT;
}

static void seed(uint8_t *frame, uint64_t flags)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + ETHER);
	uint16_t sum = rte_ipv4_phdr_cksum(ip, flags);

	memcpy(frame + ETHER + IPV4 + (ip->next_proto_id == IPPROTO_TCP ? 16 : 6), &sum,
		sizeof(sum));
}

static void sums_are_inserted(void **state)
{
	const uint32_t both = SHUNT_82576_TXD_POPTS_IXSM | SHUNT_82576_TXD_POPTS_TXSM;
	struct bench *bench = *state;
	uint8_t frame[512];
	uint32_t length;

	for (uint32_t payload = 1; payload < 80; payload++) {
		bool tcp = payload & 1;

		length = make_ipv4(frame, tcp ? IPPROTO_TCP : IPPROTO_UDP, payload);
		seed(frame, 0);
		give_context(bench, lengths(IPV4, 0),
			SHUNT_82576_TXC_IPV4 |
				(tcp ? SHUNT_82576_TXC_L4T_TCP : SHUNT_82576_TXC_L4T_UDP),
			0);
		transmit(bench, frame, length, 0, both, length);
		assert_int_equal(bench->tester.received, payload);
		assert_int_equal(bench->tester.last_length, RTE_MAX(length, 60u));
		assert_true(sums_are_right(bench->tester.last));
	}
}

static void two_contexts_are_kept(void **state)
{
	struct bench *bench = *state;
	uint8_t frame[512];
	uint32_t length = make_ipv4(frame, IPPROTO_UDP, PAYLOAD);

	give_context(bench, lengths(0, 11), 0, 0);
	give_context(bench, lengths(0, 22), 0, 1u << SHUNT_82576_TXD_CONTEXT_SHIFT);
	transmit(bench, frame, length, SHUNT_82576_TXD_VLE, 0, length);
	assert_int_equal(bench->tester.last_length, length + 4);
	assert_int_equal(sim_get16(bench->tester.last + 12), 0x8100);
	assert_int_equal(sim_get16(bench->tester.last + 14), 11);
	assert_memory_equal(bench->tester.last + 16, frame + 12, length - 12);
	transmit(bench, frame, length, SHUNT_82576_TXD_VLE, 1u << SHUNT_82576_TXD_CONTEXT_SHIFT,
		length);
	assert_int_equal(sim_get16(bench->tester.last + 14), 22);
	/* Turning the queue off forgets them. */
	bench_set(bench, 0, SHUNT_82576_TXDCTL(0), 0);
	bench_turn(bench, 0);
	bench_set(bench, 0, SHUNT_82576_TXDCTL(0), SHUNT_82576_TXDCTL_ENABLE);
	bench_turn(bench, 0);
	transmit(bench, frame, length, SHUNT_82576_TXD_VLE, 0, length);
	assert_int_equal(sim_get16(bench->tester.last + 14), 0);
}

/* RFC 9260 says how; the check value of the nine digits is that of CRC-32/ISCSI. */
static void the_crc_of_sctp_is_inserted(void **state)
{
	struct bench *bench = *state;
	uint8_t frame[512];
	uint32_t length = make_ipv4(frame, IPPROTO_UDP, 40), crc, place = ETHER + IPV4;

	assert_int_equal(sim_crc32c((const uint8_t *)"123456789", 9), 0xE3069283);
	frame[ETHER + 9] = IPPROTO_SCTP;
	give_context(bench, lengths(IPV4, 0), SHUNT_82576_TXC_IPV4 | SHUNT_82576_TXC_L4T_SCTP, 0);
	transmit(bench, frame, length, 0, SHUNT_82576_TXD_POPTS_TXSM, length);
	memset(frame + place + 8, 0, 4);
	crc = sim_crc32c(frame + place, length - place);
	assert_memory_equal(bench->tester.last + place + 8, &crc, sizeof(crc));
}

#define MSS 100u

static uint32_t segments;
static uint8_t segment[64][256];
static uint32_t segment_length[64];

static void take_segment(void *context, uint64_t now, const void *frame, uint32_t length)
{
	memcpy(segment[segments], frame, length);
	segment_length[segments++] = length;
}

static void check_segment(const uint8_t *whole, uint32_t i, uint32_t payload, uint32_t count)
{
	const uint32_t headers = ETHER + IPV4 + TCP;
	uint32_t part = i + 1 == count ? payload - i * MSS : MSS;
	const struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(segment[i] + ETHER);
	const struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(segment[i] + ETHER + IPV4);

	assert_int_equal(segment_length[i], RTE_MAX(headers + part, 60u));
	assert_int_equal(rte_be_to_cpu_16(ip->total_length), IPV4 + TCP + part);
	assert_int_equal(rte_be_to_cpu_16(ip->packet_id), (uint16_t)(0xFFFE + i));
	assert_int_equal(rte_be_to_cpu_32(tcp->sent_seq), 0xFFFFFF00u + i * MSS);
	assert_int_equal(tcp->tcp_flags, i + 1 == count ? 0x1B : 0x12);
	assert_true(sums_are_right(segment[i]));
	assert_memory_equal(segment[i] + headers, whole + headers + i * MSS, part);
}

static void tcp_is_segmented(void **state)
{
	struct bench *bench = *state;
	uint8_t frame[BENCH_BUFFER];
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(frame + ETHER + IPV4);
	uint32_t payload, length;

	bench->tester.endpoint.receive = take_segment;
	bench->port[0].nic->endpoint.receive = take_segment;
	for (payload = 50; payload < 1500; payload += 149) {
		uint32_t count = (payload + MSS - 1) / MSS;

		segments = 0;
		length = make_ipv4(frame, IPPROTO_TCP, payload);
		tcp->sent_seq = rte_cpu_to_be_32(0xFFFFFF00u);
		tcp->tcp_flags = 0x1B; /* ACK, PSH, SYN for the test, FIN */
		seed(frame, RTE_MBUF_F_TX_TCP_SEG);
		give_context(bench, lengths(IPV4, 0),
			SHUNT_82576_TXC_IPV4 | SHUNT_82576_TXC_L4T_TCP,
			MSS << SHUNT_82576_TXC_MSS_SHIFT | TCP << SHUNT_82576_TXC_L4LEN_SHIFT);
		transmit(bench, frame, length, SHUNT_82576_TXD_TSE,
			SHUNT_82576_TXD_POPTS_IXSM | SHUNT_82576_TXD_POPTS_TXSM, payload);
		assert_int_equal(segments, count);
		for (uint32_t i = 0; i < count; i++)
			check_segment(frame, i, payload, count);
	}
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_TSCTC), 10);
	assert_int_equal(bench_truth(bench, 0).tx_discarded, 0);
}

static void loopback_takes_the_wire_away(void **state)
{
	struct bench *bench = *state;

	bench_set(bench, 0, SHUNT_82576_RCTL,
		bench_get(bench, 0, SHUNT_82576_RCTL) | SHUNT_82576_RCTL_LBM_MAC);
	bench_post(bench, 0, 4);
	bench_queue(bench, 0, 7, 100);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 0);
	assert_int_equal(bench_receive(bench, 0), 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, bench_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(received_sums_are_checked),
		TEST(sums_of_ipv6_are_checked),
		TEST(tags_are_stripped),
		TEST(tags_are_filtered),
		TEST(frames_are_hashed),
		TEST(hashes_choose_queues),
		TEST(sums_are_inserted),
		TEST(two_contexts_are_kept),
		TEST(the_crc_of_sctp_is_inserted),
		TEST(tcp_is_segmented),
		TEST(loopback_takes_the_wire_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
