/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGB_H
#define IGB_H

#include <pthread.h>

#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "shunt_82576.h"
#include "shunt_poll.h"
#include "shunt_port.h"

/*
 * Poll-mode datapath of the Intel 82576, from ethdev down to descriptors.
 *
 *   igb_port.c     open, start, stop, close   igb_hw.c       registers, reset, link, addresses
 *   igb_ethdev.c   the other operations       igb_phy.c      PHY through MDIC
 *   igb_filter.c   multicast, VLAN            igb_rss.c      frames to queues by hash
 *   igb_interrupt.c  receive, link            igb_regs.c     registers and EEPROM shown, reset
 *   igb_queue.c    queues set up              igb_onoff.c    one queue on and off
 *   igb_rx.c       receive bursts             igb_ring.c     rings laid anew, frames kept
 *   igb_tx.c       transmit bursts            igb_tx_full.c  the same, with work for the NIC
 *   igb_stats.c    counters                   igb_recover.c  after a switch: does every queue run?
 *   igb_heed.c     what keeps it from DMA     igb_witness.c  telling a slow NIC from a dead queue
 *   igb_group.c    what it does for its group igb_outside.c  resets that are not the driver's
 *
 *   struct igb_port
 *     |- struct shunt_port          device, group, arena (rings)
 *     |- rx[n], tx[n]               struct igb_rx_queue, struct igb_tx_queue
 *     `- counters                   of the NIC, which clear on read there
 *
 * Threads: one polls a queue (rx or tx) at a time; the control path is ordered by igb_port::lock,
 * which recovery takes too, from the thread that switches. A queue's ring is touched by the control
 * path only when paused (shunt_poll.h).
 *
 * Section numbers are those of the 82576 datasheet, registers are named in shunt_82576.h.
 */

#define IGB_RX_DESCRIPTORS_MIN  64
#define IGB_TX_DESCRIPTORS_MIN  64
#define IGB_DESCRIPTORS_MAX     4096
#define IGB_DESCRIPTORS_DEFAULT 512
#define IGB_RX_BUFFERS_MORE     8   /* entries of buffers[] behind the last: prefetched only */
#define IGB_REFILL              32  /* receive descriptors filled, and told to the NIC, at once */
#define IGB_REPORT              32  /* transmit descriptors between two that report status */
#define IGB_LINE_DESCRIPTORS    4   /* of a cache line */
#define IGB_TX_SEGMENTS_MAX     40  /* of one frame: 64 KB in buffers of 2 KiB and some */
#define IGB_REPORTS             256 /* room for pending reports; index of 8 bits wraps by itself */

/* Ethernet header, one VLAN tag and FCS around the MTU. */
#define IGB_OVERHEAD (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN + RTE_ETHER_CRC_LEN)
#define IGB_MTU_MAX  (SHUNT_82576_FRAME_MAX - IGB_OVERHEAD)
#define IGB_MTU_MIN  RTE_ETHER_MIN_MTU

/* What makes the NIC work on frames, and bursts be those of igb_tx_full.c or the full ones. */
#define IGB_TX_FULL                                                           \
	(RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM |     \
		RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | \
		RTE_ETH_TX_OFFLOAD_SCTP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO)
#define IGB_RX_FULL \
	(RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_RSS_HASH)

/** How long a wait for the NIC may take in normal operation: a thread may model it. */
#define IGB_WAIT_NS 1000000000ull

/** This receive queue carries no traffic: igb_witness.c says what it is for. */
#define IGB_WITNESS_QUEUE (SHUNT_82576_QUEUES - 1)

struct igb_port;

/** Receive queue. Slots [next, refill) of the ring hold buffers, the `unfilled` others do not. */
struct igb_rx_queue {
	struct shunt_poll poll;
	uint16_t next;     /**< slot polled next */
	uint16_t count;    /**< slots */
	uint16_t refill;   /**< slot filled next */
	uint16_t unfilled; /**< polled and not filled again */
	union shunt_82576_rx_descriptor *ring;
	struct rte_mbuf **buffers; /**< of each slot */
	uint64_t rearm;            /**< first fields of a fresh mbuf */
	uint32_t *doorbell;
	struct rte_mempool *pool;
	struct rte_mbuf *first, *last; /**< frame of several descriptors, not complete yet */
	struct rte_mbuf *abandoned;    /**< the beginning of one, for the poller to free */
	/* Written by the poller, read by anyone. */
	uint64_t packets;
	uint64_t bytes;
	uint64_t discarded;  /**< frames incomplete in memory: a DMA was refused */
	uint64_t no_buffers; /**< refills put off: the pool was empty */
	/* Control path. */
	struct igb_port *port;
	uint16_t index;
	uint16_t buffer_size; /**< bytes the NIC may put into one buffer, whole KiB */
	bool started;
	bool drop_enable;
	bool deferred_start;
	/* At the last stats_reset. */
	uint64_t base_packets, base_bytes, base_discarded, base_no_buffers;
} __rte_cache_aligned;

/** Transmit queue. Slots [clean, tail) hold buffers of frames not known to be sent. */
struct igb_tx_queue {
	struct shunt_poll poll;
	uint16_t tail; /**< slot written next */
	uint16_t clean;
	uint16_t free; /**< slots that may be written */
	uint16_t count;
	uint16_t free_threshold;          /**< reclaim when fewer are free */
	uint16_t report_threshold;        /**< descriptors between two reports */
	uint16_t unreported;              /**< descriptors since the last one that reports */
	uint8_t report_first, report_end; /**< pending ones in reports[] */
	bool fast_free;
	bool sparse; /**< slots of context descriptors have no buffer */
	union shunt_82576_tx_descriptor *ring;
	struct rte_mbuf **buffers; /**< segment of each slot */
	uint32_t *doorbell;
	/* Written by the poller, read by anyone. */
	uint64_t packets;
	uint64_t bytes;
	uint64_t refused; /**< frames that no 82576 can send: too long, too many segments */
	uint16_t reports[IGB_REPORTS]; /**< slots that report status */
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
	uint64_t base_packets, base_bytes, base_refused;
} __rte_cache_aligned;

/** Statistics registers of the NIC, summed up; indices of the table in igb_stats.c. */
#define IGB_REGISTER_COUNTERS 40

/** What is known of each queue in the course of a recovery; bit or entry a queue. */
struct igb_trial {
	uint16_t rx_head[SHUNT_82576_QUEUES];
	uint16_t tx_head[SHUNT_82576_QUEUES];
	uint32_t rx_proven, tx_proven; /**< runs */
	uint32_t rx_dead, tx_dead;     /**< its head register says nothing of the ring */
	uint32_t tx_probed; /**< was given a context descriptor, and not seen to take it */
	uint16_t tx_probe[SHUNT_82576_QUEUES]; /**< that one's slot */
	bool begun;                            /**< and not ended: a failed access stopped it */
	bool halted;                           /**< the port is being reset */
	bool outside;                          /**< others did that: DMA is off, heads are lost */
};

/** What keeps a function from DMA, as found by trying. */
enum igb_heed {
	IGB_HEED_UNKNOWN,
	IGB_HEED_MASTER_DISABLE, /**< the datasheet's means */
	IGB_HEED_NOTHING,        /**< QEMU: makes DMA when a frame arrives or a tail is written */
};

/** Interrupts of a port: vector 0 is the link's, 1 + n that of receive queue n. */
#define IGB_VECTORS          10
#define IGB_LINK_VECTOR      0u
#define IGB_RX_VECTOR(queue) (1u + (queue))
#define IGB_INTERRUPT_QUEUES (IGB_VECTORS - 1)

struct igb_interrupts {
	struct rte_intr_handle *link; /**< NULL: the application wants none */
	struct rte_intr_handle *rx;
	uint32_t rx_queues;  /**< queues that have one, by bit */
	uint32_t rx_enabled; /**< and that the application wants to hear of, by bit */
};

/** Receive side scaling, as the application has set it. */
struct igb_rss {
	bool on;
	uint64_t types; /**< RTE_ETH_RSS_... */
	uint8_t key[SHUNT_82576_RSSRK_SIZE];
	uint8_t table[SHUNT_82576_RETA_ENTRIES]; /**< queues */
};

/** One port; lives in the ethdev port's private data. */
struct igb_port {
	struct shunt_port port; /* first */
	pthread_mutex_t lock;
	bool started;
	int access_error; /**< first failed register access since igb_access_begin() */
	struct shunt_vfio_region bar0_region;
	void *bar0;
	void *witness_ring;
	bool witness_on;        /**< last told to be */
	bool reports_auto_read; /**< sets EEC.AUTO_RD when its EEPROM has been read */
	bool silent;            /**< not even the witness answered since igb_access_begin() */
	enum igb_heed heed;
	bool paused;      /**< DMA was paused for a switch and does not surely run again */
	uint32_t control; /**< CTRL of a running port */
	bool stopped;     /**< by igb_group.c, to be started with these queues, by bit */
	uint32_t rx_stopped, tx_stopped;
	struct rte_ether_addr address; /**< the NIC's own */
	/* What ethdev has set; its own records change without the lock. */
	struct rte_ether_addr addresses[SHUNT_82576_ADDRESSES];
	bool promiscuous, all_multicast;
	bool link_off; /**< by the application, until the next start */
	bool vlan_strip, vlan_filter, keep_crc, loopback;
	uint32_t checksums; /**< RXCSUM */
	uint32_t multicast[SHUNT_82576_MTA_SIZE];
	uint32_t vlans[SHUNT_82576_VFTA_SIZE];
	struct igb_rss rss;
	struct igb_interrupts interrupts;
	bool rx_full;       /**< receive bursts are the full ones */
	bool tx_full;       /**< transmit bursts are those of igb_tx_full.c */
	bool scattered;     /**< frames may take several buffers */
	uint32_t max_frame; /**< bytes, FCS included */
	struct igb_rx_queue *rx[SHUNT_82576_QUEUES];
	struct igb_tx_queue *tx[SHUNT_82576_QUEUES];
	uint64_t counters[IGB_REGISTER_COUNTERS];
	uint64_t counters_base[IGB_REGISTER_COUNTERS]; /**< at the last stats_reset */
	uint64_t queue_drops, queue_drops_base;        /**< RQDPC of all queues */
	uint64_t good_at_reset; /**< frames the NIC had taken in at its last reset */
	uint64_t seen_at_reset; /**< of those, the ones that came to memory */
	struct shunt_recovery recovered, recovered_base; /**< of all recoveries */
	struct igb_trial trial; /**< of a recovery that a failed access stopped; else all zero */
	uint64_t recoveries, recoveries_base; /**< times something had to be mended */
	uint64_t proofs, proofs_base; /**< times all queues were made to prove that they run */
};

static inline struct igb_port *igb_port_of(const struct rte_eth_dev *dev)
{
	return dev->data->dev_private;
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

/* ---- igb_hw.c: the control path's registers. Lock held, or port not reachable yet. ---- */

/** Begins a run of register accesses: forgets an earlier failure. */
void igb_access_begin(struct igb_port *port);
/** Reads a register; all ones, without an access, after one has failed. */
uint32_t igb_read(struct igb_port *port, uint32_t reg);
/** Writes a register; does nothing after an access has failed. */
void igb_write(struct igb_port *port, uint32_t reg, uint32_t value);
/** Failure of the accesses since begin, 0 if none; its text is in shunt_errmsg(). */
int igb_access_end(struct igb_port *port);

/**
 * Waits until the masked bits of a register have a value, giving up the processor meanwhile.
 *
 * @return 0; -ETIMEDOUT naming what was waited for; failure of an access
 */
int igb_wait(struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, uint64_t ns,
	const char *what);

/**
 * Sleeps. Waits sleep rather than yield: the thread that models or emulates a NIC may need this
 * core, but so may one that polls, and a yield gives that one a whole slice of milliseconds.
 */
void igb_sleep_ns(uint64_t ns);

/** Receive, transmit and DMA off, 5.2; registers keep their values. */
int igb_hw_quiet(struct igb_port *port);
/** The same, then resets the port (CTRL.RST), 4.5.3. Registers have their reset values after. */
int igb_hw_reset(struct igb_port *port);
/**
 * Before the first reset: whether the NIC says when its EEPROM has been read. One that has long had
 * power and does not say so never does (QEMU's does not).
 */
void igb_hw_look(struct igb_port *port);

/** Waits until a function that was reset has read its EEPROM. */
int igb_hw_wait_ready(struct igb_port *port);
/** Everything but queues and the enables of receive and transmit, from what ethdev has set. */
int igb_hw_configure(struct igb_port *port);
/** RCTL with what ethdev has set, and EN if asked. */
void igb_hw_receive(struct igb_port *port, bool enable);
/** TCTL. */
void igb_hw_transmit(struct igb_port *port, bool enable);
/** All receive addresses. */
void igb_hw_addresses(struct igb_port *port);
/** One receive address; NULL clears it. */
void igb_hw_address(struct igb_port *port, uint32_t index, const struct rte_ether_addr *address);
/** The NIC's own address, from RAL(0) or the EEPROM. @return 0; -EIO none there */
int igb_hw_own_address(struct igb_port *port, struct rte_ether_addr *address);
/** Link as STATUS has it. */
void igb_hw_link(struct igb_port *port, struct rte_eth_link *link);
/** CTRL of a running port, from what ethdev has set; keeps it in igb_port::control. */
void igb_hw_control(struct igb_port *port);
/** A word of the EEPROM. @return 0; -ETIMEDOUT; failure of an access */
int igb_hw_eeprom(struct igb_port *port, uint32_t word, uint16_t *value);

/**
 * Powers the PHY up and lets it negotiate, unless it has; or down, if the application wants no
 * link. (igb_phy.c)
 */
int igb_phy_start(struct igb_port *port);

/* ---- igb_filter.c ---- */

/** Multicast and VLAN tables, from what ethdev has set. */
void igb_filter_configure(struct igb_port *port);
/** What the offloads that ethdev has configured ask of the receiver. At a port's start. */
void igb_filter_load(struct rte_eth_dev *dev);
int igb_set_mc_addr_list(struct rte_eth_dev *dev, struct rte_ether_addr *addresses, uint32_t count);
int igb_vlan_filter_set(struct rte_eth_dev *dev, uint16_t id, int on);
int igb_vlan_offload_set(struct rte_eth_dev *dev, int mask);

/* ---- igb_rss.c ---- */

#define IGB_RSS_TYPES                                                                            \
	(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |        \
		RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP | \
		RTE_ETH_RSS_IPV6_EX | RTE_ETH_RSS_IPV6_TCP_EX | RTE_ETH_RSS_IPV6_UDP_EX)

/** Takes RSS from the configuration, with a table over all queues. Lock held. */
void igb_rss_load(struct rte_eth_dev *dev);
/** Tells the NIC all of it. Lock held. */
void igb_rss_configure(struct igb_port *port);
/**
 * Tells the NIC which queue frames go to: entries of queues that do not run go to those that do.
 *
 * @param leaving  queues about to be stopped, by bit
 */
void igb_rss_direct(struct igb_port *port, uint32_t leaving);
int igb_reta_update(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *table, uint16_t size);
int igb_reta_query(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *table, uint16_t size);
int igb_rss_hash_update(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf);
int igb_rss_hash_conf_get(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf);

/* ---- igb_interrupt.c ---- */

/**
 * Makes the interrupts that ethdev's configuration asks for. The lock is not held: who handles one
 * may wait for it. @return 0, with nothing to do; -ENOTSUP more queues than vectors; -errno
 */
int igb_interrupts_open(struct rte_eth_dev *dev);
/** Undoes it, and waits for handlers. The lock is not held. */
void igb_interrupts_close(struct rte_eth_dev *dev);
/** Tells the NIC of them, after a reset; the link's is raised once. Lock held. */
void igb_interrupts_configure(struct igb_port *port);
/** Pollers that sleep look again: they may have found a paused queue empty. Lock held. */
void igb_interrupts_wake(struct igb_port *port);
int igb_rx_queue_intr_enable(struct rte_eth_dev *dev, uint16_t index);
int igb_rx_queue_intr_disable(struct rte_eth_dev *dev, uint16_t index);

/* ---- igb_regs.c ---- */

int igb_get_reg(struct rte_eth_dev *dev, struct rte_dev_reg_info *info);
int igb_fw_version_get(struct rte_eth_dev *dev, char *version, size_t size);

/* ---- igb_witness.c ---- */

/** Takes the witness's ring from the arena. @return 0, -ENOMEM */
int igb_witness_create(struct igb_port *port);
void igb_witness_destroy(struct igb_port *port);
/** Tells the NIC of it, after each reset. */
void igb_witness_configure(struct igb_port *port);

/**
 * Waits for an answer of the NIC as igb_wait() does, until it is certain that none comes: 100 us in
 * which the NIC acted on other things, or a second.
 *
 * @return 0; -ETIMEDOUT naming what was waited for; failure of an access
 */
int igb_await(struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, const char *what);

/** The same, until the register has another value. */
int igb_await_change(struct igb_port *port, uint32_t reg, uint32_t value, const char *what);

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

/** Asks the pollers of all queues to stay out; after a barrier, waits until they are, or those who
 *  receive. @return 0; -ETIMEDOUT one does not leave */
void igb_ask(struct igb_port *port);
int igb_wait_out(struct igb_port *port);
int igb_wait_rx_out(struct igb_port *port);
/** Both, with a barrier in between. */
int igb_keep_out(struct igb_port *port);
/** Those who wait to be let in give up: the queues are stopped. */
void igb_close_queues(struct igb_port *port);
/** Lets pollers in where a queue is started. */
void igb_let_in(struct igb_port *port);

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
void igb_rx_ring_relay(struct igb_rx_queue *queue);
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
void igb_tx_ring_relay(struct igb_tx_queue *queue, uint16_t unsent);
/** Puts a context descriptor at the tail of a ring from which all was sent. @return its slot */
uint16_t igb_tx_ring_probe(struct igb_tx_queue *queue);
/** The NIC has taken the context descriptor in this slot: what was sent may be reclaimed. */
void igb_tx_ring_done(struct igb_tx_queue *queue, uint16_t slot);

/* ---- bursts ---- */

eth_rx_burst_t igb_rx_function(bool scattered, bool fenced);
/**
 * For ports with any of IGB_RX_FULL, or RSS: sums, hashes, tags of frames. The others take a
 * stripped frame too, but not as fast.
 */
eth_rx_burst_t igb_rx_function_full(bool fenced);
eth_tx_burst_t igb_tx_function(bool fenced);
uint16_t igb_tx_prepare(void *queue, struct rte_mbuf **frames, uint16_t count);
/** For ports with any of IGB_TX_FULL; igb_tx_full.c. */
eth_tx_burst_t igb_tx_function_full(bool fenced);
uint16_t igb_tx_prepare_full(void *queue, struct rte_mbuf **frames, uint16_t count);
/** Poller: frees what was sent. @return slots freed */
int igb_tx_done_cleanup(void *queue, uint32_t count);
/** Frees buffers of frames that the NIC reported sent. Poller, or paused. */
void igb_tx_reclaim(struct igb_tx_queue *queue);
/** Frees the buffers of the oldest slots. Poller, or paused. */
void igb_tx_free(struct igb_tx_queue *queue, uint16_t slots);
/** Gives fresh buffers to the NIC as far as the pool has them. Poller, or paused. */
void igb_rx_refill(struct igb_rx_queue *queue);
/** Descriptors that the NIC has written back and nobody has polled. */
SHUNT_QUEUE_COUNT igb_rx_queue_count(void *queue);
int igb_rx_descriptor_status(void *queue, uint16_t offset);
int igb_tx_descriptor_status(void *queue, uint16_t offset);

/* ---- igb_stats.c ---- */

/** Adds the NIC's counters to the port's. Lock held. */
void igb_stats_update(struct igb_port *port);
/** Frames that the NIC has taken in since the port's start. Lock held, after an update. */
uint64_t igb_stats_good(const struct igb_port *port);
int igb_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats SHUNT_QUEUE_STATS_ARGUMENT);
int igb_stats_reset(struct rte_eth_dev *dev);
int igb_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *values, unsigned int room);
int igb_xstats_get_names(
	struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned int room);

/* ---- igb_outside.c: resets that are not the driver's ---- */

/** Whether a running port has lost what was set up. */
bool igb_was_reset(struct igb_port *port);

/** Waits until the function answers again. @return 0, -EIO, failure of an access */
int igb_wait_for_answer(struct igb_port *port);

/* ---- igb_group.c: what the port does for its group ---- */

extern const struct shunt_port_ops igb_group_ops;

/** Starts what the group stopped. @return 0; errors of a start: it stays stopped, to be started */
int igb_start_again(struct igb_port *port);

/**
 * Finds out once what the function heeds. Transmit on, receive off, queues not set up yet.
 * (igb_heed.c)
 *
 * @return 0; -ETIMEDOUT naming what it did not do; failure of an access
 */
int igb_learn_heed(struct igb_port *port);

/** DMA goes on after a pause. @return 0, failure of an access: the port stays paused */
int igb_unpause(struct igb_port *port);
/**
 * After a pause by which tails of bursts under way were only noted: writes them again, with the
 * pollers out.
 */
int igb_send_noted(struct igb_port *port);

/* ---- igb_recover.c ---- */

/** As struct shunt_port_ops has it. */
int igb_recover(void *port, enum shunt_doubt doubt, struct shunt_recovery *recovery);
/** Frames in the NIC at a reset are counted from here. Lock held. */
void igb_recover_baseline(struct igb_port *port);

/* ---- igb_port.c: operations that begin and end what the port does ---- */

/** Brings a halted port up with these queues. Lock held. On a failure it is halted. */
int igb_run(struct rte_eth_dev *dev, uint32_t rx_queues, uint32_t tx_queues);
/**
 * Nothing of the NIC runs after this, whatever state it was in: a function that does not even stop
 * its queues is reset as a whole. Buffers go back to their pools. ethdev's marks of the queues
 * stay: it looks at them without the lock. Lock held.
 */
int igb_halt(struct rte_eth_dev *dev);

int igb_open(struct rte_eth_dev *dev);
void igb_close(struct rte_eth_dev *dev);
int igb_configure(struct rte_eth_dev *dev);
int igb_start(struct rte_eth_dev *dev);
int igb_stop(struct rte_eth_dev *dev);
int igb_dev_close(struct rte_eth_dev *dev);
/** Function level reset of a stopped port; what was set up is forgotten. */
int igb_reset(struct rte_eth_dev *dev);
/** Says in the log why an operation failed, if it did. @return ret */
int igb_failed(const struct rte_eth_dev *dev, int ret);

/* ---- igb_onoff.c ---- */

int igb_rx_queue_start(struct rte_eth_dev *dev, uint16_t index);
int igb_tx_queue_start(struct rte_eth_dev *dev, uint16_t index);
int igb_rx_queue_stop(struct rte_eth_dev *dev, uint16_t index);
int igb_tx_queue_stop(struct rte_eth_dev *dev, uint16_t index);

/** All ethdev operations. (igb_ethdev.c) */
extern const struct eth_dev_ops igb_ops;

#endif
