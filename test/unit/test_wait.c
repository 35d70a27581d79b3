/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waits for a device are bounded by its own time, and end even if that stops. What a
 * wait sleeps passes at once here: the test's nanosleep() is the one that is called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <shunt/clock.h>

#include "shunt_wait.h"

#define MS 1000000ull

static uint64_t device_ns; /* the device's time */
static uint64_t slept_ns;
static uint64_t share; /* of the time that is slept the device has 1 / share; 0: none */
static uint64_t naps;

int nanosleep(const struct timespec *time, struct timespec *left)
{
	uint64_t ns = (uint64_t)time->tv_sec * 1000 * MS + (uint64_t)time->tv_nsec;

	slept_ns += ns;
	device_ns += share ? ns / share : 0;
	naps++;
	return 0;
}

static uint64_t device_time(struct shunt_platform *platform)
{
	return shunt_clock_from_ns(device_ns);
}

static const struct shunt_platform_ops ops = { .time = device_time };
static const struct shunt_platform_ops ops_without_time;
static struct shunt_platform platform;

static int set_up(void **state)
{
	platform = (struct shunt_platform){ .ops = &ops, .name = "fake" };
	device_ns = 1000 * MS;
	slept_ns = naps = 0;
	share = 1;
	return 0;
}

static void wait_for_nothing(uint64_t ns)
{
	struct shunt_wait wait;

	shunt_wait_begin(&wait, &platform);
	while (!shunt_wait_over(&wait, ns))
		shunt_wait_nap(&wait, 10000);
}

static void a_wait_takes_the_device_s_time(void **state)
{
	share = 1000;
	wait_for_nothing(10 * MS);
	assert_true(device_ns >= 1010 * MS);
	assert_true(slept_ns >= 10000 * MS);
	assert_true(device_ns < 1011 * MS);
}

static void sleep_takes_the_device_s_time(void **state)
{
	share = 4;
	shunt_wait_sleep(&platform, 10 * MS);
	assert_in_range(device_ns, 1010 * MS - 1000, 1011 * MS);
	share = 1;
	naps = 0;
	shunt_wait_sleep(&platform, 10 * MS);
	assert_in_range(naps, 1, 2);
}

static void a_dead_device_is_waited_for_once(void **state)
{
	share = 0;
	wait_for_nothing(1);
	assert_in_range(slept_ns, SHUNT_WAIT_DEAD_NS, SHUNT_WAIT_DEAD_NS + 10 * MS);
	assert_true(naps < 2 * SHUNT_WAIT_DEAD_NS / MS);
	slept_ns = 0;
	wait_for_nothing(MS);
	shunt_wait_sleep(&platform, MS);
	assert_true(slept_ns < 2 * MS);
}

static void a_device_that_comes_back_is_waited_for_again(void **state)
{
	share = 0;
	wait_for_nothing(1);
	device_ns++;
	slept_ns = 0;
	share = 10;
	wait_for_nothing(50 * MS);
	assert_true(slept_ns >= 500 * MS);
}

static void without_device_time_the_clock_is_used(void **state)
{
	uint64_t now = shunt_clock_now();

	platform.ops = &ops_without_time;
	assert_true(shunt_wait_time(&platform) >= now);
	wait_for_nothing(10000);
	assert_true(shunt_clock_to_ns(shunt_clock_now() - now) >= 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_wait_takes_the_device_s_time, set_up),
		cmocka_unit_test_setup(sleep_takes_the_device_s_time, set_up),
		cmocka_unit_test_setup(a_dead_device_is_waited_for_once, set_up),
		cmocka_unit_test_setup(a_device_that_comes_back_is_waited_for_again, set_up),
		cmocka_unit_test_setup(without_device_time_the_clock_is_used, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
