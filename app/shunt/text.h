/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include <shunt/histogram.h>

/*
 * Formatting of figures and texts for people. The main thread's: a text that a function returns
 * stays valid until TEXT_KEPT later ones were returned; out of memory it is "".
 */

#define TEXT_KEPT 64

/** A formatted text. */
const char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Keeps an allocated text like those returned here; NULL: none. */
char *text_keep(char *text);

/** A time with three significant digits: 948 ns, 9.48 us, 1.50 s. */
const char *time_text(uint64_t ns);

/** A quantile of times in ns; "-" if there is no sample. */
const char *quantile_text(struct shunt_samples *samples, double q);

/** @return "s", or "es", to make a word plural, "" for one */
const char *plural(uint64_t count);
const char *plural_es(uint64_t count);

/** The name of a driver, or what to say instead. */
const char *driver_text(const char *driver);

/**
 * Makes foreign text safe for a terminal: control characters are shown as \x1b.
 *
 * @param most  bytes that it is cut to
 */
const char *safe_text(const char *text, size_t most);

/** Prints an object to standard output and releases it. @return 0; -ENOMEM it is NULL; -EIO */
int text_json(json_t *json);

/** A string, or null if the text is empty. */
json_t *text_or_null(const char *text);

/** A length of time, in ticks, as nanoseconds; null if it is unknown. */
json_t *text_ns(bool known, uint64_t ticks);

/** Appends to an array. @return it; NULL, with the array released, if either is NULL */
json_t *text_append(json_t *array, json_t *item);

/** First line of a file, without its newline; "" if it cannot be read. */
char *text_line(const char *path);

/** The text after a name that begins a line of a file; "" if there is no such line. */
char *text_field(const char *path, const char *name);

/** Flushes a file. @return 0, or -errno of any failed write so far */
int text_flush(FILE *file, const char *name);

#endif
