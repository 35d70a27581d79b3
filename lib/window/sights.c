/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "shunt_clock.h"
#include "shunt_error.h"
#include "shunt_sights.h"

#define USUAL 64 /* times between sights that make the usual one */

int shunt_sights_init(struct shunt_sights *sights)
{
	*sights = (struct shunt_sights){
		.due = 1, /* nothing was seen at time 0 */
		.apart = shunt_clock_from_ns(SHUNT_SIGHTS_APART_NS),
	};
	sights->ring = calloc(SHUNT_SIGHTS_SIZE, sizeof(*sights->ring));
	return sights->ring ? 0 : shunt_fail(-ENOMEM, "sights: out of memory");
}

void shunt_sights_fini(struct shunt_sights *sights)
{
	free(sights->ring);
	sights->ring = NULL;
}

/* A sight as it is in the ring; the caller checks whether it still was that one. */
struct copy {
	uint64_t seen;
	uint64_t stamp;
};

static uint64_t noted(const struct shunt_sights *sights)
{
	return atomic_load_explicit(&sights->count, memory_order_acquire);
}

/* Sight of a number. @return false: overwritten, or being so */
static bool get(const struct shunt_sights *sights, uint64_t number, struct copy *copy)
{
	const struct shunt_sight *sight = &sights->ring[number % SHUNT_SIGHTS_SIZE];

	copy->seen = atomic_load_explicit(&sight->seen, memory_order_acquire);
	copy->stamp = atomic_load_explicit(&sight->stamp, memory_order_acquire);
	return noted(sights) - number < SHUNT_SIGHTS_SIZE;
}

static struct copy last(const struct shunt_sights *sights)
{
	uint64_t count = noted(sights);
	struct copy copy = { 0 };

	while (count && !get(sights, count - 1, &copy))
		count = noted(sights);
	return copy;
}

uint64_t shunt_sights_last(const struct shunt_sights *sights)
{
	return last(sights).seen;
}

uint64_t shunt_sights_last_stamp(const struct shunt_sights *sights)
{
	return last(sights).stamp;
}

/* Mean time between the sights up to one of them. */
static uint64_t usual_before(
	const struct shunt_sights *sights, uint64_t number, const struct copy *sight)
{
	uint64_t times = number < USUAL ? number : USUAL;
	struct copy earlier;

	while (times && !get(sights, number - times, &earlier))
		times /= 2;
	return times ? (sight->seen - earlier.seen) / times : 0;
}

/* Number of the first sight after the end. */
static int find_end(
	const struct shunt_sights *sights, uint64_t end, bool by_stamp, uint64_t *number)
{
	uint64_t count = noted(sights), high = count, middle;
	uint64_t low = count >= SHUNT_SIGHTS_SIZE ? count - SHUNT_SIGHTS_SIZE + 1 : 0;
	struct copy sight;

	while (low < high) {
		middle = low + (high - low) / 2;
		/* What was overwritten meanwhile is older than all that is there. */
		if (get(sights, middle, &sight) && (by_stamp ? sight.stamp : sight.seen) > end)
			high = middle;
		else
			low = middle + 1;
	}
	*number = low;
	return low < count ? 0 : -ENODATA;
}

/* From the first sight after the end backwards to the last one before the start. */
static int find(const struct shunt_sights *sights, uint64_t start, uint64_t end, bool by_stamp,
	struct shunt_outage *outage)
{
	struct copy later, sight;
	uint64_t number;
	int ret;

	*outage = (struct shunt_outage){ 0 };
	ret = find_end(sights, end, by_stamp, &number);
	if (ret)
		return ret;
	if (!get(sights, number, &later))
		return -EOVERFLOW;
	for (; number-- > 0; later = sight) {
		if (!get(sights, number, &sight))
			return -EOVERFLOW;
		if (later.seen - sight.seen > outage->length)
			outage->length = later.seen - sight.seen;
		if (sight.seen < start) {
			outage->usual = usual_before(sights, number, &sight);
			return 0;
		}
	}
	return -ENODATA;
}

int shunt_sights_outage(const struct shunt_sights *sights, uint64_t start, uint64_t end,
	struct shunt_outage *outage)
{
	return find(sights, start, end, false, outage);
}

int shunt_sights_outage_behind(const struct shunt_sights *sights, uint64_t start, uint64_t end,
	struct shunt_outage *outage)
{
	return find(sights, start, end, true, outage);
}
