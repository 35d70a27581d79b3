/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <shunt/error.h>
#include <shunt/watch.h>

#include "handoff.h"

#define GAPS 65535 /* that wait to be taken out */

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
