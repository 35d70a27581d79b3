/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shunt/error.h>

#include "bind.h"
#include "kernel_sysfs.h"
#include "shunt_node.h"

#define NUMBERS 16
#define SYSPATH "vfio-device-syspath:" /* in fdinfo, since Linux 6.18 */

/* Device numbers of a function, from sysfs: those of nodes can be wrong. */
struct devices {
	dev_t numbers[NUMBERS];
	unsigned int count;
};

/* What is looked for among the open files of processes. */
struct look {
	const struct shunt_pci_machine *machine;
	const char *address;
	const struct devices *devices;
	bool (*is_it)(const struct look *look, const char *process, const char *fd,
		const struct stat *file);
};

/* Character devices that the function's driver has in a class. */
static void add_class(const struct shunt_pci_machine *machine, const char *address,
	const char *class, struct devices *devices)
{
	char folder[PATH_MAX], path[PATH_MAX], name[NAME_MAX + 1];
	DIR *dir;

	if (pci_open_class(machine, class, folder, &dir) || !dir)
		return;
	while (devices->count < NUMBERS && pci_next_of_function(dir, folder, address, name))
		if (!pci_path(path, "%s/%s/dev", folder, name) &&
			!shunt_node_read(path, &devices->numbers[devices->count]))
			devices->count++;
	closedir(dir);
}

static void find_devices(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, struct devices *devices)
{
	char group[64];

	devices->count = 0;
	snprintf(group, sizeof(group), "/dev/vfio/%d", function->group);
	if (function->group != SHUNT_PCI_NO_GROUP &&
		!shunt_node_number(machine->platform->sysfs, group, &devices->numbers[0]))
		devices->count++;
	add_class(machine, function->address, "vfio-dev", devices);
	add_class(machine, function->address, "uio", devices);
	add_class(machine, function->address, "infiniband_verbs", devices);
}

static bool is_one(
	const struct look *look, const char *process, const char *fd, const struct stat *file)
{
	for (unsigned int i = 0; i < look->devices->count; i++)
		if (file->st_rdev == look->devices->numbers[i])
			return true;
	return false;
}

/* Looks at those open files of a process that may be devices. @return -EACCES they cannot be read
 */
static int look_into(const struct look *look, const char *process)
{
	char folder[PATH_MAX], path[PATH_MAX], target[PATH_MAX];
	const struct dirent *entry;
	struct stat file;
	int held = 0;
	DIR *dir;

	if (pci_path(path, "%s/exe", process) || pci_path(folder, "%s/fd", process))
		return 0;
	/* A thread of the kernel, of which most of /proc is on a quiet machine. A process that
	 * exits may have no program any more and still its files, whose number is the folder's
	 * size. */
	if (readlink(path, target, sizeof(target)) < 0 && errno == ENOENT && !stat(folder, &file) &&
		file.st_size == 0)
		return 0;
	dir = opendir(folder);
	if (!dir)
		return errno == EACCES ? -EACCES : 0;
	while (!held && (entry = readdir(dir)) != NULL) {
		if (pci_path(path, "%s/%s", folder, entry->d_name) || !link_target(path, target))
			continue;
		/* Other files are not touched: stat of one on a dead file server would hang. */
		if ((strstr(target, "vfio") || strstr(target, "uio") ||
			    strstr(target, "infiniband")) &&
			!stat(path, &file) && S_ISCHR(file.st_mode))
			held = look->is_it(look, process, entry->d_name, &file);
	}
	closedir(dir);
	return held;
}

/* @return 1 and *holder; 0 none; -EACCES none seen, but not every process could be looked at */
static int look_around(const struct look *look, struct shunt_pci_holder *holder)
{
	const char *proc = pci_machine_proc(look->machine);
	char process[PATH_MAX], path[PATH_MAX];
	const struct dirent *entry;
	int found = 0, hidden = 0;
	DIR *dir = opendir(proc);

	if (!dir)
		return shunt_fail_errno(-EACCES, "looking for processes that hold %s: reading %s",
			look->address, proc);
	while (found <= 0 && (entry = readdir(dir)) != NULL) {
		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) ||
			pci_path(process, "%s/%s", proc, entry->d_name))
			continue;
		found = look_into(look, process);
		hidden |= found < 0;
		if (found <= 0)
			continue;
		holder->pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pci_path(path, "%s/comm", process) ||
			!file_line(path, holder->command, sizeof(holder->command)))
			snprintf(holder->command, sizeof(holder->command), "?");
	}
	closedir(dir);
	if (found > 0)
		return 1;
	return hidden ? shunt_fail(-EACCES, "whether a process holds %s only root can see in full",
				look->address)
		      : 0;
}

int shunt_pci_find_holder(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, struct shunt_pci_holder *holder)
{
	struct devices devices;
	const struct look look = { machine, function->address, &devices, is_one };

	find_devices(machine, function, &devices);
	return devices.count ? look_around(&look, holder) : 0;
}

/* Path in sysfs of the function that an open VFIO device is, where the kernel says so. */
static bool read_syspath(const char *process, const char *fd, char *syspath, size_t size)
{
	char path[PATH_MAX], line[512];
	bool found = false;
	FILE *file;

	if (pci_path(path, "%s/fdinfo/%s", process, fd))
		return false;
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		found = strncmp(line, SYSPATH, strlen(SYSPATH)) == 0;
		if (found)
			snprintf(syspath, size, "%.*s", (int)strcspn(line, "\n"), line);
	}
	if (file)
		fclose(file);
	return found;
}

/*
 * A device that the kernel takes back is in no class while its file is still open. Only newer
 * kernels say which function it was.
 */
static bool is_taken_back(
	const struct look *look, const char *process, const char *fd, const struct stat *file)
{
	char syspath[512], path[PATH_MAX], target[PATH_MAX];
	dev_t number;

	if (pci_path(path, "%s/fd/%s", process, fd) || !link_target(path, target) ||
		!strstr(target, "/vfio/devices/"))
		return false;
	if (read_syspath(process, fd, syspath, sizeof(syspath)))
		return strlen(syspath) > strlen(look->address) &&
		       strcmp(syspath + strlen(syspath) - strlen(look->address), look->address) ==
			       0;
	return shunt_node_number(
		       look->machine->platform->sysfs, strstr(target, "/dev/vfio/"), &number) ||
	       number != file->st_rdev;
}

int shunt_pci_taken_back(const struct shunt_pci_machine *machine,
	const struct shunt_pci_function *function, struct shunt_pci_holder *holder)
{
	const struct look look = { machine, function->address, NULL, is_taken_back };

	if (function->driver[0] || function->cdev[0])
		return 0;
	if (look_around(&look, holder) <= 0)
		return 0;
	return shunt_fail(-EBUSY,
		"%s: the kernel takes it from its driver and waits for process %ld (%s), which "
		"has a VFIO device open, to give it back: end that process (kill -KILL %ld)",
		function->address, (long)holder->pid, holder->command, (long)holder->pid);
}
