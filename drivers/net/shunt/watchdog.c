/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include <shunt/error.h>

#include "context.h"
#include "rte_net_shunt.h"

#define MILLISECOND 1000000ull /* ns */
#define SECOND      1000000000ull

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned int period_ms = RTE_NET_SHUNT_CHECK_MS;
static bool stop;
static void (*check)(void);
static pthread_t thread;

/* Lock held. @return whether a whole period passed without a change */
static bool wait_a_period(void)
{
	struct timespec until;
	uint64_t ns;

	if (!period_ms) {
		pthread_cond_wait(&changed, &lock);
		return false;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	ns = (uint64_t)until.tv_nsec + period_ms * MILLISECOND;
	until.tv_sec += (time_t)(ns / SECOND);
	until.tv_nsec = (long)(ns % SECOND);
	return pthread_cond_clockwait(&changed, &lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT;
}

static void *watchdog(void *arg)
{
	pthread_mutex_lock(&lock);
	while (!stop) {
		if (!wait_a_period() || stop)
			continue;
		pthread_mutex_unlock(&lock);
		check();
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int shunt_watchdog_start(void (*function)(void))
{
	int err;

	pthread_mutex_lock(&lock);
	stop = false;
	check = function;
	pthread_mutex_unlock(&lock);
	err = pthread_create(&thread, NULL, watchdog, NULL);
	if (err)
		return shunt_fail_errno(-err, "starting the watchdog thread that checks the ports");
	pthread_setname_np(thread, "shunt-watchdog");
	return 0;
}

void shunt_watchdog_stop(void)
{
	pthread_mutex_lock(&lock);
	stop = true;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
}

void rte_net_shunt_check_every(unsigned int ms)
{
	pthread_mutex_lock(&lock);
	period_ms = ms;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}
