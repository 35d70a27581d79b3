/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "lost_ranges.h"

static int make_room(struct lost_list *list)
{
	size_t larger = list->room ? 2 * list->room : 256;
	struct lost_range *moved;

	if (list->count < list->room)
		return 0;
	moved = realloc(list->ranges, larger * sizeof(*moved));
	if (!moved)
		return shunt_fail(-ENOMEM, "lost frames: out of memory");
	list->ranges = moved;
	list->room = larger;
	return 0;
}

int lost_add(struct lost_list *list, const struct lost_range *range)
{
	int ret = make_room(list);

	if (!ret)
		list->ranges[list->count++] = *range;
	return ret;
}

/* Index of the first range that ends after a number. */
static size_t find(const struct lost_list *list, uint64_t number)
{
	size_t low = 0, high = list->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (list->ranges[middle].to <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int lost_found(struct lost_list *list, uint64_t number)
{
	size_t i = find(list, number);
	struct lost_range *range;
	int ret;

	if (i == list->count || list->ranges[i].from > number)
		return 0;
	ret = make_room(list);
	if (ret)
		return ret;
	range = &list->ranges[i];
	/* What is in front of it, then what is behind; either may be nothing. */
	memmove(range + 1, range, (list->count - i) * sizeof(*range));
	list->count++;
	range[0].to = number;
	range[1].from = number + 1;
	return 1;
}

static void add(struct lost_sum *sum, uint64_t frames, bool explained)
{
	sum->frames += frames;
	if (explained)
		sum->explained += frames;
}

static uint64_t overlap(const struct lost_range *a, const struct lost_range *b)
{
	uint64_t from = a->from > b->from ? a->from : b->from;
	uint64_t to = a->to < b->to ? a->to : b->to;

	return to > from ? to - from : 0;
}

void lost_divide(const struct lost_list *tester, const struct lost_list *port, struct lost_sum *in,
	struct lost_sum *out)
{
	const struct lost_range *range;
	uint64_t both, left;
	size_t first = 0;

	*in = *out = (struct lost_sum){ 0 };
	for (size_t i = 0; i < tester->count; i++) {
		range = &tester->ranges[i];
		left = range->to - range->from;
		while (first < port->count && port->ranges[first].to <= range->from)
			first++;
		for (size_t j = first; j < port->count && port->ranges[j].from < range->to; j++) {
			both = overlap(range, &port->ranges[j]);
			add(in, both, port->ranges[j].explained);
			left -= both;
		}
		add(out, left, range->explained);
	}
}

uint64_t lost_below(const struct lost_list *list, uint64_t number)
{
	const struct lost_range below = { .to = number };
	uint64_t frames = 0;

	for (size_t i = 0; i < list->count && list->ranges[i].from < number; i++)
		frames += overlap(&list->ranges[i], &below);
	return frames;
}

void lost_forget(struct lost_list *list, size_t count)
{
	list->count -= count;
	memmove(list->ranges, list->ranges + count, list->count * sizeof(*list->ranges));
}

void lost_free(struct lost_list *list)
{
	free(list->ranges);
	*list = (struct lost_list){ 0 };
}
