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

#define SIMPLE         (SHUNT_82576_RXD_DD | SHUNT_82576_RXD_EOP)
#define LENGTH_SHIFT   32

/* Packet type of the seven bits that packet_info has for it, 7.1.5.2. */
#define L3(bits)                                                                   \
	(SHUNT_82576_RXD_PACKET_IPV4_OPT & (bits)          ? RTE_PTYPE_L3_IPV4_EXT \
		: SHUNT_82576_RXD_PACKET_IPV4 & (bits)     ? RTE_PTYPE_L3_IPV4     \
		: SHUNT_82576_RXD_PACKET_IPV6_EXT & (bits) ? RTE_PTYPE_L3_IPV6_EXT \
		: SHUNT_82576_RXD_PACKET_IPV6 & (bits)     ? RTE_PTYPE_L3_IPV6     \
							   : 0)
#define L4(bits)                                                           \
	(SHUNT_82576_RXD_PACKET_TCP & (bits)           ? RTE_PTYPE_L4_TCP  \
		: SHUNT_82576_RXD_PACKET_UDP & (bits)  ? RTE_PTYPE_L4_UDP  \
		: SHUNT_82576_RXD_PACKET_SCTP & (bits) ? RTE_PTYPE_L4_SCTP \
						       : 0)
#define TYPE(bits)     (RTE_PTYPE_L2_ETHER | L3(bits) | L4(bits))
#define TYPES_4(bits)  TYPE(bits), TYPE((bits) + 1), TYPE((bits) + 2), TYPE((bits) + 3)
#define TYPES_16(bits) TYPES_4(bits), TYPES_4((bits) + 4), TYPES_4((bits) + 8), TYPES_4((bits) + 12)
#define PACKET_TYPES   128

static const uint32_t packet_types[PACKET_TYPES] = { TYPES_16(0), TYPES_16(16), TYPES_16(32),
	TYPES_16(48), TYPES_16(64), TYPES_16(80), TYPES_16(96), TYPES_16(112) };

/* Checksum flags by L4CS, IPCS (status bits 5 and 6) and L4E, IPE (bits 29 and 30). */
#define L4_FLAGS(index)                                        \
	(!(1 & (index))       ? RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN \
		: 4 & (index) ? RTE_MBUF_F_RX_L4_CKSUM_BAD     \
			      : RTE_MBUF_F_RX_L4_CKSUM_GOOD)
#define IP_FLAGS(index)                                        \
	(!(2 & (index))       ? RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN \
		: 8 & (index) ? RTE_MBUF_F_RX_IP_CKSUM_BAD     \
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

/* What is known of a frame, from its last descriptor. */
static inline __attribute__((always_inline)) void describe(
	struct rte_mbuf *frame, const struct done *done)
{
	frame->ol_flags = flags_of(done);
	frame->packet_type =
		packet_types[done->low >> SHUNT_82576_RXD_PACKET_TYPE_SHIFT & (PACKET_TYPES - 1)];
	frame->vlan_tci = done->high & SHUNT_82576_RXD_VP ? (uint16_t)(done->high >> 48) : 0;
	frame->hash.rss = (uint32_t)(done->low >> 32);
}

/*
 * An mbuf that is a whole frame, or a piece of one.
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
 * Bits that a simple frame has as in SIMPLE. Those of the length: none for which the buffer could
 * be too small, and none at all if there is an FCS to take off.
 */
static uint64_t slow_path_bits(const struct igb_rx_queue *queue)
{
	uint32_t length = queue->port->keep_crc ? 0 : rte_align32prevpow2(queue->buffer_size) - 1;
	uint64_t bits = SIMPLE | SHUNT_82576_RXD_RXE | (uint64_t)(uint16_t)~length << LENGTH_SHIFT;

	return queue->port->rx_full ? bits : bits | SHUNT_82576_RXD_VP;
}

void igb_rx_begin(struct igb_rx_queue *queue)
{
	queue->slow_bits = slow_path_bits(queue);
	queue->first = queue->last = NULL;
	queue->cut = false;
}

/*
 * Whether a piece may be what its descriptor says, whatever a NIC writes there: the NIC fills a
 * buffer before it takes the next, and no frame is longer than FRAME_MAX. QEMU: an FCS that does
 * not fit behind the last data is left out, with a piece that is not full, or an empty one.
 */
static bool piece_fits(const struct igb_rx_queue *queue, const struct rte_mbuf *frame,
	uint64_t high, uint16_t length)
{
	uint32_t before = frame ? frame->pkt_len : 0;

	if (high & SHUNT_82576_RXD_RXE || !length)
		return false;
	if (!(high & SHUNT_82576_RXD_EOP))
		return queue->port->scattered && length == queue->buffer_size &&
		       before + length < SHUNT_82576_FRAME_MAX;
	return length <= queue->buffer_size && before + length <= SHUNT_82576_FRAME_MAX &&
	       (!queue->port->keep_crc || before + length > SHUNT_82576_FCS_SIZE);
}

/* The FCS stays in memory behind the frame; a last segment that has nothing else goes. */
static void hide_fcs(struct rte_mbuf *frame, struct rte_mbuf *before, struct rte_mbuf *last)
{
	frame->pkt_len -= SHUNT_82576_FCS_SIZE;
	if (last->data_len > SHUNT_82576_FCS_SIZE) {
		last->data_len -= SHUNT_82576_FCS_SIZE;
		return;
	}
	before->data_len -= SHUNT_82576_FCS_SIZE - last->data_len;
	before->next = NULL;
	frame->nb_segs--;
	rte_pktmbuf_free_seg(last);
}

/*
 * One descriptor that is not simply a frame: of several, damaged, with a tag that nobody asked to
 * strip, with its FCS, or longer than may be. From a piece without EOP on, every descriptor comes
 * here until that frame's end; of a frame that is given up, none is kept.
 *
 * @return the complete frame
 */
static __rte_noinline struct rte_mbuf *gather(
	struct igb_rx_queue *queue, struct rte_mbuf *buffer, uint64_t low, uint64_t high)
{
	const struct done done = { low, high };
	bool begins = queue->slow_bits || queue->cut;
	struct rte_mbuf *frame = queue->first, *before = queue->last;

	if (queue->cut) {
		rte_pktmbuf_free(frame);
		frame = NULL;
		queue->cut = false;
	}
	queue->first = queue->last = NULL;
	queue->slow_bits = high & SHUNT_82576_RXD_EOP ? slow_path_bits(queue) : 0;
	set_mbuf(buffer, &done, queue->rearm, false);
	if (!begins && !frame) {
		rte_pktmbuf_free_seg(buffer);
		return NULL;
	}
	if (!piece_fits(queue, frame, high, length_of(&done))) {
		IGB_COUNT(queue->counts.discarded, 1);
		rte_pktmbuf_free_seg(buffer);
		rte_pktmbuf_free(frame);
		return NULL;
	}
	if (frame) {
		frame->pkt_len += buffer->pkt_len;
		frame->nb_segs++;
		before->next = buffer;
	} else {
		frame = buffer;
	}
	if (!(high & SHUNT_82576_RXD_EOP)) {
		queue->first = frame;
		queue->last = buffer;
		return NULL;
	}
	describe(frame, &done);
	if (queue->port->keep_crc)
		hide_fcs(frame, before, buffer);
	return frame;
}

/* A refill that is tried again with each poll lacks the same buffers. */
static __rte_noinline void count_lacking(struct igb_rx_queue *queue)
{
	if (queue->unfilled <= queue->lacking)
		return;
	IGB_COUNT(queue->counts.no_buffers, queue->unfilled - queue->lacking);
	queue->lacking = queue->unfilled;
}

void igb_rx_refill(struct igb_rx_queue *queue, uint16_t least)
{
	while (queue->unfilled >= least) {
		uint16_t slot = queue->refill;
		uint16_t n = RTE_MIN(queue->refill_size, queue->count - slot);
		struct rte_mbuf **buffers = &queue->buffers[slot];
		union shunt_82576_rx_descriptor *descriptor = &queue->ring[slot];

		n = RTE_MIN(n, queue->unfilled);
		if (unlikely(rte_mempool_get_bulk(queue->pool, (void **)buffers, n))) {
			count_lacking(queue);
			break;
		}
		for (uint16_t i = 0; i < n; i++) {
			uint64_t address = (uintptr_t)buffers[i]->buf_addr + RTE_PKTMBUF_HEADROOM;

			descriptor[i].read.packet_address = rte_cpu_to_le_64(address);
			__atomic_store_n(&descriptor[i].quad[1], 0, __ATOMIC_RELAXED);
		}
		queue->refill = slot + n == queue->count ? 0 : (uint16_t)(slot + n);
		queue->unfilled -= n;
		queue->lacking -= RTE_MIN(queue->lacking, n);
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
static inline bool line_is_done(const union shunt_82576_rx_descriptor *line)
{
	return __atomic_load_n(&line[IGB_LINE_DESCRIPTORS - 1].quad[1], __ATOMIC_RELAXED) &
	       SHUNT_82576_RXD_DD;
}

static inline uint64_t high_of(const union shunt_82576_rx_descriptor *descriptor)
{
	return __atomic_load_n(&descriptor->quad[1], __ATOMIC_ACQUIRE);
}

/*
 * Lines as a whole, the usual case. Ends in front of one that is not complete, or where something
 * else than a simple frame is.
 */
static inline __attribute__((always_inline)) void take_lines(const struct igb_rx_queue *queue,
	struct rte_mbuf **frames, uint32_t most, struct burst *burst, const bool full)
{
	const union shunt_82576_rx_descriptor *line = &queue->ring[burst->next];
	struct rte_mbuf **buffers = &queue->buffers[burst->next];
	const uint64_t fresh = queue->rearm, slow_bits = queue->slow_bits;
	uint64_t bytes = 0;
	uint32_t taken = 0;

	most = RTE_MIN(most, queue->count - burst->next);
	for (; taken + IGB_LINE_DESCRIPTORS <= most; taken += IGB_LINE_DESCRIPTORS) {
		unsigned int i;

		if (!line_is_done(line))
			break;
#pragma GCC unroll 4
		for (i = 0; i < IGB_LINE_DESCRIPTORS; i++) {
			struct rte_mbuf *buffer = buffers[i];
			struct done done;

			load_done(&line[i], &done);
			if (unlikely((done.high & slow_bits) != SIMPLE))
				break;
			rte_prefetch0(buffers[i + PREFETCH_AHEAD]);
			set_mbuf(buffer, &done, fresh, full);
			bytes += length_of(&done);
			frames[i] = buffer;
		}
		if (unlikely(i < IGB_LINE_DESCRIPTORS)) {
			taken += i;
			break;
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
static inline __attribute__((always_inline)) bool take_one(
	struct igb_rx_queue *queue, struct rte_mbuf **frames, struct burst *burst, const bool full)
{
	struct rte_mbuf *buffer = queue->buffers[burst->next];
	struct done done;

	if (!load_done(&queue->ring[burst->next], &done))
		return false;
	burst->next = burst->next + 1 == queue->count ? 0 : burst->next + 1;
	burst->polled++;
	rte_prefetch0(queue->buffers[burst->next + PREFETCH_AHEAD]);
	if (unlikely((done.high & queue->slow_bits) != SIMPLE)) {
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
	struct rte_mbuf **frames, uint16_t room, const bool full, const bool fenced)
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
		if (burst.next % IGB_LINE_DESCRIPTORS == 0) {
			take_lines(queue, frames + burst.received,
				RTE_MIN(room - burst.received, filled - burst.polled), &burst,
				full);
			if (burst.received >= room || burst.polled >= filled)
				break;
			if (burst.next % IGB_LINE_DESCRIPTORS == 0 && burst.received &&
				!line_is_done(&queue->ring[burst.next]))
				break;
		}
		if (!take_one(queue, frames, &burst, full))
			break;
	}
	if (burst.polled) {
		__atomic_store_n(&queue->next, (uint16_t)burst.next, __ATOMIC_RELAXED);
		queue->unfilled += burst.polled;
		IGB_COUNT(queue->counts.packets, burst.received);
		IGB_COUNT(queue->counts.bytes, burst.bytes);
	}
	if (queue->unfilled >= queue->refill_size) {
		uint16_t before = queue->refill;

		igb_rx_refill(queue, queue->refill_size);
		if (likely(queue->refill != before))
			igb_doorbell(queue->doorbell,
				(queue->refill ? queue->refill : queue->count) - 1u);
	}
	shunt_poll_leave(&queue->poll);
	return (uint16_t)burst.received;
}

static uint16_t receive_plain(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, false, false);
}

static uint16_t receive_plain_fenced(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, false, true);
}

static uint16_t receive_full(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, true, false);
}

static uint16_t receive_full_fenced(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	return receive(queue, frames, room, true, true);
}

eth_rx_burst_t igb_rx_function(bool full, bool fenced)
{
	if (full)
		return fenced ? receive_full_fenced : receive_full;
	return fenced ? receive_plain_fenced : receive_plain;
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
