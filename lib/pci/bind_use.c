/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/if.h>

#include "bind.h"
#include "shunt_error.h"

/*
 * Name of the next entry of /sys/class/<class> that belongs to a function: such an entry is a link
 * whose target leads through the function's folder, however deep below it (virtio, SCSI).
 */
static bool next_of_function(
	DIR *dir, const char *folder, const char *address, char name[NAME_MAX + 1])
{
	char path[PATH_MAX], target[PATH_MAX], inside[32];
	const struct dirent *entry;
	ssize_t length;

	snprintf(inside, sizeof(inside), "/%s/", address);
	while ((entry = readdir(dir)) != NULL) {
		if (pci_path(path, "%s/%s", folder, entry->d_name))
			continue;
		length = readlink(path, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		if (!strstr(target, inside))
			continue;
		snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
		return true;
	}
	return false;
}

static int open_class(
	const struct shunt_pci_machine *machine, const char *name, char folder[PATH_MAX], DIR **dir)
{
	int ret = pci_path(folder, "%s/class/%s", machine->platform->sysfs, name);

	if (ret)
		return ret;
	*dir = opendir(folder);
	if (!*dir && errno != ENOENT)
		return shunt_fail_errno(-errno, "reading %s", folder);
	return 0;
}

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

static int check_interfaces(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, char mend[SHUNT_PCI_MEND])
{
	char folder[PATH_MAX], path[PATH_MAX], text[32], name[NAME_MAX + 1];
	DIR *dir;
	int ret = open_class(machine, "net", folder, &dir);

	if (ret || !dir)
		return ret;
	while (!ret && next_of_function(dir, folder, function->address, name)) {
		ret = pci_path(path, "%s/%s/flags", folder, name);
		if (ret || pci_read_line(path, text, sizeof(text)))
			continue;
		if (!(strtoul(text, NULL, 16) & IFF_UP))
			continue;
		snprintf(mend, SHUNT_PCI_MEND, "ip link set dev %.64s down", name);
		ret = shunt_fail(-EBUSY,
			"%s is in use: its network interface %s is up%s; as root: %s",
			function->address, name,
			has_default_route(machine, name) ? " and has the default route" : "", mend);
	}
	closedir(dir);
	return ret;
}

static int check_block_devices(
	const struct shunt_pci_machine *machine, const struct shunt_pci_function *function)
{
	char folder[PATH_MAX], name[NAME_MAX + 1];
	DIR *dir;
	int ret = open_class(machine, "block", folder, &dir);

	if (ret || !dir)
		return ret;
	if (next_of_function(dir, folder, function->address, name))
		ret = shunt_fail(-EBUSY,
			"%s is in use: it carries the block device %s; take what is on it out of "
			"use",
			function->address, name);
	closedir(dir);
	return ret;
}

int pci_check_virtual_functions(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, char mend[SHUNT_PCI_MEND])
{
	char path[PATH_MAX], text[32], command[SHUNT_PCI_MEND];
	int ret = pci_path(path, "%s/bus/pci/devices/%s/sriov_numvfs", machine->platform->sysfs,
		function->address);

	if (ret)
		return ret;
	if (pci_read_line(path, text, sizeof(text)) || strtoul(text, NULL, 10) == 0)
		return 0;
	if (!mend)
		mend = command;
	snprintf(mend, SHUNT_PCI_MEND, "echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs",
		function->address);
	return shunt_fail(-EBUSY,
		"%s is in use: it has %s virtual functions, which go when its driver does; as "
		"root: %s",
		function->address, text, mend);
}

int shunt_pci_in_use(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, char mend[SHUNT_PCI_MEND])
{
	char command[SHUNT_PCI_MEND];
	int ret;

	if (!mend)
		mend = command;
	mend[0] = '\0';
	ret = check_interfaces(machine, function, mend);
	if (!ret)
		ret = check_block_devices(machine, function);
	if (!ret)
		ret = pci_check_virtual_functions(machine, function, mend);
	return ret;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	if (S_ISCHR(a->st_mode) && S_ISCHR(b->st_mode))
		return a->st_rdev == b->st_rdev;
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether a process has one of the nodes open; -EACCES: not ours to know. */
static int holds(const char *process, const struct stat *nodes, size_t count)
{
	char folder[PATH_MAX], path[PATH_MAX], target[PATH_MAX];
	const struct dirent *entry;
	struct stat open_file;
	ssize_t length;
	int held = 0;
	DIR *dir;

	if (pci_path(folder, "%s/fd", process))
		return 0;
	dir = opendir(folder);
	if (!dir)
		return errno == EACCES ? -EACCES : 0;
	while (!held && (entry = readdir(dir)) != NULL) {
		if (pci_path(path, "%s/%s", folder, entry->d_name))
			continue;
		/* Other files are not touched: stat of one on a dead file server would hang. */
		length = readlink(path, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		if (!strstr(target, "vfio") || stat(path, &open_file))
			continue;
		for (size_t i = 0; i < count; i++)
			held |= same_file(&open_file, &nodes[i]);
	}
	closedir(dir);
	return held;
}

static size_t find_nodes(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, struct stat nodes[2])
{
	char path[PATH_MAX], group[64];
	size_t count = 0;

	if (function->cdev[0] && !pci_node_path(machine, function->cdev, path) &&
		!stat(path, &nodes[count]))
		count++;
	snprintf(group, sizeof(group), "/dev/vfio/%d", function->group);
	if (!pci_node_path(machine, group, path) && !stat(path, &nodes[count]))
		count++;
	return count;
}

int shunt_pci_find_holder(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, struct shunt_pci_holder *holder)
{
	const char *proc = pci_machine_proc(machine);
	char process[PATH_MAX], path[PATH_MAX];
	const struct dirent *entry;
	struct stat nodes[2];
	size_t count = find_nodes(machine, function, nodes);
	int found = 0, hidden = 0;
	DIR *dir;

	if (!count)
		return 0;
	dir = opendir(proc);
	if (!dir)
		return shunt_fail_errno(-EACCES, "looking for processes that hold %s: reading %s",
			function->address, proc);
	while (found <= 0 && (entry = readdir(dir)) != NULL) {
		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) ||
			pci_path(process, "%s/%s", proc, entry->d_name))
			continue;
		found = holds(process, nodes, count);
		hidden |= found < 0;
		if (found <= 0)
			continue;
		holder->pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pci_path(path, "%s/comm", process) ||
			pci_read_line(path, holder->command, sizeof(holder->command)))
			snprintf(holder->command, sizeof(holder->command), "?");
	}
	closedir(dir);
	if (found > 0)
		return 1;
	return hidden ? shunt_fail(-EACCES, "whether a process holds %s only root can see in full",
				function->address)
		      : 0;
}
