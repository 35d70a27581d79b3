/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGB_H
#define IGB_H

#include <pthread.h>

#include "igb_queue.h"
#include "shunt_82576.h"
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
 *   igb_stats.c    counters                   igb_prove.c    after a switch: does every queue run?
 *   igb_group.c    what it does for its group igb_recover.c  and what is done if one does not
 *   igb_heed.c     what keeps it from DMA     igb_witness.c  telling a slow NIC from a dead queue
 *   igb_outside.c  resets that are not the driver's
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
	uint64_t asked;   /**< shunt_barrier_begun() when pollers were asked out for a pause */
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

/* ---- igb_queue.c: who is in a burst of the port's queues ---- */

/** Asks the pollers of all queues to stay out; after a barrier, waits until they are, or those who
 *  receive. @return 0; -ETIMEDOUT one does not leave */
void igb_ask(struct igb_port *port);
int igb_wait_out(struct igb_port *port);
int igb_wait_rx_out(struct igb_port *port);
/** Both, with a barrier in between. */
int igb_keep_out(struct igb_port *port);
/** Those who wait to be let in give up: the queues are stopped. */
void igb_close_queues(struct igb_port *port);
/**
 * Lets pollers in where a queue is started. A queue that a recovery has left dead is closed: it may
 * be on, head at 0, over a ring that is not laid for it, and a poller's tail would have it read
 * descriptors that were written back.
 */
void igb_let_in(struct igb_port *port);

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
