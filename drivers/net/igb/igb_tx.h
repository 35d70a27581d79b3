/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGB_TX_H
#define IGB_TX_H

#include "igb.h"

/*
 * What both kinds of transmit bursts are made of.
 *
 *   igb_tx.c       one descriptor a segment, nothing for the NIC to do with frames
 *   igb_tx_offload.c  the same, with a context descriptor in front where the NIC has to be told
 * more
 */

#define IGB_TX_PREFETCH_AHEAD 4
#define IGB_TX_PREFETCH_SLOTS 32
#define IGB_TX_COMMAND        (SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_DATA | SHUNT_82576_TXD_IFCS)
#define IGB_TX_FRAME_MAX      (SHUNT_82576_FRAME_MAX - SHUNT_82576_FCS_SIZE)

/** Whether the frame's last descriptor has to report; remembers that it does. */
static inline uint32_t igb_tx_report_if_due(struct igb_tx_queue *queue, uint16_t slot)
{
	if (queue->unreported < queue->report_threshold)
		return 0;
	igb_tx_note_report(queue, slot);
	return SHUNT_82576_TXD_RS;
}

/**
 * Ends a burst: its last descriptor reports, so that what was sent is known without another burst.
 * No frame after it uses the context of one before (struct igb_tx_queue).
 */
static inline void igb_tx_report_last(struct igb_tx_queue *queue)
{
	uint16_t last = (uint16_t)((queue->tail ? queue->tail : queue->count) - 1);

	if (!queue->unreported)
		return;
	queue->ring[last].quad[1] |= rte_cpu_to_le_64(SHUNT_82576_TXD_RS);
	igb_tx_note_report(queue, last);
	queue->context.quad[1] = 0;
}

/** Takes the slot at the tail. */
static inline void igb_tx_take(struct igb_tx_queue *queue)
{
	queue->tail = igb_after(queue->tail, queue->count);
	queue->free--;
}

/** Segments with bytes in them: the NIC must not be given empty buffers. */
static inline unsigned int igb_tx_segments(const struct rte_mbuf *frame)
{
	unsigned int n = 0;

	for (; frame; frame = frame->next)
		n += frame->data_len != 0;
	return n;
}

/**
 * Writes the descriptors of a frame for which there is room, but not its doorbell. Each slot owns
 * its segment; with MBUF_FAST_FREE nobody unlinks them later, so that is done here.
 *
 * @param segments  igb_tx_segments()
 */
void igb_tx_write_segments(struct igb_tx_queue *queue, struct rte_mbuf *frame,
	unsigned int segments, uint32_t command, uint32_t options);

/** The NIC has read these lines a lap ago: without this every store of a burst waits for one. */
static inline void igb_tx_prefetch_slots(struct igb_tx_queue *queue, uint32_t slot, uint16_t frames)
{
	uint16_t slots = RTE_MIN(frames, IGB_TX_PREFETCH_SLOTS);

	for (uint16_t i = 0; i < slots; i += IGB_LINE_DESCRIPTORS) {
		igb_prefetch_write(&queue->ring[slot]);
		slot += IGB_LINE_DESCRIPTORS;
		slot -= slot >= queue->count ? queue->count : 0;
	}
}

#endif
