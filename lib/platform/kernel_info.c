/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel_info.h"
#include "kernel_sysfs.h"

#define PATH_LENGTH 512

/* Extended capability register of a remapping unit, VT-d specification, section 11.4.3. */
#define ECAP_SCALABLE     (1ull << 43) /* SMTS */
#define ECAP_SECOND_STAGE (1ull << 46) /* SSTS */
#define ECAP_FIRST_STAGE  (1ull << 47) /* FSTS */

enum mode { MODE_UNKNOWN, MODE_LEGACY, MODE_SCALABLE };

static bool file_has(const char *root, const char *file, const char *text)
{
	char path[2 * PATH_LENGTH], line[4096];
	bool found = false;
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	stream = fopen(path, "re");
	if (!stream)
		return false;
	while (!found && fgets(line, sizeof(line), stream))
		found = strstr(line, text) != NULL;
	fclose(stream);
	return found;
}

static bool read_ecap(const char *sys, const char *unit, uint64_t *value)
{
	char path[PATH_LENGTH], line[64];
	const char *text = line;

	snprintf(path, sizeof(path), "%s/class/iommu/%s/intel-iommu/ecap", sys, unit);
	return file_line(path, line, sizeof(line)) && text_number(&text, 16, value);
}

/* The last of intel_iommu=...,sm_on and sm_off on the command line counts. */
static enum mode mode_told(const char *proc)
{
	char path[PATH_LENGTH], line[4096], *word, *rest = line;
	enum mode mode = MODE_UNKNOWN;

	snprintf(path, sizeof(path), "%s/cmdline", proc);
	if (!file_line(path, line, sizeof(line)))
		return mode;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (strncmp(word, "intel_iommu=", 12) != 0)
			continue;
		if (strstr(word, "sm_on"))
			mode = MODE_SCALABLE;
		if (strstr(word, "sm_off"))
			mode = MODE_LEGACY;
	}
	return mode;
}

static enum mode mode_configured(const char *boot)
{
	char path[PATH_LENGTH], file[PATH_LENGTH];
	struct utsname names;

	if (uname(&names))
		return MODE_UNKNOWN;
	snprintf(file, sizeof(file), "config-%s", names.release);
	snprintf(path, sizeof(path), "%s/config-%s", boot, names.release);
	if (access(path, R_OK))
		return MODE_UNKNOWN;
	return file_has(boot, file, "CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON=y") ? MODE_SCALABLE
										     : MODE_LEGACY;
}

/*
 * "intel-iommu legacy", "intel-iommu scalable, second stage". The kernel does not show which mode
 * it chose: where registers, command line and configuration leave it open, the name says so.
 */
static void name_vtd(const struct kernel_roots *roots, const char *unit, char *name, size_t size)
{
	enum mode mode = MODE_LEGACY;
	const char *stage = "";
	uint64_t ecap;

	if (!read_ecap(roots->sys, unit, &ecap)) {
		snprintf(name, size, "intel-iommu");
		return;
	}
	if (ecap & ECAP_SCALABLE) {
		mode = mode_told(roots->proc);
		if (mode == MODE_UNKNOWN)
			mode = mode_configured(roots->boot);
	}
	if (mode == MODE_LEGACY) {
		snprintf(name, size, "intel-iommu legacy");
		return;
	}
	/* With both the kernel chooses for each page table. */
	if (!(ecap & ECAP_FIRST_STAGE))
		stage = ", second stage";
	else if (!(ecap & ECAP_SECOND_STAGE))
		stage = ", first stage";
	snprintf(name, size, "intel-iommu %s%s",
		mode == MODE_SCALABLE ? "scalable" : "legacy or scalable", stage);
}

static void name_iommu(const struct kernel_roots *roots, const char *iommu, char *name, size_t size)
{
	char path[PATH_LENGTH], target[PATH_MAX];

	snprintf(path, sizeof(path), "%s/class/iommu/%s", roots->sys, iommu);
	if (strncmp(iommu, "dmar", 4) == 0)
		name_vtd(roots, iommu, name, size);
	else if (strncmp(iommu, "ivhd", 4) == 0)
		snprintf(name, size, "amd-iommu");
	else if (strncmp(iommu, "smmu3.", 6) == 0)
		snprintf(name, size, "arm-smmu-v3");
	else if (realpath(path, target) && strstr(target, "/virtio"))
		snprintf(name, size, "virtio-iommu");
	else
		snprintf(name, size, "%.*s", (int)size - 1, iommu);
}

/* Whether names, with " and " between them, have one; another may begin in the same way. */
static bool has_name(const char *names, const char *name)
{
	const size_t length = strlen(name);
	const char *rest;

	for (const char *at = names; at; at = rest ? rest + strlen(" and ") : NULL) {
		rest = strstr(at, " and ");
		if ((rest ? (size_t)(rest - at) : strlen(at)) == length &&
			strncmp(at, name, length) == 0)
			return true;
	}
	return false;
}

/* IOMMUs without PCI functions are not those that are switched. */
static void name_iommus(const struct kernel_roots *roots, char *names, size_t size)
{
	char path[PATH_LENGTH], name[64];
	struct dirent **entries;
	int count;

	names[0] = '\0';
	snprintf(path, sizeof(path), "%s/class/iommu", roots->sys);
	count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		size_t used = strlen(names);

		if (entries[i]->d_name[0] != '.' &&
			iommu_has_functions(roots->sys, entries[i]->d_name)) {
			name_iommu(roots, entries[i]->d_name, name, sizeof(name));
			if (!has_name(names, name))
				snprintf(names + used, size - used, "%s%s", used ? " and " : "",
					name);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* Functions that QEMU makes up bear its subsystem, "QEMU Virtual Machine". */
static bool has_qemu_function(const char *sys)
{
	char path[PATH_LENGTH], vendor[PATH_LENGTH], device[PATH_LENGTH];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/bus/pci/devices", sys);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(vendor, sizeof(vendor), "bus/pci/devices/%.64s/subsystem_vendor",
			entry->d_name);
		snprintf(device, sizeof(device), "bus/pci/devices/%.64s/subsystem_device",
			entry->d_name);
		found = file_has(sys, vendor, "0x1af4") && file_has(sys, device, "0x1100");
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Whether the processor, the firmware, the device tree or a function speaks of a virtual machine.
 */
static bool inside_virtual_machine(const struct kernel_roots *roots)
{
	static const char *const makers[] = { "QEMU", "Bochs", "KVM", "VMware", "innotek", "Xen" };
	static const char *const files[] = { "class/dmi/id/sys_vendor", "class/dmi/id/bios_vendor",
		"class/dmi/id/product_name" };

	if (file_has(roots->proc, "cpuinfo", " hypervisor") ||
		file_has(roots->sys, "firmware/devicetree/base/compatible", "dummy-virt"))
		return true;
	for (unsigned int file = 0; file < sizeof(files) / sizeof(files[0]); file++)
		for (unsigned int i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
			if (file_has(roots->sys, files[file], makers[i]))
				return true;
	return has_qemu_function(roots->sys);
}

void kernel_info_fill(
	const struct kernel_roots *roots, const char *function, struct shunt_platform_info *info)
{
	struct utsname names;
	char iommu[64];

	info->iommu[0] = '\0';
	if (!function)
		name_iommus(roots, info->iommu, sizeof(info->iommu));
	else if (iommu_of_function(roots->sys, function, iommu, sizeof(iommu)))
		name_iommu(roots, iommu, info->iommu, sizeof(info->iommu));
	if (!info->iommu[0])
		snprintf(info->iommu, sizeof(info->iommu), "none");
	info->nic[0] = '\0';
	info->kernel[0] = '\0';
	if (!uname(&names))
		snprintf(info->kernel, sizeof(info->kernel), "%.*s", (int)sizeof(info->kernel) - 1,
			names.release);
	info->emulated = inside_virtual_machine(roots);
}
