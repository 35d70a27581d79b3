/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "text.h"

/*
 * What `shunt report` makes from the files of `shunt forward`:
 *
 *   "shunt.result/2"    --> report_read --> report_table       text
 *                                      `-> report_histogram  --.
 *   "shunt.timeline/2"  --> report_read --> report_timeline  --+--> report_figure --> gnuplot
 *
 * Files are not trusted: only numbers and quoted texts of them enter a figure's script.
 */

/* ---- read.c ---- */

/** Reads a file of a schema, "-" for standard input. @return 0, -errno; -EINVAL not a file of that
 * schema */
int report_read(const char *path, const char *schema, json_t **json);

/** A text of an object, "" if missing. */
const char *report_text(const json_t *json, const char *name);

/** A number of an object, NAN if missing. */
double report_number(const json_t *json, const char *name);

/** A formatted time of an object, "unknown" if missing. */
const char *report_time(const json_t *json, const char *name, char text[TIME_TEXT]);

/* ---- table.c ---- */

#define REPORT_MAX_RECORDS 16

/** Prints records side by side. @param names  headings of their columns */
void report_table(json_t *const *records, const char *const *names, unsigned int count);

/* ---- figure.c ---- */

/** A figure that is being made. */
struct report_figure {
	FILE *script; /**< gnuplot's; the terminal is set */
	const char *path;
};

/**
 * Begins a figure.
 *
 * @param path  ends in .svg, .png or .pdf; stays the caller's
 * @param width, height  in pixels
 * @return 0; -EINVAL other extension; -errno
 */
int report_figure_open(
	struct report_figure *figure, const char *path, unsigned int width, unsigned int height);

/** Writes a text as gnuplot's quoted string. */
void report_figure_quote(struct report_figure *figure, const char *text);

/** Runs gnuplot. @return 0; -ENOENT no gnuplot; -EIO gnuplot's error; -errno */
int report_figure_close(struct report_figure *figure);

/* ---- timeline.c, histogram.c ---- */

/** Draws the time line of a file. */
int report_timeline(const char *path, const char *output);

/** Draws the histograms of a record. */
int report_histogram(const char *path, const char *output);

/* ---- lanes.c: layout of a time line ---- */

/** Draws the lanes of a time line, after xrange and size are set. */
void report_lanes(struct report_figure *figure, const json_t *timeline);

/** Number of lanes that report_lanes() draws. */
unsigned int report_lanes_count(const json_t *timeline);

#endif
