/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_SIGHTS_H
#define SHUNT_SIGHTS_H

#include <stdint.h>

#include "shunt_atomic.h"

/*
 * When frames were seen at a point lately, to tell how long none was:
 *
 *   sights    | | |  |  |                  |  | | |
 *                        |<--- outage --->|
 *   asked for             [start      end]         -> also the usual time between two sights
 *
 * A sight is a burst. One that follows the sight noted before within two microseconds is not noted:
 * so a ring of fixed size goes back at least 32 ms, and an outage is too long by less than two
 * microseconds.
 *
 * One thread notes (a branch, and two stores now and then), one other asks at the same time:
 * it checks that what it read was not overwritten meanwhile.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_SIGHTS_APART_NS 2000
#define SHUNT_SIGHTS_SIZE     16384u /* a power of two; small, so as not to fill the caches */

/** A sight. Times in shunt_clock ticks. */
struct shunt_sight {
	SHUNT_ATOMIC(uint64_t) seen;
	SHUNT_ATOMIC(uint64_t) stamp; /**< of the last frame of the burst */
};

/** The sights of a point. The fields are the noting thread's, but for the atomic ones. */
struct shunt_sights {
	uint64_t due; /**< ticks: from here on the next sight is noted */
	uint64_t apart;
	SHUNT_ATOMIC(uint64_t) count; /**< noted in all */
	struct shunt_sight *ring;
};

/** What an outage was. Times in ticks. */
struct shunt_outage {
	uint64_t length; /**< longest time between two sights */
	uint64_t usual;  /**< mean time between two sights before */
};

/** Makes an empty one. @return 0, -ENOMEM */
int shunt_sights_init(struct shunt_sights *sights);

/** Releases what shunt_sights_init() took. */
void shunt_sights_fini(struct shunt_sights *sights);

/** Noting thread: a burst was seen, whose last frame has this stamp. */
static inline void shunt_sights_note(struct shunt_sights *sights, uint64_t now, uint64_t stamp)
{
	uint64_t count;
	struct shunt_sight *sight;

	if (now < sights->due)
		return;
	sights->due = now + sights->apart;
	count = atomic_load_explicit(&sights->count, memory_order_relaxed);
	sight = &sights->ring[count % SHUNT_SIGHTS_SIZE];
	/* Who sees these sees the count before them, so knows what they took the place of. */
	atomic_store_explicit(&sight->seen, now, memory_order_release);
	atomic_store_explicit(&sight->stamp, stamp, memory_order_release);
	atomic_store_explicit(&sights->count, count + 1, memory_order_release);
}

/** Any thread: when the last noted burst was seen; 0: none yet. */
uint64_t shunt_sights_last(const struct shunt_sights *sights);

/** Any thread: the stamp in the last noted burst; 0: none yet. */
uint64_t shunt_sights_last_stamp(const struct shunt_sights *sights);

/**
 * Asking thread: the longest time between two sights of which a part lies in [start, end].
 *
 * @return 0; -ENODATA no sight before start or none after end; -EOVERFLOW too long ago to be known
 */
int shunt_sights_outage(const struct shunt_sights *sights, uint64_t start, uint64_t end,
	struct shunt_outage *outage);

/**
 * The same, until a frame was seen that was sent after `end`: where frames come by a long way, what
 * happened at its beginning is seen later.
 */
int shunt_sights_outage_behind(const struct shunt_sights *sights, uint64_t start, uint64_t end,
	struct shunt_outage *outage);

#ifdef __cplusplus
}
#endif

#endif
