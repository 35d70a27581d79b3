/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Windows and books of two ports whose frames, losses and switches are all chosen.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/clock.h>

#include "window_fixture.h"

static void a_loss_is_a_window_with_its_uncertainty(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;
	struct shunt_window_figures *figures;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 7, LOST_IN);
	result.members[0].faults = 7;
	end_switch(rig, &result);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	assert_int_equal(rig->measured, 0); /* nothing was seen after it yet */
	steps(rig, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	assert_int_equal(rig->measured, 2);
	assert_int_equal(rig->last[0].window, 8 * STEP);
	assert_int_equal(rig->last[0].uncertainty, 2 * STEP);
	assert_int_equal(rig->last[0].lost, 7);
	assert_int_equal(rig->last[1].window, 0);
	assert_int_equal(rig->last[1].uncertainty, STEP);
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->rx_lost, 7);
	assert_int_equal(figures->rx_explained, 7);
	assert_int_equal(figures->faults, 7);
	assert_int_equal(figures->window_ns.count, 1);
	assert_int_equal(shunt_window_figures(rig->window, 1)->tx_lost, 0);
}

static void the_baseline_is_kept_apart(void **state)
{
	const struct shunt_times *before, *after;
	struct rig *rig = *state;
	struct shunt_window_figures *figures;

	shunt_window_baseline(rig->window);
	steps(rig, 20, ARRIVES);
	steps(rig, 2, LOST_IN);
	steps(rig, 1, LOST_OUT);
	steps(rig, 17, ARRIVES);
	shunt_window_switching(rig->window);
	steps(rig, 5, ARRIVES);
	steps(rig, 5, LOST_IN);
	steps(rig, 30, ARRIVES);
	assert_int_equal(shunt_window_end(rig->window), 0);
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->baseline_sent, 40);
	assert_int_equal(figures->baseline_lost, 3);
	assert_int_equal(figures->rx_lost, 7); /* of the whole run */
	assert_int_equal(shunt_window_figures(rig->window, 1)->baseline_lost, 0);
	before = shunt_tester_times(rig->tester, 0, SHUNT_PHASE_BASELINE);
	after = shunt_tester_times(rig->tester, 0, SHUNT_PHASE_SWITCHING);
	assert_int_equal(shunt_histogram_max(&before->gap), 4 * STEP);
	assert_int_equal(shunt_histogram_max(&after->gap), 6 * STEP);
	assert_int_equal(shunt_histogram_count(&before->gap), 36); /* before the first is none */
	assert_int_equal(shunt_histogram_count(&after->gap), 35);
	/* Of 72 frames every 17th: the 17th and the 34th, the 51st and the 68th. */
	assert_int_equal(shunt_histogram_count(&before->latency), 2);
	assert_int_equal(shunt_histogram_count(&after->latency), 2);
	assert_int_equal(shunt_histogram_max(&after->latency), 2);
}

static void an_interrupted_baseline_is_all_there_is(void **state)
{
	struct rig *rig = *state;

	shunt_window_baseline(rig->window);
	steps(rig, 20, ARRIVES);
	steps(rig, 2, LOST_IN);
	assert_int_equal(shunt_window_end(rig->window), 0);
	assert_int_equal(shunt_window_figures(rig->window, 0)->baseline_sent, 22);
	assert_int_equal(shunt_window_figures(rig->window, 0)->baseline_lost, 2);
}

static void a_loss_on_the_way_out_belongs_to_the_other_port(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;
	struct shunt_window_figures *in, *out;

	steps(rig, 10, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, LOST_IN);
	steps(rig, 3, LOST_OUT);
	result.members[0].faults = 2;
	result.members[1].faults = 3;
	end_switch(rig, &result);
	steps(rig, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	in = shunt_window_figures(rig->window, 0);
	out = shunt_window_figures(rig->window, 1);
	assert_int_equal(in->rx_lost, 2);
	assert_int_equal(in->rx_explained, 2);
	assert_int_equal(out->tx_lost, 3);
	assert_int_equal(out->tx_explained, 3);
	assert_int_equal(in->tx_lost + out->rx_lost, 0);
}

static void a_loss_outside_switches_is_not_explained(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;
	struct shunt_window_figures *in, *out;

	steps(rig, 10, ARRIVES);
	steps(rig, 1, LOST_IN);
	steps(rig, 1, LOST_OUT);
	steps(rig, 10, ARRIVES);
	result = begin_switch(rig);
	step(rig, ARRIVES);
	result.members[0].faults = 1;
	result.members[1].faults = 1;
	end_switch(rig, &result);
	steps(rig, 10, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	in = shunt_window_figures(rig->window, 0);
	out = shunt_window_figures(rig->window, 1);
	assert_int_equal(in->rx_lost, 1);
	assert_int_equal(in->rx_explained, 0);
	assert_int_equal(out->tx_lost, 1);
	assert_int_equal(out->tx_explained, 0);
}

static void a_loss_in_a_switch_without_faults_is_not_explained(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 10, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 4, LOST_IN);
	end_switch(rig, &result);
	steps(rig, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_lost, 4);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_explained, 0);
}

/* The record of its fault was written after the switch had been asked about, and found by the next.
 */
static void a_late_record_explains_the_switch_before(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;

	steps(rig, 10, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, LOST_IN);
	end_switch(rig, &result);
	steps(rig, 10, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_explained, 0);
	steps(rig, 1, LOST_IN); /* in no switch */
	steps(rig, 10, ARRIVES);
	result = begin_switch(rig);
	result.members[0].faults_late = 2;
	end_switch(rig, &result);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_lost, 3);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_explained, 2);
}

static void a_late_record_is_of_the_switch_before_a_check(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result, check;

	steps(rig, 10, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, LOST_IN);
	end_switch(rig, &result);
	steps(rig, 10, ARRIVES);
	check = begin_switch(rig);
	check.end = rig->now + 2;
	check.members[1].recovery.queue_resets = 1;
	assert_int_equal(shunt_window_check(rig->window, &check), 0);
	steps(rig, 10, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_explained, 0);
	result = begin_switch(rig);
	result.members[0].faults_late = 2;
	end_switch(rig, &result);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_lost, 2);
	assert_int_equal(shunt_window_figures(rig->window, 0)->rx_explained, 2);
}

/* A switch that failed moved the ports and back: frames lost in it are no other's. */
static void switches_that_failed_are_kept_apart(void **state)
{
	struct rig *rig = *state;
	struct shunt_window_figures *group = shunt_window_group_figures(rig->window);
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(rig, 50, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 7, LOST_IN);
	result.error = -EINVAL;
	result.members[0].faults = 7;
	result.members[0].ioctl_time = STEP;
	end_switch(rig, &result);
	steps(rig, 2, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 2, LOST_IN);
	result.members[0].faults = 2;
	end_switch(rig, &result);
	steps(rig, 2, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 3, LOST_IN); /* without a fault: nothing explains it here either */
	result.error = -EIO;
	end_switch(rig, &result);
	steps(rig, 2, ARRIVES);
	result = begin_switch(rig);
	result.error = -EIO;
	result.members[0].faults = -ENOTSUP;
	end_switch(rig, &result);
	assert_int_equal(shunt_window_end(rig->window), 0); /* no frame came after it */
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->window_ns.count, 1);
	assert_int_equal(figures->window_ns.largest, shunt_clock_to_ns(3 * STEP));
	assert_int_equal(figures->ioctl_ns.largest, 0);
	assert_int_equal(figures->unmeasured, 0);
	assert_int_equal(figures->faults, 9);
	assert_int_equal(figures->fault_unknown, 1);
	assert_int_equal(figures->failed.window_ns.count, 2);
	assert_int_equal(figures->failed.window_ns.largest, shunt_clock_to_ns(8 * STEP));
	assert_int_equal(figures->failed.uncertainty_ns.count, 2);
	assert_int_equal(figures->failed.unmeasured, 1);
	assert_int_equal(figures->failed.lost, 10);
	assert_int_equal(figures->failed.faults, 7);
	assert_int_equal(figures->failed.fault_unknown, 1);
	assert_int_equal(figures->rx_lost, 12);
	assert_int_equal(figures->rx_explained, 9);
	assert_int_equal(group->window_ns.count, 1);
	assert_int_equal(group->failed.window_ns.count, 2);
	assert_int_equal(group->failed.unmeasured, 1);
	assert_int_equal(group->failed.lost, 10);
	assert_int_equal(shunt_window_figures(rig->window, 1)->failed.lost, 0);
}

static void frames_missing_at_the_end_are_lost(void **state)
{
	struct rig *rig = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(rig, 10, ARRIVES);
	result = begin_switch(rig);
	steps(rig, 5, LOST_IN);
	result.members[0].faults = 5;
	end_switch(rig, &result);
	assert_int_equal(shunt_window_end(rig->window), 0);
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->rx_lost, 5);
	assert_int_equal(figures->rx_explained, 5);
	assert_int_equal(figures->unmeasured, 1);
	assert_int_equal(figures->window_ns.count, 0);
}

static void unknown_faults_are_unknown_for_their_switch(void **state)
{
	static const int64_t faults[] = { 0, -ENOTSUP, 0, 3, -EOVERFLOW, 2 };
	static const int64_t sums[] = { 0, -ENOTSUP, -ENOTSUP, 3, 3, 5 };
	static const uint64_t unknown[] = { 0, 1, 1, 1, 2, 2 };
	struct rig *rig = *state;
	struct shunt_window_figures *figures = shunt_window_figures(rig->window, 0);
	struct shunt_switch_result result;

	steps(rig, 10, ARRIVES);
	for (int i = 0; i < 6; i++) {
		result = begin_switch(rig);
		steps(rig, 1, faults[i] ? LOST_IN : ARRIVES);
		result.members[0].faults = faults[i];
		end_switch(rig, &result);
		steps(rig, 5, ARRIVES);
		assert_int_equal(shunt_window_poll(rig->window), 0);
		assert_int_equal(figures->faults, sums[i]);
		assert_int_equal(figures->fault_unknown, unknown[i]);
	}
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->window_ns.count, 6);
	assert_int_equal(figures->rx_lost, 4);
	assert_int_equal(figures->rx_explained, 4); /* unknown explains, too */
	assert_int_equal(shunt_window_figures(rig->window, 1)->fault_unknown, 0);
}

/* A frame of stream 0 that passes the watch and the tester out of its place. */
static void come_late(struct rig *rig, uint32_t number, uint64_t time)
{
	struct shunt_stamp stamp = { .sequence = number, .magic = SHUNT_STAMP_MAGIC, .time = time };

	shunt_watch_see(&rig->receive[0], &stamp, rig->now);
	shunt_watch_see(shunt_tester_watch(rig->tester, 0), &stamp, rig->now);
}

static void a_frame_that_comes_late_is_not_lost(void **state)
{
	struct rig *rig = *state;
	struct shunt_window_figures *figures;

	steps(rig, 10, ARRIVES);
	steps(rig, 3, LOST_IN); /* 10, 11, 12 */
	steps(rig, 2, ARRIVES);
	come_late(rig, 11, rig->now);
	come_late(rig, 11, rig->now); /* again, and */
	come_late(rig, 5, rig->now);  /* one that was there before */
	steps(rig, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->rx_lost, 2);
	assert_int_equal(figures->late, 1);
	assert_int_equal(shunt_tester_watch(rig->tester, 0)->late, 3);
	come_late(rig, 10, rig->now);
	come_late(rig, 12, rig->now);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	figures = shunt_window_figures(rig->window, 0);
	assert_int_equal(figures->rx_lost, 0);
	assert_int_equal(figures->late, 3);
	assert_int_equal(shunt_window_figures(rig->window, 1)->tx_lost, 0);
}

static void a_changed_frame_is_explained_by_a_switch_with_faults(void **state)
{
	struct rig *rig = *state;
	struct shunt_switch_result result;
	uint64_t changed, in_switches;

	steps(rig, 63, ARRIVES);
	result = begin_switch(rig);
	step(rig, ARRIVES);
	step(rig, CHANGED); /* frame 64: one of those compared byte by byte */
	result.members[1].faults = 1;
	end_switch(rig, &result);
	steps(rig, 63, ARRIVES);
	step(rig, CHANGED); /* 128, long after */
	step(rig, ARRIVES);
	assert_int_equal(shunt_window_poll(rig->window), 0);
	shunt_window_changed(rig->window, &changed, &in_switches);
	assert_int_equal(changed, 2);
	assert_int_equal(in_switches, 1);
}

static void changed_and_foreign_frames_are_noticed(void **state)
{
	struct rig *rig = *state;
	uint8_t foreign[60] = { 0 };

	steps(rig, 64, ARRIVES);
	step(rig, CHANGED); /* frame 64: one of those compared byte by byte */
	assert_int_equal(shunt_tester_corrupt(rig->tester, 0), 1);
	assert_int_equal(shunt_tester_corrupt(rig->tester, 1), 0);
	shunt_tester_receive(rig->tester, rig->now, foreign, sizeof(foreign));
	assert_int_equal(shunt_tester_foreign(rig->tester), 1);
}

static void a_set_rate_is_kept(void **state)
{
	struct shunt_tester *tester;
	struct rig *rig = *state;
	uint64_t hz = shunt_clock_hz(), now = rig->now;
	unsigned int sent = 0;
	uint32_t length;

	assert_int_equal(shunt_tester_create(1, &rig->traffic, 1000, &tester), 0);
	assert_null(shunt_tester_send(tester, 0, now, true, &length)); /* not started */
	shunt_tester_start(tester);
	for (unsigned int i = 0; i < 100000; i++) /* ten times as often as a frame is due */
		sent += shunt_tester_send(tester, 0, now + i * (hz / 10000), i % 2, &length) !=
			NULL;
	assert_in_range(sent, 9990, 10001);
	/* Not called for a second: the frames of that time are not sent in a burst. */
	now += 11 * hz;
	for (sent = 0; shunt_tester_send(tester, 0, now, true, &length);)
		sent++;
	assert_in_range(sent, 1, 3);
	shunt_tester_destroy(tester);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(a_loss_is_a_window_with_its_uncertainty),
		rig_test(the_baseline_is_kept_apart),
		rig_test(an_interrupted_baseline_is_all_there_is),
		rig_test(a_loss_on_the_way_out_belongs_to_the_other_port),
		rig_test(a_loss_outside_switches_is_not_explained),
		rig_test(a_loss_in_a_switch_without_faults_is_not_explained),
		rig_test(a_late_record_explains_the_switch_before),
		rig_test(a_late_record_is_of_the_switch_before_a_check),
		rig_test(switches_that_failed_are_kept_apart),
		rig_test(frames_missing_at_the_end_are_lost),
		rig_test(unknown_faults_are_unknown_for_their_switch),
		rig_test(a_frame_that_comes_late_is_not_lost),
		rig_test(a_changed_frame_is_explained_by_a_switch_with_faults),
		rig_test(changed_and_foreign_frames_are_noticed),
		rig_test(a_set_rate_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
