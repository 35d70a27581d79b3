/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb_recover.h"
#include "igbvf.h"

/*
 * A virtual function has no GIO_MASTER_DISABLE. Its DMA is stopped queue by queue: with ENABLE off
 * a queue finishes what it has begun, and then reads as off (4.5.9). Turning it on again starts at
 * slot 0, so its ring is turned as after a reset (igb_ring.c): frames that were not polled, or not
 * sent, stay. Frames that arrive while the queue is off are dropped.
 */

/* Its ring is not the queue's any more until it is restarted: nobody may poll it. */
static int turn_off(struct igb_port *port)
{
	struct igb_recovery_state *state = &port->recovery_state;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < SHUNT_82576_VF_QUEUES; i++) {
		if (igb_tx_runs(port, i)) {
			state->tx_dead |= 1u << i;
			ret = igb_tx_queue_disable(port->tx[i]);
		}
		if (!ret && igb_rx_runs(port, i)) {
			state->rx_dead |= 1u << i;
			ret = igb_rx_queue_disable(port->rx[i]);
		}
	}
	if (!ret)
		igb_read_heads(port, &state->heads);
	return ret ? ret : igb_access_end(port);
}

int igbvf_group_pause(void *opaque)
{
	struct igb_port *port = opaque;

	if (port->started)
		igb_pollers_request_exit(port);
	return 0;
}

int igbvf_group_drain(void *opaque)
{
	struct igb_port *port = opaque;
	int ret;

	if (!port->started)
		return 0;
	igb_access_begin(port);
	ret = igb_pollers_fence(port);
	if (ret || igb_was_reset(port))
		return ret;
	port->dma_paused = true;
	return turn_off(port);
}

static int turn_on(struct igb_port *port)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < SHUNT_82576_VF_QUEUES; i++) {
		if (igb_rx_runs(port, i))
			ret = igb_restart_rx(port->rx[i]);
		if (!ret && igb_tx_runs(port, i))
			ret = igb_restart_tx(port->tx[i]);
	}
	return ret ? ret : igb_access_end(port);
}

int igbvf_group_resume(void *opaque)
{
	struct igb_port *port = opaque;
	int ret = 0;

	if (port->dma_paused) {
		igb_access_begin(port);
		ret = turn_on(port);
		port->dma_paused = ret != 0;
	}
	igb_pollers_admit(port);
	return ret;
}

/* Queues that resume has not restarted are dead to the recovery, which restarts those. */
int igbvf_finish_pause(struct igb_port *port)
{
	port->dma_paused = false;
	return 0;
}
