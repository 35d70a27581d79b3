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

#include "plugin.h"
#include "shunt_error.h"
#include "shunt_pci.h"
#include "shunt_port.h"

/*
 * Ports without --vdev. While EAL scans its buses, before it probes any:
 *
 *   function on vfio-pci, one of our datapaths drives it, its cdev and /dev/iommu can be opened,
 *   the PCI bus would take it (-a, -b)    -->  --vdev=net_shunt_0000:03:00.0,pci=0000:03:00.0
 *
 * A group has one owner, so DPDK's PCI bus is kept off every function of a group of which a
 * net_shunt device takes one, named or not: as by -b. Where the user names a net_shunt device, no
 * other is added, nor with --no-pci.
 *
 * Where the PCI bus itself takes its functions from our iommufd (drivers/net/hosted), only what the
 * user named is ours, and the bus is kept off that alone.
 */

#define IOMMUFD "/dev/iommu"

static bool named_only;

void automatic_named_only(void)
{
	named_only = true;
}

static bool same_function(const char *name, const char *address)
{
	struct rte_pci_addr left, right;

	return !rte_pci_addr_parse(name, &left) && !rte_pci_addr_parse(address, &right) &&
	       !rte_pci_addr_cmp(&left, &right);
}

/* What the user said of a function, by -a or -b; NULL: nothing. */
static struct rte_devargs *said_of(const char *address)
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
	const struct rte_devargs *said = said_of(address);

	if (pci->conf.scan_mode == RTE_BUS_SCAN_ALLOWLIST)
		return said && said->policy == RTE_DEV_ALLOWED;
	return !said || said->policy != RTE_DEV_BLOCKED;
}

/* The bus may have been scanned before, or after: it looks at its devices' arguments, and at the
 * list of all. */
static void keep_off(const char *address)
{
	struct rte_devargs *said = said_of(address);
	struct rte_dev_iterator iterator;
	struct rte_device *device;

	if (!said && rte_devargs_add(RTE_DEVTYPE_BLOCKED, address)) {
		SHUNT_LOG(ERR, "%s: DPDK's PCI bus cannot be kept off it", address);
		return;
	}
	said = said_of(address);
	said->policy = RTE_DEV_BLOCKED;
	RTE_DEV_FOREACH(device, "bus=pci", &iterator)
	{
		if (same_function(device->name, address))
			device->devargs = said;
	}
}

static void keep_off_group(const struct shunt_pci_list *list, int group)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct shunt_pci_function *function = &list->functions[i];

		if (function->group == group && !function->is_bridge && function->driver[0])
			keep_off(function->address);
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
			keep_off(function->address);
		else
			keep_off_group(list, function->group);
	}
	return any;
}

/* Whether it is one that we take, and can. */
static bool takes(const struct rte_bus *pci, const struct shunt_pci_function *function)
{
	const char *missing = NULL;

	if (!shunt_port_driver_find(function->vendor, function->device) || !function->cdev[0] ||
		!allowed(pci, function->address))
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

static void add_device(const struct shunt_pci_function *function)
{
	const struct rte_devargs *said = said_of(function->address);
	const char *more = said && said->args ? said->args : "";
	char text[512];

	if (snprintf(text, sizeof(text), "net_shunt_%s,pci=%s%s%s", function->address,
		    function->address, *more ? "," : "", more) >= (int)sizeof(text) ||
		rte_devargs_add(RTE_DEVTYPE_VIRTUAL, text))
		SHUNT_LOG(ERR, "%s: EAL does not take the device '%s'", function->address, text);
	else
		SHUNT_LOG(
			INFO, "%s becomes port net_shunt_%s", function->address, function->address);
}

static void add_devices(const struct rte_bus *pci, const struct shunt_pci_list *list)
{
	bool primary = rte_eal_process_type() == RTE_PROC_PRIMARY;
	bool *taken = calloc(list->count + 1, sizeof(*taken));

	if (!taken) {
		SHUNT_LOG(ERR, "looking for functions: out of memory");
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		taken[i] = takes(pci, &list->functions[i]);
		if (taken[i] && primary)
			add_device(&list->functions[i]);
	}
	for (size_t i = 0; i < list->count; i++)
		if (taken[i])
			keep_off_group(list, list->functions[i].group);
	free(taken);
}

static void look(const struct rte_bus *pci)
{
	struct shunt_platform *platform;
	struct shunt_pci_list list;

	if (shunt_platform_kernel(&platform))
		goto failed;
	if (shunt_pci_scan(platform, &list)) {
		shunt_platform_destroy(platform);
		goto failed;
	}
	if (!user_named(&list) && !named_only && rte_eal_has_pci())
		add_devices(pci, &list);
	shunt_pci_list_free(&list);
	shunt_platform_destroy(platform);
	return;

failed:
	SHUNT_LOG(INFO, "no function is looked for: %s", shunt_errmsg());
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

int automatic_register(void)
{
	if (rte_vdev_add_custom_scan(scan, NULL))
		return shunt_fail(-ENOMEM, "the vdev bus takes no scan of ours: out of memory");
	return 0;
}
