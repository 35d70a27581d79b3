/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <shunt/platform.h>

#include "sim_iommu.h"

static uint8_t *refuse(
	struct sim_dma *dma, uint64_t iova, unsigned int prot, enum shunt_sim_reason reason)
{
	sim_faults_add(dma, iova, prot, reason);
	return NULL;
}

/* A leaf of 1 GiB is cached in pieces of 2 MiB. */
static void cache(struct sim_dma *dma, uint64_t iova, const struct sim_leaf *leaf)
{
	bool large = leaf->shift >= SIM_SUPER_SHIFT;
	unsigned int shift = large ? SIM_SUPER_SHIFT : SIM_PAGE_SHIFT;
	uint64_t page = iova >> shift;
	struct sim_iotlb_entry *entries = large ? dma->super : dma->small;
	struct sim_iotlb_entry *entry = &entries[page % SIM_IOTLB_ENTRIES];
	uint64_t offset = (page << shift) & ((1ull << leaf->shift) - 1);

	entry->tag = page + 1;
	entry->page = leaf->memory + offset;
	entry->prot = leaf->noted ? leaf->prot : leaf->prot & ~(unsigned int)SHUNT_DMA_WRITE;
}

uint8_t *sim_dma_walk(struct sim_dma *dma, uint64_t iova, unsigned int prot)
{
	struct sim_leaf leaf;

	if (!dma->cached)
		dma->cached = atomic_load_explicit(&dma->context, memory_order_acquire);
	if (!dma->cached) {
		atomic_fetch_add_explicit(&dma->blocked, 1, memory_order_relaxed);
		return refuse(dma, iova, prot, SHUNT_SIM_BLOCKED);
	}
	if (!sim_domain_walk(dma->cached, iova, prot, &leaf))
		return refuse(dma, iova, prot, SHUNT_SIM_NOT_MAPPED);
	if ((prot & SHUNT_DMA_READ) && !(leaf.prot & SHUNT_DMA_READ))
		return refuse(dma, iova, prot, SHUNT_SIM_NOT_READABLE);
	if ((prot & SHUNT_DMA_WRITE) && !(leaf.prot & SHUNT_DMA_WRITE))
		return refuse(dma, iova, prot, SHUNT_SIM_NOT_WRITABLE);
	cache(dma, iova, &leaf);
	return leaf.memory + (iova & ((1ull << leaf.shift) - 1));
}

/* Bytes of an access that lie in the first page it touches. */
static uint32_t in_page(uint64_t iova, uint32_t length)
{
	uint64_t room = SIM_PAGE_SIZE - (iova & (SIM_PAGE_SIZE - 1));

	return length < room ? length : (uint32_t)room;
}

static bool copy(struct sim_dma *dma, uint64_t iova, uint8_t *buf, uint32_t length, bool write)
{
	while (length) {
		uint32_t part = in_page(iova, length);
		uint8_t *memory =
			sim_dma_translate(dma, iova, write ? SHUNT_DMA_WRITE : SHUNT_DMA_READ);

		if (!memory)
			return false;
		memcpy(write ? memory : buf, write ? buf : memory, part);
		iova += part;
		buf += part;
		length -= part;
	}
	return true;
}

bool sim_dma_read(struct sim_dma *dma, uint64_t iova, void *buf, uint32_t length)
{
	return copy(dma, iova, buf, length, false);
}

bool sim_dma_write(struct sim_dma *dma, uint64_t iova, const void *buf, uint32_t length)
{
	return copy(dma, iova, (uint8_t *)(uintptr_t)buf, length, true);
}
