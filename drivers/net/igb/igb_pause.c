/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "igb_pf.h"

/*
 * Pausing DMA, 5.2.3.3: with CTRL.GIO_MASTER_DISABLE set the function makes no new requests.
 * STATUS.GIO_MASTER_ENABLE is 0 when those under way have ended; the answer to that read follows
 * the function's own writes. Frames that arrive meanwhile wait in the receive FIFO, 64 KB: half a
 * millisecond at 1 Gb/s. A burst that had begun may still write a tail: it takes effect later.
 *
 * QEMU: its function ignores the bit (probed below). It makes DMA when a tail is written and when a
 * frame arrives, unless transmit and receive are off. Then the write of a transmit tail is only
 * noted, and a frame stays with its sender (silicon would lose it). But the write of a receive tail
 * fetches the frames that wait, into a receiver that is off: lost without a count. So receive
 * pollers have to be out. QEMU acts on a register before the access ends: reading it back is
 * enough. Clearing Bus Master would also work, but QEMU rebuilds its memory map each time, which
 * takes a millisecond.
 */

#define QUEUE       IGB_CANARY_QUEUE
#define COUNT       8 /* descriptors of the shortest ring, which the canary's memory is */
#define TRY_NS      50000ull

#define TRIES_AWAKE 64
#define NAP_NS      10000ull

/*
 * Does CTRL.GIO_MASTER_DISABLE stop DMA? On an 82576 it does. QEMU only clears STATUS, and DMA goes
 * on. So STATUS is not trusted: at its first start each port is tried once. With DMA disabled, the
 * last transmit queue is given a context descriptor, which sends nothing. A function that takes it
 * ignores the bit; one that takes it after DMA is enabled again obeys the bit.
 */

static void lay_ring(struct igb_port *port)
{
	union shunt_82576_tx_descriptor *ring = port->canary_ring;

	memset(ring, 0, COUNT * sizeof(*ring));
	ring[0].context.command_type =
		rte_cpu_to_le_32(SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_CONTEXT);
	igb_write_ring(port, SHUNT_82576_TX_QUEUE(QUEUE), ring, COUNT * sizeof(*ring));
}

static int enable_queue(struct igb_port *port, bool enable)
{
	uint32_t bit = enable ? SHUNT_82576_TXDCTL_ENABLE : 0;

	igb_write(port, SHUNT_82576_TXDCTL(QUEUE), bit);
	return igb_canary_wait(port, SHUNT_82576_TXDCTL(QUEUE), SHUNT_82576_TXDCTL_ENABLE, bit,
		"a transmit queue to change its state");
}

/* With DMA disabled: whether the descriptor is taken all the same. */
static bool taken_while_disabled(struct igb_port *port)
{
	struct shunt_wait wait;
	unsigned int tries = 0;
	bool taken;

	igb_write(port, SHUNT_82576_TDT(QUEUE), 1);
	igb_wait_begin(port, &wait);
	for (;;) {
		taken = igb_read(port, SHUNT_82576_TDH(QUEUE)) == 1;
		if (taken || port->access_error || shunt_wait_over(&wait, TRY_NS))
			break;
		if (tries++ >= TRIES_AWAKE)
			shunt_wait_nap(&wait, NAP_NS);
	}
	return taken && !port->access_error;
}

int igb_probe_dma_stop(struct igb_port *port)
{
	bool taken;
	int ret;

	if (port->dma_stop != IGB_DMA_STOP_UNKNOWN)
		return 0;
	lay_ring(port);
	ret = enable_queue(port, true);
	if (ret)
		return ret;
	igb_write(port, SHUNT_82576_CTRL, port->control | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	ret = igb_canary_wait(port, SHUNT_82576_STATUS, SHUNT_82576_STATUS_GIO_MASTER_ENABLE, 0,
		"DMA in flight to end");
	taken = !ret && taken_while_disabled(port);
	igb_write(port, SHUNT_82576_CTRL, port->control);
	if (!ret)
		ret = igb_canary_wait(port, SHUNT_82576_TDH(QUEUE), UINT32_MAX, 1,
			"a transmit queue to take a descriptor");
	if (!ret)
		port->dma_stop = taken ? IGB_DMA_STOP_ENABLES : IGB_DMA_STOP_MASTER_DISABLE;
	return ret ? ret : enable_queue(port, false);
}

/* A function that others reset meanwhile does not answer as asked, or not at all, and makes no DMA.
 */
static int unless_reset(struct igb_port *port, int ret)
{
	return ret && igb_was_reset(port) ? 0 : ret;
}

static int turn_off(struct igb_port *port)
{
	int ret;

	ret = shunt_barrier_after(port->exit_requested);
	if (!ret)
		ret = igb_pollers_wait_rx(port);
	if (ret)
		return ret;
	port->dma_paused = true;
	igb_hw_transmit(port, false);
	igb_hw_receive(port, false);
	return unless_reset(port, igb_canary_wait(port, SHUNT_82576_RCTL, SHUNT_82576_RCTL_EN, 0,
					  "the receiver to stop"));
}

int igb_group_pause(void *opaque)
{
	struct igb_port *port = opaque;

	if (!port->started)
		return 0;
	igb_access_begin(port);
	igb_pollers_request_exit(port);
	if (port->dma_stop == IGB_DMA_STOP_MASTER_DISABLE) {
		port->dma_paused = true;
		igb_write(port, SHUNT_82576_CTRL,
			port->control | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	} else {
		port->exit_requested = shunt_barrier_begun();
	}
	return igb_access_end(port);
}

int igb_group_drain(void *opaque)
{
	struct igb_port *port = opaque;

	if (!port->started)
		return 0;
	if (port->dma_stop != IGB_DMA_STOP_MASTER_DISABLE)
		return turn_off(port);
	return unless_reset(
		port, igb_canary_wait(port, SHUNT_82576_STATUS,
			      SHUNT_82576_STATUS_GIO_MASTER_ENABLE, 0, "DMA in flight to end"));
}

static int dma_resume(struct igb_port *port)
{
	if (port->dma_stop == IGB_DMA_STOP_MASTER_DISABLE) {
		igb_write(port, SHUNT_82576_CTRL, port->control);
	} else {
		igb_hw_transmit(port, true);
		igb_hw_receive(port, true);
	}
	port->dma_paused = port->access_error != 0;
	return igb_access_end(port);
}

/*
 * After a pause by which tails of bursts under way were only noted: writes them again, with the
 * pollers out.
 */
static int rewrite_tails(struct igb_port *port)
{
	bool out = false;
	int ret = 0;

	if (port->dma_stop == IGB_DMA_STOP_MASTER_DISABLE)
		return 0;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES && !ret; i++) {
		if (!igb_tx_runs(port, i) || port->recovery_state.tx_dead >> i & 1 ||
			igb_read(port, SHUNT_82576_TDH(i)) == igb_read(port, SHUNT_82576_TDT(i)))
			continue;
		if (!out)
			ret = igb_pollers_fence(port);
		out = true;
		if (!ret)
			igb_doorbell(port->tx[i]->doorbell, port->tx[i]->tail);
	}
	if (out)
		igb_pollers_admit(port);
	return ret ? ret : igb_access_end(port);
}

int igb_finish_pause(struct igb_port *port)
{
	int ret = port->dma_paused ? dma_resume(port) : 0;

	return ret ? ret : rewrite_tails(port);
}

int igb_group_resume(void *opaque)
{
	struct igb_port *port = opaque;
	int ret = 0;

	if (port->dma_paused) {
		igb_access_begin(port);
		ret = dma_resume(port);
	}
	igb_pollers_admit(port);
	return ret;
}

bool igb_group_keeps_frames(void *opaque)
{
	return ((struct igb_port *)opaque)->dma_stop == IGB_DMA_STOP_MASTER_DISABLE;
}
