/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shunt_histogram.h"
#include "shunt_samples.h"

#define PRECISION SHUNT_HISTOGRAM_PRECISION

static void buckets_follow_each_other(void **state)
{
	for (unsigned int i = 0; i < SHUNT_HISTOGRAM_BUCKETS; i++) {
		uint64_t from = shunt_histogram_from(i), to = shunt_histogram_to(i);

		assert_int_equal(shunt_histogram_bucket(from), i);
		assert_int_equal(shunt_histogram_bucket(to), i);
		assert_true(to - from <= from / PRECISION);
		if (i + 1 < SHUNT_HISTOGRAM_BUCKETS)
			assert_int_equal(shunt_histogram_from(i + 1), to + 1);
		else
			assert_true(to == UINT64_MAX);
	}
	assert_int_equal(shunt_histogram_from(0), 0);
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

/* Beside exact quantiles of the same values, which spread over twelve orders of magnitude. */
static void quantiles_are_as_precise_as_stated(void **state)
{
	static const double quantiles[] = { 0, 0.1, 0.5, 0.9, 0.99, 0.999, 1 };
	static struct shunt_histogram histogram;
	struct shunt_samples samples = { 0 };
	uint64_t random = 1;

	for (int i = 0; i < 100000; i++) {
		uint64_t value;

		random = random * 6364136223846793005ull + 1442695040888963407ull;
		value = random >> (24 + random % 40);
		shunt_histogram_add(&histogram, value);
		assert_int_equal(shunt_samples_add(&samples, value), 0);
	}
	assert_int_equal(shunt_histogram_count(&histogram), 100000);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		uint64_t exact = shunt_samples_quantile(&samples, quantiles[i]);
		uint64_t got = shunt_histogram_quantile(&histogram, quantiles[i]);

		assert_true(got >= exact && got - exact <= exact / PRECISION);
	}
	assert_true(shunt_histogram_quantile(&histogram, 1) == shunt_samples_quantile(&samples, 1));
	shunt_samples_free(&samples);
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
		cmocka_unit_test(it_is_read_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
