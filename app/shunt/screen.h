/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdbool.h>
#include <stdio.h>

/*
 * A table that is updated: on a terminal in place, cut to its width. Without cursor movement
 * (TERM=dumb, a file), or if the terminal has too few rows, tables follow each other.
 */

struct screen {
	FILE *file;
	bool moves;           /* the terminal can move its cursor */
	unsigned int columns; /* of the terminal; 0: no limit */
	unsigned int rows;
	unsigned int painted; /* lines of the table on the screen */
	unsigned int lines;   /* of the new table */
};

/** Finds out what the file is. */
void screen_init(struct screen *screen, FILE *file);

/** Begins the table. @param lines  number of its lines */
void screen_begin(struct screen *screen, unsigned int lines);

/** A line of the table, without its newline. */
void screen_line(struct screen *screen, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Ends the table. */
void screen_end(struct screen *screen);

#endif
