/* SPDX-License-Identifier: BSD-3-Clause */
#include "offloads.h"

/* VLAN tags: stripped, inserted, filtered. */

/* Whether a tagged frame arrives with its tag stripped, or in it. */
static void tagged(uint16_t tag, bool stripped)
{
	struct packet packet = offloads_kind(tag);
	struct rte_mbuf *frame;

	packet.vlan = tag;
	frame = offloads_send_one(packet_make(&offloads_net, &packet));
	assert_int_equal(frame->ol_flags & (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED),
		stripped ? RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED : 0);
	if (stripped) {
		assert_int_equal(frame->vlan_tci, tag);
		packet.vlan = 0;
	}
	assert_true(packet_is(frame, &packet));
}

static void untagged(void)
{
	struct packet packet = offloads_kind(5);
	struct rte_mbuf *frame = offloads_send_one(packet_make(&offloads_net, &packet));

	assert_false(frame->ol_flags & RTE_MBUF_F_RX_VLAN);
	assert_true(packet_is(frame, &packet));
}

/* With the bursts that expect it and, turned on later, with those that do not. */
void tags_are_stripped(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t strip = i ? RTE_ETH_RX_OFFLOAD_VLAN_STRIP : 0;

		offloads_begin(0, strip);
		tagged(0x2123, strip);
		untagged();
		assert_int_equal(rte_eth_dev_set_vlan_offload(offloads_net.port[1],
					 strip ? 0 : RTE_ETH_VLAN_STRIP_OFFLOAD),
			0);
		tagged(0x2124, !strip);
		untagged();
		assert_int_equal(rte_eth_dev_set_vlan_offload(offloads_net.port[1],
					 strip ? RTE_ETH_VLAN_STRIP_OFFLOAD : 0),
			0);
		tagged(0xEFFF, strip);
		offloads_end();
	}
}

/* The tag belongs to the frame: only its first segment has it (rte_mbuf.h). */
void the_first_segment_has_the_tag(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct net_config config = net_defaults;
		struct packet packet = { .payload = 3900, .segments = 5, .vlan = 0x123, .last = 9 };
		struct rte_mbuf *frame;

		config.data_room = RTE_PKTMBUF_HEADROOM + 1024;
		config.mtu = 4000;
		config.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
		config.eth.rxmode.offloads = i ? RTE_ETH_RX_OFFLOAD_VLAN_STRIP : 0;
		net_create(&offloads_net, &config);
		net_start(&offloads_net);
		assert_int_equal(rte_eth_dev_set_vlan_offload(
					 offloads_net.port[1], RTE_ETH_VLAN_STRIP_OFFLOAD),
			0);
		frame = offloads_send_one(packet_make(&offloads_net, &packet));
		assert_int_equal(frame->nb_segs, 4);
		assert_int_equal(frame->ol_flags, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED);
		assert_int_equal(frame->vlan_tci, packet.vlan);
		for (struct rte_mbuf *more = frame->next; more; more = more->next) {
			assert_int_equal(more->ol_flags, 0);
			assert_int_equal(more->vlan_tci, 0);
		}
		packet.vlan = 0;
		assert_true(packet_is(frame, &packet));
		offloads_end();
	}
}

void tags_are_inserted(void **state)
{
	offloads_begin(RTE_ETH_TX_OFFLOAD_VLAN_INSERT | OFFLOADS_CHECKSUMS, 0);
	for (unsigned int i = 0; i < 100; i++) {
		struct packet packet = offloads_kind(i);
		struct rte_mbuf *frame = i & 4 ? packet_make(&offloads_net, &packet)
					       : packet_make_unsummed(&offloads_net, &packet);

		frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
		frame->vlan_tci = packet.vlan = (uint16_t)(0x6001 + i / 3);
		assert_true(packet_is(offloads_send_one(frame), &packet));
	}
	offloads_end();
}

void tags_are_filtered(void **state)
{
	struct packet wanted = offloads_kind(1), unwanted = offloads_kind(2);
	struct rte_mbuf *frames[2];

	offloads_begin(0, RTE_ETH_RX_OFFLOAD_VLAN_FILTER);
	untagged();
	for (uint16_t id = 1; id < 4095; id = (uint16_t)(id * 3 + 1)) {
		wanted.vlan = (uint16_t)(0xA000 | id);
		unwanted.vlan = (uint16_t)(0xA000 | (id + 1));
		assert_int_equal(rte_eth_dev_vlan_filter(offloads_net.port[1], id, 1), 0);
		frames[0] = packet_make(&offloads_net, &unwanted);
		frames[1] = packet_make(&offloads_net, &wanted);
		offloads_send(frames, 2);
		assert_int_equal(net_receive(offloads_net.port[1], frames, 1), 1);
		assert_true(packet_is(frames[0], &wanted));
		assert_int_equal(rte_eth_dev_vlan_filter(offloads_net.port[1], id, 0), 0);
	}
	assert_int_equal(rte_eth_dev_set_vlan_offload(offloads_net.port[1], 0), 0);
	tagged(77, false);
	offloads_end();
}
