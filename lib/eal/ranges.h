/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RANGES_H
#define RANGES_H

#include <stddef.h>
#include <stdint.h>

/*
 * A table of ranges of memory in order of start, then of length, each with the number of its users.
 * Inside lib/eal; the caller locks.
 */

/** One range. */
struct range {
	uintptr_t start;
	size_t length; /**< bytes */
	unsigned int users;
};

/** The table; all zero is empty. */
struct ranges {
	struct range *entries;
	size_t count;
	size_t room;
};

/** The entry with exactly this start and length, or NULL. */
struct range *ranges_find(struct ranges *ranges, uintptr_t start, size_t length);

/**
 * The first entry that ends above an address. For tables whose entries do not overlap.
 *
 * @return NULL: there is none
 */
struct range *ranges_after(struct ranges *ranges, uintptr_t address);

/** Adds an entry with one user. @return 0, -ENOMEM */
int ranges_add(struct ranges *ranges, uintptr_t start, size_t length);

/** Removes an entry of the table. */
void ranges_remove(struct ranges *ranges, struct range *entry);

/** Empties the table. */
void ranges_free(struct ranges *ranges);

#endif
