/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include <bus_pci_driver.h>
#include <rte_interrupts.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "context.h"
#include "rte_net_shunt.h"
#include "shunt_port.h"

static const struct shunt_port_driver *const drivers[] = { &igb_driver, &igbvf_driver };

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
	return "8086:10c9, 8086:10e8, 8086:150a, 8086:1526 (82576), "
	       "8086:10ca (its virtual functions)";
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

/*
 * The kernel requests a function back when it is unbound or removed, and waits until it is closed.
 * The application receives RTE_ETH_EVENT_INTR_RMV in EAL's interrupt thread, and may close the port
 * there. The datapath's own events are raised in that thread too, because their source holds locks
 * that a close would wait for.
 */

static void requested(void *arg)
{
	struct shunt_port *port = arg;
	enum rte_eth_event_type event;

	if (!shunt_notify_taken(&port->request))
		return;
	event = __atomic_exchange_n(&port->event, RTE_ETH_EVENT_UNKNOWN, __ATOMIC_SEQ_CST);
	if (event == RTE_ETH_EVENT_UNKNOWN) {
		SHUNT_LOG(NOTICE, "%s: the kernel asks for %s back", port->dev->data->name,
			port->device.function);
		event = RTE_ETH_EVENT_INTR_RMV;
	}
	rte_eth_dev_callback_process(port->dev, event, NULL);
}

void shunt_port_raise_event(struct shunt_port *port, enum rte_eth_event_type event)
{
	__atomic_store_n(&port->event, event, __ATOMIC_SEQ_CST);
	eventfd_write(rte_intr_fd_get(port->request), 1);
}

int shunt_device_request_open(struct shunt_port *port)
{
	int ret = shunt_notify_open(port->device.function, requested, port, &port->request);

	if (ret)
		return ret;
	ret = shunt_vfio_request(&port->device, rte_intr_fd_get(port->request));
	if (ret) {
		shunt_notify_close(port->request, requested, port);
		return ret;
	}
	port->dev->data->dev_flags |= RTE_ETH_DEV_INTR_RMV;
	return 0;
}

void shunt_device_request_close(struct shunt_port *port)
{
	shunt_notify_close(port->request, requested, port);
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

/* ---- what switches did to it ---- */

/* In the order of struct shunt_port_switches. */
static const char *const names[] = {
	"switch_events",
	"switch_failed_events",
	"switch_faults",
	"switch_faults_unknown_events",
	"switch_ioctl_last_ns",
	"switch_ioctl_max_ns",
	"switch_ioctl_total_ns",
	"switch_paused_last_ns",
	"switch_paused_max_ns",
	"switch_paused_total_ns",
};

_Static_assert(RTE_DIM(names) == SHUNT_PORT_XSTATS, "one for each counter");
_Static_assert(sizeof(struct shunt_port_switches) == SHUNT_PORT_XSTATS * sizeof(uint64_t),
	"counters and nothing else");

void shunt_port_switched(void *opaque, const struct shunt_switch_result *result,
	const struct shunt_switch_member *member)
{
	struct shunt_port_switches *sum = &((struct shunt_port *)opaque)->switches;
	uint64_t paused = member->pause_start ? member->pause_end - member->pause_start : 0;

	if (result->rolled_back || member->hwpt_id != result->to_hwpt)
		sum->failed++;
	else
		sum->switches++;
	if (member->faults > 0)
		sum->faults += (uint64_t)member->faults;
	else
		sum->unknown += member->faults < 0;
	sum->ioctl_last_ns = shunt_clock_to_ns(member->ioctl_time);
	sum->ioctl_total_ns += sum->ioctl_last_ns;
	sum->ioctl_max_ns = RTE_MAX(sum->ioctl_max_ns, sum->ioctl_last_ns);
	sum->paused_last_ns = shunt_clock_to_ns(paused);
	sum->paused_total_ns += sum->paused_last_ns;
	sum->paused_max_ns = RTE_MAX(sum->paused_max_ns, sum->paused_last_ns);
}

void shunt_port_xstats(const struct shunt_port *port, uint64_t values[SHUNT_PORT_XSTATS])
{
	memcpy(values, &port->switches, sizeof(port->switches));
}

const char *shunt_port_xstat_name(unsigned int index)
{
	return names[index];
}
