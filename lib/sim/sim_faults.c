/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "sim_iommu.h"

#define FAULT_RECORDS 65536u /* a power of two */

struct sim_faults {
	pthread_mutex_t lock;
	uint64_t written;
	uint64_t taken;
	uint64_t lost; /* not reported yet */
	struct shunt_fault records[FAULT_RECORDS];
};

int sim_faults_create(struct sim_iommu *iommu)
{
	iommu->faults = calloc(1, sizeof(*iommu->faults));
	if (!iommu->faults)
		return -ENOMEM;
	pthread_mutex_init(&iommu->faults->lock, NULL);
	return 0;
}

void sim_faults_destroy(struct sim_iommu *iommu)
{
	if (!iommu->faults)
		return;
	pthread_mutex_destroy(&iommu->faults->lock);
	free(iommu->faults);
	iommu->faults = NULL;
}

void sim_faults_add(
	struct sim_dma *dma, uint64_t iova, unsigned int prot, enum shunt_sim_reason reason)
{
	struct sim_function *function = dma->function;
	struct sim_faults *faults = function->sim->iommu.faults;

	pthread_mutex_lock(&faults->lock);
	if (faults->written - faults->taken == FAULT_RECORDS) {
		faults->lost++;
	} else {
		struct shunt_fault *fault = &faults->records[faults->written % FAULT_RECORDS];

		fault->time = shunt_clock_now();
		snprintf(fault->observer, sizeof(fault->observer), "sim");
		memcpy(fault->function, function->address, sizeof(fault->function));
		fault->iova = iova;
		fault->write = (prot & SHUNT_DMA_WRITE) != 0;
		fault->reason = reason;
		faults->written++;
	}
	pthread_mutex_unlock(&faults->lock);
}

int sim_faults_take(struct sim_iommu *iommu, struct shunt_fault *records, unsigned int n)
{
	struct sim_faults *faults = iommu->faults;
	uint64_t lost;
	unsigned int count = 0;

	pthread_mutex_lock(&faults->lock);
	lost = faults->lost;
	faults->lost = 0;
	while (!lost && count < n && faults->taken != faults->written)
		records[count++] = faults->records[faults->taken++ % FAULT_RECORDS];
	pthread_mutex_unlock(&faults->lock);
	if (lost)
		return shunt_fail(-EOVERFLOW,
			"sim: %llu fault records lost, the log holds %u: take them out more often",
			(unsigned long long)lost, FAULT_RECORDS);
	return (int)count;
}
