/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOOKS_H
#define BOOKS_H

#include "lost.h"
#include "shunt_window.h"

/* A switch, as far as the books need it. */
struct switch_note {
	uint64_t start;
	uint64_t end;
	uint32_t troubled; /* bit a port, as shunt_window.h defines it */
};

/* One stream: what is missing where, and its gaps behind its receiving port. */
struct port_books {
	struct shunt_gap *gaps; /* not yet dropped: a pending switch may need them */
	size_t gap_count;
	size_t gap_room;
	struct lost_list port;   /* missing behind the port */
	struct lost_list tester; /* missing at the tester */
};

struct books {
	struct switch_note *notes;
	size_t note_count;
	size_t note_room;
	struct port_books ports[SHUNT_WINDOW_MAX_PORTS];
};

void books_free(struct books *books);

int books_note(struct books *books, const struct switch_note *note);

/** A frame of this gap could have met a switch that troubled the port. */
bool books_explain(const struct books *books, const struct shunt_gap *gap, unsigned int port);

/** Something that went wrong between two times could have met a switch that troubled any port. */
bool books_explain_time(const struct books *books, uint64_t from, uint64_t to);

int books_add_gap(struct port_books *port, const struct shunt_gap *gap);

/** Forgets gaps that ended before a time. */
void books_forget(struct port_books *port, uint64_t before);

#endif
