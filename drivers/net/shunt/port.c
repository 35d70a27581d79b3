/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bus_pci_driver.h>

#include <shunt/error.h>

#include "context.h"
#include "rte_net_shunt.h"
#include "shunt_port.h"

static const struct shunt_port_driver *const drivers[] = { &igb_driver };

const struct shunt_port_driver *shunt_port_driver_find(uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; i < RTE_DIM(drivers); i++) {
		if (drivers[i]->vendor != vendor)
			continue;
		for (const uint16_t *id = drivers[i]->devices; *id; id++) {
			if (*id == device)
				return drivers[i];
		}
	}
	return NULL;
}

void shunt_port_ids(struct rte_pci_id *ids, unsigned int room)
{
	for (size_t i = 0; i < RTE_DIM(drivers); i++)
		for (const uint16_t *id = drivers[i]->devices; *id && room; id++, room--)
			*ids++ = (struct rte_pci_id){ RTE_PCI_DEVICE(drivers[i]->vendor, *id) };
}

bool rte_net_shunt_drives(uint16_t vendor, uint16_t device)
{
	return shunt_port_driver_find(vendor, device) != NULL;
}

const char *rte_net_shunt_driver(uint16_t vendor, uint16_t device)
{
	const struct shunt_port_driver *driver = shunt_port_driver_find(vendor, device);

	return driver ? driver->name : NULL;
}

const char *rte_net_shunt_driven(void)
{
	return "8086:10c9, 8086:10e8, 8086:150a, 8086:1526 (82576)";
}

static int arena_open(struct shunt_port *port)
{
	struct shunt_arena *arena = &port->arena;
	int ret;

	ret = shunt_arena_create(RTE_NET_SHUNT_PORT_BYTES, SHUNT_ARENA_ANY, arena);
	if (ret)
		return ret;
	ret = shunt_spaces_map(port->context->spaces, arena->addr, arena->size,
		(uintptr_t)arena->addr, SHUNT_DMA_BOTH);
	if (ret)
		shunt_arena_destroy(arena);
	return ret;
}

/* Its memory goes. */
static int arena_close(struct shunt_port *port)
{
	int ret = shunt_spaces_drop(
		port->context->spaces, (uintptr_t)port->arena.addr, port->arena.size);

	shunt_arena_destroy(&port->arena);
	return ret;
}

int shunt_port_open(struct rte_eth_dev *dev, const struct shunt_port_driver *driver,
	struct shunt_context *context, const char *cdev, const char *function, int group)
{
	struct shunt_port *port = dev->data->dev_private;
	int ret;

	port->context = context;
	port->driver = driver;
	port->dev = dev;
	ret = shunt_vfio_open(&context->iommufd, cdev, function, &port->device);
	if (ret)
		return ret;
	ret = arena_open(port);
	if (ret)
		goto close_device;
	ret = driver->open(dev);
	if (ret)
		goto close_arena;
	ret = shunt_context_group_get(context, group, &port->group);
	if (ret)
		goto close_driver;
	ret = shunt_group_join(port->group, &port->device, driver->name, driver->group_ops, port,
		shunt_space_find(context->spaces, RTE_NET_SHUNT_FIRST_SPACE));
	if (ret)
		goto put_group;
	ret = shunt_vfio_bus_master(&port->device, true);
	if (ret)
		goto leave;
	ret = shunt_device_request_open(port);
	if (ret)
		goto leave;
	TAILQ_INSERT_TAIL(&context->ports, port, next);
	return 0;

leave:
	shunt_group_leave(port->group, &port->device);
put_group:
	shunt_context_group_put(context, port->group);
close_driver:
	driver->close(dev);
close_arena:
	arena_close(port);
close_device:
	shunt_vfio_close(&port->device);
	return ret;
}

/* A step of a close failed: the first failure is the one reported. */
static void note(const struct shunt_port *port, int ret, int *first)
{
	if (ret)
		SHUNT_LOG(ERR, "%s: %s", port->dev->data->name, shunt_errmsg());
	*first = *first ? *first : ret;
}

int shunt_port_close(struct rte_eth_dev *dev)
{
	struct shunt_port *port = dev->data->dev_private;
	int first = 0;

	shunt_device_request_close(port);
	shunt_context_lock();
	TAILQ_REMOVE(&port->context->ports, port, next);
	note(port, shunt_vfio_bus_master(&port->device, false), &first);
	note(port, shunt_group_leave(port->group, &port->device), &first);
	shunt_context_group_put(port->context, port->group);
	port->driver->close(dev);
	note(port, arena_close(port), &first);
	shunt_vfio_close(&port->device);
	shunt_context_put(port->context);
	shunt_context_unlock();
	return first;
}

int shunt_port_memory_check(struct shunt_port *port)
{
	return shunt_eal_memory_check(port->context->memory);
}
