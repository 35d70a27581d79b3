/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "mirror.h"
#include "shunt_error.h"

static bool overlaps(const struct range *range, uintptr_t start, uintptr_t end)
{
	return range->start < end && range->start + range->length > start;
}

static bool covers(const struct range *range, const struct range *part)
{
	return range->start <= part->start &&
	       range->start + range->length >= part->start + part->length;
}

/* Whether somebody wants part of a piece. */
static bool wanted(struct mirror *mirror, const struct range *piece)
{
	const struct range *page = ranges_after(&mirror->eal, piece->start);
	uintptr_t end = piece->start + piece->length;

	if (page && page->start < end)
		return true;
	for (size_t i = 0; i < mirror->others.count; i++) {
		if (overlaps(&mirror->others.entries[i], piece->start, end))
			return true;
	}
	return false;
}

static int map_piece(
	struct mirror *mirror, uintptr_t start, size_t length, const struct mirror_file *file)
{
	void *va = (void *)start;
	int ret;

	ret = ranges_add(&mirror->pieces, start, length);
	if (ret)
		return ret;
	if (file && file->fd >= 0)
		ret = shunt_spaces_map_file(
			mirror->spaces, file->fd, file->offset, va, length, start, SHUNT_DMA_BOTH);
	else
		ret = shunt_spaces_map(mirror->spaces, va, length, start, SHUNT_DMA_BOTH);
	if (ret)
		ranges_remove(&mirror->pieces, ranges_find(&mirror->pieces, start, length));
	return ret;
}

/* An unmapped piece is forgotten even if that failed: the kernel has it no more. */
static int unmap_piece(struct mirror *mirror, struct range *piece)
{
	int ret = shunt_spaces_unmap(mirror->spaces, piece->start, piece->length);

	ranges_remove(&mirror->pieces, piece);
	return ret;
}

/*
 * Unmaps the pieces with part of a range that nobody wants; of a range whose memory is gone all
 * that lie in it. @return the first error
 */
static int unmap_unwanted(struct mirror *mirror, uintptr_t start, uintptr_t end, bool gone)
{
	const struct range range = { .start = start, .length = end - start };
	uintptr_t at = start;
	struct range *piece;
	int first = 0, ret;

	while ((piece = ranges_after(&mirror->pieces, at)) && piece->start < end) {
		at = piece->start + piece->length;
		if (!(gone && covers(&range, piece)) && wanted(mirror, piece))
			continue;
		ret = unmap_piece(mirror, piece);
		first = first ? first : ret;
	}
	return first;
}

/* Maps what no piece has; on failure the pieces that nobody wants go again. */
static int map_gaps(
	struct mirror *mirror, uintptr_t start, size_t length, const struct mirror_file *file)
{
	uintptr_t end = start + length, at = start;

	while (at < end) {
		const struct range *piece = ranges_after(&mirror->pieces, at);
		uintptr_t stop = piece && piece->start < end ? piece->start : end;

		if (stop > at) {
			struct mirror_file part = { .fd = -1 };
			int ret;

			if (file && file->fd >= 0)
				part = (struct mirror_file){ file->fd,
					file->offset + (at - start) };
			ret = map_piece(mirror, at, stop - at, &part);
			if (ret)
				return ret;
			at = stop;
		} else {
			at = piece->start + piece->length;
		}
	}
	return 0;
}

static int add(struct mirror *mirror, struct ranges *table, uintptr_t start, size_t length,
	const struct mirror_file *file)
{
	int ret;

	if (length == 0 || start + length < start)
		return shunt_fail(
			-EINVAL, "memory at %#zx, %zu bytes: no range", (size_t)start, length);
	ret = ranges_add(table, start, length);
	if (ret)
		return ret;
	ret = map_gaps(mirror, start, length, file);
	if (ret) {
		ranges_remove(table, ranges_find(table, start, length));
		unmap_unwanted(mirror, start, start + length, false);
	}
	return ret;
}

int mirror_add_eal(
	struct mirror *mirror, uintptr_t start, size_t length, const struct mirror_file *file)
{
	return add(mirror, &mirror->eal, start, length, file);
}

int mirror_remove_eal(struct mirror *mirror, uintptr_t start, size_t length, bool gone)
{
	struct range *page = ranges_find(&mirror->eal, start, length);

	if (!page)
		return shunt_fail(
			-ENOENT, "memory at %#zx, %zu bytes: not mapped", (size_t)start, length);
	ranges_remove(&mirror->eal, page);
	return unmap_unwanted(mirror, start, start + length, gone);
}

int mirror_add(struct mirror *mirror, uintptr_t start, size_t length)
{
	struct range *known = ranges_find(&mirror->others, start, length);

	if (!known)
		return add(mirror, &mirror->others, start, length, NULL);
	known->users++;
	return 0;
}

/* Whether a piece that others want part of is wanted by one of them as a whole. */
static bool may_stay(struct mirror *mirror, const struct range *piece, const struct range *without)
{
	uintptr_t end = piece->start + piece->length;
	const struct range *page = ranges_after(&mirror->eal, piece->start);
	bool whole = page && covers(page, piece);
	bool part = page && page->start < end;

	for (size_t i = 0; i < mirror->others.count; i++) {
		const struct range *other = &mirror->others.entries[i];

		if (other == without || !overlaps(other, piece->start, end))
			continue;
		part = true;
		whole = whole || covers(other, piece);
	}
	return whole || !part;
}

int mirror_remove(struct mirror *mirror, uintptr_t start, size_t length)
{
	struct range *known = ranges_find(&mirror->others, start, length);
	uintptr_t end = start + length, at = start;
	const struct range *piece;

	if (!known)
		return shunt_fail(
			-ENOENT, "memory at %#zx, %zu bytes: not mapped", (size_t)start, length);
	if (known->users > 1) {
		known->users--;
		return 0;
	}
	while ((piece = ranges_after(&mirror->pieces, at)) && piece->start < end) {
		if (!may_stay(mirror, piece, known))
			return shunt_fail(-EBUSY,
				"memory at %#zx, %zu bytes: part of it is in use by a mempool or "
				"mapped by itself: free or unmap that first",
				(size_t)start, length);
		at = piece->start + piece->length;
	}
	ranges_remove(&mirror->others, known);
	return unmap_unwanted(mirror, start, end, false);
}

bool mirror_is_eal(struct mirror *mirror, uintptr_t start, size_t length)
{
	uintptr_t at = start;
	const struct range *page;

	while (at < start + length) {
		page = ranges_after(&mirror->eal, at);
		if (!page || page->start > at)
			return false;
		at = page->start + page->length;
	}
	return true;
}

int mirror_clear(struct mirror *mirror)
{
	int first = 0, ret;

	while (mirror->pieces.count > 0) {
		ret = unmap_piece(mirror, &mirror->pieces.entries[mirror->pieces.count - 1]);
		first = first ? first : ret;
	}
	ranges_free(&mirror->pieces);
	ranges_free(&mirror->others);
	ranges_free(&mirror->eal);
	return first;
}
