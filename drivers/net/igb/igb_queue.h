/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGB_QUEUE_H
#define IGB_QUEUE_H

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "82576.h"
#include "shunt_dpdk.h"
#include "shunt_poll.h"

/*
 * Queues of an 82576: set up and turned on and off (igb_queue.c), their rings when nobody polls
 * (igb_ring.c), and the bursts. Threads as in igb.h.
 */

#define IGB_DESCRIPTORS_MIN     32
#define IGB_DESCRIPTORS_ALIGN   8 /* 8.10.7: of 128 bytes */
#define IGB_DESCRIPTORS_MAX     4096
#define IGB_DESCRIPTORS_DEFAULT 512
#define IGB_RX_BUFFERS_MORE     8 /* entries of buffers[] behind the last: prefetched only */
#define IGB_REFILL              32 /* receive descriptors filled, and told to the NIC, at once; or half */
#define IGB_REPORT              32 /* transmit descriptors between two that report status */
#define IGB_LINE_DESCRIPTORS    4  /* of a cache line */
#define IGB_TX_SEGMENTS_MAX     40 /* of one frame: 64 KB in buffers of 2 KiB and some */

struct igb_port;

/** What a queue counts. Written by the poller, read by anyone. */
struct igb_counts {
	uint64_t packets;
	uint64_t bytes;
	uint64_t discarded;  /**< incomplete in memory, of an impossible length, or not sendable */
	uint64_t no_buffers; /**< receive: buffers that the pool lacked when they were first wanted
			      */
};

/** Receive queue. Slots [next, refill) of the ring hold buffers, the `unfilled` others do not. */
struct igb_rx_queue {
	struct shunt_poll poll;
	uint16_t next;        /**< slot polled next */
	uint16_t count;       /**< slots */
	uint16_t refill;      /**< slot filled next */
	uint16_t unfilled;    /**< polled and not filled again */
	uint16_t refill_size; /**< slots filled at once */
	uint16_t lacking;     /**< of the unfilled slots, those counted in no_buffers */
	union shunt_82576_rx_descriptor *ring;
	struct rte_mbuf **buffers; /**< of each slot */
	uint64_t rearm;            /**< first fields of a fresh mbuf */
	/**
	 * Bits of a written-back descriptor's second half that tell a simple frame; none within a
	 * frame of several descriptors, where nothing is simple.
	 */
	uint64_t slow_bits;
	uint32_t *doorbell;
	struct rte_mempool *pool;
	struct rte_mbuf *first, *last; /**< frame not complete yet; NULL: none, or given up */
	bool cut;                      /**< its rest does not come: the next one is a new frame */
	struct igb_counts counts;
	/* Control path. */
	struct igb_port *port;
	uint16_t index;
	uint16_t buffer_size; /**< bytes the NIC may put into one buffer, whole KiB */
	bool started;
	bool drop_enable;
	bool deferred_start;
} __rte_cache_aligned;

/** Transmit queue. Slots [clean, tail) hold buffers of frames not known to be sent. */
struct igb_tx_queue {
	struct shunt_poll poll;
	uint16_t tail; /**< slot written next */
	uint16_t clean;
	uint16_t free; /**< slots that may be written */
	uint16_t count;
	uint16_t free_threshold;           /**< reclaim when fewer are free */
	uint16_t report_threshold;         /**< descriptors between two reports */
	uint16_t unreported;               /**< descriptors since the last one that reports */
	uint16_t report_first, report_end; /**< pending ones in reports[], which has `count` */
	bool fast_free;
	uint16_t segments_max; /**< of a frame */
	bool sparse;           /**< slots of context descriptors have no buffer */
	union shunt_82576_tx_descriptor *ring;
	struct rte_mbuf **buffers; /**< segment of each slot */
	uint32_t *doorbell;
	struct igb_counts counts;
	uint16_t *reports; /**< slots that report status */
	/**
	 * Context descriptor that the frame written next may use; quad[1] is 0: none. Each report
	 * ends its life, so that what frames not known to be sent use lies among them in the ring.
	 */
	union shunt_82576_tx_descriptor context;
	/** But for frames that were in a ring laid anew: the one that is in front of them. */
	union shunt_82576_tx_descriptor carried;
	/* Control path. */
	struct igb_port *port;
	uint16_t index;
	bool started;
	bool deferred_start;
} __rte_cache_aligned;

/** The slot behind this one. */
static inline uint16_t igb_after(uint16_t slot, uint16_t count)
{
	return slot + 1 == count ? 0 : (uint16_t)(slot + 1);
}

/** Second half of a receive descriptor; what was written before its DD is visible. */
static inline uint64_t igb_rx_status(const struct igb_rx_queue *queue, uint32_t slot)
{
	return __atomic_load_n(&queue->ring[slot].quad[1], __ATOMIC_ACQUIRE);
}

/** Slots from one to another, around the ring. */
static inline uint16_t igb_distance(uint32_t from, uint32_t to, uint16_t count)
{
	return (uint16_t)((to + count - from) % count);
}

/** Notes that the descriptor in this slot reports status. */
static inline void igb_tx_note_report(struct igb_tx_queue *queue, uint16_t slot)
{
	queue->reports[queue->report_end] = slot;
	queue->report_end = igb_after(queue->report_end, queue->count);
	queue->unreported = 0;
}

/** Counter of the poller that other threads read. */
#define IGB_COUNT(counter, by) __atomic_store_n(&(counter), (counter) + (by), __ATOMIC_RELAXED)
#define IGB_COUNTED(counter)   __atomic_load_n(&(counter), __ATOMIC_RELAXED)

/** Fetches a cache line to be written: from another core's cache in one step instead of two. */
static inline void igb_prefetch_write(const volatile void *address)
{
#ifdef RTE_ARCH_X86
	/* The compiler emits it only for processors that the build names; others take it as a no
	 * operation. */
	__asm__ volatile("prefetchw %0" : : "m"(*(const volatile char *)address));
#else
	__builtin_prefetch((const void *)(uintptr_t)address, 1);
#endif
}

/** Stores a tail: descriptors written before are visible to the NIC that sees it. */
static inline void igb_doorbell(uint32_t *doorbell, uint32_t tail)
{
	rte_io_wmb();
	__atomic_store_n(doorbell, tail, __ATOMIC_RELEASE);
}

/* ---- igb_queue.c ---- */

int igb_rx_queue_setup(struct rte_eth_dev *dev, uint16_t index, uint16_t count, unsigned int socket,
	const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int igb_tx_queue_setup(struct rte_eth_dev *dev, uint16_t index, uint16_t count, unsigned int socket,
	const struct rte_eth_txconf *conf);
void igb_rx_queue_release(struct rte_eth_dev *dev, uint16_t index);
void igb_tx_queue_release(struct rte_eth_dev *dev, uint16_t index);

/** Fills the ring from the pool and starts the queue; it stays paused. Lock held. */
int igb_rx_queue_begin(struct igb_rx_queue *queue);
int igb_tx_queue_begin(struct igb_tx_queue *queue);
/** Gives all buffers back. The NIC does not use the ring any more; paused. */
void igb_rx_queue_drain(struct igb_rx_queue *queue);
void igb_tx_queue_drain(struct igb_tx_queue *queue);
/** Asks the NIC to stop using the ring, and waits. @return 0; -ETIMEDOUT it does not */
int igb_rx_queue_disable(struct igb_rx_queue *queue);
int igb_tx_queue_disable(struct igb_tx_queue *queue);
/** Tells the NIC of the ring, head at slot 0, and waits until it has it. The tail stays at 0. */
int igb_rx_queue_enable(struct igb_rx_queue *queue);
int igb_tx_queue_enable(struct igb_tx_queue *queue);

/* ---- igb_ring.c: rings of paused queues. Lock held. ---- */

/** Number of polled-next slots in a row that the NIC has written back. */
uint16_t igb_rx_ring_completed(const struct igb_rx_queue *queue);
/** Frames among them. */
uint16_t igb_rx_ring_frames(const struct igb_rx_queue *queue, uint16_t completed);
/**
 * Marks slots before `head` that the NIC used without writing back, so that the burst discards
 * them.
 *
 * @param[out] dropped  frames given up because they may be the rest of a damaged one
 * @return number of slots
 */
uint16_t igb_rx_ring_repair(struct igb_rx_queue *queue, uint16_t head, uint32_t *dropped);
/** Lays the ring anew for a NIC that starts at slot 0: frames not polled yet stay in front. */
void igb_rx_ring_rebuild(struct igb_rx_queue *queue);
/** The tail that tells the NIC of the filled slots after a relay. */
uint16_t igb_rx_ring_tail(const struct igb_rx_queue *queue);

/** Marks reports before `head` as done that were not written back. @return number of them */
uint16_t igb_tx_ring_repair(struct igb_tx_queue *queue, uint16_t head);
/** First slot behind those that the NIC has reported sent. */
uint16_t igb_tx_ring_reported(const struct igb_tx_queue *queue);
/** First slot of the frame that a NIC with this head was in, but for its context. */
uint16_t igb_tx_ring_frame_start(const struct igb_tx_queue *queue, uint16_t head);
/**
 * Lays the ring anew for a NIC that starts at slot 0: a context descriptor there, which sends
 * nothing, and behind it the frames from slot `unsent` on. Those before it were sent.
 */
void igb_tx_ring_rebuild(struct igb_tx_queue *queue, uint16_t unsent);
/** Puts a context descriptor at the tail of a ring from which all was sent. @return its slot */
uint16_t igb_tx_ring_probe(struct igb_tx_queue *queue);
/** The NIC has taken the context descriptor in this slot: what was sent may be reclaimed. */
void igb_tx_ring_done(struct igb_tx_queue *queue, uint16_t slot);

/* ---- bursts ---- */

/** @param full  for ports with any of IGB_RX_FULL, or RSS: checksums, hashes, tags of frames. The
 *               others take a stripped frame too, but not as fast */
eth_rx_burst_t igb_rx_function(bool full, bool fenced);
eth_tx_burst_t igb_tx_function(bool fenced);
uint16_t igb_tx_prepare(void *queue, struct rte_mbuf **frames, uint16_t count);
/** For ports with any of IGB_TX_OFFLOADS; igb_tx_offload.c. */
eth_tx_burst_t igb_tx_function_offload(bool fenced);
uint16_t igb_tx_prepare_offload(void *queue, struct rte_mbuf **frames, uint16_t count);
/** Poller: frees frames that were sent, up to count, 0: all. @return frames freed */
int igb_tx_done_cleanup(void *queue, uint32_t count);
/** Frees buffers of frames that the NIC reported sent. Poller, or paused. */
void igb_tx_reclaim(struct igb_tx_queue *queue);
/** Frees the buffers of the oldest slots. Poller, or paused. */
void igb_tx_free(struct igb_tx_queue *queue, uint16_t slots);
/** What the burst attends to in descriptors, by what the port does; no frame is begun. Paused. */
void igb_rx_begin(struct igb_rx_queue *queue);
/** Gives fresh buffers to the NIC as far as the pool has them, while at least `least` slots have
 *  none. Poller, or paused. */
void igb_rx_refill(struct igb_rx_queue *queue, uint16_t least);
/** Descriptors that the NIC has written back and nobody has polled. */
SHUNT_QUEUE_COUNT igb_rx_queue_count(void *queue);
int igb_rx_descriptor_status(void *queue, uint16_t offset);
int igb_tx_descriptor_status(void *queue, uint16_t offset);

#endif
