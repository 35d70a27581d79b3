/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>
#include <string.h>

#include "fake_dma.h"
#include "sim.h"

static uintptr_t refused_from, refused_to;
static unsigned int refused_prot, faults;
static atomic_uint translations;
static bool use_iotlb;

void fake_dma_refuse(const void *from, size_t length, unsigned int prot)
{
	refused_from = (uintptr_t)from;
	refused_to = refused_from + length;
	refused_prot = prot;
}

void fake_dma_allow(void)
{
	refused_prot = 0;
	faults = 0;
	atomic_store(&translations, 0);
}

unsigned int fake_dma_faults(void)
{
	return faults;
}

unsigned int fake_dma_translations(void)
{
	return atomic_load(&translations);
}

void fake_dma_use_iotlb(void)
{
	use_iotlb = true;
}

uint8_t *sim_dma_walk(struct sim_dma *dma, uint64_t iova, unsigned int prot)
{
	uint64_t page = iova >> SIM_SUPER_SHIFT;
	struct sim_iotlb_entry *entry = &dma->super[page % SIM_IOTLB_ENTRIES];

	atomic_fetch_add_explicit(&translations, 1, memory_order_relaxed);
	if ((prot & refused_prot) && iova >= refused_from && iova < refused_to) {
		faults++;
		return NULL;
	}
	if (use_iotlb)
		*entry = (struct sim_iotlb_entry){
			.tag = page + 1,
			.page = (uint8_t *)(uintptr_t)(page << SIM_SUPER_SHIFT),
			.prot = SHUNT_DMA_BOTH,
		};
	return (uint8_t *)(uintptr_t)iova;
}

static bool copy(struct sim_dma *dma, uint64_t iova, uint8_t *out, const uint8_t *in,
	uint32_t length, unsigned int prot)
{
	uint32_t part;
	uint8_t *memory;

	for (; length > 0; length -= part, iova += part) {
		part = (uint32_t)(SIM_PAGE_SIZE - (iova & (SIM_PAGE_SIZE - 1)));
		if (part > length)
			part = length;
		memory = sim_dma_translate(dma, iova, prot);
		if (!memory)
			return false;
		if (in) {
			memcpy(memory, in, part);
			in += part;
		} else {
			memcpy(out, memory, part);
			out += part;
		}
	}
	return true;
}

bool sim_dma_read(struct sim_dma *dma, uint64_t iova, void *buf, uint32_t length)
{
	return copy(dma, iova, buf, NULL, length, SHUNT_DMA_READ);
}

bool sim_dma_write(struct sim_dma *dma, uint64_t iova, const void *buf, uint32_t length)
{
	return copy(dma, iova, NULL, buf, length, SHUNT_DMA_WRITE);
}

/* Nobody asks for invalidations here. */
void sim_iommu_acknowledge(struct sim_iommu *iommu)
{
	atomic_store(&iommu->done, atomic_load(&iommu->requested));
}

void sim_iommu_asleep(struct sim_iommu *iommu)
{
}

void sim_iommu_awake(struct sim_iommu *iommu)
{
}

struct sim_function *sim_function_find(struct sim *sim, const char *address)
{
	unsigned int i;

	for (i = 0; i < sim->function_count; i++)
		if (strcmp(sim->functions[i].address, address) == 0)
			return &sim->functions[i];
	return NULL;
}
