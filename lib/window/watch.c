/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/watch.h>

#include "handoff.h"

#define GAPS  65535 /* that wait to be taken out */
#define USUAL 64    /* intervals that the usual one is the mean of */

int shunt_burst_log_init(struct shunt_burst_log *log)
{
	*log = (struct shunt_burst_log){
		.due = 1, /* nothing was seen at time 0 */
		.apart = shunt_clock_from_ns(SHUNT_BURST_LOG_APART_NS),
	};
	log->ring = calloc(SHUNT_BURST_LOG_SIZE, sizeof(*log->ring));
	return log->ring ? 0 : shunt_fail(-ENOMEM, "burst log: out of memory");
}

void shunt_burst_log_fini(struct shunt_burst_log *log)
{
	free(log->ring);
	log->ring = NULL;
}

/* A burst as it is in the ring; the caller checks whether it still was that one. */
struct copy {
	uint64_t seen;
	uint64_t stamp;
};

static uint64_t noted(const struct shunt_burst_log *log)
{
	return atomic_load_explicit(&log->count, memory_order_acquire);
}

/* A burst by its number. @return false: overwritten, or being so */
static bool get(const struct shunt_burst_log *log, uint64_t number, struct copy *copy)
{
	const struct shunt_burst *burst = &log->ring[number % SHUNT_BURST_LOG_SIZE];

	copy->seen = atomic_load_explicit(&burst->seen, memory_order_acquire);
	copy->stamp = atomic_load_explicit(&burst->stamp, memory_order_acquire);
	return noted(log) - number < SHUNT_BURST_LOG_SIZE;
}

static struct copy last(const struct shunt_burst_log *log)
{
	uint64_t count = noted(log);
	struct copy copy = { 0 };

	while (count && !get(log, count - 1, &copy))
		count = noted(log);
	return copy;
}

uint64_t shunt_burst_log_last(const struct shunt_burst_log *log)
{
	return last(log).seen;
}

uint64_t shunt_burst_log_last_stamp(const struct shunt_burst_log *log)
{
	return last(log).stamp;
}

/* Mean interval up to a burst. */
static uint64_t usual_before(
	const struct shunt_burst_log *log, uint64_t number, const struct copy *burst)
{
	uint64_t times = number < USUAL ? number : USUAL;
	struct copy earlier;

	while (times && !get(log, number - times, &earlier))
		times /= 2;
	return times ? (burst->seen - earlier.seen) / times : 0;
}

/* Number of the first burst after the end. */
static int find_end(
	const struct shunt_burst_log *log, uint64_t end, bool by_stamp, uint64_t *number)
{
	uint64_t count = noted(log), high = count, middle;
	uint64_t low = count >= SHUNT_BURST_LOG_SIZE ? count - SHUNT_BURST_LOG_SIZE + 1 : 0;
	struct copy burst;

	while (low < high) {
		middle = low + (high - low) / 2;
		/* A burst that was overwritten meanwhile is older than all that are there. */
		if (get(log, middle, &burst) && (by_stamp ? burst.stamp : burst.seen) > end)
			high = middle;
		else
			low = middle + 1;
	}
	*number = low;
	return low < count ? 0 : -ENODATA;
}

/* From the first burst after the end backwards to the last one before the start. */
static int find_outage(const struct shunt_burst_log *log, uint64_t start, uint64_t end,
	bool by_stamp, struct shunt_outage *outage)
{
	struct copy later, burst;
	uint64_t number;
	int ret;

	*outage = (struct shunt_outage){ 0 };
	ret = find_end(log, end, by_stamp, &number);
	if (ret)
		return ret;
	if (!get(log, number, &later))
		return -EOVERFLOW;
	for (; number-- > 0; later = burst) {
		if (!get(log, number, &burst))
			return -EOVERFLOW;
		if (later.seen - burst.seen > outage->length)
			outage->length = later.seen - burst.seen;
		if (burst.seen < start) {
			outage->usual = usual_before(log, number, &burst);
			return 0;
		}
	}
	return -ENODATA;
}

int shunt_burst_log_outage(const struct shunt_burst_log *log, uint64_t start, uint64_t end,
	struct shunt_outage *outage)
{
	return find_outage(log, start, end, false, outage);
}

int shunt_burst_log_outage_behind(const struct shunt_burst_log *log, uint64_t start, uint64_t end,
	struct shunt_outage *outage)
{
	return find_outage(log, start, end, true, outage);
}

struct shunt_trail *shunt_trail_create(void)
{
	struct shunt_trail *trail = calloc(1, sizeof(*trail));

	if (trail)
		trail->ring = calloc(SHUNT_TRAIL_SIZE, sizeof(*trail->ring));
	if (trail && trail->ring)
		return trail;
	free(trail);
	return NULL;
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

	/* A reader of these also sees the count before them: it knows what they replaced. */
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

int shunt_watch_init(struct shunt_watch *watch, uint16_t stream)
{
	int ret;

	*watch = (struct shunt_watch){ .stream = stream };
	watch->gaps = handoff_create(sizeof(struct shunt_gap), GAPS);
	if (!watch->gaps)
		return shunt_fail(-ENOMEM, "watch: out of memory");
	ret = shunt_burst_log_init(&watch->bursts);
	if (ret)
		shunt_watch_fini(watch);
	return ret;
}

void shunt_watch_fini(struct shunt_watch *watch)
{
	shunt_burst_log_fini(&watch->bursts);
	free(watch->gaps);
	watch->gaps = NULL;
}

static void put(struct shunt_watch *watch, struct shunt_gap *gap)
{
	if (!handoff_put(watch->gaps, gap))
		watch->gaps_dropped++;
}

void shunt_watch_gap(struct shunt_watch *watch, const struct shunt_stamp *stamp, uint64_t now)
{
	int32_t ahead = (int32_t)(stamp->sequence - (uint32_t)watch->next);
	struct shunt_gap gap;

	if (stamp->stream != watch->stream) {
		watch->strays++;
		return;
	}
	watch->frames++;
	if (ahead < 0) {
		uint64_t number = watch->next + (uint64_t)(int64_t)ahead;

		watch->late++;
		if (watch->trail)
			shunt_trail_note(watch->trail, number, number, now);
		put(watch, &(struct shunt_gap){ .last = number,
				   .first = number,
				   .last_stamp = stamp->time,
				   .first_stamp = stamp->time,
				   .last_seen = now,
				   .first_seen = now });
		return;
	}
	gap = (struct shunt_gap){
		.last = watch->next - 1,
		.first = watch->next + (uint32_t)ahead,
		.last_stamp = watch->last_stamp,
		.first_stamp = stamp->time,
		.last_seen = watch->last_seen,
		.first_seen = now,
	};
	if (watch->trail) {
		shunt_watch_note(watch);
		watch->trail->from = gap.first;
	}
	watch->next = gap.first + 1;
	watch->last_stamp = stamp->time;
	watch->last_seen = now;
	put(watch, &gap);
}

void shunt_watch_end(struct shunt_watch *watch, uint64_t sent, uint64_t now)
{
	if (watch->next < sent) {
		put(watch, &(struct shunt_gap){
				   .last = watch->next - 1,
				   .first = sent,
				   .last_stamp = watch->last_stamp,
				   .last_seen = watch->last_seen,
				   .first_seen = now,
			   });
		watch->next = sent;
	}
	if (watch->trail) /* they were not seen */
		watch->trail->from = watch->next;
	shunt_watch_publish(watch);
}

unsigned int shunt_watch_take(struct shunt_watch *watch, struct shunt_gap *gaps, unsigned int n)
{
	return handoff_take(watch->gaps, gaps, n);
}
