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

#include "shunt_clock.h"
#include "window_bench.h"

static void a_loss_is_a_window_with_its_resolution(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;
	struct shunt_window_figures *figures;

	steps(bench, 50, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 7, LOST_IN);
	result.members[0].faults = 7;
	end_switch(bench, &result);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	assert_int_equal(bench->measured, 0); /* nothing was seen after it yet */
	steps(bench, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	assert_int_equal(bench->measured, 2);
	assert_int_equal(bench->last[0].window, 8 * STEP);
	assert_int_equal(bench->last[0].resolution, 2 * STEP);
	assert_int_equal(bench->last[0].lost, 7);
	assert_int_equal(bench->last[1].window, 0);
	assert_int_equal(bench->last[1].resolution, STEP);
	figures = shunt_window_figures(bench->window, 0);
	assert_int_equal(figures->rx_lost, 7);
	assert_int_equal(figures->rx_explained, 7);
	assert_int_equal(figures->faults, 7);
	assert_int_equal(figures->window_ns.count, 1);
	assert_int_equal(shunt_window_figures(bench->window, 1)->tx_lost, 0);
}

static void the_baseline_is_kept_apart(void **state)
{
	const struct shunt_times *before, *after;
	struct bench *bench = *state;
	struct shunt_window_figures *figures;

	shunt_window_baseline(bench->window);
	steps(bench, 20, ARRIVES);
	steps(bench, 2, LOST_IN);
	steps(bench, 1, LOST_OUT);
	steps(bench, 17, ARRIVES);
	shunt_window_switching(bench->window);
	steps(bench, 5, ARRIVES);
	steps(bench, 5, LOST_IN);
	steps(bench, 30, ARRIVES);
	assert_int_equal(shunt_window_end(bench->window), 0);
	figures = shunt_window_figures(bench->window, 0);
	assert_int_equal(figures->baseline_sent, 40);
	assert_int_equal(figures->baseline_lost, 3);
	assert_int_equal(figures->rx_lost, 7); /* of the whole run */
	assert_int_equal(shunt_window_figures(bench->window, 1)->baseline_lost, 0);
	before = shunt_tester_times(bench->tester, 0, SHUNT_PHASE_BASELINE);
	after = shunt_tester_times(bench->tester, 0, SHUNT_PHASE_SWITCHING);
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
	struct bench *bench = *state;

	shunt_window_baseline(bench->window);
	steps(bench, 20, ARRIVES);
	steps(bench, 2, LOST_IN);
	assert_int_equal(shunt_window_end(bench->window), 0);
	assert_int_equal(shunt_window_figures(bench->window, 0)->baseline_sent, 22);
	assert_int_equal(shunt_window_figures(bench->window, 0)->baseline_lost, 2);
}

static void a_loss_on_the_way_out_belongs_to_the_other_port(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;
	struct shunt_window_figures *in, *out;

	steps(bench, 10, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 2, LOST_IN);
	steps(bench, 3, LOST_OUT);
	result.members[0].faults = 2;
	result.members[1].faults = 3;
	end_switch(bench, &result);
	steps(bench, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	in = shunt_window_figures(bench->window, 0);
	out = shunt_window_figures(bench->window, 1);
	assert_int_equal(in->rx_lost, 2);
	assert_int_equal(in->rx_explained, 2);
	assert_int_equal(out->tx_lost, 3);
	assert_int_equal(out->tx_explained, 3);
	assert_int_equal(in->tx_lost + out->rx_lost, 0);
}

static void a_loss_outside_switches_is_not_explained(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;
	struct shunt_window_figures *in, *out;

	steps(bench, 10, ARRIVES);
	steps(bench, 1, LOST_IN);
	steps(bench, 1, LOST_OUT);
	steps(bench, 10, ARRIVES);
	result = begin_switch(bench);
	step(bench, ARRIVES);
	result.members[0].faults = 1;
	result.members[1].faults = 1;
	end_switch(bench, &result);
	steps(bench, 10, ARRIVES);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	in = shunt_window_figures(bench->window, 0);
	out = shunt_window_figures(bench->window, 1);
	assert_int_equal(in->rx_lost, 1);
	assert_int_equal(in->rx_explained, 0);
	assert_int_equal(out->tx_lost, 1);
	assert_int_equal(out->tx_explained, 0);
}

static void a_loss_in_a_switch_without_faults_is_not_explained(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 10, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 4, LOST_IN);
	end_switch(bench, &result);
	steps(bench, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	assert_int_equal(shunt_window_figures(bench->window, 0)->rx_lost, 4);
	assert_int_equal(shunt_window_figures(bench->window, 0)->rx_explained, 0);
}

/* The record of its fault was written after the switch had been asked about, and found by the next.
 */
static void a_late_record_explains_the_switch_before(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;

	steps(bench, 10, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 2, LOST_IN);
	end_switch(bench, &result);
	steps(bench, 10, ARRIVES);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	assert_int_equal(shunt_window_figures(bench->window, 0)->rx_explained, 0);
	steps(bench, 1, LOST_IN); /* in no switch */
	steps(bench, 10, ARRIVES);
	result = begin_switch(bench);
	result.members[0].faults_late = 2;
	end_switch(bench, &result);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	assert_int_equal(shunt_window_figures(bench->window, 0)->rx_lost, 3);
	assert_int_equal(shunt_window_figures(bench->window, 0)->rx_explained, 2);
}

static void frames_missing_at_the_end_are_lost(void **state)
{
	struct bench *bench = *state;
	struct shunt_window_figures *figures;
	struct shunt_switch_result result;

	steps(bench, 10, ARRIVES);
	result = begin_switch(bench);
	steps(bench, 5, LOST_IN);
	result.members[0].faults = 5;
	end_switch(bench, &result);
	assert_int_equal(shunt_window_end(bench->window), 0);
	figures = shunt_window_figures(bench->window, 0);
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
	struct bench *bench = *state;
	struct shunt_window_figures *figures = shunt_window_figures(bench->window, 0);
	struct shunt_switch_result result;

	steps(bench, 10, ARRIVES);
	for (int i = 0; i < 6; i++) {
		result = begin_switch(bench);
		steps(bench, 1, faults[i] ? LOST_IN : ARRIVES);
		result.members[0].faults = faults[i];
		end_switch(bench, &result);
		steps(bench, 5, ARRIVES);
		assert_int_equal(shunt_window_poll(bench->window), 0);
		assert_int_equal(figures->faults, sums[i]);
		assert_int_equal(figures->fault_unknown, unknown[i]);
	}
	figures = shunt_window_figures(bench->window, 0);
	assert_int_equal(figures->window_ns.count, 6);
	assert_int_equal(figures->rx_lost, 4);
	assert_int_equal(figures->rx_explained, 4); /* unknown explains, too */
	assert_int_equal(shunt_window_figures(bench->window, 1)->fault_unknown, 0);
}

/* A frame of stream 0 that passes the watch and the tester out of its place. */
static void come_late(struct bench *bench, uint32_t number, uint64_t time)
{
	struct shunt_stamp stamp = { .sequence = number, .magic = SHUNT_STAMP_MAGIC, .time = time };

	shunt_watch_see(&bench->receive[0], &stamp, bench->now);
	shunt_watch_see(shunt_tester_watch(bench->tester, 0), &stamp, bench->now);
}

static void a_frame_that_comes_late_is_not_lost(void **state)
{
	struct bench *bench = *state;
	struct shunt_window_figures *figures;

	steps(bench, 10, ARRIVES);
	steps(bench, 3, LOST_IN); /* 10, 11, 12 */
	steps(bench, 2, ARRIVES);
	come_late(bench, 11, bench->now);
	come_late(bench, 11, bench->now); /* again, and */
	come_late(bench, 5, bench->now);  /* one that was there before */
	steps(bench, 2, ARRIVES);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	figures = shunt_window_figures(bench->window, 0);
	assert_int_equal(figures->rx_lost, 2);
	assert_int_equal(figures->late, 1);
	assert_int_equal(shunt_tester_watch(bench->tester, 0)->late, 3);
	come_late(bench, 10, bench->now);
	come_late(bench, 12, bench->now);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	figures = shunt_window_figures(bench->window, 0);
	assert_int_equal(figures->rx_lost, 0);
	assert_int_equal(figures->late, 3);
	assert_int_equal(shunt_window_figures(bench->window, 1)->tx_lost, 0);
}

static void a_changed_frame_is_explained_by_a_switch_with_faults(void **state)
{
	struct bench *bench = *state;
	struct shunt_switch_result result;
	uint64_t changed, in_switches;

	steps(bench, 63, ARRIVES);
	result = begin_switch(bench);
	step(bench, ARRIVES);
	step(bench, CHANGED); /* frame 64: one of those compared byte by byte */
	result.members[1].faults = 1;
	end_switch(bench, &result);
	steps(bench, 63, ARRIVES);
	step(bench, CHANGED); /* 128, long after */
	step(bench, ARRIVES);
	assert_int_equal(shunt_window_poll(bench->window), 0);
	shunt_window_changed(bench->window, &changed, &in_switches);
	assert_int_equal(changed, 2);
	assert_int_equal(in_switches, 1);
}

static void changed_and_foreign_frames_are_noticed(void **state)
{
	struct bench *bench = *state;
	uint8_t foreign[60] = { 0 };

	steps(bench, 64, ARRIVES);
	step(bench, CHANGED); /* frame 64: one of those compared byte by byte */
	assert_int_equal(shunt_tester_corrupt(bench->tester, 0), 1);
	assert_int_equal(shunt_tester_corrupt(bench->tester, 1), 0);
	shunt_tester_receive(bench->tester, bench->now, foreign, sizeof(foreign));
	assert_int_equal(shunt_tester_foreign(bench->tester), 1);
}

static void a_set_rate_is_kept(void **state)
{
	struct shunt_tester *tester;
	struct bench *bench = *state;
	uint64_t hz = shunt_clock_hz(), now = bench->now;
	unsigned int sent = 0;
	uint32_t length;

	assert_int_equal(shunt_tester_create(1, &bench->traffic, 1000, &tester), 0);
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
		bench_test(a_loss_is_a_window_with_its_resolution),
		bench_test(the_baseline_is_kept_apart),
		bench_test(an_interrupted_baseline_is_all_there_is),
		bench_test(a_loss_on_the_way_out_belongs_to_the_other_port),
		bench_test(a_loss_outside_switches_is_not_explained),
		bench_test(a_loss_in_a_switch_without_faults_is_not_explained),
		bench_test(a_late_record_explains_the_switch_before),
		bench_test(frames_missing_at_the_end_are_lost),
		bench_test(unknown_faults_are_unknown_for_their_switch),
		bench_test(a_frame_that_comes_late_is_not_lost),
		bench_test(a_changed_frame_is_explained_by_a_switch_with_faults),
		bench_test(changed_and_foreign_frames_are_noticed),
		bench_test(a_set_rate_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
