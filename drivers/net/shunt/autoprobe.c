/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus.h>
#include <rte_devargs.h>
#include <rte_eal.h>
#include <rte_pci.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "context.h"
#include "plugin.h"
#include "shunt_port.h"

/*
 * Which functions become ports by our driver on the PCI bus, when EAL starts or later:
 *
 *   function on vfio-pci, one of our datapaths drives it, its cdev and /dev/iommu can be opened,
 *   the PCI bus has it probed (-a, -b, rte_dev_probe())   -->  port 0000:03:00.0
 *
 * A group has one owner, so DPDK's own drivers are kept off every function of a group of which we
 * have one, named or not: as by -b. Where the user names a net_shunt device with --vdev, only
 * functions of its group are taken besides, if they are asked for.
 *
 * Where the PCI bus itself takes its functions from our iommufd (drivers/net/hosted), only what the
 * user named with --vdev is ours, and the bus is kept off that alone.
 */

#define IOMMUFD "/dev/iommu"

static bool named_only;
static bool named; /* a net_shunt device, when EAL started */

void shunt_named_only(void)
{
	named_only = true;
}

static bool same_function(const char *name, const char *address)
{
	struct rte_pci_addr left, right;

	return !rte_pci_addr_parse(name, &left) && !rte_pci_addr_parse(address, &right) &&
	       !rte_pci_addr_cmp(&left, &right);
}

/* The user's argument for a function, -a or -b; NULL: none. */
static struct rte_devargs *devargs_of(const char *address)
{
	struct rte_devargs *devargs;

	RTE_EAL_DEVARGS_FOREACH("pci", devargs)
	{
		if (same_function(devargs->name, address))
			return devargs;
	}
	return NULL;
}

static bool allowed(const struct rte_bus *pci, const char *address)
{
	const struct rte_devargs *said = devargs_of(address);

	if (pci->conf.scan_mode == RTE_BUS_SCAN_ALLOWLIST)
		return said && said->policy == RTE_DEV_ALLOWED;
	return !said || said->policy != RTE_DEV_BLOCKED;
}

/* The bus may have been scanned before, or after: it looks at its devices' arguments, and at the
 * list of all. */
static void block(const char *address)
{
	struct rte_devargs *said = devargs_of(address);
	struct rte_dev_iterator iterator;
	struct rte_device *device;

	if (!said && rte_devargs_add(RTE_DEVTYPE_BLOCKED, address)) {
		SHUNT_LOG(ERR, "%s: cannot block it on DPDK's PCI bus", address);
		return;
	}
	said = devargs_of(address);
	said->policy = RTE_DEV_BLOCKED;
	RTE_DEV_FOREACH(device, "bus=pci", &iterator)
	{
		if (same_function(device->name, address))
			device->devargs = said;
	}
}

/* @param ours  which functions are ours; NULL: none */
static void block_group(const struct shunt_pci_list *list, int group, const bool *ours)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct shunt_pci_function *function = &list->functions[i];

		if (function->group == group && !function->is_bridge && function->driver[0] &&
			!(ours && ours[i]))
			block(function->address);
	}
}

/* Value of pci= in the arguments of a device; false: there is none. */
static bool named_function(const struct rte_devargs *devargs, char *address, size_t size)
{
	const char *value = devargs->args ? strstr(devargs->args, "pci=") : NULL;

	if (!value || (value != devargs->args && value[-1] != ','))
		return false;
	value += strlen("pci=");
	snprintf(address, size, "%.*s", (int)strcspn(value, ","), value);
	return true;
}

/* Keeps the PCI bus off the functions that the user named. @return whether there is a device */
static bool user_named(const struct shunt_pci_list *list)
{
	const struct shunt_pci_function *function;
	struct rte_devargs *devargs;
	char address[32];
	bool any = false;

	RTE_EAL_DEVARGS_FOREACH("vdev", devargs)
	{
		if (strncmp(devargs->name, "net_shunt", strlen("net_shunt")) != 0)
			continue;
		any = true;
		if (!named_function(devargs, address, sizeof(address)) ||
			shunt_pci_find(list, address, &function) || function->group < 0)
			continue;
		if (named_only)
			block(function->address);
		else
			block_group(list, function->group, NULL);
	}
	return any;
}

/* Whether it is one that we can take. */
static bool can_take(const struct shunt_pci_function *function)
{
	const char *missing = NULL;

	if (!shunt_port_driver_find(function->vendor, function->device))
		return false;
	if (function->no_iommu && shunt_pci_translated(function))
		SHUNT_LOG(NOTICE, "%s is left to DPDK's PCI bus: %s", function->address,
			shunt_errmsg());
	if (function->no_iommu || !function->cdev[0])
		return false;
	if (access(IOMMUFD, R_OK | W_OK))
		missing = IOMMUFD;
	else if (access(function->cdev, R_OK | W_OK))
		missing = function->cdev;
	if (missing)
		SHUNT_LOG(NOTICE, "%s is left to DPDK's PCI bus: %s: %s", function->address,
			missing, strerror(errno));
	return !missing;
}

static bool holds_group(int number)
{
	const struct shunt_context *context = shunt_context_open();
	const struct context_group *entry;

	if (!context || context->sim)
		return false;
	TAILQ_FOREACH (entry, &context->groups, next)
		if (shunt_group_number(entry->group) == number)
			return true;
	return false;
}

int shunt_scan_kernel(struct shunt_pci_list *list)
{
	struct shunt_platform *platform;
	int ret = shunt_platform_kernel(&platform);

	if (ret)
		return ret;
	ret = shunt_pci_scan(platform, list);
	shunt_platform_destroy(platform);
	return ret;
}

bool autoprobe_takes(const char *address)
{
	const struct shunt_pci_function *function;
	struct shunt_pci_list list;
	bool takes;

	if (named_only || shunt_scan_kernel(&list))
		return false;
	takes = !shunt_pci_find(&list, address, &function) && can_take(function) &&
		(!named || holds_group(function->group));
	shunt_pci_list_free(&list);
	return takes;
}

/* DPDK's drivers, of the other functions of groups of which we take one. */
static void block_group_mates(const struct rte_bus *pci, const struct shunt_pci_list *list)
{
	bool *ours = calloc(list->count + 1, sizeof(*ours));

	if (!ours) {
		SHUNT_LOG(ERR, "probing functions: out of memory");
		return;
	}
	for (size_t i = 0; i < list->count; i++)
		ours[i] = allowed(pci, list->functions[i].address) && can_take(&list->functions[i]);
	for (size_t i = 0; i < list->count; i++)
		if (ours[i])
			block_group(list, list->functions[i].group, ours);
	free(ours);
}

static void look(const struct rte_bus *pci)
{
	struct shunt_pci_list list;

	if (shunt_scan_kernel(&list)) {
		SHUNT_LOG(INFO, "functions are not probed automatically: %s", shunt_errmsg());
		return;
	}
	for (size_t i = 0; i < list.skipped_count; i++)
		SHUNT_LOG(NOTICE, "left out: %s", list.skipped[i].reason);
	named = user_named(&list);
	if (!named && !named_only && rte_eal_has_pci())
		block_group_mates(pci, &list);
	shunt_pci_list_free(&list);
}

/* Called for each scan, of which there is another whenever a device is plugged: only the first one
 * is EAL's start. */
static void scan(void *arg)
{
	static bool scanned;
	const struct rte_bus *pci = rte_bus_find_by_name("pci");

	if (!scanned && pci)
		look(pci);
	scanned = true;
}

int autoprobe_register(void)
{
	if (rte_vdev_add_custom_scan(scan, NULL))
		return shunt_fail(-ENOMEM, "registering a scan with the vdev bus: out of memory");
	return 0;
}
