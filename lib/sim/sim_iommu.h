/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_IOMMU_H
#define SIM_IOMMU_H

#include "sim.h"

/*
 * What ioctls ask of the IOMMU: invalidations, which the engine acts on between two frames, and
 * changes of a group's domain, which are made of them.
 *
 *   sim_iommu_switch(group, domain)      function by function, in order of address
 *      context entry: clear / set
 *      sim_iommu_invalidate_function() --> queue --> engine: forgets, notes the time, acknowledges
 *
 * Callers hold sim::lock, unless said otherwise. Waiting takes about a microsecond while the engine
 * runs; while it sleeps the caller acts on its behalf.
 */

/** Makes the queue and the fault log. The engine counts as asleep. @return 0, -ENOMEM */
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

/** Change log, of sim_switch.c. @return 0, -ENOMEM */
int sim_switch_log_create(struct sim_iommu *iommu);
void sim_switch_log_destroy(struct sim_iommu *iommu);

/** Engine: records a refused DMA. */
void sim_faults_add(
	struct sim_dma *dma, uint64_t iova, unsigned int prot, enum shunt_sim_reason reason);

/** Takes records out, as shunt_platform_ops::faults has it. Any lock state. */
int sim_faults_take(struct sim_iommu *iommu, struct shunt_fault *records, unsigned int n);

#endif
