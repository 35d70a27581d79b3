/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is measured of one switch: the frame-loss method, outages, the group's window.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "window_bench.h"

static void measure(struct bench *bench)
{
	assert_int_equal(shunt_window_poll(bench->window), 0);
	assert_int_equal(bench->measured, 2);
	assert_int_equal(bench->groups_measured, 1);
}

static void lost_frames_give_the_same_window(void **state)
{
	struct bench *bench = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(bench, 50, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 7, LOST_IN);
	end_switch(bench, &result);
	steps(bench, 50, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].window, 8 * STEP);
	assert_int_equal(bench->last[0].loss_window, 7 * STEP);
	assert_int_equal(bench->last[0].loss_resolution, STEP);
	figures = shunt_window_figures(bench->window, 0);
	assert_int_equal(figures->methods_compared, 1);
	assert_int_equal(figures->methods_agree, 1);
	assert_int_equal(figures->loss_window_ns.count, 1);
	/* Without loss there is nothing to compare. */
	figures = shunt_window_figures(bench->window, 1);
	assert_int_equal(figures->methods_compared, 0);
	assert_int_equal(figures->loss_window_ns.count, 1);
	assert_int_equal(shunt_samples_quantile(&figures->loss_window_ns, 1), 0);
}

static void a_sender_that_stood_still_makes_the_methods_differ(void **state)
{
	struct bench *bench = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(bench, 50, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 4, LOST_IN);
	bench->now += 20 * STEP;
	steps(bench, 3, LOST_IN);
	end_switch(bench, &result);
	steps(bench, 50, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].window, 28 * STEP);
	assert_int_equal(bench->last[0].resolution, 2 * STEP);
	assert_int_equal(bench->last[0].loss_window, 7 * STEP);
	figures = shunt_window_figures(bench->window, 0);
	assert_int_equal(figures->methods_compared, 1);
	assert_int_equal(figures->methods_agree, 0);
}

static void a_rate_that_changes_is_in_the_resolution(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 41, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 8, LOST_IN);
	end_switch(bench, &result);
	step(bench, ARRIVES);
	for (int i = 0; i < 40; i++) {
		bench->now += 2 * STEP;
		step(bench, ARRIVES);
	}
	measure(bench);
	assert_int_equal(bench->last[0].loss_window, 8 * 2 * STEP);
	assert_int_equal(bench->last[0].loss_resolution, 3 * STEP + 8 * 2 * STEP);
	assert_int_equal(shunt_window_figures(bench->window, 0)->methods_agree, 1);
}

static void a_pause_between_bursts_is_in_the_resolution(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 50, ARRIVES);
	bench->now += 9 * STEP;
	steps(bench, 10, ARRIVES);
	result = begin_switch(bench);
	bench->now += 9 * STEP;
	steps(bench, 2, LOST_IN);
	end_switch(bench, &result);
	bench->now += 9 * STEP;
	steps(bench, 60, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].window, 21 * STEP);
	assert_int_equal(bench->last[0].resolution, 20 * STEP);
	assert_in_range(bench->last[0].loss_window, 2 * STEP, 3 * STEP);
	assert_in_range(bench->last[0].loss_resolution, 10 * STEP, 11 * STEP);
	assert_int_equal(shunt_window_figures(bench->window, 0)->methods_agree, 1);
}

static void all_gaps_of_a_switch_count_as_lost(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 50, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 5, LOST_IN);
	steps(bench, 1, ARRIVES);
	steps(bench, 20, LOST_IN);
	end_switch(bench, &result);
	steps(bench, 50, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].window, 21 * STEP);
	assert_int_equal(bench->last[0].lost, 25);
	assert_int_equal(bench->last[0].loss_window, 25 * STEP);
	assert_int_equal(shunt_window_figures(bench->window, 0)->methods_agree, 0);
}

static void nothing_lost_is_an_outage_all_the_same(void **state)
{
	struct bench *bench = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(bench, 100, ARRIVES);
	result = begin_switch(bench);
	bench->now += 30 * STEP;
	end_switch(bench, &result);
	steps(bench, 5, ARRIVES);
	measure(bench);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(bench->last[i].window, 0);
		assert_int_equal(bench->last[i].outage.length, 31 * STEP);
		assert_int_equal(bench->last[i].outage.usual, STEP);
		assert_int_equal(bench->last[i].returned.length, 31 * STEP);
		assert_int_equal(bench->last[i].returned.usual, STEP);
	}
	figures = shunt_window_figures(bench->window, 0);
	assert_int_equal(figures->outage_ns.count, 1);
	assert_int_equal(figures->returned_ns.count, 1);
}

static void an_outage_outside_switches_does_not_count(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 20, ARRIVES);
	bench->now += 30 * STEP;
	steps(bench, 20, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 2, LOST_IN);
	end_switch(bench, &result);
	steps(bench, 20, ARRIVES);
	bench->now += 30 * STEP;
	steps(bench, 20, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].outage.length, 3 * STEP);
	assert_int_equal(bench->last[0].returned.length, 3 * STEP);
	assert_int_equal(bench->last[1].outage.length, STEP);
	assert_int_equal(bench->last[1].returned.length, STEP);
}

/* What came back but was not seen to do so in time: the window is measured, that outage is not. */
static void a_port_is_measured_without_its_frames_coming_back(void **state)
{
	struct bench *bench = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(bench, 50, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 2, LOST_IN);
	end_switch(bench, &result);
	steps(bench, 30, LOST_OUT);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	assert_int_equal(bench->measured, 1);
	assert_int_equal(shunt_window_end(bench->window), 0);
	assert_int_equal(bench->measured, 2);
	assert_int_equal(bench->last[0].window, 3 * STEP);
	figures = shunt_window_figures(bench->window, 0);
	assert_int_equal(figures->outage_ns.count, 1);
	assert_int_equal(figures->returned_ns.count, 0);
	assert_int_equal(figures->unmeasured, 0);
}

/*
 * Frames of the switch   1 2 3 4 5 6 7
 * port 0 loses           x x x x
 * port 1 loses               x x x x x
 */
static void the_group_is_blocked_from_its_first_port_to_its_last(void **state)
{
	struct bench *bench = *state;
	struct shunt_window_group_figures *figures;
	struct shunt_switch_result result;

	steps(bench, 50, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 2, LOST_IN);
	steps(bench, 2, LOST_IN_BOTH);
	steps(bench, 3, LOST_IN_OTHER);
	end_switch(bench, &result);
	steps(bench, 30, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].window, 5 * STEP);
	assert_int_equal(bench->last[1].window, 6 * STEP);
	assert_int_equal(bench->group.window, 8 * STEP);
	assert_int_equal(bench->group.resolution, 2 * STEP);
	assert_int_equal(bench->group.lost, 9);
	figures = shunt_window_group_figures(bench->window);
	assert_int_equal(figures->window_ns.count, 1);
	assert_int_equal(figures->unmeasured, 0);
}

static void a_port_without_loss_may_have_been_blocked_at_any_time(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 50, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 2, ARRIVES);
	steps(bench, 2, LOST_IN);
	steps(bench, 3, ARRIVES);
	end_switch(bench, &result);
	steps(bench, 30, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].window, 3 * STEP);
	assert_int_equal(bench->group.window, 7 * STEP);
	assert_int_equal(bench->group.resolution, 6 * STEP);
}

static void a_port_that_was_mended_ran_at_the_end_of_the_switch(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 50, ARRIVES);
	result = begin_switch(bench);
	result.moved = bench->now + 3 * STEP + 1;
	steps(bench, 7, ARRIVES);
	result.members[1].recovery.queue_resets = 1;
	result.end = bench->now + 1;
	assert_int_equal(shunt_window_switch(bench->window, &result), 0);
	steps(bench, 30, ARRIVES);
	measure(bench);
	assert_int_equal(bench->group.window, 0);
	assert_int_equal(bench->group.lost, 0);
	/* Until the first frame that went in after the end. */
	assert_int_equal(bench->group.resolution, 8 * STEP - 1);
}

static void a_group_with_an_unmeasured_port_is_unmeasured(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 50, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 2, LOST_IN_BOTH);
	end_switch(bench, &result);
	steps(bench, 30, LOST_IN_OTHER);
	assert_int_equal(shunt_window_end(bench->window), 0);
	assert_int_equal(bench->measured, 1);
	assert_int_equal(bench->groups_measured, 0);
	assert_int_equal(shunt_window_group_figures(bench->window)->unmeasured, 1);
}

static void left(struct bench *bench)
{
	for (unsigned int stream = 0; stream < 2; stream++)
		shunt_tester_left(bench->tester, stream, bench->now);
}

/* Frames of a burst have left for sure when the next one begins. */
static void bursts(struct bench *bench, unsigned int count, enum fate fate)
{
	while (count--) {
		steps(bench, 4, fate);
		left(bench);
	}
}

static void a_frame_of_a_burst_may_have_left_as_late_as_all_of_it(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	shunt_tester_in_bursts(bench->tester);
	bursts(bench, 10, ARRIVES);
	result = begin_switch(bench);
	bursts(bench, 2, LOST_IN);
	end_switch(bench, &result);
	bursts(bench, 1, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].window, 12 * STEP);
	assert_int_equal(bench->last[0].resolution, 8 * STEP); /* surely from the 4th to the 8th */
	assert_int_equal(bench->last[1].resolution, 4 * STEP);
}

/* The first frame of the stream after the loss is stamped before the switch and leaves in it. */
static void a_frame_may_leave_in_a_switch_that_began_after_its_stamp(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	shunt_tester_in_bursts(bench->tester);
	bursts(bench, 10, ARRIVES);
	step(bench, LOST_IN);
	step(bench, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 2, ARRIVES);
	left(bench);
	end_switch(bench, &result);
	bursts(bench, 1, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].lost, 1);
	assert_int_equal(bench->last[0].window, 4 * STEP);
	assert_int_equal(bench->last[0].resolution, 4 * STEP);
}

static void a_port_that_stopped_keeps_frames_until_they_are_seen(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 10, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 3, LOST_IN);
	result.members[0].recovery.queue_resets = 1;
	result.members[1].recovery.queue_resets = 1;
	end_switch(bench, &result);
	steps(bench, 2, ARRIVES);
	measure(bench);
	assert_int_equal(bench->last[0].window, 4 * STEP + 1); /* seen a tick after its stamp */
	assert_int_equal(bench->last[0].resolution, 2 * STEP + 1);
	assert_int_equal(bench->last[1].resolution, 3 * STEP + 2); /* until the switch ended */
}

static void a_loss_that_began_before_a_switch_may_be_anothers(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result first, second;

	steps(bench, 10, ARRIVES);
	first = begin_switch(bench);
	steps(bench, 3, LOST_IN);
	end_switch(bench, &first);
	second = begin_switch(bench);
	steps(bench, 3, LOST_IN);
	end_switch(bench, &second);
	steps(bench, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	assert_int_equal(bench->measured, 4);
	assert_int_equal(bench->last[0].number, 1);
	assert_int_equal(bench->last[0].window, 7 * STEP);
	assert_int_equal(bench->last[0].resolution, 7 * STEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bench_test(lost_frames_give_the_same_window),
		bench_test(a_sender_that_stood_still_makes_the_methods_differ),
		bench_test(a_rate_that_changes_is_in_the_resolution),
		bench_test(a_pause_between_bursts_is_in_the_resolution),
		bench_test(all_gaps_of_a_switch_count_as_lost),
		bench_test(nothing_lost_is_an_outage_all_the_same),
		bench_test(an_outage_outside_switches_does_not_count),
		bench_test(a_port_is_measured_without_its_frames_coming_back),
		bench_test(the_group_is_blocked_from_its_first_port_to_its_last),
		bench_test(a_port_without_loss_may_have_been_blocked_at_any_time),
		bench_test(a_port_that_was_mended_ran_at_the_end_of_the_switch),
		bench_test(a_group_with_an_unmeasured_port_is_unmeasured),
		bench_test(a_frame_of_a_burst_may_have_left_as_late_as_all_of_it),
		bench_test(a_frame_may_leave_in_a_switch_that_began_after_its_stamp),
		bench_test(a_port_that_stopped_keeps_frames_until_they_are_seen),
		bench_test(a_loss_that_began_before_a_switch_may_be_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
