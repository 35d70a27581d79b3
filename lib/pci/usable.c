/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "identify.h"

#define DEVICES "/sys/bus/pci/devices/"

int shunt_pci_find(const struct shunt_pci_list *list, const char *address,
	const struct shunt_pci_function **function)
{
	char whole[16];
	size_t i;
	int ret = pci_address_full(address, whole);

	if (ret)
		return ret;
	for (i = 0; i < list->count; i++) {
		if (strcmp(list->functions[i].address, whole) == 0) {
			*function = &list->functions[i];
			return 0;
		}
	}
	for (i = 0; i < list->skipped_count; i++)
		if (strcmp(list->skipped[i].address, whole) == 0)
			return shunt_fail(-ENODEV, "%s", list->skipped[i].reason);
	return shunt_fail(-ENODEV, "no PCI function %s: 'shunt list' shows those there are", whole);
}

/* All of the kernel's VFIO drivers carry it in their name: vfio-pci, mlx5_vfio_pci, ... */
static bool is_vfio_driver(const char *driver)
{
	return strstr(driver, "vfio") != NULL;
}

/*
 * The kernel gives a group to user space when no bound driver manages DMA of its own: the drivers
 * with driver_managed_dma set are VFIO's, pci-stub and pcieport (drivers/iommu/iommu.c).
 */
bool shunt_pci_blocks_group(const struct shunt_pci_function *function)
{
	if (!function->driver[0] || is_vfio_driver(function->driver))
		return false;
	if (strcmp(function->driver, "pci-stub") == 0)
		return false;
	return !(function->is_bridge && strcmp(function->driver, "pcieport") == 0);
}

/* Commands that take a function away from its driver, for VFIO unless it is a bridge. */
static void remedy(const struct shunt_pci_function *function, char *text, size_t size)
{
	const char *address = function->address;
	int used = 0;

	if (!function->is_bridge)
		used = snprintf(
			text, size, "echo vfio-pci > " DEVICES "%s/driver_override; ", address);
	if (function->driver[0])
		used += snprintf(text + used, size - (size_t)used,
			"echo %s > " DEVICES "%s/driver/unbind; ", address, address);
	if (!function->is_bridge)
		used += snprintf(text + used, size - (size_t)used,
			"echo %s > /sys/bus/pci/drivers_probe; ", address);
	text[used - 2] = '\0';
}

#define ENABLE                                                                              \
	"enable the IOMMU in the firmware and in the kernel (intel_iommu=on on the kernel " \
	"command line for VT-d)"

int shunt_pci_translated(const struct shunt_pci_function *function)
{
	if (function->no_iommu)
		return shunt_fail(-ENOTSUP,
			"PCI function %s is on VFIO without an IOMMU, so its DMA would reach any "
			"memory of the machine: shunt does not drive it; " ENABLE,
			function->address);
	if (function->group == SHUNT_PCI_NO_GROUP)
		return shunt_fail(-ENOTSUP, "PCI function %s is in no IOMMU group: " ENABLE,
			function->address);
	return 0;
}

int shunt_pci_usable(const struct shunt_pci_list *list, const struct shunt_pci_function *function)
{
	const struct shunt_pci_machine machine = { .platform = list->platform };
	const struct shunt_pci_function *other;
	struct shunt_pci_holder holder;
	char commands[512];
	size_t i;
	int ret = shunt_pci_translated(function);

	if (ret)
		return ret;
	if (function->is_bridge)
		return shunt_fail(-ENODEV, "PCI function %s is a bridge, which VFIO does not take",
			function->address);
	if (!function->cdev[0] && is_vfio_driver(function->driver))
		return shunt_fail(-ENODEV,
			"PCI function %s is bound to %s but has no VFIO character device: that "
			"takes "
			"Linux 6.6 with CONFIG_VFIO_DEVICE_CDEV",
			function->address, function->driver);
	ret = list->platform ? shunt_pci_taken_back(&machine, function, &holder) : 0;
	if (ret)
		return ret;
	if (!function->cdev[0]) {
		remedy(function, commands, sizeof(commands));
		return shunt_fail(-ENODEV,
			"PCI function %s is bound to %s, not to vfio-pci; as root: %s",
			function->address, function->driver[0] ? function->driver : "no driver",
			commands);
	}
	for (i = 0; i < list->count; i++) {
		other = &list->functions[i];
		if (other->group != function->group || !shunt_pci_blocks_group(other))
			continue;
		remedy(other, commands, sizeof(commands));
		return shunt_fail(-EBUSY,
			"PCI function %s cannot be taken: %s (%s), bound to %s, blocks IOMMU group "
			"%d; "
			"as root: %s",
			function->address, other->address, other->name, other->driver,
			function->group, commands);
	}
	return 0;
}
