/* SPDX-License-Identifier: BSD-3-Clause */
/* The skeleton of a port driver; doc/port-driver.md explains each operation. */
#include <errno.h>

#include <shunt/error.h>

#include "skeleton.h"

/* ---- the datapath ---- */

static uint16_t receive(void *queue, struct rte_mbuf **frames, uint16_t room)
{
	struct skeleton *port = queue;

	if (!shunt_poll_enter(&port->rx, true))
		return 0;
	/* Take frames from the ring. */
	shunt_poll_leave(&port->rx);
	return 0;
}

static uint16_t transmit(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	struct skeleton *port = queue;

	if (!shunt_poll_enter(&port->tx, true) && !shunt_poll_enter_late(&port->tx, true))
		return 0;
	/* Fill the ring, write the tail. */
	shunt_poll_leave(&port->tx);
	return 0;
}

/* Keeps pollers out of both queues. All are asked first: one barrier is enough for all. */
static int fence_pollers(struct skeleton *port)
{
	int ret;

	shunt_poll_ask(&port->rx);
	shunt_poll_ask(&port->tx);
	ret = shunt_barrier();
	if (!ret)
		ret = shunt_poll_wait(&port->rx);
	return ret ? ret : shunt_poll_wait(&port->tx);
}

static void admit_pollers(struct skeleton *port)
{
	shunt_poll_resume(&port->rx);
	shunt_poll_resume(&port->tx);
}

/* ---- what the group asks for ---- */

static void hold(void *opaque)
{
	struct skeleton *port = opaque;

	pthread_mutex_lock(&port->lock);
}

static void release(void *opaque)
{
	struct skeleton *port = opaque;

	pthread_mutex_unlock(&port->lock);
}

/* Only asks: the DMA of all ports of the group ends in parallel. */
static int pause_dma(void *opaque)
{
	struct skeleton *port = opaque;

	if (!port->started)
		return 0;
	shunt_poll_ask(&port->rx);
	shunt_poll_ask(&port->tx);
	port->paused = true;
	port->nic.dma_enabled = false;
	return 0;
}

/* Waits until no burst can ring a doorbell, and until the NIC reports that its DMA has ended. */
static int drain_dma(void *opaque)
{
	struct skeleton *port = opaque;
	int ret;

	if (!port->started)
		return 0;
	ret = fence_pollers(port);
	if (ret)
		return ret;
	/* Read the register that shows DMA in flight until it is clear, with a bound in time. */
	return port->nic.dma_enabled ? shunt_fail(-ETIMEDOUT, "DMA in flight does not end") : 0;
}

static bool keeps_frames(void *opaque)
{
	return true; /* this NIC has a receive FIFO that fills while DMA is paused */
}

/* Also called after a pause or a drain that failed. */
static int resume_dma(void *opaque)
{
	struct skeleton *port = opaque;

	if (!port->paused)
		return 0;
	port->nic.dma_enabled = true;
	port->paused = false;
	admit_pollers(port);
	return 0;
}

static int stop(void *opaque)
{
	struct skeleton *port = opaque;
	int ret;

	if (!port->started)
		return 0;
	ret = fence_pollers(port);
	if (ret) {
		admit_pollers(port);
		return ret;
	}
	port->nic.queues_enabled = false;
	port->nic.dma_enabled = false;
	/* Free the buffers of both rings. */
	shunt_poll_close(&port->rx);
	shunt_poll_close(&port->tx);
	return 0;
}

/* `started` says what the application asked for: the group's stop does not change it. */
static int start(void *opaque)
{
	struct skeleton *port = opaque;

	if (!port->started)
		return 0;
	/* Reset the NIC, restore its configuration, fill the receive ring. */
	port->nic.queues_enabled = true;
	port->nic.dma_enabled = true;
	admit_pollers(port);
	return 0;
}

static int recover(void *opaque, enum shunt_suspicion suspicion, struct shunt_recovery *recovery)
{
	struct skeleton *port = opaque;

	if (!port->started || suspicion == SHUNT_SUSPICION_NONE || port->nic.queues_enabled)
		return 0;
	if (fence_pollers(port) == 0) {
		/* Give back descriptors whose write-back was refused; reset what still hangs. */
		port->nic.queues_enabled = true;
		recovery->queue_resets++;
	}
	admit_pollers(port);
	return port->nic.queues_enabled ? 0 : shunt_fail(-EIO, "no queue runs after a queue reset");
}

static const struct shunt_port_ops skeleton_ops = {
	.hold = hold,
	.release = release,
	.pause = pause_dma,
	.drain = drain_dma,
	.keeps_frames = keeps_frames,
	.resume = resume_dma,
	.stop = stop,
	.start = start,
	.recover = recover,
	/* A driver in the plugin has .switched = shunt_port_switched here. */
};

/* ---- what the front-end asks for ---- */

/* The NIC is bound and not attached: no DMA is possible yet. */
static int open_port(struct rte_eth_dev *dev)
{
	struct skeleton *port = dev->data->dev_private;
	int ret = pthread_mutex_init(&port->lock, NULL);

	if (ret)
		return shunt_fail(-ret, "the lock of a port");
	shunt_poll_init(&port->rx);
	shunt_poll_init(&port->tx);
	dev->rx_pkt_burst = receive;
	dev->tx_pkt_burst = transmit;
	/* Reset the NIC, read its address, set dev->dev_ops. */
	return 0;
}

static void close_port(struct rte_eth_dev *dev)
{
	struct skeleton *port = dev->data->dev_private;

	pthread_mutex_destroy(&port->lock);
}

static const uint16_t devices[] = { 0x5c31, 0 };

const struct shunt_port_driver skeleton_driver = {
	.name = "net_shunt skeleton",
	.vendor = 0xfffe, /* no vendor has it */
	.devices = devices,
	.private_size = sizeof(struct skeleton),
	.group_ops = &skeleton_ops,
	.open = open_port,
	.close = close_port,
};
