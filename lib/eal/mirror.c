/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <shunt/error.h>

#include "memory.h"

/* A range that an owner wants. */
struct want {
	struct range range; /* stays first */
	const void *owner;
	unsigned int users;
};

static struct want *find(struct mirror *mirror, const void *owner, uint64_t start, uint64_t last)
{
	struct want *want = NULL;

	while ((want = shunt_ranges_next(&mirror->wants, want, start, start)) != NULL)
		if (want->owner == owner && want->range.start == start && want->range.last == last)
			break;
	return want;
}

static void forget(struct mirror *mirror, struct want *want)
{
	shunt_ranges_remove(&mirror->wants, &want->range);
	free(want);
}

static bool next_piece(
	struct mirror *mirror, uint64_t start, uint64_t last, struct shunt_mapping *piece)
{
	return start <= last && shunt_spaces_next(mirror->spaces, mirror, start, last, piece);
}

static uint64_t last_of(const struct shunt_mapping *piece)
{
	return piece->iova + (piece->length - 1);
}

/*
 * Unmaps the pieces in a range that no owner wants; if its memory is gone, all that lie in it.
 * @return the last error
 */
static int unmap_unwanted(struct mirror *mirror, uint64_t start, uint64_t last, bool gone)
{
	struct shunt_mapping piece;
	uint64_t at = start;
	int ret, failed = 0;

	while (next_piece(mirror, at, last, &piece)) {
		at = last_of(&piece) + 1;
		if (!(gone && piece.iova >= start && last_of(&piece) <= last) &&
			shunt_ranges_next(&mirror->wants, NULL, piece.iova, last_of(&piece)))
			continue;
		ret = shunt_spaces_drop(mirror->spaces, piece.iova, piece.length);
		failed = ret ? ret : failed;
	}
	return failed;
}

static int map_piece(
	struct mirror *mirror, uint64_t start, uint64_t last, const struct shunt_mapping *memory)
{
	struct shunt_mapping piece = *memory;

	piece.iova = start;
	piece.length = last - start + 1;
	piece.va = (void *)start;
	piece.prot = SHUNT_DMA_BOTH;
	piece.offset += start - memory->iova;
	piece.owner = mirror;
	return shunt_spaces_add(mirror->spaces, &piece);
}

/* Maps what no piece has. */
static int map_gaps(struct mirror *mirror, const struct shunt_mapping *memory)
{
	const uint64_t last = last_of(memory);
	struct shunt_mapping piece;
	uint64_t at = memory->iova;
	int ret = 0;

	while (!ret && next_piece(mirror, at, last, &piece)) {
		if (piece.iova > at)
			ret = map_piece(mirror, at, piece.iova - 1, memory);
		at = last_of(&piece) + 1;
	}
	return ret || at > last ? ret : map_piece(mirror, at, last, memory);
}

int mirror_add(struct mirror *mirror, const void *owner, const struct shunt_mapping *memory)
{
	const uint64_t start = memory->iova, last = last_of(memory);
	struct want *want = find(mirror, owner, start, last);
	int ret;

	if (want) {
		want->users += !owner;
		return 0;
	}
	if (memory->length == 0 || last < start)
		return shunt_fail(-EINVAL, "memory at %#" PRIx64 ", %" PRIu64 " bytes: no range",
			start, memory->length);
	want = calloc(1, sizeof(*want));
	if (!want)
		return shunt_fail(-ENOMEM, "memory at %#" PRIx64 ": out of memory", start);
	*want = (struct want){
		.range = { .start = start, .last = last }, .owner = owner, .users = 1
	};
	shunt_ranges_insert(&mirror->wants, &want->range);
	ret = map_gaps(mirror, memory);
	if (ret) {
		forget(mirror, want);
		unmap_unwanted(mirror, start, last, false);
	}
	return ret;
}

/* Whether a piece that others want part of is wanted by one of them as a whole. */
static bool may_stay(
	struct mirror *mirror, const struct shunt_mapping *piece, const struct want *without)
{
	const uint64_t last = last_of(piece);
	const struct want *want = NULL;
	bool part = false;

	while ((want = shunt_ranges_next(&mirror->wants, want, piece->iova, last)) != NULL) {
		if (want == without)
			continue;
		if (want->range.start <= piece->iova && want->range.last >= last)
			return true;
		part = true;
	}
	return !part;
}

int mirror_remove(
	struct mirror *mirror, const void *owner, uintptr_t start, size_t length, bool gone)
{
	const uint64_t last = start + (length - 1);
	struct want *want = find(mirror, owner, start, last);
	struct shunt_mapping piece;

	if (!want && owner)
		return 0;
	if (!want)
		return shunt_fail(
			-ENOENT, "memory at %#zx, %zu bytes: not mapped", (size_t)start, length);
	if (want->users > 1) {
		want->users--;
		return 0;
	}
	for (uint64_t at = start; owner != mirror && next_piece(mirror, at, last, &piece);
		at = last_of(&piece) + 1)
		if (!may_stay(mirror, &piece, want))
			return shunt_fail(-EBUSY,
				"memory at %#zx, %zu bytes: part of it is in use by a mempool or "
				"mapped separately: free or unmap that first",
				(size_t)start, length);
	forget(mirror, want);
	return unmap_unwanted(mirror, start, last, gone);
}

int mirror_clear(struct mirror *mirror)
{
	while (!RB_EMPTY(&mirror->wants))
		forget(mirror, (struct want *)RB_ROOT(&mirror->wants));
	return unmap_unwanted(mirror, 0, UINT64_MAX, true);
}
