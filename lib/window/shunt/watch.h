/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_WATCH_H
#define SHUNT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/atomic.h>
#include <shunt/burst_log.h>
#include <shunt/stamp.h>
#include <shunt/trail.h>

/*
 * A watch sees one stream at one point (a port's receive side, the tester) and notices what is
 * missing:
 *
 *   frames   41 42 43 .. .. .. 47 48      gap: last 43, first 47, 3 lost
 *   watch  ----------^        ^--------   with both frames' stamps and the times they were seen
 *
 * One thread feeds it (the one that polls); one other takes the gaps out. Nothing is lost silently:
 * gaps that find the ring full are counted.
 */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Frames missing between two that were seen; or, with last == first, one frame that came after a
 * higher number. Times in shunt_clock ticks.
 */
struct shunt_gap {
	uint64_t last;        /**< number of the last frame before */
	uint64_t first;       /**< number of the first frame after */
	uint64_t last_stamp;  /**< when they were put on the wire */
	uint64_t first_stamp; /**< 0: none came after, the stream ended */
	uint64_t last_seen;   /**< when they were seen here */
	uint64_t first_seen;
};

/** Whether it is a frame that came late, or came again. */
static inline bool shunt_gap_is_late(const struct shunt_gap *gap)
{
	return gap->first == gap->last;
}

/** Frames lost in a gap. */
static inline uint64_t shunt_gap_frames(const struct shunt_gap *gap)
{
	return gap->first - gap->last - 1;
}

/** A watch. The fields are the feeding thread's; others read through the functions below. */
struct shunt_watch {
	/* What every frame needs stands together. */
	uint64_t next;       /**< number of the frame expected next */
	uint64_t last_stamp; /**< of the last frame in order */
	uint64_t last_seen;
	uint64_t frames;                        /**< seen in all, late ones included */
	SHUNT_ATOMIC(uint64_t) published_stamp; /**< for shunt_watch_stamp() */
	SHUNT_ATOMIC(uint64_t) published_frames;
	SHUNT_ATOMIC(uint64_t) published_next;
	struct shunt_trail *trail; /**< the caller's, to be set before it is fed; NULL: none */
	uint16_t stream;
	struct shunt_burst_log bursts; /**< bursts */
	struct handoff *gaps;
	uint64_t gaps_dropped; /**< gaps that found the ring full */
	uint64_t late;         /**< seen after a higher number: late, or seen before */
	uint64_t strays;       /**< frames of other streams */
};

/** Makes a watch on a stream, which expects frame 0. @return 0, -ENOMEM */
int shunt_watch_init(struct shunt_watch *watch, uint16_t stream);

/** Releases what shunt_watch_init() took. */
void shunt_watch_fini(struct shunt_watch *watch);

/** Feeding thread: a frame out of order. Called by shunt_watch_see(). */
void shunt_watch_gap(struct shunt_watch *watch, const struct shunt_stamp *stamp, uint64_t now);

/** Feeding thread: the frames since the last call were seen by `last_seen`. */
static inline void shunt_watch_note(struct shunt_watch *watch)
{
	struct shunt_trail *trail = watch->trail;

	if (trail->from != watch->next)
		shunt_trail_note(trail, trail->from, watch->next, watch->last_seen);
	trail->from = watch->next;
}

/**
 * Feeding thread: a frame was seen at `now`. One of another stream does not count: a NIC whose DMA
 * was refused may give out a buffer with what was in it before.
 */
static inline void shunt_watch_see(
	struct shunt_watch *watch, const struct shunt_stamp *stamp, uint64_t now)
{
	if (__builtin_expect(
		    stamp->sequence != (uint32_t)watch->next || stamp->stream != watch->stream,
		    0)) {
		shunt_watch_gap(watch, stamp, now);
		return;
	}
	watch->next++;
	watch->frames++;
	watch->last_stamp = stamp->time;
	watch->last_seen = now;
}

/** Feeding thread, after a burst: lets other threads know how far it is. */
static inline void shunt_watch_publish(struct shunt_watch *watch)
{
	if (__builtin_expect(watch->trail != NULL, 0))
		shunt_watch_note(watch);
	atomic_store_explicit(&watch->published_frames, watch->frames, memory_order_relaxed);
	atomic_store_explicit(&watch->published_next, watch->next, memory_order_relaxed);
	atomic_store_explicit(&watch->published_stamp, watch->last_stamp, memory_order_release);
	shunt_burst_log_note(&watch->bursts, watch->last_seen, watch->last_stamp);
}

/** Any thread: the stamp of the last frame seen, as published. */
static inline uint64_t shunt_watch_stamp(struct shunt_watch *watch)
{
	return atomic_load_explicit(&watch->published_stamp, memory_order_acquire);
}

/** Any thread: frames seen, as published. */
static inline uint64_t shunt_watch_frames(struct shunt_watch *watch)
{
	return atomic_load_explicit(&watch->published_frames, memory_order_relaxed);
}

/** Any thread: number of the frame expected next, as published. */
static inline uint64_t shunt_watch_next(struct shunt_watch *watch)
{
	return atomic_load_explicit(&watch->published_next, memory_order_relaxed);
}

/**
 * Once the feeding thread has ended: frames that were sent after the last one seen are a gap too.
 *
 * @param sent  frames sent in all
 */
void shunt_watch_end(struct shunt_watch *watch, uint64_t sent, uint64_t now);

/** Taking thread: up to n gaps in order. @return their number */
unsigned int shunt_watch_take(struct shunt_watch *watch, struct shunt_gap *gaps, unsigned int n);

#ifdef __cplusplus
}
#endif

#endif
