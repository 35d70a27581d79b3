/* SPDX-License-Identifier: BSD-3-Clause */
/* The fault log over a platform whose answers are chosen: counts, observers, and not knowing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/evidence.h>

#define A "0000:03:00.0"
#define B "0000:04:00.0"

struct script {
	struct shunt_platform platform;
	struct shunt_fault records[200];
	unsigned int count;
	unsigned int taken;
	int error;          /* answer of the next calls */
	unsigned int times; /* how many */
	struct shunt_fault_log *log;
};

static int script_faults(
	struct shunt_platform *platform, struct shunt_fault *records, unsigned int n)
{
	struct script *script = (struct script *)platform;
	unsigned int count = 0;

	if (script->times) {
		script->times--;
		return script->error;
	}
	while (count < n && script->taken < script->count)
		records[count++] = script->records[script->taken++];
	return (int)count;
}

static int script_watch(struct shunt_platform *platform, const char *function)
{
	return 0;
}

static const struct shunt_platform_ops script_ops = { .watch = script_watch,
	.faults = script_faults };

static void sees(struct script *script, const char *observer, const char *function, int count)
{
	while (count--) {
		struct shunt_fault *record = &script->records[script->count++];

		assert_in_range(script->count, 1, 200);
		*record = (struct shunt_fault){ .iova = 0x1000 };
		snprintf(record->observer, sizeof(record->observer), "%s", observer);
		snprintf(record->function, sizeof(record->function), "%s", function);
	}
}

static void cannot_tell(struct script *script, const char *function)
{
	sees(script, "interrupts", function, 1);
	script->records[script->count - 1].unknown = true;
}

static void fails(struct script *script, int error, unsigned int times)
{
	script->error = error;
	script->times = times;
}

static int set_up(void **state)
{
	static struct script script;

	script = (struct script){ .platform.ops = &script_ops };
	sees(&script, "kmsg", A, 3); /* from before */
	cannot_tell(&script, A);
	assert_int_equal(shunt_fault_log_create(&script.platform, &script.log), 0);
	assert_int_equal(shunt_fault_log_add(script.log, A), 0);
	assert_int_equal(shunt_fault_log_add(script.log, B), 0);
	*state = &script;
	return 0;
}

static int tear_down(void **state)
{
	shunt_fault_log_destroy(((struct script *)*state)->log);
	return 0;
}

#define since(script, function) shunt_fault_log_since((script)->log, function)
#define total(script, function) shunt_fault_log_total((script)->log, function)

static void faults_belong_to_their_function(void **state)
{
	struct script *script = *state;

	assert_int_equal(since(script, A), 0);
	sees(script, "sim", A, 100);
	sees(script, "sim", "0000:07:00.0", 5);
	sees(script, "sim", B, 2);
	assert_int_equal(since(script, A), 100);
	assert_int_equal(since(script, B), 2);
	assert_int_equal(since(script, B), 0);
	sees(script, "sim", A, 1);
	assert_int_equal(since(script, A), 1);
	assert_int_equal(total(script, A), 101);
	assert_int_equal(total(script, B), 2);
	assert_int_equal(since(script, "0000:07:00.0"), -ENOENT);
	assert_int_equal(shunt_fault_log_add(script->log, A), -EEXIST);
}

static void what_two_observers_see_counts_once(void **state)
{
	struct script *script = *state;

	sees(script, "kmsg", A, 3);
	sees(script, "tracepoint", A, 7);
	sees(script, "tracepoint", B, 1);
	assert_int_equal(since(script, A), 7);
	assert_int_equal(since(script, B), 1);
	/* One of them tells later. */
	sees(script, "kmsg", A, 4);
	sees(script, "kmsg", B, 1);
	assert_int_equal(since(script, A), 0);
	assert_int_equal(since(script, B), 0);
	sees(script, "kmsg", A, 2);
	assert_int_equal(since(script, A), 2);
	assert_int_equal(total(script, A), 9);
}

static void more_observers_than_room_still_count(void **state)
{
	struct script *script = *state;
	char name[16];

	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "observer %d", i);
		sees(script, name, A, 1);
	}
	assert_in_range(since(script, A), 1, 12);
}

static void only_functions_without_a_record_are_unknown(void **state)
{
	struct script *script = *state;

	cannot_tell(script, A);
	cannot_tell(script, B);
	cannot_tell(script, "0000:77:00.0");
	sees(script, "kmsg", A, 2);
	assert_int_equal(since(script, A), 2);
	assert_int_equal(since(script, B), -EOVERFLOW);
	/* And for that time only. */
	assert_int_equal(since(script, A), 0);
	assert_int_equal(since(script, B), 0);
	assert_int_equal(total(script, A), 2);
	assert_int_equal(total(script, B), -EOVERFLOW);
	sees(script, "kmsg", B, 1);
	assert_int_equal(since(script, B), 1);
	assert_int_equal(total(script, B), 1);
}

static void lost_records_are_the_same_and_the_rest_is_read(void **state)
{
	struct script *script = *state;

	fails(script, -EOVERFLOW, 1);
	sees(script, "sim", A, 70);
	assert_int_equal(since(script, A), 70);
	assert_int_equal(since(script, B), -EOVERFLOW);
	assert_int_equal(since(script, B), 0);
	fails(script, -EOVERFLOW, 2); /* does not keep its word: no endless loop */
	assert_int_equal(since(script, A), -EOVERFLOW);
	assert_int_equal(since(script, A), 0);
}

static void a_platform_that_cannot_see_never_says_none(void **state)
{
	struct script *script = *state;

	fails(script, -ENOTSUP, 4);
	assert_int_equal(since(script, A), -ENOTSUP);
	assert_int_equal(since(script, A), -ENOTSUP);
	assert_int_equal(since(script, B), -ENOTSUP);
	assert_int_equal(total(script, B), -ENOTSUP);
	assert_int_equal(since(script, B), -ENOTSUP); /* of the call before */
	assert_int_equal(since(script, B), 0);
}

static void records_are_found_by_time(void **state)
{
	struct script *script = *state;
	struct shunt_fault found[2];
	unsigned int first = script->count;

	sees(script, "kmsg", A, 1);
	sees(script, "kmsg", B, 1);
	cannot_tell(script, B); /* which is no record to show */
	sees(script, "kmsg", "0000:77:00.0", 1);
	for (unsigned int i = 0; i < 4; i++)
		script->records[first + i].time = 100 + i;
	assert_int_equal(since(script, A), 1); /* being counted takes none away */
	assert_int_equal(shunt_fault_log_records(script->log, 101, 103, found, 2), 2);
	assert_string_equal(found[0].function, B);
	assert_string_equal(found[1].function, "0000:77:00.0");
	assert_int_equal(shunt_fault_log_records(script->log, 104, 200, found, 2), 0);
}

#define log_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		log_test(faults_belong_to_their_function),
		log_test(what_two_observers_see_counts_once),
		log_test(more_observers_than_room_still_count),
		log_test(only_functions_without_a_record_are_unknown),
		log_test(lost_records_are_the_same_and_the_rest_is_read),
		log_test(a_platform_that_cannot_see_never_says_none),
		log_test(records_are_found_by_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
