/* SPDX-License-Identifier: BSD-3-Clause */
/* Receives are bounded whatever a NIC writes into descriptors: lengths, pieces, ends of frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/vfio.h>

#include <cmocka.h>

#include <shunt/error.h>
#include <shunt/vfio.h>

#include "rte_net_shunt.h"
#include "82576.h"
#include "two_ports.h"

#define DONE  SHUNT_82576_RXD_DD
#define WHOLE (DONE | SHUNT_82576_RXD_EOP)
#define BURST 64

/* The test plays the NIC: nothing is sent meanwhile. */
static uint64_t *ring_of(uint16_t port)
{
	struct shunt_vfio_region bar;
	struct shunt_vfio_device *device;
	uint32_t low, high;

	assert_int_equal(rte_net_shunt_device(port, &device), 0);
	assert_int_equal(shunt_vfio_region(device, VFIO_PCI_BAR0_REGION_INDEX, &bar), 0);
	assert_int_equal(shunt_vfio_read(device, &bar, SHUNT_82576_RDBAL(0), &low, 4), 0);
	assert_int_equal(shunt_vfio_read(device, &bar, SHUNT_82576_RDBAH(0), &high, 4), 0);
	return (uint64_t *)(uintptr_t)((uint64_t)high << 32 | low);
}

static void write_back(uint64_t *ring, unsigned int slot, uint32_t length, uint32_t status)
{
	ring[2 * slot] = 0;
	__atomic_store_n(&ring[2 * slot + 1], (uint64_t)length << 32 | status, __ATOMIC_RELEASE);
}

/* Receives all frames, checks that they are in order and within their buffers, and frees them. */
static unsigned int take(uint32_t *lengths)
{
	struct rte_mbuf *frames[BURST];
	unsigned int n = 0, more;
	const char *why;

	do {
		more = rte_eth_rx_burst(net.port[1], 0, frames, BURST);
		for (unsigned int i = 0; i < more; i++) {
			assert_int_equal(rte_mbuf_check(frames[i], 1, &why), 0);
			for (struct rte_mbuf *piece = frames[i]; piece; piece = piece->next)
				assert_true(
					piece->data_len <= config.data_room - RTE_PKTMBUF_HEADROOM);
			lengths[n++] = frames[i]->pkt_len;
			rte_pktmbuf_free(frames[i]);
		}
	} while (more);
	return n;
}

static void assert_discarded(uint64_t frames)
{
	struct rte_eth_stats stats;

	assert_int_equal(net_xstat(net.port[1], "rx_damaged_packets"), frames);
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	assert_int_equal(stats.ierrors, frames);
}

/* In every kind of burst, at every place of a cache line. */
static void lengths_are_those_of_buffers(void **state)
{
	static const uint64_t offloads[] = { 0, RTE_ETH_RX_OFFLOAD_SCATTER,
		RTE_ETH_RX_OFFLOAD_CHECKSUM, RTE_ETH_RX_OFFLOAD_KEEP_CRC };

	for (unsigned int kind = 0; kind < RTE_DIM(offloads); kind++) {
		for (unsigned int wrong = 0; wrong < 8; wrong++) {
			uint32_t lengths[BURST], fcs = kind == 3 ? RTE_ETHER_CRC_LEN : 0;
			uint64_t *ring;

			config.eth.rxmode.offloads = offloads[kind];
			begin();
			ring = ring_of(net.port[1]);
			for (unsigned int i = 0; i < 8; i++)
				write_back(ring, i, i == wrong ? UINT16_MAX - i : 2048 - i, WHOLE);
			assert_int_equal(take(lengths), 7);
			for (unsigned int i = 0, n = 0; i < 8; i++)
				if (i != wrong)
					assert_int_equal(lengths[n++], 2048 - i - fcs);
			assert_discarded(1);
			for (unsigned int i = 8; i < 12; i++)
				write_back(ring, i, 2049 + i, WHOLE);
			assert_int_equal(take(lengths), 0);
			assert_discarded(5);
			finish();
		}
	}
}

/* Frames shorter than an FCS are dropped. */
static void a_frame_is_longer_than_its_fcs(void **state)
{
	uint32_t lengths[BURST];
	uint64_t *ring;

	config.eth.rxmode.offloads = RTE_ETH_RX_OFFLOAD_KEEP_CRC;
	begin();
	ring = ring_of(net.port[1]);
	for (unsigned int i = 0; i < 8; i++)
		write_back(ring, i, i, WHOLE);
	/* A frame of length 0 is received alike by every burst. */
	assert_int_equal(take(lengths), 4);
	assert_int_equal(lengths[0], 0);
	assert_int_equal(lengths[3], 3);
	assert_discarded(4);
	finish();
}

/* A port for frames of one buffer passes no piece of a longer frame, first or last. */
static void pieces_are_none_without_scatter(void **state)
{
	uint32_t lengths[BURST];
	uint64_t *ring;

	begin();
	ring = ring_of(net.port[1]);
	write_back(ring, 0, 100, WHOLE);
	for (unsigned int i = 1; i < 6; i++)
		write_back(ring, i, 2048, DONE);
	assert_int_equal(take(lengths), 1);
	write_back(ring, 6, 101, WHOLE);
	write_back(ring, 7, 102, WHOLE);
	write_back(ring, 8, 103, WHOLE);
	assert_int_equal(take(lengths), 2);
	assert_int_equal(lengths[0], 102);
	assert_int_equal(lengths[1], 103);
	assert_discarded(1);
	finish();
}

/* The longest frame has ten pieces of 1 KiB. A longer one is dropped as a whole. */
static void a_frame_ends(void **state)
{
	unsigned int before, slot = 0;
	uint32_t lengths[BURST];
	uint64_t *ring;

	config.data_room = RTE_PKTMBUF_HEADROOM + 1024;
	config.mtu = 9000;
	begin();
	before = rte_mempool_avail_count(net.pool);
	ring = ring_of(net.port[1]);
	for (unsigned int i = 0; i < 9; i++)
		write_back(ring, slot++, 1024, DONE);
	write_back(ring, slot++, SHUNT_82576_FRAME_MAX - 9 * 1024, WHOLE);
	assert_int_equal(take(lengths), 1);
	assert_int_equal(lengths[0], SHUNT_82576_FRAME_MAX);
	for (unsigned int i = 0; i < 9; i++)
		write_back(ring, slot++, 1024, DONE);
	write_back(ring, slot++, SHUNT_82576_FRAME_MAX - 9 * 1024 + 1, WHOLE);
	assert_int_equal(take(lengths), 0);
	assert_discarded(1);
	for (unsigned int i = 0; i < 100; i++)
		write_back(ring, slot++, 1024, DONE);
	assert_int_equal(take(lengths), 0);
	assert_discarded(2);
	/* All but those that wait for the next refill. */
	assert_true(rte_mempool_avail_count(net.pool) + 32 > before);
	write_back(ring, slot++, 70, WHOLE);
	write_back(ring, slot++, 71, WHOLE);
	assert_int_equal(take(lengths), 1);
	assert_int_equal(lengths[0], 71);
	/* A piece that does not fill its buffer, before the last one. */
	for (unsigned int i = 0; i < 20; i++)
		write_back(ring, slot++, i, DONE);
	write_back(ring, slot++, 72, WHOLE);
	assert_int_equal(take(lengths), 0);
	assert_discarded(3);
	finish();
}

/* A queue is set up while the port runs, for frames that its other queues receive in one piece. */
static void smaller_buffers_are_refused_at_run_time(void **state)
{
	struct rte_mempool *small;
	struct rte_mbuf *frame;
	struct packet packet = { .payload = 5000, .last = 9 };

	config.data_room = RTE_PKTMBUF_HEADROOM + 10240;
	config.mtu = 9000;
	config.buffers = 2047;
	begin();
	small = rte_pktmbuf_pool_create(
		"small", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	assert_non_null(small);
	assert_int_equal(rte_eth_dev_rx_queue_stop(net.port[1], 0), 0);
	assert_int_equal(rte_eth_rx_queue_setup(net.port[1], 0, 256, 0, NULL, small), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "'small' take 2048 bytes of a frame"));
	/* Nothing has changed: with its old pool the queue receives such frames. */
	assert_int_equal(rte_eth_rx_queue_setup(net.port[1], 0, 256, 0, NULL, net.pool), 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(net.port[1], 0), 0);
	frame = packet_make(&net, &packet);
	assert_int_equal(net_send(net.port[0], &frame, 1), 1);
	assert_int_equal(net_receive(net.port[1], &frame, 1), 1);
	assert_int_equal(frame->nb_segs, 1);
	assert_true(packet_is(frame, &packet));
	rte_mempool_free(small);
	finish();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(lengths_are_those_of_buffers),
		TEST(a_frame_is_longer_than_its_fcs),
		TEST(pieces_are_none_without_scatter),
		TEST(a_frame_ends),
		TEST(smaller_buffers_are_refused_at_run_time),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
