/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_WATCH_H
#define SHUNT_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <shunt/histogram.h>

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

/*
 * The stamp: the last 16 bytes of every tester frame, whatever is in front of it. It numbers the
 * frame in its stream and says when it was put on the wire (RFC 6201, timestamp method).
 *
 *   | Ethernet | ... any frame of at least 60 bytes ... | sequence | stream | magic | time |
 */

#define SHUNT_STAMP_MAGIC 0x5348u

/** A stamp, in the byte order of this machine: sender and receiver are one process. */
struct shunt_stamp {
	uint32_t sequence; /**< low half of the frame's number in its stream, from 0 */
	uint16_t stream;
	uint16_t magic;
	uint64_t time; /**< shunt_clock ticks, read just before the frame went out */
};

/** Writes the stamp of a frame of length bytes. */
static inline void shunt_stamp_write(
	void *frame, uint32_t length, uint16_t stream, uint64_t sequence, uint64_t time)
{
	struct shunt_stamp stamp = {
		.sequence = (uint32_t)sequence,
		.stream = stream,
		.magic = SHUNT_STAMP_MAGIC,
		.time = time,
	};

	memcpy((uint8_t *)frame + length - sizeof(stamp), &stamp, sizeof(stamp));
}

/** Reads the stamp of a frame. @return false: not a tester frame */
static inline bool shunt_stamp_read(const void *frame, uint32_t length, struct shunt_stamp *stamp)
{
	if (length < sizeof(*stamp))
		return false;
	memcpy(stamp, (const uint8_t *)frame + length - sizeof(*stamp), sizeof(*stamp));
	return stamp->magic == SHUNT_STAMP_MAGIC;
}

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

/*
 * The trail of a watch: which frames were seen when, of the last bursts, for the time line of one
 * switch.
 *
 *   frames   41 42 43 .. .. .. 47 48 49 50
 *   bursts  '--------'         '-----'----'
 *   trail    41-43 at t1        47-48 at t2, 49-50 at t3       lost: 44-46, in no run before t2
 *
 * A run is what came in a row in a burst. A ring of fixed size: what is older was overwritten, and
 * is not known. One thread notes (a watch's feeding thread), one other asks at the same time: it
 * checks that what it read was not overwritten meanwhile.
 */

#define SHUNT_TRAIL_SIZE (1u << 17) /* runs */

/**
 * Frames first to next - 1, seen at a time in shunt_clock ticks; or, with next == first, one frame
 * that came after a higher number.
 */
struct shunt_run {
	SHUNT_ATOMIC(uint64_t) first;
	SHUNT_ATOMIC(uint64_t) next;
	SHUNT_ATOMIC(uint64_t) seen;
};

/** A trail. The fields are the noting thread's, but for the atomic ones. */
struct shunt_trail {
	SHUNT_ATOMIC(uint64_t) count; /**< noted in all */
	struct shunt_run *ring;
	uint64_t from; /**< first frame of the run that is being seen */
};

/** Makes an empty one. @return the trail, NULL when out of memory */
struct shunt_trail *shunt_trail_create(void);

/** Releases it, once noting has ended. NULL is allowed. */
void shunt_trail_destroy(struct shunt_trail *trail);

/** Noting thread: a run was seen at `now`. */
void shunt_trail_note(struct shunt_trail *trail, uint64_t first, uint64_t next, uint64_t now);

/** What is known of a frame. */
enum shunt_trail_fate {
	SHUNT_TRAIL_UNKNOWN, /**< too long ago, or yet to come */
	SHUNT_TRAIL_SEEN,
	SHUNT_TRAIL_LATE, /**< seen too, but first after a higher number */
	SHUNT_TRAIL_LOST, /**< higher numbers were seen, this one was not */
};

/**
 * Asking thread: the fates of count frames from `first` on, and when they were seen. A frame that
 * was seen twice counts from the first time.
 *
 * @param[out] fates  count of them
 * @param[out] seen   count of them, ticks; 0 unless it was
 */
void shunt_trail_fates(const struct shunt_trail *trail, uint64_t first, uint64_t count,
	enum shunt_trail_fate *fates, uint64_t *seen);

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
