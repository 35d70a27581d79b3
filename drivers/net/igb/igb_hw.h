/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGB_HW_H
#define IGB_HW_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>

/*
 * What a physical function of the 82576 and its virtual functions differ in, off the packet path.
 *
 *   struct igb_port --- hw ---> igb_pf    the physical function    (igb_pf.c)
 *                          '--> igbvf     a virtual function       (drivers/net/igbvf/igbvf.c)
 *
 * Rings, bursts, queues, recovery and ethdev's operations are one and the same. Lock held in all
 * operations, or the port is not reachable yet.
 */

struct igb_port;

/* All that the PHY negotiates. */
#define IGB_SPEEDS                                                                         \
	(RTE_ETH_LINK_SPEED_10M_HD | RTE_ETH_LINK_SPEED_10M | RTE_ETH_LINK_SPEED_100M_HD | \
		RTE_ETH_LINK_SPEED_100M | RTE_ETH_LINK_SPEED_1G)

/** What the port's counters make of a register. */
enum igb_counter_kind {
	IGB_COUNTER_OTHER,
	IGB_COUNTER_GOOD_RX, /**< frames taken in, whether they come to memory or not */
	IGB_COUNTER_MISSED,
	IGB_COUNTER_ERROR,
};

/** A statistics register. */
struct igb_counter {
	const char *name;
	uint32_t reg;  /**< low half of a pair */
	uint32_t high; /**< high half, 0: none; the pair clears with it */
	enum igb_counter_kind kind;
};

/** Registers of a dump; none that a read changes. */
struct igb_register_run {
	uint32_t reg;
	uint32_t count;
	uint32_t stride;
};

struct igb_hw {
	uint16_t device; /**< PCI device ID, or the first of them */
	uint32_t bar0_size;
	uint32_t rx_queue; /**< registers of receive queue 0 */
	uint32_t tx_queue;
	uint32_t queue_stride;
	uint32_t queues;    /**< of each direction in the function */
	uint16_t rx_queues; /**< that applications may have */
	uint16_t tx_queues;
	uint16_t addresses;
	uint16_t vectors; /**< MSI-X; vector 0 is the link's */
	bool canary;      /**< igb_canary.c */
	bool loopback;
	uint32_t speeds; /**< RTE_ETH_LINK_SPEED_... that the link may have */
	uint64_t rx_offloads;
	uint64_t rss_types; /**< 0: it has no receive side scaling of its own */
	/** It runs again when another function does: attempts to recover do not get rare. */
	bool waits_for_others;
	const struct igb_counter *counters;
	unsigned int counter_count;
	bool counters_clear; /**< when read; else they wrap around */
	const struct igb_register_run *registers;
	unsigned int register_count; /**< runs of them */

	/**
	 * First: brings the function into reset state and learns its own address. It is mapped, and
	 * the canary has its ring.
	 */
	int (*open)(struct igb_port *port);
	/** Last access before the function is closed. */
	void (*close)(struct igb_port *port);
	/** Receive, transmit and DMA off; registers keep their values. */
	int (*stop_dma)(struct igb_port *port);
	/** The same, then a reset that leaves the configuration space alone. */
	int (*reset)(struct igb_port *port);
	/** Waits until a function that was reset by others, or by VFIO, can be set up. */
	int (*wait_ready)(struct igb_port *port);
	/** Everything but queues and receive and transmit, from what ethdev has set. */
	int (*configure)(struct igb_port *port);
	void (*receive)(struct igb_port *port, bool enable);
	void (*transmit)(struct igb_port *port, bool enable);
	/** Finds out once what stops the function's DMA. Transmit on, queues not set up yet. */
	int (*probe_dma_stop)(struct igb_port *port);
	/** Completes what a pause for a switch left undone. */
	int (*finish_pause)(struct igb_port *port);
	/** Whether a running port has lost what was set up. */
	bool (*was_reset)(struct igb_port *port);
	/** Whether the function answers after a reset. */
	bool (*answers)(struct igb_port *port);
	/** Whether frames can pass if STATUS has a link. */
	bool (*connected)(struct igb_port *port);
	/** Takes the cause of a signal of vector 0. */
	void (*link_event)(struct igb_port *port);

	/*
	 * Settings of ethdev that changed in struct igb_port. A port that does not run only says
	 * whether they are possible. The caller restores what was refused.
	 */

	/** Address `index`, to be `address`; NULL clears it. */
	int (*set_address)(
		struct igb_port *port, uint32_t index, const struct rte_ether_addr *address);
	/** igb_port::promiscuous and all_multicast. */
	int (*set_modes)(struct igb_port *port);
	int (*set_multicast)(struct igb_port *port);
	int (*set_vlan)(struct igb_port *port, uint16_t id, bool on);
	int (*set_vlan_offload)(struct igb_port *port);
	int (*set_max_frame)(struct igb_port *port);
	int (*set_link)(struct igb_port *port);
	/** Word of the EEPROM with its version. NULL: there is none. */
	int (*firmware)(struct igb_port *port, uint16_t *version);
};

#endif
