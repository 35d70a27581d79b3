/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <time.h>

#include "shunt_clock.h"

#define CALIBRATION_NS 10000000ull

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t hz;

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void calibrate(void)
{
	uint64_t ns = monotonic_ns();
	uint64_t ticks = shunt_clock_now();
	uint64_t elapsed_ns, elapsed_ticks;

	do {
		elapsed_ns = monotonic_ns() - ns;
		elapsed_ticks = shunt_clock_now() - ticks;
	} while (elapsed_ns < CALIBRATION_NS);
	hz = (uint64_t)((unsigned __int128)elapsed_ticks * NS_PER_S / elapsed_ns);
}

uint64_t shunt_clock_hz(void)
{
	pthread_once(&once, calibrate);
	return hz;
}

uint64_t shunt_clock_to_ns(uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * NS_PER_S / shunt_clock_hz());
}

uint64_t shunt_clock_from_ns(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * shunt_clock_hz() / NS_PER_S);
}
