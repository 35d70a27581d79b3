/* SPDX-License-Identifier: BSD-3-Clause */
/* What people write on a command line, and what they read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "parse.h"
#include "text.h"

static void test_times_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} times[] = {
		{ "250us", 250000 },
		{ "0.5s", 500000000 },
		{ "1.000000001s", 1000000001 },
		{ "0.0000000019s", 1 },
		{ "1h", 3600000000000 },
		{ "1.5h", 5400000000000 },
		{ "2m", 120000000000 },
		{ "18446744073709551615ns", UINT64_MAX },
	};
	static const char *const wrong[] = { "", "1", "s", ".5s", "0.s", "-1s", "+1s", " 1s", "1 s",
		"1s ", "1.5.5s", "5124096h", "99999999999999999999s", "1e3s" };
	uint64_t ns;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_int_equal(parse_time("--x", times[i].text, &ns), 0);
		assert_int_equal(ns, times[i].ns);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse_time("--x", wrong[i], &ns), -EINVAL);
}

static void test_sizes_are_read(void **state)
{
	uint64_t bytes;

	assert_int_equal(parse_size("--x", "4k", &bytes), 0);
	assert_int_equal(bytes, 4096);
	assert_int_equal(parse_size("--x", "4K", &bytes), 0);
	assert_int_equal(bytes, 4096);
	assert_int_equal(parse_size("--x", "1.5G", &bytes), 0);
	assert_int_equal(bytes, 3ull << 29);
	assert_int_equal(parse_size("--x", "0x1000", &bytes), 0);
	assert_int_equal(bytes, 4096);
	assert_int_equal(parse_size("--x", "17179869184G", &bytes), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "--x '17179869184G'"));
}

static void test_times_have_three_figures(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} times[] = {
		{ 0, "0 ns" },
		{ 999, "999 ns" },
		{ 1000, "1.00 us" },
		{ 9480, "9.48 us" },
		{ 9996, "10.0 us" },
		{ 99960, "100 us" },
		{ 999499, "999 us" },
		{ 999500, "1.00 ms" },
		{ 26310000, "26.3 ms" },
		{ 3600000000000, "3600 s" },
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_string_equal(time_text(times[i].ns), times[i].text);
}

static void test_only_one_is_singular(void **state)
{
	for (uint64_t count = 0; count < 3; count++) {
		assert_string_equal(plural(count), count == 1 ? "" : "s");
		assert_string_equal(plural_es(count), count == 1 ? "" : "es");
	}
}

static void test_what_was_not_measured(void **state)
{
	struct shunt_samples samples = { 0 };

	assert_string_equal(quantile_text(&samples, 0.5), "-");
	assert_int_equal(shunt_samples_add(&samples, 0), 0);
	assert_string_equal(quantile_text(&samples, 0.5), "0 ns");
	shunt_samples_free(&samples);
}

static void test_control_characters_are_shown(void **state)
{
	assert_string_equal(safe_text("a\033[31m\n", 63), "a\\x1b[31m\\x0a");
	assert_string_equal(safe_text("\302\233 \302\265s", 63), "\\xc2\\x9b \302\265s");
	assert_string_equal(safe_text("\033\033\033\033", 11), "\\x1b\\x1b");
	assert_string_equal(safe_text("0000:03:00.0", 12), "0000:03:00.0");
}

static void test_texts_stay_for_a_while(void **state)
{
	const char *first = text_of("%s %d", "first", 1);

	for (int i = 1; i < TEXT_KEPT; i++)
		text_of("%d", i);
	assert_string_equal(first, "first 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_are_read),
		cmocka_unit_test(test_sizes_are_read),
		cmocka_unit_test(test_times_have_three_figures),
		cmocka_unit_test(test_only_one_is_singular),
		cmocka_unit_test(test_what_was_not_measured),
		cmocka_unit_test(test_control_characters_are_shown),
		cmocka_unit_test(test_texts_stay_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
