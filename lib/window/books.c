/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "shunt_error.h"

static int make_room(void **items, size_t *room, size_t count, size_t size)
{
	size_t larger = *room ? 2 * *room : 256;
	void *moved;

	if (count < *room)
		return 0;
	moved = realloc(*items, larger * size);
	if (!moved)
		return shunt_fail(-ENOMEM, "books: out of memory");
	*items = moved;
	*room = larger;
	return 0;
}

void books_free(struct books *books)
{
	for (unsigned int i = 0; i < SHUNT_WINDOW_MAX_PORTS; i++) {
		free(books->ports[i].gaps);
		lost_free(&books->ports[i].port);
		lost_free(&books->ports[i].tester);
	}
	free(books->notes);
	*books = (struct books){ 0 };
}

int books_note(struct books *books, const struct switch_note *note)
{
	int ret = make_room(
		(void **)&books->notes, &books->note_room, books->note_count, sizeof(*note));

	if (!ret)
		books->notes[books->note_count++] = *note;
	return ret;
}

static bool troubled(const struct books *books, uint64_t from, uint64_t to, uint32_t ports)
{
	for (size_t i = books->note_count; i-- > 0;) {
		const struct switch_note *note = &books->notes[i];

		if (note->end < from)
			return false;
		if (note->start <= to && note->troubled & ports)
			return true;
	}
	return false;
}

void books_trouble_late(struct books *books, uint32_t ports)
{
	if (books->note_count)
		books->notes[books->note_count - 1].troubled |= ports;
}

int books_lose(const struct books *books, struct lost_list *list, const struct shunt_gap *gap,
	uint32_t ports)
{
	const struct lost_range range = {
		.from = gap->last + 1,
		.to = gap->first,
		.since = gap->last_stamp,
		.until = gap->first_seen,
		.explained = troubled(books, gap->last_stamp, gap->first_seen, ports),
	};

	return lost_add(list, &range);
}

void books_explain_late(const struct books *books, struct lost_list *list, uint32_t ports)
{
	for (size_t i = 0; i < list->count; i++) {
		struct lost_range *range = &list->ranges[i];

		if (!range->explained)
			range->explained = troubled(books, range->since, range->until, ports);
	}
}

bool books_explain_time(const struct books *books, uint64_t from, uint64_t to)
{
	return troubled(books, from, to, UINT32_MAX);
}

int books_add_gap(struct port_books *port, const struct shunt_gap *gap)
{
	int ret = make_room(
		(void **)&port->gaps, &port->gap_room, port->gap_count, sizeof(*port->gaps));

	if (!ret)
		port->gaps[port->gap_count++] = *gap;
	return ret;
}

void books_forget(struct port_books *port, uint64_t before)
{
	size_t gone = 0;

	while (gone < port->gap_count && port->gaps[gone].first_seen < before)
		gone++;
	if (!gone)
		return;
	port->gap_count -= gone;
	memmove(port->gaps, port->gaps + gone, port->gap_count * sizeof(*port->gaps));
}
