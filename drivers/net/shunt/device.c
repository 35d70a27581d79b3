/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "context.h"
#include "plugin.h"
#include "rte_net_shunt.h"
#include "shunt_port.h"

/* A port for a device, whichever bus has it. */

/* Next function of a software platform that is not a port yet. */
static int next_function(struct shunt_context *context, const struct shunt_pci_list *list,
	const struct shunt_pci_function **function)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct shunt_pci_function *candidate = &list->functions[i];

		if (!candidate->is_bridge && !shunt_context_port(context, candidate->address)) {
			*function = candidate;
			return 0;
		}
	}
	return shunt_fail(-ENODEV, "every function of the software platform is a port already: "
				   "give the first port a larger ports=");
}

static int choose_function(struct shunt_context *context, const char *address,
	const struct shunt_pci_list *list, const struct shunt_pci_function **function)
{
	const struct shunt_port *port;
	int ret;

	if (address[0])
		ret = shunt_pci_find(list, address, function);
	else if (context->sim)
		ret = next_function(context, list, function);
	else
		ret = shunt_fail(-EINVAL, "which function? Add pci=<address>, for example "
					  "pci=0000:03:00.0; `shunt list` shows them");
	if (ret)
		return ret;
	port = shunt_context_port(context, (*function)->address);
	if (port)
		return shunt_fail(-EBUSY, "%s is a port already: %s", (*function)->address,
			port->dev->data->name);
	if (!shunt_port_driver_find((*function)->vendor, (*function)->device))
		return shunt_fail(-ENOTSUP,
			"%s (%04x:%04x, %s): no datapath for it; there is one for "
			"%s",
			(*function)->address, (*function)->vendor, (*function)->device,
			(*function)->name, rte_net_shunt_driven());
	return shunt_pci_usable(list, *function);
}

/* The node of a function, as the PCI bus takes it from sysfs; none: any. */
static int node_of(const struct shunt_platform *platform, const char *address)
{
	char path[PATH_MAX], text[16] = "";
	FILE *file;
	long node;
	char *end;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/numa_node", platform->sysfs, address);
	file = fopen(path, "re");
	if (!file)
		return SOCKET_ID_ANY;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	node = strtol(text, &end, 10);
	return end == text || node < 0 || node > INT_MAX ? SOCKET_ID_ANY : (int)node;
}

/* No burst touches its own data, and EAL may have no memory on a function's node. */
static struct rte_eth_dev *allocate(struct rte_device *device, size_t private_size)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocate(device->name);

	if (!dev)
		return NULL;
	dev->device = device;
	dev->data->dev_private = rte_zmalloc(device->name, private_size, RTE_CACHE_LINE_SIZE);
	if (dev->data->dev_private)
		return dev;
	rte_eth_dev_release_port(dev);
	return NULL;
}

int device_open(struct rte_device *device, const struct shunt_sim_config *sim, const char *address)
{
	const struct shunt_pci_function *function;
	const struct shunt_port_driver *driver;
	struct shunt_context *context;
	struct shunt_pci_list list;
	struct rte_eth_dev *dev;
	int ret;

	ret = shunt_secondary_serve();
	if (ret)
		return ret;
	ret = shunt_context_get(sim, &context);
	if (ret)
		return ret;
	ret = shunt_pci_scan(context->platform, &list);
	if (ret)
		goto put_context;
	ret = choose_function(context, address, &list, &function);
	if (ret)
		goto free_list;
	driver = shunt_port_driver_find(function->vendor, function->device);
	dev = allocate(device, driver->private_size);
	if (!dev) {
		ret = shunt_fail(-ENOMEM, "no room for another ethdev port or its %zu bytes",
			driver->private_size);
		goto free_list;
	}
	device->numa_node = node_of(context->platform, function->address);
	dev->data->numa_node = device->numa_node;
	shunt_secondary_mark(dev, function->vendor, function->device);
	ret = shunt_port_open(
		dev, driver, context, function->cdev, function->address, function->group);
	if (ret)
		goto release_dev;
	rte_eth_dev_probing_finish(dev);
	shunt_pci_list_free(&list);
	return 0;

release_dev:
	rte_eth_dev_release_port(dev);
free_list:
	shunt_pci_list_free(&list);
put_context:
	shunt_context_put(context);
	return ret;
}

int device_close(struct rte_device *device)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(device->name);
	int ret;

	/* Closed before. A secondary process still sees the primary's record of it. */
	if (!dev || dev->state == RTE_ETH_DEV_UNUSED)
		return 0;
	ret = dev->dev_ops->dev_close(dev);
	if (rte_eal_process_type() != RTE_PROC_PRIMARY || !dev->data->dev_started)
		rte_eth_dev_release_port(dev);
	return ret;
}

/* The address given as IOVA is ignored: ports use virtual addresses throughout. */
int device_map(struct rte_device *device, bool add, void *addr, size_t length)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(device->name);
	struct shunt_port *port = dev ? dev->data->dev_private : NULL;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		ret = shunt_fail(-ENOTSUP, "only the primary process maps memory for devices");
	else if (!port)
		ret = shunt_fail(-ENODEV, "its port is closed");
	else if (add)
		ret = shunt_eal_memory_map(port->context->memory, addr, length);
	else
		ret = shunt_eal_memory_unmap(port->context->memory, addr, length);
	if (!ret)
		return 0;
	SHUNT_LOG(ERR, "%s: %s", device->name, shunt_errmsg());
	rte_errno = -ret;
	return -1;
}
