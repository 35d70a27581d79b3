/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nic_bench.h"

#define FRAMES 20000u

static void port_to_port(void **state)
{
	struct bench *bench = *state;
	struct shunt_platform *platform = &bench->sim.platform;
	uint32_t i;

	assert_int_equal(shunt_sim_wire(platform, "0000:03:00.0", "0000:05:00.0"), -ENODEV);
	assert_int_equal(shunt_sim_wire(platform, "0000:03:00.0", "0000:03:00.0"), -EBUSY);
	assert_int_equal(shunt_sim_wire(platform, "0000:03:00.0", "0000:04:00.0"), 0);
	assert_int_equal(shunt_sim_wire(platform, "0000:04:00.0", "0000:03:00.0"), -EBUSY);
	assert_int_equal(
		shunt_sim_connect(platform, "0000:04:00.0", &bench->tester.endpoint), -EBUSY);
	bench_start(bench, 0);
	bench_start(bench, 1);
	assert_true(bench_get(bench, 1, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_LU);
	bench_post(bench, 1, 4);
	for (i = 0; i < 6; i++)
		bench_queue(bench, 0, i, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(bench_receive(bench, 1), i);
	assert_int_equal(bench_truth(bench, 0).tx_wire, 6);
	assert_int_equal(bench_truth(bench, 1).rx_wire, 6);
	assert_int_equal(bench_truth(bench, 1).rx_fifo, 2);
	bench_post(bench, 1, 2);
	bench_turn(bench, 1);
	assert_int_equal(bench_receive(bench, 1), 4);
	assert_int_equal(bench_receive(bench, 1), 5);
	bench_balanced(bench, 1);
}

static void a_wire_without_far_end(void **state)
{
	struct bench *bench = *state;

	bench_start(bench, 0);
	bench_queue(bench, 0, 0, 60);
	bench_doorbell(bench, 0);
	bench_turn(bench, 0);
	assert_int_equal(bench_truth(bench, 0).tx_wire, 1);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_GPTC), 1);
}

static void a_tester_that_holds_back_loses_nothing(void **state)
{
	struct bench *bench = *state;
	long number = 0;

	bench_connect(bench, 0);
	bench_start(bench, 0);
	bench->tester.hold_back = true;
	bench->tester.to_send = 100;
	while (number < 100) {
		bench_post(bench, 0, 7);
		bench_turn(bench, 0);
		while (bench_receive(bench, 0) == number)
			number++;
	}
	assert_true(bench->tester.refusals > 0);
	assert_int_equal(bench_truth(bench, 0).rx_no_room, 0);
	assert_int_equal(bench_truth(bench, 0).rx_delivered, 100);
	assert_int_equal(bench_get(bench, 0, SHUNT_82576_RNBC), 0);
}

static void the_far_end_can_be_taken_away(void **state)
{
	struct bench *bench = *state;

	bench_connect(bench, 0);
	bench_start(bench, 0);
	assert_int_equal(shunt_sim_connect(&bench->sim.platform, "0000:03:00.0", NULL), 0);
	assert_false(bench_get(bench, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_LU);
	bench->tester.to_send = 1;
	bench_turn(bench, 0);
	assert_int_equal(bench->tester.to_send, 1);
	bench_connect(bench, 0);
	bench_post(bench, 0, 1);
	bench_send(bench, 0, 1);
	assert_int_equal(bench_truth(bench, 0).rx_wire, 2);
}

/* Forwards frames from port to port, as a driver on another thread does. */
static void forward(struct bench *bench, unsigned int frames)
{
	uint32_t next = 0;
	long number;

	while (next < frames) {
		number = bench_receive(bench, 0);
		if (number < 0) {
			sched_yield();
			continue;
		}
		assert_int_equal(number, next);
		while (next >= BENCH_RING / 2 &&
			!(__atomic_load_n(
				  &bench->port[1].tx[(next - BENCH_RING / 2) % BENCH_RING].quad[1],
				  __ATOMIC_ACQUIRE) >>
					32 &
				SHUNT_82576_TXD_DD))
			sched_yield();
		bench_queue(bench, 1, next, 60);
		bench_doorbell(bench, 1);
		bench_post(bench, 0, 1);
		next++;
	}
}

/*
 * tester -> port 0, driver, port 1 -> tester's other half: every frame once and in order, while
 * register accesses come in between.
 */
static void the_engine_thread_forwards(void **state)
{
	struct bench *bench = *state;
	struct bench_tester *back = &bench->tester;
	struct bench_tester *there = test_malloc(sizeof(*there));
	struct shunt_sim_endpoint there_end = back->endpoint;
	uint64_t counted = 0;
	unsigned int i;

	memset(there, 0, sizeof(*there));
	there->length = 60;
	there->hold_back = true;
	there->to_send = FRAMES;
	there_end.context = there;
	bench_start(bench, 0);
	bench_start(bench, 1);
	bench_post(bench, 0, BENCH_RING - 1);
	assert_int_equal(sim_engine_start(&bench->sim), 0);
	bench_connect(bench, 1);
	assert_int_equal(shunt_sim_connect(&bench->sim.platform, "0000:03:00.0", &there_end), 0);
	forward(bench, FRAMES);
	while (bench_truth(bench, 1).tx_wire < FRAMES)
		counted += bench_get(bench, 1, SHUNT_82576_GPTC);
	counted += bench_get(bench, 1, SHUNT_82576_GPTC);
	assert_int_equal(counted, FRAMES);
	assert_int_equal(shunt_sim_connect(&bench->sim.platform, "0000:03:00.0", NULL), 0);
	assert_int_equal(shunt_sim_connect(&bench->sim.platform, "0000:04:00.0", NULL), 0);
	sim_engine_stop(&bench->sim);
	assert_int_equal(there->to_send, 0);
	assert_int_equal(back->received, FRAMES);
	for (i = 0; i < BENCH_TESTER_MAX; i++)
		assert_int_equal(back->numbers[i], i);
	bench_balanced(bench, 0);
	test_free(there);
}

static void reset_and_pause_race_with_the_engine(void **state)
{
	struct bench *bench = *state;
	struct shunt_sim_port_truth truth;
	unsigned int round;
	uint32_t ctrl;

	bench->tester.to_send = UINT32_MAX;
	assert_int_equal(sim_engine_start(&bench->sim), 0);
	bench_connect(bench, 0);
	for (round = 0; round < 200; round++) {
		bench_bus_master(bench, 0, true);
		bench_set(bench, 0, SHUNT_82576_RCTL, SHUNT_82576_RCTL_EN | SHUNT_82576_RCTL_UPE);
		ctrl = bench_get(bench, 0, SHUNT_82576_CTRL);
		bench_set(bench, 0, SHUNT_82576_CTRL, ctrl | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
		while (bench_get(bench, 0, SHUNT_82576_STATUS) &
			SHUNT_82576_STATUS_GIO_MASTER_ENABLE)
			sched_yield();
		sim_nic_reset(bench->port[0].nic);
		assert_int_equal(bench_get(bench, 0, SHUNT_82576_RCTL), 0);
		bench_balanced(bench, 0);
	}
	assert_int_equal(shunt_sim_connect(&bench->sim.platform, "0000:03:00.0", NULL), 0);
	truth = bench_truth(bench, 0);
	sched_yield();
	assert_int_equal(bench_truth(bench, 0).rx_wire, truth.rx_wire);
	sim_engine_stop(&bench->sim);
	sim_engine_stop(&bench->sim);
	assert_int_equal(UINT32_MAX - bench->tester.to_send, truth.rx_wire);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_create, bench_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(port_to_port),
		TEST(a_wire_without_far_end),
		TEST(a_tester_that_holds_back_loses_nothing),
		TEST(the_far_end_can_be_taken_away),
		TEST(the_engine_thread_forwards),
		TEST(reset_and_pause_race_with_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
