/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nic_bench.h"

static int tear_down(void **state)
{
	bench_balanced(*state, 0);
	return bench_destroy(state);
}

static void frames_arrive_in_order_and_wrap(void **state)
{
	struct bench *bench = *state;
	const union shunt_82576_rx_descriptor *descriptor;
	long number;

	for (number = 0; number < 5 * (long)BENCH_RING; number++) {
		bench_post(bench, 0, 1);
		bench->tester.length = 60 + (uint32_t)number;
		descriptor = &bench->port[0].rx[bench->port[0].rx_next];
		bench_send(bench, 0, 1);
		assert_int_equal(descriptor->writeback.length, 60 + number);
		assert_int_equal(descriptor->writeback.status_error,
			SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP);
		assert_int_equal(bench_receive(bench, 0), number);
	}
	assert_int_equal(bench_truth(bench, 0).rx_delivered, 5 * BENCH_RING);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_RDH(0)), bench->port[0].rx_tail);
}

static void a_long_frame_takes_several_descriptors(void **state)
{
	struct bench *bench = *state;
	const union shunt_82576_rx_descriptor *rx = bench->port[0].rx;

	bench_set(bench, 0, SHUNT_82576_RCTL,
		bench_get(bench, 0, SHUNT_82576_RCTL) | SHUNT_82576_RCTL_LPE);
	bench_post(bench, 0, 3);
	bench->tester.length = 2 * BENCH_BUFFER + 100;
	bench_send(bench, 0, 1);
	assert_int_equal(rx[0].writeback.length, BENCH_BUFFER);
	assert_int_equal(rx[0].writeback.status_error, SHUNT_82576_RXD_DD);
	assert_int_equal(rx[1].writeback.status_error, SHUNT_82576_RXD_DD);
	assert_int_equal(rx[2].writeback.length, 100);
	assert_int_equal(rx[2].writeback.status_error, SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP);
	assert_memory_equal(bench->port[0].rx_buffers, bench->tester.frame, 2 * BENCH_BUFFER + 100);
}

static void the_frame_check_sequence_is_kept_unless_stripped(void **state)
{
	struct bench *bench = *state;
	uint32_t fcs;

	bench_set(bench, 0, SHUNT_82576_RCTL,
		bench_get(bench, 0, SHUNT_82576_RCTL) & ~SHUNT_82576_RCTL_SECRC);
	bench_post(bench, 0, 1);
	bench_send(bench, 0, 1);
	assert_int_equal(bench->port[0].rx[0].writeback.length, 64);
	memcpy(&fcs, bench->port[0].rx_buffers + 60, sizeof(fcs));
	assert_int_equal(fcs, sim_wire_fcs(bench->tester.frame, 60));
	/* IEEE 802.3's check value of these nine digits. */
	assert_int_equal(sim_wire_fcs((const uint8_t *)"123456789", 9), 0xCBF43926);
}

static void ip_headers_are_checked(void **state)
{
	struct bench *bench = *state;
	/* 192.168.0.1 to 192.168.0.199, UDP; a header whose checksum is b861 */
	static const uint8_t ip[20] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0xB8, 0x61, 0xC0, 0xA8, 0x00, 0x01, 0xC0, 0xA8, 0x00, 0xC7 };
	const union shunt_82576_rx_descriptor *rx = bench->port[0].rx;
	uint8_t frame[60];

	bench_make_frame(frame, 0, sizeof(frame));
	frame[12] = 0x08;
	frame[13] = 0x00;
	memcpy(frame + 14, ip, sizeof(ip));
	bench_post(bench, 0, 2);
	sim_rx_frame(bench->port[0].nic, frame, sizeof(frame));
	frame[14 + 8]--;
	sim_rx_frame(bench->port[0].nic, frame, sizeof(frame));
	assert_int_equal(rx[0].writeback.packet_info >> SHUNT_82576_RXD_PACKET_TYPE_SHIFT,
		SHUNT_82576_RXD_PACKET_IPV4 | SHUNT_82576_RXD_PACKET_UDP);
	assert_int_equal(rx[0].writeback.status_error,
		SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP | SHUNT_82576_RXD_IPCS);
	assert_true(rx[1].writeback.status_error & SHUNT_82576_RXD_IPE);
}

static void filters(void **state)
{
	struct bench *bench = *state;
	struct sim_nic *nic = bench->port[0].nic;
	uint8_t own[60], other[60], broadcast[60], multicast[60];
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0 };
	uint32_t hash;

	bench_make_frame(own, 0, 60);
	bench_make_frame(other, 0, 60);
	bench_make_frame(broadcast, 0, 60);
	bench_make_frame(multicast, 0, 60);
	memcpy(own, mac, 6);
	memset(broadcast, 0xFF, 6);
	memcpy(multicast, "\x01\x00\x5E\x01\x02\x03", 6);
	bench_post(bench, 0, 16);

	bench_set(bench, 0, SHUNT_82576_RCTL, SHUNT_82576_RCTL_EN | SHUNT_82576_RCTL_SECRC);
	sim_rx_frame(nic, own, 60);
	sim_rx_frame(nic, other, 60);
	sim_rx_frame(nic, broadcast, 60);
	sim_rx_frame(nic, multicast, 60);
	assert_int_equal(bench_truth(bench, 0).rx_delivered, 1);
	assert_int_equal(bench_truth(bench, 0).rx_filtered, 3);

	bench_set(bench, 0, SHUNT_82576_RCTL,
		SHUNT_82576_RCTL_EN | SHUNT_82576_RCTL_SECRC | SHUNT_82576_RCTL_BAM);
	hash = (0x03u << 8 | 0x02u) >> 4 & 0xFFFu;
	bench_set(bench, 0, SHUNT_82576_MTA(hash >> 5), 1u << (hash & 31u));
	bench_set(bench, 0, SHUNT_82576_RAL(20), 0x02020202);
	bench_set(bench, 0, SHUNT_82576_RAH(20), SHUNT_82576_RAH_AV | 0x0202);
	sim_rx_frame(nic, other, 60);
	sim_rx_frame(nic, broadcast, 60);
	sim_rx_frame(nic, multicast, 60);
	assert_int_equal(bench_truth(bench, 0).rx_delivered, 4);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_BPRC), 1);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_MPRC), 1);
}

static void lengths(void **state)
{
	struct bench *bench = *state;

	bench_post(bench, 0, 16);
	bench->tester.length = 59;
	bench_send(bench, 0, 1);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_RUC), 1);
	bench->tester.length = 1514;
	bench_send(bench, 0, 1);
	assert_int_equal(bench_truth(bench, 0).rx_delivered, 1);
	bench->tester.length = 1515;
	bench_send(bench, 0, 1);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_ROC), 1);
	bench_set(bench, 0, SHUNT_82576_RCTL,
		bench_get(bench, 0, SHUNT_82576_RCTL) | SHUNT_82576_RCTL_LPE);
	bench_set(bench, 0, SHUNT_82576_RLPML, 1600);
	bench->tester.length = 1596;
	bench_send(bench, 0, 1);
	assert_int_equal(bench_truth(bench, 0).rx_delivered, 2);
	bench->tester.length = 1597;
	bench_send(bench, 0, 1);
	assert_int_equal(bench_truth(bench, 0).rx_filtered, 3);
}

static void the_fifo_takes_what_descriptors_cannot(void **state)
{
	struct bench *bench = *state;
	const unsigned int fit = SIM_FIFO_SIZE / (SIM_FIFO_HEADER + 64); /* 60 bytes, aligned */
	struct shunt_sim_port_truth truth;
	long number;

	bench_send(bench, 0, fit + 10);
	truth = bench_truth(bench, 0);
	assert_int_equal(truth.rx_fifo, fit);
	assert_int_equal(truth.rx_no_room, 10);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_MPC), 10);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_RNBC), fit + 10);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_GPRC), fit);
	/* Drained in order, later frames behind. */
	for (number = 0; number < (long)fit; number++) {
		bench_post(bench, 0, 1);
		bench_turn(bench, 0);
		assert_int_equal(bench_receive(bench, 0), number);
	}
	bench_post(bench, 0, 1);
	bench_send(bench, 0, 1);
	assert_int_equal(bench_receive(bench, 0), fit + 10);
}

static void drop_enable_uses_no_fifo(void **state)
{
	struct bench *bench = *state;

	bench_set(bench, 0, SHUNT_82576_SRRCTL(0),
		bench_get(bench, 0, SHUNT_82576_SRRCTL(0)) | SHUNT_82576_SRRCTL_DROP_EN);
	bench_send(bench, 0, 4);
	assert_int_equal(bench_truth(bench, 0).rx_fifo, 0);
	assert_int_equal(bench_truth(bench, 0).rx_no_room, 4);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_RQDPC(0)), 4);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_RQDPC(0)), 0);
}

static void receive_off_drops(void **state)
{
	struct bench *bench = *state;

	bench_set(bench, 0, SHUNT_82576_RCTL, 0);
	bench_post(bench, 0, 4);
	bench_send(bench, 0, 2);
	assert_int_equal(bench_truth(bench, 0).rx_no_room, 2);
	assert_int_equal(bench_receive(bench, 0), -1);
}

static void a_paused_port_keeps_frames_in_its_fifo(void **state)
{
	struct bench *bench = *state;
	uint32_t ctrl = bench_get(bench, 0, SHUNT_82576_CTRL);
	long number;

	bench_post(bench, 0, 8);
	bench_set(bench, 0, SHUNT_82576_CTRL, ctrl | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	bench_turn(bench, 0);
	fake_dma_allow();
	bench_send(bench, 0, 5);
	assert_int_equal(fake_dma_translations(), 0);
	assert_int_equal(bench_truth(bench, 0).rx_fifo, 5);
	bench_set(bench, 0, SHUNT_82576_CTRL, ctrl);
	bench_turn(bench, 0);
	for (number = 0; number < 5; number++)
		assert_int_equal(bench_receive(bench, 0), number);
}

static void refused_payload_drops_the_frame(void **state)
{
	struct bench *bench = *state;

	bench_post(bench, 0, 3);
	fake_dma_refuse(bench->port[0].rx_buffers + BENCH_BUFFER, BENCH_BUFFER, SHUNT_DMA_WRITE);
	bench_send(bench, 0, 3);
	assert_int_equal(bench_receive(bench, 0), 0);
	assert_int_equal(bench_receive(bench, 0), -1); /* a hole */
	bench->port[0].rx_next++;
	assert_int_equal(bench_receive(bench, 0), 2);
	assert_int_equal(bench_truth(bench, 0).rx_fault, 1);
	assert_int_equal(bench_truth(bench, 0).lost_writebacks, 1);
	assert_int_equal(fake_dma_faults(), 1);
}

static void refused_write_back_leaves_a_hole(void **state)
{
	struct bench *bench = *state;

	bench_post(bench, 0, 3);
	fake_dma_refuse(&bench->port[0].rx[1], 16, SHUNT_DMA_WRITE);
	bench_send(bench, 0, 3);
	assert_int_equal(bench_receive(bench, 0), 0);
	assert_int_equal(bench_receive(bench, 0), -1);
	bench->port[0].rx_next++;
	assert_int_equal(bench_receive(bench, 0), 2);
	assert_int_equal(bench_truth(bench, 0).rx_fault, 1);
	assert_int_equal(bench_truth(bench, 0).lost_writebacks, 1);
	assert_int_equal(fake_dma_faults(), 1);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_RDH(0)), 3);
}

static void a_refused_fetch_fills_the_fifo_then_goes_on(void **state)
{
	struct bench *bench = *state;
	long number;

	bench_post(bench, 0, 8);
	fake_dma_refuse(bench->port[0].rx, SIM_PAGE_SIZE, SHUNT_DMA_READ);
	bench_make_frame(bench->tester.frame, bench->tester.next++, 60);
	sim_rx_frame(bench->port[0].nic, bench->tester.frame, 60);
	assert_int_equal(fake_dma_faults(), 1);
	bench->port[0].nic->rx[0].ring.retry = UINT64_MAX; /* not yet */
	bench_send(bench, 0, 4);
	assert_int_equal(fake_dma_faults(), 1);
	assert_int_equal(bench_truth(bench, 0).rx_fifo, 5);
	fake_dma_allow();
	bench->port[0].nic->rx[0].ring.retry = shunt_clock_now();
	bench_turn(bench, 0);
	for (number = 0; number < 5; number++)
		assert_int_equal(bench_receive(bench, 0), number);
	assert_int_equal(bench_truth(bench, 0).rx_fault, 0);
}

static void a_refused_fetch_wedges_until_function_reset(void **state)
{
	struct bench *bench = *state;

	bench->sim.config.nic = SHUNT_SIM_WEDGE;
	bench_post(bench, 0, 8);
	fake_dma_refuse(bench->port[0].rx, SIM_PAGE_SIZE, SHUNT_DMA_READ);
	bench_send(bench, 0, 3);
	fake_dma_allow();
	bench_turn(bench, 0);
	assert_int_equal(bench_receive(bench, 0), -1);
	assert_int_equal(bench_truth(bench, 0).wedged_queues, 1);
	assert_int_equal(bench_truth(bench, 0).rx_fifo, 3);
	bench_set(bench, 0, SHUNT_82576_RXDCTL(0), 0);
	bench_turn(bench, 0);
	assert_true(bench_get(bench, 0, SHUNT_82576_RXDCTL(0)) & SHUNT_82576_RXDCTL_ENABLE);
	bench_set(bench, 0, SHUNT_82576_CTRL, SHUNT_82576_CTRL_RST);
	assert_int_equal(bench_truth(bench, 0).wedged_queues, 1);
	assert_int_equal(bench_truth(bench, 0).rx_reset, 3);
	assert_int_equal(bench_truth(bench, 0).rx_fifo, 0);
	sim_nic_reset(bench->port[0].nic);
	bench_start(bench, 0);
	bench_post(bench, 0, 4);
	bench_send(bench, 0, 1);
	assert_int_equal(bench_receive(bench, 0), 3);
	assert_int_equal(bench_truth(bench, 0).wedged_queues, 0);
}

static void refused_writes_do_not_wedge(void **state)
{
	struct bench *bench = *state;

	bench->sim.config.nic = SHUNT_SIM_WEDGE;
	bench_post(bench, 0, 3);
	fake_dma_refuse(bench->port[0].rx_buffers, BENCH_BUFFER, SHUNT_DMA_WRITE);
	bench_send(bench, 0, 2);
	assert_int_equal(bench_truth(bench, 0).wedged_queues, 0);
	assert_int_equal(bench_truth(bench, 0).rx_fault, 1);
	assert_int_equal(bench_truth(bench, 0).rx_delivered, 1);
}

static void prefetched_descriptors_go_with_the_queue(void **state)
{
	struct bench *bench = *state;

	bench_post(bench, 0, 4);
	bench_send(bench, 0, 1); /* fetches all four */
	bench_set(bench, 0, SHUNT_82576_RXDCTL(0), 0);
	bench_turn(bench, 0);
	/* Other buffers for the same descriptors, while the queue is off. */
	bench->port[0].rx[1].read.packet_address = (uintptr_t)bench->port[0].tx_buffers;
	bench_set(bench, 0, SHUNT_82576_RXDCTL(0), SHUNT_82576_RXDCTL_ENABLE);
	bench_turn(bench, 0);
	bench_send(bench, 0, 1);
	assert_memory_equal(bench->port[0].tx_buffers, bench->tester.frame, 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_create_started, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_arrive_in_order_and_wrap),
		TEST(a_long_frame_takes_several_descriptors),
		TEST(the_frame_check_sequence_is_kept_unless_stripped),
		TEST(ip_headers_are_checked),
		TEST(filters),
		TEST(lengths),
		TEST(the_fifo_takes_what_descriptors_cannot),
		TEST(drop_enable_uses_no_fifo),
		TEST(receive_off_drops),
		TEST(a_paused_port_keeps_frames_in_its_fifo),
		TEST(refused_payload_drops_the_frame),
		TEST(refused_write_back_leaves_a_hole),
		TEST(a_refused_fetch_fills_the_fifo_then_goes_on),
		TEST(a_refused_fetch_wedges_until_function_reset),
		TEST(refused_writes_do_not_wedge),
		TEST(prefetched_descriptors_go_with_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
