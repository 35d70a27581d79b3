/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb_recover.h"
#include "igbvf.h"

/*
 * A virtual function has no GIO_MASTER_DISABLE. Its DMA is stopped queue by queue: with ENABLE off
 * a queue finishes what it has begun, and then reads as off (4.5.9). Turning it on again starts at
 * slot 0, so its ring is turned as after a reset (igb_ring.c): frames that were not polled, or not
 * sent, stay. Frames that arrive while the queue is off are dropped.
 */

/*
 * A queue is dead once it is off and its head is known: its ring is not its own until it is
 * restarted, and nobody may poll it. A queue that a failed recovery left dead is only disabled: its
 * head was read before the reset, and the register says nothing now. A queue that does not stop,
 * or whose head cannot be read, does not become dead: the recovery that follows looks at it.
 */
static int turn_off_tx(struct igbvf_port *vf, unsigned int i)
{
	struct igb_port *port = &vf->igb;
	struct igb_recovery_state *state = &port->recovery_state;
	int ret = igb_tx_queue_disable(port->tx[i]);
	uint16_t head;

	if (state->tx_dead >> i & 1)
		return ret;
	vf->tx_off |= 1u << i;
	if (ret)
		return ret;
	head = igb_tx_head(port, i);
	if (port->access_error)
		return port->access_error;
	/* No repair: the restart takes all before the head as sent. */
	state->heads.tx[i] = head;
	state->tx_dead |= 1u << i;
	return 0;
}

/* Off, it has written back all that it ever will: a slot before its head without DD is a hole. */
static int turn_off_rx(struct igbvf_port *vf, unsigned int i)
{
	struct igb_port *port = &vf->igb;
	struct igb_recovery_state *state = &port->recovery_state;
	int ret = igb_rx_queue_disable(port->rx[i]);
	uint16_t head;

	if (state->rx_dead >> i & 1)
		return ret;
	vf->rx_off |= 1u << i;
	if (ret)
		return ret;
	head = igb_rx_head(port, i);
	if (port->access_error)
		return port->access_error;
	port->recovered.repaired_descriptors +=
		igb_rx_ring_repair(port->rx[i], head, &port->recovered.rx_dropped);
	state->rx_dead |= 1u << i;
	return 0;
}

static int turn_off(struct igbvf_port *vf)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < SHUNT_82576_VF_QUEUES; i++) {
		if (igb_tx_runs(&vf->igb, i))
			ret = turn_off_tx(vf, i);
		if (!ret && igb_rx_runs(&vf->igb, i))
			ret = turn_off_rx(vf, i);
	}
	return ret ? ret : igb_access_end(&vf->igb);
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
	struct igbvf_port *vf = igbvf_port_of(port);
	int ret;

	if (!port->started)
		return 0;
	igb_access_begin(port);
	ret = igb_pollers_fence(port);
	if (ret || igb_was_reset(port))
		return ret;
	if (!port->dma_paused)
		vf->rx_off = vf->tx_off = 0;
	port->dma_paused = true;
	return turn_off(vf);
}

static int turn_on_rx(struct igbvf_port *vf, unsigned int i)
{
	uint32_t bit = 1u << i;
	int ret;

	if (!igb_rx_runs(&vf->igb, i) || !(vf->rx_off & vf->igb.recovery_state.rx_dead & bit))
		return 0;
	ret = igb_restart_rx(vf->igb.rx[i]);
	if (!ret)
		vf->rx_off &= ~bit;
	return ret;
}

static int turn_on_tx(struct igbvf_port *vf, unsigned int i)
{
	uint32_t bit = 1u << i;
	int ret;

	if (!igb_tx_runs(&vf->igb, i) || !(vf->tx_off & vf->igb.recovery_state.tx_dead & bit))
		return 0;
	ret = igb_restart_tx(vf->igb.tx[i]);
	if (!ret)
		vf->tx_off &= ~bit;
	return ret;
}

/* What a failed recovery left dead stays dead: the function may not be set up. */
static int turn_on(struct igbvf_port *vf)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < SHUNT_82576_VF_QUEUES; i++) {
		ret = turn_on_rx(vf, i);
		if (!ret)
			ret = turn_on_tx(vf, i);
	}
	return ret ? ret : igb_access_end(&vf->igb);
}

int igbvf_group_resume(void *opaque)
{
	struct igb_port *port = opaque;
	struct igbvf_port *vf = igbvf_port_of(port);
	int ret = 0;

	if (port->dma_paused) {
		igb_access_begin(port);
		ret = turn_on(vf);
		port->dma_paused = ret || vf->rx_off || vf->tx_off;
	}
	igb_pollers_admit(port);
	return ret;
}

/* Queues that resume has not restarted: the recovery restarts dead ones, and tries the others. */
int igbvf_finish_pause(struct igb_port *port)
{
	port->dma_paused = false;
	return 0;
}
