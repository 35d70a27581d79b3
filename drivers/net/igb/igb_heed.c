/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "igb.h"
#include "shunt_clock.h"

/*
 * Does the function make no DMA while CTRL.GIO_MASTER_DISABLE is set? An 82576 does not. QEMU:
 * STATUS says so, and DMA goes on. Rather than to believe STATUS, each port is tried once, at its
 * first start: the last transmit queue is given a context descriptor, which sends nothing, while
 * DMA is disabled. One that takes it does not heed; one that takes it only once DMA is enabled
 * again does.
 */

#define QUEUE   IGB_WITNESS_QUEUE
#define COUNT   8 /* descriptors of the shortest ring, which the witness's memory is */
#define HEED_NS 50000ull

static void lay_ring(struct igb_port *port)
{
	union shunt_82576_tx_descriptor *ring = port->witness_ring;
	uint64_t iova = (uintptr_t)ring;

	memset(ring, 0, COUNT * sizeof(*ring));
	ring[0].context.command_type =
		rte_cpu_to_le_32(SHUNT_82576_TXD_DEXT | SHUNT_82576_TXD_DTYP_CONTEXT);
	igb_write(port, SHUNT_82576_TDBAL(QUEUE), (uint32_t)iova);
	igb_write(port, SHUNT_82576_TDBAH(QUEUE), (uint32_t)(iova >> 32));
	igb_write(port, SHUNT_82576_TDLEN(QUEUE), COUNT * sizeof(*ring));
	igb_write(port, SHUNT_82576_TDH(QUEUE), 0);
	igb_write(port, SHUNT_82576_TDT(QUEUE), 0);
}

static int enable_queue(struct igb_port *port, bool enable)
{
	uint32_t bit = enable ? SHUNT_82576_TXDCTL_ENABLE : 0;

	igb_write(port, SHUNT_82576_TXDCTL(QUEUE), bit);
	return igb_await(port, SHUNT_82576_TXDCTL(QUEUE), SHUNT_82576_TXDCTL_ENABLE, bit,
		"a transmit queue to change its state");
}

/* With DMA disabled: whether the descriptor is taken all the same. */
static bool taken_while_disabled(struct igb_port *port)
{
	uint64_t limit = shunt_clock_now() + shunt_clock_from_ns(HEED_NS);
	bool taken;

	igb_write(port, SHUNT_82576_TDT(QUEUE), 1);
	do {
		taken = igb_read(port, SHUNT_82576_TDH(QUEUE)) == 1;
	} while (!taken && !port->access_error && shunt_clock_now() < limit);
	return taken && !port->access_error;
}

int igb_learn_heed(struct igb_port *port)
{
	bool taken;
	int ret;

	if (port->heed != IGB_HEED_UNKNOWN)
		return 0;
	lay_ring(port);
	ret = enable_queue(port, true);
	if (ret)
		return ret;
	igb_write(port, SHUNT_82576_CTRL, port->control | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	ret = igb_await(port, SHUNT_82576_STATUS, SHUNT_82576_STATUS_GIO_MASTER_ENABLE, 0,
		"DMA in flight to end");
	taken = !ret && taken_while_disabled(port);
	igb_write(port, SHUNT_82576_CTRL, port->control);
	if (!ret)
		ret = igb_await(port, SHUNT_82576_TDH(QUEUE), UINT32_MAX, 1,
			"a transmit queue to take a descriptor");
	if (!ret)
		port->heed = taken ? IGB_HEED_NOTHING : IGB_HEED_MASTER_DISABLE;
	return ret ? ret : enable_queue(port, false);
}
