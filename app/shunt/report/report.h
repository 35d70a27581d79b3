/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "text.h"

/*
 * What `shunt report` makes from the files of `shunt forward`:
 *
 *   "shunt.result/2"    --> report_read --> report_table      text
 *                                      `-> report_histogram --.
 *   "shunt.timeline/2"  --> report_read --> report_timeline --+--> report_draw --> gnuplot
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
const char *report_time(const json_t *json, const char *name);

/** Whether a file is from an emulated platform; unless it says no. */
bool report_emulated(const json_t *json);

/* ---- table.c ---- */

#define REPORT_MAX_RECORDS 16

/** Prints records side by side. @param names  headings of their columns */
void report_table(json_t *const *records, const char *const *names, unsigned int count);

/* ---- figure.c ---- */

/** A kind of figure. */
struct report_figure {
	const char *schema; /**< of its file */
	unsigned int width; /**< in pixels */
	/** Its height in pixels. @return 0, -EINVAL the file has nothing to draw */
	int (*measure)(const json_t *json, const char *path, unsigned int *height);
	/** Writes gnuplot's script, after the terminal is set. */
	void (*draw)(const json_t *json, FILE *script);
};

/** The time line of a switch: timeline.c. */
extern const struct report_figure report_timeline;

/** The histograms of a record: histogram.c. */
extern const struct report_figure report_histogram;

/**
 * Draws a figure of a file.
 *
 * @param output  ends in .svg, .png or .pdf
 * @return 0; -EINVAL other extension, or no such file; -ENOENT no gnuplot; -EIO gnuplot's error;
 *         -errno
 */
int report_draw(const struct report_figure *figure, const char *path, const char *output);

/** A text as gnuplot's quoted string. */
const char *report_quoted(const char *text);

#endif
