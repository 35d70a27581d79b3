/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GENERATOR_H
#define GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "player.h"

/*
 * Inside the generator of scripts: its random numbers, its guess of what exists, and the words that
 * it puts into a line.
 *
 *   generate.c             which operation comes next; objects and devices
 *   generate_memory.c      operations on IOVAs
 *   generate_arguments.c   random numbers, words, flaws
 */

#define GENERATOR_IOASES       5
#define GENERATOR_HWPTS        8
#define GENERATOR_MAPPINGS     12
#define GENERATOR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct mapping {
	uint64_t iova, length;
};

/* What is thought to exist. */
struct guess_ioas {
	bool there;
	struct mapping mappings[GENERATOR_MAPPINGS];
	unsigned int mapping_count;
};

struct guess_device {
	bool open, bound, attached;
};

struct generator {
	uint64_t state;
	unsigned int ports;
	bool bytes;       /* many lengths and addresses that are no whole pages */
	bool small_pages; /* huge pages may be switched off: whole pages only */
	struct guess_ioas ioases[GENERATOR_IOASES];
	bool hwpts[GENERATOR_HWPTS];
	struct guess_device devices[PLAYER_PORTS];
	char line[WORDS_LINE];
};

/* ---- random numbers and words (generate_arguments.c) ---- */

uint64_t generator_next(struct generator *generator);
unsigned int generator_below(struct generator *generator, unsigned int n);
bool generator_percent(struct generator *generator, unsigned int chance);

/** Adds to the line. */
void generator_put(struct generator *generator, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Adds the name of an IOAS, rarely something else in its place. */
void generator_put_ioas(struct generator *generator, unsigned int ioas);
void generator_put_prot(struct generator *generator);

/** Rarely says a wrong size under that key, or hands over memory that is not there. */
void generator_put_size(struct generator *generator, const char *key);

/** Rarely sets bits that mean nothing in a field. */
void generator_put_flaw(struct generator *generator, const char *key);

/** One that exists, with luck. */
unsigned int generator_some_ioas(struct generator *generator);
unsigned int generator_some_hwpt(struct generator *generator);
unsigned int generator_some_device(struct generator *generator, bool bound);

/** IOVAs close together, so that they collide, and at the edges of what is allowed. */
uint64_t generator_some_iova(struct generator *generator);
uint64_t generator_some_length(struct generator *generator);

/* ---- operations (generate_memory.c) ---- */

void generator_map(struct generator *generator);
void generator_unmap(struct generator *generator);
void generator_copy(struct generator *generator);
void generator_ranges(struct generator *generator);
void generator_allow(struct generator *generator);
void generator_option(struct generator *generator);

#endif
