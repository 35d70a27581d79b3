/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "igb_tx.h"

/*
 * Transmit bursts. Descriptors are only ever written here, but for those that report status, one
 * in IGB_REPORT and a burst's last: reading others would take their cache lines from the NIC.
 */

#define FREE_BATCH 64
/* Lengths less one that have no more bits than this are those of frames that can be sent. */
#define SURELY_SENDABLE 8191
#define OFFLOADS        (RTE_MBUF_F_TX_OFFLOAD_MASK & ~(RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6))
#define DONE            rte_cpu_to_le_64((uint64_t)SHUNT_82576_TXD_DD << 32)

/* Buffers of `slots` slots in one piece of the ring, each segment for itself. */
static void free_segments(struct rte_mbuf **buffers, uint16_t slots)
{
	void *batch[FREE_BATCH];
	struct rte_mempool *pool = NULL;
	unsigned int n = 0;

	for (uint16_t i = 0; i < slots; i++) {
		struct rte_mbuf *segment = rte_pktmbuf_prefree_seg(buffers[i]);

		if (!segment)
			continue; /* someone else still refers to it */
		if (n == FREE_BATCH || (n && segment->pool != pool)) {
			rte_mempool_put_bulk(pool, batch, n);
			n = 0;
		}
		pool = segment->pool;
		batch[n++] = segment;
	}
	if (n)
		rte_mempool_put_bulk(pool, batch, n);
}

/* The same where the slots of context descriptors have none. */
static void free_sparse(struct rte_mbuf **buffers, uint16_t slots)
{
	uint16_t first = 0;

	for (uint16_t i = 0; i < slots; i++) {
		if (buffers[i])
			continue;
		free_segments(&buffers[first], i - first);
		first = i + 1;
	}
	free_segments(&buffers[first], slots - first);
}

void igb_tx_free(struct igb_tx_queue *queue, uint16_t slots)
{
	queue->free += slots;
	while (slots) {
		struct rte_mbuf **buffers = &queue->buffers[queue->clean];
		uint16_t n = RTE_MIN(slots, queue->count - queue->clean);

		if (unlikely(queue->sparse))
			free_sparse(buffers, n);
		else if (queue->fast_free)
			rte_mempool_put_bulk(buffers[0]->pool, (void **)buffers, n);
		else
			free_segments(buffers, n);
		queue->clean = queue->clean + n == queue->count ? 0 : (uint16_t)(queue->clean + n);
		slots -= n;
	}
}

void igb_tx_reclaim(struct igb_tx_queue *queue)
{
	uint16_t report = queue->report_first, slot = 0;

	while (report != queue->report_end) {
		if (!(__atomic_load_n(
			      &queue->ring[queue->reports[report]].quad[1], __ATOMIC_ACQUIRE) &
			    DONE))
			break;
		slot = queue->reports[report];
		report = igb_after(report, queue->count);
	}
	if (report == queue->report_first)
		return;
	queue->report_first = report;
	igb_tx_free(queue, (uint16_t)(igb_distance(queue->clean, slot, queue->count) + 1));
}

void igb_tx_write_segments(struct igb_tx_queue *queue, struct rte_mbuf *frame,
	unsigned int segments, uint32_t command, uint32_t options)
{
	struct rte_mbuf *segment = frame;

	while (segment) {
		struct rte_mbuf *following = segment->next;
		uint16_t slot = queue->tail;

		if (queue->fast_free) {
			segment->next = NULL;
			segment->nb_segs = 1;
		}
		if (!segment->data_len) {
			rte_pktmbuf_free_seg(segment);
			segment = following;
			continue;
		}
		queue->unreported++;
		if (--segments == 0)
			command |= SHUNT_82576_TXD_EOP | igb_tx_report_if_due(queue, slot);
		queue->buffers[slot] = segment;
		queue->ring[slot].quad[0] =
			rte_cpu_to_le_64((uintptr_t)segment->buf_addr + segment->data_off);
		queue->ring[slot].quad[1] =
			rte_cpu_to_le_64((uint64_t)options << 32 | command | segment->data_len);
		igb_tx_take(queue);
		segment = following;
	}
}

/* A frame of several segments, or one that cannot be sent. @return false: no room */
static __rte_noinline bool send_segments(struct igb_tx_queue *queue, struct rte_mbuf *frame)
{
	unsigned int segments = igb_tx_segments(frame);
	uint32_t length = frame->pkt_len;

	if (segments == 0 || segments > queue->segments_max || length > IGB_TX_FRAME_MAX) {
		IGB_COUNT(queue->counts.discarded, 1);
		rte_pktmbuf_free(frame);
		return true;
	}
	if (queue->free < segments)
		return false;
	igb_tx_write_segments(
		queue, frame, segments, IGB_TX_COMMAND, length << SHUNT_82576_TXD_PAYLEN_SHIFT);
	IGB_COUNT(queue->counts.packets, 1);
	IGB_COUNT(queue->counts.bytes, length);
	return true;
}

/* Frames of one segment each in front of the first that is too long, or empty. */
static __rte_noinline uint32_t sendable(struct rte_mbuf **frames, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (!frames[i]->data_len || frames[i]->data_len > IGB_TX_FRAME_MAX)
			break;
	}
	return i;
}

/*
 * Frames of one segment each into slots that lie in one piece; ends in front of one of another
 * kind. Lengths are judged together, and one by one only if any could be wrong.
 *
 * @param ahead  constant: n frames and IGB_TX_PREFETCH_AHEAD more are there
 * @return number of frames
 */
static inline __attribute__((always_inline)) uint32_t write_run(struct igb_tx_queue *queue,
	uint32_t slot, struct rte_mbuf **frames, uint32_t n, uint64_t *bytes, const bool ahead)
{
	union shunt_82576_tx_descriptor *descriptor = &queue->ring[slot];
	struct rte_mbuf **buffers = &queue->buffers[slot];
	uint64_t sum = 0, any = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct rte_mbuf *frame = frames[i];
		uint64_t length = frame->data_len;

		if (ahead)
			rte_prefetch0(frames[i + IGB_TX_PREFETCH_AHEAD]);
		if (unlikely(frame->nb_segs != 1))
			break;
		buffers[i] = frame;
		descriptor[i].quad[0] =
			rte_cpu_to_le_64((uintptr_t)frame->buf_addr + frame->data_off);
		descriptor[i].quad[1] =
			rte_cpu_to_le_64(length << (32 + SHUNT_82576_TXD_PAYLEN_SHIFT) | length |
					 IGB_TX_COMMAND | SHUNT_82576_TXD_EOP);
		sum += length;
		any |= length - 1;
	}
	if (unlikely(any > SURELY_SENDABLE)) {
		for (n = sendable(frames, i); i > n; i--)
			sum -= frames[i - 1]->data_len;
	}
	*bytes += sum;
	return i;
}

/* The same, and the queue knows of them: the last may have to report. */
static inline __attribute__((always_inline)) uint32_t send_run(
	struct igb_tx_queue *queue, struct rte_mbuf **frames, uint32_t left, uint64_t *bytes)
{
	uint32_t slot = queue->tail, run, ahead, done;

	run = RTE_MIN(left, (uint32_t)queue->free);
	run = RTE_MIN(run, (uint32_t)queue->count - slot);
	run = RTE_MIN(run, (uint32_t)queue->report_threshold - queue->unreported);
	ahead = RTE_MIN(run, left > IGB_TX_PREFETCH_AHEAD ? left - IGB_TX_PREFETCH_AHEAD : 0);
	done = write_run(queue, slot, frames, ahead, bytes, true);
	if (done == ahead)
		done += write_run(queue, slot + done, frames + done, run - done, bytes, false);
	if (!done)
		return 0;
	slot += done;
	queue->tail = (uint16_t)(slot == queue->count ? 0 : slot);
	queue->free -= done;
	queue->unreported += done;
	queue->ring[slot - 1].quad[1] |=
		rte_cpu_to_le_64(igb_tx_report_if_due(queue, (uint16_t)(slot - 1)));
	return done;
}

static inline __attribute__((always_inline)) uint16_t transmit(
	struct igb_tx_queue *queue, struct rte_mbuf **frames, uint16_t count, const bool fenced)
{
	uint32_t sent = 0, single = 0;
	uint64_t bytes = 0;
	uint16_t before;

	if (!shunt_poll_enter(&queue->poll, fenced) && !shunt_poll_enter_late(&queue->poll, fenced))
		return 0;
	if (queue->free < queue->free_threshold || queue->free < count)
		igb_tx_reclaim(queue);
	before = queue->tail;
	igb_tx_prefetch_slots(queue, before, count);
	while (sent < count) {
		uint32_t done = send_run(queue, frames + sent, count - sent, &bytes);

		single += done;
		sent += done;
		if (done)
			continue;
		if (!send_segments(queue, frames[sent]))
			break;
		sent++;
	}
	if (single) {
		IGB_COUNT(queue->counts.packets, single);
		IGB_COUNT(queue->counts.bytes, bytes);
	}
	if (queue->tail != before) {
		igb_tx_report_last(queue);
		igb_doorbell(queue->doorbell, queue->tail);
	}
	shunt_poll_leave(&queue->poll);
	return (uint16_t)sent;
}

static uint16_t transmit_plain(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	return transmit(queue, frames, count, false);
}

static uint16_t transmit_fenced(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	return transmit(queue, frames, count, true);
}

eth_tx_burst_t igb_tx_function(bool fenced)
{
	return fenced ? transmit_fenced : transmit_plain;
}

uint16_t igb_tx_prepare(void *opaque, struct rte_mbuf **frames, uint16_t count)
{
	const struct igb_tx_queue *queue = opaque;

	for (uint16_t i = 0; i < count; i++) {
		const struct rte_mbuf *frame = frames[i];

		if (frame->ol_flags & OFFLOADS) {
			rte_errno = ENOTSUP;
			return i;
		}
		if (frame->nb_segs > queue->segments_max || frame->pkt_len > IGB_TX_FRAME_MAX ||
			frame->pkt_len < RTE_ETHER_HDR_LEN) {
			rte_errno = EINVAL;
			return i;
		}
	}
	return count;
}

/* Slots of the oldest frame. What was written back, as the ends of frames are, has no command. */
static uint16_t oldest(const struct igb_tx_queue *queue)
{
	uint16_t slot = queue->clean, slots = 1;

	while (!(queue->ring[slot].quad[1] & (DONE | rte_cpu_to_le_64(SHUNT_82576_TXD_EOP)))) {
		slot = igb_after(slot, queue->count);
		slots++;
	}
	return slots;
}

/* Not on the packet path: the fence does no harm where it is not needed. */
int igb_tx_done_cleanup(void *opaque, uint32_t count)
{
	struct igb_tx_queue *queue = opaque;
	uint32_t frames = 0;
	uint16_t sent, slots;

	if (!shunt_poll_enter(&queue->poll, true))
		return 0;
	sent = (uint16_t)((igb_tx_ring_reported(queue) + queue->count - queue->clean) %
			  queue->count);
	for (; sent && (!count || frames < count); sent -= slots) {
		slots = oldest(queue);
		if (queue->reports[queue->report_first] ==
			(queue->clean + slots - 1) % queue->count)
			queue->report_first = igb_after(queue->report_first, queue->count);
		igb_tx_free(queue, slots);
		frames++;
	}
	shunt_poll_leave(&queue->poll);
	return (int)frames;
}

int igb_tx_descriptor_status(void *opaque, uint16_t offset)
{
	struct igb_tx_queue *queue = opaque;
	uint16_t slot, used, ahead;

	if (offset >= queue->count)
		return -EINVAL;
	/* Offset 0 is the next slot to be written. A slot is known to be done when the report at
	 * or behind it is; the burst reclaims only those. */
	slot = (uint16_t)((queue->tail + offset) % queue->count);
	used = igb_distance(queue->clean, queue->tail, queue->count);
	ahead = igb_distance(queue->clean, slot, queue->count);
	if (ahead >= used)
		return RTE_ETH_TX_DESC_DONE;
	for (uint16_t i = queue->report_first; i != queue->report_end;
		i = igb_after(i, queue->count)) {
		uint16_t reporting = queue->reports[i];

		if (igb_distance(queue->clean, reporting, queue->count) < ahead)
			continue;
		return __atomic_load_n(&queue->ring[reporting].quad[1], __ATOMIC_ACQUIRE) & DONE
			       ? RTE_ETH_TX_DESC_DONE
			       : RTE_ETH_TX_DESC_FULL;
	}
	return RTE_ETH_TX_DESC_FULL;
}
