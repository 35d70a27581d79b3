/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "shunt_hold.h"
#include "shunt_processor.h"
#include "sim_iommu.h"

#define SPINS_BEFORE_SLEEP 200
#define FAULT_RECORDS      65536u /* a power of two */

/* One request, on the stack of the thread that waits for it. */
struct invalidation {
	struct sim_dma *dma;       /* one function; NULL: all that use `domain` */
	struct sim_domain *domain; /* NULL with dma NULL: nothing, a fence */
	uint64_t first, last;      /* IOVAs, with domain */
	uint64_t acted;
	_Atomic bool done;
	struct invalidation *next;
};

struct sim_iommu_queue {
	struct sim *sim;
	pthread_mutex_t lock;
	bool asleep;           /* the engine makes no DMA: requesters act themselves */
	unsigned int sleepers; /* requesters that gave up the processor */
	pthread_cond_t acted;
	struct invalidation *head;
	struct invalidation **tail;
};

struct sim_faults {
	pthread_mutex_t lock;
	uint64_t written;
	uint64_t taken;
	uint64_t lost; /* not reported yet */
	struct shunt_fault records[FAULT_RECORDS];
};

int sim_iommu_create(struct sim *sim)
{
	pthread_mutexattr_t adaptive;
	struct sim_iommu *iommu = &sim->iommu;

	iommu->queue = calloc(1, sizeof(*iommu->queue));
	if (!iommu->queue)
		return -ENOMEM;
	iommu->queue->sim = sim;
	iommu->queue->asleep = true;
	iommu->queue->tail = &iommu->queue->head;
	/* The lock is held briefly and often contended: spin before sleeping. */
	pthread_mutexattr_init(&adaptive);
	pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(&iommu->queue->lock, &adaptive);
	pthread_mutexattr_destroy(&adaptive);
	pthread_cond_init(&iommu->queue->acted, NULL);

	iommu->changes = calloc(1, sizeof(*iommu->changes));
	iommu->faults = calloc(1, sizeof(*iommu->faults));
	if (iommu->faults)
		pthread_mutex_init(&iommu->faults->lock, NULL);
	return iommu->changes && iommu->faults ? 0 : -ENOMEM;
}

void sim_iommu_destroy(struct sim *sim)
{
	struct sim_iommu *iommu = &sim->iommu;

	if (!iommu->queue)
		return;
	if (iommu->faults)
		pthread_mutex_destroy(&iommu->faults->lock);
	free(iommu->faults);
	free(iommu->changes);
	pthread_cond_destroy(&iommu->queue->acted);
	pthread_mutex_destroy(&iommu->queue->lock);
	free(iommu->queue);
	iommu->queue = NULL;
}

static void forget_function(struct sim_dma *dma)
{
	dma->cached = NULL;
	memset(dma->super, 0, sizeof(dma->super));
	memset(dma->small, 0, sizeof(dma->small));
}

static void forget_pages(
	struct sim_iotlb_entry *entries, uint64_t first, uint64_t last, unsigned int shift)
{
	first >>= shift;
	last >>= shift;
	for (unsigned int i = 0; i < SIM_IOTLB_ENTRIES; i++) {
		uint64_t tag = entries[i].tag;

		if (tag && tag - 1 >= first && tag - 1 <= last)
			entries[i].tag = 0;
	}
}

static void forget_range(struct sim *sim, const struct invalidation *request)
{
	for (unsigned int i = 0; i < sim->function_count; i++) {
		struct sim_dma *dma = &sim->functions[i].dma;

		if (dma->cached != request->domain)
			continue;
		forget_pages(dma->super, request->first, request->last, SIM_SUPER_SHIFT);
		forget_pages(dma->small, request->first, request->last, SIM_PAGE_SHIFT);
	}
}

/* Called with the queue's lock held: by the engine between two frames, by any thread while it
 * sleeps. */
static void act(struct sim_iommu *iommu)
{
	struct sim_iommu_queue *queue = iommu->queue;

	while (queue->head) {
		struct invalidation *request = queue->head;

		queue->head = request->next;
		if (!queue->head)
			queue->tail = &queue->head;
		if (request->dma)
			forget_function(request->dma);
		else if (request->domain)
			forget_range(queue->sim, request);
		request->acted = shunt_clock_now();
		atomic_fetch_add_explicit(&iommu->done, 1, memory_order_relaxed);
		/* After this store the requester may return, and `request` is gone. */
		atomic_store_explicit(&request->done, true, memory_order_release);
	}
	if (queue->sleepers)
		pthread_cond_broadcast(&queue->acted);
}

void sim_iommu_acknowledge(struct sim_iommu *iommu)
{
	bool awaited;

	pthread_mutex_lock(&iommu->queue->lock);
	awaited = iommu->queue->sleepers != 0;
	act(iommu);
	pthread_mutex_unlock(&iommu->queue->lock);
	/* A thread that sleeps for this is likely to wait for the engine's processor. */
	if (awaited)
		sched_yield();
}

void sim_iommu_asleep(struct sim_iommu *iommu)
{
	pthread_mutex_lock(&iommu->queue->lock);
	act(iommu);
	iommu->queue->asleep = true;
	pthread_mutex_unlock(&iommu->queue->lock);
}

void sim_iommu_awake(struct sim_iommu *iommu)
{
	pthread_mutex_lock(&iommu->queue->lock);
	iommu->queue->asleep = false;
	pthread_mutex_unlock(&iommu->queue->lock);
}

static uint64_t submit(struct sim_iommu *iommu, struct invalidation *request)
{
	struct sim_iommu_queue *queue = iommu->queue;
	unsigned int spins = 0;

	pthread_mutex_lock(&queue->lock);
	*queue->tail = request;
	queue->tail = &request->next;
	if (queue->asleep)
		act(iommu);
	pthread_mutex_unlock(&queue->lock);
	/* After the unlock: the engine answers at once, and would find the lock taken. */
	atomic_fetch_add_explicit(&iommu->requested, 1, memory_order_release);

	/*
	 * An engine that runs answers in a microsecond. One that does not may be waiting for this
	 * very processor; a yield would give it to any other thread for a whole slice.
	 */
	while (spins++ < SPINS_BEFORE_SLEEP) {
		if (atomic_load_explicit(&request->done, memory_order_acquire))
			return request->acted;
		shunt_relax();
	}
	pthread_mutex_lock(&queue->lock);
	queue->sleepers++;
	while (!atomic_load_explicit(&request->done, memory_order_acquire))
		pthread_cond_wait(&queue->acted, &queue->lock);
	queue->sleepers--;
	pthread_mutex_unlock(&queue->lock);
	return request->acted;
}

uint64_t sim_iommu_invalidate_function(struct sim_iommu *iommu, struct sim_dma *dma)
{
	struct invalidation request = { .dma = dma };

	return submit(iommu, &request);
}

void sim_iommu_invalidate_range(
	struct sim_iommu *iommu, struct sim_domain *domain, uint64_t first, uint64_t last)
{
	struct invalidation request = { .domain = domain, .first = first, .last = last };

	submit(iommu, &request);
}

void sim_iommu_fence(struct sim_iommu *iommu)
{
	struct invalidation request = { .dma = NULL };

	submit(iommu, &request);
}

void sim_faults_add(
	struct sim_dma *dma, uint64_t iova, unsigned int prot, enum shunt_sim_reason reason)
{
	struct sim_function *function = dma->function;
	struct sim_faults *faults = function->sim->iommu.faults;
	struct shunt_fault *fault;

	SHUNT_HOLD(&faults->lock);
	if (faults->written - faults->taken == FAULT_RECORDS) {
		faults->lost++;
		return;
	}
	fault = &faults->records[faults->written++ % FAULT_RECORDS];
	fault->time = shunt_clock_now();
	snprintf(fault->observer, sizeof(fault->observer), "sim");
	memcpy(fault->function, function->address, sizeof(fault->function));
	fault->iova = iova;
	fault->write = (prot & SHUNT_DMA_WRITE) != 0;
	fault->reason = reason;
}

int sim_faults_take(struct sim_iommu *iommu, struct shunt_fault *records, unsigned int n)
{
	struct sim_faults *faults = iommu->faults;
	unsigned int count = 0;
	uint64_t lost;

	SHUNT_HOLD(&faults->lock);
	lost = faults->lost;
	faults->lost = 0;
	if (lost)
		return shunt_fail(-EOVERFLOW,
			"sim: fault records lost (%llu), the log holds %u: take them out more "
			"often",
			(unsigned long long)lost, FAULT_RECORDS);
	while (count < n && faults->taken != faults->written)
		records[count++] = faults->records[faults->taken++ % FAULT_RECORDS];
	return (int)count;
}
