/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory does not grow with the number of switches, and nothing that counts is forgotten.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "window_fixture.h"

#define FEW  10000u
#define MANY 200000u

static void begin(struct rig *rig)
{
	rig->now = STEP; /* long ago, so that all of it has passed */
	steps(rig, 2, ARRIVES);
}

/* Every third one loses frames out of port 1, the others into port 0. */
static void feed(struct rig *rig, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		struct shunt_switch_result result = begin_switch(rig);
		const unsigned int loses = i % 3 == 0;

		step(rig, loses ? LOST_OUT : LOST_IN);
		result.members[loses].faults = 1;
		result.members[0].ioctl_time = 1000 + i % 1000;
		end_switch(rig, &result);
		steps(rig, 2, ARRIVES);
		if (i % 8 == 0)
			assert_int_equal(shunt_window_poll(rig->window), 0);
	}
	assert_int_equal(shunt_window_poll(rig->window), 0);
}

static void memory_does_not_grow_with_switches(void **state)
{
	struct rig *rig = *state;
	struct shunt_window_figures *in, *out;
	struct mallinfo2 few, many;

	begin(rig);
	feed(rig, 0, FEW);
	few = mallinfo2();
	feed(rig, FEW, MANY);
	many = mallinfo2();
	assert_int_equal(many.uordblks, few.uordblks);
	assert_int_equal(many.hblkhd, few.hblkhd);
	in = shunt_window_figures(rig->window, 0);
	out = shunt_window_figures(rig->window, 1);
	assert_int_equal(in->rx_lost, MANY - out->tx_lost);
	assert_int_equal(out->tx_lost, (MANY + 2) / 3);
	assert_int_equal(in->rx_explained, in->rx_lost);
	assert_int_equal(out->tx_explained, out->tx_lost);
	assert_int_equal(in->tx_lost + out->rx_lost, 0);
	assert_int_equal(in->window_ns.count, MANY);
	assert_int_equal(shunt_window_group_figures(rig->window)->window_ns.count, MANY);
}

/* Switches without faults, while stream 0 stays away. */
static void outlast(struct rig *rig)
{
	for (unsigned int i = 0; i < 3000; i++) {
		struct shunt_switch_result result = begin_switch(rig);

		step(rig, LOST_IN);
		end_switch(rig, &result);
	}
	steps(rig, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
}

static void a_long_gap_is_explained_by_how_it_began(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	begin(rig);
	result = begin_switch(rig);
	step(rig, LOST_IN);
	result.members[0].faults = 1;
	end_switch(rig, &result);
	outlast(rig);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_lost, 3001);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_explained, 3001);
	/* Another begins when that switch is over. */
	steps(rig, 2, ARRIVES);
	outlast(rig);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_lost, 6001);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_explained, 3001);
}

static void come_late(struct rig *rig, uint32_t number)
{
	struct shunt_stamp stamp = {
		.sequence = number,
		.magic = SHUNT_STAMP_MAGIC,
		.time = rig->now,
	};

	shunt_watch_see(&rig->receive[0], &stamp, rig->now);
	shunt_watch_see(shunt_tester_watch(rig->tester, 0), &stamp, rig->now);
}

static void lose(struct rig *rig, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++) {
		step(rig, LOST_IN);
		step(rig, ARRIVES);
		if (i % 1000 == 0)
			assert_int_equal(shunt_window_poll(rig->window), 0);
	}
	assert_int_equal(shunt_window_poll(rig->window), 0);
}

static void settled_losses_stay_counted(void **state)
{
	struct rig *rig = *state;
	struct shunt_window_figures *figures;

	shunt_window_baseline(rig->window);
	begin(rig); /* frames 0 and 1; then 2 is lost, 4, 6 and so on */
	lose(rig, 20000);
	shunt_window_switching(rig->window);
	lose(rig, 30000);
	come_late(rig, 2);      /* too late to be known */
	come_late(rig, 100000); /* the last one that was lost */
	assert_int_equal(shunt_window_poll(rig->window), 0);
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->baseline_lost, 20000);
	assert_int_equal(figures->rx_lost, 49999);
	assert_int_equal(figures->rx_explained, 0);
	assert_int_equal(figures->late, 1);
	assert_int_equal(shunt_tester_watch(rig->tester, 0)->late, 2);
	assert_int_equal(shunt_window_figures(rig->window, 1)->tx_lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(memory_does_not_grow_with_switches),
		rig_test(a_long_gap_is_explained_by_how_it_began),
		rig_test(settled_losses_stay_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
