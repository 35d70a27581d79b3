/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is measured of one switch: the frame-loss method, outages, the group's window.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "window_fixture.h"

static void measure(struct rig *rig)
{
	assert_int_equal(shunt_window_poll(rig->window), 0);
	assert_int_equal(rig->measured, 2);
	assert_int_equal(rig->groups_measured, 1);
}

static void lost_frames_give_the_same_window(void **state)
{
	struct rig *rig = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 7, LOST_IN);
	end_switch(rig, &result);
	steps(rig, 50, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].window, 8 * STEP);
	assert_int_equal(rig->last[0].loss_window, 7 * STEP);
	assert_int_equal(rig->last[0].loss_uncertainty, STEP);
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->methods_compared, 1);
	assert_int_equal(figures->methods_agree, 1);
	assert_int_equal(figures->loss_window_ns.count, 1);
	/* Without loss there is nothing to compare. */
	figures = shunt_window_figures(rig->window, 1);
	assert_int_equal(figures->methods_compared, 0);
	assert_int_equal(figures->loss_window_ns.count, 1);
	assert_int_equal(shunt_samples_quantile(&figures->loss_window_ns, 1), 0);
}

static void a_sender_that_paused_makes_the_methods_differ(void **state)
{
	struct rig *rig = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 4, LOST_IN);
	rig->now += 20 * STEP;
	steps(rig, 3, LOST_IN);
	end_switch(rig, &result);
	steps(rig, 50, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].window, 28 * STEP);
	assert_int_equal(rig->last[0].uncertainty, 2 * STEP);
	assert_int_equal(rig->last[0].loss_window, 7 * STEP);
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->methods_compared, 1);
	assert_int_equal(figures->methods_agree, 0);
}

static void a_rate_that_changes_is_in_the_uncertainty(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 41, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 8, LOST_IN);
	end_switch(rig, &result);
	step(rig, ARRIVES);
	for (int i = 0; i < 40; i++) {
		rig->now += 2 * STEP;
		step(rig, ARRIVES);
	}
	measure(rig);
	assert_int_equal(rig->last[0].loss_window, 8 * 2 * STEP);
	assert_int_equal(rig->last[0].loss_uncertainty, 3 * STEP + 8 * 2 * STEP);
	assert_int_equal(shunt_window_figures(rig->window, 0)->methods_agree, 1);
}

static void a_pause_between_bursts_is_in_the_uncertainty(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	rig->now += 9 * STEP;
	steps(rig, 10, ARRIVES);
	result = begin_switch(rig);
	rig->now += 9 * STEP;
	steps(rig, 2, LOST_IN);
	end_switch(rig, &result);
	rig->now += 9 * STEP;
	steps(rig, 60, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].window, 21 * STEP);
	assert_int_equal(rig->last[0].uncertainty, 20 * STEP);
	assert_in_range(rig->last[0].loss_window, 2 * STEP, 3 * STEP);
	assert_in_range(rig->last[0].loss_uncertainty, 10 * STEP, 11 * STEP);
	assert_int_equal(shunt_window_figures(rig->window, 0)->methods_agree, 1);
}

/* The time in which nothing was sent is in no figure. */
static void frames_that_were_held_back_were_not_away(void **state)
{
	struct rig *rig = *state;
	const struct shunt_times *times = shunt_tester_times(rig->tester, 0, SHUNT_PHASE_SWITCHING);
	struct shunt_switch_result result;
	uint32_t length;

	steps(rig, 50, ARRIVES);
	shunt_tester_stop(rig->tester);
	assert_null(shunt_tester_send(rig->tester, 0, rig->now + STEP, true, &length));
	rig->now += 50 * STEP;
	shunt_tester_resume(rig->tester, rig->now + STEP);
	assert_int_equal(shunt_tester_resumed(rig->tester), rig->now + STEP);
	assert_null(shunt_tester_send(rig->tester, 0, rig->now + STEP - 1, true, &length));
	result = begin_switch(rig);
	steps(rig, 3, LOST_IN);
	end_switch(rig, &result);
	steps(rig, 50, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].window, 4 * STEP - 1);
	assert_int_equal(rig->last[0].lost, 3);
	assert_int_equal(rig->last[1].window, 0);
	assert_in_range(rig->last[1].uncertainty, 1, 3 * STEP);
	for (unsigned int port = 0; port < 2; port++) {
		assert_int_equal(rig->last[port].outage.length, 0);
		assert_int_equal(rig->last[port].returned.length, 0);
	}
	assert_int_equal(shunt_histogram_count(&times->gap), 49 + 49);
	assert_in_range(shunt_histogram_quantile(&times->gap, 1), 1, STEP);
}

static void all_gaps_of_a_switch_count_as_lost(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 5, LOST_IN);
	steps(rig, 1, ARRIVES);
	steps(rig, 20, LOST_IN);
	end_switch(rig, &result);
	steps(rig, 50, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].window, 21 * STEP);
	assert_int_equal(rig->last[0].lost, 25);
	assert_int_equal(rig->last[0].loss_window, 25 * STEP);
	assert_int_equal(shunt_window_figures(rig->window, 0)->methods_agree, 0);
}

static void nothing_lost_is_an_outage_all_the_same(void **state)
{
	struct rig *rig = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(rig, 100, ARRIVES);
	result = begin_switch(rig);
	rig->now += 30 * STEP;
	end_switch(rig, &result);
	steps(rig, 5, ARRIVES);
	measure(rig);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rig->last[i].window, 0);
		assert_int_equal(rig->last[i].outage.length, 31 * STEP);
		assert_int_equal(rig->last[i].outage.usual, STEP);
		assert_int_equal(rig->last[i].returned.length, 31 * STEP);
		assert_int_equal(rig->last[i].returned.usual, STEP);
	}
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->outage_ns.count, 1);
	assert_int_equal(figures->returned_ns.count, 1);
}

static void an_outage_outside_switches_does_not_count(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 20, ARRIVES);
	rig->now += 30 * STEP;
	steps(rig, 20, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, LOST_IN);
	end_switch(rig, &result);
	steps(rig, 20, ARRIVES);
	rig->now += 30 * STEP;
	steps(rig, 20, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].outage.length, 3 * STEP);
	assert_int_equal(rig->last[0].returned.length, 3 * STEP);
	assert_int_equal(rig->last[1].outage.length, STEP);
	assert_int_equal(rig->last[1].returned.length, STEP);
}

/* What came back but was not seen to do so in time: the window is measured, that outage is not. */
static void a_port_is_measured_without_its_frames_coming_back(void **state)
{
	struct rig *rig = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, LOST_IN);
	end_switch(rig, &result);
	steps(rig, 30, LOST_OUT);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	assert_int_equal(rig->measured, 1);
	assert_int_equal(shunt_window_end(rig->window), 0);
	assert_int_equal(rig->measured, 2);
	assert_int_equal(rig->last[0].window, 3 * STEP);
	figures = shunt_window_figures(rig->window, 0);
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
	struct rig *rig = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, LOST_IN);
	steps(rig, 2, LOST_IN_BOTH);
	steps(rig, 3, LOST_IN_OTHER);
	end_switch(rig, &result);
	steps(rig, 30, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].window, 5 * STEP);
	assert_int_equal(rig->last[1].window, 6 * STEP);
	assert_int_equal(rig->group.window, 8 * STEP);
	assert_int_equal(rig->group.uncertainty, 2 * STEP);
	assert_int_equal(rig->group.lost, 9);
	figures = shunt_window_group_figures(rig->window);
	assert_int_equal(figures->window_ns.count, 1);
	assert_int_equal(figures->unmeasured, 0);
}

static void a_port_without_loss_may_have_been_blocked_at_any_time(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, ARRIVES);
	steps(rig, 2, LOST_IN);
	steps(rig, 3, ARRIVES);
	end_switch(rig, &result);
	steps(rig, 30, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].window, 3 * STEP);
	assert_int_equal(rig->group.window, 7 * STEP);
	assert_int_equal(rig->group.uncertainty, 6 * STEP);
}

static void a_repaired_port_ran_at_the_end_of_the_switch(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	result.moved = rig->now + 3 * STEP + 1;
	steps(rig, 7, ARRIVES);
	result.members[1].recovery.queue_resets = 1;
	result.end = rig->now + 1;
	assert_int_equal(shunt_window_switch(rig->window, &result), 0);
	steps(rig, 30, ARRIVES);
	measure(rig);
	assert_int_equal(rig->group.window, 0);
	assert_int_equal(rig->group.lost, 0);
	/* Until the first frame that went in after the end. */
	assert_int_equal(rig->group.uncertainty, 8 * STEP - 1);
}

static void a_group_with_an_unmeasured_port_is_unmeasured(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, LOST_IN_BOTH);
	end_switch(rig, &result);
	steps(rig, 30, LOST_IN_OTHER);
	assert_int_equal(shunt_window_end(rig->window), 0);
	assert_int_equal(rig->measured, 1);
	assert_int_equal(rig->groups_measured, 0);
	assert_int_equal(shunt_window_group_figures(rig->window)->unmeasured, 1);
}

static void left(struct rig *rig)
{
	for (unsigned int stream = 0; stream < 2; stream++)
		shunt_tester_left(rig->tester, stream, rig->now);
}

/* Frames of a burst have left for sure when the next one begins. */
static void bursts(struct rig *rig, unsigned int count, enum fate fate)
{
	while (count--) {
		steps(rig, 4, fate);
		left(rig);
	}
}

static void a_frame_of_a_burst_may_have_left_as_late_as_all_of_it(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	shunt_tester_in_bursts(rig->tester);
	bursts(rig, 10, ARRIVES);
	result = begin_switch(rig);
	bursts(rig, 2, LOST_IN);
	end_switch(rig, &result);
	bursts(rig, 1, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].window, 12 * STEP);
	assert_int_equal(rig->last[0].uncertainty, 8 * STEP); /* surely from the 4th to the 8th */
	assert_int_equal(rig->last[1].uncertainty, 4 * STEP);
}

/* The first frame of the stream after the loss is stamped before the switch and leaves in it. */
static void a_frame_may_leave_in_a_switch_that_began_after_its_stamp(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	shunt_tester_in_bursts(rig->tester);
	bursts(rig, 10, ARRIVES);
	step(rig, LOST_IN);
	step(rig, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, ARRIVES);
	left(rig);
	end_switch(rig, &result);
	bursts(rig, 1, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].lost, 1);
	assert_int_equal(rig->last[0].window, 4 * STEP);
	assert_int_equal(rig->last[0].uncertainty, 4 * STEP);
}

static void a_port_that_stopped_keeps_frames_until_they_are_seen(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 10, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 3, LOST_IN);
	result.members[0].recovery.queue_resets = 1;
	result.members[1].recovery.queue_resets = 1;
	end_switch(rig, &result);
	steps(rig, 2, ARRIVES);
	measure(rig);
	assert_int_equal(rig->last[0].window, 4 * STEP + 1); /* seen a tick after its stamp */
	assert_int_equal(rig->last[0].uncertainty, 2 * STEP + 1);
	assert_int_equal(rig->last[1].uncertainty, 3 * STEP + 2); /* until the switch ended */
}

static void a_loss_that_began_before_a_switch_may_be_anothers(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result first, second;

	steps(rig, 10, ARRIVES);
	first = begin_switch(rig);
	steps(rig, 3, LOST_IN);
	end_switch(rig, &first);
	second = begin_switch(rig);
	steps(rig, 3, LOST_IN);
	end_switch(rig, &second);
	steps(rig, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	assert_int_equal(rig->measured, 4);
	assert_int_equal(rig->last[0].number, 1);
	assert_int_equal(rig->last[0].window, 7 * STEP);
	assert_int_equal(rig->last[0].uncertainty, 7 * STEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(lost_frames_give_the_same_window),
		rig_test(a_sender_that_paused_makes_the_methods_differ),
		rig_test(a_rate_that_changes_is_in_the_uncertainty),
		rig_test(a_pause_between_bursts_is_in_the_uncertainty),
		rig_test(frames_that_were_held_back_were_not_away),
		rig_test(all_gaps_of_a_switch_count_as_lost),
		rig_test(nothing_lost_is_an_outage_all_the_same),
		rig_test(an_outage_outside_switches_does_not_count),
		rig_test(a_port_is_measured_without_its_frames_coming_back),
		rig_test(the_group_is_blocked_from_its_first_port_to_its_last),
		rig_test(a_port_without_loss_may_have_been_blocked_at_any_time),
		rig_test(a_repaired_port_ran_at_the_end_of_the_switch),
		rig_test(a_group_with_an_unmeasured_port_is_unmeasured),
		rig_test(a_frame_of_a_burst_may_have_left_as_late_as_all_of_it),
		rig_test(a_frame_may_leave_in_a_switch_that_began_after_its_stamp),
		rig_test(a_port_that_stopped_keeps_frames_until_they_are_seen),
		rig_test(a_loss_that_began_before_a_switch_may_be_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
