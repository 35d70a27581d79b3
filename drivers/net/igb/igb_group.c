/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "igb.h"
#include "shunt_error.h"

/*
 * Pausing DMA, 5.2.3.3: with CTRL.GIO_MASTER_DISABLE set the function makes no new requests, and
 * STATUS.GIO_MASTER_ENABLE is 0 when those under way have ended; the answer to that read comes
 * behind the function's own writes. Frames that arrive meanwhile wait in the receive FIFO, 64 KB:
 * half a millisecond at 1 Gb/s. A burst that had begun may still write a tail: for later.
 *
 * QEMU: a function that heeds none of that (igb_heed.c) makes DMA when a tail is written and when
 * a frame arrives. With transmit and receive turned off it does not: the write of a transmit tail
 * is only noted, a frame stays on its sender's side (on silicon it would be lost). But the write
 * of a receive tail hands over what waits there, to a receiver that is off: lost without a count.
 * So nobody may be about to write one. QEMU acts on a register before the access ends, so that
 * reading one back is the proof. Bus Master of the command register would do as well, but QEMU
 * lays its memory out anew at each change, which takes a millisecond.
 */

static void hold(void *port)
{
	pthread_mutex_lock(&((struct igb_port *)port)->lock);
}

static void release(void *port)
{
	pthread_mutex_unlock(&((struct igb_port *)port)->lock);
}

/* A function that others reset meanwhile does not answer as asked, and makes no DMA. */
static int await_master(struct igb_port *port)
{
	int ret;

	ret = igb_await(port, SHUNT_82576_STATUS, SHUNT_82576_STATUS_GIO_MASTER_ENABLE, 0,
		"DMA in flight to end");
	return ret == -ETIMEDOUT && igb_was_reset(port) ? 0 : ret;
}

static int turn_off(struct igb_port *port)
{
	int ret;

	shunt_barrier_after(port->asked);
	ret = igb_wait_rx_out(port);
	if (ret)
		return ret;
	port->paused = true;
	igb_hw_transmit(port, false);
	igb_hw_receive(port, false);
	return igb_await(port, SHUNT_82576_RCTL, SHUNT_82576_RCTL_EN, 0, "the receiver to stop");
}

static int pause_dma(void *opaque)
{
	struct igb_port *port = opaque;

	if (!port->started)
		return 0;
	igb_access_begin(port);
	igb_ask(port);
	if (port->heed == IGB_HEED_MASTER_DISABLE) {
		port->paused = true;
		igb_write(port, SHUNT_82576_CTRL,
			port->control | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	} else {
		port->asked = shunt_barrier_begun();
	}
	return igb_access_end(port);
}

static int drain_dma(void *opaque)
{
	struct igb_port *port = opaque;

	if (!port->started)
		return 0;
	return port->heed == IGB_HEED_MASTER_DISABLE ? await_master(port) : turn_off(port);
}

int igb_unpause(struct igb_port *port)
{
	if (port->heed == IGB_HEED_MASTER_DISABLE) {
		igb_write(port, SHUNT_82576_CTRL, port->control);
	} else {
		igb_hw_transmit(port, true);
		igb_hw_receive(port, true);
	}
	port->paused = port->access_error != 0;
	return igb_access_end(port);
}

int igb_send_noted(struct igb_port *port)
{
	bool out = false;
	int ret = 0;

	if (port->heed == IGB_HEED_MASTER_DISABLE)
		return 0;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES && !ret; i++) {
		if (!port->tx[i] || !port->tx[i]->started || port->trial.tx_dead >> i & 1 ||
			igb_read(port, SHUNT_82576_TDH(i)) == igb_read(port, SHUNT_82576_TDT(i)))
			continue;
		if (!out)
			ret = igb_keep_out(port);
		out = true;
		if (!ret)
			igb_doorbell(port->tx[i]->doorbell, port->tx[i]->tail);
	}
	if (out)
		igb_let_in(port);
	return ret ? ret : igb_access_end(port);
}

static int resume_dma(void *opaque)
{
	struct igb_port *port = opaque;
	int ret = 0;

	if (port->paused) {
		igb_access_begin(port);
		ret = igb_unpause(port);
	}
	igb_let_in(port);
	return ret;
}

static bool keeps_frames(void *opaque)
{
	return ((struct igb_port *)opaque)->heed == IGB_HEED_MASTER_DISABLE;
}

static int stop(void *opaque)
{
	struct igb_port *port = opaque;
	int ret;

	if (!port->started)
		return 0;
	port->rx_stopped = port->tx_stopped = 0;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		port->rx_stopped |= (uint32_t)(port->rx[i] && port->rx[i]->started) << i;
		port->tx_stopped |= (uint32_t)(port->tx[i] && port->tx[i]->started) << i;
	}
	igb_access_begin(port);
	ret = igb_halt(port->port.dev);
	port->stopped = !port->started;
	return ret;
}

int igb_start_again(struct igb_port *port)
{
	int ret = igb_run(port->port.dev, port->rx_stopped, port->tx_stopped);

	port->stopped = ret != 0;
	return ret;
}

static int start(void *opaque)
{
	struct igb_port *port = opaque;
	int ret = 0;

	if (port->stopped)
		ret = igb_start_again(port);
	else if (port->started)
		igb_let_in(port); /* a poller did not leave, so that it could not be stopped */
	return ret;
}

const struct shunt_port_ops igb_group_ops = {
	.hold = hold,
	.release = release,
	.pause = pause_dma,
	.drain = drain_dma,
	.keeps_frames = keeps_frames,
	.resume = resume_dma,
	.stop = stop,
	.start = start,
	.recover = igb_recover,
	.switched = shunt_port_switched,
};
