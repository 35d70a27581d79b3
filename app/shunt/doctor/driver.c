/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "doctor.h"
#include "rte_net_shunt.h"
#include "text.h"

/*
 * DPDK's driver libraries name the functions that they support (see dpdk-pmdinfo):
 *
 *   PMD_INFO_STRING= {"name": "net_e1000_em", "kmod": "* igb_uio | uio_pci_generic | vfio-pci",
 *                     "pci_ids": [[32902, 4307, 65535, 65535], ...]}
 *
 * Vendor, device, subsystem vendor, subsystem device; 65535 is any. Drivers that do not use
 * vfio-pci are ignored: they run on top of their kernel driver.
 */
#define MARK "PMD_INFO_STRING= "
#define ANY  0xffff

static bool is_for(const json_t *info, const struct shunt_pci_function *function)
{
	const char *kmod = json_string_value(json_object_get(info, "kmod"));
	const json_t *ids;
	size_t i;

	if (!kmod || !strstr(kmod, "vfio-pci"))
		return false;
	json_array_foreach (json_object_get(info, "pci_ids"), i, ids) {
		if (json_integer_value(json_array_get(ids, 0)) == function->vendor &&
			json_integer_value(json_array_get(ids, 1)) == function->device &&
			json_integer_value(json_array_get(ids, 2)) == ANY &&
			json_integer_value(json_array_get(ids, 3)) == ANY)
			return true;
	}
	return false;
}

/* Tries each driver of a library; malformed text is skipped. */
static bool find_in(const char *library, size_t size, const struct shunt_pci_function *function,
	char name[DOCTOR_DRIVER])
{
	const char *end = library + size, *text = library;
	bool found = false;

	while (!found && (text = memmem(text, (size_t)(end - text), MARK, strlen(MARK))) != NULL) {
		json_t *info;

		text += strlen(MARK);
		info = json_loadb(text, strnlen(text, (size_t)(end - text)), 0, NULL);
		found = is_for(info, function);
		if (found)
			snprintf(name, DOCTOR_DRIVER, "%s",
				json_string_value(json_object_get(info, "name")));
		json_decref(info);
	}
	return found;
}

static bool find_in_file(
	const char *path, const struct shunt_pci_function *function, char name[DOCTOR_DRIVER])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	bool found = false;
	void *library;

	if (fd < 0)
		return false;
	if (!fstat(fd, &stat) && stat.st_size > 0) {
		library = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (library != MAP_FAILED) {
			found = find_in(library, (size_t)stat.st_size, function, name);
			munmap(library, (size_t)stat.st_size);
		}
	}
	close(fd);
	return found;
}

static bool is_library(const char *name)
{
	size_t length = strlen(name);

	return length > 3 && strcmp(name + length - 3, ".so") == 0;
}

bool doctor_driver(const struct doctor *doctor, const struct shunt_pci_function *function,
	char name[DOCTOR_DRIVER])
{
	const char *own = rte_net_shunt_driver(function->vendor, function->device);
	struct dirent *entry;
	bool found = false;
	DIR *folder;

	if (own) {
		snprintf(name, DOCTOR_DRIVER, "%s", own);
		return true;
	}
	folder = opendir(doctor->plugins);
	while (folder && !found && (entry = readdir(folder)) != NULL) {
		if (!is_library(entry->d_name))
			continue;
		found = find_in_file(
			text_of("%s/%s", doctor->plugins, entry->d_name), function, name);
	}
	if (folder)
		closedir(folder);
	return found;
}
