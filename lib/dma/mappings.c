/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mappings.h"
#include "shunt_error.h"

void mappings_free(struct mappings *mappings)
{
	free(mappings->items);
	*mappings = (struct mappings){ 0 };
}

/* Index of the first mapping that ends above iova. */
static size_t first_above(const struct mappings *mappings, uint64_t iova)
{
	size_t low = 0, high = mappings->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (mappings->items[middle].iova + (mappings->items[middle].length - 1) < iova)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct shunt_mapping *mappings_overlap(
	const struct mappings *mappings, uint64_t iova, uint64_t length)
{
	size_t i = first_above(mappings, iova);

	if (i == mappings->count || mappings->items[i].iova > iova + (length - 1))
		return NULL;
	return &mappings->items[i];
}

const struct shunt_mapping *mappings_exact(
	const struct mappings *mappings, uint64_t iova, uint64_t length)
{
	size_t i = first_above(mappings, iova);

	if (i == mappings->count || mappings->items[i].iova != iova ||
		mappings->items[i].length != length)
		return NULL;
	return &mappings->items[i];
}

int mappings_reserve(struct mappings *mappings)
{
	size_t room = mappings->room ? 2 * mappings->room : 64;
	struct shunt_mapping *items;

	if (mappings->count < mappings->room)
		return 0;
	items = realloc(mappings->items, room * sizeof(*items));
	if (!items)
		return shunt_fail(-ENOMEM, "no memory for a list of %zu mappings", room);
	mappings->items = items;
	mappings->room = room;
	return 0;
}

void mappings_insert(struct mappings *mappings, const struct shunt_mapping *mapping)
{
	size_t i = first_above(mappings, mapping->iova);

	memmove(mappings->items + i + 1, mappings->items + i,
		(mappings->count - i) * sizeof(*mappings->items));
	mappings->items[i] = *mapping;
	mappings->count++;
	mappings->bytes += mapping->length;
	if (mapping->by_file)
		mappings->file_bytes += mapping->length;
}

void mappings_remove(struct mappings *mappings, uint64_t iova)
{
	size_t i = first_above(mappings, iova);

	mappings->bytes -= mappings->items[i].length;
	if (mappings->items[i].by_file)
		mappings->file_bytes -= mappings->items[i].length;
	mappings->count--;
	memmove(mappings->items + i, mappings->items + i + 1,
		(mappings->count - i) * sizeof(*mappings->items));
}

uint64_t mappings_covered(const struct mappings *mappings, const struct shunt_mapping *mapping)
{
	uint64_t covered = 0;
	size_t i = first_above(mappings, mapping->iova);

	for (; i < mappings->count && covered < mapping->length; i++) {
		const struct shunt_mapping *have = &mappings->items[i];
		uint64_t iova = mapping->iova + covered;
		uint64_t skip = iova - have->iova;

		if (have->iova > iova || (mapping->prot & ~have->prot) ||
			(char *)have->va + skip != (char *)mapping->va + covered)
			break;
		covered += have->length - skip;
	}
	return covered < mapping->length ? covered : mapping->length;
}
