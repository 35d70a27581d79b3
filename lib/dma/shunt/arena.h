/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_ARENA_H
#define SHUNT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory for DMA: one mapping of hugepages (libhugetlbfs, an unlinked file, MAP_SHARED) or, where
 * there are none, of plain memory, cut into blocks of 4 KiB.
 *
 *   arena  [ ring 0 | ring 1 |      free      ]   mapped into address spaces as one range
 *
 * One thread at a time.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** What an arena may be made of. */
enum shunt_arena_pages {
	SHUNT_ARENA_ANY,   /**< hugepages, else plain memory */
	SHUNT_ARENA_HUGE,  /**< hugepages or an error */
	SHUNT_ARENA_PLAIN, /**< plain memory */
};

/** An arena. */
struct shunt_arena {
	void *addr;
	size_t size;         /**< bytes, whole pages */
	size_t page_size;    /**< of what it is made of */
	bool huge;           /**< false: plain memory, each 4 KiB page its own IOTLB entry */
	int fd;              /**< hugetlbfs file that backs it, -1 for plain memory */
	unsigned char *used; /**< one byte a block */
};

/**
 * Makes an arena of at least size bytes.
 *
 * @return 0; -ENOMEM with the mend (hugepages to reserve, or where to mount hugetlbfs)
 */
int shunt_arena_create(size_t size, enum shunt_arena_pages pages, struct shunt_arena *arena);

/** Gives the memory back. It must have been unmapped from every address space. */
void shunt_arena_destroy(struct shunt_arena *arena);

/**
 * Takes a zeroed piece out of the arena.
 *
 * @param size   bytes; rounded up to 4 KiB
 * @param align  bytes, a power of two; at least 4 KiB is given
 * @return the piece, or NULL (shunt_errmsg() says how much is free)
 */
void *shunt_arena_alloc(struct shunt_arena *arena, size_t size, size_t align);

/** Gives a piece of size bytes back. NULL is allowed. */
void shunt_arena_free(struct shunt_arena *arena, void *piece, size_t size);

#ifdef __cplusplus
}
#endif

#endif
