/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_pause.h>

#include "shunt_clock.h"
#include "shunt_error.h"
#include "shunt_poll.h"

#define WAIT_NS  1000000000ull
#define SPINS    100
#define SLEEP_NS 20000 /* long enough for a burst on this very processor */

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool registered;

static void register_process(void)
{
	registered = !THREAD_SANITIZER &&
		     syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool shunt_poll_fenced(void)
{
	pthread_once(&once, register_process);
	return !registered;
}

void shunt_poll_barrier(void)
{
	/* Without it, stores and loads of both sides are sequentially consistent. */
	if (!shunt_poll_fenced())
		syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

int shunt_poll_wait(struct shunt_poll *poll)
{
	const struct timespec nap = { .tv_nsec = SLEEP_NS };
	uint64_t limit = shunt_clock_now() + shunt_clock_from_ns(WAIT_NS);
	unsigned int spins = 0;

	while (__atomic_load_n(&poll->in_burst, __ATOMIC_SEQ_CST)) {
		if (shunt_clock_now() > limit)
			return shunt_fail(-ETIMEDOUT,
				"a core has been inside one burst of a queue for a second: is the "
				"thread that polls it stopped?");
		/* A poller that does not leave may wait for this processor; yielding it would
		 * give it away for a whole slice. */
		if (spins++ < SPINS)
			rte_pause();
		else
			nanosleep(&nap, NULL);
	}
	return 0;
}
