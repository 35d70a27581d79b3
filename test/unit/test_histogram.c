/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <shunt/histogram.h>

#define PRECISION SHUNT_HISTOGRAM_PRECISION

static void follow_each_other(unsigned int precision)
{
	const unsigned int buckets = precision * SHUNT_BUCKET_ROWS(precision);

	for (unsigned int i = 0; i < buckets; i++) {
		uint64_t from = shunt_bucket_from(i, precision), to = shunt_bucket_to(i, precision);

		assert_int_equal(shunt_bucket(from, precision), i);
		assert_int_equal(shunt_bucket(to, precision), i);
		assert_true(to - from <= from / precision);
		if (i + 1 < buckets)
			assert_int_equal(shunt_bucket_from(i + 1, precision), to + 1);
		else
			assert_true(to == UINT64_MAX);
	}
	assert_int_equal(shunt_bucket_from(0, precision), 0);
}

static void buckets_follow_each_other(void **state)
{
	follow_each_other(SHUNT_HISTOGRAM_PRECISION);
	follow_each_other(SHUNT_SAMPLES_PRECISION);
}

static void nothing_has_no_quantile(void **state)
{
	static struct shunt_histogram histogram;

	assert_int_equal(shunt_histogram_count(&histogram), 0);
	assert_int_equal(shunt_histogram_max(&histogram), 0);
	assert_int_equal(shunt_histogram_quantile(&histogram, 0.5), 0);
	shunt_histogram_add(&histogram, 0);
	assert_int_equal(shunt_histogram_count(&histogram), 1);
	assert_int_equal(shunt_histogram_quantile(&histogram, 0), 0);
	shunt_histogram_add(&histogram, 1000001);
	assert_int_equal(shunt_histogram_quantile(&histogram, 0.5), 0);
	assert_int_equal(shunt_histogram_quantile(&histogram, 1), 1000001);
}

#define VALUES 100000u

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void is_within(uint64_t got, uint64_t exact, unsigned int precision)
{
	assert_true(got >= exact && got - exact <= exact / precision);
}

/* Beside exact quantiles of the same values, which spread over twelve orders of magnitude. */
static void quantiles_are_as_precise_as_stated(void **state)
{
	static const unsigned int thousandths[] = { 0, 100, 500, 900, 990, 999, 1000 };
	static struct shunt_histogram histogram;
	static uint64_t values[VALUES];
	struct shunt_samples samples = { 0 };
	uint64_t random = 1;

	for (unsigned int i = 0; i < VALUES; i++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		values[i] = random >> (24 + random % 40);
		shunt_histogram_add(&histogram, values[i]);
		assert_int_equal(shunt_samples_add(&samples, values[i]), 0);
	}
	qsort(values, VALUES, sizeof(values[0]), compare);
	assert_int_equal(shunt_histogram_count(&histogram), VALUES);
	assert_int_equal(samples.count, VALUES);
	for (size_t i = 0; i < sizeof(thousandths) / sizeof(thousandths[0]); i++) {
		const unsigned int rank = VALUES / 1000 * thousandths[i];
		const double q = thousandths[i] / 1000.0;
		const uint64_t exact = values[rank ? rank - 1 : 0];

		is_within(shunt_histogram_quantile(&histogram, q), exact, PRECISION);
		is_within(shunt_samples_quantile(&samples, q), exact, SHUNT_SAMPLES_PRECISION);
	}
	assert_true(shunt_histogram_quantile(&histogram, 1) == values[VALUES - 1]);
	assert_true(shunt_samples_quantile(&samples, 1) == values[VALUES - 1]);
	shunt_samples_free(&samples);
}

static void few_samples_are_exact_up_to_2047(void **state)
{
	struct shunt_samples samples = { 0 };

	assert_int_equal(shunt_samples_quantile(&samples, 0.5), 0);
	for (uint64_t i = 2000; i > 0; i -= 2)
		assert_int_equal(shunt_samples_add(&samples, i), 0);
	assert_int_equal(shunt_samples_quantile(&samples, 0), 2);
	assert_int_equal(shunt_samples_quantile(&samples, 0.5), 1000);
	assert_int_equal(shunt_samples_quantile(&samples, 0.99), 1980);
	assert_int_equal(shunt_samples_quantile(&samples, 1), 2000);
	assert_int_equal(shunt_samples_add(&samples, UINT64_MAX), 0);
	assert_true(shunt_samples_quantile(&samples, 1) == UINT64_MAX);
	shunt_samples_free(&samples);
	assert_int_equal(samples.count, 0);
}

#define ADDED 300000u

static void *add(void *arg)
{
	for (unsigned int i = 0; i < ADDED; i++)
		shunt_histogram_add(arg, i);
	return NULL;
}

static void it_is_read_while_it_grows(void **state)
{
	static struct shunt_histogram histogram;
	uint64_t count = 0, before, max;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, add, &histogram), 0);
	while (count < ADDED / 2) {
		before = count;
		count = shunt_histogram_count(&histogram);
		assert_true(count >= before);
		max = shunt_histogram_max(&histogram);
		assert_true(max < ADDED);
		assert_true(shunt_histogram_quantile(&histogram, 0.5) < ADDED);
	}
	pthread_join(thread, NULL);
	assert_int_equal(shunt_histogram_count(&histogram), ADDED);
	assert_int_equal(shunt_histogram_max(&histogram), ADDED - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_follow_each_other),
		cmocka_unit_test(nothing_has_no_quantile),
		cmocka_unit_test(quantiles_are_as_precise_as_stated),
		cmocka_unit_test(few_samples_are_exact_up_to_2047),
		cmocka_unit_test(it_is_read_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
