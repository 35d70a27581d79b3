/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEMORY_H
#define MEMORY_H

#include <sys/queue.h>

#include <rte_log.h>
#include <rte_memory.h>

#include "ranges.h"
#include "shunt_eal.h"
#include "shunt_hold.h"

/* Inside lib/eal: mirror.c, memory.c (EAL's memory) and pools.c (mempools outside it). */

/*
 * Which memory is mapped into every address space, and for which owners. It may be wanted several
 * times, whole or in part: by EAL, by the application for each port (rte_dev_dma_map()), by a
 * mempool.
 *
 *   EAL's        [page][page][page]                 never overlap
 *   others'                  [--------------]       may overlap, and be the same: counted
 *                                  [---]
 *   pieces       [    ][    ][    ][--------]       what is mapped: shared mappings of the spaces'
 *                                                   table with this mirror as their owner
 *
 * A new range maps what no piece has yet. A piece is unmapped with the last range that has part of
 * it. The kernel cannot unmap part of a mapping: where that would be needed the caller is refused.
 * The caller locks.
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
 * @param gone  the memory is freed: it is unmapped although others want it
 * @return 0, also for what EAL or a mempool does not want: it could not be mapped, or two chunks
 * share a page; -ENOENT the application does not want it; -EBUSY not for EAL: others want part of a
 * mapping, which could not stay; errors of an unmap: the mapping is left over until other memory is
 * mapped there
 */
int mirror_remove(
	struct mirror *mirror, const void *owner, uintptr_t start, size_t length, bool gone);

/** Unmaps everything that can be unmapped. @return the last error */
int mirror_clear(struct mirror *mirror);

/** Why something could not be mapped; all zero: it could. */
struct memory_error {
	SLIST_ENTRY(memory_error) next;
	const struct rte_mempool *pool; /* in the list: which one */
	int err;
	char text[256];
};

struct shunt_eal_memory {
	pthread_mutex_t lock; /* taken inside EAL's memory lock, never around it */
	struct mirror mirror;
	bool events;                      /* EAL reports changes */
	struct memory_error error;        /* of the first mapping that failed in an event */
	SLIST_HEAD(, memory_error) pools; /* mempools that could not be mapped */
};

extern int shunt_eal_logtype;
#define RTE_LOGTYPE_SHUNT ((uint32_t)shunt_eal_logtype)

/**
 * Whether memory of a list is mapped as EAL's. External memory has events if it is in a heap and
 * EAL has any. Other external memory can go without one: the application maps it, its mempools are
 * followed.
 */
bool memory_follows(const struct shunt_eal_memory *memory, const struct rte_memseg_list *list);

/** Logs the error in shunt_errmsg() and keeps it: of a mempool, or the first one of EAL's memory.
 */
void memory_remember(struct shunt_eal_memory *memory, const struct rte_mempool *pool, int err);

/** Follows the process's mempools for this memory. @return 0; -ENOMEM; nothing is mapped then */
int pools_follow(struct shunt_eal_memory *memory);

/** Stops. On return no event touches the memory any more. */
void pools_forget(struct shunt_eal_memory *memory);

#endif
