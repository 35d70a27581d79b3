/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_TRAIL_H
#define SHUNT_TRAIL_H

#include <stdint.h>

#include <shunt/atomic.h>

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

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
