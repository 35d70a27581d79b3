/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"
#include "shunt_error.h"

/*
 * Pausing DMA, 5.2.3.3: with CTRL.GIO_MASTER_DISABLE set the function makes no new requests, and
 * STATUS.GIO_MASTER_ENABLE is 0 when those under way have ended; the answer to that read comes
 * behind the function's own writes. Frames that arrive meanwhile wait in the receive FIFO, 64 KB:
 * half a millisecond at 1 Gb/s. A burst that had begun may still write a tail, which does no harm.
 *
 * QEMU: a function that heeds none of that (igb_heed.c) makes DMA when a tail is written, and
 * pollers are out, and when a frame arrives, for which receive is turned off: its sender keeps the
 * frame. On silicon that would lose it. Bus Master of the command register would do as well, but
 * QEMU lays all its memory out anew at each change, which takes a millisecond.
 */

static void hold(void *port)
{
	pthread_mutex_lock(&((struct igb_port *)port)->lock);
}

static void release(void *port)
{
	pthread_mutex_unlock(&((struct igb_port *)port)->lock);
}

static bool ask(void *opaque)
{
	struct igb_port *port = opaque;

	if (!port->started || port->heed == IGB_HEED_MASTER_DISABLE)
		return false;
	igb_ask(port);
	return true;
}

static int stop_receiver(struct igb_port *port)
{
	int ret = igb_wait_out(port);

	if (ret)
		return ret;
	port->paused = true;
	igb_hw_receive(port, false);
	return igb_await(port, SHUNT_82576_RCTL, SHUNT_82576_RCTL_EN, 0, "the receiver to stop");
}

static int disable_master(struct igb_port *port)
{
	igb_ask(port);
	port->paused = true;
	igb_write(port, SHUNT_82576_CTRL, port->control | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	return igb_await(port, SHUNT_82576_STATUS, SHUNT_82576_STATUS_GIO_MASTER_ENABLE, 0,
		"DMA in flight to end");
}

static int pause_dma(void *opaque)
{
	struct igb_port *port = opaque;

	if (!port->started)
		return 0;
	igb_access_begin(port);
	return port->heed == IGB_HEED_MASTER_DISABLE ? disable_master(port) : stop_receiver(port);
}

int igb_unpause(struct igb_port *port)
{
	int ret;

	if (port->heed == IGB_HEED_NOTHING)
		igb_hw_receive(port, true);
	else
		igb_write(port, SHUNT_82576_CTRL, port->control);
	ret = igb_access_end(port);
	port->paused = ret != 0;
	return ret;
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

static int start(void *opaque)
{
	struct igb_port *port = opaque;
	int ret = 0;

	if (port->stopped)
		ret = igb_run(port->port.dev, port->rx_stopped, port->tx_stopped);
	else if (port->started)
		igb_let_in(port); /* a poller did not leave, so that it could not be stopped */
	port->stopped = false;
	return ret;
}

const struct shunt_port_ops igb_group_ops = {
	.hold = hold,
	.release = release,
	.ask = ask,
	.pause = pause_dma,
	.resume = resume_dma,
	.stop = stop,
	.start = start,
	.recover = igb_recover,
};
