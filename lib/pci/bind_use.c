/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if.h>

#include <shunt/error.h>

#include "bind.h"
#include "kernel_sysfs.h"

#define BASE_CLASS_NETWORK 0x02     /* PCI Code and ID Assignment Specification */
#define UPPER              "upper_" /* links of an interface to those above it */

/* Whether the kernel's main routing table has a default route over an interface. */
static bool has_default_route(const struct shunt_pci_machine *machine, const char *interface)
{
	char path[PATH_MAX], line[512], name[IFNAMSIZ + 1], destination[9], mask[9];
	bool found = false;
	FILE *file;

	if (pci_path(path, "%s/net/route", pci_machine_proc(machine)))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%16s %8s %*s %*s %*s %*s %*s %8s", name, destination, mask) ==
				3 &&
			strcmp(name, interface) == 0 && strcmp(destination, "00000000") == 0 &&
			strcmp(mask, "00000000") == 0;
	fclose(file);
	return found;
}

static int check_interface(const struct shunt_pci_machine *machine, const char *address,
	const char *folder, const char *name, char remedy[SHUNT_PCI_REMEDY])
{
	char path[PATH_MAX], text[32], upper[NAME_MAX + 1];
	int ret = pci_path(path, "%s/%s/flags", folder, name);

	if (ret || !file_line(path, text, sizeof(text)))
		return ret;
	if (strtoul(text, NULL, 16) & IFF_UP) {
		snprintf(remedy, SHUNT_PCI_REMEDY, "ip link set dev %.64s down", name);
		return shunt_fail(-EBUSY,
			"%s is in use: its network interface %s is up%s; as root: %s", address,
			name, has_default_route(machine, name) ? " and has the default route" : "",
			remedy);
	}
	/* An interface that is down can still be a port of a bond or a bridge, or carry a VLAN. */
	ret = pci_path(path, "%s/%s", folder, name);
	if (ret || pci_entries(path, UPPER, upper) <= 0)
		return ret;
	return shunt_fail(-EBUSY,
		"%s is in use: its network interface %s is part of %s: take it out of there",
		address, name, upper + strlen(UPPER));
}

/*
 * The kernel shows the interfaces of one network namespace. A network function that serves another
 * one has a driver and, here, no interface.
 */
static int check_interfaces(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, char remedy[SHUNT_PCI_REMEDY])
{
	char folder[PATH_MAX], name[NAME_MAX + 1];
	unsigned int found = 0;
	DIR *dir;
	int ret = pci_open_class(machine, "net", folder, &dir);

	if (ret)
		return ret;
	while (!ret && dir && pci_next_of_function(dir, folder, function->address, name)) {
		found++;
		ret = check_interface(machine, function->address, folder, name, remedy);
	}
	if (dir)
		closedir(dir);
	if (ret || found || function->class_code >> 16 != BASE_CLASS_NETWORK ||
		!shunt_pci_blocks_group(function) || pci_is_uio(function))
		return ret;
	return shunt_fail(-EBUSY,
		"cannot tell whether %s is in use: it is a network function on %s, and no "
		"interface of it is visible here: it may be in another network namespace, of a "
		"container",
		function->address, function->driver);
}

static int check_block_devices(
	const struct shunt_pci_machine *machine, const struct shunt_pci_function *function)
{
	char folder[PATH_MAX], name[NAME_MAX + 1];
	DIR *dir;
	int ret = pci_open_class(machine, "block", folder, &dir);

	if (ret || !dir)
		return ret;
	if (pci_next_of_function(dir, folder, function->address, name))
		ret = shunt_fail(-EBUSY,
			"%s is in use: it carries the block device %s; take what is on it out of "
			"use",
			function->address, name);
	closedir(dir);
	return ret;
}

int pci_check_virtual_functions(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, char remedy[SHUNT_PCI_REMEDY])
{
	char command[SHUNT_PCI_REMEDY], path[PATH_MAX], name[NAME_MAX + 1];
	int count, ret = pci_path(path, "%s/bus/pci/devices/%s", machine->platform->sysfs,
			   function->address);

	/* By their links: a read of sriov_numvfs waits for whatever has the function's lock. */
	count = ret ? 0 : pci_entries(path, "virtfn", name);
	if (count <= 0)
		return ret;
	if (!remedy)
		remedy = command;
	snprintf(remedy, SHUNT_PCI_REMEDY, "shunt vf remove %s", function->address);
	return shunt_fail(-EBUSY,
		"%s is in use: it has %d virtual function%s, which go when its driver does; as "
		"root: %s",
		function->address, count, count == 1 ? "" : "s", remedy);
}

/* Refuses a function that a process has open: by UIO, RDMA or VFIO, without an interface. */
static int check_processes(
	const struct shunt_pci_machine *machine, const struct shunt_pci_function *function)
{
	struct shunt_pci_holder holder;
	int ret = function->driver[0] ? shunt_pci_find_holder(machine, function, &holder) : 0;

	if (ret > 0)
		return shunt_fail(-EBUSY,
			"%s is in use: process %ld (%s) has it open; end that first",
			function->address, (long)holder.pid, holder.command);
	if (ret < 0 && pci_is_uio(function))
		return shunt_fail_while(-EBUSY, "cannot tell");
	return 0;
}

int pci_check_use(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, bool force)
{
	int ret = pci_check_virtual_functions(machine, function, NULL);

	if (ret || force)
		return ret;
	ret = shunt_pci_in_use(machine, function, NULL);
	return ret ? shunt_fail_while(ret, "not without --force") : 0;
}

bool pci_is_uio(const struct shunt_pci_function *function)
{
	return strstr(function->driver, "uio") != NULL;
}

int shunt_pci_in_use(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, char remedy[SHUNT_PCI_REMEDY])
{
	char command[SHUNT_PCI_REMEDY];
	int ret;

	if (!remedy)
		remedy = command;
	remedy[0] = '\0';
	ret = check_interfaces(machine, function, remedy);
	if (!ret)
		ret = check_block_devices(machine, function);
	if (!ret)
		ret = pci_check_virtual_functions(machine, function, remedy);
	if (!ret)
		ret = check_processes(machine, function);
	return ret;
}
