/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames over a wire: bursts of every size, segments, long frames, wrapping rings, counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net.h"

#define BURST_MAX 64

static struct net net;

static int abandon(void **state)
{
	net_abandon(&net);
	return 0;
}

/* Sends n frames from one port and checks that the other one gets them, in order and unchanged. */
static void exchange(unsigned int from, unsigned int n, uint32_t length, unsigned int segments,
	uint32_t sequence)
{
	struct rte_mbuf *frames[BURST_MAX];

	for (unsigned int i = 0; i < n; i++)
		frames[i] = net_frame(&net, length, segments, sequence + i);
	assert_int_equal(net_send(net.port[from], frames, n), n);
	assert_int_equal(net_receive(net.port[!from], frames, n), n);
	for (unsigned int i = 0; i < n; i++) {
		assert_true(net_frame_is(frames[i], length, sequence + i));
		assert_int_equal(frames[i]->port, net.port[!from]);
		rte_pktmbuf_free(frames[i]);
	}
}

static void bursts_of_every_size(void **state)
{
	uint32_t sequence = 0;

	net_create(&net, &net_defaults);
	net_start(&net);
	for (unsigned int n = 1; n <= BURST_MAX; n++) {
		exchange(n & 1, n, 60 + 13 * n, 1, sequence);
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
		exchange(i & 1, 1 + i % 50, 64, 1, 50 * i);
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
		exchange(0, 7, 1024 + n, n, sequence);
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
		exchange(0, 5, 9000 + RTE_ETHER_HDR_LEN - i, 10, 20 * i);
		exchange(1, 5, 1024, 1, 20 * i + 5);
		exchange(0, 5, 1025, 2, 20 * i + 10);
		exchange(1, 5, 60, 1, 20 * i + 15);
	}
	net_stop(&net);
	net_destroy(&net);
}

static void stop_and_start(void **state)
{
	struct rte_mbuf *frames[BURST_MAX];

	net_create(&net, &net_defaults);
	net_start(&net);
	for (unsigned int i = 0; i < 5; i++) {
		exchange(0, 10, 100, 1, i);
		/* Frames that nobody takes are given back by the stop. */
		for (unsigned int j = 0; j < BURST_MAX; j++)
			frames[j] = net_frame(&net, 100, 1, j);
		assert_int_equal(net_send(net.port[0], frames, BURST_MAX), BURST_MAX);
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
		exchange(0, 10, 100, 1, 20 * i);
		assert_int_equal(rte_eth_dev_tx_queue_stop(net.port[0], 0), 0);
		assert_int_equal(rte_eth_dev_rx_queue_stop(net.port[1], 0), 0);
		assert_int_equal(rte_eth_dev_tx_queue_stop(net.port[0], 2), 0);
		assert_int_equal(rte_eth_dev_rx_queue_start(net.port[1], 0), 0);
		assert_int_equal(rte_eth_dev_tx_queue_start(net.port[0], 2), 0);
		assert_int_equal(rte_eth_dev_tx_queue_start(net.port[0], 0), 0);
		exchange(0, 10, 100, 1, 20 * i + 10);
	}
	net_stop(&net);
	net_destroy(&net);
}

static void counters(void **state)
{
	struct rte_eth_stats stats;

	net_create(&net, &net_defaults);
	net_start(&net);
	exchange(0, 20, 64, 1, 0);
	exchange(0, 10, 1000, 2, 20);
	assert_int_equal(rte_eth_stats_get(net.port[0], &stats), 0);
	assert_int_equal(stats.opackets, 30);
	assert_int_equal(stats.obytes, 20 * 64 + 10 * 1000);
	assert_int_equal(net_xstat(net.port[0], "tx_q0_packets"), 30);
	assert_int_equal(stats.ipackets, 0);
	assert_int_equal(stats.oerrors, 0);
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	assert_int_equal(stats.ipackets, 30);
	assert_int_equal(stats.ibytes, 20 * 64 + 10 * 1000);
	assert_int_equal(stats.imissed, 0);
	assert_int_equal(stats.ierrors, 0);
	assert_int_equal(net_xstat(net.port[0], "tx_nic_good_packets"), 30);
	assert_int_equal(net_xstat(net.port[1], "rx_nic_good_packets"), 30);
	assert_int_equal(net_xstat(net.port[1], "rx_nic_good_bytes"), 20 * 68 + 10 * 1004);
	assert_int_equal(net_xstat(net.port[1], "rx_size_65_to_127_packets"), 20);

	assert_int_equal(rte_eth_stats_reset(net.port[1]), 0);
	exchange(0, 3, 64, 1, 100);
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	assert_int_equal(stats.ipackets, 3);
	assert_int_equal(net_xstat(net.port[1], "rx_nic_good_packets"), 3);
	net_stop(&net);
	net_destroy(&net);
}

/* Nobody polls: the ring fills, then the FIFO, then frames are missed, and all are accounted for.
 */
static void missed_frames_are_counted(void **state)
{
	struct rte_mbuf *frames[BURST_MAX];
	struct rte_eth_stats stats;
	unsigned int sent = 0, received = 0;

	net_create(&net, &net_defaults);
	net_start(&net);
	while (sent < 1000) {
		for (unsigned int i = 0; i < 20; i++)
			frames[i] = net_frame(&net, 1000, 1, sent + i);
		assert_int_equal(net_send(net.port[0], frames, 20), 20);
		sent += 20;
	}
	while (net_xstat(net.port[0], "tx_nic_good_packets") < sent)
		rte_delay_us_sleep(100);
	for (;;) {
		unsigned int n = net_receive(net.port[1], frames, BURST_MAX);

		received += n;
		for (unsigned int i = 0; i < n; i++)
			rte_pktmbuf_free(frames[i]);
		if (n < BURST_MAX)
			break;
	}
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	assert_true(stats.imissed > 0);
	assert_int_equal(received + stats.imissed, sent);
	assert_int_equal(stats.ipackets, received);
	assert_int_equal(net_xstat(net.port[1], "rx_missed_packets"), stats.imissed);
	net_stop(&net);
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
	while (rte_eth_rx_descriptor_status(net.port[1], 0, 3) != RTE_ETH_RX_DESC_DONE)
		rte_delay_us_sleep(100);
	assert_int_equal(rte_eth_rx_descriptor_status(net.port[1], 0, 4), RTE_ETH_RX_DESC_AVAIL);
	assert_int_equal(rte_eth_tx_descriptor_status(net.port[0], 0, 255), RTE_ETH_TX_DESC_FULL);
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
	while (net_xstat(net.port[1], "rx_total_packets") < 1)
		rte_delay_us_sleep(100);
	assert_int_equal(rte_eth_rx_burst(net.port[1], 0, &frame, 1), 0);

	assert_int_equal(rte_eth_dev_mac_addr_add(net.port[1], &wanted, 0), 0);
	exchange(0, 1, 100, 1, 2);
	assert_int_equal(rte_eth_dev_mac_addr_remove(net.port[1], &wanted), 0);
	frame = net_frame(&net, 100, 1, 3);
	assert_int_equal(net_send(net.port[0], &frame, 1), 1);
	while (net_xstat(net.port[1], "rx_total_packets") < 3)
		rte_delay_us_sleep(100);
	assert_int_equal(rte_eth_rx_burst(net.port[1], 0, &frame, 1), 0);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(net.port[1], &wanted), 0);
	exchange(0, 1, 100, 1, 4);
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
		cmocka_unit_test_teardown(long_frames_are_scattered, abandon),
		cmocka_unit_test_teardown(stop_and_start, abandon),
		cmocka_unit_test_teardown(queues_stop_and_start, abandon),
		cmocka_unit_test_teardown(counters, abandon),
		cmocka_unit_test_teardown(missed_frames_are_counted, abandon),
		cmocka_unit_test_teardown(descriptor_status, abandon),
		cmocka_unit_test_teardown(addresses_are_filtered, abandon),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
