/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_NIC_H
#define SIM_NIC_H

#include <shunt/clock.h>

#include "82576.h"
#include "shunt_processor.h"
#include "sim.h"

/*
 * An 82576 at register and descriptor level, inside.
 *
 *   region access (any thread)          engine thread: sim_nic_turn()
 *     sim_nic.c, sim_nic_config.c          |
 *     sim_nic_registers.c, sim_nic_phy.c   |
 *          |                               |
 *          +----------- lock --------------+
 *          |                               |
 *   BAR 0 memory --- RDT, TDT (plain) ---> rings (sim_ring.c): descriptors fetched in batches
 *                                          |              |
 *                                       sim_rx*.c      sim_tx*.c
 *                     wire --> filter --> FIFO --> memory  `--> wire (sim_wire.c)
 *
 * The lock protects all of a NIC but its doorbells and CTRL's bit that disables DMA. The engine
 * takes it once a turn. Only the engine holds two, when the far end of the wire is another port.
 * DMA is made with the lock held, so a thread that holds it knows that none is in flight.
 *
 * Not modelled:
 *
 *   legacy descriptors that ask for checksum or VLAN insertion   discarded and counted
 *   SCTP checksums of received frames                            not checked
 *   a second VLAN tag                                            taken for data
 *   IPv6 extension headers that replace a hashed address         hashed as without them
 *   pools of virtual machines, header split, flow director       ignored
 *   interrupt moderation                                         one interrupt a turn
 *
 * A frame on a wire of 10 or 100 Mb/s takes its time, in which no queue sends another; at 1 Gb/s it
 * takes none. XOFF and XON are not frames here: shunt_sim_hold_back().
 *
 * Where the datasheet leaves a choice: a frame that RSS steers to a disabled queue is dropped, as
 * by QEMU's igb; without RSS it waits in the FIFO.
 */

#define SIM_NIC_QUEUES       SHUNT_82576_QUEUES
#define SIM_NIC_BURST        32u /* frames of one queue or endpoint in a turn */
#define SIM_NIC_DRAIN        64u /* frames of the FIFO in a turn */
#define SIM_DESCRIPTOR_CACHE 64u /* descriptors that the device holds of each queue, 7.1 */
#define SIM_PREFETCH_AHEAD   4u
#define SIM_TX_GATHER        (65536u + 256u) /* the longest IP datagram, to be segmented */
#define SIM_TAG_AT           12u             /* VLAN tag in a frame */
#define SIM_FIFO_SIZE        SHUNT_82576_RX_FIFO_SIZE
#define SIM_FIFO_HEADER      16u     /* of each frame in the FIFO, which is 16-byte aligned there */
#define SIM_FETCH_RETRY_NS   20000u  /* pause after a refused descriptor fetch */
#define SIM_EEPROM_VERSION   0x1070u /* 1.7, image 0 */
#define SIM_COUNTERS         ((SHUNT_82576_STATISTICS_END - SHUNT_82576_STATISTICS) / 4u)

union sim_descriptor {
	union shunt_82576_rx_descriptor rx;
	union shunt_82576_tx_descriptor tx;
};

/** A descriptor ring and the part of it that the device has fetched. */
struct sim_ring {
	const uint32_t *tail; /**< doorbell, in BAR 0 */
	uint64_t base;        /**< IOVA */
	uint32_t count;       /**< descriptors */
	uint32_t head;        /**< next descriptor to use */
	uint32_t first;       /**< its place in cache, modulo SIM_DESCRIPTOR_CACHE */
	uint32_t cached;      /**< descriptors fetched and not used yet */
	uint64_t retry;       /**< ticks: no fetch before */
	bool enabled;
	bool wedged;
	union sim_descriptor cache[SIM_DESCRIPTOR_CACHE];
};

struct sim_rx_queue {
	struct sim_ring ring;
	uint32_t buffer_size; /**< bytes of each descriptor's buffer */
	bool drop_enable;
	uint32_t dropped; /**< RQDPC */
};

struct sim_tx_queue {
	struct sim_ring ring;
	uint64_t head_writeback; /**< IOVA for the head, 0: none */
	uint32_t gathered;       /**< bytes of the frame so far */
	uint32_t payload_length; /**< what its first descriptor announced, 0: not said */
	uint32_t command;        /**< of its first descriptor, if it asks for work on the frame */
	uint32_t options;
	bool in_frame; /**< a descriptor of the frame was used */
	bool offload;  /**< it asks for a tag, for checksums, or to be segmented */
	bool refused;  /**< a read of this frame was refused */
	bool discard;  /**< malformed, or asks for what is not modelled */
	union shunt_82576_tx_descriptor context[SHUNT_82576_TXC_CONTEXTS];
	uint8_t gather[SIM_TX_GATHER];
};

/** Where a received frame goes, and why. */
struct sim_rx_target {
	unsigned int queue;
	uint32_t type; /**< RSS type */
	uint32_t hash;
};

/** Receive FIFO: frames on their way to memory. */
struct sim_fifo {
	uint32_t read; /**< offset of the oldest frame */
	uint32_t used; /**< bytes */
	uint32_t frames;
	/* A frame that starts below SIM_FIFO_SIZE runs on past it instead of wrapping. */
	uint8_t data[SIM_FIFO_SIZE + SIM_FIFO_HEADER + SHUNT_82576_FRAME_MAX + 16];
};

/**
 * Lock between the engine and register accesses; a waiting thread gets it before the next turn. It
 * has a cache line of its own, which the engine shares only with waiting threads.
 */
struct sim_nic_lock {
	atomic_bool held;
	atomic_uint waiting;
} __attribute__((aligned(SHUNT_CACHE_LINE)));

struct sim_nic {
	struct sim_nic_lock lock;
	struct sim *sim;
	struct sim_dma *dma;
	uint32_t *bar0;       /**< the registers; doorbells are stored here by the driver */
	uint64_t fetch_retry; /**< ticks from a refused descriptor fetch to the next */
	bool pending;         /**< enables of queues changed: for the engine */
	bool bus_master;      /**< PCI command register */
	bool receiving;       /**< RCTL.EN */
	bool transmitting;    /**< TCTL.EN */
	bool held_back;       /**< the far end has sent XOFF */
	bool rss;             /**< frames are steered by MRQC and RETA */
	bool connected;       /**< the far end of the wire is an endpoint */
	atomic_bool phy_off;  /**< powered down: the far end has no link either; it may look */
	bool rx_dressed;      /**< tags are stripped, or the FCS is kept */
	uint32_t rx_targets;  /**< queues that frames may go to, by bit */
	uint32_t rx_wanted, tx_wanted;   /**< queues that software wants enabled, by bit */
	uint32_t rx_enabled, tx_enabled; /**< queues that are */
	unsigned int address_count;
	uint64_t addresses[SHUNT_82576_ADDRESSES]; /**< valid receive addresses, as loaded */
	struct sim_nic *peer;                      /**< far end of the wire: a port */
	unsigned int speed;                        /**< of the wire, Mb/s */
	uint64_t wire_free;    /**< ticks of sim::time: until then a frame takes the wire */
	unsigned int tx_first; /**< queue whose turn it is when the wire is free */
	struct shunt_sim_endpoint endpoint;
	struct shunt_sim_port_truth truth; /**< but for what is counted when it is read */
	uint64_t counter[SIM_COUNTERS];    /**< statistics registers; pairs in the low one */
	uint32_t rx_causes, tx_causes;     /**< queues that have to interrupt, by bit */
	int vector[SIM_NIC_VECTORS];       /**< eventfds */
	uint16_t phy[SHUNT_82576_PHY_REGISTERS];
	uint16_t eeprom[SHUNT_82576_EEPROM_WORDS];
	uint8_t mac[6];
	uint8_t config[SIM_NIC_CONFIG_SIZE];
	uint8_t msix[SIM_NIC_BAR3_SIZE];
	struct sim_fifo fifo;
	struct sim_rx_queue rx[SIM_NIC_QUEUES];
	struct sim_tx_queue tx[SIM_NIC_QUEUES];
};

/* ---- lock (sim_nic_lock.c) ---- */

/** For all threads but the engine. Spins briefly, then yields. */
void sim_nic_lock(struct sim_nic *nic);
void sim_nic_unlock(struct sim_nic *nic);
/** For the engine: lets waiting threads in first, and serves invalidations while it waits. */
void sim_nic_enter(struct sim_nic *nic);

/**
 * For the engine: whether a turn that has moved something ends early, so that a register access
 * does not wait for frames that are still to come.
 */
static inline bool sim_nic_gives_way(const struct sim_nic *nic, unsigned int moved)
{
	return unlikely(atomic_load_explicit(&nic->lock.waiting, memory_order_relaxed) != 0) &&
	       moved != 0;
}

/* ---- registers; lock held ---- */

static inline uint32_t sim_register(const struct sim_nic *nic, uint32_t offset)
{
	return __atomic_load_n(&nic->bar0[offset / 4], __ATOMIC_RELAXED);
}

static inline void sim_register_set(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	__atomic_store_n(&nic->bar0[offset / 4], value, __ATOMIC_RELAXED);
}

/** Whether new DMA is begun; CTRL may change at any time (sim_nic_post_ctrl()). */
static inline bool sim_nic_makes_dma(const struct sim_nic *nic)
{
	return nic->bus_master &&
	       !(sim_register(nic, SHUNT_82576_CTRL) & SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
}

/** Whether frames are sent. */
static inline bool sim_nic_transmits(const struct sim_nic *nic)
{
	return nic->transmitting && sim_nic_makes_dma(nic) &&
	       !(sim_register(nic, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_TXOFF);
}

uint32_t sim_nic_register_read(struct sim_nic *nic, uint32_t offset);
void sim_nic_register_write(struct sim_nic *nic, uint32_t offset, uint32_t value);

/**
 * Writes CTRL without the lock, and so without waiting for DMA in flight, if that disables or
 * enables DMA and nothing else. A read of STATUS, which waits, says that it has ended.
 *
 * @return false: it does more, nothing was written
 */
bool sim_nic_post_ctrl(struct sim_nic *nic, uint32_t value);
/** Reset of the port (CTRL.RST), or of the whole function, which alone frees wedged queues. */
void sim_nic_registers_reset(struct sim_nic *nic, bool function_level);

/* ---- registers of queues (sim_nic_queues.c); lock held ---- */

/** @return whether it is a register of a queue that does not just read what was written */
bool sim_nic_queue_read(struct sim_nic *nic, uint32_t offset, uint32_t *value);
/** @return whether it is a register of a queue */
bool sim_nic_queue_write(struct sim_nic *nic, uint32_t offset, uint32_t value);
void sim_nic_queues_reset(struct sim_nic *nic, bool function_level);
/** Engine: does what register writes asked for, and acknowledges it in the registers. */
void sim_nic_apply(struct sim_nic *nic);

/* ---- PHY and link (sim_nic_phy.c); lock held ---- */

void sim_nic_phy_reset(struct sim_nic *nic);
/** Reads or writes a register of the PHY, as the value says. */
void sim_nic_write_mdic(struct sim_nic *nic, uint32_t value);
/** STATUS and PHY follow the wire. */
void sim_nic_update_link(struct sim_nic *nic);

/* ---- interrupts (sim_nic_interrupt.c); lock held ---- */

/** @return whether it is a register of interrupts that does more than to hold what was written */
bool sim_nic_interrupt_write(struct sim_nic *nic, uint32_t offset, uint32_t value);
/** Raises what the turn's frames caused. */
void sim_nic_interrupt_queues(struct sim_nic *nic);
/** Raises a cause of ICR. */
void sim_nic_interrupt_other(struct sim_nic *nic, uint32_t cause);

/* ---- statistics; lock held ---- */

static inline void sim_count(struct sim_nic *nic, uint32_t offset, uint64_t by)
{
	nic->counter[(offset - SHUNT_82576_STATISTICS) / 4] += by;
}

/** Which of the six size registers a frame of this length (FCS included) counts in. */
static inline uint32_t sim_size_class(uint32_t length)
{
	if (length <= 64)
		return 0;
	if (length >= 1024)
		return 5;
	return 26u - (uint32_t)__builtin_clz(length); /* 64-127: 1, ... 512-1023: 4 */
}

/* ---- configuration space (sim_nic_config.c); lock held ---- */

void sim_nic_config_init(struct sim_nic *nic);
/** @return true: a function level reset was asked for */
bool sim_nic_config_write(struct sim_nic *nic, uint32_t offset, const void *buf, uint32_t length);

/* ---- rings (sim_ring.c); engine, or lock held ---- */

/** Takes base, length and head from the registers at queue (RDBAL(n) or TDBAL(n)). */
void sim_ring_load(struct sim_nic *nic, struct sim_ring *ring, uint32_t queue);
/** Drops what was fetched. */
void sim_ring_drop(struct sim_ring *ring);
/** Fetches descriptors. @return whether `needed` of them are there now */
bool sim_ring_fetch(struct sim_nic *nic, struct sim_ring *ring, uint32_t needed);

static inline const union sim_descriptor *sim_ring_peek(
	const struct sim_ring *ring, uint32_t distance)
{
	return &ring->cache[(ring->first + distance) % SIM_DESCRIPTOR_CACHE];
}

static inline uint64_t sim_ring_iova(const struct sim_ring *ring)
{
	return ring->base + 16ull * ring->head;
}

static inline void sim_ring_advance(struct sim_ring *ring)
{
	ring->first++;
	ring->cached--;
	ring->head = ring->head + 1 == ring->count ? 0 : ring->head + 1;
}

/** Memory of an IOVA if the IOTLB has it; makes no access and no fault record. */
static inline const uint8_t *sim_iotlb_peek(const struct sim_dma *dma, uint64_t iova)
{
	uint64_t page = iova >> SIM_SUPER_SHIFT;
	const struct sim_iotlb_entry *entry = &dma->super[page % SIM_IOTLB_ENTRIES];

	if (likely(entry->tag == page + 1))
		return entry->page + (iova & (SIM_SUPER_SIZE - 1));
	page = iova >> SIM_PAGE_SHIFT;
	entry = &dma->small[page % SIM_IOTLB_ENTRIES];
	return entry->tag == page + 1 ? entry->page + (iova & (SIM_PAGE_SIZE - 1)) : NULL;
}

/** The buffer of a descriptor that is used soon; its address comes first in both directions. */
static inline void sim_ring_prefetch(
	const struct sim_nic *nic, const struct sim_ring *ring, bool write)
{
	const uint8_t *memory;

	if (unlikely(ring->cached <= SIM_PREFETCH_AHEAD))
		return;
	memory = sim_iotlb_peek(nic->dma, sim_ring_peek(ring, SIM_PREFETCH_AHEAD)->tx.read.address);
	if (unlikely(!memory))
		return;
	if (write)
		__builtin_prefetch(memory, 1);
	else
		__builtin_prefetch(memory, 0);
}

static inline bool sim_within_page(uint64_t iova, uint32_t length)
{
	return (iova & (SIM_PAGE_SIZE - 1)) + length <= SIM_PAGE_SIZE;
}

/* ---- receive (sim_rx.c); engine ---- */

/** The queues would take a frame from the wire straight away. */
bool sim_rx_ready(struct sim_nic *nic);
/** A frame comes in from the wire: length without FCS. Serves no invalidation. */
void sim_rx_frame(struct sim_nic *nic, const uint8_t *frame, uint32_t length);
/** Moves frames from the FIFO to memory. @return frames */
unsigned int sim_rx_drain(struct sim_nic *nic, unsigned int budget);
/** Whether VLAN tag and destination address pass. (sim_rx_filter.c) */
bool sim_rx_accept(const struct sim_nic *nic, const uint8_t *frame);
/** Packet type for packet_info and checksum bits for status_error. (sim_rx_filter.c) */
uint32_t sim_rx_classify(
	const struct sim_nic *nic, const uint8_t *frame, uint32_t length, uint32_t *status);
/** Queue and hash of a frame, with RSS on. (sim_rx_filter.c) */
void sim_rx_steer(
	struct sim_nic *nic, const uint8_t *frame, uint32_t length, struct sim_rx_target *target);
/** Registers that choose what is done with frames have changed. (sim_rx_filter.c) */
void sim_rx_update(struct sim_nic *nic);

/** Whether a frame begins with a VLAN tag. */
static inline bool sim_rx_tagged(const struct sim_nic *nic, const uint8_t *frame)
{
	return ((uint32_t)frame[SIM_TAG_AT] << 8 | frame[SIM_TAG_AT + 1]) ==
	       (sim_register(nic, SHUNT_82576_VET) & 0xFFFFu);
}

/* ---- transmit (sim_tx.c); engine ---- */

/** Sends up to budget frames of a queue. @return frames */
unsigned int sim_tx_turn(struct sim_nic *nic, unsigned int queue, unsigned int budget);
/** Forgets the frame that was being gathered. */
void sim_tx_forget(struct sim_nic *nic, struct sim_tx_queue *queue);
/**
 * Does what the gathered frame asks for and sends what comes of it. (sim_tx_offload.c)
 *
 * @return false: context and frame do not fit together, nothing was sent
 */
bool sim_tx_offload(struct sim_nic *nic, struct sim_tx_queue *queue, uint32_t length);

/* ---- wire (sim_wire.c); engine ---- */

/** Puts a frame on the wire, padded if TCTL says so; length without FCS. The peer's lock is held.
 */
void sim_wire_transmit(struct sim_nic *nic, const uint8_t *frame, uint32_t length);
/** Whether a frame takes the wire now. */
static inline bool sim_wire_taken(const struct sim_nic *nic)
{
	return unlikely(nic->wire_free != 0) &&
	       nic->wire_free > atomic_load_explicit(&nic->sim->time, memory_order_relaxed);
}

/** Takes frames from the endpoint. @return frames, and one that is due soon */
unsigned int sim_wire_receive(struct sim_nic *nic, unsigned int budget);

/* ---- engine (sim_engine.c) ---- */

/** One turn of a port: FIFO, transmit queues, endpoint, interrupts. @return frames moved */
unsigned int sim_nic_turn(struct sim_nic *nic);

#endif
