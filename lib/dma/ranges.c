/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "ranges.h"

/* Equal ranges are ordered by their addresses in memory. */
static int compare(const struct range *a, const struct range *b)
{
	if (a->start != b->start)
		return a->start > b->start ? 1 : -1;
	if (a->last != b->last)
		return a->last > b->last ? 1 : -1;
	return (a > b) - (a < b);
}

static void extend(struct range *range, const struct range *child)
{
	if (child && child->reach > range->reach)
		range->reach = child->reach;
}

/* After a change below: the node, and those it is below. */
static void update(struct range *range)
{
	for (; range; range = RB_PARENT(range, node)) {
		range->reach = range->last;
		extend(range, RB_LEFT(range, node));
		extend(range, RB_RIGHT(range, node));
	}
}

#undef RB_AUGMENT
#define RB_AUGMENT(range) update(range)

RB_GENERATE_INTERNAL(ranges, range, node, compare, static __attribute__((unused)))

void shunt_ranges_insert(struct ranges *ranges, struct range *range)
{
	range->reach = range->last;
	RB_INSERT(ranges, ranges, range);
}

void shunt_ranges_remove(struct ranges *ranges, struct range *range)
{
	RB_REMOVE(ranges, ranges, range);
}

static struct range *search(
	struct range *top, const struct range *after, uint64_t start, uint64_t last)
{
	struct range *found;

	if (!top || top->reach < start)
		return NULL;
	if (after && compare(top, after) <= 0)
		return search(RB_RIGHT(top, node), after, start, last);
	found = search(RB_LEFT(top, node), after, start, last);
	if (found || top->start > last)
		return found;
	return top->last >= start ? top : search(RB_RIGHT(top, node), NULL, start, last);
}

void *shunt_ranges_next(
	const struct ranges *ranges, const void *after, uint64_t start, uint64_t last)
{
	return search(RB_ROOT(ranges), after, start, last);
}
