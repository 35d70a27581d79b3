/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RANGES_H
#define RANGES_H

#include <stdint.h>

#include <bsd/sys/tree.h>

/*
 * Ranges of addresses in a red-black tree, in order of start, then of last. They may overlap and be
 * equal: each node knows how far its subtree reaches, so that what overlaps a range is found in
 * logarithmic time. The caller's structures begin with their node.
 *
 * Inside lib/dma and lib/eal; the caller locks.
 */

/** One range, last address included. */
struct range {
	uint64_t start;
	uint64_t last;
	/* The tree's own. */
	uint64_t reach; /* highest last of the subtree */
	RB_ENTRY(range) node;
};

/** The tree; all zero is empty. RB_ROOT() is any one of it. */
RB_HEAD(ranges, range);

/** Inserts a range, of which start and last are set. It stays where it is until it is removed. */
void shunt_ranges_insert(struct ranges *ranges, struct range *range);

void shunt_ranges_remove(struct ranges *ranges, struct range *range);

/**
 * The next range that has an address of start to last.
 *
 * @param after  in the tree; NULL: the first one
 * @return the structure that begins with it; NULL: there is none
 */
void *shunt_ranges_next(
	const struct ranges *ranges, const void *after, uint64_t start, uint64_t last);

#endif
