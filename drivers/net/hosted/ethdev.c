/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <rte_pci.h>

#include "hosted.h"
#include "shunt_error.h"

/*
 * Stopped and started by the driver's own operations, not by rte_eth_dev_stop() and _start(): those
 * put other bursts into the table while cores poll, and the ones for a stopped port complain at
 * every core that does. What they do besides is done here and in kept.c.
 */

static struct {
	struct hosted_function *function;
	struct hosted_kept *kept; /* stopped for a switch, which began it; else NULL */
} ports[RTE_MAX_ETHPORTS];

struct hosted_function *hosted_function_of(uint16_t port_id)
{
	return port_id < RTE_MAX_ETHPORTS
		       ? __atomic_load_n(&ports[port_id].function, __ATOMIC_ACQUIRE)
		       : NULL;
}

static bool is_pci(const struct rte_eth_dev *dev)
{
	struct rte_pci_addr address;

	return dev->device && !rte_pci_addr_parse(dev->device->name, &address);
}

/* In the thread that probes. Ports of our own are made with the context's lock held, and are no PCI
 * devices. */
static int appeared(uint16_t port_id, enum rte_eth_event_type type, void *arg, void *ret_param)
{
	const struct rte_eth_dev *dev = &rte_eth_devices[port_id];
	struct hosted_function *function;

	if (!is_pci(dev))
		return 0;
	shunt_context_lock();
	function = hosted_function_find(dev->device->name);
	if (function)
		__atomic_store_n(&ports[port_id].function, function, __ATOMIC_RELEASE);
	shunt_context_unlock();
	return 0;
}

/* The bus tells the device its driver when the driver has taken it. */
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
	hosted_kept_multicast(port_id, NULL, 0);
	hosted_kept_link(port_id, false);
	hosted_unlock();
	__atomic_store_n(&ports[port_id].function, NULL, __ATOMIC_RELEASE);
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

void hosted_ports_forget(const struct hosted_function *function)
{
	hosted_lock();
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++)
		if (ports[i].function == function)
			__atomic_store_n(&ports[i].function, NULL, __ATOMIC_RELEASE);
	hosted_unlock();
}

void hosted_ports_leaving(const struct rte_device *device, bool leaving)
{
	hosted_lock();
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (!ports[i].function ||
			strcmp(ports[i].function->device.function, device->name) != 0)
			continue;
		ports[i].function->leaving += leaving ? 1 : -1;
		break;
	}
	hosted_unlock();
}

static void hold(void *port)
{
	hosted_lock();
}

static void release(void *port)
{
	hosted_unlock();
}

static int check_bursts(const struct rte_eth_dev *dev)
{
	if (hosted_bursts_wrapped(dev->data->port_id))
		return 0;
	return shunt_fail(-ENOTSUP,
		"port %u: its bursts are not called by way of ours, for the application or the "
		"driver chose others: who is inside one is not known",
		dev->data->port_id);
}

static int stop_one(struct rte_eth_dev *dev)
{
	uint16_t port_id = dev->data->port_id;
	int ret = check_bursts(dev);

	if (ret)
		return ret;
	ports[port_id].kept = hosted_kept_take(dev);
	if (!ports[port_id].kept)
		return shunt_fail(-ENOMEM, "port %u: out of memory", port_id);
	ret = hosted_bursts_close(port_id);
	if (ret)
		return shunt_fail_while(ret, "port %u", port_id);
	ret = dev->dev_ops->dev_stop(dev);
	dev->data->dev_started = 0;
	return ret ? shunt_fail_errno(ret, "port %u: stop", port_id) : 0;
}

/* As rte_eth_dev_start(). A port that was not stopped after all only lets its pollers in again. */
static int start_one(struct rte_eth_dev *dev)
{
	uint16_t port_id = dev->data->port_id;
	struct hosted_kept *kept = ports[port_id].kept;
	int ret = 0;

	ports[port_id].kept = NULL;
	if (!dev->data->dev_started) {
		if ((dev->data->dev_flags & RTE_ETH_DEV_NOLIVE_MAC_ADDR) &&
			dev->dev_ops->mac_addr_set)
			dev->dev_ops->mac_addr_set(dev, &dev->data->mac_addrs[0]);
		ret = dev->dev_ops->dev_start(dev);
	}
	if (ret) {
		hosted_kept_drop(kept);
		return shunt_fail_errno(ret, "port %u: start", port_id);
	}
	dev->data->dev_started = 1;
	ret = hosted_kept_give(dev, kept);
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
		any = any || ports[i].function == function;
	pid = hosted_secondary_of(address);
	if (!any)
		return shunt_fail(
			-ENOTSUP, "%s has no ethdev port: nobody can stop its DMA", address);
	if (function->leaving)
		return shunt_fail(-EBUSY, "%s is being detached by the application", address);
	if (pid)
		return shunt_fail(-EBUSY,
			"%s: the secondary process %d has it too and may poll it, which the "
			"primary one cannot stop: end it first",
			address, pid);
	return 0;
}

static int stop(void *port)
{
	struct hosted_function *function = port;
	int ret = check_stop(function);

	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS && !ret; i++)
		if (ports[i].function == function && rte_eth_devices[i].data->dev_started)
			ret = stop_one(&rte_eth_devices[i]);
	if (!ret)
		ret = hosted_master_take(function, &function->master);
	return ret;
}

static int start(void *port)
{
	struct hosted_function *function = port;
	int first = 0, ret;

	if (function->master.command)
		first = hosted_master_give(function, &function->master);
	function->master = (struct hosted_master){ 0 };
	for (uint16_t i = 0; i < RTE_MAX_ETHPORTS; i++) {
		if (ports[i].function != function || !ports[i].kept)
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
