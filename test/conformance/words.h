/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One line of a script, taken apart:
 *
 *   map A 0x10000 4p rw page=2 flags=0x8      -> EOPNOTSUPP
 *   `------- words -----' `--- options ---'   `- answer, not looked at here
 *
 * Numbers are decimal or hexadecimal; with a "p" behind they count pages of 4096 bytes.
 */

#define WORDS_MAX   24
#define WORDS_LINE  512
#define WORDS_PAGE  4096u
#define WORDS_ARROW "->"

/** An option, key=value. */
struct words_option {
	const char *key;
	const char *value;
	bool used;
};

/** A line; its strings live in `text`. */
struct words {
	char text[WORDS_LINE];
	const char *word[WORDS_MAX];
	unsigned int count;
	struct words_option options[WORDS_MAX];
	unsigned int option_count;
};

/**
 * Takes a line apart, up to "->" or "#" at the start of a word followed by a space.
 *
 * @return 0; -EINVAL too long
 */
int words_split(const char *line, struct words *words);

/** Value of an option, which counts as used from here on. @return NULL: not given */
const char *words_option(struct words *words, const char *key);

/** First option that nobody asked for; NULL if there is none. */
const char *words_unused(const struct words *words);

/** Reads a number. @return false: it is none */
bool words_number(const char *text, uint64_t *value);

/**
 * Reads a number option.
 *
 * @param[in,out] value  stays as it is without the option
 * @return 0; -EINVAL not a number
 */
int words_option_number(struct words *words, const char *key, uint64_t *value);

#endif
