/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "context.h"
#include "guard.h"
#include "rte_net_shunt.h"
#include "shunt_error.h"

#define MS_PER_S  1000
#define NS_PER_MS 1000000l

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned int period_ms = RTE_NET_SHUNT_CHECK_MS;
static bool stop;
static pthread_t thread;

static void check(struct shunt_group *group)
{
	struct shunt_switch_result result;
	int ret = shunt_group_check(group, &result);

	if (ret > 0)
		SHUNT_LOG(NOTICE, "group %d: %d ports did not run, and were mended",
			shunt_group_number(group), ret);
	else if (ret < 0 && ret != -EBUSY)
		SHUNT_LOG(ERR, "%s", shunt_errmsg());
}

static void look_after_all(void)
{
	struct context_group *entry;

	if (shunt_context_trylock())
		return;
	TAILQ_FOREACH (entry, &shunt_context_open()->groups, next)
		check(entry->group);
	shunt_context_unlock();
}

/* Lock held. @return whether a period is over: nothing has changed in it */
static bool wait_a_period(void)
{
	struct timespec until;

	if (!period_ms) {
		pthread_cond_wait(&changed, &lock);
		return false;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += period_ms / MS_PER_S;
	until.tv_nsec += period_ms % MS_PER_S * NS_PER_MS;
	if (until.tv_nsec >= MS_PER_S * NS_PER_MS) {
		until.tv_sec++;
		until.tv_nsec -= MS_PER_S * NS_PER_MS;
	}
	return pthread_cond_clockwait(&changed, &lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT;
}

static void *guard(void *arg)
{
	pthread_mutex_lock(&lock);
	while (!stop) {
		if (!wait_a_period() || stop)
			continue;
		pthread_mutex_unlock(&lock);
		look_after_all();
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

int shunt_guard_start(void)
{
	int err;

	pthread_mutex_lock(&lock);
	stop = false;
	pthread_mutex_unlock(&lock);
	err = pthread_create(&thread, NULL, guard, NULL);
	if (err)
		return shunt_fail_errno(-err, "starting the thread that looks after the ports");
	pthread_setname_np(thread, "shunt-guard");
	return 0;
}

/* The thread only tries the context's lock, so it can be waited for with the lock held. */
void shunt_guard_stop(void)
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
