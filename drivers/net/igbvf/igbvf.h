/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGBVF_H
#define IGBVF_H

#include "82576_vf.h"
#include "igb.h"

/*
 * A virtual function of the Intel 82576: the port of drivers/net/igb, with a struct igb_hw of its
 * own.
 *
 *   from the ground up
 *
 *   igbvf_mailbox.c  messages to the physical function's driver, and their answers
 *   igbvf_hw.c       reset, set-up, settings        igbvf_pause.c  queues off and on for a switch
 *   igbvf.c          struct igb_hw, the group's operations
 *
 *   struct igbvf_port
 *     '- struct igb_port   rings, queues, counters, recovery
 *
 * What the function cannot do itself, the physical function's driver does for it, or refuses: its
 * address, VLANs, multicast, long frames. After a reset of either function nothing of that is left,
 * and the other side answers only after VF_RESET.
 *
 * Threads and lock as in igb.h.
 */

/** One port. */
struct igbvf_port {
	struct igb_port igb; /* first */
	uint32_t mailbox;    /**< bits of V2PMAILBOX that a read has cleared, not taken yet */
	struct rte_ether_addr assigned; /**< by the administrator; zero: none */
	struct rte_ether_addr current;  /**< that the other side receives for us; zero: none */
	uint32_t modes;                 /**< SHUNT_82576_VF_UNICAST and _MULTICAST in effect */
	bool forgotten;                 /**< the other side was reset since VF_RESET */
	uint32_t refused; /**< settings without which the port runs, and the log says so, by bit */
	/* While igb_port::dma_paused: queues that a pause told to go off, not restarted yet. */
	uint32_t rx_off, tx_off;
};

static inline struct igbvf_port *igbvf_port_of(struct igb_port *port)
{
	return (struct igbvf_port *)port;
}

/** Whether this is an attempt that is repeated soon: it waits shorter, with the lock held. */
static inline bool igbvf_recovers(const struct igb_port *port)
{
	return port->backoff.times || port->recovery_state.phase != IGB_RECOVERY_IDLE;
}

/* ---- igbvf_mailbox.c ---- */

/** Whether the physical function is being reset. */
bool igbvf_mailbox_in_reset(struct igbvf_port *vf);
/** Reads a message that came without being asked for: the link changed, or the other side was
 * reset.
 */
void igbvf_mailbox_listen(struct igbvf_port *vf);
/**
 * Sends a message and waits for its answer.
 *
 * @param words    of the message
 * @param what     for the error text: "a VLAN"
 * @return 0 it was done, the answer replaces the message; -EPERM refused, the same; -EIO the other
 *         side was reset, and wants VF_RESET first; -ETIMEDOUT no answer; failure of an access
 */
int igbvf_mailbox_ask(struct igbvf_port *vf, uint32_t message[SHUNT_82576_VMBMEM_WORDS],
	unsigned int words, const char *what);

/* ---- igbvf_hw.c: as struct igb_hw has them ---- */

int igbvf_open(struct igb_port *port);
void igbvf_close(struct igb_port *port);
int igbvf_stop_dma(struct igb_port *port);
int igbvf_reset(struct igb_port *port);
int igbvf_wait_ready(struct igb_port *port);
int igbvf_configure(struct igb_port *port);
bool igbvf_was_reset(struct igb_port *port);
bool igbvf_answers(struct igb_port *port);
bool igbvf_connected(struct igb_port *port);
void igbvf_link_event(struct igb_port *port);
int igbvf_set_address(struct igb_port *port, uint32_t index, const struct rte_ether_addr *address);
int igbvf_set_modes(struct igb_port *port);
int igbvf_set_multicast(struct igb_port *port);
int igbvf_set_vlan(struct igb_port *port, uint16_t id, bool on);
int igbvf_set_max_frame(struct igb_port *port);
int igbvf_set_link(struct igb_port *port);

/* ---- igbvf_pause.c: as struct igb_hw and struct shunt_port_ops have them ---- */

int igbvf_finish_pause(struct igb_port *port);
int igbvf_group_pause(void *port);
int igbvf_group_drain(void *port);
int igbvf_group_resume(void *port);

#endif
