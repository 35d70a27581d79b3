/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim_nic.h"

/* Work on a frame that descriptors ask for. The model does not do what legacy ones ask for. */
#define ADVANCED_OFFLOADS (SHUNT_82576_TXD_VLE | SHUNT_82576_TXD_TSE)
#define ADVANCED_OPTIONS  (SHUNT_82576_TXD_POPTS_IXSM | SHUNT_82576_TXD_POPTS_TXSM)
#define LEGACY_OFFLOADS   (SHUNT_82576_TXD_VLE | SHUNT_82576_TXD_IC)

void sim_tx_forget(struct sim_nic *nic, struct sim_tx_queue *queue)
{
	if (queue->in_frame && queue->refused)
		nic->truth.tx_fault++;
	else if (queue->in_frame)
		nic->truth.tx_discarded++;
	queue->gathered = queue->payload_length = 0;
	queue->in_frame = queue->offload = queue->refused = queue->discard = false;
}

/* Report status: DD in the descriptor, or the head where TDWBAL says. */
static void write_back(struct sim_nic *nic, struct sim_tx_queue *queue)
{
	struct sim_ring *ring = &queue->ring;
	uint32_t next = ring->head + 1 == ring->count ? 0 : ring->head + 1;
	uint8_t *memory;

	if (unlikely(queue->head_writeback != 0)) {
		memory = sim_dma_translate(nic->dma, queue->head_writeback, SHUNT_DMA_WRITE);
		if (memory)
			__atomic_store_n((uint32_t *)(void *)memory, next, __ATOMIC_RELEASE);
	} else {
		memory = sim_dma_translate(nic->dma, sim_ring_iova(ring), SHUNT_DMA_WRITE);
		if (likely(memory != NULL))
			__atomic_store_n((uint64_t *)(void *)(memory + 8),
				(uint64_t)SHUNT_82576_TXD_DD << 32, __ATOMIC_RELEASE);
	}
	if (unlikely(!memory))
		nic->truth.lost_writebacks++;
}

/* First descriptor of a frame. */
static void begin(struct sim_tx_queue *queue, const union shunt_82576_tx_descriptor *descriptor)
{
	uint32_t command = descriptor->read.command_length;
	uint32_t options = descriptor->read.options;

	queue->in_frame = true;
	if (likely(command & SHUNT_82576_TXD_DEXT)) {
		queue->payload_length = options >> SHUNT_82576_TXD_PAYLEN_SHIFT;
		if (unlikely((command & ADVANCED_OFFLOADS) || (options & ADVANCED_OPTIONS))) {
			queue->offload = true;
			queue->command = command;
			queue->options = options;
		}
	} else {
		queue->payload_length = 0;
		if (command & LEGACY_OFFLOADS)
			queue->discard = true;
	}
}

/* Appends memory to the frame being gathered. @return false: refused */
static bool gather(struct sim_nic *nic, struct sim_tx_queue *queue, uint64_t iova, uint32_t length)
{
	if (length > sizeof(queue->gather) - queue->gathered) {
		queue->discard = true;
		return true;
	}
	if (length > 0 && !sim_dma_read(nic->dma, iova, queue->gather + queue->gathered, length))
		return false;
	queue->gathered += length;
	return true;
}

/* Last descriptor of a frame was used: `frame` holds all of it. @return whether it was sent */
static bool finish(struct sim_nic *nic, struct sim_tx_queue *queue, const uint8_t *frame,
	uint32_t length, uint32_t command)
{
	if (unlikely(queue->refused || queue->discard || length == 0))
		return false;
	if (unlikely(queue->offload)) {
		if (frame != queue->gather)
			memcpy(queue->gather, frame, length);
		return sim_tx_offload(nic, queue, length);
	}
	if (unlikely(!(command & SHUNT_82576_TXD_IFCS))) {
		/* Software put the FCS at the end; the wire's frames go without. */
		queue->payload_length = 0;
		if (length > SHUNT_82576_FCS_SIZE)
			length -= SHUNT_82576_FCS_SIZE;
	}
	if (unlikely(length + SHUNT_82576_FCS_SIZE > SHUNT_82576_FRAME_MAX ||
		     (queue->payload_length != 0 && queue->payload_length != length)))
		return false;
	sim_wire_transmit(nic, frame, length);
	return true;
}

/* Uses one data descriptor. @return false: its queue is wedged now */
static bool data(struct sim_nic *nic, struct sim_tx_queue *queue,
	const union shunt_82576_tx_descriptor *descriptor)
{
	uint32_t command = descriptor->read.command_length;
	uint32_t length = command & SHUNT_82576_TXD_LENGTH_MASK;
	uint64_t iova = descriptor->read.address;
	bool end = command & SHUNT_82576_TXD_EOP;
	const uint8_t *frame = NULL;
	bool read = true;

	if (!queue->in_frame)
		begin(queue, descriptor);
	if (likely(end && queue->gathered == 0 && length > 0 && !queue->refused &&
		    sim_within_page(iova, length))) {
		frame = sim_dma_translate(nic->dma, iova, SHUNT_DMA_READ);
		read = frame != NULL;
	} else if (!queue->refused && !queue->discard) {
		read = gather(nic, queue, iova, length);
		frame = queue->gather;
		length = queue->gathered;
	}
	sim_ring_prefetch(nic, &queue->ring, false);
	if (unlikely(!read)) {
		queue->refused = true;
		if (nic->sim->config.nic == SHUNT_SIM_WEDGE) {
			queue->ring.wedged = true;
			sim_tx_forget(nic, queue);
			return false;
		}
	}
	if (end) {
		if (likely(finish(nic, queue, frame, length, command)))
			queue->in_frame = false;
		sim_tx_forget(nic, queue);
	}
	return true;
}

/* Keeps a context descriptor, for the frames that name it. */
static void keep_context(
	struct sim_tx_queue *queue, const union shunt_82576_tx_descriptor *descriptor)
{
	unsigned int index = descriptor->context.mss_l4_length >> SHUNT_82576_TXD_CONTEXT_SHIFT;

	queue->context[index % SHUNT_82576_TXC_CONTEXTS] = *descriptor;
}

unsigned int sim_tx_turn(struct sim_nic *nic, unsigned int index, unsigned int budget)
{
	struct sim_tx_queue *queue = &nic->tx[index];
	struct sim_ring *ring = &queue->ring;
	const union shunt_82576_tx_descriptor *descriptor;
	unsigned int frames = 0, used = 0;
	uint32_t command;

	if (unlikely(ring->wedged))
		return 0;
	while (frames < budget && !sim_nic_gives_way(nic, used) && !sim_wire_taken(nic)) {
		sim_iommu_service(&nic->sim->iommu);
		if (ring->cached == 0 && !sim_ring_fetch(nic, ring, 1))
			break;
		descriptor = &sim_ring_peek(ring, 0)->tx;
		command = descriptor->read.command_length;
		if (likely((command & (SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_MASK)) !=
			    (SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_CONTEXT))) {
			if (unlikely(!data(nic, queue, descriptor)))
				break;
			if (command & SHUNT_82576_TXD_EOP) {
				frames++;
				nic->tx_first = (index + 1) % SIM_NIC_QUEUES;
			}
		} else {
			keep_context(queue, descriptor);
		}
		if (command & SHUNT_82576_TXD_RS)
			write_back(nic, queue);
		sim_ring_advance(ring);
		used++;
	}
	if (used)
		nic->tx_causes |= 1u << index;
	return used;
}
