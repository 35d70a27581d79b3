/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <shunt/error.h>

#include "bind.h"
#include "kernel_sysfs.h"

/* Virtual functions of a physical one: Documentation/ABI/testing/sysfs-bus-pci of Linux, sriov_*.
 */

#define ENABLE_SRIOV "module/vfio_pci/parameters/enable_sriov"
#define AUTOPROBE    "sriov_drivers_autoprobe"

static unsigned int count_of(
	const struct shunt_pci_list *list, const struct shunt_pci_function *function)
{
	unsigned int count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += strcmp(list->functions[i].physfn, function->address) == 0;
	return count;
}

/* vfio-pci makes virtual functions only if its parameter allows it. */
static int check_vfio(
	const struct shunt_pci_machine *machine, const struct shunt_pci_function *function)
{
	char path[PATH_MAX], text[8];
	int ret;

	if (strcmp(function->driver, PCI_VFIO_DRIVER) != 0)
		return 0;
	ret = pci_path(path, "%s/" ENABLE_SRIOV, machine->platform->sysfs);
	if (ret || !file_line(path, text, sizeof(text)) || text[0] == 'Y')
		return ret;
	return shunt_fail(-ENOTSUP,
		"%s is on vfio-pci, which is not allowed to make virtual functions; as root: "
		"echo Y > /sys/" ENABLE_SRIOV,
		function->address);
}

/* Finds a function that can have virtual ones, and that the kernel is not taking back. */
static int find(const struct shunt_pci_machine *machine, const char *address,
	struct shunt_pci_list *list, const struct shunt_pci_function **function)
{
	struct shunt_pci_holder holder;
	int ret = pci_machine_check(machine);

	if (!ret)
		ret = shunt_pci_scan(machine->platform, list);
	if (!ret)
		ret = shunt_pci_find(list, address, function);
	if (ret)
		return ret;
	if ((*function)->physfn[0])
		return shunt_fail(-ENOTSUP, "%s is a virtual function itself, of %s",
			(*function)->address, (*function)->physfn);
	if (!(*function)->vf_total)
		return shunt_fail(-ENOTSUP,
			"%s has no SR-IOV: 'shunt vf list' shows the functions that have",
			(*function)->address);
	return shunt_pci_taken_back(machine, *function, &holder);
}

/* The kernel holds the function's lock while it does it, and may wait with it for a process. */
static int set_count(
	const struct shunt_pci_machine *machine, const char *address, unsigned int count)
{
	char path[PATH_MAX], text[16];
	int ret = pci_path(
		path, "%s/bus/pci/devices/%s/sriov_numvfs", machine->platform->sysfs, address);

	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%u", count);
	if (machine->write)
		return pci_write(machine, address, path, text);
	ret = pci_write_locked(path, text, SHUNT_PCI_VF_PATIENCE_MS);
	if (ret == -ETIMEDOUT)
		return shunt_fail(ret,
			"%s: the kernel did not set sriov_numvfs to %u within %d s: it waits for "
			"the holder of the function, and may do it later; 'shunt vf list' shows it",
			address, count, SHUNT_PCI_VF_PATIENCE_MS / 1000);
	return pci_written(address, path, text, ret);
}

int shunt_pci_vf_create(
	const struct shunt_pci_machine *machine, const char *address, unsigned int count)
{
	struct shunt_pci_list list = { 0 };
	const struct shunt_pci_function *function;
	char path[PATH_MAX], before[8];
	unsigned int present;
	int ret, restored;

	ret = find(machine, address, &list, &function);
	if (ret)
		goto out;
	present = count_of(&list, function);
	if (present)
		ret = shunt_fail(-EBUSY,
			"%s has %u virtual function%s already: 'shunt vf remove %s' first",
			function->address, present, present == 1 ? "" : "s", function->address);
	else if (!count || count > function->vf_total)
		ret = shunt_fail(-EINVAL, "%s can have 1 to %u virtual functions, not %u",
			function->address, function->vf_total, count);
	else if (!function->driver[0])
		ret = shunt_fail(-ENODEV,
			"%s has no driver, which has to make its virtual functions: give it the "
			"kernel's, or 'shunt bind %s'",
			function->address, function->address);
	else
		ret = check_vfio(machine, function);
	if (!ret)
		ret = pci_path(path, "%s/bus/pci/devices/%s/" AUTOPROBE, machine->platform->sysfs,
			function->address);
	if (ret)
		goto out;
	file_line(path, before, sizeof(before)); /* "" before Linux 4.12 */
	if (before[0] == '1')
		ret = pci_set(machine, function->address, AUTOPROBE, "0");
	if (!ret)
		ret = set_count(machine, function->address, count);
	if (before[0] == '1' && ret != -EACCES) {
		restored = pci_set(machine, function->address, AUTOPROBE, "1");
		ret = ret ? ret : restored;
	}
out:
	shunt_pci_list_free(&list);
	return ret;
}

/* Removing one that a process has open would wait until it is closed. */
static int check_use(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, bool force)
{
	struct shunt_pci_holder holder;

	if (shunt_pci_find_holder(machine, function, &holder) > 0)
		return shunt_fail(-EBUSY,
			"%s cannot be removed: process %ld (%s) has it open; end that first",
			function->address, (long)holder.pid, holder.command);
	return force ? 0 : shunt_pci_in_use(machine, function, NULL);
}

int shunt_pci_vf_remove(const struct shunt_pci_machine *machine, const char *address, bool force)
{
	struct shunt_pci_list list = { 0 };
	const struct shunt_pci_function *function;
	int ret = find(machine, address, &list, &function);

	for (size_t i = 0; !ret && i < list.count; i++)
		if (strcmp(list.functions[i].physfn, function->address) == 0)
			ret = check_use(machine, &list.functions[i], force);
	if (!ret && count_of(&list, function))
		ret = set_count(machine, function->address, 0);
	shunt_pci_list_free(&list);
	return ret;
}
