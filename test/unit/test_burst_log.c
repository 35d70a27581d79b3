/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <shunt/watch.h>

static struct shunt_burst_log bursts;
static uint64_t step; /* ticks: longer than what two bursts have to be apart */

static int set_up(void **state)
{
	assert_int_equal(shunt_burst_log_init(&bursts), 0);
	step = 2 * bursts.apart;
	return 0;
}

static int tear_down(void **state)
{
	shunt_burst_log_fini(&bursts);
	return 0;
}

/* Sights number 1, 2, ... a step apart, each of a frame stamped half a step before. */
static void note(uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++)
		shunt_burst_log_note(&bursts, i * step, i * step - step / 2);
}

static void an_outage_is_the_longest_time_of_the_switch(void **state)
{
	struct shunt_outage outage;

	note(1, 100);
	note(103, 110); /* three steps */
	note(117, 120); /* seven */
	note(130, 200); /* ten, after what is asked for */
	assert_int_equal(shunt_burst_log_outage(&bursts, 100 * step, 119 * step, &outage), 0);
	assert_int_equal(outage.length, 7 * step);
	assert_int_equal(outage.usual, step);
	/* A part of it in the switch is enough, at either end. */
	assert_int_equal(shunt_burst_log_outage(&bursts, 102 * step, 109 * step, &outage), 0);
	assert_int_equal(outage.length, 3 * step);
	assert_int_equal(shunt_burst_log_outage(&bursts, 90 * step, 101 * step, &outage), 0);
	assert_int_equal(outage.length, 3 * step);
	assert_int_equal(shunt_burst_log_outage(&bursts, 150 * step, 151 * step, &outage), 0);
	assert_int_equal(outage.length, step);
}

static void what_is_not_over_is_not_known(void **state)
{
	struct shunt_outage outage;

	assert_int_equal(shunt_burst_log_last(&bursts), 0);
	assert_int_equal(shunt_burst_log_outage(&bursts, 1, 2, &outage), -ENODATA);
	note(5, 10);
	assert_int_equal(shunt_burst_log_outage(&bursts, step, 7 * step, &outage), -ENODATA);
	assert_int_equal(shunt_burst_log_outage(&bursts, 7 * step, 10 * step, &outage), -ENODATA);
	note(20, 20);
	assert_int_equal(shunt_burst_log_outage(&bursts, 7 * step, 10 * step, &outage), 0);
	assert_int_equal(outage.length, 10 * step);
	assert_int_equal(shunt_burst_log_last(&bursts), 20 * step);
	assert_int_equal(shunt_burst_log_last_stamp(&bursts), 20 * step - step / 2);
}

/* Frames are ten steps under way: what a switch in [100, 105] did is seen from 110 on. */
static void on_a_long_path_it_lasts_until_a_frame_sent_after(void **state)
{
	struct shunt_outage outage;

	for (uint64_t i = 20; i <= 150; i++)
		if (i < 101 || i > 105)
			shunt_burst_log_note(&bursts, (i + 10) * step, i * step);
	assert_int_equal(shunt_burst_log_outage(&bursts, 100 * step, 105 * step, &outage), 0);
	assert_int_equal(outage.length, step);
	assert_int_equal(
		shunt_burst_log_outage_behind(&bursts, 100 * step, 105 * step, &outage), 0);
	assert_int_equal(outage.length, 6 * step);
}

static void bursts_close_to_each_other_are_one(void **state)
{
	struct shunt_outage outage;
	uint64_t close = bursts.apart / 10;

	for (uint64_t i = 0; i < 100; i++)
		shunt_burst_log_note(&bursts, step + i * close, step + i * close);
	assert_int_equal(bursts.count, 10);
	shunt_burst_log_note(&bursts, 100 * step, 100 * step);
	assert_int_equal(shunt_burst_log_outage(&bursts, 20 * step, 30 * step, &outage), 0);
	/* Too long by less than that distance. */
	assert_in_range(outage.length, 100 * step - (step + 99 * close),
		100 * step - (step + 99 * close) + bursts.apart - 1);
}

static void what_was_overwritten_is_not_made_up(void **state)
{
	const uint64_t count = SHUNT_BURST_LOG_SIZE + 1000;
	struct shunt_outage outage;

	note(1, count);
	assert_int_equal(
		shunt_burst_log_outage(&bursts, 900 * step, 1500 * step, &outage), -EOVERFLOW);
	assert_int_equal(shunt_burst_log_outage(&bursts, 1200 * step, 1500 * step, &outage), 0);
	assert_int_equal(outage.length, step);
}

#define ROUNDS 160u

static atomic_bool done;

static void *note_many(void *arg)
{
	note(1, (uint64_t)ROUNDS * SHUNT_BURST_LOG_SIZE);
	atomic_store(&done, true);
	return NULL;
}

static void it_is_asked_while_bursts_are_noted(void **state)
{
	struct shunt_outage outage;
	pthread_t thread;

	atomic_store(&done, false);
	assert_int_equal(pthread_create(&thread, NULL, note_many, NULL), 0);
	while (!atomic_load(&done)) {
		uint64_t newest = shunt_burst_log_last(&bursts) / step;
		uint64_t back = newest % SHUNT_BURST_LOG_SIZE;

		if (newest < 10 || back < 5)
			continue;
		if (shunt_burst_log_outage(&bursts, (newest - back + 3) * step,
			    (newest - back + 4) * step, &outage) == 0)
			assert_int_equal(outage.length, step);
	}
	pthread_join(thread, NULL);
	assert_int_equal(shunt_burst_log_last(&bursts), ROUNDS * SHUNT_BURST_LOG_SIZE * step);
}

#define sights_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sights_test(an_outage_is_the_longest_time_of_the_switch),
		sights_test(what_is_not_over_is_not_known),
		sights_test(on_a_long_path_it_lasts_until_a_frame_sent_after),
		sights_test(bursts_close_to_each_other_are_one),
		sights_test(what_was_overwritten_is_not_made_up),
		sights_test(it_is_asked_while_bursts_are_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
