/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offloads, seen from both ends of a wire: checksums, TCP segmentation, the FCS; VLAN tags are in
 * offloads_vlan.c. Runs on the software platform; with two functions named, on those of the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_errno.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <zlib.h>

#include "offloads.h"

#define RX_CHECKSUMS                                                    \
	(RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
		RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define BURST 32

struct net offloads_net;

static int abandon(void **state)
{
	net_abandon(&offloads_net);
	return 0;
}

void offloads_begin(uint64_t tx_offloads, uint64_t rx_offloads)
{
	struct net_config config = net_defaults;

	config.tx_offloads = tx_offloads;
	config.eth.rxmode.offloads = rx_offloads;
	net_create(&offloads_net, &config);
	net_start(&offloads_net);
}

void offloads_end(void)
{
	net_stop(&offloads_net);
	net_destroy(&offloads_net);
}

void offloads_send(struct rte_mbuf **frames, uint16_t n)
{
	assert_int_equal(rte_eth_tx_prepare(offloads_net.port[0], 0, frames, n), n);
	assert_int_equal(net_send(offloads_net.port[0], frames, n), n);
}

struct rte_mbuf *offloads_send_one(struct rte_mbuf *frame)
{
	struct rte_mbuf *received;

	offloads_send(&frame, 1);
	assert_int_equal(net_receive(offloads_net.port[1], &received, 1), 1);
	return received;
}

struct packet offloads_kind(unsigned int i)
{
	return (struct packet){ .ipv6 = i & 1,
		.tcp = i & 2,
		.flow = (uint16_t)i,
		.payload = 1 + (i * 37) % 1400,
		.segments = 1 + i % 3,
		.seed = (uint8_t)i,
		.last = 9 };
}

static void checksums_are_inserted(void **state)
{
	struct rte_mbuf *frames[BURST];
	struct packet packet;

	offloads_begin(OFFLOADS_CHECKSUMS, 0);
	for (unsigned int i = 0; i < 640; i += BURST) {
		for (unsigned int j = 0; j < BURST; j++) {
			packet = offloads_kind(i + j);
			frames[j] = packet_make_unsummed(&offloads_net, &packet);
		}
		offloads_send(frames, BURST);
		assert_int_equal(net_receive(offloads_net.port[1], frames, BURST), BURST);
		for (unsigned int j = 0; j < BURST; j++) {
			packet = offloads_kind(i + j);
			assert_true(packet_sums_right(frames[j]));
			assert_true(packet_is(frames[j], &packet));
		}
	}
	offloads_end();
}

/* Frames without offloads pass among those with offloads. */
static void frames_without_work_go_between(void **state)
{
	struct rte_mbuf *frames[BURST];
	struct packet packet;

	offloads_begin(OFFLOADS_CHECKSUMS | RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE, 0);
	for (unsigned int round = 0; round < 40; round++) {
		for (unsigned int j = 0; j < BURST; j++) {
			packet = offloads_kind(j);
			frames[j] = j % 3 == round % 3
					    ? packet_make(&offloads_net, &packet)
					    : packet_make_unsummed(&offloads_net, &packet);
		}
		offloads_send(frames, BURST);
		assert_int_equal(net_receive(offloads_net.port[1], frames, BURST), BURST);
		for (unsigned int j = 0; j < BURST; j++) {
			packet = offloads_kind(j);
			assert_true(packet_is(frames[j], &packet));
		}
	}
	offloads_end();
}

/* CRC32c over header and data, with zeros in its place: RFC 9260. */
static void the_crc_of_sctp_is_inserted(void **state)
{
	const uint32_t sctp = sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr);
	const uint32_t place = sctp + 8;

	offloads_begin(OFFLOADS_CHECKSUMS | RTE_ETH_TX_OFFLOAD_SCTP_CKSUM, 0);
	for (uint32_t i = 0; i < 40; i++) {
		struct packet packet = { .flow = (uint16_t)i, .payload = 40 + i, .last = 9 };
		uint8_t bytes[256];
		uint64_t aligned[32];
		uint32_t length = packet_bytes(&packet, bytes), crc;
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(bytes + sctp - sizeof(*ip));
		struct rte_mbuf *frame;

		ip->next_proto_id = IPPROTO_SCTP;
		ip->hdr_checksum = 0;
		memset(bytes + place, 0, sizeof(crc));
		frame = packet_from(&offloads_net, bytes, length, 1);
		frame->ol_flags =
			RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_SCTP_CKSUM;
		frame->l2_len = sizeof(struct rte_ether_hdr);
		frame->l3_len = sizeof(*ip);
		frame = offloads_send_one(frame);
		memcpy(aligned, bytes + sctp, length - sctp);
		crc = ~rte_hash_crc(aligned, length - sctp, UINT32_MAX);
		assert_int_equal(packet_copy(frame, bytes, sizeof(bytes)), length);
		assert_memory_equal(bytes + place, &crc, sizeof(crc));
		assert_int_equal(rte_ipv4_cksum(ip), 0);
		rte_pktmbuf_free(frame);
	}
	offloads_end();
}

static uint64_t flags_of(struct rte_mbuf *frame)
{
	uint64_t flags;

	frame = offloads_send_one(frame);
	flags = frame->ol_flags & (RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
	rte_pktmbuf_free(frame);
	return flags;
}

static struct rte_mbuf *spoilt(struct rte_mbuf *frame, uint32_t offset)
{
	(*rte_pktmbuf_mtod_offset(frame, uint8_t *, offset))++;
	return frame;
}

static void received_checksums_are_checked(void **state)
{
	offloads_begin(0, RX_CHECKSUMS);
	for (unsigned int i = 0; i < 8; i++) {
		struct packet packet = offloads_kind(i + 100);
		uint64_t ip = packet.ipv6 ? 0 : RTE_MBUF_F_RX_IP_CKSUM_GOOD;
		uint32_t end_of_headers = packet_headers(&packet);

		packet.segments = 1;
		assert_int_equal(flags_of(packet_make(&offloads_net, &packet)),
			ip | RTE_MBUF_F_RX_L4_CKSUM_GOOD);
		assert_int_equal(
			flags_of(spoilt(packet_make(&offloads_net, &packet), end_of_headers)),
			ip | RTE_MBUF_F_RX_L4_CKSUM_BAD);
		if (!packet.ipv6) /* time to live */
			assert_int_equal(
				flags_of(spoilt(packet_make(&offloads_net, &packet), 14 + 8)),
				RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	}
	offloads_end();
	offloads_begin(0, 0);
	for (unsigned int i = 0; i < 4; i++) {
		struct packet packet = offloads_kind(i);

		assert_int_equal(flags_of(packet_make(&offloads_net, &packet)), 0);
	}
	offloads_end();
}

static void packet_types_are_told(void **state)
{
	static const uint32_t types[] = { RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_UDP,
		RTE_PTYPE_L3_IPV6 | RTE_PTYPE_L4_UDP, RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP,
		RTE_PTYPE_L3_IPV6 | RTE_PTYPE_L4_TCP };

	offloads_begin(0, 0);
	for (unsigned int i = 0; i < 4; i++) {
		struct packet packet = offloads_kind(i);
		struct rte_mbuf *frame = offloads_send_one(packet_make(&offloads_net, &packet));

		assert_int_equal(frame->packet_type, RTE_PTYPE_L2_ETHER | types[i]);
		rte_pktmbuf_free(frame);
	}
	offloads_end();
}

/* ---- the whole frame ---- */

/*
 * ethdev's convention: the FCS is in memory behind the data, and no length includes it. With
 * buffers of 1 KiB, all or part of it may be in a segment of its own.
 */
static void fcs_kept(uint32_t length, uint16_t data_room)
{
	struct packet packet = { .last = 9, .seed = (uint8_t)length, .segments = 1 + length / 900 };
	struct rte_eth_stats stats;
	struct rte_mbuf *frame;
	uint8_t bytes[4096];
	uint32_t fcs;

	/* QEMU omits an FCS that does not fit behind the last data. */
	if (net_on_kernel() && (length - 1) % data_room + 1 + RTE_ETHER_CRC_LEN > data_room)
		return;
	packet.payload = length - packet_headers(&packet);
	assert_int_equal(rte_eth_stats_reset(offloads_net.port[1]), 0);
	frame = offloads_send_one(packet_make(&offloads_net, &packet));
	assert_int_equal(frame->pkt_len, length);
	assert_int_equal(frame->nb_segs, (length + data_room - 1) / data_room);
	packet_copy(frame, bytes, sizeof(bytes));
	if (frame->nb_segs == 1 && length + RTE_ETHER_CRC_LEN <= data_room) {
		memcpy(&fcs, rte_pktmbuf_mtod_offset(frame, uint8_t *, length), sizeof(fcs));
		if (!net_on_kernel()) /* QEMU: zero */
			assert_int_equal(fcs, (uint32_t)crc32(0, bytes, length));
	}
	assert_true(packet_is(frame, &packet));
	assert_int_equal(rte_eth_stats_get(offloads_net.port[1], &stats), 0);
	assert_int_equal(stats.ibytes, length);
	assert_int_equal(stats.ipackets, 1);
}

static void the_fcs_is_kept(void **state)
{
	for (unsigned int small = 0; small < 2; small++) {
		struct net_config config = net_defaults;
		uint16_t room = small ? 1024 : 2048;

		config.data_room = RTE_PKTMBUF_HEADROOM + room;
		config.mtu = small ? 3000 : RTE_ETHER_MTU;
		config.eth.rxmode.offloads = RTE_ETH_RX_OFFLOAD_KEEP_CRC;
		config.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
		net_create(&offloads_net, &config);
		net_start(&offloads_net);
		for (uint32_t length = 60; length <= 66; length++)
			fcs_kept(length, room);
		for (uint32_t length = 1018; length <= 1030; length++)
			fcs_kept(length, room);
		fcs_kept(1514, room);
		for (uint32_t length = 2042; small && length <= 2054; length++)
			fcs_kept(length, room);
		offloads_end();
	}
}

/* ---- TCP segmentation ---- */

#define MSS 1000u

static void check_segment(
	const uint8_t *bytes, uint32_t length, const struct packet *whole, uint32_t offset)
{
	uint32_t headers = packet_headers(whole);
	uint32_t part = RTE_MIN(whole->payload - offset, MSS);
	const struct rte_tcp_hdr *tcp =
		(const struct rte_tcp_hdr *)(bytes + headers - sizeof(struct rte_tcp_hdr));
	uint8_t expected[65536];
	bool last = offset + part == whole->payload;

	packet_bytes(whole, expected);
	assert_int_equal(length, RTE_MAX(headers + part, 60u));
	assert_int_equal(rte_be_to_cpu_32(tcp->sent_seq), 0xFFFFF000u + offset);
	if (!net_on_kernel()) /* QEMU: none has PSH */
		assert_int_equal(tcp->tcp_flags, RTE_TCP_ACK_FLAG | (last ? RTE_TCP_PSH_FLAG : 0));
	assert_memory_equal(bytes + headers, expected + headers + offset, part);
}

static void segment(const struct packet *packet, bool tag)
{
	struct rte_mbuf *frame = packet_make_unsummed(&offloads_net, packet), *received[70];
	uint32_t segments = (packet->payload + MSS - 1) / MSS;
	uint8_t bytes[2048];

	frame->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
	frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	if (tag)
		frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
	frame->vlan_tci = 0x123;
	frame->tso_segsz = MSS;
	offloads_send(&frame, 1);
	assert_int_equal(net_receive(offloads_net.port[1], received, segments), segments);
	for (uint32_t i = 0; i < segments; i++) {
		assert_true(packet_sums_right(received[i]));
		assert_int_equal(
			received[i]->ol_flags & RTE_MBUF_F_RX_VLAN, tag ? RTE_MBUF_F_RX_VLAN : 0);
		assert_int_equal(received[i]->vlan_tci, tag ? 0x123 : 0);
		check_segment(
			bytes, packet_copy(received[i], bytes, sizeof(bytes)), packet, i * MSS);
		rte_pktmbuf_free(received[i]);
	}
}

static void tcp_is_segmented(void **state)
{
	struct rte_eth_stats stats;
	uint64_t packets = 0;

	offloads_begin(
		OFFLOADS_CHECKSUMS | RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_VLAN_INSERT,
		RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
	for (unsigned int i = 0; i < 24; i++) {
		struct packet packet = { .ipv6 = i & 1,
			.tcp = true,
			.payload = i == 23 ? 65000 : 1 + i * 911,
			.segments = i == 23 ? 33 : 1 + (1 + i * 911) / 1900,
			.seed = (uint8_t)i,
			.last = 9 };

		segment(&packet, i & 2);
		packets += (packet.payload + MSS - 1) / MSS;
	}
	assert_int_equal(rte_eth_stats_get(offloads_net.port[0], &stats), 0);
	assert_int_equal(stats.opackets, packets);
	assert_int_equal(stats.oerrors, 0);
	offloads_end();
}

static void what_cannot_be_segmented_is_refused(void **state)
{
	struct packet packet = { .tcp = true, .payload = 500, .last = 9 };
	struct rte_mbuf *frame, *received;
	struct rte_eth_stats stats;

	offloads_begin(OFFLOADS_CHECKSUMS | RTE_ETH_TX_OFFLOAD_TCP_TSO, 0);
	frame = packet_make_unsummed(&offloads_net, &packet);
	frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
	frame->tso_segsz = 0;
	assert_int_equal(rte_eth_tx_prepare(offloads_net.port[0], 0, &frame, 1), 0);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(net_send(offloads_net.port[0], &frame, 1), 1);
	frame = packet_make_unsummed(&offloads_net, &packet);
	frame->ol_flags |= RTE_MBUF_F_TX_QINQ;
	assert_int_equal(rte_eth_tx_prepare(offloads_net.port[0], 0, &frame, 1), 0);
	assert_int_equal(rte_errno, ENOTSUP);
	frame->ol_flags &= ~RTE_MBUF_F_TX_QINQ;
	received = offloads_send_one(frame);
	assert_true(packet_is(received, &packet));
	assert_int_equal(rte_eth_stats_get(offloads_net.port[0], &stats), 0);
	assert_int_equal(stats.oerrors, 1);
	assert_int_equal(stats.opackets, 1);
	offloads_end();
}

#define TEST(name) cmocka_unit_test_teardown(name, abandon)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(checksums_are_inserted),
		TEST(frames_without_work_go_between),
		TEST(the_crc_of_sctp_is_inserted),
		TEST(received_checksums_are_checked),
		TEST(packet_types_are_told),
		TEST(tags_are_stripped),
		TEST(the_first_segment_has_the_tag),
		TEST(tags_are_inserted),
		TEST(tags_are_filtered),
		TEST(the_fcs_is_kept),
		TEST(tcp_is_segmented),
		TEST(what_cannot_be_segmented_is_refused),
	};

	if (argc == 3)
		net_use_kernel(argv[1], argv[2]);
	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
