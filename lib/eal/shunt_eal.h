/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_EAL_H
#define SHUNT_EAL_H

#include <stddef.h>

#include <shunt/space.h>

/*
 * EAL memory as devices see it: everything DPDK allocates buffers from is mapped into every address
 * space, at IOVA = virtual address.
 *
 *   EAL heap (memseg lists)           struct shunt_eal_memory        struct shunt_spaces
 *     pages at start      --walk-->     what is mapped,
 *     pages added, freed  --events-->   its owners        --map-->   space "a", space "b", ...
 *     external heaps      --events-->   (memory.h)
 *   mempools of other memory --events-->
 *   external memory      --map, unmap-->
 *
 * EAL's ALLOC and FREE ranges need not match, so memory that can be freed is mapped page by page.
 * Neighbouring pages that stay for good (-m and --socket-mem, --no-huge, --legacy-mem) become one
 * mapping. Pages are mapped by file where EAL and the kernel can (shunt_spaces_add()). Without
 * events (--legacy-mem) an external heap is not mapped as a whole, but its mempools are, and what
 * is mapped by hand.
 *
 * Any thread. The event callbacks run under EAL's memory lock: functions here must not be called
 * with a lock held that a thread may hold while it allocates EAL memory or a mempool.
 */

#ifdef __cplusplus
extern "C" {
#endif

struct shunt_eal_memory;

/**
 * Maps all EAL memory and follows its changes, and those of mempools. One at a time in a process.
 *
 * @param spaces  has at least one space; outlives the result
 * @return 0; -EEXIST another one follows EAL's memory; -ENOMEM; errors of shunt_spaces_map(). On
 *         failure nothing is left mapped.
 */
int shunt_eal_memory_create(struct shunt_spaces *spaces, struct shunt_eal_memory **memory);

/** Stops following and unmaps everything mapped through it. NULL is allowed. */
void shunt_eal_memory_destroy(struct shunt_eal_memory *memory);

/**
 * Whether memory of EAL, or of a mempool that exists, could not be mapped: devices must not be
 * given buffers in it. An allocation cannot be refused in its event, so this is asked before a port
 * starts.
 *
 * @return 0; the errno of a mapping that failed, its text in shunt_errmsg()
 */
int shunt_eal_memory_check(struct shunt_eal_memory *memory);

/**
 * Maps memory from outside EAL (rte_extmem_register() and the like), IOVA = va. The same range may
 * be mapped again, once for each port: it is counted.
 *
 * @param va      page-aligned
 * @param length  bytes, a multiple of the page size
 * @return 0; errors of shunt_spaces_map()
 */
int shunt_eal_memory_map(struct shunt_eal_memory *memory, void *va, size_t length);

/**
 * Takes back one shunt_eal_memory_map().
 *
 * @return 0; -ENOENT no such range; -EBUSY part of it is in use by a mempool, or mapped separately
 */
int shunt_eal_memory_unmap(struct shunt_eal_memory *memory, void *va, size_t length);

#ifdef __cplusplus
}
#endif

#endif
