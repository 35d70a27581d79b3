/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_IOMMU_H
#define SIM_IOMMU_H

#include "sim.h"

/*
 * What ioctls ask of the IOMMU. Invalidations: the engine acts on them between two frames. Changes
 * of a group's domain: writes of context entries, and invalidations.
 *
 *   sim_iommu_switch(group, domain)      function by function, in order of address
 *      context entry: clear / set
 *      sim_iommu_invalidate_function() --> queue --> engine: forgets, notes the time, acknowledges
 *
 * Callers hold sim::lock, unless said otherwise. Waiting takes about a microsecond while the engine
 * runs; while it sleeps the caller acts on its behalf.
 */

#define SIM_CHANGE_RECORDS 65536u /* as shunt_sim_blocked() promises */

/** Changes by sequence number, from 1; the oldest is overwritten. */
struct sim_switch_log {
	uint64_t written;
	uint64_t taken;
	struct shunt_sim_blocked records[SIM_CHANGE_RECORDS];
};

/** Makes the queue and the logs. The engine counts as asleep. @return 0, -ENOMEM */
int sim_iommu_create(struct sim *sim);
void sim_iommu_destroy(struct sim *sim);

/**
 * Makes the engine forget a function's context entry and IOTLB, and waits for that.
 *
 * @return ticks at which the engine did: after this no DMA used what was cached before
 */
uint64_t sim_iommu_invalidate_function(struct sim_iommu *iommu, struct sim_dma *dma);

/** Makes the engine forget translations of IOVAs first to last of a domain, and waits for that. */
void sim_iommu_invalidate_range(
	struct sim_iommu *iommu, struct sim_domain *domain, uint64_t first, uint64_t last);

/** Waits until the engine is between two frames: what it did before is visible. Any lock state. */
void sim_iommu_fence(struct sim_iommu *iommu);

/**
 * Moves all functions of a group to a domain; NULL blocks them. How is the platform's choice
 * (enum shunt_sim_iommu), and each function's blocked interval is recorded.
 */
void sim_iommu_switch(struct sim_group *group, struct sim_domain *domain);

/** Engine: records a refused DMA. */
void sim_faults_add(
	struct sim_dma *dma, uint64_t iova, unsigned int prot, enum shunt_sim_reason reason);

/** Takes records out, as shunt_platform_ops::faults has it. Any lock state. */
int sim_faults_take(struct sim_iommu *iommu, struct shunt_fault *records, unsigned int n);

/*
 * A domain: the page table of a hwpt, four levels of 512 entries, 48-bit IOVAs.
 *
 *   root --> 512 GiB each --> 1 GiB each --> 2 MiB each --> 4 KiB each
 *                              or leaf        or leaf        leaf
 *
 * An entry holds a table's address, or a leaf's memory address with its permissions and whether it
 * was written to. Ioctls write entries (under sim::lock) while the engine walks them: an entry is
 * stored whole, with release order, after what it points to; a table that was taken out is freed
 * after the invalidation.
 */

#define SIM_DOMAIN_BITS 48
#define SIM_DOMAIN_LAST ((1ull << SIM_DOMAIN_BITS) - 1)

/** One translation found by a walk. */
struct sim_leaf {
	uint8_t *memory;    /**< of the leaf's first byte */
	unsigned int shift; /**< its size: 12, 21 or 30 */
	unsigned int prot;  /**< enum shunt_dma_prot */
	bool noted;         /**< a further write need not be noted */
};

/**
 * What a domain does about writes. While it notes them, a leaf that is not dirty is cached in an
 * IOTLB without the permission to write: the first write walks the table, and makes it dirty.
 */
enum sim_dirty {
	SIM_DIRTY_NEVER, /**< its hwpt was not made to track them */
	SIM_DIRTY_OFF,
	SIM_DIRTY_ON,
};

/** Makes an empty domain. @return 0, -ENOMEM */
int sim_domain_create(struct sim_iommu *iommu, enum sim_dirty dirty, struct sim_domain **domain);

/** Frees a domain that no context entry names any more, and that was invalidated. */
void sim_domain_destroy(struct sim_domain *domain);

/** Counts the context entries that name the domain: without one an unmap needs no invalidation. */
void sim_domain_count(struct sim_domain *domain, int by);

/**
 * Maps memory at IOVAs that are not mapped; all page-aligned, below 2^48.
 *
 * @param large  leaves of 2 MiB and 1 GiB may be used
 * @return 0; -ENOMEM, and nothing is mapped
 */
int sim_domain_map(struct sim_domain *domain, uint64_t iova, uint8_t *memory, uint64_t length,
	unsigned int prot, bool large);

/** Unmaps a range that covers whole leaves. On return no DMA uses it. */
void sim_domain_unmap(struct sim_domain *domain, uint64_t iova, uint64_t length);

/**
 * Looks an IOVA up. Engine, or under sim::lock.
 *
 * @param prot  of the access; a write that is allowed is noted, if the domain notes them
 * @return false: not mapped
 */
bool sim_domain_walk(
	struct sim_domain *domain, uint64_t iova, unsigned int prot, struct sim_leaf *leaf);

enum sim_dirty sim_domain_dirty(const struct sim_domain *domain);

/** Begins, with nothing written to, or ends noting writes; not SIM_DIRTY_NEVER before or after. */
void sim_domain_set_dirty(struct sim_domain *domain, enum sim_dirty dirty);

/**
 * Calls `found` (may be NULL) for each leaf with an IOVA of first to last that was written to.
 *
 * @param clear  they count as not written to from then on
 */
void sim_domain_read_dirty(struct sim_domain *domain, uint64_t first, uint64_t last, bool clear,
	void (*found)(void *context, uint64_t first, uint64_t last), void *context);

#endif
