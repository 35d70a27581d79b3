/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGB_RECOVER_H
#define IGB_RECOVER_H

#include "igb.h"

/*
 * Between igb_recover.c, which repairs a port, and igb_liveness.c, which finds out which queues
 * run. The state is that of the port. Lock held.
 */

/** Head of a queue that is set up on its ring. It stays true once the queue is off. */
uint16_t igb_rx_head(struct igb_port *port, unsigned int i);
uint16_t igb_tx_head(struct igb_port *port, unsigned int i);
void igb_read_heads(struct igb_port *port, struct igb_heads *heads);

/** Marks the queues whose head moves as live. Pollers run: traffic shows in microseconds. */
void igb_liveness_watch(struct igb_port *port);

/** Whether a queue seems to hang that no fault record tells of. Pollers run. */
bool igb_liveness_suspect(struct igb_port *port);

/**
 * Makes the queues that are not marked as live answer. Paused.
 *
 * @return 0 all run; -ETIMEDOUT one does not, the port has to be reset; failure of an access
 */
int igb_liveness_check(struct igb_port *port, struct shunt_recovery *recovery);

/** Starts a receive queue on its ring, rebuilt. @return 0; -ETIMEDOUT it does not answer */
int igb_restart_rx(struct igb_rx_queue *queue);

/**
 * Starts a transmit queue on its ring, rebuilt behind a context descriptor. Frames from the known
 * head on follow once the queue has taken that descriptor. The known head stays true, so that this
 * can be tried again.
 */
int igb_restart_tx(struct igb_tx_queue *queue);

#endif
