/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <stdlib.h>

#include <shunt/error.h>
#include <shunt/watch.h>

struct shunt_trail *shunt_trail_create(void)
{
	struct shunt_trail *trail = calloc(1, sizeof(*trail));

	if (!trail)
		return NULL;
	trail->ring = calloc(SHUNT_TRAIL_SIZE, sizeof(*trail->ring));
	if (!trail->ring) {
		free(trail);
		return NULL;
	}
	return trail;
}

void shunt_trail_destroy(struct shunt_trail *trail)
{
	if (!trail)
		return;
	free(trail->ring);
	free(trail);
}

void shunt_trail_note(struct shunt_trail *trail, uint64_t first, uint64_t next, uint64_t now)
{
	uint64_t count = atomic_load_explicit(&trail->count, memory_order_relaxed);
	struct shunt_run *run = &trail->ring[count % SHUNT_TRAIL_SIZE];

	/* Who sees these sees the count before them, so knows what they took the place of. */
	atomic_store_explicit(&run->first, first, memory_order_release);
	atomic_store_explicit(&run->next, next, memory_order_release);
	atomic_store_explicit(&run->seen, now, memory_order_release);
	atomic_store_explicit(&trail->count, count + 1, memory_order_release);
}

/* A run as read. */
struct seen_run {
	uint64_t first;
	uint64_t next;
	uint64_t seen;
};

/* @return false: it is overwritten, or may be just now */
static bool read_run(const struct shunt_trail *trail, uint64_t index, struct seen_run *read)
{
	const struct shunt_run *run = &trail->ring[index % SHUNT_TRAIL_SIZE];

	read->first = atomic_load_explicit(&run->first, memory_order_acquire);
	read->next = atomic_load_explicit(&run->next, memory_order_acquire);
	read->seen = atomic_load_explicit(&run->seen, memory_order_acquire);
	return atomic_load_explicit(&trail->count, memory_order_relaxed) < index + SHUNT_TRAIL_SIZE;
}

static bool is_late(const struct seen_run *run)
{
	return run->next == run->first;
}

/* Of count frames from `first` on, those in a run. */
static void mark(const struct seen_run *run, uint64_t first, uint64_t count,
	enum shunt_trail_fate *fates, uint64_t *seen)
{
	uint64_t next = is_late(run) ? run->first + 1 : run->next;
	uint64_t from = run->first > first ? run->first : first;
	uint64_t to = next < first + count ? next : first + count;

	for (; from < to; from++) {
		uint64_t *when = &seen[from - first];

		if (*when && *when < run->seen)
			continue;
		if (!is_late(run) || fates[from - first] != SHUNT_TRAIL_SEEN)
			fates[from - first] = is_late(run) ? SHUNT_TRAIL_LATE : SHUNT_TRAIL_SEEN;
		*when = run->seen;
	}
}

/*
 * From the last run back to one before `first`. What has runs before it and behind it, by number,
 * and is in none, was lost.
 */
void shunt_trail_fates(const struct shunt_trail *trail, uint64_t first, uint64_t count,
	enum shunt_trail_fate *fates, uint64_t *seen)
{
	uint64_t index = atomic_load_explicit(&trail->count, memory_order_acquire);
	uint64_t lowest = UINT64_MAX, highest = 0;
	struct seen_run run;

	for (uint64_t i = 0; i < count; i++) {
		fates[i] = SHUNT_TRAIL_UNKNOWN;
		seen[i] = 0;
	}
	while (index-- > 0 && read_run(trail, index, &run)) {
		mark(&run, first, count, fates, seen);
		if (is_late(&run))
			continue;
		lowest = run.first;
		highest = run.next > highest ? run.next : highest;
		if (run.next <= first)
			break;
	}
	/* Back to the very first run all is known. */
	if (index == UINT64_MAX)
		lowest = 0;
	for (uint64_t i = 0; i < count; i++)
		if (fates[i] == SHUNT_TRAIL_UNKNOWN && first + i >= lowest && first + i < highest)
			fates[i] = SHUNT_TRAIL_LOST;
}
