/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_kvargs.h>

#include <shunt/error.h>

#include "context.h"
#include "plugin.h"
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

static int net_shunt_probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct arguments arguments;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		ret = shunt_secondary_attach(&vdev->device);
	else if (rte_eal_iova_mode() != RTE_IOVA_VA)
		ret = shunt_fail(-ENOTSUP, "EAL runs with physical addresses, ports need IOVA = "
					   "virtual address: start with --iova-mode=va");
	else
		ret = parse_arguments(rte_vdev_device_args(vdev), &arguments);
	if (!ret && rte_eal_process_type() == RTE_PROC_PRIMARY) {
		shunt_context_lock();
		ret = device_open(
			&vdev->device, arguments.sim ? &arguments.config : NULL, arguments.pci);
		shunt_context_unlock();
	}
	if (ret)
		SHUNT_LOG(ERR, "%s: %s", name, shunt_errmsg());
	return ret;
}

static int net_shunt_remove(struct rte_vdev_device *vdev)
{
	return device_close(&vdev->device);
}

static int net_shunt_dma_map(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t length)
{
	return device_map(&vdev->device, true, addr, length);
}

static int net_shunt_dma_unmap(
	struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t length)
{
	return device_map(&vdev->device, false, addr, length);
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
