/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a port offers apart from offloads: filters, frame lengths, and what it reports of itself.
 * Runs on the software platform; with two functions named, on those of the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>

#include "rte_net_shunt.h"
#include "two_ports.h"

/* ---- who gets which ---- */

static struct rte_mbuf *addressed(const struct rte_ether_addr *to, uint8_t seed)
{
	struct packet packet = { .payload = 64, .seed = seed, .last = 1 };
	struct rte_mbuf *frame = packet_make(&net, &packet);

	*rte_pktmbuf_mtod(frame, struct rte_ether_addr *) = *to;
	return frame;
}

/* Frames arrive in order. So a frame that always passes shows whether the one before it did. */
static bool passes(const struct rte_ether_addr *to)
{
	static const struct rte_ether_addr broadcast = { { 255, 255, 255, 255, 255, 255 } };
	struct rte_mbuf *frames[2] = { addressed(to, 1), addressed(&broadcast, 2) };
	bool passed;

	assert_int_equal(net_send(net.port[0], frames, 2), 2);
	assert_int_equal(net_receive(net.port[1], frames, 1), 1);
	passed = rte_is_same_ether_addr(rte_pktmbuf_mtod(frames[0], void *), to);
	if (passed) {
		assert_int_equal(net_receive(net.port[1], frames + 1, 1), 1);
		rte_pktmbuf_free(frames[1]);
	}
	rte_pktmbuf_free(frames[0]);
	return passed;
}

static void unicast_addresses(void **state)
{
	struct rte_ether_addr own, more, other = { { 2, 0, 0, 0, 7, 7 } };

	begin();
	assert_true(passes(&other));
	assert_int_equal(rte_eth_promiscuous_disable(net.port[1]), 0);
	assert_false(passes(&other));
	assert_int_equal(rte_eth_macaddr_get(net.port[1], &own), 0);
	assert_true(passes(&own));
	for (uint8_t i = 1; i < 24; i++) { /* all that the NIC has */
		more = (struct rte_ether_addr){ { 2, 0, 0, 0, 9, i } };
		assert_int_equal(rte_eth_dev_mac_addr_add(net.port[1], &more, 0), 0);
	}
	for (uint8_t i = 1; i < 24; i++) {
		more = (struct rte_ether_addr){ { 2, 0, 0, 0, 9, i } };
		assert_true(passes(&more));
		assert_int_equal(rte_eth_dev_mac_addr_remove(net.port[1], &more), 0);
		assert_false(passes(&more));
	}
	assert_int_equal(rte_eth_dev_default_mac_addr_set(net.port[1], &other), 0);
	assert_true(passes(&other));
	assert_false(passes(&own));
	assert_int_equal(rte_eth_dev_default_mac_addr_set(net.port[1], &own), 0);
	assert_int_equal(rte_eth_promiscuous_enable(net.port[1]), 0);
	assert_true(passes(&other));
	finish();
}

static void multicast_addresses(void **state)
{
	struct rte_ether_addr list[] = { { { 1, 0, 0x5E, 1, 2, 3 } },
		{ { 1, 0, 0x5E, 0, 0, 251 } } };
	struct rte_ether_addr other = { { 0x33, 0x33, 0, 0, 0x12, 0x34 } };

	begin();
	assert_int_equal(rte_eth_promiscuous_disable(net.port[1]), 0);
	assert_false(passes(&list[0]));
	assert_int_equal(rte_eth_dev_set_mc_addr_list(net.port[1], list, 2), 0);
	assert_true(passes(&list[0]));
	assert_true(passes(&list[1]));
	assert_false(passes(&other));
	assert_int_equal(rte_eth_allmulticast_enable(net.port[1]), 0);
	assert_true(passes(&other));
	assert_int_equal(rte_eth_allmulticast_disable(net.port[1]), 0);
	assert_false(passes(&other));
	assert_int_equal(rte_eth_dev_set_mc_addr_list(net.port[1], NULL, 0), 0);
	assert_false(passes(&list[0]));
	finish();
}

/* ---- how long ---- */

static void send_long(uint32_t length, bool arrives)
{
	struct packet packet = { .last = 9, .seed = (uint8_t)length };
	struct packet marker = { .last = 9, .payload = 33 };
	struct rte_mbuf *frames[2];
	struct rte_eth_stats stats;

	packet.payload = length - packet_headers(&packet);
	packet.segments = 1 + length / 900;
	frames[0] = packet_make(&net, &packet);
	frames[1] = packet_make(&net, &marker);
	assert_int_equal(net_send(net.port[0], frames, 2), 2);
	assert_int_equal(net_receive(net.port[1], frames, 1 + arrives), 1 + arrives);
	if (arrives) {
		assert_int_equal(frames[0]->nb_segs, (length + 1023) / 1024);
		assert_true(packet_is(frames[0], &packet));
	}
	assert_true(packet_is(frames[arrives], &marker));
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	if (!net_on_kernel()) /* QEMU counts it in ROC alone, which net_e1000_igb does not add
				 either */
		assert_int_equal(stats.ierrors, !arrives);
	assert_int_equal(rte_eth_stats_reset(net.port[1]), 0);
}

static void long_frames_as_the_mtu_says(void **state)
{
	config.data_room = RTE_PKTMBUF_HEADROOM + 1024;
	config.mtu = 4000;
	config.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	begin();
	for (unsigned int i = 0; i < 30; i++)
		send_long(60 + 131 * i, true);
	send_long(4014, true);
	send_long(4014 + 5, false); /* room for one VLAN tag is left */
	assert_int_equal(rte_eth_dev_set_mtu(net.port[1], 9000), 0);
	send_long(9014, true);
	assert_int_equal(rte_eth_dev_set_mtu(net.port[1], 1500), 0);
	send_long(1519, false);
	send_long(1514, true);
	finish();
}

/* ---- what the port tells of itself ---- */

static void registers_and_firmware(void **state)
{
	struct rte_dev_reg_info info = { 0 };
	uint32_t values[2048];
	char version[16];

	begin();
	assert_int_equal(rte_eth_dev_fw_version_get(net.port[0], version, sizeof(version)), 0);
	if (!net_on_kernel())
		assert_string_equal(version, "1.7.0");
	assert_int_equal(
		rte_eth_dev_fw_version_get(net.port[0], version, 3), (int)strlen(version) + 1);
	assert_int_equal(rte_eth_dev_get_reg_info(net.port[0], &info), 0);
	assert_int_equal(info.width, sizeof(values[0]));
	assert_true(info.length > 100 && info.length <= RTE_DIM(values));
	info.data = values;
	assert_int_equal(rte_eth_dev_get_reg_info(net.port[0], &info), 0);
	assert_true(values[1] & 1u << 1); /* STATUS.LU */
	finish();
}

static void statistics(void **state)
{
	struct rte_eth_stats stats;
	struct rte_mbuf *frames[20];
	uint64_t bytes = 0;

	begin();
	for (unsigned int round = 1; round <= 2; round++) {
		bytes = 0;
		for (uint16_t i = 0; i < 20; i++) {
			struct packet packet = { .flow = i, .payload = 30 + 60u * i, .last = 9 };

			frames[i] = packet_make(&net, &packet);
			bytes += frames[i]->pkt_len;
		}
		assert_int_equal(net_send(net.port[0], frames, 20), 20);
		assert_int_equal(net_receive(net.port[1], frames, 20), 20);
		rte_pktmbuf_free_bulk(frames, 20);
		assert_int_equal(rte_eth_stats_get(net.port[0], &stats), 0);
		assert_int_equal(stats.opackets, 20);
		assert_int_equal(stats.obytes, bytes);
		assert_int_equal(stats.oerrors, 0);
		assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
		assert_int_equal(stats.ipackets, 20);
		assert_int_equal(stats.ibytes, bytes);
		assert_int_equal(net_xstat(net.port[1], "rx_q0_packets"), 20);
		assert_int_equal(stats.imissed, 0);
		assert_int_equal(net_xstat(net.port[0], "tx_nic_good_packets"), 20);
		assert_int_equal(net_xstat(net.port[1], "rx_nic_good_packets"), 20);
		assert_int_equal(net_xstat(net.port[1], "rx_nic_good_bytes"),
			bytes + 20 * RTE_ETHER_CRC_LEN);
		assert_int_equal(net_xstat(net.port[1], "rx_size_1024_to_max_packets"), 4);
		assert_int_equal(rte_eth_stats_reset(net.port[0]), 0);
		assert_int_equal(rte_eth_stats_reset(net.port[1]), 0);
		assert_int_equal(net_xstat(net.port[1], "rx_nic_good_packets"), 0);
	}
	finish();
}

static void what_is_left_in_queues(void **state)
{
	struct rte_mbuf *frames[8];

	config.tx_offloads = RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	begin();
	assert_int_equal(rte_eth_rx_queue_count(net.port[1], 0), 0);
	for (uint16_t i = 0; i < 8; i++) {
		struct packet packet = { .flow = i, .payload = 20, .last = 9 };

		frames[i] = packet_make_unsummed(&net, &packet);
	}
	assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, frames, 8), 8);
	assert_int_equal(net_send(net.port[0], frames, 8), 8);
	net_until(rte_eth_rx_queue_count(net.port[1], 0) >= 8);
	assert_int_equal(rte_eth_rx_descriptor_status(net.port[1], 0, 7), RTE_ETH_RX_DESC_DONE);
	assert_int_equal(net_receive(net.port[1], frames, 8), 8);
	assert_int_equal(rte_eth_rx_queue_count(net.port[1], 0), 0);
	rte_pktmbuf_free_bulk(frames, 8);
	assert_true(rte_eth_tx_done_cleanup(net.port[0], 0, 0) >= 0);
	finish();
}

static void loopback(void **state)
{
	struct packet packet = { .payload = 100, .last = 9 };
	struct rte_mbuf *frame;

	config.eth.lpbk_mode = 1;
	begin();
	for (packet.flow = 0; packet.flow < 10; packet.flow++) {
		frame = packet_make(&net, &packet);
		assert_int_equal(net_send(net.port[0], &frame, 1), 1);
		assert_int_equal(net_receive(net.port[0], &frame, 1), 1);
		assert_true(packet_is(frame, &packet));
	}
	assert_int_equal(rte_eth_rx_burst(net.port[1], 0, &frame, 1), 0);
	finish();
}

static void modes_that_are_not_driven_are_refused(void **state)
{
	struct rte_eth_conf conf = { .lpbk_mode = 2 };
	struct rte_eth_dev_info info;

	net_create(&net, &config);
	assert_int_equal(net_probe(&net, 0), 0);
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), -ENOTSUP);
	conf = (struct rte_eth_conf){ .rxmode.mq_mode = RTE_ETH_MQ_RX_VMDQ_ONLY };
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), -ENOTSUP);
	conf = (struct rte_eth_conf){ .link_speeds = RTE_ETH_LINK_SPEED_10M_HD };
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), -ENOTSUP);
	conf = (struct rte_eth_conf){ .link_speeds = RTE_ETH_LINK_SPEED_1G };
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), -ENOTSUP);
	assert_int_equal(rte_eth_dev_info_get(net.port[0], &info), 0);
	conf = (struct rte_eth_conf){ .link_speeds = info.speed_capa };
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), 0);
	conf = (struct rte_eth_conf){ .link_speeds = RTE_ETH_LINK_SPEED_FIXED | info.speed_capa };
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), -ENOTSUP);
	conf = (struct rte_eth_conf){ .link_speeds = RTE_ETH_LINK_SPEED_FIXED };
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), -ENOTSUP);
	net_remove(&net, 0);
	net_destroy(&net);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(unicast_addresses),
		TEST(multicast_addresses),
		TEST(long_frames_as_the_mtu_says),
		TEST(registers_and_firmware),
		TEST(statistics),
		TEST(what_is_left_in_queues),
		TEST(loopback),
		TEST(modes_that_are_not_driven_are_refused),
	};

	if (argc == 3)
		net_use_kernel(argv[1], argv[2]);
	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
