/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <shunt/watch.h>

#define FRAMES 12

struct rig {
	struct shunt_watch watch;
	enum shunt_trail_fate fates[FRAMES];
	uint64_t seen[FRAMES];
};

static int set_up(void **state)
{
	static struct rig rig;

	assert_int_equal(shunt_watch_init(&rig.watch, 0), 0);
	rig.watch.trail = shunt_trail_create();
	assert_non_null(rig.watch.trail);
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	shunt_trail_destroy(rig->watch.trail);
	shunt_watch_fini(&rig->watch);
	return 0;
}

/* Frames from to to - 1, seen in one burst with those before it that are not published yet. */
static void see(struct rig *rig, uint64_t from, uint64_t to, uint64_t now)
{
	for (; from < to; from++) {
		struct shunt_stamp stamp = {
			.sequence = (uint32_t)from, .magic = SHUNT_STAMP_MAGIC, .time = now - 1
		};

		shunt_watch_see(&rig->watch, &stamp, now);
	}
}

static void ask(struct rig *rig, uint64_t first, unsigned int count)
{
	shunt_trail_fates(rig->watch.trail, first, count, rig->fates, rig->seen);
}

static void nothing_seen_is_nothing_known(void **state)
{
	struct rig *rig = *state;

	ask(rig, 0, 2);
	assert_int_equal(rig->fates[0], SHUNT_TRAIL_UNKNOWN);
	assert_int_equal(rig->fates[1], SHUNT_TRAIL_UNKNOWN);
}

/* 0 1 2 | 3 - - 6 7 | - 9 */
static void bursts_and_what_is_missing_in_them(void **state)
{
	struct rig *rig = *state;

	see(rig, 0, 3, 100);
	shunt_watch_publish(&rig->watch);
	see(rig, 3, 4, 200);
	see(rig, 6, 8, 200);
	shunt_watch_publish(&rig->watch);
	see(rig, 9, 10, 300);
	shunt_watch_publish(&rig->watch);
	ask(rig, 0, FRAMES);
	for (unsigned int i = 0; i < 10; i++) {
		bool lost = i == 4 || i == 5 || i == 8;

		assert_int_equal(rig->fates[i], lost ? SHUNT_TRAIL_LOST : SHUNT_TRAIL_SEEN);
		assert_int_equal(rig->seen[i], lost ? 0 : i < 3 ? 100 : i < 8 ? 200 : 300);
	}
	assert_int_equal(rig->fates[10], SHUNT_TRAIL_UNKNOWN);
}

static void a_late_frame_was_not_lost(void **state)
{
	struct rig *rig = *state;

	see(rig, 0, 2, 100);
	see(rig, 4, 6, 100);
	see(rig, 2, 3, 150); /* late */
	see(rig, 5, 6, 160); /* again: the first time counts */
	shunt_watch_publish(&rig->watch);
	ask(rig, 0, 6);
	assert_int_equal(rig->fates[2], SHUNT_TRAIL_LATE);
	assert_int_equal(rig->seen[2], 150);
	assert_int_equal(rig->fates[3], SHUNT_TRAIL_LOST);
	assert_int_equal(rig->fates[5], SHUNT_TRAIL_SEEN);
	assert_int_equal(rig->seen[5], 100);
}

static void frames_missing_at_the_end_were_never_seen(void **state)
{
	struct rig *rig = *state;

	see(rig, 0, 2, 100);
	shunt_watch_publish(&rig->watch);
	shunt_watch_end(&rig->watch, 5, 900);
	ask(rig, 0, 5);
	assert_int_equal(rig->fates[1], SHUNT_TRAIL_SEEN);
	assert_int_not_equal(rig->fates[2], SHUNT_TRAIL_SEEN);
	assert_int_not_equal(rig->fates[4], SHUNT_TRAIL_SEEN);
}

static void what_was_overwritten_is_not_made_up(void **state)
{
	struct rig *rig = *state;
	const uint64_t count = SHUNT_TRAIL_SIZE + 100;

	for (uint64_t i = 0; i < count; i++) {
		see(rig, i, i + 1, 1000 + i);
		shunt_watch_publish(&rig->watch);
	}
	ask(rig, 96, 12);
	assert_int_equal(rig->fates[0], SHUNT_TRAIL_UNKNOWN);
	assert_int_equal(rig->fates[11], SHUNT_TRAIL_SEEN);
	assert_int_equal(rig->seen[11], 1000 + 107);
	for (unsigned int i = 0; i < 12; i++)
		assert_int_not_equal(rig->fates[i], SHUNT_TRAIL_LOST);
}

#define ROUNDS 4

static void *feed(void *arg)
{
	struct rig *rig = arg;

	for (uint64_t i = 0; i < (uint64_t)ROUNDS * SHUNT_TRAIL_SIZE; i++) {
		see(rig, i, i + 1, 1000 + i);
		shunt_watch_publish(&rig->watch);
	}
	return NULL;
}

static void it_is_asked_while_it_is_fed(void **state)
{
	struct rig *rig = *state;
	uint64_t next = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, feed, rig), 0);
	while (next < (uint64_t)ROUNDS * SHUNT_TRAIL_SIZE) {
		next = shunt_watch_frames(&rig->watch);
		if (next < FRAMES)
			continue;
		ask(rig, next - FRAMES, FRAMES);
		for (unsigned int i = 0; i < FRAMES; i++) {
			assert_int_not_equal(rig->fates[i], SHUNT_TRAIL_LOST);
			if (rig->fates[i] == SHUNT_TRAIL_SEEN)
				assert_int_equal(rig->seen[i], 1000 + next - FRAMES + i);
		}
	}
	pthread_join(thread, NULL);
}

#define trail_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		trail_test(nothing_seen_is_nothing_known),
		trail_test(bursts_and_what_is_missing_in_them),
		trail_test(a_late_frame_was_not_lost),
		trail_test(frames_missing_at_the_end_were_never_seen),
		trail_test(what_was_overwritten_is_not_made_up),
		trail_test(it_is_asked_while_it_is_fed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
