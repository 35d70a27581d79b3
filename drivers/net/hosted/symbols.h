/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <link.h>
#include <stdbool.h>

/*
 * What the objects of this process define and want, read from their dynamic sections: the program
 * is the first of _r_debug.r_map, the libraries follow in the order in which symbols are looked
 * for.
 */

/** The program's entry, with which the list of objects begins. */
struct link_map *symbols_objects(void);

/** File name of an object without its folder; "the application" for the program. */
const char *symbols_object_name(const struct link_map *object);

/**
 * Calls back for every dynamic symbol of an object, until that returns other than 0, which is then
 * the result.
 *
 * @param visit  defined: here; otherwise wanted from elsewhere
 */
int symbols_walk(const struct link_map *object,
	int (*visit)(const char *name, bool defined, void *context), void *context);

/** Whether an object defines a symbol, or wants it from elsewhere. */
bool symbols_has(const struct link_map *object, const char *name, bool defined);

/** Whether the program needs a library whose name begins so, itself or through what it needs. */
bool symbols_program_needs(const char *library);

#endif
