/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MAPPINGS_H
#define MAPPINGS_H

#include "shunt_space.h"

/* Mappings sorted by IOVA, none overlapping another. */
struct mappings {
	struct shunt_mapping *items;
	size_t count;
	size_t room;
	uint64_t bytes;
	uint64_t file_bytes; /* of those, mapped by file */
};

void mappings_free(struct mappings *mappings);

/** The mapping that overlaps [iova, iova + length), NULL if none. */
const struct shunt_mapping *mappings_overlap(
	const struct mappings *mappings, uint64_t iova, uint64_t length);

/** The mapping of exactly that range, NULL if none. */
const struct shunt_mapping *mappings_exact(
	const struct mappings *mappings, uint64_t iova, uint64_t length);

/** Makes room for one more, so that the next mappings_insert() cannot fail. @return 0, -ENOMEM */
int mappings_reserve(struct mappings *mappings);

void mappings_insert(struct mappings *mappings, const struct shunt_mapping *mapping);

/** Takes out the mapping that begins at iova. */
void mappings_remove(struct mappings *mappings, uint64_t iova);

/**
 * How much of a mapping, from its start, these mappings have at the same IOVA, to the same memory,
 * with at least the same rights.
 *
 * @return bytes, mapping->length for all of it
 */
uint64_t mappings_covered(const struct mappings *mappings, const struct shunt_mapping *mapping);

#endif
