/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_DMA_H
#define SIM_DMA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The IOMMU as one function's DMA sees it: a context entry that names its domain, a cached copy of
 * that entry and an IOTLB, both of them stale until an invalidation reaches the engine.
 *
 *   ioctl threads                              engine thread
 *   context = NULL / new domain
 *   sim_iommu_invalidate(): request, wait ---> sim_iommu_service() between two transactions:
 *                                              forgets cached context and IOTLB, acknowledges
 *   (old domain's page table may go now)
 *
 * Engine thread only, but for what ioctls ask of the IOMMU (sim_iommu.h). Pointers that a
 * translation gave are good until the engine's next sim_iommu_service() or sim_iommu_asleep().
 */

struct sim_domain;   /* a hwpt's page table */
struct sim_function; /* sim.h */

#define SIM_IOTLB_ENTRIES 64 /* of each page size */
#define SIM_PAGE_SHIFT    12
#define SIM_PAGE_SIZE     (1ull << SIM_PAGE_SHIFT)
#define SIM_SUPER_SHIFT   21 /* leaves of 2 MiB and 1 GiB are cached in pieces of 2 MiB */
#define SIM_SUPER_SIZE    (1ull << SIM_SUPER_SHIFT)

/** One cached translation. */
struct sim_iotlb_entry {
	uint64_t tag;      /**< IOVA page number + 1, 0: empty */
	uint8_t *page;     /**< memory of the page */
	unsigned int prot; /**< enum shunt_dma_prot */
};

/** What is known of a function's last change of domain, to complete its record (sim_switch.c). */
struct sim_change {
	bool detached;           /**< blocked by a detach since `from` */
	uint64_t from;           /**< ticks */
	uint64_t blocked_before; /**< sim_dma::blocked when the change began */
	uint64_t record;         /**< sequence number of its record; 0: none */
};

/** DMA state of one function. */
struct sim_dma {
	struct sim_function *function;
	_Atomic(struct sim_domain *) context; /**< written by ioctls, under the platform's lock */
	struct sim_domain *cached;            /**< engine's copy; NULL: read context again */
	struct sim_iotlb_entry super[SIM_IOTLB_ENTRIES]; /**< 2 MiB pages */
	struct sim_iotlb_entry small[SIM_IOTLB_ENTRIES]; /**< 4 KiB pages */
	_Atomic uint64_t blocked; /**< DMA refused for want of a domain, ever; engine counts */
	struct sim_change change; /**< last change of domain; under the platform's lock */
};

/** Slow half of sim_dma_translate(): walks the page table, fills the IOTLB or records a fault. */
uint8_t *sim_dma_walk(struct sim_dma *dma, uint64_t iova, unsigned int prot);

/**
 * Translates an IOVA for one access that does not cross a 4 KiB page.
 *
 * @param prot  SHUNT_DMA_READ or SHUNT_DMA_WRITE
 * @return memory; NULL: refused, and a fault record was made
 */
static inline uint8_t *sim_dma_translate(struct sim_dma *dma, uint64_t iova, unsigned int prot)
{
	uint64_t page = iova >> SIM_SUPER_SHIFT;
	const struct sim_iotlb_entry *entry = &dma->super[page % SIM_IOTLB_ENTRIES];

	if (__builtin_expect(entry->tag == page + 1 && (entry->prot & prot), 1))
		return entry->page + (iova & (SIM_SUPER_SIZE - 1));
	page = iova >> SIM_PAGE_SHIFT;
	entry = &dma->small[page % SIM_IOTLB_ENTRIES];
	if (__builtin_expect(entry->tag == page + 1 && (entry->prot & prot), 1))
		return entry->page + (iova & (SIM_PAGE_SIZE - 1));
	return sim_dma_walk(dma, iova, prot);
}

/** Copies memory to buf, page by page. @return false: refused (one fault record, nothing used) */
bool sim_dma_read(struct sim_dma *dma, uint64_t iova, void *buf, uint32_t length);

/** Copies buf to memory, page by page. @return false: refused; earlier pages were written */
bool sim_dma_write(struct sim_dma *dma, uint64_t iova, const void *buf, uint32_t length);

/** What the engine and the invalidating threads share. One for each platform. */
struct sim_iommu {
	_Atomic uint64_t requested;     /**< invalidations asked for */
	_Atomic uint64_t done;          /**< invalidations the engine has acted on */
	struct sim_iommu_queue *queue;  /**< pending requests, sleep hand-over (sim_iommu.c) */
	struct sim_faults *faults;      /**< fault records (sim_iommu.c) */
	struct sim_switch_log *changes; /**< blocked intervals (sim_switch.c) */
};

/** Slow half of sim_iommu_service(). */
void sim_iommu_acknowledge(struct sim_iommu *iommu);

/** Engine: acts on pending invalidations. Called between any two frames. */
static inline void sim_iommu_service(struct sim_iommu *iommu)
{
	if (__builtin_expect(atomic_load_explicit(&iommu->requested, memory_order_acquire) !=
				     atomic_load_explicit(&iommu->done, memory_order_relaxed),
		    0))
		sim_iommu_acknowledge(iommu);
}

/**
 * Engine: is about to sleep; until sim_iommu_awake() invalidating threads act on its behalf. It
 * makes no DMA in between.
 */
void sim_iommu_asleep(struct sim_iommu *iommu);
void sim_iommu_awake(struct sim_iommu *iommu);

#endif
