/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_net.h>

#include "igb_tx.h"

/*
 * Transmit bursts of ports whose NIC works on frames: VLAN tags, checksums, TCP segmentation.
 *
 *   frame's flags, lengths --> context descriptor, unless the one before says the same
 *                          --> data descriptors, the first of which says what to do: 7.2.2
 *
 * One context of the two that a queue has is used: after a reset of the NIC a single descriptor
 * brings back what frames in the ring were written for (igb_ring.c).
 */

#define NEEDS_CONTEXT                                                          \
	(RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | \
		RTE_MBUF_F_TX_TCP_SEG)
#define SUPPORTED   (NEEDS_CONTEXT | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6)
#define UNSUPPORTED (RTE_MBUF_F_TX_OFFLOAD_MASK & ~SUPPORTED)

#define MSS_MAX     9216u /* with headers of 512 bytes it fits into the longest frame */
#define HEADERS_MAX 512u

/** What a frame asks of the NIC. */
struct work {
	union shunt_82576_tx_descriptor context; /**< quad[1] is 0: none */
	uint32_t command;                        /**< of data descriptors */
	uint32_t options;                        /**< of data descriptors, PAYLEN too */
	uint32_t frames;                         /**< on the wire */
	uint32_t bytes;                          /**< of those, without tags and FCS */
};

static uint32_t l4_type(uint64_t flags)
{
	if (flags & RTE_MBUF_F_TX_TCP_SEG)
		return SHUNT_82576_TXC_L4T_TCP;
	switch (flags & RTE_MBUF_F_TX_L4_MASK) {
	case RTE_MBUF_F_TX_TCP_CKSUM:
		return SHUNT_82576_TXC_L4T_TCP;
	case RTE_MBUF_F_TX_SCTP_CKSUM:
		return SHUNT_82576_TXC_L4T_SCTP;
	default:
		return SHUNT_82576_TXC_L4T_UDP;
	}
}

/* Fields of the context that the frame does not use are 0, so that more frames share one. */
static inline void make_context(const struct rte_mbuf *frame, uint64_t flags, struct work *work)
{
	uint32_t lengths = 0, mss = 0;
	uint32_t type = SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_CONTEXT | l4_type(flags);

	if (flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG))
		lengths = frame->l3_len | (uint32_t)frame->l2_len << SHUNT_82576_TXC_MACLEN_SHIFT;
	if (flags & RTE_MBUF_F_TX_VLAN)
		lengths |= (uint32_t)frame->vlan_tci << SHUNT_82576_TXC_VLAN_SHIFT;
	if (flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4))
		type |= SHUNT_82576_TXC_IPV4;
	if (flags & RTE_MBUF_F_TX_TCP_SEG)
		mss = (uint32_t)frame->tso_segsz << SHUNT_82576_TXC_MSS_SHIFT |
		      (uint32_t)frame->l4_len << SHUNT_82576_TXC_L4LEN_SHIFT;
	work->context.quad[0] = rte_cpu_to_le_64(lengths);
	work->context.quad[1] = rte_cpu_to_le_64((uint64_t)mss << 32 | type);
}

static uint32_t headers_of(const struct rte_mbuf *frame)
{
	return (uint32_t)frame->l2_len + frame->l3_len + frame->l4_len;
}

static bool can_segment(const struct rte_mbuf *frame)
{
	uint32_t headers = headers_of(frame);

	return frame->tso_segsz && frame->tso_segsz <= MSS_MAX && headers <= HEADERS_MAX &&
	       frame->pkt_len > headers && frame->pkt_len <= headers + UINT16_MAX;
}

/* @return false: no 82576 can send this */
static bool segment(const struct rte_mbuf *frame, uint64_t flags, struct work *work)
{
	uint32_t headers = headers_of(frame);

	if (!can_segment(frame))
		return false;
	work->command |= SHUNT_82576_TXD_TSE;
	work->options = (frame->pkt_len - headers) << SHUNT_82576_TXD_PAYLEN_SHIFT |
			SHUNT_82576_TXD_POPTS_TXSM;
	if (flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4))
		work->options |= SHUNT_82576_TXD_POPTS_IXSM;
	work->frames = (frame->pkt_len - headers + frame->tso_segsz - 1) / frame->tso_segsz;
	work->bytes = frame->pkt_len + (work->frames - 1) * headers;
	return true;
}

/* @return false: no 82576 can send this */
static inline bool plan(const struct rte_mbuf *frame, struct work *work)
{
	uint64_t flags = frame->ol_flags;

	*work = (struct work){ .command = IGB_TX_COMMAND,
		.options = frame->pkt_len << SHUNT_82576_TXD_PAYLEN_SHIFT,
		.frames = 1,
		.bytes = frame->pkt_len };
	if (flags & NEEDS_CONTEXT)
		make_context(frame, flags, work);
	if (flags & RTE_MBUF_F_TX_VLAN)
		work->command |= SHUNT_82576_TXD_VLE;
	if (flags & RTE_MBUF_F_TX_TCP_SEG)
		return segment(frame, flags, work);
	if (flags & RTE_MBUF_F_TX_IP_CKSUM)
		work->options |= SHUNT_82576_TXD_POPTS_IXSM;
	if (flags & RTE_MBUF_F_TX_L4_MASK)
		work->options |= SHUNT_82576_TXD_POPTS_TXSM;
	/* An empty frame is none of these. */
	return frame->pkt_len - 1u <
	       IGB_TX_FRAME_MAX - (flags & RTE_MBUF_F_TX_VLAN ? SHUNT_82576_VLAN_TAG : 0);
}

static void write_context(struct igb_tx_queue *queue, const struct work *work)
{
	uint16_t slot = queue->tail;

	queue->ring[slot] = queue->context = work->context;
	queue->buffers[slot] = NULL;
	queue->unreported++;
	igb_tx_take(queue);
}

/* @return false: no room */
static inline bool send_frame(
	struct igb_tx_queue *queue, struct rte_mbuf *frame, uint64_t *frames, uint64_t *bytes)
{
	unsigned int segments = frame->nb_segs == 1 ? 1 : igb_tx_segments(frame);
	struct work work;
	bool fresh;

	if (unlikely(!plan(frame, &work) || segments == 0 || segments > queue->segments_max)) {
		IGB_COUNT(queue->counts.discarded, 1);
		rte_pktmbuf_free(frame);
		return true;
	}
	fresh = work.context.quad[1] && (work.context.quad[0] != queue->context.quad[0] ||
						work.context.quad[1] != queue->context.quad[1]);
	if (queue->free < segments + fresh)
		return false;
	if (fresh)
		write_context(queue, &work);
	igb_tx_write_segments(queue, frame, segments, work.command, work.options);
	if (queue->unreported == 0)
		queue->context.quad[1] = 0;
	*frames += work.frames;
	*bytes += work.bytes;
	return true;
}

static inline __attribute__((always_inline)) uint16_t transmit(
	struct igb_tx_queue *queue, struct rte_mbuf **frames, uint16_t count, const bool fenced)
{
	uint64_t packets = 0, bytes = 0;
	uint16_t sent = 0;
	uint16_t before;

	if (!shunt_poll_enter(&queue->poll, fenced) && !shunt_poll_enter_late(&queue->poll, fenced))
		return 0;
	if (queue->free < queue->free_threshold || queue->free < 2u * count)
		igb_tx_reclaim(queue);
	before = queue->tail;
	igb_tx_prefetch_slots(queue, before, count);
	for (; sent < count; sent++) {
		if (sent + IGB_TX_PREFETCH_AHEAD < count)
			rte_prefetch0(frames[sent + IGB_TX_PREFETCH_AHEAD]);
		if (!send_frame(queue, frames[sent], &packets, &bytes))
			break;
	}
	IGB_COUNT(queue->counts.packets, packets);
	IGB_COUNT(queue->counts.bytes, bytes);
	if (queue->tail != before) {
		igb_tx_report_last(queue);
		igb_doorbell(queue->doorbell, queue->tail);
	}
	shunt_poll_leave(&queue->poll);
	return sent;
}

static uint16_t transmit_full(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	return transmit(queue, frames, count, false);
}

static uint16_t transmit_full_fenced(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	return transmit(queue, frames, count, true);
}

eth_tx_burst_t igb_tx_function_offload(bool fenced)
{
	return fenced ? transmit_full_fenced : transmit_full;
}

static int check(const struct igb_tx_queue *queue, const struct rte_mbuf *frame)
{
	bool segmented = frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG;

	if (frame->ol_flags & UNSUPPORTED)
		return ENOTSUP;
	if (frame->nb_segs > queue->segments_max || frame->pkt_len < RTE_ETHER_HDR_LEN ||
		(segmented ? !can_segment(frame) : frame->pkt_len > IGB_TX_FRAME_MAX))
		return EINVAL;
	return 0;
}

uint16_t igb_tx_prepare_offload(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		int err = check(queue, frames[i]);

		if (!err)
			err = -rte_net_intel_cksum_prepare(frames[i]);
		if (err) {
			rte_errno = err;
			return i;
		}
	}
	return count;
}
