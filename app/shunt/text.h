/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include <shunt/histogram.h>

/* Formatting of figures and texts for people. */

#define TIME_TEXT 32

/** Formats a time with three significant digits: 948 ns, 9.48 us, 1.50 s. @return text */
const char *time_text(uint64_t ns, char text[TIME_TEXT]);

/** Formats a quantile of times in ns; "-" if there is no sample. @return text */
const char *quantile_text(struct shunt_samples *samples, double q, char text[TIME_TEXT]);

/** @return "s", or "es", to make a word plural, "" for one */
const char *plural(uint64_t count);
const char *plural_es(uint64_t count);

/**
 * Makes foreign text safe for a terminal: control characters are shown as \x1b.
 *
 * @param[out] safe  cut to size
 * @return safe
 */
const char *safe_text(const char *text, char *safe, size_t size);

/** Prints an object to standard output and releases it. @return 0; -ENOMEM it is NULL; -EIO */
int text_json(json_t *json);

/** A string, or null if the text is empty. */
json_t *text_or_null(const char *text);

/** Appends to an array. @return it; NULL, with the array released, if either is NULL */
json_t *text_append(json_t *array, json_t *item);

/** Writes an object to a log as one line, with one write. @return 0; -ENOMEM; -errno */
int text_log(int fd, json_t *json);

/** First line of a file, without its newline. @return whether it could be read */
bool text_line(const char *path, char *text, size_t size);

/** The text after a name that begins a line of a file. @return whether there is such a line */
bool text_field(const char *path, const char *name, char *text, size_t size);

/** Flushes a file. @return 0, or -errno of any failed write so far */
int text_flush(FILE *file, const char *name);

#endif
