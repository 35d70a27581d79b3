/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <shunt/clock.h>

#include "kernel_sysfs.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

#define PATH_LENGTH    512
#define CALIBRATION_NS 10000000ull
#define NANOSECONDS    1000000000ull /* in a second */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t hz;

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
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
	hz = (uint64_t)((unsigned __int128)elapsed_ticks * NANOSECONDS / elapsed_ns);
}

uint64_t shunt_clock_hz(void)
{
	pthread_once(&once, calibrate);
	return hz;
}

#ifdef __x86_64__
#define CPUID_POWER           0x80000007
#define CPUID_POWER_INVARIANT (1u << 8) /* EDX */

static bool counter_invariant(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(CPUID_POWER, &eax, &ebx, &ecx, &edx) && edx & CPUID_POWER_INVARIANT;
}

bool shunt_clock_steady(const char *sysfs)
{
	char path[PATH_LENGTH], line[256], *rest = line;
	const char *name;

	snprintf(path, sizeof(path),
		"%s/devices/system/clocksource/clocksource0/available_clocksource", sysfs);
	if (!file_line(path, line, sizeof(line)))
		return counter_invariant();
	while ((name = strsep(&rest, " ")) != NULL)
		if (strcmp(name, "tsc") == 0)
			return true;
	return false;
}
#else
bool shunt_clock_steady(const char *sysfs)
{
	return true;
}
#endif

uint64_t shunt_clock_to_ns(uint64_t ticks)
{
	return (uint64_t)((unsigned __int128)ticks * NANOSECONDS / shunt_clock_hz());
}

uint64_t shunt_clock_from_ns(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * shunt_clock_hz() / NANOSECONDS);
}
