/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IGB_RECOVER_H
#define IGB_RECOVER_H

#include "igb.h"

/*
 * Between igb_recover.c, which mends a port, and igb_prove.c, which finds out what runs. Lock held.
 */

static inline bool igb_rx_runs(const struct igb_port *port, unsigned int i)
{
	return port->rx[i] && port->rx[i]->started;
}

static inline bool igb_tx_runs(const struct igb_port *port, unsigned int i)
{
	return port->tx[i] && port->tx[i]->started;
}

/** Heads of the queues that are started. */
void igb_read_heads(struct igb_port *port, struct igb_trial *trial);

/** Pollers run on: queues with traffic prove themselves in microseconds. */
void igb_watch(struct igb_port *port, struct igb_trial *trial);

/** Whether something is stuck that no fault record tells of. */
bool igb_looks_stuck(struct igb_port *port);

/**
 * Paused. Queues that did not move have to answer.
 *
 * @return 0 all run; -ETIMEDOUT trial says which do not; failure of an access
 */
int igb_prove(struct igb_port *port, struct igb_trial *trial, struct shunt_recovery *recovery);

/** Ring laid anew, head at 0, the NIC told of it. @return 0; -ETIMEDOUT it does not answer */
int igb_restart_rx(struct igb_rx_queue *queue, struct igb_trial *trial);

/**
 * The same, with a context descriptor first: frames from the trial's head on follow once the queue
 * has taken it. That head is kept true, so that this can be tried again.
 */
int igb_restart_tx(struct igb_tx_queue *queue, struct igb_trial *trial);

#endif
