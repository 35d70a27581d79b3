/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <shunt/error.h>

#include "irq_settle.h"
#include "kernel_sysfs.h"

#define SIZE         sizeof(struct processors)
#define PATIENCE_NS  100000000
#define IMPATIENT_NS 5000000 /* once it ran out: a poller that never yields goes on so */

struct visitor {
	pthread_t thread;
	sem_t go;
	sem_t been;
	_Atomic int where; /* it ran last */
	atomic_bool stop;
	bool away; /* it has yet to answer */
	long patience;
};

int processors_add(struct processors *set, const char *list)
{
	uint64_t first, last;

	for (; *list && *list != '\n'; list += *list == ',') {
		if (!text_number(&list, 10, &first))
			return -EINVAL;
		last = first;
		if (text_skip(&list, "-") && !text_number(&list, 10, &last))
			return -EINVAL;
		if (last < first || last >= SETTLE_PROCESSORS || (*list && !strchr(",\n", *list)))
			return -EINVAL;
		for (; first <= last; first++)
			CPU_SET_S(first, SIZE, set->parts);
	}
	return 0;
}

static void *visit(void *argument)
{
	struct visitor *visitor = argument;

	for (;;) {
		while (sem_wait(&visitor->go))
			;
		if (visitor->stop)
			return NULL;
		visitor->where = sched_getcpu();
		sem_post(&visitor->been);
	}
}

/* It handles no signals of the application; it runs before real-time pollers where allowed. */
static int start(struct visitor *visitor)
{
	const struct sched_param first = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	sigset_t all, own;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &own);
	ret = pthread_create(&visitor->thread, NULL, visit, visitor);
	pthread_sigmask(SIG_SETMASK, &own, NULL);
	if (ret)
		return shunt_fail_errno(-ret, "thread that visits processors");
	pthread_setschedparam(visitor->thread, SCHED_FIFO, &first);
	pthread_setname_np(visitor->thread, "shunt-visitor");
	return 0;
}

int visitor_create(struct visitor **visitor)
{
	struct visitor *made = calloc(1, sizeof(*made));
	int ret;

	if (!made)
		return shunt_fail(-ENOMEM, "thread that visits processors: out of memory");
	made->patience = PATIENCE_NS;
	sem_init(&made->go, 0, 0);
	sem_init(&made->been, 0, 0);
	ret = start(made);
	if (ret) {
		free(made);
		return ret;
	}
	*visitor = made;
	return 0;
}

/* If it cannot run where it was sent, it is moved to where the caller runs. */
static void fetch_back(struct visitor *visitor)
{
	struct processors own;

	if (!sched_getaffinity(0, SIZE, own.parts))
		pthread_setaffinity_np(visitor->thread, SIZE, own.parts);
}

void visitor_destroy(struct visitor *visitor)
{
	if (!visitor)
		return;
	visitor->stop = true;
	fetch_back(visitor);
	sem_post(&visitor->go);
	pthread_join(visitor->thread, NULL);
	sem_destroy(&visitor->go);
	sem_destroy(&visitor->been);
	free(visitor);
}

static int wait_until(struct visitor *visitor, const struct timespec *deadline)
{
	while (sem_clockwait(&visitor->been, CLOCK_MONOTONIC, deadline))
		if (errno != EINTR)
			return -errno;
	visitor->away = false;
	return 0;
}

static int send_to(struct visitor *visitor, int processor, const struct timespec *deadline)
{
	struct processors one = { 0 };
	int ret;

	CPU_SET_S(processor, SIZE, one.parts);
	ret = pthread_setaffinity_np(visitor->thread, SIZE, one.parts);
	if (ret)
		return -ret;
	visitor->away = true;
	sem_post(&visitor->go);
	ret = wait_until(visitor, deadline);
	if (ret)
		return ret;
	return visitor->where == processor ? 0 : -EINVAL;
}

static struct timespec from_now(long ns)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_nsec += ns;
	time.tv_sec += time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

/* The caller runs on a processor too, which needs no visit. */
int visitor_settle(struct visitor *visitor, const struct processors *set)
{
	const struct timespec deadline = from_now(visitor->patience);
	int ret = 0, here = sched_getcpu();
	int left = CPU_COUNT_S(SIZE, set->parts);

	if (visitor->away)
		ret = wait_until(visitor, &deadline);
	for (int processor = 0; left > 0 && !ret; processor++) {
		if (!CPU_ISSET_S(processor, SIZE, set->parts))
			continue;
		left--;
		if (processor != here)
			ret = send_to(visitor, processor, &deadline);
	}
	if (visitor->away)
		fetch_back(visitor);
	visitor->patience = ret == -ETIMEDOUT ? IMPATIENT_NS : PATIENCE_NS;
	return ret;
}
