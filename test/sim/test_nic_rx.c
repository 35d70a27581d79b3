/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nic_fixture.h"
#include "sim_headers.h"

static int tear_down(void **state)
{
	rig_balanced(*state, 0);
	return rig_destroy(state);
}

static void frames_arrive_in_order_and_wrap(void **state)
{
	struct rig *rig = *state;
	const union shunt_82576_rx_descriptor *descriptor;
	long number;

	for (number = 0; number < 5 * (long)RIG_RING; number++) {
		rig_post(rig, 0, 1);
		rig->tester.length = 60 + (uint32_t)number;
		descriptor = &rig->port[0].rx[rig->port[0].rx_next];
		rig_send(rig, 0, 1);
		assert_int_equal(descriptor->writeback.length, 60 + number);
		assert_int_equal(descriptor->writeback.status_error,
			SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP);
		assert_int_equal(rig_receive(rig, 0), number);
	}
	assert_int_equal(rig_truth(rig, 0).rx_delivered, 5 * RIG_RING);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RDH(0)), rig->port[0].rx_tail);
}

static void a_long_frame_takes_several_descriptors(void **state)
{
	struct rig *rig = *state;
	const union shunt_82576_rx_descriptor *rx = rig->port[0].rx;

	rig_set(rig, 0, SHUNT_82576_RCTL, rig_get(rig, 0, SHUNT_82576_RCTL) | SHUNT_82576_RCTL_LPE);
	rig_post(rig, 0, 3);
	rig->tester.length = 2 * RIG_BUFFER + 100;
	rig_send(rig, 0, 1);
	assert_int_equal(rx[0].writeback.length, RIG_BUFFER);
	assert_int_equal(rx[0].writeback.status_error, SHUNT_82576_RXD_DD);
	assert_int_equal(rx[1].writeback.status_error, SHUNT_82576_RXD_DD);
	assert_int_equal(rx[2].writeback.length, 100);
	assert_int_equal(rx[2].writeback.status_error, SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP);
	assert_memory_equal(rig->port[0].rx_buffers, rig->tester.frame, 2 * RIG_BUFFER + 100);
}

static void the_frame_check_sequence_is_kept_unless_stripped(void **state)
{
	struct rig *rig = *state;
	uint32_t fcs;

	rig_set(rig, 0, SHUNT_82576_RCTL,
		rig_get(rig, 0, SHUNT_82576_RCTL) & ~SHUNT_82576_RCTL_SECRC);
	rig_post(rig, 0, 1);
	rig_send(rig, 0, 1);
	assert_int_equal(rig->port[0].rx[0].writeback.length, 64);
	memcpy(&fcs, rig->port[0].rx_buffers + 60, sizeof(fcs));
	assert_int_equal(fcs, sim_fcs(rig->tester.frame, 60));
	/* IEEE 802.3's check value of these nine digits. */
	assert_int_equal(sim_fcs((const uint8_t *)"123456789", 9), 0xCBF43926);
}

static void ip_headers_are_checked(void **state)
{
	struct rig *rig = *state;
	/* 192.168.0.1 to 192.168.0.199, UDP; a header whose checksum is b861 */
	static const uint8_t ip[20] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0xB8, 0x61, 0xC0, 0xA8, 0x00, 0x01, 0xC0, 0xA8, 0x00, 0xC7 };
	const union shunt_82576_rx_descriptor *rx = rig->port[0].rx;
	uint8_t frame[60];

	rig_make_frame(frame, 0, sizeof(frame));
	frame[12] = 0x08;
	frame[13] = 0x00;
	memcpy(frame + 14, ip, sizeof(ip));
	rig_post(rig, 0, 2);
	sim_rx_frame(rig->port[0].nic, frame, sizeof(frame));
	frame[14 + 8]--;
	sim_rx_frame(rig->port[0].nic, frame, sizeof(frame));
	assert_int_equal(rx[0].writeback.packet_info >> SHUNT_82576_RXD_PACKET_TYPE_SHIFT,
		SHUNT_82576_RXD_PACKET_IPV4 | SHUNT_82576_RXD_PACKET_UDP);
	assert_int_equal(rx[0].writeback.status_error,
		SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP | SHUNT_82576_RXD_IPCS);
	assert_true(rx[1].writeback.status_error & SHUNT_82576_RXD_IPE);
}

static void filters(void **state)
{
	struct rig *rig = *state;
	struct sim_nic *nic = rig->port[0].nic;
	uint8_t own[60], other[60], broadcast[60], multicast[60];
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, 0 };
	uint32_t hash;

	rig_make_frame(own, 0, 60);
	rig_make_frame(other, 0, 60);
	rig_make_frame(broadcast, 0, 60);
	rig_make_frame(multicast, 0, 60);
	memcpy(own, mac, 6);
	memset(broadcast, 0xFF, 6);
	memcpy(multicast, "\x01\x00\x5E\x01\x02\x03", 6);
	rig_post(rig, 0, 16);

	rig_set(rig, 0, SHUNT_82576_RCTL, SHUNT_82576_RCTL_EN | SHUNT_82576_RCTL_SECRC);
	sim_rx_frame(nic, own, 60);
	sim_rx_frame(nic, other, 60);
	sim_rx_frame(nic, broadcast, 60);
	sim_rx_frame(nic, multicast, 60);
	assert_int_equal(rig_truth(rig, 0).rx_delivered, 1);
	assert_int_equal(rig_truth(rig, 0).rx_filtered, 3);

	rig_set(rig, 0, SHUNT_82576_RCTL,
		SHUNT_82576_RCTL_EN | SHUNT_82576_RCTL_SECRC | SHUNT_82576_RCTL_BAM);
	hash = (0x03u << 8 | 0x02u) >> 4 & 0xFFFu;
	rig_set(rig, 0, SHUNT_82576_MTA(hash >> 5), 1u << (hash & 31u));
	rig_set(rig, 0, SHUNT_82576_RAL(20), 0x02020202);
	rig_set(rig, 0, SHUNT_82576_RAH(20), SHUNT_82576_RAH_AV | 0x0202);
	sim_rx_frame(nic, other, 60);
	sim_rx_frame(nic, broadcast, 60);
	sim_rx_frame(nic, multicast, 60);
	assert_int_equal(rig_truth(rig, 0).rx_delivered, 4);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_BPRC), 1);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_MPRC), 1);
}

static void lengths(void **state)
{
	struct rig *rig = *state;

	rig_post(rig, 0, 16);
	rig->tester.length = 59;
	rig_send(rig, 0, 1);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RUC), 1);
	rig->tester.length = 1514;
	rig_send(rig, 0, 1);
	assert_int_equal(rig_truth(rig, 0).rx_delivered, 1);
	rig->tester.length = 1515;
	rig_send(rig, 0, 1);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_ROC), 1);
	rig_set(rig, 0, SHUNT_82576_RCTL, rig_get(rig, 0, SHUNT_82576_RCTL) | SHUNT_82576_RCTL_LPE);
	rig_set(rig, 0, SHUNT_82576_RLPML, 1600);
	rig->tester.length = 1596;
	rig_send(rig, 0, 1);
	assert_int_equal(rig_truth(rig, 0).rx_delivered, 2);
	rig->tester.length = 1597;
	rig_send(rig, 0, 1);
	assert_int_equal(rig_truth(rig, 0).rx_filtered, 3);
	/* 8.18: length errors are both kinds, of frames for this NIC. */
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RLEC), 3);
	rig_set(rig, 0, SHUNT_82576_RCTL,
		rig_get(rig, 0, SHUNT_82576_RCTL) & ~SHUNT_82576_RCTL_UPE);
	rig_send(rig, 0, 1);
	assert_int_equal(rig_truth(rig, 0).rx_filtered, 4);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RLEC), 0);
}

static void the_fifo_takes_what_descriptors_cannot(void **state)
{
	struct rig *rig = *state;
	const unsigned int fit = SIM_FIFO_SIZE / (SIM_FIFO_HEADER + 64); /* 60 bytes, aligned */
	struct shunt_sim_port_truth truth;
	long number;

	rig_send(rig, 0, fit + 10);
	truth = rig_truth(rig, 0);
	assert_int_equal(truth.rx_fifo, fit);
	assert_int_equal(truth.rx_no_room, 10);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_MPC), 10);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RNBC), fit + 10);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GPRC), fit);
	/* Drained in order, later frames behind. */
	for (number = 0; number < (long)fit; number++) {
		rig_post(rig, 0, 1);
		rig_turn(rig, 0);
		assert_int_equal(rig_receive(rig, 0), number);
	}
	rig_post(rig, 0, 1);
	rig_send(rig, 0, 1);
	assert_int_equal(rig_receive(rig, 0), fit + 10);
}

static void drop_enable_uses_no_fifo(void **state)
{
	struct rig *rig = *state;

	rig_set(rig, 0, SHUNT_82576_SRRCTL(0),
		rig_get(rig, 0, SHUNT_82576_SRRCTL(0)) | SHUNT_82576_SRRCTL_DROP_EN);
	rig_send(rig, 0, 4);
	assert_int_equal(rig_truth(rig, 0).rx_fifo, 0);
	assert_int_equal(rig_truth(rig, 0).rx_no_room, 4);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RQDPC(0)), 4);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RQDPC(0)), 0);
}

static void receive_off_drops(void **state)
{
	struct rig *rig = *state;

	rig_set(rig, 0, SHUNT_82576_RCTL, 0);
	rig_post(rig, 0, 4);
	rig_send(rig, 0, 2);
	assert_int_equal(rig_truth(rig, 0).rx_no_room, 2);
	assert_int_equal(rig_receive(rig, 0), -1);
}

static void a_paused_port_keeps_frames_in_its_fifo(void **state)
{
	struct rig *rig = *state;
	uint32_t ctrl = rig_get(rig, 0, SHUNT_82576_CTRL);
	long number;

	rig_post(rig, 0, 8);
	rig_set(rig, 0, SHUNT_82576_CTRL, ctrl | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	rig_turn(rig, 0);
	fake_dma_allow();
	rig_send(rig, 0, 5);
	assert_int_equal(fake_dma_translations(), 0);
	assert_int_equal(rig_truth(rig, 0).rx_fifo, 5);
	rig_set(rig, 0, SHUNT_82576_CTRL, ctrl);
	rig_turn(rig, 0);
	for (number = 0; number < 5; number++)
		assert_int_equal(rig_receive(rig, 0), number);
}

static void refused_payload_drops_the_frame(void **state)
{
	struct rig *rig = *state;

	rig_post(rig, 0, 3);
	fake_dma_refuse(rig->port[0].rx_buffers + RIG_BUFFER, RIG_BUFFER, SHUNT_DMA_WRITE);
	rig_send(rig, 0, 3);
	assert_int_equal(rig_receive(rig, 0), 0);
	assert_int_equal(rig_receive(rig, 0), -1); /* a hole */
	rig->port[0].rx_next++;
	assert_int_equal(rig_receive(rig, 0), 2);
	assert_int_equal(rig_truth(rig, 0).rx_fault, 1);
	assert_int_equal(rig_truth(rig, 0).lost_writebacks, 1);
	assert_int_equal(fake_dma_faults(), 1);
}

static void refused_write_back_leaves_a_hole(void **state)
{
	struct rig *rig = *state;

	rig_post(rig, 0, 3);
	fake_dma_refuse(&rig->port[0].rx[1], 16, SHUNT_DMA_WRITE);
	rig_send(rig, 0, 3);
	assert_int_equal(rig_receive(rig, 0), 0);
	assert_int_equal(rig_receive(rig, 0), -1);
	rig->port[0].rx_next++;
	assert_int_equal(rig_receive(rig, 0), 2);
	assert_int_equal(rig_truth(rig, 0).rx_fault, 1);
	assert_int_equal(rig_truth(rig, 0).lost_writebacks, 1);
	assert_int_equal(fake_dma_faults(), 1);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RDH(0)), 3);
}

static void a_refused_fetch_fills_the_fifo_then_goes_on(void **state)
{
	struct rig *rig = *state;
	long number;

	rig_post(rig, 0, 8);
	fake_dma_refuse(rig->port[0].rx, SIM_PAGE_SIZE, SHUNT_DMA_READ);
	rig_make_frame(rig->tester.frame, rig->tester.next++, 60);
	sim_rx_frame(rig->port[0].nic, rig->tester.frame, 60);
	assert_int_equal(fake_dma_faults(), 1);
	rig->port[0].nic->rx[0].ring.retry = UINT64_MAX; /* not yet */
	rig_send(rig, 0, 4);
	assert_int_equal(fake_dma_faults(), 1);
	assert_int_equal(rig_truth(rig, 0).rx_fifo, 5);
	fake_dma_allow();
	rig->port[0].nic->rx[0].ring.retry = shunt_clock_now();
	rig_turn(rig, 0);
	for (number = 0; number < 5; number++)
		assert_int_equal(rig_receive(rig, 0), number);
	assert_int_equal(rig_truth(rig, 0).rx_fault, 0);
}

static void a_refused_fetch_wedges_until_function_reset(void **state)
{
	struct rig *rig = *state;

	rig->sim.config.nic = SHUNT_SIM_WEDGE;
	rig_post(rig, 0, 8);
	fake_dma_refuse(rig->port[0].rx, SIM_PAGE_SIZE, SHUNT_DMA_READ);
	rig_send(rig, 0, 3);
	fake_dma_allow();
	rig_turn(rig, 0);
	assert_int_equal(rig_receive(rig, 0), -1);
	assert_int_equal(rig_truth(rig, 0).wedged_queues, 1);
	assert_int_equal(rig_truth(rig, 0).rx_fifo, 3);
	rig_set(rig, 0, SHUNT_82576_RXDCTL(0), 0);
	rig_turn(rig, 0);
	assert_true(rig_get(rig, 0, SHUNT_82576_RXDCTL(0)) & SHUNT_82576_RXDCTL_ENABLE);
	rig_set(rig, 0, SHUNT_82576_CTRL, SHUNT_82576_CTRL_RST);
	assert_int_equal(rig_truth(rig, 0).wedged_queues, 1);
	assert_int_equal(rig_truth(rig, 0).rx_reset, 3);
	assert_int_equal(rig_truth(rig, 0).rx_fifo, 0);
	sim_nic_reset(rig->port[0].nic);
	rig_start(rig, 0);
	rig_post(rig, 0, 4);
	rig_send(rig, 0, 1);
	assert_int_equal(rig_receive(rig, 0), 3);
	assert_int_equal(rig_truth(rig, 0).wedged_queues, 0);
}

static void refused_writes_do_not_wedge(void **state)
{
	struct rig *rig = *state;

	rig->sim.config.nic = SHUNT_SIM_WEDGE;
	rig_post(rig, 0, 3);
	fake_dma_refuse(rig->port[0].rx_buffers, RIG_BUFFER, SHUNT_DMA_WRITE);
	rig_send(rig, 0, 2);
	assert_int_equal(rig_truth(rig, 0).wedged_queues, 0);
	assert_int_equal(rig_truth(rig, 0).rx_fault, 1);
	assert_int_equal(rig_truth(rig, 0).rx_delivered, 1);
}

static void prefetched_descriptors_go_with_the_queue(void **state)
{
	struct rig *rig = *state;

	rig_post(rig, 0, 4);
	rig_send(rig, 0, 1); /* fetches all four */
	rig_set(rig, 0, SHUNT_82576_RXDCTL(0), 0);
	rig_turn(rig, 0);
	/* Other buffers for the same descriptors, while the queue is off. */
	rig->port[0].rx[1].read.packet_address = (uintptr_t)rig->port[0].tx_buffers;
	rig_set(rig, 0, SHUNT_82576_RXDCTL(0), SHUNT_82576_RXDCTL_ENABLE);
	rig_turn(rig, 0);
	rig_send(rig, 0, 1);
	assert_memory_equal(rig->port[0].tx_buffers, rig->tester.frame, 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_create_started, tear_down)

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
