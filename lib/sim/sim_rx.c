/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/param.h>

#include "sim_headers.h"
#include "sim_nic.h"

/* A frame in the FIFO: its length, padded to SIM_FIFO_HEADER, then its bytes, padded likewise. */

static uint32_t space(uint32_t length)
{
	return SIM_FIFO_HEADER + roundup(length, SIM_FIFO_HEADER);
}

static bool fifo_push(struct sim_fifo *fifo, const uint8_t *frame, uint32_t length)
{
	uint8_t *place = fifo->data + (fifo->read + fifo->used) % SIM_FIFO_SIZE;

	if (fifo->used + space(length) > SIM_FIFO_SIZE)
		return false;
	memcpy(place, &length, sizeof(length));
	memcpy(place + SIM_FIFO_HEADER, frame, length);
	fifo->used += space(length);
	fifo->frames++;
	return true;
}

static const uint8_t *fifo_front(const struct sim_fifo *fifo, uint32_t *length)
{
	const uint8_t *place = fifo->data + fifo->read;

	memcpy(length, place, sizeof(*length));
	return place + SIM_FIFO_HEADER;
}

static void fifo_pop(struct sim_fifo *fifo)
{
	uint32_t length;

	fifo_front(fifo, &length);
	fifo->read = (fifo->read + space(length)) % SIM_FIFO_SIZE;
	fifo->used -= space(length);
	fifo->frames--;
}

/* Descriptors that a frame takes. */
static uint32_t pieces_of(const struct sim_rx_queue *queue, uint32_t length)
{
	if (likely(length <= queue->buffer_size))
		return 1;
	return (length + queue->buffer_size - 1) / queue->buffer_size;
}

/* Whether a queue takes a frame now, and why not. */
enum room { ROOM, NO_DESCRIPTORS, STOPPED };

static enum room room_for(struct sim_nic *nic, struct sim_rx_queue *queue, uint32_t length)
{
	uint32_t needed;

	if (unlikely(!sim_nic_makes_dma(nic) || !queue->ring.enabled || queue->ring.wedged ||
		     queue->buffer_size == 0))
		return STOPPED;
	needed = pieces_of(queue, length);
	if (likely(queue->ring.cached >= needed))
		return ROOM;
	if (sim_ring_fetch(nic, &queue->ring, needed)) {
		if (unlikely(nic->truth.rx_stopped > nic->truth.rx_resumed))
			nic->truth.rx_resumed = shunt_clock_now();
		return ROOM;
	}
	if (!queue->ring.wedged)
		return NO_DESCRIPTORS;
	nic->truth.rx_stopped = shunt_clock_now();
	return STOPPED;
}

static bool store(struct sim_nic *nic, uint64_t iova, const uint8_t *from, uint32_t length)
{
	uint8_t *memory;

	if (unlikely(!sim_within_page(iova, length)))
		return sim_dma_write(nic->dma, iova, from, length);
	memory = sim_dma_translate(nic->dma, iova, SHUNT_DMA_WRITE);
	if (unlikely(!memory))
		return false;
	memcpy(memory, from, length);
	return true;
}

/* Writes a descriptor back; its second half, with DD, last. */
static bool write_back(struct sim_nic *nic, uint64_t iova, union shunt_82576_rx_descriptor *done)
{
	uint64_t *memory = (uint64_t *)(void *)sim_dma_translate(nic->dma, iova, SHUNT_DMA_WRITE);

	if (unlikely(!memory)) {
		nic->truth.lost_writebacks++;
		return false;
	}
	memory[0] = done->quad[0];
	__atomic_store_n(&memory[1], done->quad[1], __ATOMIC_RELEASE);
	return true;
}

/*
 * Moves a frame to memory: payload first, then the descriptors, of which `done` is what they have
 * in common. A refused write loses the frame and leaves its descriptors used, but without DD.
 */
static void deliver(struct sim_nic *nic, unsigned int index, const uint8_t *frame, uint32_t length,
	const union shunt_82576_rx_descriptor *last)
{
	struct sim_rx_queue *queue = &nic->rx[index];
	struct sim_ring *ring = &queue->ring;
	union shunt_82576_rx_descriptor done = *last;
	uint32_t pieces = pieces_of(queue, length), piece, offset;
	bool good = true;

	for (piece = 0; piece < pieces && good; piece++) {
		offset = piece * queue->buffer_size;
		good = store(nic, sim_ring_peek(ring, piece)->rx.read.packet_address,
			frame + offset, MIN(length - offset, queue->buffer_size));
	}
	sim_ring_prefetch(nic, ring, true);
	if (unlikely(!good))
		nic->truth.lost_writebacks += pieces;
	for (piece = 0; piece < pieces; piece++) {
		bool end = piece + 1 == pieces;

		if (good) {
			offset = piece * queue->buffer_size;
			done.writeback.length =
				(uint16_t)(end ? length - offset : queue->buffer_size);
			done.writeback.status_error =
				end ? last->writeback.status_error | SHUNT_82576_RXD_EOP
				    : SHUNT_82576_RXD_DD;
			if (unlikely(!write_back(nic, sim_ring_iova(ring), &done))) {
				nic->truth.lost_writebacks += pieces - piece - 1;
				good = false;
			}
		}
		sim_ring_advance(ring);
	}
	if (likely(good))
		nic->truth.rx_delivered++;
	else
		nic->truth.rx_fault++;
	nic->rx_causes |= 1u << index;
}

static bool strips(const struct sim_nic *nic, const uint8_t *frame)
{
	return (sim_register(nic, SHUNT_82576_CTRL) & SHUNT_82576_CTRL_VME) &&
	       sim_rx_tagged(nic, frame);
}

static bool keeps_fcs(const struct sim_nic *nic)
{
	return !(sim_register(nic, SHUNT_82576_RCTL) & SHUNT_82576_RCTL_SECRC);
}

static uint32_t length_in_memory(const struct sim_nic *nic, const uint8_t *frame, uint32_t length)
{
	if (likely(!nic->rx_dressed))
		return length;
	if (strips(nic, frame))
		length -= SHUNT_82576_VLAN_TAG;
	return keeps_fcs(nic) ? length + SHUNT_82576_FCS_SIZE : length;
}

/* Makes the frame as memory gets it: with or without FCS; with the tag, or the tag's content in
 * `done`. */
static uint32_t dress(const struct sim_nic *nic, const uint8_t *frame, uint32_t length,
	union shunt_82576_rx_descriptor *done, uint8_t *out)
{
	uint32_t fcs = sim_fcs(frame, length);
	uint32_t head = 0, used;

	if (strips(nic, frame)) {
		done->writeback.status_error |= SHUNT_82576_RXD_VP;
		done->writeback.vlan =
			(uint16_t)(frame[SIM_TAG_AT + 2] << 8 | frame[SIM_TAG_AT + 3]);
		memcpy(out, frame, SIM_TAG_AT);
		head = SIM_TAG_AT;
		frame += SIM_TAG_AT + SHUNT_82576_VLAN_TAG;
		length -= SIM_TAG_AT + SHUNT_82576_VLAN_TAG;
	}
	memcpy(out + head, frame, length);
	used = head + length;
	if (keeps_fcs(nic)) {
		memcpy(out + used, &fcs, sizeof(fcs));
		used += SHUNT_82576_FCS_SIZE;
	}
	return used;
}

static __attribute__((noinline)) void deliver_dressed(struct sim_nic *nic, unsigned int index,
	const uint8_t *frame, uint32_t length, union shunt_82576_rx_descriptor *done)
{
	uint8_t dressed[SHUNT_82576_FRAME_MAX];

	length = dress(nic, frame, length, done, dressed);
	deliver(nic, index, dressed, length, done);
}

static void deliver_as_asked(struct sim_nic *nic, const struct sim_rx_target *target,
	const uint8_t *frame, uint32_t length)
{
	union shunt_82576_rx_descriptor done = { 0 };
	uint32_t status = SHUNT_82576_RXD_DD;

	done.writeback.packet_info = sim_rx_classify(nic, frame, length, &status) | target->type;
	done.writeback.rss_hash = target->hash;
	done.writeback.status_error = status;
	if (unlikely(nic->rx_dressed))
		deliver_dressed(nic, target->queue, frame, length, &done);
	else
		deliver(nic, target->queue, frame, length, &done);
}

static void steer(
	struct sim_nic *nic, const uint8_t *frame, uint32_t length, struct sim_rx_target *target)
{
	*target = (struct sim_rx_target){ 0 };
	if (unlikely(nic->rss))
		sim_rx_steer(nic, frame, length, target);
}

/* With RSS, a frame for a disabled queue is dropped, so that it does not hold up the others. */
static bool passes_by(struct sim_nic *nic, const struct sim_rx_target *target)
{
	struct sim_rx_queue *queue = &nic->rx[target->queue];

	if (likely(!nic->rss) || queue->ring.enabled)
		return false;
	queue->dropped++;
	nic->truth.rx_no_room++;
	return true;
}

bool sim_rx_ready(struct sim_nic *nic)
{
	uint32_t queues = nic->rx_targets;

	if (!nic->receiving || nic->fifo.frames != 0)
		return false;
	for (; queues != 0; queues &= queues - 1)
		if (room_for(nic, &nic->rx[__builtin_ctz(queues)], 1) != ROOM)
			return false;
	return true;
}

/* Whether the length of a frame for this NIC is allowed; else the error is counted. */
static bool length_fits(struct sim_nic *nic, const uint8_t *frame, uint32_t length)
{
	uint32_t with_fcs = length + SHUNT_82576_FCS_SIZE;
	uint32_t limit = SHUNT_82576_FRAME_STANDARD;

	if (unlikely(with_fcs < SHUNT_82576_FRAME_MIN)) {
		sim_count(nic, SHUNT_82576_RUC, 1);
		sim_count(nic, SHUNT_82576_RLEC, 1);
		return false;
	}
	if (likely(with_fcs <= limit))
		return true;
	if (sim_register(nic, SHUNT_82576_RCTL) & SHUNT_82576_RCTL_LPE)
		limit = MIN(sim_register(nic, SHUNT_82576_RLPML), SHUNT_82576_FRAME_MAX);
	else if (sim_rx_tagged(nic, frame))
		limit += SHUNT_82576_VLAN_TAG;
	if (with_fcs <= limit)
		return true;
	sim_count(nic, SHUNT_82576_ROC, 1);
	sim_count(nic, SHUNT_82576_RLEC, 1);
	return false;
}

static void count_good(struct sim_nic *nic, const uint8_t *frame, uint32_t length)
{
	uint32_t with_fcs = length + SHUNT_82576_FCS_SIZE;

	sim_count(nic, SHUNT_82576_GPRC, 1);
	sim_count(nic, SHUNT_82576_GORCL, with_fcs);
	sim_count(nic, SHUNT_82576_PRC64 + 4 * sim_size_class(with_fcs), 1);
	if (unlikely(frame[0] & 1))
		sim_count(nic,
			memcmp(frame, "\xff\xff\xff\xff\xff\xff", 6) ? SHUNT_82576_MPRC
								     : SHUNT_82576_BPRC,
			1);
}

void sim_rx_frame(struct sim_nic *nic, const uint8_t *frame, uint32_t length)
{
	struct sim_rx_target target;
	struct sim_rx_queue *queue;
	enum room room;

	nic->truth.rx_wire++;
	if (unlikely(!nic->receiving)) {
		nic->truth.rx_no_room++;
		return;
	}
	sim_count(nic, SHUNT_82576_TPR, 1);
	sim_count(nic, SHUNT_82576_TORL, length + SHUNT_82576_FCS_SIZE);
	if (unlikely(length < SIM_TAG_AT + SHUNT_82576_VLAN_TAG || !sim_rx_accept(nic, frame) ||
		     !length_fits(nic, frame, length))) {
		nic->truth.rx_filtered++;
		return;
	}
	steer(nic, frame, length, &target);
	if (passes_by(nic, &target))
		return;
	queue = &nic->rx[target.queue];
	room = room_for(nic, queue, length_in_memory(nic, frame, length));
	if (likely(room == ROOM && nic->fifo.frames == 0)) {
		count_good(nic, frame, length);
		deliver_as_asked(nic, &target, frame, length);
		return;
	}
	if (room == NO_DESCRIPTORS)
		sim_count(nic, SHUNT_82576_RNBC, 1);
	if (room == NO_DESCRIPTORS && queue->drop_enable) {
		queue->dropped++;
		nic->truth.rx_no_room++;
		return;
	}
	if (fifo_push(&nic->fifo, frame, length)) {
		count_good(nic, frame, length);
		return;
	}
	sim_count(nic, SHUNT_82576_MPC, 1);
	nic->truth.rx_no_room++;
}

unsigned int sim_rx_drain(struct sim_nic *nic, unsigned int budget)
{
	struct sim_rx_target target;
	unsigned int frames = 0;
	const uint8_t *frame;
	uint32_t length;

	while (nic->fifo.frames != 0 && frames < budget && !sim_nic_gives_way(nic, frames)) {
		sim_iommu_service(&nic->sim->iommu);
		frame = fifo_front(&nic->fifo, &length);
		steer(nic, frame, length, &target);
		if (!passes_by(nic, &target)) {
			if (room_for(nic, &nic->rx[target.queue],
				    length_in_memory(nic, frame, length)) != ROOM)
				break;
			deliver_as_asked(nic, &target, frame, length);
		}
		fifo_pop(&nic->fifo);
		frames++;
	}
	return frames;
}
