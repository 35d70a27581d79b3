/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_H
#define REPORT_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "text.h"

/*
 * What `shunt report` makes of the files of `shunt forward`:
 *
 *   "shunt.result/1"    --> report_read --> report_table       text
 *                                      `-> report_histogram  --.
 *   "shunt.timeline/1"  --> report_read --> report_timeline  --+--> report_figure --> gnuplot
 *
 * Files may be anybody's: what a figure's script gets of them are numbers and quoted texts.
 */

/* ---- report_read.c ---- */

/** Reads a file of a schema, "-" for standard input. @return 0, -errno; -EINVAL not such a file */
int report_read(const char *path, const char *schema, json_t **json);

/** A text of an object, "" if it has none of that name. */
const char *report_text(const json_t *json, const char *name);

/** A number of an object. @return NAN if there is none of that name */
double report_number(const json_t *json, const char *name);

/** A time of an object, in words; "unknown" if there is none of that name. */
const char *report_time(const json_t *json, const char *name, char text[TIME_TEXT]);

/* ---- report_table.c ---- */

#define REPORT_MAX_RECORDS 16

/** Prints records side by side. @param names  of their columns */
void report_table(json_t *const *records, const char *const *names, unsigned int count);

/* ---- report_figure.c ---- */

/** A figure on its way to a file. */
struct report_figure {
	FILE *script; /**< gnuplot's; the terminal is set */
	char *text;   /**< of the script */
	size_t length;
	const char *path;
};

/**
 * Begins a figure.
 *
 * @param path  its name says what it becomes: .svg, .png or .pdf; stays the caller's
 * @param width, height  in pixels
 * @return 0; -EINVAL another name; -ENOMEM
 */
int report_figure_open(
	struct report_figure *figure, const char *path, unsigned int width, unsigned int height);

/** Writes a text as gnuplot's quoted string. */
void report_figure_quote(struct report_figure *figure, const char *text);

/** Lets gnuplot draw it. @return 0; -ENOENT no gnuplot; -EIO it failed, and how; -errno */
int report_figure_close(struct report_figure *figure);

/* ---- report_timeline.c, report_histogram.c ---- */

/** Draws the time line of a file. */
int report_timeline(const char *path, const char *output);

/** Draws the histograms of a record. */
int report_histogram(const char *path, const char *output);

/* ---- report_lanes.c: what of a time line lies where ---- */

/** Draws the lanes of a time line, xrange and size are set. */
void report_lanes(struct report_figure *figure, const json_t *timeline);

/** Lanes that report_lanes() draws, to choose the height by. */
unsigned int report_lanes_count(const json_t *timeline);

#endif
