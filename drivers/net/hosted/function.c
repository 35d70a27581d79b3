/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "hosted.h"
#include "rte_net_shunt.h"

/* Memory is mapped before the driver gets any: from the join on the function may make DMA. */
static int join(struct hosted_function *function, const struct shunt_pci_function *pci)
{
	struct shunt_context *context = function->context;
	int ret;

	ret = shunt_vfio_open(&context->iommufd, pci->cdev, pci->address, &function->device);
	if (ret)
		return ret;
	ret = shunt_context_group_get(context, pci->group, &function->group);
	if (ret)
		goto close;
	ret = hosted_iova0_get(function);
	if (ret)
		goto put_group;
	ret = shunt_group_join(function->group, &function->device, "", &hosted_port_ops, function,
		shunt_space_find(context->spaces, RTE_NET_SHUNT_FIRST_SPACE));
	if (ret)
		goto put_zero;
	hosted_function_add(function);
	return 0;

put_zero:
	hosted_iova0_put(function);
put_group:
	shunt_context_group_put(context, function->group);
close:
	shunt_vfio_close(&function->device);
	return ret;
}

static int find_and_join(struct hosted_function *function, const char *address)
{
	const struct shunt_pci_function *pci;
	struct shunt_pci_list list;
	int ret;

	ret = shunt_pci_scan(function->context->platform, &list);
	if (ret)
		return ret;
	ret = shunt_pci_find(&list, address, &pci);
	if (!ret)
		ret = shunt_pci_usable(&list, pci);
	if (!ret) {
		function->vendor = pci->vendor;
		function->device_id = pci->device;
		ret = join(function, pci);
	}
	shunt_pci_list_free(&list);
	return ret;
}

int hosted_function_open(const char *address, struct hosted_function **result)
{
	struct hosted_function *function;
	struct shunt_context *context;
	int ret;

	if (rte_eal_iova_mode() != RTE_IOVA_VA)
		return shunt_fail(-ENOTSUP, "EAL runs with physical addresses, but iommufd needs "
					    "virtual ones: start with --iova-mode=va");
	ret = hosted_ports_follow();
	if (!ret)
		ret = hosted_secondary_serve();
	if (ret)
		return ret;
	ret = shunt_context_get(NULL, &context);
	if (ret)
		return ret;
	function = calloc(1, sizeof(*function));
	if (!function) {
		ret = shunt_fail(-ENOMEM, "%s: out of memory", address);
		goto put_context;
	}
	function->context = context;
	ret = find_and_join(function, address);
	if (ret)
		goto free;
	*result = function;
	return 0;

free:
	free(function);
put_context:
	shunt_context_put(context);
	return ret;
}

int hosted_function_close(struct hosted_function *function)
{
	struct shunt_context *context = function->context;
	int first, ret;

	hosted_function_remove(function);
	first = shunt_group_leave(function->group, &function->device);
	shunt_context_group_put(context, function->group);
	shunt_vfio_close(&function->device);
	ret = hosted_iova0_put(function);
	free(function);
	shunt_context_put(context);
	return first ? first : ret;
}
