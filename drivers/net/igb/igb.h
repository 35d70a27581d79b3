/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGB_H
#define IGB_H

#include <pthread.h>

#include "igb_hw.h"
#include "igb_queue.h"
#include "82576.h"
#include "shunt_port.h"
#include "shunt_wait.h"

/*
 * Poll-mode datapath of the Intel 82576, from ethdev down to descriptors. What the physical
 * function and a virtual function differ in is behind struct igb_hw (igb_hw.h).
 *
 *   from the ground up: a file uses those in its own row at most to its left, and all rows above it
 *
 *   igb_mmio.c     registers, waits, resets that the driver did not make
 *   igb_ring.c     rings rebuilt, frames kept     igb_rx.c, igb_tx.c, igb_tx_offload.c  bursts
 *   igb_link.c     link, time on the wire
 *   igb_filter.c   multicast, VLAN                igb_rss.c        frames to queues by hash
 *   igb_interrupt.c  receive, link                igb_stats.c      counters
 *   igb_canary.c   tells a slow NIC from a dead queue
 *   igb_queue.c    queues set up                  igb_pollers.c    pollers kept out
 *   igb_port.c     start, stop, reset, close      igb_liveness.c   does every queue run?
 *   igb_recover.c  what is done if one does not   igb_queue_ops.c  one queue on and off
 *   igb_regs.c     registers shown, version       igb_ethdev.c     operations for ethdev, open
 *
 *   of the physical function (igb_pf.h):
 *
 *   igb_mac.c      addresses, filters, EEPROM     igb_phy.c        PHY through MDIC
 *   igb_init.c     reset and set-up               igb_pause.c      DMA stopped for a switch
 *   igb_tables.c   statistics and other registers igb_pf.c         struct igb_hw, the group's
 * operations
 *
 *   struct igb_port
 *     |- struct shunt_port          device, group, arena (rings)
 *     |- hw                         struct igb_hw
 *     |- rx[n], tx[n]               struct igb_rx_queue, struct igb_tx_queue
 *     `- counters                   of the NIC, which clear on read there
 *
 * Threads: one polls a queue (rx or tx) at a time; the control path is ordered by igb_port::lock,
 * which recovery takes too, from the thread that switches. A queue's ring is touched by the control
 * path only when paused (shunt_poll.h).
 *
 * Section numbers are those of the 82576 datasheet, registers are named in 82576.h.
 */

/* Ethernet header, one VLAN tag and FCS around the MTU. */
#define IGB_OVERHEAD (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN + RTE_ETHER_CRC_LEN)
#define IGB_MTU_MAX  (SHUNT_82576_FRAME_MAX - IGB_OVERHEAD)
#define IGB_MTU_MIN  RTE_ETHER_MIN_MTU

/* What makes the NIC work on frames, and bursts be those of igb_tx_offload.c or the full ones. */
#define IGB_TX_OFFLOADS                                                       \
	(RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM |     \
		RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | \
		RTE_ETH_TX_OFFLOAD_SCTP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO)
#define IGB_RX_FULL \
	(RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_RSS_HASH)

/** How long a wait for the NIC may take in normal operation: a thread may model it. */
#define IGB_WAIT_NS 1000000000ull

/** This receive queue carries no traffic: igb_canary.c says what it is for. */
#define IGB_CANARY_QUEUE (SHUNT_82576_QUEUES - 1)
#define IGB_CANARY_BYTES 128 /* of the shortest ring, 8.10.7 */

/** Most statistics registers of a function, summed up, and the port's own counters: igb_stats.c. */
#define IGB_REGISTER_COUNTERS 38
#define IGB_OWN_COUNTERS      12
#define IGB_XSTATS            (IGB_REGISTER_COUNTERS + IGB_OWN_COUNTERS)

/** Descriptor heads of the queues that are started. */
struct igb_heads {
	uint16_t rx[SHUNT_82576_QUEUES];
	uint16_t tx[SHUNT_82576_QUEUES];
};

/** How far a recovery has come; igb_recover.c has the table of steps. */
enum igb_recovery_phase {
	IGB_RECOVERY_IDLE,           /**< none is under way */
	IGB_RECOVERY_LIVENESS,       /**< every queue has to show that it runs */
	IGB_RECOVERY_OUTSIDE_RESET,  /**< another party reset the function: heads are lost */
	IGB_RECOVERY_PORT_RESET,     /**< CTRL.RST; queues have to be started again */
	IGB_RECOVERY_FUNCTION_RESET, /**< function level reset, after a port reset did not help */
};

/** A recovery: outlives igb_recover() only if a step failed. Masks have one bit a queue. */
struct igb_recovery_state {
	enum igb_recovery_phase phase;
	struct igb_heads heads;
	uint32_t rx_live, tx_live; /**< seen to run */
	uint32_t rx_dead, tx_dead; /**< not set up on its ring: its head register means nothing */
	uint32_t tx_probed;        /**< given a context descriptor, and not seen to take it */
	uint16_t tx_probe[SHUNT_82576_QUEUES]; /**< slot of that descriptor */
};

/** Recoveries that failed in a row. */
struct igb_backoff {
	unsigned int times;
	uint64_t retry; /**< ticks: none is tried before */
};

/** What keeps a function from DMA, as found by trying. */
enum igb_dma_stop {
	IGB_DMA_STOP_UNKNOWN,
	IGB_DMA_STOP_MASTER_DISABLE, /**< the datasheet's means */
	IGB_DMA_STOP_ENABLES, /**< QEMU: makes DMA when a frame arrives or a tail is written */
	IGB_DMA_STOP_QUEUES,  /**< a virtual function: queues are turned off */
};

/** Interrupts of a port: vector 0 is the link's, 1 + n that of receive queue n. */
#define IGB_VECTORS          10
#define IGB_LINK_VECTOR      0u
#define IGB_RX_VECTOR(queue) (1u + (queue))
#define IGB_INTERRUPT_QUEUES (IGB_VECTORS - 1)

struct igb_interrupts {
	struct rte_intr_handle *link; /**< from open to close */
	bool link_on;                 /**< the application wants to hear of it */
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
	struct shunt_port port;  /* first */
	const struct igb_hw *hw; /**< of this process: secondary ones must not look */
	pthread_mutex_t lock;
	bool started;
	int access_error; /**< first failed register access since igb_access_begin() */
	struct shunt_vfio_region bar0_region;
	void *bar0;
	void *canary_ring;
	bool canary_on;         /**< last told to be */
	bool reports_auto_read; /**< sets EEC.AUTO_RD when its EEPROM has been read */
	bool canary_silent;     /**< not even the canary answered since igb_access_begin() */
	bool absent;            /**< all ones were read since then: access_error says so */
	enum igb_dma_stop dma_stop;
	uint64_t exit_requested; /**< shunt_barrier_begun() when pollers were asked out for a pause
				  */
	bool dma_paused;         /**< DMA was paused for a switch and does not surely run again */
	uint32_t control;        /**< CTRL of a running port */
	bool group_stopped;      /**< by its group, to be started with these queues, by bit */
	uint32_t rx_restart, tx_restart;
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
	bool tx_offload;    /**< transmit bursts are those of igb_tx_offload.c */
	bool scattered;     /**< frames may take several buffers */
	uint32_t max_frame; /**< bytes, FCS included */
	struct igb_rx_queue *rx[SHUNT_82576_QUEUES];
	struct igb_tx_queue *tx[SHUNT_82576_QUEUES];
	/* A queue goes on with what the one before it had counted, which is here in between. */
	struct igb_counts rx_counts[SHUNT_82576_QUEUES];
	struct igb_counts tx_counts[SHUNT_82576_QUEUES];
	uint64_t counters[IGB_REGISTER_COUNTERS];
	uint32_t counters_last[IGB_REGISTER_COUNTERS]; /**< of registers that do not clear */
	uint64_t queue_drops;                          /**< RQDPC of all queues */
	/* At the last stats_reset. */
	struct igb_counts rx_base[SHUNT_82576_QUEUES];
	struct igb_counts tx_base[SHUNT_82576_QUEUES];
	uint64_t xstats_base[IGB_XSTATS];
	uint64_t missing_base; /**< frames taken in and not in memory, at the last reset */
	struct shunt_recovery recovered; /**< of all recoveries */
	struct igb_recovery_state recovery_state;
	struct igb_backoff backoff;
	uint64_t recoveries;      /**< that repaired something */
	uint64_t liveness_checks; /**< times all queues were made to prove that they run */
};

static inline struct igb_port *igb_port_of(const struct rte_eth_dev *dev)
{
	return dev->data->dev_private;
}

/** Register of a queue, by that of the physical function's queue 0. */
static inline uint32_t igb_rx_reg(const struct igb_port *port, uint32_t reg, uint32_t queue)
{
	return reg - SHUNT_82576_RX_QUEUE(0) + port->hw->rx_queue + queue * port->hw->queue_stride;
}

static inline uint32_t igb_tx_reg(const struct igb_port *port, uint32_t reg, uint32_t queue)
{
	return reg - SHUNT_82576_TX_QUEUE(0) + port->hw->tx_queue + queue * port->hw->queue_stride;
}

/** Bits of receive queues' vectors. */
static inline uint32_t igb_rx_vectors(uint32_t queues)
{
	return queues << IGB_RX_VECTOR(0);
}

static inline bool igb_rx_runs(const struct igb_port *port, unsigned int i)
{
	return port->rx[i] && port->rx[i]->started;
}

static inline bool igb_tx_runs(const struct igb_port *port, unsigned int i)
{
	return port->tx[i] && port->tx[i]->started;
}

/* ---- igb_mmio.c: registers. Lock held, or port not reachable yet. ---- */

/** Begins a run of register accesses: forgets an earlier failure. */
void igb_access_begin(struct igb_port *port);
/** Reads a register; all ones, without an access, after one has failed. All ones from a function
 *  that does not answer is a failure too. */
uint32_t igb_read(struct igb_port *port, uint32_t reg);
/** Writes a register; does nothing after an access has failed. */
void igb_write(struct igb_port *port, uint32_t reg, uint32_t value);
/** Failure of the accesses since begin, 0 if none; its text is in shunt_errmsg(). */
int igb_access_end(struct igb_port *port);
/** The same after a running port was only written to: at a function that answers, all arrived. */
int igb_access_flush(struct igb_port *port);

/**
 * Waits until the masked bits of a register have a value, giving up the processor meanwhile.
 *
 * @param ns  of the NIC's time
 * @return 0; -ETIMEDOUT naming what was waited for; failure of an access
 */
int igb_wait(struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, uint64_t ns,
	const char *what);

/** Tells a queue that is off of its ring, head and tail at slot 0. @param queue  its registers */
void igb_write_ring(struct igb_port *port, uint32_t queue, const void *ring, size_t bytes);

/** Begins a wait for the NIC, bounded by its own time. No wait for it has another clock. */
void igb_wait_begin(struct igb_port *port, struct shunt_wait *wait);

/** Sleeps until the NIC has had so much time. */
void igb_sleep_ns(struct igb_port *port, uint64_t ns);

/** Whether a running port has lost what was set up. */
bool igb_was_reset(struct igb_port *port);

/**
 * Waits until the function answers again, or looks once if an earlier recovery waited in vain.
 *
 * @return 0, -EIO, failure of an access
 */
int igb_wait_for_answer(struct igb_port *port);

/** Says in the log why an operation failed, if it did. @return ret */
int igb_log_error(const struct rte_eth_dev *dev, int ret);

/** Begins a control call: takes the lock, begins a run of accesses. */
struct igb_port *igb_control_begin(struct rte_eth_dev *dev);
/** Ends it: gives the lock back, then logs a failure. @return ret */
int igb_control_end(struct rte_eth_dev *dev, int ret);

/* ---- igb_link.c ---- */

/** Link as STATUS has it. */
void igb_hw_link(struct igb_port *port, struct rte_eth_link *link);
/**
 * How long a transmit queue may make no progress because of the wire, which is not its own: for the
 * longest frame of each queue. 0 without a link.
 */
uint64_t igb_wire_ns(struct igb_port *port);

/* ---- igb_filter.c ---- */

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

/** Whether a key, or room for one, is as long as the NIC's; length 0 says nothing (rte_ethdev.h).
 *  @return 0, -EINVAL */
int igb_rss_check_key(const struct rte_eth_rss_conf *conf);
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

/** EAL's interrupt thread is ready to hear of the link. @return 0, -errno */
int igb_link_open(struct rte_eth_dev *dev);
/** Undoes it, if it was done, as shunt_notify_close() does. */
void igb_link_close(struct rte_eth_dev *dev);
/**
 * Makes the interrupts that ethdev's configuration asks for. The lock is not held.
 *
 * @return 0, with nothing to do; -ENOTSUP more queues than vectors; -errno
 */
int igb_interrupts_open(struct rte_eth_dev *dev);
/** Undoes it; a handler of the link may still run. The lock is not held. */
void igb_interrupts_close(struct rte_eth_dev *dev);
/** Pollers that sleep look again: they may have found a paused queue empty. Lock held. */
void igb_interrupts_wake(struct igb_port *port);
int igb_rx_queue_intr_enable(struct rte_eth_dev *dev, uint16_t index);
int igb_rx_queue_intr_disable(struct rte_eth_dev *dev, uint16_t index);

/* ---- igb_regs.c ---- */

int igb_get_reg(struct rte_eth_dev *dev, struct rte_dev_reg_info *info);
int igb_fw_version_get(struct rte_eth_dev *dev, char *version, size_t size);

/* ---- igb_canary.c ---- */

/** Tells the NIC of the canary's ring, after each reset. */
void igb_canary_configure(struct igb_port *port);

/**
 * Waits for an answer of the NIC as igb_wait() does, until it is certain that none comes: 100 us of
 * its time in which it acted on other things, or a second of it. A transmit queue may also have
 * to wait for the wire (igb_wire_ns()).
 *
 * @return 0; -ETIMEDOUT naming what was waited for; failure of an access
 */
int igb_canary_wait(
	struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, const char *what);

/** The same, until the register has another value. */
int igb_canary_wait_change(struct igb_port *port, uint32_t reg, uint32_t value, const char *what);

/* ---- igb_stats.c ---- */

/** Adds the NIC's counters to the port's. Lock held. */
void igb_stats_update(struct igb_port *port);
/** Counts from here, for a new port whose NIC's counters do not clear. */
void igb_stats_restart(struct igb_port *port);
/** What a queue of this index has counted, and those that it replaced. Lock held. */
struct igb_counts igb_stats_rx(const struct igb_port *port, unsigned int index);
struct igb_counts igb_stats_tx(const struct igb_port *port, unsigned int index);
/** Frames in the NIC at a reset are counted from here. Lock held, after an update. @return those
 *  since the baseline before: taken in and lost, if the NIC has been reset */
uint32_t igb_stats_baseline(struct igb_port *port);
int igb_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats SHUNT_QUEUE_STATS_ARGUMENT);
int igb_stats_reset(struct rte_eth_dev *dev);
int igb_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *values, unsigned int room);
int igb_xstats_get_names(
	struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned int room);
/** The same in any process. */
int igb_xstats_names(const struct igb_hw *hw, struct rte_eth_xstat_name *names, unsigned int room);

/* ---- igb_pollers.c: pollers kept out of the queues. Lock held. ---- */

/** Asks the pollers of all queues out. */
void igb_pollers_request_exit(struct igb_port *port);
/** Waits until they are out of the receive queues, after a barrier. @return 0; -ETIMEDOUT */
int igb_pollers_wait_rx(struct igb_port *port);
/** Waits until the pollers of all queues are out, and stay out. @return 0; -ETIMEDOUT one does not
 * leave */
int igb_pollers_fence(struct igb_port *port);
/** Those who wait to be let in give up: the queues are stopped. */
void igb_pollers_close(struct igb_port *port);
/**
 * Lets pollers in where a queue is started. A queue that a recovery has left dead is closed: it may
 * be on, head at 0, over a ring that is not laid for it, and a poller's tail would have it read
 * descriptors that were written back.
 */
void igb_pollers_admit(struct igb_port *port);

/* ---- igb_recover.c ---- */

/** As struct shunt_port_ops has it. */
int igb_recover(void *port, enum shunt_suspicion suspicion, struct shunt_recovery *recovery);

/* ---- igb_port.c: operations that begin and end what the port does ---- */

/** Starts what the group stopped. @return 0; errors of a start: it stays stopped, to be started */
int igb_restart(struct igb_port *port);
/** As struct shunt_port_ops has them. */
void igb_group_hold(void *port);
void igb_group_release(void *port);
int igb_group_stop(void *port);
int igb_group_start(void *port);

int igb_configure(struct rte_eth_dev *dev);
int igb_start(struct rte_eth_dev *dev);
int igb_stop(struct rte_eth_dev *dev);
int igb_dev_close(struct rte_eth_dev *dev);
/** Function level reset of a stopped port; what was set up is forgotten. */
int igb_reset(struct rte_eth_dev *dev);

/* ---- igb_queue_ops.c ---- */

int igb_rx_queue_start(struct rte_eth_dev *dev, uint16_t index);
int igb_tx_queue_start(struct rte_eth_dev *dev, uint16_t index);
int igb_rx_queue_stop(struct rte_eth_dev *dev, uint16_t index);
int igb_tx_queue_stop(struct rte_eth_dev *dev, uint16_t index);

/* ---- igb_ethdev.c ---- */

/** Opens the port of a function. As struct shunt_port_driver has it. */
int igb_port_open(struct rte_eth_dev *dev, const struct igb_hw *hw);
void igb_port_close(struct rte_eth_dev *dev);
/** For ethdev's operations in a secondary process. */
int igb_infos(const struct igb_hw *hw, struct rte_eth_dev_info *info);
const uint32_t *igb_supported_ptypes(struct rte_eth_dev *dev SHUNT_PTYPES_ARGUMENT);

/* ---- what the tables of operations of all functions have ---- */

/** struct shunt_port_ops, but for the pause. */
#define IGB_GROUP_OPS                                                                 \
	.hold = igb_group_hold, .release = igb_group_release, .stop = igb_group_stop, \
	.start = igb_group_start, .recover = igb_recover, .switched = shunt_port_switched

/** In a secondary process: what needs no device, or can be had from the primary one. */
#define IGB_SECONDARY_OPS                                                                 \
	.dev_close = igb_dev_close, .link_update = shunt_secondary_link_update,           \
	.stats_get = shunt_secondary_stats_get, .xstats_get = shunt_secondary_xstats_get, \
	.dev_supported_ptypes_get = igb_supported_ptypes

#endif
