/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nic_bench.h"

static bool done(const struct bench *bench, uint32_t index)
{
	const uint64_t *upper = &bench->port[0].tx[index].quad[1];

	return __atomic_load_n(upper, __ATOMIC_ACQUIRE) >> 32 & SHUNT_82576_TXD_DD;
}

static void frames_go_out_in_order_and_wrap(void **state)
{
	struct bench *bench = *state;
	uint32_t number;

	for (number = 0; number < 5 * BENCH_RING; number++) {
		uint32_t slot = bench->port[0].tx_tail;

		bench_queue(bench, 0, number, 60 + number);
		bench_doorbell(bench, 0);
		bench_turn(bench, 0);
		assert_true(done(bench, slot));
		assert_int_equal(bench->tester.last_length, 60 + number);
		assert_int_equal(bench->tester.numbers[number], number);
		assert_memory_equal(bench->tester.last,
			bench->port[0].tx_buffers + BENCH_BUFFER * slot, 60 + number);
	}
	assert_int_equal(bench_truth(bench, 0).tx_wire, 5 * BENCH_RING);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_GPTC), 5 * BENCH_RING);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_TDH(0)), bench->port[0].tx_tail);
}

static void a_batch_costs_one_descriptor_fetch(void **state)
{
	struct bench *bench = *state;
	uint32_t i;

	for (i = 0; i < 16; i++)
		bench_queue(bench, 0, i, 60);
	bench_doorbell(bench, 0);
	fake_dma_allow();
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 16);
	assert_int_equal(fake_dma_translations(), 1 + 16 * 2); /* payload and write-back of each */
}

/* The second piece of a frame: whatever bytes, continuing the pattern of bench_make_frame(). */
static void split_last_frame(struct bench *bench, uint32_t first)
{
	struct bench_port *port = &bench->port[0];
	uint32_t slot = (port->tx_tail + BENCH_RING - 1) % BENCH_RING;
	union shunt_82576_tx_descriptor *head = &port->tx[slot], *rest = &port->tx[port->tx_tail];
	uint32_t length = head->read.command_length & SHUNT_82576_TXD_LENGTH_MASK;

	*rest = *head;
	rest->read.address = head->read.address + first;
	rest->read.command_length -= first;
	head->read.command_length -= length - first;
	head->read.command_length &= ~(SHUNT_82576_TXD_EOP | SHUNT_82576_TXD_RS);
	port->tx_tail = (port->tx_tail + 1) % BENCH_RING;
}

static void several_descriptors_make_one_frame(void **state)
{
	struct bench *bench = *state;

	bench_queue(bench, 0, 7, 1000);
	split_last_frame(bench, 14);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 1);
	assert_int_equal(bench->tester.last_length, 1000);
	assert_memory_equal(bench->tester.last, bench->port[0].tx_buffers, 1000);
	assert_false(done(bench, 0));
	assert_true(done(bench, 1));
}

static void a_frame_waits_for_its_last_descriptor(void **state)
{
	struct bench *bench = *state;
	struct bench_port *port = &bench->port[0];

	bench_queue(bench, 0, 7, 200);
	split_last_frame(bench, 100);
	port->tx_tail--;
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 0);
	port->tx_tail++;
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 1);
	assert_memory_equal(bench->tester.last, port->tx_buffers, 200);
}

static void payload_across_pages(void **state)
{
	struct bench *bench = *state;
	union shunt_82576_tx_descriptor *descriptor = &bench->port[0].tx[0];

	bench_queue(bench, 0, 1, 1500);
	/* Buffers 0 to 2 are contiguous: let the frame cross into the second page. */
	descriptor->read.address = (uintptr_t)bench->port[0].tx_buffers + SIM_PAGE_SIZE - 700;
	bench_make_frame(bench->port[0].tx_buffers + SIM_PAGE_SIZE - 700, 1, 1500);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.last_length, 1500);
	assert_memory_equal(
		bench->tester.last, bench->port[0].tx_buffers + SIM_PAGE_SIZE - 700, 1500);
}

static void short_frames_are_padded(void **state)
{
	struct bench *bench = *state;

	bench_queue(bench, 0, 1, 20);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.last_length, 60);
	assert_int_equal(bench->tester.last[20], 0);
	assert_int_equal(bench->tester.last[59], 0);
}

static void context_and_legacy_descriptors(void **state)
{
	struct bench *bench = *state;
	union shunt_82576_tx_descriptor *descriptor = &bench->port[0].tx[0];

	descriptor->context.command_type =
		SHUNT_82576_TXD_DTYP_CONTEXT | SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_RS;
	bench->port[0].tx_tail = 1;
	bench_queue(bench, 0, 3, 80);
	bench->port[0].tx[1].read.command_length =
		80 | SHUNT_82576_TXD_EOP | SHUNT_82576_TXD_IFCS | SHUNT_82576_TXD_RS;
	bench->port[0].tx[1].read.options = 0;
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_true(done(bench, 0));
	assert_true(done(bench, 1));
	assert_int_equal(bench->tester.received, 1);
	assert_int_equal(bench->tester.last_length, 80);
}

static void malformed_frames_are_discarded_and_counted(void **state)
{
	struct bench *bench = *state;
	union shunt_82576_tx_descriptor *tx = bench->port[0].tx;

	bench_queue(bench, 0, 0, 100);
	tx[0].read.command_length |= SHUNT_82576_TXD_TSE; /* by a context that was not given */
	bench_queue(bench, 0, 1, 100);
	tx[1].read.command_length =
		100 | SHUNT_82576_TXD_EOP | SHUNT_82576_TXD_IFCS | SHUNT_82576_TXD_IC; /* legacy */
	bench_queue(bench, 0, 2, 100);
	tx[2].read.options = 99u << SHUNT_82576_TXD_PAYLEN_SHIFT; /* not what the frame has */
	bench_queue(bench, 0, 3, 100);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench_truth(bench, 0).tx_discarded, 3);
	assert_int_equal(bench->tester.received, 1);
	assert_int_equal(bench->tester.numbers[0], 3);
	assert_true(done(bench, 2));
}

static void head_write_back(void **state)
{
	struct bench *bench = *state;
	uint32_t head __attribute__((aligned(64))) = UINT32_MAX;
	uint64_t iova = (uintptr_t)&head;

	bench_set(bench, 0, SHUNT_82576_TDWBAH(0), (uint32_t)(iova >> 32));
	bench_set(bench, 0, SHUNT_82576_TDWBAL(0), (uint32_t)iova | SHUNT_82576_TDWBAL_HEAD_WB_EN);
	bench_queue(bench, 0, 0, 60);
	bench_queue(bench, 0, 1, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(head, 2);
	assert_false(done(bench, 0));
}

static void refused_payload_drops_the_frame_only(void **state)
{
	struct bench *bench = *state;

	fake_dma_refuse(bench->port[0].tx_buffers + BENCH_BUFFER, BENCH_BUFFER, SHUNT_DMA_READ);
	bench_queue(bench, 0, 0, 60);
	bench_queue(bench, 0, 1, 300);
	split_last_frame(bench, 100);
	bench_queue(bench, 0, 3, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 2);
	assert_int_equal(bench->tester.numbers[1], 3);
	assert_int_equal(bench_truth(bench, 0).tx_fault, 1);
	assert_int_equal(fake_dma_faults(), 1);
	assert_true(done(bench, 2)); /* it completes all the same */
	assert_int_equal(bench_truth(bench, 0).wedged_queues, 0);
}

static void refused_write_back_leaves_no_done(void **state)
{
	struct bench *bench = *state;

	fake_dma_refuse(&bench->port[0].tx[0], 16, SHUNT_DMA_WRITE);
	bench_queue(bench, 0, 0, 60);
	bench_queue(bench, 0, 1, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 2);
	assert_false(done(bench, 0));
	assert_true(done(bench, 1));
	assert_int_equal(bench_truth(bench, 0).lost_writebacks, 1);
}

static void refused_fetch_is_tried_again_later(void **state)
{
	struct bench *bench = *state;
	uint64_t end;

	fake_dma_refuse(bench->port[0].tx, SIM_PAGE_SIZE, SHUNT_DMA_READ);
	bench_queue(bench, 0, 0, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(fake_dma_faults(), 1);
	bench->port[0].nic->tx[0].ring.retry = UINT64_MAX; /* not yet */
	bench_turn(bench, 0);
	assert_int_equal(fake_dma_faults(), 1);
	fake_dma_allow();
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 0);
	end = shunt_clock_now();
	bench->port[0].nic->tx[0].ring.retry = end;
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 1);
}

static void wedge(struct bench *bench)
{
	bench->sim.config.nic = SHUNT_SIM_WEDGE;
	bench_queue(bench, 0, 0, 60);
	bench_queue(bench, 0, 1, 60);
	bench_doorbell(bench, 0);
	fake_dma_refuse(bench->port[0].tx_buffers, BENCH_BUFFER, SHUNT_DMA_READ);
	bench_turn(bench, 0);
	fake_dma_allow();
}

static void a_refused_read_wedges_until_function_reset(void **state)
{
	struct bench *bench = *state;

	wedge(bench);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 0);
	assert_false(done(bench, 0));
	assert_int_equal(bench_truth(bench, 0).tx_fault, 1);
	assert_int_equal(bench_truth(bench, 0).wedged_queues, 1);
	/* It never acknowledges a disable, nor does a port reset help. */
	bench_set(bench, 0, SHUNT_82576_TXDCTL(0), 0);
	bench_turn(bench, 0);
	assert_true(bench_get(bench, 0, SHUNT_82576_TXDCTL(0)) & SHUNT_82576_TXDCTL_ENABLE);
	bench_set(bench, 0, SHUNT_82576_CTRL, SHUNT_82576_CTRL_RST);
	bench_start(bench, 0);
	bench_queue(bench, 0, 2, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 0);
	assert_int_equal(bench_truth(bench, 0).wedged_queues, 1);
	sim_nic_reset(bench->port[0].nic);
	assert_int_equal(bench_truth(bench, 0).wedged_queues, 0);
	bench_start(bench, 0);
	bench_queue(bench, 0, 3, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 1);
	assert_int_equal(bench->tester.numbers[0], 3);
}

static void a_paused_port_sends_nothing(void **state)
{
	struct bench *bench = *state;
	uint32_t ctrl = bench_get(bench, 0, SHUNT_82576_CTRL);

	bench_set(bench, 0, SHUNT_82576_CTRL, ctrl | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	bench_queue(bench, 0, 0, 60);
	bench_doorbell(bench, 0);
	fake_dma_allow();
	bench_turn(bench, 0);
	assert_int_equal(fake_dma_translations(), 0);
	bench_set(bench, 0, SHUNT_82576_CTRL, ctrl);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 1);
	bench_bus_master(bench, 0, false);
	bench_queue(bench, 0, 1, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 1);
}

static void a_disabled_queue_goes_on_where_it_stopped(void **state)
{
	struct bench *bench = *state;

	bench_queue(bench, 0, 0, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	bench_set(bench, 0, SHUNT_82576_TXDCTL(0), 0);
	bench_turn(bench, 0);
	bench_queue(bench, 0, 1, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 1);
	bench_set(bench, 0, SHUNT_82576_TXDCTL(0), SHUNT_82576_TXDCTL_ENABLE);
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.received, 2);
	assert_int_equal(bench->tester.numbers[1], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_create_started, bench_destroy)

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
