/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"

/* The threads that poll a port's queues, kept out of them: shunt_poll.h says how. */

void igb_pollers_request_exit(struct igb_port *port)
{
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (port->rx[i])
			shunt_poll_ask(&port->rx[i]->poll);
		if (port->tx[i])
			shunt_poll_ask(&port->tx[i]->poll);
	}
}

int igb_pollers_wait_rx(struct igb_port *port)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < SHUNT_82576_QUEUES; i++)
		if (port->rx[i])
			ret = shunt_poll_wait(&port->rx[i]->poll);
	return ret;
}

static int wait(struct igb_port *port)
{
	int ret = igb_pollers_wait_rx(port);

	for (unsigned int i = 0; !ret && i < SHUNT_82576_QUEUES; i++)
		if (port->tx[i])
			ret = shunt_poll_wait(&port->tx[i]->poll);
	return ret;
}

int igb_pollers_fence(struct igb_port *port)
{
	int ret;

	igb_pollers_request_exit(port);
	ret = shunt_barrier();
	return ret ? ret : wait(port);
}

void igb_pollers_close(struct igb_port *port)
{
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (port->rx[i])
			shunt_poll_close(&port->rx[i]->poll);
		if (port->tx[i])
			shunt_poll_close(&port->tx[i]->poll);
	}
}

static void let_in(struct shunt_poll *poll, bool dead)
{
	if (dead)
		shunt_poll_close(poll);
	else
		shunt_poll_resume(poll);
}

void igb_pollers_admit(struct igb_port *port)
{
	const struct igb_recovery_state *state = &port->recovery_state;

	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_rx_runs(port, i))
			let_in(&port->rx[i]->poll, state->rx_dead >> i & 1);
		if (igb_tx_runs(port, i))
			let_in(&port->tx[i]->poll, state->tx_dead >> i & 1);
	}
	igb_interrupts_wake(port);
}
