/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shunt/error.h>

#include "bind.h"
#include "identify.h"
#include "kernel_sysfs.h"

const char *pci_machine_records(const struct shunt_pci_machine *machine)
{
	return machine->records ? machine->records : SHUNT_PCI_RECORDS;
}

const char *pci_machine_proc(const struct shunt_pci_machine *machine)
{
	return machine->proc ? machine->proc : "/proc";
}

int pci_machine_check(const struct shunt_pci_machine *machine)
{
	if (strcmp(machine->platform->name, "sim") == 0)
		return shunt_fail(-ENOTSUP, "the software platform has no drivers to bind to or "
					    "from: its functions are "
					    "ready to use as they are");
	return 0;
}

int pci_path(char path[PATH_MAX], const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(path, PATH_MAX, fmt, args);
	va_end(args);
	if (length < 0 || length >= PATH_MAX)
		return shunt_fail(-ENAMETOOLONG, "path %.64s... is too long", path);
	return 0;
}

int pci_node_path(const struct shunt_pci_machine *machine, const char *node, char path[PATH_MAX])
{
	return pci_path(path, "%s%s", machine->dev ? machine->dev : "/dev", node + strlen("/dev"));
}

int pci_entries(const char *folder, const char *prefix, char name[NAME_MAX + 1])
{
	const struct dirent *entry;
	int count = 0;
	DIR *dir = opendir(folder);

	name[0] = '\0';
	if (!dir)
		return errno == ENOENT ? 0 : shunt_fail_errno(-EIO, "reading %s", folder);
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
		count++;
	}
	closedir(dir);
	return count;
}

static const char *remedy(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return "run it as root";
	case -EROFS:
		return "sysfs is mounted read-only here: mount -o remount,rw /sys";
	case -ENOENT:
	case -ENODEV:
		return "the function or its driver has gone: 'shunt list' shows what there is";
	case -EBUSY:
		return "something still uses the function: the kernel's log says more (dmesg)";
	default:
		return "the kernel's log says why (dmesg)";
	}
}

int pci_written(const char *address, const char *path, const char *text, int ret)
{
	char reason[128];

	if (!ret)
		return 0;
	return shunt_fail(ret, "%s: writing '%.*s' to %s: %s; %s", address,
		(int)strcspn(text, "\n"), text, path, strerror_r(-ret, reason, sizeof(reason)),
		remedy(ret));
}

int pci_write(const struct shunt_pci_machine *machine, const char *address, const char *path,
	const char *text)
{
	return pci_written(address, path, text,
		machine->write ? machine->write(machine->context, path, text)
			       : file_write(path, text));
}

int pci_set(const struct shunt_pci_machine *machine, const char *address, const char *attribute,
	const char *text)
{
	char path[PATH_MAX];
	int ret = pci_path(
		path, "%s/bus/pci/devices/%s/%s", machine->platform->sysfs, address, attribute);

	return ret ? ret : pci_write(machine, address, path, text);
}

int pci_bindings_add(struct shunt_pci_bindings *bindings, const struct shunt_pci_binding *binding)
{
	struct shunt_pci_binding *grown =
		reallocarray(bindings->functions, bindings->count + 1, sizeof(*grown));

	if (!grown)
		return shunt_fail(-ENOMEM, "out of memory");
	bindings->functions = grown;
	bindings->functions[bindings->count++] = *binding;
	return 0;
}

void shunt_pci_bindings_free(struct shunt_pci_bindings *bindings)
{
	free(bindings->functions);
	bindings->functions = NULL;
	bindings->count = 0;
}

static bool is_below_bridge(const char *rest)
{
	struct pci_address parts;
	char name[NAME_MAX + 1];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(rest, "/"), rest);
	return pci_address_parse(name, &parts);
}

/*
 * Name of the next entry of /sys/class/<class> that belongs to a function: such an entry is a link
 * whose target leads through the function's folder, however deep below it (virtio, SCSI).
 */
bool pci_next_of_function(
	DIR *dir, const char *folder, const char *address, char name[NAME_MAX + 1])
{
	char path[PATH_MAX], target[PATH_MAX], inside[32];
	const struct dirent *entry;
	const char *found;

	snprintf(inside, sizeof(inside), "/%s/", address);
	while ((entry = readdir(dir)) != NULL) {
		if (pci_path(path, "%s/%s", folder, entry->d_name) || !link_target(path, target))
			continue;
		/* A bridge's folder has those of the functions below it. */
		found = strstr(target, inside);
		if (!found || is_below_bridge(found + strlen(inside)))
			continue;
		snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
		return true;
	}
	return false;
}

int pci_open_class(
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
