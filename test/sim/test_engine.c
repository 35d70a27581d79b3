/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nic_fixture.h"

#define FRAMES 20000u

static void port_to_port(void **state)
{
	struct rig *rig = *state;
	struct shunt_platform *platform = &rig->sim.platform;
	uint32_t i;

	assert_int_equal(shunt_sim_wire(platform, "0000:03:00.0", "0000:05:00.0"), -ENODEV);
	assert_int_equal(shunt_sim_wire(platform, "0000:03:00.0", "0000:03:00.0"), -EBUSY);
	assert_int_equal(shunt_sim_wire(platform, "0000:03:00.0", "0000:04:00.0"), 0);
	assert_int_equal(shunt_sim_wire(platform, "0000:04:00.0", "0000:03:00.0"), -EBUSY);
	assert_int_equal(
		shunt_sim_connect(platform, "0000:04:00.0", &rig->tester.endpoint), -EBUSY);
	rig_start(rig, 0);
	rig_start(rig, 1);
	assert_true(rig_get(rig, 1, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_LU);
	rig_post(rig, 1, 4);
	for (i = 0; i < 6; i++)
		rig_queue(rig, 0, i, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(rig_receive(rig, 1), i);
	assert_int_equal(rig_truth(rig, 0).tx_wire, 6);
	assert_int_equal(rig_truth(rig, 1).rx_wire, 6);
	assert_int_equal(rig_truth(rig, 1).rx_fifo, 2);
	rig_post(rig, 1, 2);
	rig_turn(rig, 1);
	assert_int_equal(rig_receive(rig, 1), 4);
	assert_int_equal(rig_receive(rig, 1), 5);
	rig_balanced(rig, 1);
}

static void a_wire_without_far_end(void **state)
{
	struct rig *rig = *state;

	rig_start(rig, 0);
	rig_queue(rig, 0, 0, 60);
	rig_doorbell(rig, 0);
	rig_turn(rig, 0);
	assert_int_equal(rig_truth(rig, 0).tx_wire, 1);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GPTC), 1);
}

static void a_tester_that_holds_back_loses_nothing(void **state)
{
	struct rig *rig = *state;
	long number = 0;

	rig_connect(rig, 0);
	rig_start(rig, 0);
	rig->tester.hold_back = true;
	rig->tester.to_send = 100;
	while (number < 100) {
		rig_post(rig, 0, 7);
		rig_turn(rig, 0);
		while (rig_receive(rig, 0) == number)
			number++;
	}
	assert_true(rig->tester.refusals > 0);
	assert_int_equal(rig_truth(rig, 0).rx_no_room, 0);
	assert_int_equal(rig_truth(rig, 0).rx_delivered, 100);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RNBC), 0);
}

static bool soon(void *context, uint64_t now)
{
	return true;
}

/* A round without work ends in a nap, which a frame that is due meanwhile would wait for. */
static void a_frame_that_is_due_soon_is_work(void **state)
{
	struct rig *rig = *state;

	rig_connect(rig, 0);
	rig_start(rig, 0);
	assert_int_equal(rig_turn(rig, 0), 0);
	rig->port[0].nic->endpoint.soon = soon;
	assert_int_equal(rig_turn(rig, 0), 1);
	assert_int_equal(rig_truth(rig, 0).rx_wire, 0);
}

static void the_far_end_can_be_taken_away(void **state)
{
	struct rig *rig = *state;

	rig_connect(rig, 0);
	rig_start(rig, 0);
	assert_int_equal(shunt_sim_connect(&rig->sim.platform, "0000:03:00.0", NULL), 0);
	assert_false(rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_LU);
	rig->tester.to_send = 1;
	rig_turn(rig, 0);
	assert_int_equal(rig->tester.to_send, 1);
	rig_connect(rig, 0);
	rig_post(rig, 0, 1);
	rig_send(rig, 0, 1);
	assert_int_equal(rig_truth(rig, 0).rx_wire, 2);
}

/* Forwards frames from port to port, as a driver on another thread does. */
static bool sent(struct rig *rig, long number)
{
	const uint64_t *quad = rig->port[1].tx[number % RIG_RING].quad;

	return __atomic_load_n(&quad[1], __ATOMIC_ACQUIRE) >> 32 & SHUNT_82576_TXD_DD;
}

static void forward(struct rig *rig, unsigned int frames)
{
	uint32_t next = 0;
	long number;

	while (next < frames) {
		number = rig_receive(rig, 0);
		if (number < 0) {
			sched_yield();
			continue;
		}
		assert_int_equal(number, next);
		while (next >= RIG_RING / 2 && !sent(rig, next - RIG_RING / 2))
			sched_yield();
		rig_queue(rig, 1, next, 60);
		rig_doorbell(rig, 1);
		rig_post(rig, 0, 1);
		next++;
	}
}

/*
 * tester -> port 0, driver, port 1 -> tester's other half: every frame once and in order, while
 * register accesses come in between.
 */
static void the_engine_thread_forwards(void **state)
{
	struct rig *rig = *state;
	struct rig_tester *back = &rig->tester;
	struct rig_tester *there = test_malloc(sizeof(*there));
	struct shunt_sim_endpoint there_end = back->endpoint;
	uint64_t counted = 0;
	unsigned int i;

	memset(there, 0, sizeof(*there));
	there->length = 60;
	there->hold_back = true;
	there->to_send = FRAMES;
	there_end.context = there;
	rig_start(rig, 0);
	rig_start(rig, 1);
	rig_post(rig, 0, RIG_RING - 1);
	assert_int_equal(sim_engine_start(&rig->sim), 0);
	rig_connect(rig, 1);
	assert_int_equal(shunt_sim_connect(&rig->sim.platform, "0000:03:00.0", &there_end), 0);
	forward(rig, FRAMES);
	while (rig_truth(rig, 1).tx_wire < FRAMES)
		counted += rig_get(rig, 1, SHUNT_82576_GPTC);
	counted += rig_get(rig, 1, SHUNT_82576_GPTC);
	assert_int_equal(counted, FRAMES);
	assert_int_equal(shunt_sim_connect(&rig->sim.platform, "0000:03:00.0", NULL), 0);
	assert_int_equal(shunt_sim_connect(&rig->sim.platform, "0000:04:00.0", NULL), 0);
	sim_engine_stop(&rig->sim);
	assert_int_equal(there->to_send, 0);
	assert_int_equal(back->received, FRAMES);
	for (i = 0; i < RIG_TESTER_MAX; i++)
		assert_int_equal(back->numbers[i], i);
	rig_balanced(rig, 0);
	test_free(there);
}

static void reset_and_pause_race_with_the_engine(void **state)
{
	struct rig *rig = *state;
	struct shunt_sim_port_truth truth;
	unsigned int round;
	uint32_t ctrl;

	rig->tester.to_send = UINT32_MAX;
	assert_int_equal(sim_engine_start(&rig->sim), 0);
	rig_connect(rig, 0);
	for (round = 0; round < 200; round++) {
		rig_bus_master(rig, 0, true);
		rig_set(rig, 0, SHUNT_82576_RCTL, SHUNT_82576_RCTL_EN | SHUNT_82576_RCTL_UPE);
		ctrl = rig_get(rig, 0, SHUNT_82576_CTRL);
		rig_set(rig, 0, SHUNT_82576_CTRL, ctrl | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
		while (rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_GIO_MASTER_ENABLE)
			sched_yield();
		sim_nic_reset(rig->port[0].nic);
		assert_int_equal(rig_get(rig, 0, SHUNT_82576_RCTL), 0);
		rig_balanced(rig, 0);
	}
	assert_int_equal(shunt_sim_connect(&rig->sim.platform, "0000:03:00.0", NULL), 0);
	truth = rig_truth(rig, 0);
	sched_yield();
	assert_int_equal(rig_truth(rig, 0).rx_wire, truth.rx_wire);
	sim_engine_stop(&rig->sim);
	sim_engine_stop(&rig->sim);
	assert_int_equal(UINT32_MAX - rig->tester.to_send, truth.rx_wire);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_create, rig_destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(port_to_port),
		TEST(a_wire_without_far_end),
		TEST(a_tester_that_holds_back_loses_nothing),
		TEST(a_frame_that_is_due_soon_is_work),
		TEST(the_far_end_can_be_taken_away),
		TEST(the_engine_thread_forwards),
		TEST(reset_and_pause_race_with_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
