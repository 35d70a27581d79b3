/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/watch.h>

#define USUAL 64 /* intervals that the usual one is the mean of */

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
static int find(const struct shunt_burst_log *log, uint64_t start, uint64_t end, bool by_stamp,
	struct shunt_outage *outage)
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
	return find(log, start, end, false, outage);
}

int shunt_burst_log_outage_behind(const struct shunt_burst_log *log, uint64_t start, uint64_t end,
	struct shunt_outage *outage)
{
	return find(log, start, end, true, outage);
}
