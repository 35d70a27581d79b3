/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIRROR_H
#define MIRROR_H

#include <stdbool.h>
#include <stddef.h>

#include <shunt/space.h>

#include "ranges.h"

/*
 * For whom memory is mapped into every address space. It may be wanted several times, whole or in
 * part: by EAL, by the application for each port (rte_dev_dma_map()), by a mempool that lies in it.
 *
 *   EAL's        [page][page][page]                 never overlap
 *   others'                  [--------------]       may overlap, and be the same: counted
 *                                  [---]
 *   pieces       [    ][    ][    ][--------]       what is mapped: shared mappings of the spaces'
 *                                                   table with this mirror as their owner
 *
 * A new range maps what no piece has yet. A piece goes with the last range that has part of it.
 * The kernel cannot unmap part of a mapping: where that would be needed the caller is refused.
 * Inside lib/eal; the caller locks.
 */

/** Memory's file; fd below 0: none. */
struct mirror_file {
	int fd;
	size_t offset; /**< of the range's start in the file */
};

struct mirror {
	struct shunt_spaces *spaces;
	struct ranges wants;
};

/** Maps memory of EAL. @return 0; errors of shunt_spaces_map(); nothing is mapped then */
int mirror_add_eal(
	struct mirror *mirror, uintptr_t start, size_t length, const struct mirror_file *file);

/**
 * Takes it back.
 *
 * @param gone  the memory itself goes: unmapped whoever else wants it
 * @return 0; -ENOENT; errors of an unmap: what the kernel keeps is left over, and goes before other
 * memory is mapped there
 */
int mirror_remove_eal(struct mirror *mirror, uintptr_t start, size_t length, bool gone);

/** Maps memory of somebody else. @return as mirror_add_eal() */
int mirror_add(struct mirror *mirror, uintptr_t start, size_t length);

/**
 * Takes one mirror_add() back.
 *
 * @return 0; -ENOENT not wanted; -EBUSY others want part of it, which could not stay mapped; errors
 * of an unmap, as above
 */
int mirror_remove(struct mirror *mirror, uintptr_t start, size_t length);

/** Whether all of a range is EAL's. */
bool mirror_is_eal(struct mirror *mirror, uintptr_t start, size_t length);

/** Unmaps everything. @return the first error of an unmap, the others are done all the same */
int mirror_clear(struct mirror *mirror);

#endif
