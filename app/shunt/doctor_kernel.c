/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <zlib.h>

#include "doctor.h"

/* VFIO character devices and replace came with this release. */
#define RELEASE_MAJOR 6
#define RELEASE_MINOR 6

static void check_release(struct doctor *doctor)
{
	struct utsname name;
	unsigned long major, minor;
	char *end;

	uname(&name);
	major = strtoul(name.release, &end, 10);
	minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	if (major > RELEASE_MAJOR || (major == RELEASE_MAJOR && minor >= RELEASE_MINOR))
		doctor_find(doctor, FINDING_OK, "kernel", "Linux %s", name.release);
	else
		doctor_advise(
			doctor_find(doctor, FINDING_WRONG, "kernel",
				"Linux %s, which has no replace for VFIO devices", name.release),
			"boot Linux %d.%d or later", RELEASE_MAJOR, RELEASE_MINOR);
}

/* gzopen() reads plain files as they are. */
static char option_in(const char *path, const char *option)
{
	size_t length = strlen(option);
	char line[512], value = 'n';
	gzFile file = gzopen(path, "rb");

	if (!file)
		return '?';
	while (gzgets(file, line, sizeof(line)))
		if (strncmp(line, option, length) == 0 && line[length] == '=')
			value = line[length + 1];
	gzclose(file);
	return value;
}

char doctor_kernel_option(const struct doctor *doctor, const char *option)
{
	struct utsname name;
	char path[PATH_MAX], value;

	doctor_path(path, sizeof(path), "%s/config.gz", doctor->machine.proc);
	value = option_in(path, option);
	if (value != '?')
		return value;
	uname(&name);
	doctor_path(path, sizeof(path), "%s/config-%s", doctor->boot, name.release);
	return option_in(path, option);
}

/* What a part of the kernel is and does not have to be guessed: it shows that it is there. */
static void check_part(struct doctor *doctor, const char *subject, bool there, const char *proof,
	const char *option, const char *module)
{
	char value = doctor_kernel_option(doctor, option);
	struct finding *finding;

	if (there) {
		doctor_find(doctor, FINDING_OK, subject, "%s is there (%s)", proof, option);
		return;
	}
	if (value == 'm' || (value == '?' && module)) {
		finding = doctor_find(doctor, FINDING_WRONG, subject, "no %s%s", proof,
			value == 'm' ? ": its module is not loaded"
				     : "; whether this kernel has it as a module is not known");
		doctor_mend(finding, "modprobe %s", module);
		return;
	}
	finding = doctor_find(doctor, FINDING_WRONG, subject,
		value == 'n' ? "no %s: this kernel is built without %s"
			     : "no %s, and whether this kernel has %s is not known",
		proof, option);
	doctor_advise(finding, "boot a kernel built with %s=y", option);
}

static bool listed_in_devices(const struct doctor *doctor, const char *name)
{
	char path[PATH_MAX], line[128], found[64];
	bool listed = false;
	FILE *file;

	doctor_path(path, sizeof(path), "%s/devices", doctor->machine.proc);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!listed && fgets(line, sizeof(line), file))
		listed = sscanf(line, "%*u %63s", found) == 1 && strcmp(found, name) == 0;
	fclose(file);
	return listed;
}

static bool exists(const struct doctor *doctor, const char *inside_sysfs)
{
	char path[PATH_MAX];

	doctor_path(path, sizeof(path), "%s/%s", doctor->machine.platform->sysfs, inside_sysfs);
	return access(path, F_OK) == 0;
}

static void check_parts(struct doctor *doctor)
{
	bool misc = exists(doctor, "class/misc/iommu");
	char path[PATH_MAX];

	doctor_path(path, sizeof(path), "%s/iommu", doctor->machine.dev);
	check_part(doctor, "iommufd", misc || access(path, F_OK) == 0, "iommufd", "CONFIG_IOMMUFD",
		"iommufd");
	check_part(doctor, "vfio-pci", exists(doctor, "bus/pci/drivers/vfio-pci"),
		"driver vfio-pci", "CONFIG_VFIO_PCI", "vfio-pci");
	/* Part of the module vfio, which vfio-pci brings. */
	check_part(doctor, "vfio", listed_in_devices(doctor, "vfio-dev"), "VFIO character device",
		"CONFIG_VFIO_DEVICE_CDEV",
		exists(doctor, "bus/pci/drivers/vfio-pci") ? NULL : "vfio-pci");
}

/* Names of a folder's entries, and how many; the test IOMMU of iommufd's selftest translates
 * nothing. */
static size_t entries(const char *path, char *first, size_t size)
{
	const struct dirent *entry;
	DIR *dir = opendir(path);
	size_t count = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, "iommufd_selftest", 16) == 0)
			continue;
		if (!count++)
			snprintf(first, size, "%s", entry->d_name);
	}
	closedir(dir);
	return count;
}

static void check_iommu(struct doctor *doctor)
{
	char path[PATH_MAX], name[NAME_MAX + 1] = "", unused[NAME_MAX + 1];
	size_t iommus, groups;

	doctor_path(path, sizeof(path), "%s/class/iommu", doctor->machine.platform->sysfs);
	iommus = entries(path, name, sizeof(name));
	doctor_path(path, sizeof(path), "%s/kernel/iommu_groups", doctor->machine.platform->sysfs);
	groups = entries(path, unused, sizeof(unused));
	if (iommus && groups)
		doctor_find(doctor, FINDING_OK, "IOMMU", "%s%s, %zu groups", name,
			iommus > 1 ? " and others" : "", groups);
	else if (iommus)
		doctor_advise(doctor_find(doctor, FINDING_WRONG, "IOMMU",
				      "%s is there, but no function is in a group", name),
			"remove iommu=off and the like from the kernel's command line");
	else
		doctor_advise(
			doctor_find(doctor, FINDING_WRONG, "IOMMU", "none, or it is switched off"),
			"enable it in the firmware (VT-d, AMD-Vi, SMMU), and for VT-d put "
			"intel_iommu=on on the kernel's command line");
}

static void check_node(struct doctor *doctor)
{
	char path[PATH_MAX], number[32], user[32];
	int fd, err;

	doctor_path(path, sizeof(path), "%s/iommu", doctor->machine.dev);
	fd = open(path, O_RDWR | O_CLOEXEC);
	err = errno;
	if (fd >= 0) {
		close(fd);
		doctor_find(doctor, FINDING_OK, "/dev/iommu", "can be opened");
		return;
	}
	if (err == EACCES || err == EPERM) {
		doctor_user(user);
		doctor_mend(doctor_find(doctor, FINDING_WRONG, "/dev/iommu", "%s may not open it",
				    user),
			"chown %s /dev/iommu", user);
		return;
	}
	if (err != ENOENT) {
		doctor_find(
			doctor, FINDING_WRONG, "/dev/iommu", "cannot be opened: %s", strerror(err));
		return;
	}
	doctor_path(path, sizeof(path), "%s/class/misc/iommu/dev", doctor->machine.platform->sysfs);
	/* Without the driver there is no node: that is said where the driver is looked for. */
	if (!doctor_read(path, number, sizeof(number)))
		return;
	if (strchr(number, ':'))
		*strchr(number, ':') = ' ';
	doctor_mend(doctor_find(doctor, FINDING_WRONG, "/dev/iommu", "the node is missing"),
		"mknod -m 660 /dev/iommu c %s", number);
}

void doctor_check_kernel(struct doctor *doctor)
{
	check_release(doctor);
	check_parts(doctor);
	check_iommu(doctor);
	check_node(doctor);
}
