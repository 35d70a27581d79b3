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
		free(books->ports[i].lost);
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

bool books_explain(const struct books *books, const struct shunt_gap *gap, unsigned int port)
{
	for (size_t i = books->note_count; i-- > 0;) {
		const struct switch_note *note = &books->notes[i];

		if (note->end < gap->last_stamp)
			return false;
		if (note->start <= gap->first_seen && note->troubled >> port & 1)
			return true;
	}
	return false;
}

/* Index of the first range that ends after a number. */
static size_t first_range(const struct port_books *port, uint64_t number)
{
	size_t low = 0, high = port->lost_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (port->lost[middle].first <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int books_add_gap(struct port_books *port, const struct shunt_gap *gap)
{
	int ret = make_room(
		(void **)&port->gaps, &port->gap_room, port->gap_count, sizeof(*port->gaps));

	if (!ret)
		ret = make_room((void **)&port->lost, &port->lost_room, port->lost_count,
			sizeof(*port->lost));
	if (ret)
		return ret;
	port->gaps[port->gap_count++] = *gap;
	/* Counted from 1 so that "before the first frame" is no special case. */
	port->lost[port->lost_count++] =
		(struct lost_range){ .last = gap->last + 1, .first = gap->first + 1 };
	return 0;
}

uint64_t books_lost_between(const struct port_books *port, uint64_t last, uint64_t first)
{
	uint64_t lost = 0, from, to;

	last++;
	first++;
	for (size_t i = first_range(port, last); i < port->lost_count; i++) {
		if (port->lost[i].last >= first)
			break;
		from = port->lost[i].last > last ? port->lost[i].last : last;
		to = port->lost[i].first < first ? port->lost[i].first : first;
		lost += to - from - 1;
	}
	return lost;
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
