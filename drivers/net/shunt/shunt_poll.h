/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_POLL_H
#define SHUNT_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>

#include "shunt_barrier.h"

/*
 * How a control thread keeps the core that polls a queue out of it. The cost is the pauser's:
 *
 *   poller, each burst                      pauser
 *   in_burst = 1                            paused = 1
 *   (compiler barrier)                      membarrier: every core of the process passes a full
 *   paused? -> in_burst = 0, return 0                   barrier between its store and its load
 *   ... the burst ...                       wait until in_burst == 0
 *   in_burst = 0 (release)                  ... owns the queue ...
 *                                           paused = 0 (release)
 *
 * Either the poller's load sees `paused`, or the pauser's load sees `in_burst`: store-to-load order
 * on both sides, which shunt_barrier() gives to the poller without an instruction of its own. Where
 * it is missing, the poller needs a full barrier: bursts come in two versions, and a port chooses
 * when it starts.
 *
 * One barrier does for all queues that were asked before it (shunt_barrier_after()).
 *
 * A pauser that shares its processor with the poller has to sleep for the poller to get out. The
 * poller then finds the next queue paused, off the packet path, and wakes it: the sleep takes as
 * long as the rest of the burst.
 *
 * Applications drop frames that a transmit burst does not take, because that is what a full ring
 * means. So a transmit burst waits while its queue is paused for a moment (SHUNT_POLL_SOON), until
 * the pauser admits it or the queue is closed (SHUNT_POLL_CLOSED). A receive burst returns no
 * frames.
 */

/** 0: bursts that nothing can pause, for test/bench/instructions to compare with; no product. */
#ifndef SHUNT_POLL_PAUSABLE
#define SHUNT_POLL_PAUSABLE 1
#endif

/** Why a queue is paused. */
enum {
	SHUNT_POLL_OPEN = 0,
	SHUNT_POLL_CLOSED, /**< it is stopped */
	SHUNT_POLL_SOON,   /**< its poller is admitted again soon */
};

/** State of one queue; the poller writes in_burst, the pauser writes paused. */
struct shunt_poll {
	uint32_t in_burst;
	uint32_t paused;
};

/** Number of pausers that sleep; pollers that find a queue paused wake them. */
extern uint32_t shunt_poll_sleepers;

void shunt_poll_wake(void);

/** Number of pollers that sleep because they have frames to transmit. */
extern uint32_t shunt_poll_waiters;

void shunt_poll_wake_waiters(struct shunt_poll *poll);

/** A queue that is closed until shunt_poll_resume(). */
static inline void shunt_poll_init(struct shunt_poll *poll)
{
	__atomic_store_n(&poll->in_burst, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&poll->paused, SHUNT_POLL_CLOSED, __ATOMIC_RELEASE);
}

/**
 * Poller: begins a burst.
 *
 * @param fenced  constant; shunt_barrier_missing() at the port's start
 * @return false: paused, the queue must not be touched
 */
static inline __attribute__((always_inline)) bool shunt_poll_enter(
	struct shunt_poll *poll, const bool fenced)
{
	uint32_t paused;

	if (!SHUNT_POLL_PAUSABLE) {
		if (fenced) /* so that the compiler does not make one of the two versions */
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
		return true;
	}
	if (fenced) {
		__atomic_store_n(&poll->in_burst, 1, __ATOMIC_SEQ_CST);
		paused = __atomic_load_n(&poll->paused, __ATOMIC_SEQ_CST);
	} else {
		__atomic_store_n(&poll->in_burst, 1, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		paused = __atomic_load_n(&poll->paused, __ATOMIC_ACQUIRE);
	}
	if (unlikely(paused)) {
		__atomic_store_n(&poll->in_burst, 0, __ATOMIC_RELEASE);
		if (__atomic_load_n(&shunt_poll_sleepers, __ATOMIC_RELAXED))
			shunt_poll_wake();
		return false;
	}
	return true;
}

/**
 * Poller that has frames to transmit and was not admitted: waits, first spinning, then asleep, for
 * at most two seconds of its own running time.
 *
 * @return true: the burst has begun; false: closed, or it takes longer
 */
bool shunt_poll_enter_late(struct shunt_poll *poll, bool fenced);

/** Poller: ends a burst. */
static inline void shunt_poll_leave(struct shunt_poll *poll)
{
	if (SHUNT_POLL_PAUSABLE)
		__atomic_store_n(&poll->in_burst, 0, __ATOMIC_RELEASE);
}

/** Pauser: asks; several queues may be asked before one shunt_barrier() and the waits. */
static inline void shunt_poll_ask(struct shunt_poll *poll)
{
	if (__atomic_load_n(&poll->paused, __ATOMIC_RELAXED) == SHUNT_POLL_OPEN)
		__atomic_store_n(&poll->paused, SHUNT_POLL_SOON, __ATOMIC_SEQ_CST);
}

/**
 * Pauser: waits until the poller is out, after a short while giving up the processor.
 *
 * @return 0; -ETIMEDOUT after a second, in which this thread and so the process ran: a poller died,
 *         or was stopped, inside a burst
 */
int shunt_poll_wait(struct shunt_poll *poll);

static inline void shunt_poll_set(struct shunt_poll *poll, uint32_t paused)
{
	__atomic_store_n(&poll->paused, paused, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&shunt_poll_waiters, __ATOMIC_SEQ_CST))
		shunt_poll_wake_waiters(poll);
}

/** Pauser: admits the poller again, which sees everything done meanwhile. */
static inline void shunt_poll_resume(struct shunt_poll *poll)
{
	shunt_poll_set(poll, SHUNT_POLL_OPEN);
}

/** Pauser: the queue is stopped; a waiting poller gives up. */
static inline void shunt_poll_close(struct shunt_poll *poll)
{
	shunt_poll_set(poll, SHUNT_POLL_CLOSED);
}

#endif
