/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include <shunt/error.h>

#include "loss_accounting.h"

/* For `count` items and one more. */
static int make_room(void **items, size_t *room, size_t count, size_t size)
{
	size_t larger = *room ? 2 * *room : 256;
	void *moved;

	if (count < *room)
		return 0;
	moved = realloc(*items, larger * size);
	if (!moved)
		return shunt_fail(-ENOMEM, "loss accounting: out of memory");
	*items = moved;
	*room = larger;
	return 0;
}

static int lost_room(struct lost_list *list)
{
	return make_room((void **)&list->ranges, &list->room, list->count, sizeof(*list->ranges));
}

static int lost_add(struct lost_list *list, const struct lost_range *range)
{
	int ret = lost_room(list);

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
	ret = lost_room(list);
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
	return above(MIN(a->to, b->to), MAX(a->from, b->from));
}

void lost_divide(const struct lost_list *tester, const struct lost_list *port, struct lost_sum *in,
	struct lost_sum *out)
{
	const struct lost_range *range;
	uint64_t both, left;
	size_t first = 0;

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

static void lost_forget(struct lost_list *list, size_t count)
{
	list->count -= count;
	memmove(list->ranges, list->ranges + count, list->count * sizeof(*list->ranges));
}

static void lost_free(struct lost_list *list)
{
	free(list->ranges);
	*list = (struct lost_list){ 0 };
}

void accounting_free(struct loss_accounting *accounting)
{
	for (unsigned int i = 0; i < SHUNT_WINDOW_MAX_PORTS; i++) {
		free(accounting->ports[i].gaps);
		lost_free(&accounting->ports[i].port);
		lost_free(&accounting->ports[i].tester);
	}
	*accounting = (struct loss_accounting){ 0 };
}

static uint64_t oldest_note(const struct loss_accounting *accounting)
{
	return accounting->noted > ACCOUNTING_NOTES ? accounting->noted - ACCOUNTING_NOTES : 0;
}

void accounting_note(struct loss_accounting *accounting, const struct switch_note *note)
{
	struct switch_note *place = &accounting->notes[accounting->noted % ACCOUNTING_NOTES];

	for (unsigned int port = 0; port < SHUNT_WINDOW_MAX_PORTS; port++)
		if (place->troubled >> port & 1)
			accounting->older[port] = *place;
	*place = *note;
	accounting->noted++;
}

static bool overlaps(const struct switch_note *note, uint64_t from, uint64_t to)
{
	return note->start <= to && note->end >= from;
}

static bool troubled(
	const struct loss_accounting *accounting, uint64_t from, uint64_t to, uint32_t ports)
{
	for (uint64_t i = accounting->noted; i-- > oldest_note(accounting);) {
		const struct switch_note *note = &accounting->notes[i % ACCOUNTING_NOTES];

		if (note->end < from)
			return false;
		if (overlaps(note, from, to) && note->troubled & ports)
			return true;
	}
	for (unsigned int port = 0; port < SHUNT_WINDOW_MAX_PORTS; port++)
		if (accounting->older[port].troubled & ports & 1u << port &&
			overlaps(&accounting->older[port], from, to))
			return true;
	return false;
}

/* The last switch of which records may still come, and what was repaired since. */
static uint64_t open_notes(const struct loss_accounting *accounting)
{
	uint64_t i = accounting->noted;

	while (i-- > oldest_note(accounting))
		if (!accounting->notes[i % ACCOUNTING_NOTES].between)
			return i;
	return oldest_note(accounting);
}

void accounting_trouble_late(struct loss_accounting *accounting, uint32_t ports)
{
	for (uint64_t i = open_notes(accounting); i < accounting->noted; i++)
		accounting->notes[i % ACCOUNTING_NOTES].troubled |= ports;
}

int accounting_lose(const struct loss_accounting *accounting, struct lost_list *list,
	const struct shunt_gap *gap, uint32_t ports)
{
	const struct lost_range range = {
		.from = gap->last + 1,
		.to = gap->first,
		.since = gap->last_stamp,
		.until = gap->first_seen,
		.explained = troubled(accounting, gap->last_stamp, gap->first_seen, ports),
	};

	return lost_add(list, &range);
}

void accounting_explain_late(
	const struct loss_accounting *accounting, struct lost_list *list, uint32_t ports)
{
	for (size_t i = 0; i < list->count; i++) {
		struct lost_range *range = &list->ranges[i];

		if (!range->explained)
			range->explained = troubled(accounting, range->since, range->until, ports);
	}
}

bool accounting_explain_time(const struct loss_accounting *accounting, uint64_t from, uint64_t to)
{
	return troubled(accounting, from, to, UINT32_MAX);
}

/* Whether a record that comes late may still explain it. */
static bool is_open(const struct loss_accounting *accounting, const struct lost_range *range)
{
	for (uint64_t i = open_notes(accounting); i < accounting->noted; i++)
		if (overlaps(&accounting->notes[i % ACCOUNTING_NOTES], range->since, range->until))
			return true;
	return false;
}

static void settle_tester(
	const struct loss_accounting *accounting, struct port_losses *port, uint64_t baseline)
{
	struct lost_list oldest = { .ranges = port->tester.ranges };

	oldest.count = port->tester.count - LOST_KEPT;
	while (oldest.count && is_open(accounting, &oldest.ranges[oldest.count - 1]))
		oldest.count--;
	lost_divide(&oldest, &port->port, &port->in, &port->out);
	port->in_baseline += lost_below(&oldest, baseline);
	lost_forget(&port->tester, oldest.count);
}

void accounting_settle(const struct loss_accounting *accounting, struct port_losses *port,
	uint64_t next, uint64_t baseline)
{
	size_t done = 0;

	if (port->tester.count >= 2 * LOST_KEPT)
		settle_tester(accounting, port, baseline);
	if (port->port.count < 2 * LOST_KEPT)
		return;
	/* The tester's are to be divided by what lies beside them, and in front of none. */
	if (port->tester.count)
		next = port->tester.ranges[0].from;
	while (done < port->port.count - LOST_KEPT && port->port.ranges[done].to <= next)
		done++;
	lost_forget(&port->port, done);
}

int accounting_add_gap(struct port_losses *port, const struct shunt_gap *gap)
{
	int ret = make_room(
		(void **)&port->gaps, &port->gap_room, port->gap_count, sizeof(*port->gaps));

	if (!ret)
		port->gaps[port->gap_count++] = *gap;
	return ret;
}

void accounting_forget(struct port_losses *port, uint64_t before)
{
	size_t gone = 0;

	while (gone < port->gap_count && port->gaps[gone].first_seen < before)
		gone++;
	if (!gone)
		return;
	port->gap_count -= gone;
	memmove(port->gaps, port->gaps + gone, port->gap_count * sizeof(*port->gaps));
}
