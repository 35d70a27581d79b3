/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <shunt/clock.h>

#include "shunt_processor.h"
#include "sim_iommu.h"

static struct shunt_sim_blocked *record_of(struct sim_switch_log *log, uint64_t sequence)
{
	return &log->records[sequence % SIM_CHANGE_RECORDS];
}

/*
 * DMA refused up to now belongs to the function's last change. The engine may still count one after
 * that change has returned. So a record is completed when the next change begins, or when the
 * record is taken out.
 */
static void complete(struct sim_switch_log *log, struct sim_dma *dma)
{
	struct sim_change *change = &dma->change;

	if (change->record > log->taken)
		record_of(log, change->record)->faults =
			atomic_load_explicit(&dma->blocked, memory_order_relaxed) -
			change->blocked_before;
	change->record = 0;
}

static void begin(struct sim_switch_log *log, struct sim_dma *dma)
{
	complete(log, dma);
	dma->change.blocked_before = atomic_load_explicit(&dma->blocked, memory_order_relaxed);
}

static void record(struct sim_switch_log *log, struct sim_dma *dma, uint64_t from, uint64_t still,
	uint64_t until)
{
	uint64_t sequence = ++log->written;
	struct shunt_sim_blocked *blocked = record_of(log, sequence);

	if (log->written - log->taken > SIM_CHANGE_RECORDS)
		log->taken = log->written - SIM_CHANGE_RECORDS;
	memcpy(blocked->function, dma->function->address, sizeof(blocked->function));
	blocked->from = from;
	/* Two processors' counters may differ by a tick. */
	blocked->still = still > from ? still : from;
	blocked->until = until > from ? until : from;
	blocked->faults = 0;
	blocked->detached = dma->change.detached;
	dma->change.record = sequence;
}

static void set_context(struct sim_dma *dma, struct sim_domain *domain)
{
	struct sim_domain *old = atomic_load_explicit(&dma->context, memory_order_relaxed);

	if (domain)
		sim_domain_count(domain, 1);
	atomic_store_explicit(&dma->context, domain, memory_order_release);
	if (old)
		sim_domain_count(old, -1);
}

/* Sets the new domain, and tells the times before and after. */
static void set_new_context(
	struct sim_dma *dma, struct sim_domain *domain, uint64_t *still, uint64_t *until)
{
	*still = shunt_clock_now();
	set_context(dma, domain);
	shunt_stores_seen();
	*until = shunt_clock_now();
}

static void attach(struct sim_iommu *iommu, struct sim_dma *dma, struct sim_domain *domain)
{
	uint64_t still, until;

	set_new_context(dma, domain, &still, &until);
	if (dma->change.detached)
		record(iommu->changes, dma, dma->change.from, still, until);
	dma->change.detached = false;
}

static void detach(struct sim_iommu *iommu, struct sim_dma *dma)
{
	begin(iommu->changes, dma);
	set_context(dma, NULL);
	dma->change.from = sim_iommu_invalidate_function(iommu, dma);
	dma->change.detached = true;
}

static void replace_blocking(
	struct sim_iommu *iommu, struct sim_dma *dma, struct sim_domain *domain)
{
	uint64_t from, still, until;

	begin(iommu->changes, dma);
	set_context(dma, NULL);
	from = sim_iommu_invalidate_function(iommu, dma);
	set_new_context(dma, domain, &still, &until);
	record(iommu->changes, dma, from, still, until);
}

static void replace_hitless(struct sim_iommu *iommu, struct sim_dma *dma, struct sim_domain *domain)
{
	uint64_t from;

	begin(iommu->changes, dma);
	set_context(dma, domain);
	from = sim_iommu_invalidate_function(iommu, dma);
	record(iommu->changes, dma, from, from, from);
}

/*
 * The context entry is written in two steps and flushed after both. The fence lets the engine run
 * between the steps: without a cached entry its DMA meets the cleared one. The fence invalidates
 * nothing.
 */
static void replace_cached(struct sim_iommu *iommu, struct sim_dma *dma, struct sim_domain *domain)
{
	uint64_t cleared, still, until, flushed;
	bool cold;

	begin(iommu->changes, dma);
	set_context(dma, NULL);
	cleared = shunt_clock_now();
	sim_iommu_fence(iommu);
	set_new_context(dma, domain, &still, &until);
	flushed = sim_iommu_invalidate_function(iommu, dma);
	cold = atomic_load_explicit(&dma->blocked, memory_order_relaxed) !=
	       dma->change.blocked_before;
	if (cold)
		record(iommu->changes, dma, cleared, still, until);
	else
		record(iommu->changes, dma, flushed, flushed, flushed);
}

void sim_iommu_switch(struct sim_group *group, struct sim_domain *domain)
{
	for (unsigned int i = 0; i < group->function_count; i++) {
		struct sim *sim = group->functions[i].sim;
		struct sim_dma *dma = &group->functions[i].dma;

		if (!atomic_load_explicit(&dma->context, memory_order_relaxed))
			attach(&sim->iommu, dma, domain);
		else if (!domain)
			detach(&sim->iommu, dma);
		else if (sim->config.iommu == SHUNT_SIM_HITLESS)
			replace_hitless(&sim->iommu, dma, domain);
		else if (sim->config.iommu == SHUNT_SIM_CACHED)
			replace_cached(&sim->iommu, dma, domain);
		else
			replace_blocking(&sim->iommu, dma, domain);
	}
}

int shunt_sim_blocked(
	struct shunt_platform *platform, struct shunt_sim_blocked *records, unsigned int n)
{
	struct sim *sim = (struct sim *)platform;
	struct sim_switch_log *log = sim->iommu.changes;
	unsigned int count = 0;

	pthread_mutex_lock(&sim->lock);
	sim_iommu_fence(&sim->iommu);
	for (unsigned int i = 0; i < sim->function_count; i++) {
		struct sim_change *change = &sim->functions[i].dma.change;

		if (change->record && change->record <= log->taken + n)
			complete(log, &sim->functions[i].dma);
	}
	while (count < n && log->taken != log->written)
		records[count++] = *record_of(log, ++log->taken);
	pthread_mutex_unlock(&sim->lock);
	return (int)count;
}
