/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of a port: frames and bytes, missed frames, frames without a buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net.h"

static struct net net;

static int abandon(void **state)
{
	net_abandon(&net);
	return 0;
}

static void counters(void **state)
{
	struct rte_eth_stats stats;

	net_create(&net, &net_defaults);
	net_start(&net);
	net_exchange(&net, 0, 20, 64, 1, 0);
	net_exchange(&net, 0, 10, 1000, 2, 20);
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
	net_exchange(&net, 0, 3, 64, 1, 100);
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	assert_int_equal(stats.ipackets, 3);
	assert_int_equal(net_xstat(net.port[1], "rx_nic_good_packets"), 3);
	net_stop(&net);
	net_destroy(&net);
}

static void assert_counted(uint64_t frames, uint64_t bytes)
{
	struct rte_eth_stats stats;

	assert_int_equal(rte_eth_stats_get(net.port[0], &stats), 0);
	assert_int_equal(stats.opackets, frames);
	assert_int_equal(stats.obytes, bytes);
	assert_int_equal(stats.oerrors, frames / 3);
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	assert_int_equal(stats.ipackets, frames);
	assert_int_equal(stats.ibytes, bytes);
	assert_int_equal(net_xstat(net.port[1], "rx_good_packets"), frames);
	assert_int_equal(net_xstat(net.port[0], "tx_unsendable_packets"), frames / 3);
}

/* Three frames, and one that no NIC can send. */
static void exchange_and_refuse(uint32_t sequence)
{
	struct rte_mbuf *frame = net_frame(&net, 1400, 41, sequence);

	net_exchange(&net, 0, 3, 100, 1, sequence);
	assert_int_equal(net_send(net.port[0], &frame, 1), 1);
}

/* Counts of a queue stay when it is set up anew, and when it is removed. */
static void counters_stay_with_the_port(void **state)
{
	struct net_config config = net_defaults;

	config.rx_queues = config.tx_queues = 2;
	net_create(&net, &config);
	net_start(&net);
	exchange_and_refuse(1);
	assert_counted(3, 300);
	for (uint16_t descriptors = 64; descriptors <= 256; descriptors *= 2) {
		for (unsigned int p = 0; p < NET_PORTS; p++)
			assert_int_equal(rte_eth_dev_stop(net.port[p]), 0);
		net.config.rx_descriptors = net.config.tx_descriptors = descriptors;
		net.config.rx_queues = net.config.tx_queues = descriptors / 64 % 3;
		for (unsigned int p = 0; p < NET_PORTS; p++) {
			assert_int_equal(net_configure(&net, p), 0);
			assert_int_equal(rte_eth_dev_start(net.port[p]), 0);
		}
	}
	assert_counted(3, 300);
	exchange_and_refuse(2);
	assert_counted(6, 600);
	for (unsigned int p = 0; p < NET_PORTS; p++)
		assert_int_equal(rte_eth_stats_reset(net.port[p]), 0);
	assert_counted(0, 0);
	for (unsigned int p = 0; p < NET_PORTS; p++) {
		assert_int_equal(rte_eth_dev_stop(net.port[p]), 0);
		assert_int_equal(net_configure(&net, p), 0);
		assert_int_equal(rte_eth_dev_start(net.port[p]), 0);
	}
	assert_counted(0, 0);
	exchange_and_refuse(3);
	assert_counted(3, 300);
	net_stop(&net);
	net_destroy(&net);
}

/* Without a poller the ring fills, then the FIFO; then frames are missed. All are accounted for. */
static void missed_frames_are_counted(void **state)
{
	struct rte_mbuf *frames[NET_BURST];
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
	net_until(net_xstat(net.port[0], "tx_nic_good_packets") >= sent);
	for (;;) {
		unsigned int n = net_receive(net.port[1], frames, NET_BURST);

		received += n;
		for (unsigned int i = 0; i < n; i++)
			rte_pktmbuf_free(frames[i]);
		if (n < NET_BURST)
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

/* A missing buffer counts once, however often the queue is polled. */
static void missing_buffers_are_counted(void **state)
{
	struct rte_mbuf *frames[40], *others[2048];
	struct rte_eth_stats stats;
	unsigned int n = 0;

	net_create(&net, &net_defaults);
	net_start(&net);
	for (unsigned int i = 0; i < 40; i++)
		frames[i] = net_frame(&net, 100, 1, i);
	assert_int_equal(net_send(net.port[0], frames, 40), 40);
	net_until(rte_eth_rx_queue_count(net.port[1], 0) >= 40);
	while ((others[n] = rte_pktmbuf_alloc(net.pool)) != NULL)
		n++;
	assert_int_equal(net_receive(net.port[1], frames, 40), 40);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(rte_eth_rx_burst(net.port[1], 0, &others[n], 1), 0);
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	assert_int_equal(stats.rx_nombuf, 40);
	rte_pktmbuf_free_bulk(frames, 40);
	rte_pktmbuf_free_bulk(others, n);
	for (unsigned int i = 0; i < 20; i++)
		net_exchange(&net, 0, 30, 100, 1, i);
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	assert_int_equal(stats.rx_nombuf, 40);
	net_stop(&net);
	net_destroy(&net);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(counters, abandon),
		cmocka_unit_test_teardown(counters_stay_with_the_port, abandon),
		cmocka_unit_test_teardown(missed_frames_are_counted, abandon),
		cmocka_unit_test_teardown(missing_buffers_are_counted, abandon),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
