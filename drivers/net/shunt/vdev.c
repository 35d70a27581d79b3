/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_kvargs.h>

#include "context.h"
#include "plugin.h"
#include "rte_net_shunt.h"
#include "shunt_error.h"
#include "shunt_pci.h"
#include "shunt_port.h"

#define SIM_PORTS 2

/** Arguments of a vdev. */
struct arguments {
	char pci[16]; /* "" : not given */
	bool sim;
	bool sim_details; /* iommu=, nic= or ports= given */
	struct shunt_sim_config config;
};

static const char *const argument_names[] = { "pci", "sim", "ports", "iommu", "nic", NULL };

static int parse_number(const char *key, const char *value, unsigned long first, unsigned long last,
	unsigned int *result)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno || end == value || *end || number < first || number > last)
		return shunt_fail(-EINVAL, "argument %s=%s: expected a number from %lu to %lu", key,
			value, first, last);
	*result = (unsigned int)number;
	return 0;
}

static int take_argument(const char *key, const char *value, void *opaque)
{
	struct arguments *arguments = opaque;
	unsigned int number = 0;
	int ret;

	if (!value || !*value)
		return shunt_fail(-EINVAL, "argument %s needs a value", key);
	if (strcmp(key, "pci") == 0) {
		if (strlen(value) >= sizeof(arguments->pci))
			return shunt_fail(-EINVAL,
				"argument pci=%s: expected an address such as "
				"0000:03:00.0",
				value);
		snprintf(arguments->pci, sizeof(arguments->pci), "%s", value);
		return 0;
	}
	if (strcmp(key, "sim") == 0) {
		ret = parse_number(key, value, 0, 1, &number);
		arguments->sim = !ret && number;
		return ret;
	}
	arguments->sim_details = true;
	if (strcmp(key, "ports") == 0)
		return parse_number(
			key, value, 1, SHUNT_SIM_MAX_PORTS_PER_GROUP, &arguments->config.ports);
	if (strcmp(key, "iommu") == 0)
		return shunt_sim_iommu_parse(value, &arguments->config.iommu);
	return shunt_sim_nic_parse(value, &arguments->config.nic);
}

static int parse_arguments(const char *text, struct arguments *arguments)
{
	struct rte_kvargs *list;
	int ret = 0;

	*arguments = (struct arguments){
		.config = { .groups = 1,
			.ports = SIM_PORTS,
			.iommu = SHUNT_SIM_BLOCKING,
			.nic = SHUNT_SIM_DROP },
	};
	list = rte_kvargs_parse(text, NULL);
	if (!list)
		return shunt_fail(-EINVAL, "arguments '%s': expected key=value,...", text);
	for (unsigned int i = 0; !ret && i < list->count; i++) {
		const char *key = list->pairs[i].key;
		const char *const *name = argument_names;

		while (*name && strcmp(*name, key) != 0)
			name++;
		if (!*name)
			ret = shunt_fail(-EINVAL,
				"unknown argument '%s': there are pci, sim, ports, iommu, nic",
				key);
		else
			ret = take_argument(key, list->pairs[i].value, arguments);
	}
	rte_kvargs_free(list);
	if (!ret && arguments->sim_details && !arguments->sim)
		ret = shunt_fail(-EINVAL,
			"arguments ports, iommu and nic shape a software platform: "
			"add sim=1");
	return ret;
}

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

static int choose_function(struct shunt_context *context, const struct arguments *arguments,
	const struct shunt_pci_list *list, const struct shunt_pci_function **function)
{
	int ret;

	if (arguments->pci[0])
		ret = shunt_pci_find(list, arguments->pci, function);
	else if (context->sim)
		ret = next_function(context, list, function);
	else
		ret = shunt_fail(-EINVAL, "which function? Add pci=<address>, for example "
					  "pci=0000:03:00.0; `shunt list` shows them");
	if (ret)
		return ret;
	if (shunt_context_port(context, (*function)->address))
		return shunt_fail(-EBUSY, "%s is a port already", (*function)->address);
	if (!shunt_port_driver_find((*function)->vendor, (*function)->device))
		return shunt_fail(-ENOTSUP,
			"%s (%04x:%04x, %s): no datapath for it; there is one for "
			"%s",
			(*function)->address, (*function)->vendor, (*function)->device,
			(*function)->name, shunt_port_driver_names());
	return shunt_pci_usable(list, *function);
}

static int open_port(struct rte_vdev_device *vdev, const struct arguments *arguments)
{
	const struct shunt_pci_function *function;
	const struct shunt_port_driver *driver;
	struct shunt_context *context;
	struct shunt_pci_list list;
	struct rte_eth_dev *dev;
	int ret;

	ret = shunt_context_get(arguments->sim ? &arguments->config : NULL, &context);
	if (ret)
		return ret;
	ret = shunt_pci_scan(context->platform, &list);
	if (ret)
		goto put_context;
	ret = choose_function(context, arguments, &list, &function);
	if (ret)
		goto free_list;
	driver = shunt_port_driver_find(function->vendor, function->device);
	dev = rte_eth_vdev_allocate(vdev, driver->private_size);
	if (!dev) {
		ret = shunt_fail(-ENOMEM, "no room for another ethdev port or its %zu bytes",
			driver->private_size);
		goto free_list;
	}
	dev->device = &vdev->device;
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

static int net_shunt_probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct arguments arguments;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		ret = shunt_fail(-ENOTSUP, "secondary processes cannot have ports: the primary "
					   "process owns the devices");
	else if (rte_eal_iova_mode() != RTE_IOVA_VA)
		ret = shunt_fail(-ENOTSUP, "EAL runs with physical addresses, ports need IOVA = "
					   "virtual address: start with --iova-mode=va");
	else
		ret = parse_arguments(rte_vdev_device_args(vdev), &arguments);
	if (!ret) {
		shunt_context_lock();
		ret = open_port(vdev, &arguments);
		shunt_context_unlock();
	}
	if (ret)
		SHUNT_LOG(ERR, "%s: %s", name, shunt_errmsg());
	return ret;
}

static int net_shunt_remove(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));
	int ret;

	if (!dev)
		return 0; /* closed before */
	ret = dev->dev_ops->dev_close(dev);
	rte_eth_dev_release_port(dev);
	return ret;
}

static struct shunt_port *port_of(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	return dev ? dev->data->dev_private : NULL;
}

/* The address given as IOVA is ignored: ports use virtual addresses throughout. */
static int net_shunt_dma_map(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t length)
{
	struct shunt_port *port = port_of(vdev);
	int ret;

	if (!port) {
		rte_errno = ENODEV;
		return -1;
	}
	ret = shunt_eal_memory_map(port->context->memory, addr, length);
	if (!ret)
		return 0;
	SHUNT_LOG(ERR, "%s: %s", rte_vdev_device_name(vdev), shunt_errmsg());
	rte_errno = -ret;
	return -1;
}

static int net_shunt_dma_unmap(
	struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t length)
{
	struct shunt_port *port = port_of(vdev);
	int ret;

	if (!port) {
		rte_errno = ENODEV;
		return -1;
	}
	ret = shunt_eal_memory_unmap(port->context->memory, addr, length);
	if (!ret)
		return 0;
	SHUNT_LOG(ERR, "%s: %s", rte_vdev_device_name(vdev), shunt_errmsg());
	rte_errno = -ret;
	return -1;
}

struct rte_vdev_driver net_shunt_driver = {
	.probe = net_shunt_probe,
	.remove = net_shunt_remove,
	.dma_map = net_shunt_dma_map,
	.dma_unmap = net_shunt_dma_unmap,
	.drv_flags = RTE_VDEV_DRV_NEED_IOVA_AS_VA,
};

RTE_PMD_REGISTER_PARAM_STRING(net_shunt,
	"pci=<address> sim=<0|1> ports=<1-16> iommu=<blocking|hitless> nic=<drop|wedge>");
