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

/** Ports of which records of faults came after the last switch had been noted. */
void books_trouble_late(struct books *books, uint32_t ports);

/**
 * Adds the frames of a gap to a list: explained if they could have met a switch that troubled one
 * of the ports. @return 0, -ENOMEM
 */
int books_lose(const struct books *books, struct lost_list *list, const struct shunt_gap *gap,
	uint32_t ports);

/** What is not explained may be by now: a record of a fault can come after the gap. */
void books_explain_late(const struct books *books, struct lost_list *list, uint32_t ports);

/** Something that went wrong between two times could have met a switch that troubled any port. */
bool books_explain_time(const struct books *books, uint64_t from, uint64_t to);

int books_add_gap(struct port_books *port, const struct shunt_gap *gap);

/** Forgets gaps that ended before a time. */
void books_forget(struct port_books *port, uint64_t before);

#endif
