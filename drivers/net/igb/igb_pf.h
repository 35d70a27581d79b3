/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGB_PF_H
#define IGB_PF_H

#include "igb.h"

/*
 * The physical function of the 82576: what igb_pf.c puts into its struct igb_hw. The map of the
 * folder is in igb.h. Lock held, or port not reachable yet.
 */

/* ---- igb_mac.c ---- */

/** RCTL with what ethdev has set, and EN if asked. */
void igb_hw_receive(struct igb_port *port, bool enable);
/** TCTL. */
void igb_hw_transmit(struct igb_port *port, bool enable);
/** All receive addresses. */
void igb_hw_addresses(struct igb_port *port);
/** Multicast table, and that of VLANs, from what ethdev has set. */
void igb_hw_multicast(struct igb_port *port);
void igb_hw_vlans(struct igb_port *port);
/** One receive address; NULL clears it. */
void igb_hw_address(struct igb_port *port, uint32_t index, const struct rte_ether_addr *address);
/** The NIC's own address, from RAL(0) or the EEPROM. @return 0; -EIO none there */
int igb_hw_own_address(struct igb_port *port, struct rte_ether_addr *address);
/** CTRL of a running port, from what ethdev has set; keeps it in igb_port::control. */
void igb_hw_control(struct igb_port *port);
/** A word of the EEPROM. @return 0; -ETIMEDOUT; failure of an access */
int igb_hw_eeprom(struct igb_port *port, uint32_t word, uint16_t *value);

/* ---- igb_phy.c ---- */

/**
 * Powers the PHY up and lets it negotiate, unless it has; or down, if the application wants no
 * link.
 */
int igb_phy_start(struct igb_port *port);

/* ---- igb_init.c ---- */

/** Receive, transmit and DMA off, 5.2; registers keep their values. */
int igb_hw_stop_dma(struct igb_port *port);
/** The same, then resets the port (CTRL.RST), 4.5.3. Registers have their reset values after. */
int igb_hw_reset(struct igb_port *port);
/** Waits until a function that was reset has read its EEPROM. */
int igb_hw_wait_ready(struct igb_port *port);
/** Everything but queues and the enables of receive and transmit, from what ethdev has set. */
int igb_hw_configure(struct igb_port *port);
/** Vectors of interrupts, and which are enabled; the link's is raised once. */
void igb_hw_interrupts(struct igb_port *port);

/* ---- igb_pause.c: DMA stopped for a switch ---- */

/**
 * Finds out once what stops the function's DMA. Transmit on, receive off, queues not set up yet.
 *
 * @return 0; -ETIMEDOUT naming what it did not do; failure of an access
 */
int igb_probe_dma_stop(struct igb_port *port);

/** DMA goes on if a pause still stops it, and tails that were only noted are written again. */
int igb_finish_pause(struct igb_port *port);

/** As struct shunt_port_ops has them. */
int igb_group_pause(void *port);
int igb_group_drain(void *port);
int igb_group_resume(void *port);
bool igb_group_keeps_frames(void *port);

/* ---- igb_tables.c ---- */

#define IGB_REGISTER_RUNS 40

extern const struct igb_counter igb_counters[IGB_REGISTER_COUNTERS];
extern const struct igb_register_run igb_registers[IGB_REGISTER_RUNS];

#endif
