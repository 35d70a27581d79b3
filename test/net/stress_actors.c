/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <shunt/error.h>

#include "stress.h"

#define ACTORS_MAX 16
#define HANG_S     60 /* nothing takes that long, with all sanitizers and a busy machine */

static struct stress_actor *actors[ACTORS_MAX];
static unsigned int count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t run_seed;

void stress_begin(struct stress_actor *actor, const char *name, unsigned int number)
{
	unsigned int i = 0;

	pthread_mutex_lock(&lock);
	while (i < count && actors[i] != actor)
		i++;
	if (i == count && count < ACTORS_MAX)
		actors[count++] = actor;
	snprintf(actor->name, sizeof(actor->name), "%s %u", name, number);
	/* Each actor has random numbers of its own, from the same seed. */
	if (!actor->seed)
		actor->seed = run_seed + 0x9e3779b97f4a7c15ull * (i + 1);
	pthread_mutex_unlock(&lock);
}

void stress_at(struct stress_actor *actor, const char *place)
{
	__atomic_store_n(&actor->place, place, __ATOMIC_RELAXED);
	__atomic_store_n(&actor->steps, actor->steps + 1, __ATOMIC_RELAXED);
}

static void say_places(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < count; i++) {
		const char *place = __atomic_load_n(&actors[i]->place, __ATOMIC_RELAXED);

		fprintf(stderr, "  %-12s %10" PRIu64 " steps, %s\n", actors[i]->name,
			__atomic_load_n(&actors[i]->steps, __ATOMIC_RELAXED),
			place ? place : "rests");
	}
	pthread_mutex_unlock(&lock);
}

void stress_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "stress, seed %" PRIu64 ": ", run_seed);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	say_places();
	abort();
}

void stress_forget(void)
{
	shunt_fail(0, "%s", "");
}

int stress_expect(struct stress_actor *actor, int ret, const int *allowed)
{
	if (!ret)
		return 0;
	while (allowed && *allowed && *allowed != ret)
		allowed++;
	if (!allowed || !*allowed)
		stress_fail(
			"%s, %s: returned %d: %s", actor->name, actor->place, ret, shunt_errmsg());
	if (!*shunt_errmsg())
		stress_fail("%s, %s: returned %d without an explanation", actor->name, actor->place,
			ret);
	actor->refused++;
	return ret;
}

/* xorshift64*: enough to mix operations. */
unsigned int stress_random(struct stress_actor *actor, unsigned int n)
{
	actor->seed ^= actor->seed >> 12;
	actor->seed ^= actor->seed << 25;
	actor->seed ^= actor->seed >> 27;
	return (unsigned int)((actor->seed * 0x2545f4914f6cdd1dull >> 33) % n);
}

/* A thread that is not resting and makes no step hangs. */
static void *watch(void *arg)
{
	uint64_t steps[ACTORS_MAX] = { 0 };
	unsigned int still[ACTORS_MAX] = { 0 };

	for (;;) {
		const struct stress_actor *hangs = NULL;

		sleep(1);
		pthread_mutex_lock(&lock);
		for (unsigned int i = 0; i < count; i++) {
			uint64_t now = __atomic_load_n(&actors[i]->steps, __ATOMIC_RELAXED);

			still[i] = now == steps[i] && __atomic_load_n(
							      &actors[i]->place, __ATOMIC_RELAXED)
					   ? still[i] + 1
					   : 0;
			steps[i] = now;
			if (still[i] >= HANG_S)
				hangs = actors[i];
		}
		pthread_mutex_unlock(&lock);
		if (hangs)
			stress_fail("%s hangs", hangs->name);
	}
	return NULL;
}

void stress_watch(uint64_t seed)
{
	pthread_t thread;

	run_seed = seed;
	if (pthread_create(&thread, NULL, watch, NULL))
		stress_fail("no thread for the watchdog");
	pthread_detach(thread);
}
