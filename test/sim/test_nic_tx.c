/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nic_fixture.h"

static bool done(const struct rig *rig, uint32_t index)
{
	const uint64_t *upper = &rig->port[0].tx[index].quad[1];

	return __atomic_load_n(upper, __ATOMIC_ACQUIRE) >> 32 & SHUNT_82576_TXD_DD;
}

static void frames_go_out_in_order_and_wrap(void **state)
{
	struct rig *rig = *state;
	uint32_t number;

	for (number = 0; number < 5 * RIG_RING; number++) {
		uint32_t slot = rig->port[0].tx_tail;

		rig_queue(rig, 0, number, 60 + number);
		rig_doorbell(rig, 0);
		rig_turn(rig, 0);
		assert_true(done(rig, slot));
		assert_int_equal(rig->tester.last_length, 60 + number);
		assert_int_equal(rig->tester.numbers[number], number);
		assert_memory_equal(
			rig->tester.last, rig->port[0].tx_buffers + RIG_BUFFER * slot, 60 + number);
	}
	assert_int_equal(rig_truth(rig, 0).tx_wire, 5 * RIG_RING);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GPTC), 5 * RIG_RING);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_TDH(0)), rig->port[0].tx_tail);
}

static void a_batch_costs_one_descriptor_fetch(void **state)
{
	struct rig *rig = *state;
	uint32_t i;

	for (i = 0; i < 16; i++)
		rig_queue(rig, 0, i, 60);
	rig_doorbell(rig, 0);
	fake_dma_allow();
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 16);
	assert_int_equal(fake_dma_translations(), 1 + 16 * 2); /* payload and write-back of each */
}

/* The second piece of a frame: whatever bytes, continuing the pattern of rig_make_frame(). */
static void split_last_frame(struct rig *rig, uint32_t first)
{
	struct rig_port *port = &rig->port[0];
	uint32_t slot = (port->tx_tail + RIG_RING - 1) % RIG_RING;
	union shunt_82576_tx_descriptor *head = &port->tx[slot], *rest = &port->tx[port->tx_tail];
	uint32_t length = head->read.command_length & SHUNT_82576_TXD_LENGTH_MASK;

	*rest = *head;
	rest->read.address = head->read.address + first;
	rest->read.command_length -= first;
	head->read.command_length -= length - first;
	head->read.command_length &= ~(SHUNT_82576_TXD_EOP | SHUNT_82576_TXD_RS);
	port->tx_tail = (port->tx_tail + 1) % RIG_RING;
}

static void several_descriptors_make_one_frame(void **state)
{
	struct rig *rig = *state;

	rig_queue(rig, 0, 7, 1000);
	split_last_frame(rig, 14);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 1);
	assert_int_equal(rig->tester.last_length, 1000);
	assert_memory_equal(rig->tester.last, rig->port[0].tx_buffers, 1000);
	assert_false(done(rig, 0));
	assert_true(done(rig, 1));
}

static void a_frame_waits_for_its_last_descriptor(void **state)
{
	struct rig *rig = *state;
	struct rig_port *port = &rig->port[0];

	rig_queue(rig, 0, 7, 200);
	split_last_frame(rig, 100);
	port->tx_tail--;
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 0);
	port->tx_tail++;
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 1);
	assert_memory_equal(rig->tester.last, port->tx_buffers, 200);
}

static void payload_across_pages(void **state)
{
	struct rig *rig = *state;
	union shunt_82576_tx_descriptor *descriptor = &rig->port[0].tx[0];

	rig_queue(rig, 0, 1, 1500);
	/* Buffers 0 to 2 are contiguous: let the frame cross into the second page. */
	descriptor->read.address = (uintptr_t)rig->port[0].tx_buffers + SIM_PAGE_SIZE - 700;
	rig_make_frame(rig->port[0].tx_buffers + SIM_PAGE_SIZE - 700, 1, 1500);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.last_length, 1500);
	assert_memory_equal(rig->tester.last, rig->port[0].tx_buffers + SIM_PAGE_SIZE - 700, 1500);
}

static void short_frames_are_padded(void **state)
{
	struct rig *rig = *state;

	rig_queue(rig, 0, 1, 20);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.last_length, 60);
	assert_int_equal(rig->tester.last[20], 0);
	assert_int_equal(rig->tester.last[59], 0);
}

static void context_and_legacy_descriptors(void **state)
{
	struct rig *rig = *state;
	union shunt_82576_tx_descriptor *descriptor = &rig->port[0].tx[0];

	descriptor->context.command_type =
		SHUNT_82576_TXD_DTYP_CONTEXT | SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_RS;
	rig->port[0].tx_tail = 1;
	rig_queue(rig, 0, 3, 80);
	rig->port[0].tx[1].read.command_length =
		80 | SHUNT_82576_TXD_EOP | SHUNT_82576_TXD_IFCS | SHUNT_82576_TXD_RS;
	rig->port[0].tx[1].read.options = 0;
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_true(done(rig, 0));
	assert_true(done(rig, 1));
	assert_int_equal(rig->tester.received, 1);
	assert_int_equal(rig->tester.last_length, 80);
}

static void malformed_frames_are_discarded_and_counted(void **state)
{
	struct rig *rig = *state;
	union shunt_82576_tx_descriptor *tx = rig->port[0].tx;

	rig_queue(rig, 0, 0, 100);
	tx[0].read.command_length |= SHUNT_82576_TXD_TSE; /* by a context that was not given */
	rig_queue(rig, 0, 1, 100);
	tx[1].read.command_length =
		100 | SHUNT_82576_TXD_EOP | SHUNT_82576_TXD_IFCS | SHUNT_82576_TXD_IC; /* legacy */
	rig_queue(rig, 0, 2, 100);
	tx[2].read.options = 99u << SHUNT_82576_TXD_PAYLEN_SHIFT; /* not what the frame has */
	rig_queue(rig, 0, 3, 100);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig_truth(rig, 0).tx_discarded, 3);
	assert_int_equal(rig->tester.received, 1);
	assert_int_equal(rig->tester.numbers[0], 3);
	assert_true(done(rig, 2));
}

static void head_write_back(void **state)
{
	struct rig *rig = *state;
	uint32_t head __attribute__((aligned(64))) = UINT32_MAX;
	uint64_t iova = (uintptr_t)&head;

	rig_set(rig, 0, SHUNT_82576_TDWBAH(0), (uint32_t)(iova >> 32));
	rig_set(rig, 0, SHUNT_82576_TDWBAL(0), (uint32_t)iova | SHUNT_82576_TDWBAL_HEAD_WB_EN);
	rig_queue(rig, 0, 0, 60);
	rig_queue(rig, 0, 1, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(head, 2);
	assert_false(done(rig, 0));
}

static void refused_payload_drops_the_frame_only(void **state)
{
	struct rig *rig = *state;

	fake_dma_refuse(rig->port[0].tx_buffers + RIG_BUFFER, RIG_BUFFER, SHUNT_DMA_READ);
	rig_queue(rig, 0, 0, 60);
	rig_queue(rig, 0, 1, 300);
	split_last_frame(rig, 100);
	rig_queue(rig, 0, 3, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 2);
	assert_int_equal(rig->tester.numbers[1], 3);
	assert_int_equal(rig_truth(rig, 0).tx_fault, 1);
	assert_int_equal(fake_dma_faults(), 1);
	assert_true(done(rig, 2)); /* it completes all the same */
	assert_int_equal(rig_truth(rig, 0).wedged_queues, 0);
}

static void refused_write_back_leaves_no_done(void **state)
{
	struct rig *rig = *state;

	fake_dma_refuse(&rig->port[0].tx[0], 16, SHUNT_DMA_WRITE);
	rig_queue(rig, 0, 0, 60);
	rig_queue(rig, 0, 1, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 2);
	assert_false(done(rig, 0));
	assert_true(done(rig, 1));
	assert_int_equal(rig_truth(rig, 0).lost_writebacks, 1);
}

static void refused_fetch_is_tried_again_later(void **state)
{
	struct rig *rig = *state;
	uint64_t end;

	fake_dma_refuse(rig->port[0].tx, SIM_PAGE_SIZE, SHUNT_DMA_READ);
	rig_queue(rig, 0, 0, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(fake_dma_faults(), 1);
	rig->port[0].nic->tx[0].ring.retry = UINT64_MAX; /* not yet */
	rig_turn(rig, 0);
	assert_int_equal(fake_dma_faults(), 1);
	fake_dma_allow();
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 0);
	end = shunt_clock_now();
	rig->port[0].nic->tx[0].ring.retry = end;
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 1);
}

static void wedge(struct rig *rig)
{
	rig->sim.config.nic = SHUNT_SIM_WEDGE;
	rig_queue(rig, 0, 0, 60);
	rig_queue(rig, 0, 1, 60);
	rig_doorbell(rig, 0);
	fake_dma_refuse(rig->port[0].tx_buffers, RIG_BUFFER, SHUNT_DMA_READ);
	rig_turn(rig, 0);
	fake_dma_allow();
}

static void a_refused_read_wedges_until_function_reset(void **state)
{
	struct rig *rig = *state;

	wedge(rig);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 0);
	assert_false(done(rig, 0));
	assert_int_equal(rig_truth(rig, 0).tx_fault, 1);
	assert_int_equal(rig_truth(rig, 0).wedged_queues, 1);
	/* It never acknowledges a disable, nor does a port reset help. */
	rig_set(rig, 0, SHUNT_82576_TXDCTL(0), 0);
	rig_turn(rig, 0);
	assert_true(rig_get(rig, 0, SHUNT_82576_TXDCTL(0)) & SHUNT_82576_TXDCTL_ENABLE);
	rig_set(rig, 0, SHUNT_82576_CTRL, SHUNT_82576_CTRL_RST);
	rig_start(rig, 0);
	rig_queue(rig, 0, 2, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 0);
	assert_int_equal(rig_truth(rig, 0).wedged_queues, 1);
	sim_nic_reset(rig->port[0].nic);
	assert_int_equal(rig_truth(rig, 0).wedged_queues, 0);
	rig_start(rig, 0);
	rig_queue(rig, 0, 3, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 1);
	assert_int_equal(rig->tester.numbers[0], 3);
}

static void a_paused_port_sends_nothing(void **state)
{
	struct rig *rig = *state;
	uint32_t ctrl = rig_get(rig, 0, SHUNT_82576_CTRL);

	rig_set(rig, 0, SHUNT_82576_CTRL, ctrl | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	rig_queue(rig, 0, 0, 60);
	rig_doorbell(rig, 0);
	fake_dma_allow();
	rig_turn(rig, 0);
	assert_int_equal(fake_dma_translations(), 0);
	rig_set(rig, 0, SHUNT_82576_CTRL, ctrl);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 1);
	rig_bus_master(rig, 0, false);
	rig_queue(rig, 0, 1, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 1);
}

static void a_disabled_queue_goes_on_where_it_stopped(void **state)
{
	struct rig *rig = *state;

	rig_queue(rig, 0, 0, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	rig_set(rig, 0, SHUNT_82576_TXDCTL(0), 0);
	rig_turn(rig, 0);
	rig_queue(rig, 0, 1, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 1);
	rig_set(rig, 0, SHUNT_82576_TXDCTL(0), SHUNT_82576_TXDCTL_ENABLE);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 2);
	assert_int_equal(rig->tester.numbers[1], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_create_started, rig_destroy)

/* At 100 Mb/s a frame of 980 bytes, with what is around it on the wire, takes 80 us and some. */
static void a_slow_wire_takes_its_time(void **state)
{
	struct rig *rig = *state;
	uint64_t takes = shunt_clock_from_ns((980 + SHUNT_82576_FCS_SIZE + 20) * 80);

	assert_int_equal(shunt_sim_speed(&rig->sim.platform, "0000:03:00.0", 101), -EINVAL);
	assert_int_equal(shunt_sim_speed(&rig->sim.platform, "0000:03:00.0", 100), 0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_SPEED_MASK,
		SHUNT_82576_STATUS_SPEED_100);
	rig->sim.time = 1000;
	for (uint32_t i = 0; i < 3; i++)
		rig_queue(rig, 0, i, 980);
	rig_doorbell(rig, 0);
	for (uint32_t sent = 1; sent <= 3; sent++) {
		rig_turn(rig, 0);
		assert_int_equal(rig->tester.received, sent);
		assert_int_equal(rig_get(rig, 0, SHUNT_82576_TDH(0)), sent);
		rig->sim.time += takes - 1;
		rig_turn(rig, 0);
		assert_int_equal(rig->tester.received, sent);
		rig->sim.time++;
	}
	/* It is fast at once. */
	rig_queue(rig, 0, 3, 980);
	rig_queue(rig, 0, 4, 980);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 4);
	assert_int_equal(
		shunt_sim_speed(&rig->sim.platform, "0000:03:00.0", SHUNT_SIM_SPEED_MAX), 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 5);
}

static void only_ports_with_rfce_obey_xoff(void **state)
{
	struct rig *rig = *state;
	uint32_t control = rig_get(rig, 0, SHUNT_82576_CTRL);

	assert_int_equal(shunt_sim_hold_back(&rig->sim.platform, "0000:03:00.0", true), 0);
	rig_queue(rig, 0, 0, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 1);
	rig_set(rig, 0, SHUNT_82576_CTRL, control | SHUNT_82576_CTRL_RFCE);
	assert_true(rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_TXOFF);
	rig_queue(rig, 0, 1, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 1);
	assert_int_equal(shunt_sim_hold_back(&rig->sim.platform, "0000:03:00.0", false), 0);
	assert_false(rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_TXOFF);
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.received, 2);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_XOFFRXC), 1);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_XONRXC), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_go_out_in_order_and_wrap),
		TEST(a_batch_costs_one_descriptor_fetch),
		TEST(several_descriptors_make_one_frame),
		TEST(a_frame_waits_for_its_last_descriptor),
		TEST(payload_across_pages),
		TEST(short_frames_are_padded),
		TEST(context_and_legacy_descriptors),
		TEST(malformed_frames_are_discarded_and_counted),
		TEST(head_write_back),
		TEST(refused_payload_drops_the_frame_only),
		TEST(refused_write_back_leaves_no_done),
		TEST(refused_fetch_is_tried_again_later),
		TEST(a_refused_read_wedges_until_function_reset),
		TEST(a_paused_port_sends_nothing),
		TEST(a_disabled_queue_goes_on_where_it_stopped),
		TEST(a_slow_wire_takes_its_time),
		TEST(only_ports_with_rfce_obey_xoff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
