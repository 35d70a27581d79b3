/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"

#define RX_DAMAGED (SHUNT_82576_RXD_DD | SHUNT_82576_RXD_RXE)
#define TX_DONE    ((uint64_t)SHUNT_82576_TXD_DD << 32)

static uint16_t after(uint16_t slot, uint16_t by, uint16_t count)
{
	return (uint16_t)((slot + by) % count);
}

uint16_t igb_rx_ring_completed(const struct igb_rx_queue *queue)
{
	uint16_t filled = queue->count - queue->unfilled;
	uint16_t next = __atomic_load_n(&queue->next, __ATOMIC_RELAXED);
	uint16_t n = 0;

	while (n < filled &&
		(igb_rx_status(queue, after(next, n, queue->count)) & SHUNT_82576_RXD_DD))
		n++;
	return n;
}

uint16_t igb_rx_ring_frames(const struct igb_rx_queue *queue, uint16_t completed)
{
	/* The end of one that is being given up is not of a frame more. */
	bool counted = !queue->slow_bits && !queue->first && !queue->cut;
	uint16_t frames = 0;

	for (uint16_t i = 0; i < completed; i++)
		frames += (igb_rx_status(queue, after(queue->next, i, queue->count)) &
				  SHUNT_82576_RXD_EOP) != 0;
	return frames - (frames && counted);
}

/*
 * RXE is free for the mark: the NIC stores bad packets only with RCTL.SBP, which is off.
 *
 * Where frames take one descriptor a marked slot is a frame of its own. Where they may take
 * several, what follows a marked slot may be the rest of the same frame: without EOP the mark makes
 * the burst discard up to the next end of a frame, which gives one good frame up if the marked slot
 * was the last of its own.
 */
uint16_t igb_rx_ring_repair(struct igb_rx_queue *queue, uint16_t head, uint32_t *dropped)
{
	bool scattered = queue->port->scattered;
	uint32_t mark = scattered ? RX_DAMAGED : RX_DAMAGED | SHUNT_82576_RXD_EOP;
	uint16_t used = igb_distance(queue->next, head, queue->count);
	uint16_t marked = 0;
	bool before = false;

	for (uint16_t i = 0; i < used; i++) {
		uint16_t slot = after(queue->next, i, queue->count);
		bool hole = !(igb_rx_status(queue, slot) & SHUNT_82576_RXD_DD);

		if (hole) {
			queue->ring[slot].quad[0] = 0;
			__atomic_store_n(&queue->ring[slot].quad[1], mark, __ATOMIC_RELEASE);
			marked++;
		}
		*dropped += scattered && before && !hole;
		before = hole;
	}
	*dropped += scattered && before;
	return marked;
}

/* The poller may ask for a descriptor's status, or count those that are done, meanwhile. */
static void put(uint64_t to[2], const uint64_t from[2])
{
	to[0] = from[0];
	__atomic_store_n(&to[1], from[1], __ATOMIC_RELAXED);
}

static void reverse(uint64_t (*ring)[2], struct rte_mbuf **buffers, uint16_t first, uint16_t end)
{
	for (; first + 1 < end; first++) {
		const uint64_t descriptor[2] = { ring[first][0], ring[first][1] };
		struct rte_mbuf *buffer = buffers[first];

		end--;
		put(ring[first], ring[end]);
		buffers[first] = buffers[end];
		put(ring[end], descriptor);
		buffers[end] = buffer;
	}
}

/* Turns a ring by `shift` slots. Three reversals do it: no memory is needed. */
static void turn(uint64_t (*ring)[2], struct rte_mbuf **buffers, uint16_t count, uint16_t shift)
{
	reverse(ring, buffers, 0, count);
	reverse(ring, buffers, 0, shift);
	reverse(ring, buffers, shift, count);
}

static bool is_marked(const struct igb_rx_queue *queue, uint16_t slot)
{
	return queue->ring[slot].quad[0] == 0 && (igb_rx_status(queue, slot) & SHUNT_82576_RXD_RXE);
}

/*
 * Takes marked slots out from between completed ones, with their buffers: behind those they are as
 * good as any that the NIC has. Where frames may take several descriptors one of each row of them
 * stays, at which the burst gives up what is left of a frame.
 *
 * @return slots that stay completed
 */
static uint16_t requeue_marked(struct igb_rx_queue *queue, uint16_t completed)
{
	bool scattered = queue->port->scattered, before = false;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < completed; i++) {
		uint16_t slot = after(queue->next, i, queue->count);
		uint16_t to = after(queue->next, kept, queue->count);
		bool marked = is_marked(queue, slot);

		if (marked && (!scattered || before))
			continue;
		before = marked;
		kept++;
		if (slot != to) {
			struct rte_mbuf *buffer = queue->buffers[to];

			put(queue->ring[to].quad, queue->ring[slot].quad);
			queue->buffers[to] = queue->buffers[slot];
			queue->buffers[slot] = buffer;
		}
	}
	if (!scattered) /* of a frame each */
		IGB_COUNT(queue->counts.discarded, completed - kept);
	return kept;
}

/*
 * The NIC starts at slot 0, but written-back frames that nobody has polled have to stay in front of
 * it. So the whole ring is turned until they end at its last slot:
 *
 *   before   [ unfilled | completed | with the NIC ]   next at completed, turned by any amount
 *   after    [ with the NIC | unfilled | completed ]   next at completed, NIC at slot 0
 *
 * A NIC that used up its ring without writing back would find nothing in it until the poller comes,
 * and lose what arrives: it has those slots again.
 */
void igb_rx_ring_rebuild(struct igb_rx_queue *queue)
{
	uint16_t completed = requeue_marked(queue, igb_rx_ring_completed(queue));
	uint16_t filled = queue->count - queue->unfilled;
	uint16_t next = (uint16_t)((queue->count - completed) % queue->count);
	uint16_t shift = igb_distance(queue->next, next, queue->count);

	turn((void *)queue->ring, queue->buffers, queue->count, shift);
	__atomic_store_n(&queue->next, next, __ATOMIC_RELAXED);
	queue->refill = (uint16_t)((filled - completed) % queue->count);
	for (uint16_t i = 0; i < filled - completed; i++) {
		const union shunt_82576_rx_descriptor fresh = {
			.read.packet_address = rte_cpu_to_le_64(
				(uintptr_t)queue->buffers[i]->buf_addr + RTE_PKTMBUF_HEADROOM),
		};

		put(queue->ring[i].quad, fresh.quad);
	}

	/* The rest of a frame that was cut short does not come: end it as damaged. */
	if (completed) {
		union shunt_82576_rx_descriptor last = queue->ring[queue->count - 1];

		if (!(last.writeback.status_error & rte_cpu_to_le_32(SHUNT_82576_RXD_EOP))) {
			last.writeback.status_error |=
				rte_cpu_to_le_32(SHUNT_82576_RXD_EOP | SHUNT_82576_RXD_RXE);
			put(queue->ring[queue->count - 1].quad, last.quad);
		}
	} else {
		queue->cut |= !queue->slow_bits;
	}
}

/* One filled slot is always kept back: head and tail that meet mean an empty ring. */
uint16_t igb_rx_ring_tail(const struct igb_rx_queue *queue)
{
	if (queue->unfilled == queue->count)
		return 0;
	if (queue->refill == 0 && igb_rx_ring_completed(queue) + queue->unfilled == queue->count)
		return 0;
	return (uint16_t)((queue->refill + queue->count - 1) % queue->count);
}

uint16_t igb_tx_ring_repair(struct igb_tx_queue *queue, uint16_t head)
{
	uint16_t used = igb_distance(queue->clean, head, queue->count);
	uint16_t marked = 0;

	for (uint16_t i = queue->report_first; i != queue->report_end;
		i = igb_after(i, queue->count)) {
		uint16_t slot = queue->reports[i];
		uint64_t *status = &queue->ring[slot].quad[1];

		if (igb_distance(queue->clean, slot, queue->count) >= used)
			break;
		if (__atomic_load_n(status, __ATOMIC_ACQUIRE) & TX_DONE)
			continue;
		__atomic_store_n(status, TX_DONE, __ATOMIC_RELEASE);
		marked++;
	}
	return marked;
}

uint16_t igb_tx_ring_reported(const struct igb_tx_queue *queue)
{
	uint16_t first = queue->clean;

	for (uint16_t i = queue->report_first; i != queue->report_end;
		i = igb_after(i, queue->count)) {
		uint16_t slot = queue->reports[i];

		if (!(__atomic_load_n(&queue->ring[slot].quad[1], __ATOMIC_ACQUIRE) & TX_DONE))
			break;
		first = after(slot, 1, queue->count);
	}
	return first;
}

uint16_t igb_tx_ring_frame_start(const struct igb_tx_queue *queue, uint16_t head)
{
	uint16_t used = igb_distance(queue->clean, queue->tail, queue->count);

	/* Read from a NIC that others had reset: it says nothing of this ring. */
	if (igb_distance(queue->clean, head, queue->count) > used)
		return igb_tx_ring_reported(queue);
	while (head != queue->clean) {
		uint16_t before = (uint16_t)((head + queue->count - 1) % queue->count);
		const union shunt_82576_tx_descriptor *descriptor = &queue->ring[before];
		uint32_t command = rte_le_to_cpu_32(descriptor->read.command_length);

		/* What was written back, as only the ends of frames are, has no command any more.
		 */
		if ((descriptor->quad[1] & TX_DONE) || (command & SHUNT_82576_TXD_EOP) ||
			(command & SHUNT_82576_TXD_DTYP_MASK) == SHUNT_82576_TXD_DTYP_CONTEXT)
			break;
		head = before;
	}
	return head;
}

static bool is_context(const union shunt_82576_tx_descriptor *descriptor)
{
	return (rte_le_to_cpu_32(descriptor->context.command_type) &
		       (SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_MASK)) ==
	       (SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_CONTEXT);
}

/*
 * The context that the frame at this slot was written for. It lies in front of it, behind the last
 * report; or in front of the whole ring, if that was laid anew since.
 */
static union shunt_82576_tx_descriptor context_of(const struct igb_tx_queue *queue, uint16_t slot)
{
	while (slot != queue->clean) {
		slot = (uint16_t)((slot + queue->count - 1) % queue->count);
		if (is_context(&queue->ring[slot]))
			return queue->ring[slot];
	}
	return queue->carried;
}

static const union shunt_82576_tx_descriptor no_context;

/* A context descriptor, which makes the NIC do nothing that shows on the wire. */
static void write_context(
	struct igb_tx_queue *queue, uint16_t slot, const union shunt_82576_tx_descriptor *context)
{
	queue->ring[slot] = *context;
	queue->ring[slot].context.command_type |=
		rte_cpu_to_le_32(SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_CONTEXT);
	queue->context = no_context;
}

/*
 * Buffers of sent frames are left to the poller, as nobody else may use its pool; so slots that
 * hold them stay in front of the NIC's:
 *
 *   before   [ free | sent | not sent ]   turned by any amount
 *   after    [ context | not sent | free | sent ]   the last of "sent" in the context's slot
 *
 * Reports stay where they were, because contexts live from one to the next.
 */
void igb_tx_ring_rebuild(struct igb_tx_queue *queue, uint16_t unsent)
{
	uint16_t sent = igb_distance(queue->clean, unsent, queue->count);
	uint16_t left = igb_distance(unsent, queue->tail, queue->count);
	uint16_t shift = igb_distance(unsent, 1, queue->count);

	if (queue->sparse)
		queue->carried = context_of(queue, unsent);
	turn((void *)queue->ring, queue->buffers, queue->count, shift);
	queue->clean = (uint16_t)((1 + queue->count - sent) % queue->count);
	queue->tail = (uint16_t)((1 + left) % queue->count);
	write_context(queue, 0, &queue->carried);

	queue->report_first = queue->report_end = 0;
	if (sent)
		igb_tx_note_report(queue, 0);
	queue->unreported = 0;
	for (uint16_t i = 1; i <= left; i++) {
		queue->unreported++;
		if (queue->ring[i].read.command_length & rte_cpu_to_le_32(SHUNT_82576_TXD_RS))
			igb_tx_note_report(queue, i);
	}
}

/* The slot taken is one that was free: sent frames move up by one to fill it. */
uint16_t igb_tx_ring_probe(struct igb_tx_queue *queue)
{
	uint16_t slot = queue->tail;
	uint16_t sent = igb_distance(queue->clean, slot, queue->count);

	for (uint16_t i = 0, to = slot; i < sent; i++) {
		uint16_t from = (uint16_t)((to + queue->count - 1) % queue->count);

		queue->ring[to] = queue->ring[from];
		queue->buffers[to] = queue->buffers[from];
		to = from;
	}
	queue->clean = after(queue->clean, 1, queue->count);
	queue->tail = after(slot, 1, queue->count);
	write_context(queue, slot, &no_context);
	queue->report_first = queue->report_end = 0;
	queue->unreported = 0;
	if (sent)
		igb_tx_note_report(queue, slot);
	return slot;
}

void igb_tx_ring_done(struct igb_tx_queue *queue, uint16_t slot)
{
	__atomic_store_n(&queue->ring[slot].quad[1], TX_DONE, __ATOMIC_RELEASE);
}
