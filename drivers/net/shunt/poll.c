/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_pause.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "shunt_poll.h"

#define WAIT_NS    1000000000ull
#define SPINS      100
#define SLEEP_NS   20000 /* without a wake: the poller is busy elsewhere */

#define LATE_NS    2000000000ull /* a pauser may be repairing the port */
#define LATE_SPINS 1000
#define NAP_NS     1000000
#define STEP_NS    2000000 /* between two looks, no more than this counts as waiting */

uint32_t shunt_poll_sleepers;
uint32_t shunt_poll_waiters;

/* Counts wakes, so that one between a look at the poller and the sleep is not missed. */
static uint32_t wakes;

/* Time in which the waiter, or the whole process, has no processor does not count. */
struct patience {
	uint64_t had, last; /* ticks */
};

static struct patience patience_begin(void)
{
	return (struct patience){ .last = shunt_clock_now() };
}

static bool patience_ends(struct patience *patience, uint64_t ns)
{
	uint64_t now = shunt_clock_now();

	patience->had += RTE_MIN(now - patience->last, shunt_clock_from_ns(STEP_NS));
	patience->last = now;
	return patience->had > shunt_clock_from_ns(ns);
}

void shunt_poll_wake(void)
{
	__atomic_fetch_add(&wakes, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &wakes, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* A poller that does not leave may wait for this processor; yielding it would give it away for a
 * whole slice. */
static void sleep_until_out(const struct shunt_poll *poll)
{
	const struct timespec nap = { .tv_nsec = SLEEP_NS };
	uint32_t seen = __atomic_load_n(&wakes, __ATOMIC_ACQUIRE);

	__atomic_fetch_add(&shunt_poll_sleepers, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&poll->in_burst, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &wakes, FUTEX_WAIT_PRIVATE, seen, &nap, NULL, 0);
	__atomic_fetch_sub(&shunt_poll_sleepers, 1, __ATOMIC_RELAXED);
}

int shunt_poll_wait(struct shunt_poll *poll)
{
	struct patience patience = patience_begin();
	unsigned int spins = 0;

	while (__atomic_load_n(&poll->in_burst, __ATOMIC_SEQ_CST)) {
		if (patience_ends(&patience, WAIT_NS))
			return shunt_fail(-ETIMEDOUT,
				"a core has been inside one burst of a queue for a second: is the "
				"thread that polls it stopped?");
		if (spins++ < SPINS)
			rte_pause();
		else
			sleep_until_out(poll);
	}
	return 0;
}

void shunt_poll_wake_waiters(struct shunt_poll *poll)
{
	syscall(SYS_futex, &poll->paused, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Asleep, it leaves the processor to a pauser that may need it. */
static void sleep_while_soon(struct shunt_poll *poll)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };

	__atomic_fetch_add(&shunt_poll_waiters, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &poll->paused, FUTEX_WAIT_PRIVATE, SHUNT_POLL_SOON, &nap, NULL, 0);
	__atomic_fetch_sub(&shunt_poll_waiters, 1, __ATOMIC_RELAXED);
}

bool shunt_poll_enter_late(struct shunt_poll *poll, bool fenced)
{
	struct patience patience = patience_begin();
	unsigned int spins = 0;

	while (!shunt_poll_enter(poll, fenced)) {
		while (__atomic_load_n(&poll->paused, __ATOMIC_ACQUIRE) == SHUNT_POLL_SOON) {
			if (spins++ < LATE_SPINS) {
				rte_pause();
				continue;
			}
			sleep_while_soon(poll);
			if (patience_ends(&patience, LATE_NS))
				return false;
		}
		if (__atomic_load_n(&poll->paused, __ATOMIC_ACQUIRE) == SHUNT_POLL_CLOSED)
			return false;
	}
	return true;
}
