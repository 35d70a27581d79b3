/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIRROR_H
#define MIRROR_H

#include <stdbool.h>
#include <stddef.h>

#include <shunt/space.h>

#include "ranges.h"

/*
 * Which memory is mapped into every address space, and for whom. It may be wanted several times,
 * whole or in part: by EAL, by the application for each port (rte_dev_dma_map()), by a mempool.
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

struct mirror {
	struct shunt_spaces *spaces;
	struct ranges wants;
};

/**
 * Maps memory for an owner. The application may want a range several times: that is counted.
 *
 * @param owner   the mirror stands for EAL, NULL for the application; or a mempool
 * @param memory  IOVA and length, and its file if EAL has one
 * @return 0; errors of shunt_spaces_map(); nothing is mapped then
 */
int mirror_add(struct mirror *mirror, const void *owner, const struct shunt_mapping *memory);

/**
 * Takes one mirror_add() back.
 *
 * @param gone  the memory itself goes: it is unmapped although others want it
 * @return 0; -ENOENT not wanted; -EBUSY not for EAL: others want part of a mapping, which could not
 * stay; errors of an unmap: the mapping is left over, and goes before other memory is mapped there
 */
int mirror_remove(
	struct mirror *mirror, const void *owner, uintptr_t start, size_t length, bool gone);

/** Whether all of a range is EAL's. */
bool mirror_is_eal(struct mirror *mirror, uintptr_t start, size_t length);

/** Unmaps everything that can be unmapped. @return the last error */
int mirror_clear(struct mirror *mirror);

#endif
