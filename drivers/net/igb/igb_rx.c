/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stddef.h>
#include <string.h>

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

/* Length, VLAN and hash are written together. */
_Static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "a processor of the order the NIC has");
_Static_assert(
	offsetof(struct rte_mbuf, vlan_tci) == offsetof(struct rte_mbuf, data_len) + 2 &&
		offsetof(struct rte_mbuf, hash.rss) == offsetof(struct rte_mbuf, data_len) + 4,
	"the layout of struct rte_mbuf");

/** A written-back descriptor in registers; quad[1] is `high`. */
struct done {
	uint64_t low, high;
};

static inline __attribute__((always_inline)) bool load_done(
	const union shunt_82576_rx_descriptor *descriptor, struct done *done)
{
	done->high = __atomic_load_n(&descriptor->quad[1], __ATOMIC_ACQUIRE);
	done->low = descriptor->quad[0];
	return done->high & SHUNT_82576_RXD_DD;
}

static inline uint64_t flags_of(const struct done *done)
{
	uint64_t flags = checksum_flags[(done->high >> 5 & 3) | (done->high >> 27 & 12)];

	if (done->low & SHUNT_82576_RXD_RSS_TYPE)
		flags |= RTE_MBUF_F_RX_RSS_HASH;
	if (done->high & SHUNT_82576_RXD_VP)
		flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	return flags;
}

static inline uint16_t length_of(const struct done *done)
{
	return (uint16_t)(done->high >> 32);
}

/*
 * An mbuf that is a whole frame, or the first of one.
 *
 * @param full  constant; false: nothing but length and type can be there
 */
static inline __attribute__((always_inline)) void set_mbuf(
	struct rte_mbuf *buffer, const struct done *done, uint64_t rearm, const bool full)
{
	uint64_t behind = length_of(done);

	if (full) {
		if (done->high & SHUNT_82576_RXD_VP)
			behind |= done->high >> 48 << 16;
		behind |= done->low >> 32 << 32;
	}
	memcpy(&buffer->rearm_data, &rearm, sizeof(rearm));
	buffer->ol_flags = full ? flags_of(done) : 0;
	buffer->packet_type =
		packet_types[done->low >> SHUNT_82576_RXD_PACKET_TYPE_SHIFT & (PACKET_TYPES - 1)];
	buffer->pkt_len = length_of(done);
	memcpy(&buffer->data_len, &behind, sizeof(behind));
}

/*
 * One descriptor of a frame that takes several, that is damaged, or came without the VLAN tag it
 * had. @return the complete frame
 */
static __rte_noinline struct rte_mbuf *gather(
	struct igb_rx_queue *queue, struct rte_mbuf *buffer, uint64_t low, uint64_t high)
{
	const struct done done = { low, high };
	struct rte_mbuf *frame = queue->first;

	set_mbuf(buffer, &done, queue->rearm, true);
	if (frame) {
		frame->pkt_len += buffer->pkt_len;
		frame->nb_segs++;
		queue->last->next = buffer;
	} else {
		frame = queue->first = buffer;
		frame->ol_flags = 0;
	}
	queue->last = buffer;
	/* Damage is remembered in flags that are set anew when the frame is complete. */
	if (high & SHUNT_82576_RXD_RXE)
		frame->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
	if (!(high & SHUNT_82576_RXD_EOP))
		return NULL;
	queue->first = queue->last = NULL;
	if (frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_BAD) {
		IGB_COUNT(queue->discarded, 1);
		rte_pktmbuf_free(frame);
		return NULL;
	}
	/* What is known of a frame is in its last descriptor. */
	frame->ol_flags = flags_of(&done);
	frame->packet_type = buffer->packet_type;
	frame->hash.rss = buffer->hash.rss;
	frame->vlan_tci = buffer->vlan_tci;
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

/** What a burst has done so far. */
struct burst {
	uint32_t next;     /**< slot */
	uint32_t polled;   /**< slots */
	uint32_t received; /**< frames */
	uint64_t bytes;
};

/* Whether the NIC has done with the line that begins here. */
static inline bool line_is_done(const struct igb_rx_queue *queue, uint32_t slot)
{
	return __atomic_load_n(
		       &queue->ring[slot + IGB_LINE_DESCRIPTORS - 1].quad[1], __ATOMIC_RELAXED) &
	       SHUNT_82576_RXD_DD;
}

static inline uint64_t high_of(const union shunt_82576_rx_descriptor *descriptor)
{
	return __atomic_load_n(&descriptor->quad[1], __ATOMIC_ACQUIRE);
}

/* Whether every descriptor of a line is done and a whole frame, with nothing to it. */
static inline __attribute__((always_inline)) bool line_is_plain(
	const union shunt_82576_rx_descriptor *line, const bool full)
{
	const uint64_t wanted = SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP;
	const uint64_t unwanted = (full ? GOOD_FRAME : PLAIN_FRAME) & ~wanted;
	uint64_t a = high_of(&line[0]), b = high_of(&line[1]);
	uint64_t c = high_of(&line[2]), d = high_of(&line[3]);

	return ((a & b & c & d) & wanted) == wanted && !((a | b | c | d) & unwanted);
}

/*
 * Lines as a whole, the usual case: four frames share what a line is asked for. Ends in front of
 * one that is not complete, or has something else in it.
 */
static inline __attribute__((always_inline)) void take_lines(const struct igb_rx_queue *queue,
	struct rte_mbuf **frames, uint32_t most, struct burst *burst, const bool full)
{
	const union shunt_82576_rx_descriptor *line = &queue->ring[burst->next];
	struct rte_mbuf **buffers = &queue->buffers[burst->next];
	const uint64_t fresh = queue->rearm;
	uint64_t bytes = 0;
	uint32_t taken = 0;

	most = RTE_MIN(most, queue->count - burst->next);
	for (; taken + IGB_LINE_DESCRIPTORS <= most; taken += IGB_LINE_DESCRIPTORS) {
		if (!(high_of(&line[IGB_LINE_DESCRIPTORS - 1]) & SHUNT_82576_RXD_DD) ||
			!line_is_plain(line, full))
			break;
		for (unsigned int i = 0; i < IGB_LINE_DESCRIPTORS; i++) {
			const struct done done = { line[i].quad[0], line[i].quad[1] };

			rte_prefetch0(buffers[i + PREFETCH_AHEAD]);
			set_mbuf(buffers[i], &done, fresh, full);
			bytes += length_of(&done);
			frames[i] = buffers[i];
		}
		line += IGB_LINE_DESCRIPTORS;
		buffers += IGB_LINE_DESCRIPTORS;
		frames += IGB_LINE_DESCRIPTORS;
	}
	burst->next += taken;
	burst->next -= burst->next == queue->count ? queue->count : 0;
	burst->polled += taken;
	burst->received += taken;
	burst->bytes += bytes;
}

/* One descriptor. @return false: it is not done */
static inline __attribute__((always_inline)) bool take_one(struct igb_rx_queue *queue,
	struct rte_mbuf **frames, struct burst *burst, const bool scattered, const bool full)
{
	struct rte_mbuf *buffer = queue->buffers[burst->next];
	struct done done;

	if (!load_done(&queue->ring[burst->next], &done))
		return false;
	burst->next = burst->next + 1 == queue->count ? 0 : burst->next + 1;
	burst->polled++;
	rte_prefetch0(queue->buffers[burst->next + PREFETCH_AHEAD]);
	if (unlikely((done.high & (full ? GOOD_FRAME : PLAIN_FRAME)) != SHUNT_82576_RXD_EOP ||
		     (scattered && queue->first))) {
		buffer = gather(queue, buffer, done.low, done.high);
		if (!buffer)
			return true;
	} else {
		set_mbuf(buffer, &done, queue->rearm, full);
	}
	burst->bytes += buffer->pkt_len;
	frames[burst->received++] = buffer;
	return true;
}

static inline __attribute__((always_inline)) uint16_t receive(struct igb_rx_queue *queue,
	struct rte_mbuf **frames, uint16_t room, const bool scattered, const bool full,
	const bool fenced)
{
	struct burst burst = { 0 };
	uint32_t filled;

	if (!shunt_poll_enter(&queue->poll, fenced))
		return 0;
	burst.next = queue->next;
	filled = high_of(&queue->ring[queue->next]) & SHUNT_82576_RXD_DD
			 ? queue->count - queue->unfilled
			 : 0; /* nothing has come */
	while (burst.received < room && burst.polled < filled) {
		if (burst.next % IGB_LINE_DESCRIPTORS == 0 && !(scattered && queue->first)) {
			take_lines(queue, frames + burst.received,
				RTE_MIN(room - burst.received, filled - burst.polled), &burst,
				full);
			if (burst.received >= room || burst.polled >= filled)
				break;
			if (burst.received && !line_is_done(queue, burst.next))
				break;
		}
		if (!take_one(queue, frames, &burst, scattered, full))
			break;
	}
	if (burst.polled) {
		__atomic_store_n(&queue->next, (uint16_t)burst.next, __ATOMIC_RELAXED);
		queue->unfilled += burst.polled;
		IGB_COUNT(queue->packets, burst.received);
		IGB_COUNT(queue->bytes, burst.bytes);
	}
	if (queue->unfilled >= IGB_REFILL) {
		uint16_t before = queue->refill;

		igb_rx_refill(queue);
		if (likely(queue->refill != before))
			igb_doorbell(queue->doorbell,
				(queue->refill ? queue->refill : queue->count) - 1u);
	}
	shunt_poll_leave(&queue->poll);
	return (uint16_t)burst.received;
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
	slot = (uint16_t)((__atomic_load_n(&queue->next, __ATOMIC_RELAXED) + offset) %
			  queue->count);
	return __atomic_load_n(&queue->ring[slot].quad[1], __ATOMIC_ACQUIRE) &
			       rte_cpu_to_le_64(SHUNT_82576_RXD_DD)
		       ? RTE_ETH_RX_DESC_DONE
		       : RTE_ETH_RX_DESC_AVAIL;
}
