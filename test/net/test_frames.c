/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames over a wire: bursts of every size, segments, long frames, wrapping rings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net.h"

static struct net net;

static int abandon(void **state)
{
	net_abandon(&net);
	return 0;
}

static void bursts_of_every_size(void **state)
{
	uint32_t sequence = 0;

	net_create(&net, &net_defaults);
	net_start(&net);
	for (unsigned int n = 1; n <= NET_BURST; n++) {
		net_exchange(&net, n & 1, n, 60 + 13 * n, 1, sequence);
		sequence += n;
	}
	net_stop(&net);
	net_destroy(&net);
}

static void rings_wrap(void **state)
{
	struct net_config config = net_defaults;

	config.rx_descriptors = config.tx_descriptors = 64;
	config.tx_offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	net_create(&net, &config);
	net_start(&net);
	for (unsigned int i = 0; i < 300; i++)
		net_exchange(&net, i & 1, 1 + i % 50, 64, 1, 50 * i);
	net_stop(&net);
	net_destroy(&net);
}

static void segments(void **state, uint64_t offloads)
{
	struct net_config config = net_defaults;
	uint32_t sequence = 0;

	config.tx_offloads = offloads;
	net_create(&net, &config);
	net_start(&net);
	for (unsigned int n = 1; n <= 40; n++) {
		net_exchange(&net, 0, 7, 1024 + n, n, sequence);
		sequence += 7;
	}
	net_stop(&net);
	net_destroy(&net);
}

static void segments_are_gathered(void **state)
{
	segments(state, RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
}

static void segments_with_fast_free(void **state)
{
	segments(state, RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE);
}

static void too_many_segments_are_refused(void **state)
{
	struct rte_mbuf *frames[2], *received[2];
	struct rte_eth_stats stats;

	net_create(&net, &net_defaults);
	net_start(&net);
	frames[0] = net_frame(&net, 1400, 41, 1);
	frames[1] = net_frame(&net, 1400, 40, 2);
	assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, frames, 2), 0);
	assert_int_equal(net_send(net.port[0], frames, 2), 2);
	assert_int_equal(net_receive(net.port[1], received, 1), 1);
	assert_true(net_frame_is(received[0], 1400, 2));
	rte_pktmbuf_free(received[0]);
	assert_int_equal(rte_eth_stats_get(net.port[0], &stats), 0);
	assert_int_equal(stats.oerrors, 1);
	assert_int_equal(stats.opackets, 1);
	net_stop(&net);
	net_destroy(&net);
}

/* Frames of one segment in a burst with others, at every place, with both kinds of bursts. */
static void too_long_or_empty_is_refused(void **state)
{
	static const uint64_t offloads[] = { 0, RTE_ETH_TX_OFFLOAD_UDP_CKSUM };

	for (unsigned int kind = 0; kind < RTE_DIM(offloads); kind++) {
		struct net_config config = net_defaults;
		struct rte_mbuf *frames[8];
		struct rte_eth_stats stats;
		uint64_t bytes = 0;

		config.data_room = RTE_PKTMBUF_HEADROOM + 10240;
		config.mtu = 9706;
		config.tx_offloads = offloads[kind];
		net_create(&net, &config);
		net_start(&net);
		for (unsigned int wrong = 0; wrong < 8; wrong++) {
			for (unsigned int i = 0; i < 8; i++) {
				frames[i] = net_frame(&net, 9724 - i * 250, 1, i);
				bytes += i == wrong ? 0 : frames[i]->pkt_len;
			}
			rte_pktmbuf_reset(frames[wrong]);
			if (wrong & 1)
				rte_pktmbuf_append(frames[wrong], 9725);
			assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, frames, 8), wrong);
			assert_int_equal(net_send(net.port[0], frames, 8), 8);
			assert_int_equal(net_receive(net.port[1], frames, 7), 7);
			for (unsigned int i = 0, n = 0; i < 8; i++) {
				if (i == wrong)
					continue;
				assert_true(net_frame_is(frames[n], 9724 - i * 250, i));
				rte_pktmbuf_free(frames[n++]);
			}
			assert_int_equal(rte_eth_stats_get(net.port[0], &stats), 0);
			assert_int_equal(stats.opackets, 7 * (wrong + 1));
			assert_int_equal(stats.obytes, bytes);
			assert_int_equal(stats.oerrors, wrong + 1);
		}
		net_stop(&net);
		net_destroy(&net);
	}
}

static void long_frames_are_scattered(void **state)
{
	struct net_config config = net_defaults;

	config.data_room = RTE_PKTMBUF_HEADROOM + 1024;
	config.mtu = 9000;
	config.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	config.buffers = 4095;
	net_create(&net, &config);
	net_start(&net);
	for (unsigned int i = 0; i < 40; i++) {
		net_exchange(&net, 0, 5, 9000 + RTE_ETHER_HDR_LEN - i, 10, 20 * i);
		net_exchange(&net, 1, 5, 1024, 1, 20 * i + 5);
		net_exchange(&net, 0, 5, 1025, 2, 20 * i + 10);
		net_exchange(&net, 1, 5, 60, 1, 20 * i + 15);
	}
	net_stop(&net);
	net_destroy(&net);
}

static void stop_and_start(void **state)
{
	struct rte_mbuf *frames[NET_BURST];

	net_create(&net, &net_defaults);
	net_start(&net);
	for (unsigned int i = 0; i < 5; i++) {
		net_exchange(&net, 0, 10, 100, 1, i);
		/* A stop frees the frames that nobody has received. */
		for (unsigned int j = 0; j < NET_BURST; j++)
			frames[j] = net_frame(&net, 100, 1, j);
		assert_int_equal(net_send(net.port[0], frames, NET_BURST), NET_BURST);
		for (unsigned int p = 0; p < NET_PORTS; p++)
			assert_int_equal(rte_eth_dev_stop(net.port[p]), 0);
		assert_int_equal(rte_mempool_avail_count(net.pool), net.config.buffers);
		for (unsigned int p = 0; p < NET_PORTS; p++)
			assert_int_equal(rte_eth_dev_start(net.port[p]), 0);
	}
	net_stop(&net);
	net_destroy(&net);
}

static void queues_stop_and_start(void **state)
{
	struct net_config config = net_defaults;

	config.tx_queues = 3;
	net_create(&net, &config);
	net_start(&net);
	for (unsigned int i = 0; i < 3; i++) {
		net_exchange(&net, 0, 10, 100, 1, 20 * i);
		assert_int_equal(rte_eth_dev_tx_queue_stop(net.port[0], 0), 0);
		assert_int_equal(rte_eth_dev_rx_queue_stop(net.port[1], 0), 0);
		assert_int_equal(rte_eth_dev_tx_queue_stop(net.port[0], 2), 0);
		assert_int_equal(rte_eth_dev_rx_queue_start(net.port[1], 0), 0);
		assert_int_equal(rte_eth_dev_tx_queue_start(net.port[0], 2), 0);
		assert_int_equal(rte_eth_dev_tx_queue_start(net.port[0], 0), 0);
		net_exchange(&net, 0, 10, 100, 1, 20 * i + 10);
	}
	net_stop(&net);
	net_destroy(&net);
}

static void wait_until_sent(void)
{
	net_until(rte_eth_tx_descriptor_status(net.port[0], 0, net.config.tx_descriptors - 1) ==
		  RTE_ETH_TX_DESC_DONE);
}

/* tx_done_cleanup counts frames, not slots, frees no more than asked for, and frees the last ones.
 * With both kinds of bursts. */
static void done_cleanup_frees_frames(void **state)
{
	static const uint64_t offloads[] = { 0, RTE_ETH_TX_OFFLOAD_VLAN_INSERT };
	struct rte_mbuf *frames[20];

	for (unsigned int kind = 0; kind < RTE_DIM(offloads); kind++) {
		struct net_config config = net_defaults;

		config.tx_offloads = offloads[kind];
		net_create(&net, &config);
		net_start(&net);
		for (unsigned int round = 0; round < 20; round++) {
			unsigned int before = rte_mempool_avail_count(net.pool);

			for (unsigned int i = 0; i < 20; i++) {
				frames[i] = net_frame(&net, 400, 1 + i % 5, i);
				frames[i]->vlan_tci = (uint16_t)(1 + i / 3);
				frames[i]->ol_flags = kind ? RTE_MBUF_F_TX_VLAN : 0;
			}
			assert_int_equal(net_send(net.port[0], frames, 20), 20);
			assert_int_equal(net_receive(net.port[1], frames, 20), 20);
			rte_pktmbuf_free_bulk(frames, 20);
			wait_until_sent();
			assert_int_equal(rte_eth_tx_done_cleanup(net.port[0], 0, 1), 1);
			assert_int_equal(rte_eth_tx_done_cleanup(net.port[0], 0, 7), 7);
			assert_int_equal(rte_eth_tx_done_cleanup(net.port[0], 0, 0), 12);
			assert_int_equal(rte_eth_tx_done_cleanup(net.port[0], 0, 0), 0);
			/* All but those that wait for the next refill. */
			assert_true(rte_mempool_avail_count(net.pool) + 32 > before);
		}
		net_stop(&net);
		net_destroy(&net);
	}
}

/* Ring lengths as net_e1000_igb takes them: 32 to 4096 in steps of 8, with any threshold. */
static void rings_of_every_length(void **state)
{
	static const uint16_t lengths[] = { 32, 40, 72, 1000 };
	static const struct rte_eth_txconf thresholds[] = { { .tx_rs_thresh = 1 },
		{ .tx_rs_thresh = 4, .tx_free_thresh = 32 },
		{ .tx_rs_thresh = 5000, .tx_free_thresh = 5000 } };
	uint32_t sequence = 0;

	for (unsigned int i = 0; i < RTE_DIM(lengths) * RTE_DIM(thresholds); i++) {
		struct net_config config = net_defaults;

		config.rx_descriptors = config.tx_descriptors = lengths[i % RTE_DIM(lengths)];
		config.buffers = 8191;
		net_create(&net, &config);
		for (unsigned int p = 0; p < NET_PORTS; p++) {
			assert_int_equal(net_probe(&net, p), 0);
			assert_int_equal(net_configure(&net, p), 0);
			assert_int_equal(
				rte_eth_tx_queue_setup(net.port[p], 0, config.tx_descriptors, 0,
					&thresholds[i / RTE_DIM(lengths)]),
				0);
			assert_int_equal(rte_eth_dev_start(net.port[p]), 0);
		}
		for (unsigned int n = 0; n < 120; n++, sequence += 30)
			net_exchange(&net, n & 1, 1 + n % 30, 400, 1 + n % 20, sequence);
		net_stop(&net);
		net_destroy(&net);
	}
}

/* Rings of all lengths, one after the other, in every queue. */
static void rings_leave_no_holes(void **state)
{
	static const uint16_t lengths[] = { 4096, 64, 2080, 4096, 1000, 4096 };
	struct net_config config = net_defaults;

	config.rx_queues = 15;
	config.tx_queues = 16;
	net_create(&net, &config);
	assert_int_equal(net_probe(&net, 0), 0);
	for (unsigned int i = 0; i < 3 * RTE_DIM(lengths); i++) {
		net.config.rx_descriptors = lengths[i % RTE_DIM(lengths)];
		net.config.tx_descriptors = lengths[i * 5 % RTE_DIM(lengths)];
		assert_int_equal(net_configure(&net, 0), 0);
	}
	net_remove(&net, 0);
	net_destroy(&net);
}

static void descriptor_status(void **state)
{
	struct rte_mbuf *frames[4];

	net_create(&net, &net_defaults);
	net_start(&net);
	for (unsigned int i = 0; i < 4; i++)
		frames[i] = net_frame(&net, 100, 1, i);
	assert_int_equal(rte_eth_rx_descriptor_status(net.port[1], 0, 0), RTE_ETH_RX_DESC_AVAIL);
	assert_int_equal(rte_eth_tx_descriptor_status(net.port[0], 0, 0), RTE_ETH_TX_DESC_DONE);
	assert_int_equal(net_send(net.port[0], frames, 4), 4);
	net_until(rte_eth_rx_descriptor_status(net.port[1], 0, 3) == RTE_ETH_RX_DESC_DONE);
	assert_int_equal(rte_eth_rx_descriptor_status(net.port[1], 0, 4), RTE_ETH_RX_DESC_AVAIL);
	/* The last frame sent is reported as done, and with it those before it. */
	wait_until_sent();
	for (uint16_t offset = 0; offset < 256; offset++)
		assert_int_equal(
			rte_eth_tx_descriptor_status(net.port[0], 0, offset), RTE_ETH_TX_DESC_DONE);
	assert_int_equal(net_receive(net.port[1], frames, 4), 4);
	assert_int_equal(
		rte_eth_rx_descriptor_status(net.port[1], 0, 255), RTE_ETH_RX_DESC_UNAVAIL);
	for (unsigned int i = 0; i < 4; i++)
		rte_pktmbuf_free(frames[i]);
	net_stop(&net);
	net_destroy(&net);
}

static void addresses_are_filtered(void **state)
{
	struct rte_ether_addr wanted = { { 2, 0, 0, 0, 0, 9 } };
	struct rte_mbuf *frame;

	net_create(&net, &net_defaults);
	net_start(&net);
	assert_int_equal(rte_eth_promiscuous_disable(net.port[1]), 0);
	frame = net_frame(&net, 100, 1, 1);
	assert_int_equal(net_send(net.port[0], &frame, 1), 1);
	net_until(net_xstat(net.port[1], "rx_total_packets") >= 1);
	assert_int_equal(rte_eth_rx_burst(net.port[1], 0, &frame, 1), 0);

	assert_int_equal(rte_eth_dev_mac_addr_add(net.port[1], &wanted, 0), 0);
	net_exchange(&net, 0, 1, 100, 1, 2);
	assert_int_equal(rte_eth_dev_mac_addr_remove(net.port[1], &wanted), 0);
	frame = net_frame(&net, 100, 1, 3);
	assert_int_equal(net_send(net.port[0], &frame, 1), 1);
	net_until(net_xstat(net.port[1], "rx_total_packets") >= 3);
	assert_int_equal(rte_eth_rx_burst(net.port[1], 0, &frame, 1), 0);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(net.port[1], &wanted), 0);
	net_exchange(&net, 0, 1, 100, 1, 4);
	net_stop(&net);
	net_destroy(&net);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(bursts_of_every_size, abandon),
		cmocka_unit_test_teardown(rings_wrap, abandon),
		cmocka_unit_test_teardown(segments_are_gathered, abandon),
		cmocka_unit_test_teardown(segments_with_fast_free, abandon),
		cmocka_unit_test_teardown(too_many_segments_are_refused, abandon),
		cmocka_unit_test_teardown(too_long_or_empty_is_refused, abandon),
		cmocka_unit_test_teardown(long_frames_are_scattered, abandon),
		cmocka_unit_test_teardown(stop_and_start, abandon),
		cmocka_unit_test_teardown(queues_stop_and_start, abandon),
		cmocka_unit_test_teardown(done_cleanup_frees_frames, abandon),
		cmocka_unit_test_teardown(rings_of_every_length, abandon),
		cmocka_unit_test_teardown(rings_leave_no_holes, abandon),
		cmocka_unit_test_teardown(descriptor_status, abandon),
		cmocka_unit_test_teardown(addresses_are_filtered, abandon),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
