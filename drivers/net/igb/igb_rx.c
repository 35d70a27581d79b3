/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "igb.h"

/*
 * Receive bursts. The NIC writes descriptors back in order, four to a cache line, from another
 * core or over PCIe. A line that it is still writing is read only when nothing else is there to
 * return: each read of it costs the NIC's side, and the next read here, a transfer of the line.
 */

#define PREFETCH_AHEAD 4 /* at most IGB_RX_BUFFERS_MORE */

#define GOOD_FRAME     (SHUNT_82576_RXD_EOP | SHUNT_82576_RXD_RXE)
#define PLAIN_FRAME    (GOOD_FRAME | SHUNT_82576_RXD_VP)

/* Packet type of the seven bits that packet_info has for it, 7.1.5.2. */
#define L3(bits)                                                                 \
	((bits)&SHUNT_82576_RXD_PACKET_IPV4_OPT          ? RTE_PTYPE_L3_IPV4_EXT \
		: (bits)&SHUNT_82576_RXD_PACKET_IPV4     ? RTE_PTYPE_L3_IPV4     \
		: (bits)&SHUNT_82576_RXD_PACKET_IPV6_EXT ? RTE_PTYPE_L3_IPV6_EXT \
		: (bits)&SHUNT_82576_RXD_PACKET_IPV6     ? RTE_PTYPE_L3_IPV6     \
							 : 0)
#define L4(bits)                                                         \
	((bits)&SHUNT_82576_RXD_PACKET_TCP           ? RTE_PTYPE_L4_TCP  \
		: (bits)&SHUNT_82576_RXD_PACKET_UDP  ? RTE_PTYPE_L4_UDP  \
		: (bits)&SHUNT_82576_RXD_PACKET_SCTP ? RTE_PTYPE_L4_SCTP \
						     : 0)
#define TYPE(bits)     (RTE_PTYPE_L2_ETHER | L3(bits) | L4(bits))
#define TYPES_4(bits)  TYPE(bits), TYPE((bits) + 1), TYPE((bits) + 2), TYPE((bits) + 3)
#define TYPES_16(bits) TYPES_4(bits), TYPES_4((bits) + 4), TYPES_4((bits) + 8), TYPES_4((bits) + 12)
#define PACKET_TYPES   128

static const uint32_t packet_types[PACKET_TYPES] = { TYPES_16(0), TYPES_16(16), TYPES_16(32),
	TYPES_16(48), TYPES_16(64), TYPES_16(80), TYPES_16(96), TYPES_16(112) };

/* Checksum flags by L4CS, IPCS (status bits 5 and 6) and L4E, IPE (bits 29 and 30). */
#define L4_FLAGS(index)                                      \
	(!((index)&1)       ? RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN \
		: (index)&4 ? RTE_MBUF_F_RX_L4_CKSUM_BAD     \
			    : RTE_MBUF_F_RX_L4_CKSUM_GOOD)
#define IP_FLAGS(index)                                      \
	(!((index)&2)       ? RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN \
		: (index)&8 ? RTE_MBUF_F_RX_IP_CKSUM_BAD     \
			    : RTE_MBUF_F_RX_IP_CKSUM_GOOD)
#define FLAGS(index)   (L4_FLAGS(index) | IP_FLAGS(index))
#define FLAGS_4(index) FLAGS(index), FLAGS((index) + 1), FLAGS((index) + 2), FLAGS((index) + 3)

static const uint64_t checksum_flags[16] = { FLAGS_4(0), FLAGS_4(4), FLAGS_4(8), FLAGS_4(12) };

/** A written-back descriptor in registers. */
struct done {
	uint32_t packet_info;
	uint32_t rss_hash;
	uint32_t status;
	uint32_t length;
	uint32_t vlan;
};

static inline __attribute__((always_inline)) bool load_done(
	const union shunt_82576_rx_descriptor *descriptor, struct done *done)
{
	uint64_t high = rte_le_to_cpu_64(__atomic_load_n(&descriptor->quad[1], __ATOMIC_ACQUIRE));
	uint64_t low;

	if (!(high & SHUNT_82576_RXD_DD))
		return false;
	low = rte_le_to_cpu_64(descriptor->quad[0]);
	done->packet_info = (uint32_t)low;
	done->rss_hash = (uint32_t)(low >> 32);
	done->status = (uint32_t)high;
	done->length = (uint32_t)(high >> 32) & UINT16_MAX;
	done->vlan = (uint32_t)(high >> 48);
	return true;
}

static inline void set_metadata(struct rte_mbuf *buffer, const struct done *done)
{
	uint64_t flags = checksum_flags[(done->status >> 5 & 3) | (done->status >> 27 & 12)];

	buffer->ol_flags = flags | (done->packet_info & 0xf ? RTE_MBUF_F_RX_RSS_HASH : 0);
	buffer->packet_type = packet_types[done->packet_info >> SHUNT_82576_RXD_PACKET_TYPE_SHIFT &
					   (PACKET_TYPES - 1)];
	buffer->hash.rss = done->rss_hash;
	buffer->vlan_tci = 0;
}

static inline void set_vlan(struct rte_mbuf *buffer, const struct done *done)
{
	if (!(done->status & SHUNT_82576_RXD_VP))
		return;
	buffer->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	buffer->vlan_tci = (uint16_t)done->vlan;
}

static inline void rearm(struct rte_mbuf *buffer, uint64_t value)
{
	uint64_t *fields = (uint64_t *)(void *)&buffer->rearm_data;

	*fields = value;
}

/*
 * One descriptor of a frame that takes several, that is damaged, or came without the VLAN tag it
 * had. @return the complete frame
 */
static __rte_noinline struct rte_mbuf *gather(
	struct igb_rx_queue *queue, struct rte_mbuf *buffer, const struct done *done)
{
	struct rte_mbuf *frame = queue->first;

	rearm(buffer, queue->rearm);
	buffer->data_len = (uint16_t)done->length;
	buffer->pkt_len = done->length;
	if (frame) {
		frame->pkt_len += done->length;
		frame->nb_segs++;
		queue->last->next = buffer;
	} else {
		frame = queue->first = buffer;
		frame->ol_flags = 0;
	}
	queue->last = buffer;
	/* Damage is remembered in flags that are set anew when the frame is complete. */
	if (done->status & SHUNT_82576_RXD_RXE)
		frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
	if (!(done->status & SHUNT_82576_RXD_EOP))
		return NULL;
	queue->first = queue->last = NULL;
	if (frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_BAD) {
		IGB_COUNT(queue->discarded, 1);
		rte_pktmbuf_free(frame);
		return NULL;
	}
	set_metadata(frame, done);
	set_vlan(frame, done);
	return frame;
}

void igb_rx_refill(struct igb_rx_queue *queue)
{
	if (unlikely(queue->abandoned)) {
		rte_pktmbuf_free(queue->abandoned);
		queue->abandoned = NULL;
	}
	while (queue->unfilled >= IGB_REFILL) {
		uint16_t slot = queue->refill;
		uint16_t n = RTE_MIN(IGB_REFILL, queue->count - slot);
		struct rte_mbuf **buffers = &queue->buffers[slot];
		union shunt_82576_rx_descriptor *descriptor = &queue->ring[slot];

		if (unlikely(rte_mempool_get_bulk(queue->pool, (void **)buffers, n))) {
			IGB_COUNT(queue->no_buffers, 1);
			break;
		}
		for (uint16_t i = 0; i < n; i++) {
			uint64_t address = (uintptr_t)buffers[i]->buf_addr + RTE_PKTMBUF_HEADROOM;

			descriptor[i].read.packet_address = rte_cpu_to_le_64(address);
			__atomic_store_n(&descriptor[i].quad[1], 0, __ATOMIC_RELAXED);
		}
		queue->refill = slot + n == queue->count ? 0 : (uint16_t)(slot + n);
		queue->unfilled -= n;
	}
}

static inline __attribute__((always_inline)) uint16_t receive(struct igb_rx_queue *queue,
	struct rte_mbuf **frames, uint16_t room, const bool scattered, const bool full,
	const bool fenced)
{
	uint16_t next, filled, polled = 0, received = 0;
	uint64_t bytes = 0;

	if (!shunt_poll_enter(&queue->poll, fenced))
		return 0;
	next = queue->next;
	filled = queue->count - queue->unfilled;
	while (received < room && polled < filled) {
		const union shunt_82576_rx_descriptor *descriptor = &queue->ring[next];
		struct rte_mbuf *buffer;
		struct done done;

		/* A fresh line: take it when the NIC has done with it, or when there is no other.
		 */
		if (received && next % IGB_LINE_DESCRIPTORS == 0 &&
			next + IGB_LINE_DESCRIPTORS <= queue->count &&
			!(__atomic_load_n(
				  &descriptor[IGB_LINE_DESCRIPTORS - 1].quad[1], __ATOMIC_RELAXED) &
				rte_cpu_to_le_64(SHUNT_82576_RXD_DD)))
			break;
		if (!load_done(descriptor, &done))
			break;
		buffer = queue->buffers[next];
		next = next + 1 == queue->count ? 0 : next + 1;
		polled++;
		rte_prefetch0(queue->buffers[next + PREFETCH_AHEAD]);
		if (unlikely((done.status & (full ? GOOD_FRAME : PLAIN_FRAME)) !=
				     SHUNT_82576_RXD_EOP ||
			     (scattered && queue->first))) {
			buffer = gather(queue, buffer, &done);
			if (!buffer)
				continue;
		} else {
			rearm(buffer, queue->rearm);
			buffer->pkt_len = done.length;
			buffer->data_len = (uint16_t)done.length;
			set_metadata(buffer, &done);
			if (full)
				set_vlan(buffer, &done);
		}
		bytes += buffer->pkt_len;
		frames[received++] = buffer;
	}
	if (polled) {
		__atomic_store_n(&queue->next, next, __ATOMIC_RELAXED);
		queue->unfilled += polled;
		IGB_COUNT(queue->packets, received);
		IGB_COUNT(queue->bytes, bytes);
	}
	if (queue->unfilled >= IGB_REFILL) {
		uint16_t before = queue->refill;

		igb_rx_refill(queue);
		if (likely(queue->refill != before))
			igb_doorbell(queue->doorbell,
				(queue->refill ? queue->refill : queue->count) - 1u);
	}
	shunt_poll_leave(&queue->poll);
	return received;
}

static uint16_t receive_plain(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, false, false, false);
}

static uint16_t receive_plain_fenced(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, false, false, true);
}

static uint16_t receive_scattered(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, true, false, false);
}

static uint16_t receive_scattered_fenced(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, true, false, true);
}

static uint16_t receive_full(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, true, true, false);
}

static uint16_t receive_full_fenced(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, true, true, true);
}

eth_rx_burst_t igb_rx_function(bool scattered, bool fenced)
{
	if (scattered)
		return fenced ? receive_scattered_fenced : receive_scattered;
	return fenced ? receive_plain_fenced : receive_plain;
}

eth_rx_burst_t igb_rx_function_full(bool fenced)
{
	return fenced ? receive_full_fenced : receive_full;
}

int igb_rx_descriptor_status(void *opaque, uint16_t offset)
{
	struct igb_rx_queue *queue = opaque;
	uint16_t slot;

	if (offset >= queue->count)
		return -EINVAL;
	if (offset >= queue->count - queue->unfilled)
		return RTE_ETH_RX_DESC_UNAVAIL;
	slot = (uint16_t)((queue->next + offset) % queue->count);
	return __atomic_load_n(&queue->ring[slot].quad[1], __ATOMIC_ACQUIRE) &
			       rte_cpu_to_le_64(SHUNT_82576_RXD_DD)
		       ? RTE_ETH_RX_DESC_DONE
		       : RTE_ETH_RX_DESC_AVAIL;
}
