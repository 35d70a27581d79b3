/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "bind.h"
#include "kernel_sysfs.h"
#include "identify.h"

#define NO_IOMMU_GROUP "vfio-noiommu" /* drivers/vfio/group.c of Linux */
#define NO_IOMMU_CDEV  "noiommu-"     /* drivers/vfio/vfio_main.c of Linux */

int pci_link_name(const char *sysfs, const char *address, const char *link, char *name, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	int ret = pci_path(path, "%s/bus/pci/devices/%s/%s", sysfs, address, link);

	name[0] = '\0';
	if (ret)
		return ret;
	if (!link_target(path, target))
		return errno == ENOENT
			       ? 0
			       : shunt_fail_errno(-EIO, "PCI function %s: reading the link %s",
					 address, path);
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	if ((size_t)snprintf(name, size, "%s", last) >= size)
		return shunt_fail(-EIO, "PCI function %s: %s is named '%s', longer than %zu bytes",
			address, link, last, size - 1);
	return 0;
}

/* In no-IOMMU mode VFIO makes a group for each function, without translation. */
static bool is_made_up(const char *sysfs, int group)
{
	char path[PATH_MAX], name[sizeof(NO_IOMMU_GROUP) + 1];

	return !pci_path(path, "%s/kernel/iommu_groups/%d/name", sysfs, group) &&
	       file_line(path, name, sizeof(name)) && strcmp(name, NO_IOMMU_GROUP) == 0;
}

static int read_group(const char *sysfs, struct shunt_pci_function *function)
{
	char name[NAME_MAX + 1];
	const char *end = name;
	uint64_t group;
	int ret = pci_link_name(sysfs, function->address, "iommu_group", name, sizeof(name));

	if (ret)
		return ret;
	function->group = SHUNT_PCI_NO_GROUP;
	if (!name[0])
		return 0;
	if (!text_number(&end, 10, &group) || *end || group > INT_MAX)
		return shunt_fail(-EIO, "PCI function %s: IOMMU group '%s' is no number",
			function->address, name);
	function->group = (int)group;
	function->no_iommu = is_made_up(sysfs, function->group);
	return 0;
}

/*
 * A VFIO driver shows its character device as the folder vfio-dev/vfioN; without an IOMMU it is
 * noiommu-vfioN, which since Linux 7 iommufd takes too.
 */
static int read_cdev(const char *sysfs, struct shunt_pci_function *function)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	int ret = pci_path(path, "%s/bus/pci/devices/%s/vfio-dev", sysfs, function->address);
	DIR *dir;

	if (ret)
		return ret;
	dir = opendir(path);
	if (!dir) {
		if (errno == ENOENT)
			return 0;
		return shunt_fail_errno(
			-errno, "PCI function %s: reading %s", function->address, path);
	}
	while (!ret && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, NO_IOMMU_CDEV, strlen(NO_IOMMU_CDEV)) == 0)
			function->no_iommu = true;
		if (strncmp(entry->d_name, "vfio", 4) != 0)
			continue;
		if ((size_t)snprintf(function->cdev, sizeof(function->cdev), "/dev/vfio/devices/%s",
			    entry->d_name) >= sizeof(function->cdev))
			ret = shunt_fail(-EIO, "PCI function %s: name '%s' in vfio-dev is too long",
				function->address, entry->d_name);
	}
	closedir(dir);
	return ret;
}

/* SR-IOV. The kernel gives sriov_totalvfs out without a lock, unlike sriov_numvfs. */
static int read_sriov(const char *sysfs, struct shunt_pci_function *function)
{
	char path[PATH_MAX], text[16];
	const char *end = text;
	uint64_t total;
	int ret = pci_link_name(
		sysfs, function->address, "physfn", function->physfn, sizeof(function->physfn));

	if (!ret)
		ret = pci_path(
			path, "%s/bus/pci/devices/%s/sriov_totalvfs", sysfs, function->address);
	if (ret)
		return ret;
	if (!file_line(path, text, sizeof(text)))
		return 0;
	if (!text_number(&end, 10, &total) || *end || total > UINT16_MAX)
		return shunt_fail(-EIO,
			"PCI function %s: %s has '%s', which is no number of functions",
			function->address, path, text);
	function->vf_total = (uint16_t)total;
	return 0;
}

/* The address has been found to fit. */
static int read_function(const char *sysfs, struct pci_identifier *identifier, const char *address,
	struct shunt_pci_function *function)
{
	int ret;

	memset(function, 0, sizeof(*function));
	memcpy(function->address, address, strlen(address) + 1);
	ret = pci_identify(identifier, function);
	if (!ret)
		ret = pci_link_name(
			sysfs, address, "driver", function->driver, sizeof(function->driver));
	if (!ret)
		ret = read_group(sysfs, function);
	if (!ret)
		ret = read_sriov(sysfs, function);
	return ret ? ret : read_cdev(sysfs, function);
}

/* Addresses differ in length only by a domain above 0xffff, which is a greater one. */
static int by_address(const void *left, const void *right)
{
	const char *a = ((const struct shunt_pci_function *)left)->address;
	const char *b = ((const struct shunt_pci_function *)right)->address;
	size_t length_a = strlen(a), length_b = strlen(b);

	if (length_a != length_b)
		return length_a < length_b ? -1 : 1;
	return strcmp(a, b);
}

static int skip(struct shunt_pci_list *list, const char *address)
{
	struct shunt_pci_skipped *grown =
		reallocarray(list->skipped, list->skipped_count + 1, sizeof(*grown));

	if (!grown)
		return shunt_fail(-ENOMEM, "out of memory");
	list->skipped = grown;
	grown += list->skipped_count++;
	snprintf(grown->address, sizeof(grown->address), "%s", address);
	snprintf(grown->reason, sizeof(grown->reason), "%.255s", shunt_errmsg());
	return 0;
}

/* Room for one more function, counted; NULL when out of memory. */
static struct shunt_pci_function *append(struct shunt_pci_list *list)
{
	struct shunt_pci_function *grown =
		reallocarray(list->functions, list->count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	list->functions = grown;
	return &grown[list->count++];
}

int shunt_pci_scan(struct shunt_platform *platform, struct shunt_pci_list *list)
{
	struct shunt_pci_list found = { 0 };
	struct pci_identifier *identifier = NULL;
	struct shunt_pci_function *function;
	const struct dirent *entry;
	struct pci_address parts;
	char path[PATH_MAX];
	DIR *dir;
	int ret = pci_path(path, "%s/bus/pci/devices", platform->sysfs);

	if (ret)
		return ret;
	dir = opendir(path);
	if (!dir && errno == ENOENT)
		return shunt_fail(-ENOENT, "platform %s: no PCI bus: %s does not exist",
			platform->name, path);
	if (!dir)
		return shunt_fail_errno(-EIO, "platform %s: reading %s", platform->name, path);
	ret = pci_identifier_open(platform->sysfs, &identifier);
	if (ret)
		goto out;
	while ((entry = readdir(dir)) != NULL) {
		if (!pci_address_parse(entry->d_name, &parts) ||
			strlen(entry->d_name) >= sizeof(function->address))
			continue;
		function = append(&found);
		if (!function) {
			ret = shunt_fail(-ENOMEM, "out of memory");
			goto out;
		}
		if (!read_function(platform->sysfs, identifier, entry->d_name, function))
			continue;
		found.count--;
		ret = skip(&found, entry->d_name);
		if (ret)
			goto out;
	}
	if (found.count)
		qsort(found.functions, found.count, sizeof(*found.functions), by_address);
	found.platform = platform;
	*list = found;
	found = (struct shunt_pci_list){ 0 };
out:
	shunt_pci_list_free(&found);
	pci_identifier_close(identifier);
	closedir(dir);
	if (ret)
		return shunt_fail_while(
			ret, "scanning the PCI functions of platform %s", platform->name);
	return 0;
}

void shunt_pci_list_free(struct shunt_pci_list *list)
{
	free(list->functions);
	free(list->skipped);
	*list = (struct shunt_pci_list){ 0 };
}
