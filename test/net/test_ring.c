/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A receive ring that is rebuilt after its NIC was turned off, without a port. A buffer is a
 * number, and the slot of frame n has n in its first quad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "igb.h"

#define COUNT 64
#define DONE  (SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP)
#define HOLE  0 /* used by the NIC, write-back refused */

static union shunt_82576_rx_descriptor ring[COUNT];
static struct rte_mbuf mbufs[COUNT];
static struct rte_mbuf *buffers[COUNT];
static struct igb_port port;
static struct igb_rx_queue queue;

/* A ring: `used` slots from `next` on are as in `frames`, and `unfilled` have no buffer. */
static void make_ring(
	bool scattered, uint16_t next, const uint64_t *frames, uint16_t used, uint16_t unfilled)
{
	port = (struct igb_port){ .scattered = scattered };
	queue = (struct igb_rx_queue){
		.ring = ring,
		.buffers = buffers,
		.count = COUNT,
		.next = next,
		.unfilled = unfilled,
		.refill = (uint16_t)((next + COUNT - unfilled) % COUNT),
		.port = &port,
		.slow_bits = 1,
	};
	memset(ring, 0, sizeof(ring));
	for (uint16_t i = 0; i < COUNT; i++) {
		uint16_t slot = (uint16_t)((next + i) % COUNT);

		buffers[slot] = i < COUNT - unfilled ? &mbufs[i] : NULL;
		mbufs[i].buf_addr = &mbufs[i];
		if (i < used) {
			ring[slot].quad[0] = frames[i];
			ring[slot].quad[1] = frames[i] ? DONE : 0;
		}
	}
}

static void repair_and_rebuild(uint16_t used)
{
	uint32_t dropped = 0;

	igb_rx_ring_repair(&queue, (uint16_t)((queue.next + used) % COUNT), &dropped);
	igb_rx_ring_rebuild(&queue);
}

/* The NIC starts at slot 0 and has that many slots, one of them held back. No buffer is in two
 * slots. */
static void check_nic(uint16_t slots)
{
	uint64_t seen = 0;

	assert_int_equal(igb_rx_ring_tail(&queue), slots - 1);
	for (uint16_t i = 0; i < COUNT - queue.unfilled; i++) {
		uint16_t slot = (uint16_t)((queue.next + i) % COUNT);

		assert_non_null(buffers[slot]);
		assert_false(seen >> (buffers[slot] - mbufs) & 1);
		seen |= 1ull << (buffers[slot] - mbufs);
	}
	for (uint16_t slot = 0; slot < slots; slot++) {
		assert_int_equal(ring[slot].quad[1], 0);
		assert_int_equal(ring[slot].quad[0],
			(uintptr_t)buffers[slot]->buf_addr + RTE_PKTMBUF_HEADROOM);
	}
}

/* The next poll gives these frames, each in its own buffer. */
static void check_frames(const uint64_t *frames, const uint16_t *at, uint16_t count)
{
	assert_int_equal(igb_rx_ring_completed(&queue), count);
	for (uint16_t i = 0; i < count; i++) {
		uint16_t slot = (uint16_t)((queue.next + i) % COUNT);

		assert_int_equal(ring[slot].quad[0], frames[i]);
		assert_ptr_equal(buffers[slot], &mbufs[at[i]]);
	}
}

static void the_nic_has_holes_again(void **state)
{
	static const uint64_t frames[] = { 11, HOLE, HOLE, 12, 13, HOLE };

	(void)state;
	for (uint16_t next = 0; next < COUNT; next++) {
		make_ring(false, next, frames, 6, 8);
		repair_and_rebuild(6);
		check_frames((uint64_t[]){ 11, 12, 13 }, (uint16_t[]){ 0, 3, 4 }, 3);
		check_nic(COUNT - 8 - 3);
		assert_int_equal(queue.counts.discarded, 3);
	}
}

static void a_ring_of_holes_is_whole(void **state)
{
	static const uint64_t frames[COUNT];

	(void)state;
	for (uint16_t next = 0; next < COUNT; next++) {
		make_ring(false, next, frames, COUNT - 1, 0);
		repair_and_rebuild(COUNT - 1);
		check_frames(NULL, NULL, 0);
		check_nic(COUNT);
		assert_int_equal(queue.counts.discarded, COUNT - 1);
	}
}

static void a_cut_frame_keeps_one_mark(void **state)
{
	static const uint64_t frames[] = { HOLE, 11, HOLE, HOLE, HOLE, 12 };

	(void)state;
	for (uint16_t next = 0; next < COUNT; next++) {
		make_ring(true, next, frames, 6, 0);
		repair_and_rebuild(6);
		check_frames((uint64_t[]){ 0, 11, 0, 12 }, (uint16_t[]){ 0, 1, 2, 5 }, 4);
		check_nic(COUNT - 4);
	}
}

static void without_holes_nothing_moves(void **state)
{
	static const uint64_t frames[] = { 11, 12, 13 };

	(void)state;
	for (uint16_t next = 0; next < COUNT; next++) {
		make_ring(false, next, frames, 3, 5);
		repair_and_rebuild(3);
		check_frames(frames, (uint16_t[]){ 0, 1, 2 }, 3);
		check_nic(COUNT - 5 - 3);
		assert_int_equal(queue.counts.discarded, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nic_has_holes_again),
		cmocka_unit_test(a_ring_of_holes_is_whole),
		cmocka_unit_test(a_cut_frame_keeps_one_mark),
		cmocka_unit_test(without_holes_nothing_moves),
	};

	return cmocka_run_group_tests_name("receive ring laid anew", tests, NULL, NULL);
}
