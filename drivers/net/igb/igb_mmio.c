/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_pause.h>

#include <shunt/error.h>

#include "igb.h"

/*
 * Register access with one sticky error for a run of accesses, waits on registers, and detection of
 * resets that the driver did not make. Everything else in this folder stands on this file.
 */

#define SPINS_BEFORE_SLEEP 16
#define NAP_NS             20000ull

#define ANSWER_NS          1000000000ull
#define ANSWER_NAP_NS      1000000ull

void igb_access_begin(struct igb_port *port)
{
	port->access_error = 0;
	port->canary_silent = port->absent = false;
}

int igb_access_end(struct igb_port *port)
{
	return port->access_error;
}

int igb_access_flush(struct igb_port *port)
{
	if (port->started)
		igb_read(port, SHUNT_82576_STATUS);
	return port->access_error;
}

static uint32_t read_register(struct igb_port *port, uint32_t reg)
{
	uint32_t value;

	port->access_error =
		shunt_vfio_read(&port->port.device, &port->bar0_region, reg, &value, sizeof(value));
	return port->access_error ? UINT32_MAX : rte_le_to_cpu_32(value);
}

/*
 * PCIe answers with all ones for a function that does not: being reset, removed, without power. A
 * counter may have that value too, but not STATUS, whose reserved bits read 0 (8.2.2).
 */
uint32_t igb_read(struct igb_port *port, uint32_t reg)
{
	uint32_t value = port->access_error ? UINT32_MAX : read_register(port, reg);

	if (value != UINT32_MAX || port->access_error ||
		read_register(port, SHUNT_82576_STATUS) != UINT32_MAX || port->access_error)
		return value;
	port->absent = true;
	port->access_error = shunt_fail(-EIO,
		"%s does not answer, its registers read as all ones: it is being reset, or is gone",
		port->port.device.function);
	return value;
}

void igb_write(struct igb_port *port, uint32_t reg, uint32_t value)
{
	uint32_t bytes = rte_cpu_to_le_32(value);

	if (port->access_error)
		return;
	port->access_error = shunt_vfio_write(
		&port->port.device, &port->bar0_region, reg, &bytes, sizeof(bytes));
}

/* A transmit queue has its registers where a receive queue has them. */
void igb_write_ring(struct igb_port *port, uint32_t queue, const void *ring, size_t bytes)
{
	const uint32_t first = SHUNT_82576_RX_QUEUE(0);
	uint64_t iova = (uintptr_t)ring;

	igb_write(port, queue + SHUNT_82576_RDBAL(0) - first, (uint32_t)iova);
	igb_write(port, queue + SHUNT_82576_RDBAH(0) - first, (uint32_t)(iova >> 32));
	igb_write(port, queue + SHUNT_82576_RDLEN(0) - first, (uint32_t)bytes);
	igb_write(port, queue + SHUNT_82576_RDH(0) - first, 0);
	igb_write(port, queue + SHUNT_82576_RDT(0) - first, 0);
}

void igb_wait_begin(struct igb_port *port, struct shunt_wait *wait)
{
	shunt_wait_begin(wait, port->port.device.iommufd->platform);
}

void igb_sleep_ns(struct igb_port *port, uint64_t ns)
{
	shunt_wait_sleep(port->port.device.iommufd->platform, ns);
}

int igb_wait(struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, uint64_t ns,
	const char *what)
{
	struct shunt_wait wait;
	unsigned int tries = 0;
	uint32_t last;

	igb_wait_begin(port, &wait);
	while (((last = igb_read(port, reg)) & mask) != value) {
		if (port->access_error)
			return port->access_error;
		if (shunt_wait_over(&wait, ns))
			return shunt_fail(-ETIMEDOUT,
				"%s: waited %u us for %s (register %#06x still %#010x)",
				port->port.device.function, (unsigned int)(ns / 1000), what, reg,
				last);
		if (tries++ < SPINS_BEFORE_SLEEP)
			rte_pause();
		else
			shunt_wait_nap(&wait, NAP_NS);
	}
	return port->access_error;
}

/*
 * Somebody else reset the function (sysfs has a file for it). Or that reset is under way, and it
 * does not answer.
 */
bool igb_was_reset(struct igb_port *port)
{
	bool lost = port->hw->was_reset(port);

	return port->absent || (!port->access_error && lost);
}

/* Until that reset is over: PCIe gives a function a second (PCI Express Base, 6.6.1). */
int igb_wait_for_answer(struct igb_port *port)
{
	struct shunt_wait wait;
	bool answers;

	igb_wait_begin(port, &wait);
	for (;;) {
		answers = port->hw->answers(port);
		if (!port->access_error && answers)
			return 0;
		if (port->access_error && !port->absent)
			return port->access_error;
		if (port->backoff.times || shunt_wait_over(&wait, ANSWER_NS))
			return shunt_fail(-EIO,
				"%s was reset from outside or is gone: it did not answer within "
				"%llu ms",
				port->port.device.function, ANSWER_NS / 1000000);
		shunt_wait_nap(&wait, ANSWER_NAP_NS);
		igb_access_begin(port);
	}
}

int igb_log_error(const struct rte_eth_dev *dev, int ret)
{
	if (ret)
		SHUNT_LOG(ERR, "%s: %s", dev->data->name, shunt_errmsg());
	return ret;
}

struct igb_port *igb_control_begin(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	pthread_mutex_lock(&port->lock);
	igb_access_begin(port);
	return port;
}

int igb_control_end(struct rte_eth_dev *dev, int ret)
{
	pthread_mutex_unlock(&igb_port_of(dev)->lock);
	return igb_log_error(dev, ret);
}
