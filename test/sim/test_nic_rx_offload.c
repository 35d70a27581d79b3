/* SPDX-License-Identifier: BSD-3-Clause */
/* What the NIC model does with the content of frames it receives: checksums, VLAN tags, RSS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "offload_fixture.h"
#include "sim_headers.h"

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

static uint32_t status_of(struct rig *rig, const uint8_t *frame, uint32_t length)
{
	struct rig_port *port = &rig->port[0];
	const union shunt_82576_rx_descriptor *descriptor = &port->rx[port->rx_next];

	rig_post(rig, 0, 1);
	sim_rx_frame(port->nic, frame, length);
	assert_true(rig_receive(rig, 0) >= 0);
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
	rig_set(*state, 0, SHUNT_82576_RXCSUM, 0);
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
	struct rig *rig = *state;
	struct rig_port *port = &rig->port[0];
	uint8_t frame[512], plain[512];
	uint32_t length = make_ipv4(frame, IPPROTO_TCP, PAYLOAD), fcs;

	put_sums(frame);
	memcpy(plain, frame, length);
	length = add_tag(frame, length, 0x6ABC);
	/* It is a part of the frame, and what is behind it is looked at all the same. */
	assert_int_equal(
		status_of(rig, frame, length), SHUNT_82576_RXD_IPCS | SHUNT_82576_RXD_L4CS);
	assert_memory_equal(port->rx_buffers, frame, length);
	rig_set(rig, 0, SHUNT_82576_CTRL, rig_get(rig, 0, SHUNT_82576_CTRL) | SHUNT_82576_CTRL_VME);
	assert_int_equal(status_of(rig, frame, length),
		SHUNT_82576_RXD_IPCS | SHUNT_82576_RXD_L4CS | SHUNT_82576_RXD_VP);
	assert_int_equal(port->rx[1].writeback.vlan, 0x6ABC);
	assert_int_equal(port->rx[1].writeback.length, length - 4);
	assert_memory_equal(port->rx_buffers + RIG_BUFFER, plain, length - 4);
	/* The FCS is that of the wire. */
	rig_set(rig, 0, SHUNT_82576_RCTL,
		rig_get(rig, 0, SHUNT_82576_RCTL) & ~SHUNT_82576_RCTL_SECRC);
	assert_true(status_of(rig, frame, length) & SHUNT_82576_RXD_VP);
	assert_int_equal(port->rx[2].writeback.length, length);
	memcpy(&fcs, port->rx_buffers + 2 * RIG_BUFFER + length - 4, sizeof(fcs));
	assert_int_equal(fcs, sim_fcs(frame, length));
	assert_false(status_of(rig, plain, length - 4) & SHUNT_82576_RXD_VP);
}

static void tags_are_filtered(void **state)
{
	struct rig *rig = *state;
	struct sim_nic *nic = rig->port[0].nic;
	uint8_t frame[64];

	rig_post(rig, 0, 8);
	rig_set(rig, 0, SHUNT_82576_RCTL, rig_get(rig, 0, SHUNT_82576_RCTL) | SHUNT_82576_RCTL_VFE);
	rig_set(rig, 0, SHUNT_82576_VFTA(100 / 32), 1u << 100 % 32);
	rig_make_frame(frame, 0, 60);
	sim_rx_frame(nic, frame, 60); /* without a tag */
	add_tag(frame, 60, 0xE000 | 100);
	sim_rx_frame(nic, frame, 64);
	assert_int_equal(rig_truth(rig, 0).rx_delivered, 2);
	sim_put16(frame + 14, 101);
	sim_rx_frame(nic, frame, 64);
	assert_int_equal(rig_truth(rig, 0).rx_delivered, 2);
	assert_int_equal(rig_truth(rig, 0).rx_filtered, 1);
}

/* Microsoft's verification suite of RSS: its key, and its first row. */
static void frames_are_hashed(void **state)
{
	static const uint8_t key[40] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
		0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
		0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac,
		0x01, 0xfa };
	struct rig *rig = *state;
	struct rig_port *port = &rig->port[0];
	uint8_t frame[256];
	uint32_t length = make_ipv4(frame, IPPROTO_TCP, 8);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + ETHER);

	ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(66, 9, 149, 187));
	ip->dst_addr = rte_cpu_to_be_32(RTE_IPV4(161u, 142, 100, 80));
	sim_put16(frame + ETHER + IPV4, 2794);
	sim_put16(frame + ETHER + IPV4 + 2, 1766);
	for (uint32_t i = 0; i < 10; i++)
		rig_set(rig, 0, SHUNT_82576_RSSRK(i),
			(uint32_t)key[4 * i] | (uint32_t)key[4 * i + 1] << 8 |
				(uint32_t)key[4 * i + 2] << 16 | (uint32_t)key[4 * i + 3] << 24);
	rig_set(rig, 0, SHUNT_82576_RXCSUM, SHUNT_82576_RXCSUM_PCSD);
	rig_set(rig, 0, SHUNT_82576_MRQC,
		SHUNT_82576_MRQC_RSS | SHUNT_82576_MRQC_TCP_IPV4 | SHUNT_82576_MRQC_IPV4);
	status_of(rig, frame, length);
	assert_int_equal(port->rx[0].writeback.rss_hash, 0x51ccc178);
	assert_int_equal(port->rx[0].writeback.packet_info & SHUNT_82576_RXD_RSS_TYPE,
		SHUNT_82576_RXD_RSS_TCP_IPV4);
	ip->next_proto_id = IPPROTO_UDP; /* not chosen: addresses alone */
	status_of(rig, frame, length);
	assert_int_equal(port->rx[1].writeback.rss_hash, 0x323e8fc2);
	assert_int_equal(port->rx[1].writeback.packet_info & SHUNT_82576_RXD_RSS_TYPE,
		SHUNT_82576_RXD_RSS_IPV4);
	frame[12] = 0x88;
	status_of(rig, frame, length);
	assert_int_equal(port->rx[2].writeback.rss_hash, 0);
	assert_int_equal(port->rx[2].writeback.packet_info & SHUNT_82576_RXD_RSS_TYPE, 0);
}

static void hashes_choose_queues(void **state)
{
	struct rig *rig = *state;
	struct sim_nic *nic = rig->port[0].nic;
	uint8_t frame[256];
	uint32_t length = make_ipv4(frame, IPPROTO_UDP, PAYLOAD);
	uint64_t iova = (uintptr_t)rig->port[1].rx;

	rig_set(rig, 0, SHUNT_82576_RXCSUM, SHUNT_82576_RXCSUM_PCSD);
	for (uint32_t i = 0; i < SHUNT_82576_RETA_ENTRIES / 4; i++)
		rig_set(rig, 0, SHUNT_82576_RETA(i), 0x05050505);
	rig_set(rig, 0, SHUNT_82576_MRQC, SHUNT_82576_MRQC_RSS | SHUNT_82576_MRQC_UDP_IPV4);
	/* Queue 5 is off. */
	sim_rx_frame(nic, frame, length);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RQDPC(5)), 1);
	assert_int_equal(rig_truth(rig, 0).rx_no_room, 1);
	assert_int_equal(rig_truth(rig, 0).rx_fifo, 0);

	rig_set(rig, 0, SHUNT_82576_RDBAL(5), (uint32_t)iova);
	rig_set(rig, 0, SHUNT_82576_RDBAH(5), (uint32_t)(iova >> 32));
	rig_set(rig, 0, SHUNT_82576_RDLEN(5), RIG_RING * 16);
	rig_set(rig, 0, SHUNT_82576_SRRCTL(5), 2 | SHUNT_82576_SRRCTL_DESCTYPE_ADVANCED);
	rig_set(rig, 0, SHUNT_82576_RXDCTL(5), SHUNT_82576_RXDCTL_ENABLE);
	rig_turn(rig, 0);
	rig->port[1].rx[0].read.packet_address = (uintptr_t)rig->port[1].rx_buffers;
	rig_set(rig, 0, SHUNT_82576_RDT(5), 1);
	sim_rx_frame(nic, frame, length);
	assert_true(rig->port[1].rx[0].writeback.status_error & SHUNT_82576_RXD_DD);
	assert_memory_equal(rig->port[1].rx_buffers, frame, length);
	rig_balanced(rig, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(received_sums_are_checked),
		TEST(sums_of_ipv6_are_checked),
		TEST(tags_are_stripped),
		TEST(tags_are_filtered),
		TEST(frames_are_hashed),
		TEST(hashes_choose_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
