/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ranges.h"
#include "shunt_error.h"

#define FIRST_ROOM 64

/* Index of the first entry that is not before a range of that start and length. */
static size_t lower_bound(const struct ranges *ranges, uintptr_t start, size_t length)
{
	size_t low = 0;
	size_t high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct range *entry = &ranges->entries[middle];

		if (entry->start < start || (entry->start == start && entry->length < length))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct range *ranges_find(struct ranges *ranges, uintptr_t start, size_t length)
{
	size_t at = lower_bound(ranges, start, length);

	if (at == ranges->count || ranges->entries[at].start != start ||
		ranges->entries[at].length != length)
		return NULL;
	return &ranges->entries[at];
}

struct range *ranges_after(struct ranges *ranges, uintptr_t address)
{
	size_t at = lower_bound(ranges, address, 0);

	if (at > 0 && ranges->entries[at - 1].start + ranges->entries[at - 1].length > address)
		at--;
	return at < ranges->count ? &ranges->entries[at] : NULL;
}

int ranges_add(struct ranges *ranges, uintptr_t start, size_t length)
{
	size_t at;

	if (ranges->count == ranges->room) {
		size_t room = ranges->room ? 2 * ranges->room : FIRST_ROOM;
		struct range *grown = realloc(ranges->entries, room * sizeof(*grown));

		if (!grown)
			return shunt_fail(-ENOMEM, "table of %zu mapped ranges: out of memory",
				ranges->count);
		ranges->entries = grown;
		ranges->room = room;
	}
	at = lower_bound(ranges, start, length);
	memmove(&ranges->entries[at + 1], &ranges->entries[at],
		(ranges->count - at) * sizeof(*ranges->entries));
	ranges->entries[at] = (struct range){ .start = start, .length = length, .users = 1 };
	ranges->count++;
	return 0;
}

void ranges_remove(struct ranges *ranges, struct range *entry)
{
	size_t at = (size_t)(entry - ranges->entries);

	ranges->count--;
	memmove(entry, entry + 1, (ranges->count - at) * sizeof(*entry));
}

void ranges_free(struct ranges *ranges)
{
	free(ranges->entries);
	*ranges = (struct ranges){ 0 };
}
