/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <rte_pci.h>

#include <shunt/error.h>

#include "hosted.h"

/*
 * Ports are stopped and started by the driver's operations, not by rte_eth_dev_stop() and _start().
 * Those change the burst table while cores poll, and the bursts of a stopped port log an error at
 * each call. What else they do is done here and in saved_config.c.
 */

/* By port: not NULL while it is stopped for a switch. */
static struct hosted_config *saved[RTE_MAX_ETHPORTS];

static bool is_pci(const struct rte_eth_dev *dev)
{
	struct rte_pci_addr address;

	return dev->device && !rte_pci_addr_parse(dev->device->name, &address);
}

/* In the thread that probes. Ports of net_shunt are no PCI devices; the context's lock is held for
 * them. */
static int appeared(uint16_t port_id, enum rte_eth_event_type type, void *arg, void *ret_param)
{
	const struct rte_eth_dev *dev = &rte_eth_devices[port_id];
	struct hosted_function *function;

	if (!is_pci(dev))
		return 0;
	shunt_context_lock();
	function = hosted_function_find(dev->device->name);
	if (function)
		hosted_port_set(port_id, function);
	shunt_context_unlock();
	return 0;
}

/* A device has its driver only once that has probed it. */
void hosted_port_named(uint16_t port_id)
{
	const struct rte_device *device = rte_eth_devices[port_id].device;
	struct hosted_function *function = hosted_function_of(port_id);

	if (function && device->driver)
		shunt_group_driver(function->group, &function->device, device->driver->name);
}

static int vanished(uint16_t port_id, enum rte_eth_event_type type, void *arg, void *ret_param)
{
	hosted_lock();
	hosted_config_multicast(port_id, NULL, 0);
	hosted_config_link(port_id, false);
	hosted_unlock();
	hosted_port_set(port_id, NULL);
	return 0;
}

int hosted_ports_follow(void)
{
	static bool follows;

	if (follows)
		return 0;
	if (rte_eth_dev_callback_register(RTE_ETH_ALL, RTE_ETH_EVENT_NEW, appeared, NULL) ||
		rte_eth_dev_callback_register(RTE_ETH_ALL, RTE_ETH_EVENT_DESTROY, vanished, NULL))
		return shunt_fail(-ENOMEM, "ethdev takes no callback: out of memory");
	follows = true;
	return 0;
}

static void hold(void *port)
{
	hosted_lock();
}

static void release(void *port)
{
	hosted_unlock();
}

/* net_failsafe calls the bursts of a port that it owns without the table. */
static int check_owner(uint16_t port_id)
{
	struct rte_eth_dev_owner owner;

	if (rte_eth_dev_owner_get(port_id, &owner) || owner.id == RTE_ETH_DEV_NO_OWNER)
		return 0;
	return shunt_fail(-ENOTSUP,
		"port %u belongs to '%s', which may call the driver's bursts directly: cannot tell "
		"when no poller is inside",
		port_id, owner.name);
}

static int check_bursts(const struct rte_eth_dev *dev)
{
	if (hosted_bursts_wrapped(dev->data->port_id))
		return check_owner(dev->data->port_id);
	return shunt_fail(-ENOTSUP,
		"port %u: the application or the driver replaced our bursts: cannot tell when no "
		"poller is inside",
		dev->data->port_id);
}

static int stop_one(struct rte_eth_dev *dev)
{
	uint16_t port_id = dev->data->port_id;
	int ret = check_bursts(dev);

	if (ret)
		return ret;
	saved[port_id] = hosted_config_save(dev);
	if (!saved[port_id])
		return shunt_fail(-ENOMEM, "port %u: out of memory", port_id);
	ret = hosted_bursts_close(port_id);
	if (ret)
		return shunt_fail_while(ret, "port %u", port_id);
	hosted_config_read_counters(dev);
	ret = dev->dev_ops->dev_stop(dev);
	dev->data->dev_started = 0;
	return ret ? shunt_fail_errno(ret, "port %u: stop", port_id) : 0;
}

/* As rte_eth_dev_start(). If the stop did not get that far, only opens the bursts again. */
static int start_one(struct rte_eth_dev *dev)
{
	uint16_t port_id = dev->data->port_id;
	struct hosted_config *config = saved[port_id];
	int ret = 0;

	saved[port_id] = NULL;
	if (!dev->data->dev_started) {
		if ((dev->data->dev_flags & RTE_ETH_DEV_NOLIVE_MAC_ADDR) &&
			dev->dev_ops->mac_addr_set)
			dev->dev_ops->mac_addr_set(dev, &dev->data->mac_addrs[0]);
		ret = dev->dev_ops->dev_start(dev);
	}
	if (ret) {
		hosted_config_drop(config);
		return shunt_fail_errno(ret, "port %u: start", port_id);
	}
	dev->data->dev_started = 1;
	ret = hosted_config_restore(dev, config);
	if (!dev->data->dev_conf.intr_conf.lsc && dev->dev_ops->link_update)
		dev->dev_ops->link_update(dev, 0);
	if (!ret)
		ret = hosted_bursts_wrap(dev);
	return ret;
}

static int check_stop(const struct hosted_function *function)
{
	const char *address = function->device.function;
	bool any = false;
	int pid;

	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++)
		any = any || hosted_function_of(i) == function;
	pid = hosted_secondary_of(address);
	if (!any)
		return shunt_fail(
			-ENOTSUP, "%s has no ethdev port, so its DMA cannot be stopped", address);
	if (function->leaving)
		return shunt_fail(-EBUSY, "%s is being detached by the application", address);
	if (pid)
		return shunt_fail(-EBUSY,
			"%s: the secondary process %d may poll it too, and the primary one cannot "
			"stop that: end it first",
			address, pid);
	return 0;
}

static int stop(void *port)
{
	struct hosted_function *function = port;
	int ret = check_stop(function);

	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS && !ret; i++)
		if (hosted_function_of(i) == function && rte_eth_devices[i].data->dev_started)
			ret = stop_one(&rte_eth_devices[i]);
	if (!ret)
		ret = hosted_bus_master_clear(function, &function->master);
	return ret;
}

static int start(void *port)
{
	struct hosted_function *function = port;
	int first = 0, ret;

	if (function->master.command)
		first = hosted_bus_master_restore(function, &function->master);
	function->master = (struct hosted_bus_master){ 0 };
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (hosted_function_of(i) != function || !saved[i])
			continue;
		ret = start_one(&rte_eth_devices[i]);
		first = first ? first : ret;
	}
	return first;
}

const struct shunt_port_ops hosted_port_ops = {
	.hold = hold,
	.release = release,
	.stop = stop,
	.start = start,
};
