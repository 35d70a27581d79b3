/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/param.h>

#include "sim_nic.h"

/* Offsets of a queue's registers from its first, the same in both directions. */
#define BAL  0x00u
#define BAH  0x04u
#define LEN  0x08u
#define HEAD 0x10u

void sim_ring_drop(struct sim_ring *ring)
{
	ring->cached = 0;
	ring->first = 0;
	ring->retry = 0;
}

void sim_ring_load(struct sim_nic *nic, struct sim_ring *ring, uint32_t queue)
{
	ring->base =
		(uint64_t)sim_register(nic, queue + BAH) << 32 | sim_register(nic, queue + BAL);
	ring->count = sim_register(nic, queue + LEN) / (uint32_t)sizeof(union sim_descriptor);
	ring->head = ring->count ? sim_register(nic, queue + HEAD) % ring->count : 0;
	sim_ring_drop(ring);
}

static void refused(struct sim_nic *nic, struct sim_ring *ring)
{
	if (nic->sim->config.nic == SHUNT_SIM_WEDGE)
		ring->wedged = true;
	else
		ring->retry = shunt_clock_now() + nic->fetch_retry;
}

/* Fetches, in one read, descriptors that are contiguous in the ring, in a page and in the cache. */
static bool fetch_piece(struct sim_nic *nic, struct sim_ring *ring)
{
	uint32_t tail = __atomic_load_n(ring->tail, __ATOMIC_ACQUIRE);
	uint32_t from, room, slot, available;
	const uint8_t *memory;
	uint64_t iova;

	if (tail >= ring->count)
		return false; /* no ring, or a tail outside of it */
	from = ring->head + ring->cached;
	if (from >= ring->count)
		from -= ring->count;
	available = tail >= from ? tail - from : ring->count - from;
	if (available == 0)
		return false;
	iova = ring->base + 16ull * from;
	room = (uint32_t)(SIM_PAGE_SIZE - (iova & (SIM_PAGE_SIZE - 1))) / 16u;
	slot = (ring->first + ring->cached) % SIM_DESCRIPTOR_CACHE;
	available = MIN(available, room);
	available = MIN(available, SIM_DESCRIPTOR_CACHE - ring->cached);
	available = MIN(available, SIM_DESCRIPTOR_CACHE - slot);
	if (available == 0)
		return false;
	memory = sim_dma_translate(nic->dma, iova, SHUNT_DMA_READ);
	if (!memory) {
		refused(nic, ring);
		return false;
	}
	memcpy(&ring->cache[slot], memory, 16u * available);
	ring->cached += available;
	return true;
}

bool sim_ring_fetch(struct sim_nic *nic, struct sim_ring *ring, uint32_t needed)
{
	if (ring->retry != 0) {
		if (shunt_clock_now() < ring->retry)
			return ring->cached >= needed;
		ring->retry = 0;
	}
	while (ring->cached < needed)
		if (!fetch_piece(nic, ring))
			return false;
	return true;
}
