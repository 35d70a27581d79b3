/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "spaces.h"

struct mapping *mapping_new(struct shunt_spaces *spaces, const struct shunt_mapping *about,
	const struct shunt_space *space)
{
	struct mapping *mapping = calloc(1, sizeof(*mapping));

	if (!mapping)
		return NULL;
	mapping->about = *about;
	mapping->range.start = about->iova;
	mapping->range.last = about->iova + (about->length - 1);
	mapping->shared = mapping->wanted = !space;
	shunt_ranges_insert(&spaces->table, &mapping->range);
	if (space) {
		set_put(&mapping->own, space, true);
		TAILQ_INSERT_TAIL(&spaces->own, mapping, next);
	} else {
		spaces->shared++;
	}
	return mapping;
}

void mapping_unwant(
	struct shunt_spaces *spaces, struct mapping *mapping, const struct shunt_space *space)
{
	if (space)
		set_put(&mapping->own, space, false);
	else
		mapping->wanted = false;
	if (mapping_wanted(mapping, NULL) || !set_empty(&mapping->in))
		return;
	shunt_ranges_remove(&spaces->table, &mapping->range);
	if (mapping->shared)
		spaces->shared--;
	else
		TAILQ_REMOVE(&spaces->own, mapping, next);
	free(mapping);
}

struct mapping *mapping_next(const struct shunt_spaces *spaces, const struct mapping *after,
	uint64_t start, uint64_t last)
{
	return (struct mapping *)shunt_ranges_next(
		&spaces->table, after ? &after->range : NULL, start, last);
}

struct mapping *mapping_exact(const struct shunt_spaces *spaces, uint64_t iova, uint64_t length,
	const struct shunt_space *space)
{
	struct mapping *mapping = NULL;

	while ((mapping = mapping_next(spaces, mapping, iova, iova)) != NULL)
		if (mapping->about.iova == iova && mapping->about.length == length &&
			mapping->shared == !space && mapping_wanted(mapping, space))
			break;
	return mapping;
}

struct shunt_space *mapping_holder(const struct shunt_spaces *spaces, const struct mapping *mapping)
{
	struct shunt_space *space = spaces->first;

	while (space && !set_has(&mapping->in, space))
		space = space->next;
	return space;
}

uint64_t mapping_covered(const struct shunt_space *space, const struct shunt_mapping *mapping)
{
	const uint64_t last = mapping->iova + (mapping->length - 1);
	const struct mapping *have = NULL;
	uint64_t covered = 0;

	while (covered < mapping->length &&
		(have = mapping_next(space->all, have, mapping->iova, last)) != NULL) {
		uint64_t iova = mapping->iova + covered;
		uint64_t skip = iova - have->about.iova;

		if (!set_has(&have->in, space))
			continue;
		if (have->about.iova > iova || (mapping->prot & ~have->about.prot) ||
			(char *)have->about.va + skip != (char *)mapping->va + covered)
			break;
		covered += have->about.length - skip;
	}
	return covered < mapping->length ? covered : mapping->length;
}
