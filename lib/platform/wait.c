/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include <shunt/clock.h>

#include "shunt_wait.h"

#define NAP_MAX_NS 1000000ull /* while the device's time does not move */
#define NS         1000000000ull

uint64_t shunt_wait_time(struct shunt_platform *platform)
{
	return platform->ops->time ? platform->ops->time(platform) : shunt_clock_now();
}

void shunt_wait_begin(struct shunt_wait *wait, struct shunt_platform *platform)
{
	uint64_t now = shunt_wait_time(platform);

	*wait = (struct shunt_wait){ .platform = platform, .start = now, .seen = now };
}

static void look(struct shunt_wait *wait)
{
	uint64_t now = shunt_wait_time(wait->platform);

	if (now == wait->seen)
		return;
	wait->seen = now;
	wait->slept = 0;
}

uint64_t shunt_wait_ns(struct shunt_wait *wait)
{
	look(wait);
	return shunt_clock_to_ns(wait->seen - wait->start);
}

/* Found dead by a wait, this one or another, and not moved since. */
static bool is_dead(struct shunt_wait *wait)
{
	uint64_t *dead = &wait->platform->dead;

	if (wait->slept >= SHUNT_WAIT_DEAD_NS)
		__atomic_store_n(dead, wait->seen + 1, __ATOMIC_RELAXED);
	return wait->slept && __atomic_load_n(dead, __ATOMIC_RELAXED) == wait->seen + 1;
}

bool shunt_wait_over(struct shunt_wait *wait, uint64_t ns)
{
	return shunt_wait_ns(wait) > ns || is_dead(wait);
}

void shunt_wait_nap(struct shunt_wait *wait, uint64_t ns)
{
	struct timespec nap;

	/* As long as it has slept in vain, or as asked, if that is longer. */
	if (wait->slept > ns && ns < NAP_MAX_NS)
		ns = wait->slept < NAP_MAX_NS ? wait->slept : NAP_MAX_NS;
	nap = (struct timespec){ .tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS) };
	nanosleep(&nap, NULL);
	wait->slept += ns;
}

void shunt_wait_sleep(struct shunt_platform *platform, uint64_t ns)
{
	struct shunt_wait wait;
	uint64_t had = 0;

	shunt_wait_begin(&wait, platform);
	do {
		shunt_wait_nap(&wait, ns - had);
		had = shunt_wait_ns(&wait);
	} while (had < ns && !shunt_wait_over(&wait, ns));
}
