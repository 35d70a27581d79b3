/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_pause.h>

#include "igb.h"
#include "shunt_clock.h"
#include "shunt_error.h"

/*
 * When is a queue that does not answer dead? Silicon answers in microseconds. A modelled or
 * emulated NIC runs on a thread that may wait for a processor longer than any sensible bound. So
 * there is a witness: the last receive queue, on a ring without buffers, where no frame is ever
 * steered. Going off and on at its command is as dynamic enabling of queues is documented (4.5.9);
 * while the witness answers and the queue in question does not, that one is dead. A NIC whose
 * witness is silent too gets a second, once in a run of accesses.
 */

#define WITNESS        IGB_WITNESS_QUEUE
#define RING_SIZE      128       /* the shortest, 8.10.7 */
#define ROUNDS         2         /* the NIC did everything it had to do between two answers */
#define PATIENCE_NS    100000ull /* an answer may wait for DMA in flight */
#define LIMIT_NS       1000000000ull
#define TRIES_SPINNING 8
#define SLEEP_NS       10000ull

int igb_witness_create(struct igb_port *port)
{
	port->witness_ring = shunt_arena_alloc(&port->port.arena, RING_SIZE, RING_SIZE);
	return port->witness_ring ? 0 : -ENOMEM;
}

void igb_witness_destroy(struct igb_port *port)
{
	shunt_arena_free(&port->port.arena, port->witness_ring, RING_SIZE);
}

void igb_witness_configure(struct igb_port *port)
{
	uint64_t iova = (uintptr_t)port->witness_ring;

	port->witness_on = false;
	igb_write(port, SHUNT_82576_RXDCTL(WITNESS), 0);
	igb_write(port, SHUNT_82576_RDBAL(WITNESS), (uint32_t)iova);
	igb_write(port, SHUNT_82576_RDBAH(WITNESS), (uint32_t)(iova >> 32));
	igb_write(port, SHUNT_82576_RDLEN(WITNESS), RING_SIZE);
	igb_write(port, SHUNT_82576_SRRCTL(WITNESS), SHUNT_82576_SRRCTL_DESCTYPE_ADVANCED | 1);
	igb_write(port, SHUNT_82576_RDH(WITNESS), 0);
	igb_write(port, SHUNT_82576_RDT(WITNESS), 0);
}

static uint32_t enable_bit(const struct igb_port *port)
{
	return port->witness_on ? SHUNT_82576_RXDCTL_ENABLE : 0;
}

static void ask(struct igb_port *port)
{
	port->witness_on = !port->witness_on;
	igb_write(port, SHUNT_82576_RXDCTL(WITNESS), enable_bit(port));
}

static bool answered(struct igb_port *port)
{
	return (igb_read(port, SHUNT_82576_RXDCTL(WITNESS)) & SHUNT_82576_RXDCTL_ENABLE) ==
	       enable_bit(port);
}

/* Until the masked bits of the register are, or are not, the value. */
static int await(struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, bool is,
	const char *what)
{
	uint64_t start, patience, limit;
	unsigned int tries = 0, rounds = 0;
	uint32_t last;
	bool asked = false;

	if (((igb_read(port, reg) & mask) == value) == is)
		return port->access_error;
	start = shunt_clock_now();
	patience = start + shunt_clock_from_ns(PATIENCE_NS);
	limit = start + shunt_clock_from_ns(LIMIT_NS);
	while ((((last = igb_read(port, reg)) & mask) == value) != is) {
		uint64_t now = shunt_clock_now();

		if (port->access_error)
			return port->access_error;
		port->silent = port->silent || now > limit;
		/* Tells what was read, not what a further read would: that one may fail. */
		if (now > patience && (rounds >= ROUNDS || port->silent))
			return shunt_fail(-ETIMEDOUT,
				"%s: waited %u us for %s (register %#06x still %#010x)",
				port->port.device.function,
				(unsigned int)(shunt_clock_to_ns(now - start) / 1000), what, reg,
				last);
		if (tries++ < TRIES_SPINNING) {
			rte_pause();
			continue;
		}
		if (asked && answered(port)) {
			asked = false;
			rounds++;
		} else if (!asked && rounds < ROUNDS) {
			ask(port);
			asked = true;
		} else {
			igb_sleep_ns(SLEEP_NS);
		}
	}
	return port->access_error;
}

int igb_await(struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, const char *what)
{
	return await(port, reg, mask, value, true, what);
}

int igb_await_change(struct igb_port *port, uint32_t reg, uint32_t value, const char *what)
{
	return await(port, reg, UINT32_MAX, value, false, what);
}
