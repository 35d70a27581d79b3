/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <shunt/watch.h>

static void see(struct shunt_watch *watch, uint64_t number, uint64_t time)
{
	struct shunt_stamp stamp = {
		.sequence = (uint32_t)number,
		.magic = SHUNT_STAMP_MAGIC,
		.time = time,
	};

	shunt_watch_see(watch, &stamp, time + 5);
}

static void stamp_round_trip(void **state)
{
	uint8_t frame[60] = { 0 };
	struct shunt_stamp stamp;

	assert_false(shunt_stamp_read(frame, sizeof(frame), &stamp));
	shunt_stamp_write(frame, sizeof(frame), 3, 0x1ffffffffull, 42);
	assert_true(shunt_stamp_read(frame, sizeof(frame), &stamp));
	assert_int_equal(stamp.stream, 3);
	assert_int_equal(stamp.sequence, 0xffffffffu);
	assert_int_equal(stamp.time, 42);
	assert_false(shunt_stamp_read(frame, sizeof(stamp) - 1, &stamp));
}

static void frames_in_order_make_no_gap(void **state)
{
	struct shunt_watch watch;
	struct shunt_gap gap;

	assert_int_equal(shunt_watch_init(&watch, 0), 0);
	for (uint64_t i = 0; i < 100; i++)
		see(&watch, i, 1000 + 10 * i);
	shunt_watch_end(&watch, 100, 5000);
	assert_int_equal(shunt_watch_take(&watch, &gap, 1), 0);
	assert_int_equal(watch.frames, 100);
	assert_int_equal(shunt_watch_stamp(&watch), 1990);
	assert_int_equal(shunt_watch_frames(&watch), 100);
	shunt_watch_fini(&watch);
}

static void gaps_say_what_is_missing(void **state)
{
	struct shunt_watch watch;
	struct shunt_gap gaps[5];

	assert_int_equal(shunt_watch_init(&watch, 0), 0);
	see(&watch, 2, 1020); /* 0 and 1 never came */
	see(&watch, 3, 1030);
	see(&watch, 7, 1070);
	see(&watch, 5, 1075); /* late */
	see(&watch, 8, 1080);
	shunt_watch_end(&watch, 10, 2000);
	assert_int_equal(shunt_watch_take(&watch, gaps, 5), 4);
	assert_int_equal(shunt_gap_frames(&gaps[0]), 2);
	assert_int_equal(gaps[0].first, 2);
	assert_int_equal(gaps[1].last, 3);
	assert_int_equal(gaps[1].first, 7);
	assert_int_equal(gaps[1].last_stamp, 1030);
	assert_int_equal(gaps[1].first_stamp, 1070);
	assert_int_equal(gaps[1].last_seen, 1035);
	assert_int_equal(gaps[1].first_seen, 1075);
	assert_true(shunt_gap_is_late(&gaps[2]));
	assert_int_equal(gaps[2].first, 5);
	assert_false(shunt_gap_is_late(&gaps[3]));
	assert_int_equal(gaps[3].last, 8);
	assert_int_equal(shunt_gap_frames(&gaps[3]), 1);
	assert_int_equal(gaps[3].first_stamp, 0);
	assert_int_equal(watch.late, 1);
	assert_int_equal(watch.frames, 5);
	shunt_watch_fini(&watch);
}

static void frames_of_another_stream_do_not_count(void **state)
{
	struct shunt_stamp stray = { .sequence = 1, .stream = 3, .time = 1001 };
	struct shunt_watch watch;
	struct shunt_gap gap;

	assert_int_equal(shunt_watch_init(&watch, 0), 0);
	see(&watch, 0, 1000);
	shunt_watch_see(&watch, &stray, 1002); /* the number that is expected, by chance */
	see(&watch, 1, 1010);
	assert_int_equal(shunt_watch_take(&watch, &gap, 1), 0);
	assert_int_equal(watch.frames, 2);
	assert_int_equal(watch.strays, 1);
	shunt_watch_fini(&watch);
}

static void numbers_go_beyond_32_bits(void **state)
{
	const uint64_t start = 0xfffffffeull;
	struct shunt_watch watch;
	struct shunt_gap gap;

	assert_int_equal(shunt_watch_init(&watch, 0), 0);
	watch.next = start;
	see(&watch, start, 1000);
	see(&watch, start + 1, 1010);
	see(&watch, start + 4, 1040);
	assert_int_equal(shunt_watch_take(&watch, &gap, 1), 1);
	assert_int_equal(gap.last, start + 1);
	assert_int_equal(gap.first, start + 4);
	assert_int_equal(watch.next, start + 5);
	shunt_watch_fini(&watch);
}

static void gaps_that_do_not_fit_are_counted(void **state)
{
	struct shunt_watch watch;
	uint64_t taken = 0, made = 70000;
	struct shunt_gap gaps[64];
	unsigned int n;

	assert_int_equal(shunt_watch_init(&watch, 0), 0);
	for (uint64_t i = 0; i < made; i++)
		see(&watch, 2 * i + 1, 1000 + i);
	while ((n = shunt_watch_take(&watch, gaps, 64)) > 0)
		taken += n;
	assert_true(taken < made);
	assert_int_equal(taken + watch.gaps_dropped, made);
	shunt_watch_fini(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamp_round_trip),
		cmocka_unit_test(frames_in_order_make_no_gap),
		cmocka_unit_test(gaps_say_what_is_missing),
		cmocka_unit_test(frames_of_another_stream_do_not_count),
		cmocka_unit_test(numbers_go_beyond_32_bits),
		cmocka_unit_test(gaps_that_do_not_fit_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
