/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_BURST_LOG_H
#define SHUNT_BURST_LOG_H

#include <stdint.h>

#include <shunt/atomic.h>

/*
 * The burst log: when the last bursts of frames were seen at a point, to find the longest time
 * without one.
 *
 *   bursts    | | |  |  |                  |  | | |
 *                        |<--- outage --->|
 *   asked for             [start      end]         -> and the usual interval of two bursts
 *
 * A burst within two microseconds of the last one in the log is left out. So the ring, which has a
 * fixed size, reaches back at least 32 ms, and an outage is too long by less than two microseconds.
 *
 * One thread notes: a branch, and two stores now and then. Another asks at the same time, and
 * checks that what it read was not overwritten meanwhile.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_BURST_LOG_APART_NS 2000
#define SHUNT_BURST_LOG_SIZE     16384u /* a power of two; small, so as not to fill the caches */

/** A burst. Times in shunt_clock ticks. */
struct shunt_burst {
	SHUNT_ATOMIC(uint64_t) seen;
	SHUNT_ATOMIC(uint64_t) stamp; /**< of the last frame of the burst */
};

/** A log. Its fields are for the noting thread, except the atomic ones. */
struct shunt_burst_log {
	uint64_t due; /**< ticks: the next burst is noted from then on */
	uint64_t apart;
	SHUNT_ATOMIC(uint64_t) count; /**< noted in all */
	struct shunt_burst *ring;
};

/** An outage. Times in ticks. */
struct shunt_outage {
	uint64_t length; /**< longest time between two bursts */
	uint64_t usual;  /**< mean time between two bursts before it */
};

/** Makes an empty log. @return 0, -ENOMEM */
int shunt_burst_log_init(struct shunt_burst_log *log);

/** Releases what shunt_burst_log_init() took. */
void shunt_burst_log_fini(struct shunt_burst_log *log);

/** Noting thread: a burst was seen, whose last frame has this stamp. */
static inline void shunt_burst_log_note(struct shunt_burst_log *log, uint64_t now, uint64_t stamp)
{
	uint64_t count;
	struct shunt_burst *burst;

	if (now < log->due)
		return;
	log->due = now + log->apart;
	count = atomic_load_explicit(&log->count, memory_order_relaxed);
	burst = &log->ring[count % SHUNT_BURST_LOG_SIZE];
	/* A reader of these also sees the count before them: it knows what they replaced. */
	atomic_store_explicit(&burst->seen, now, memory_order_release);
	atomic_store_explicit(&burst->stamp, stamp, memory_order_release);
	atomic_store_explicit(&log->count, count + 1, memory_order_release);
}

/** Any thread: when the last noted burst was seen; 0: none yet. */
uint64_t shunt_burst_log_last(const struct shunt_burst_log *log);

/** Any thread: the stamp in the last noted burst; 0: none yet. */
uint64_t shunt_burst_log_last_stamp(const struct shunt_burst_log *log);

/**
 * Asking thread: the longest time between two bursts that overlaps [start, end].
 *
 * @return 0; -ENODATA no burst before start, or none after end; -EOVERFLOW too long ago
 */
int shunt_burst_log_outage(const struct shunt_burst_log *log, uint64_t start, uint64_t end,
	struct shunt_outage *outage);

/**
 * The same, up to the first frame that was sent after `end`: where frames take long to arrive, an
 * outage at the start of their path is seen late.
 */
int shunt_burst_log_outage_behind(const struct shunt_burst_log *log, uint64_t start, uint64_t end,
	struct shunt_outage *outage);

#ifdef __cplusplus
}
#endif

#endif
