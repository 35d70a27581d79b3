/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_pause.h>

#include <shunt/error.h>

#include "igb.h"

/*
 * Tells a dead queue from a slow NIC. Silicon answers in microseconds. The clock of a modelled NIC
 * stops while its thread has no processor (shunt_wait.h). The clock of an emulated NIC does not,
 * and its answer may take longer than any sensible bound. So there is a canary: the last receive
 * queue, on a ring without buffers, to which no frame is steered. It is turned on and off as 4.5.9
 * allows at run time. A queue that does not answer while the canary does is dead. If the canary is
 * silent too, the NIC gets a second, once in a run of accesses. So it does where there is no
 * canary: a virtual function has two queues, too few for one.
 */

#define CANARY         IGB_CANARY_QUEUE
#define ROUNDS         2         /* the NIC did everything it had to do between two answers */
#define PATIENCE_NS    100000ull /* an answer may wait for DMA in flight */
#define LIMIT_NS       1000000000ull
#define TRIES_SPINNING 8
#define NAP_NS         10000ull

void igb_canary_configure(struct igb_port *port)
{
	if (!port->hw->canary)
		return;
	port->canary_on = false;
	igb_write(port, SHUNT_82576_RXDCTL(CANARY), 0);
	igb_write(port, SHUNT_82576_SRRCTL(CANARY), SHUNT_82576_SRRCTL_DESCTYPE_ADVANCED | 1);
	igb_write_ring(port, SHUNT_82576_RX_QUEUE(CANARY), port->canary_ring, IGB_CANARY_BYTES);
}

static uint32_t enable_bit(const struct igb_port *port)
{
	return port->canary_on ? SHUNT_82576_RXDCTL_ENABLE : 0;
}

static void ask(struct igb_port *port)
{
	port->canary_on = !port->canary_on;
	igb_write(port, SHUNT_82576_RXDCTL(CANARY), enable_bit(port));
}

static bool answered(struct igb_port *port)
{
	return (igb_read(port, SHUNT_82576_RXDCTL(CANARY)) & SHUNT_82576_RXDCTL_ENABLE) ==
	       enable_bit(port);
}

/* Looked at only when a wait would end: STATUS says how long the wire may take. */
static bool is_over(struct igb_port *port, uint32_t reg, struct shunt_wait *wait)
{
	const struct igb_hw *hw = port->hw;
	bool transmits = reg >= hw->tx_queue && reg < hw->tx_queue + hw->queues * hw->queue_stride;

	return shunt_wait_over(wait, PATIENCE_NS) &&
	       (!transmits || shunt_wait_over(wait, PATIENCE_NS + igb_wire_ns(port)));
}

/* Until the masked bits of the register are, or are not, the value. */
static int await(struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, bool is,
	const char *what)
{
	struct shunt_wait wait;
	unsigned int tries = 0, rounds = 0;
	uint32_t last;
	bool asked = false;

	if (((igb_read(port, reg) & mask) == value) == is)
		return port->access_error;
	igb_wait_begin(port, &wait);
	while ((((last = igb_read(port, reg)) & mask) == value) != is) {
		if (port->access_error)
			return port->access_error;
		port->canary_silent = port->canary_silent || shunt_wait_over(&wait, LIMIT_NS);
		/* Tells what was read, not what a further read would: that one may fail. */
		if ((rounds >= ROUNDS || port->canary_silent) && is_over(port, reg, &wait))
			return shunt_fail(-ETIMEDOUT,
				"%s: waited %u us for %s (register %#06x still %#010x)",
				port->port.device.function,
				(unsigned int)(shunt_wait_ns(&wait) / 1000), what, reg, last);
		if (tries++ < TRIES_SPINNING) {
			rte_pause();
			continue;
		}
		if (asked && answered(port)) {
			asked = false;
			rounds++;
		} else if (!asked && rounds < ROUNDS && port->hw->canary) {
			ask(port);
			asked = true;
		} else {
			shunt_wait_nap(&wait, NAP_NS);
		}
	}
	return port->access_error;
}

int igb_canary_wait(
	struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, const char *what)
{
	return await(port, reg, mask, value, true, what);
}

int igb_canary_wait_change(struct igb_port *port, uint32_t reg, uint32_t value, const char *what)
{
	return await(port, reg, UINT32_MAX, value, false, what);
}
