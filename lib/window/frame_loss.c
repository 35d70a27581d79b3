/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame_loss.h"

/* Frames sent one after the other: how often, in what time, and with what longest pause. */
struct part {
	uint64_t times;
	uint64_t ticks;
	uint64_t longest;
};

static bool take_part(struct shunt_tester *tester, unsigned int stream, uint64_t from, uint64_t to,
	struct part *part)
{
	uint64_t before = shunt_tester_stamp(tester, stream, from), stamp;

	*part = (struct part){ 0 };
	for (uint64_t number = from + 1; number <= to && before; number++, before = stamp) {
		stamp = shunt_tester_stamp(tester, stream, number);
		if (!stamp)
			return false;
		part->times++;
		part->ticks += stamp - before;
		if (stamp - before > part->longest)
			part->longest = stamp - before;
	}
	return part->times != 0;
}

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

bool frame_loss(struct shunt_tester *tester, unsigned int stream, const struct shunt_gap *gap,
	uint64_t lost, uint64_t *window, uint64_t *uncertainty)
{
	uint64_t newest = shunt_tester_sent(tester, stream) - 1;
	uint64_t times = lost < FRAME_LOSS_MIN ? FRAME_LOSS_MIN : lost;
	struct part before, after;

	if (times > FRAME_LOSS_MAX)
		times = FRAME_LOSS_MAX;
	if (!take_part(tester, stream, gap->last > times ? gap->last - times : 0, gap->last,
		    &before) ||
		!take_part(tester, stream, gap->first,
			gap->first + times < newest ? gap->first + times : newest, &after))
		return false;
	*window = lost * (before.ticks + after.ticks) / (before.times + after.times);
	*uncertainty =
		(before.longest > after.longest ? before.longest : after.longest) +
		difference(lost * before.ticks / before.times, lost * after.ticks / after.times);
	return true;
}
