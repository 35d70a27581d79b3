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

#include <shunt/clock.h>

#include "doctor.h"
#include "text.h"

/* First release with VFIO character devices and replace. */
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
		doctor_advise(doctor_find(doctor, FINDING_WRONG, "kernel",
				      "Linux %s has no replace for VFIO devices", name.release),
			"boot Linux %d.%d or later", RELEASE_MAJOR, RELEASE_MINOR);
}

/* gzopen() also reads uncompressed files. */
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
	char value = option_in(text_of("%s/config.gz", doctor->machine.proc), option);
	struct utsname name;

	if (value != '?')
		return value;
	uname(&name);
	return option_in(text_of("%s/config-%s", doctor->boot, name.release), option);
}

/* A part of the kernel that is present needs no look at the configuration. */
static void check_part(struct doctor *doctor, const char *subject, bool there, const char *proof,
	const char *option, const char *module)
{
	char value = doctor_kernel_option(doctor, option);
	struct finding *finding;

	if (there) {
		doctor_find(doctor, FINDING_OK, subject, "%s is present (%s)", proof, option);
		return;
	}
	if (value == 'm' || (value == '?' && module)) {
		finding = doctor_find(doctor, FINDING_WRONG, subject, "no %s%s", proof,
			value == 'm' ? ": its module is not loaded"
				     : "; unknown whether this kernel has it as a module");
		doctor_fix(finding, "modprobe %s", module);
		return;
	}
	finding = doctor_find(doctor, FINDING_WRONG, subject,
		value == 'n' ? "no %s: this kernel is built without %s"
			     : "no %s; unknown whether this kernel has %s",
		proof, option);
	doctor_advise(finding, "boot a kernel built with %s=y", option);
}

static bool listed_in_devices(const struct doctor *doctor, const char *name)
{
	FILE *file = fopen(text_of("%s/devices", doctor->machine.proc), "re");
	char line[128], found[64];
	bool listed = false;

	if (!file)
		return false;
	while (!listed && fgets(line, sizeof(line), file))
		listed = sscanf(line, "%*u %63s", found) == 1 && strcmp(found, name) == 0;
	fclose(file);
	return listed;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void check_parts(struct doctor *doctor)
{
	bool driver = exists(doctor_sysfs(doctor, "bus/pci/drivers/vfio-pci"));

	check_part(doctor, "iommufd",
		exists(doctor_sysfs(doctor, "class/misc/iommu")) ||
			exists(text_of("%s/iommu", doctor->machine.dev)),
		"iommufd", "CONFIG_IOMMUFD", "iommufd");
	check_part(doctor, "vfio-pci", driver, "driver vfio-pci", "CONFIG_VFIO_PCI", "vfio-pci");
	/* Part of the module vfio, which loading vfio-pci loads. */
	check_part(doctor, "vfio", listed_in_devices(doctor, "vfio-dev"), "VFIO character device",
		"CONFIG_VFIO_DEVICE_CDEV", driver ? NULL : "vfio-pci");
}

/* Counts a folder's entries, except the IOMMU of iommufd's selftest, which translates nothing. */
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
	char name[NAME_MAX + 1] = "", unused[NAME_MAX + 1];
	size_t iommus = entries(doctor_sysfs(doctor, "class/iommu"), name, sizeof(name));
	size_t groups =
		entries(doctor_sysfs(doctor, "kernel/iommu_groups"), unused, sizeof(unused));

	if (iommus && groups)
		doctor_find(doctor, FINDING_OK, "IOMMU", "%s%s, %zu group%s", name,
			iommus > 1 ? " and others" : "", groups, plural(groups));
	else if (iommus)
		doctor_advise(doctor_find(doctor, FINDING_WRONG, "IOMMU",
				      "%s is present, but no function is in a group", name),
			"remove iommu=off and similar options from the kernel's command line");
	else
		doctor_advise(
			doctor_find(doctor, FINDING_WRONG, "IOMMU", "none, or it is disabled"),
			"enable it in the firmware (VT-d, AMD-Vi, SMMU), and for VT-d put "
			"intel_iommu=on on the kernel's command line");
}

static void check_node(struct doctor *doctor)
{
	int fd = open(text_of("%s/iommu", doctor->machine.dev), O_RDWR | O_CLOEXEC);
	const int err = errno;
	const char *number;

	if (fd >= 0) {
		close(fd);
		doctor_find(doctor, FINDING_OK, "/dev/iommu", "can be opened");
		return;
	}
	if (err == EACCES || err == EPERM) {
		doctor_fix(doctor_find(doctor, FINDING_WRONG, "/dev/iommu", "%s may not open it",
				   doctor_user()),
			"chown %s /dev/iommu", doctor_user());
		return;
	}
	if (err != ENOENT) {
		doctor_find(
			doctor, FINDING_WRONG, "/dev/iommu", "cannot be opened: %s", strerror(err));
		return;
	}
	number = doctor_device(doctor_sysfs(doctor, "class/misc/iommu/dev"));
	/* A missing driver has a finding of its own. */
	if (number)
		doctor_fix(doctor_find(doctor, FINDING_WRONG, "/dev/iommu", "the node is missing"),
			"mknod -m 660 /dev/iommu c %s", number);
}

static void check_clock(struct doctor *doctor)
{
	if (shunt_clock_steady(doctor->machine.platform->sysfs))
		doctor_find(doctor, FINDING_OK, "clock", "the time-stamp counter is steady");
	else
		doctor_advise(doctor_find(doctor, FINDING_WARN, "clock",
				      "the time-stamp counter is not steady, so all times may be "
				      "wrong"),
			"cat /sys/devices/system/clocksource/clocksource0/available_clocksource "
			"lists the kernel's clocks, without tsc; see dmesg for the reason");
}

void doctor_check_kernel(struct doctor *doctor)
{
	check_release(doctor);
	check_clock(doctor);
	check_parts(doctor);
	check_iommu(doctor);
	check_node(doctor);
}

/*
 * iommufd accepts a device only if its writes cannot raise interrupts of others
 * (iommu_group_has_isolated_msi), or if a module parameter allows that. With interrupt remapping,
 * x86 names its interrupt chips IR-...; on arm64 the ITS isolates.
 */

#define PARAMETER "module/iommufd/parameters/allow_unsafe_interrupts"

enum isolation {
	ISOLATION_UNKNOWN, /* no interrupt chip is visible */
	ISOLATION_NONE,
	ISOLATION_PRESENT,
};

/* @param[out] name  of the chip that decides; "" if there is none */
static enum isolation isolation(const struct doctor *doctor, const char **name)
{
	enum isolation seen = ISOLATION_UNKNOWN;
	const struct dirent *entry;
	const char *chip;
	DIR *dir = opendir(doctor_sysfs(doctor, "kernel/irq"));

	*name = "";
	if (!dir)
		return ISOLATION_UNKNOWN;
	while (seen != ISOLATION_PRESENT && (entry = readdir(dir)) != NULL) {
		chip = text_line(text_of("%s/kernel/irq/%s/chip_name",
			doctor->machine.platform->sysfs, entry->d_name));
		if (entry->d_name[0] == '.' || !chip[0])
			continue;
		*name = chip;
		seen = strncmp(chip, "IR-", 3) == 0 || strncmp(chip, "ITS-", 4) == 0
			       ? ISOLATION_PRESENT
			       : ISOLATION_NONE;
	}
	closedir(dir);
	return seen;
}

/* 'Y' or 'N'; 0 without iommufd. */
static char allowed(const struct doctor *doctor)
{
	return text_line(doctor_sysfs(doctor, PARAMETER))[0];
}

static bool lacks_iommu(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++)
		if (strcmp(doctor->findings[i].subject, "IOMMU") == 0)
			return doctor->findings[i].state == FINDING_WRONG;
	return false;
}

/* Offers the unsafe parameter as a way out, unless there is no IOMMU anyway. */
static void report_unsafe(struct doctor *doctor)
{
	const bool way_out = allowed(doctor) && !lacks_iommu(doctor);
	struct finding *finding = doctor_find(doctor, FINDING_WRONG, "interrupts",
		"interrupts are not isolated, so iommufd refuses devices");

	doctor_advise(finding, "enable interrupt remapping (firmware; no intremap=off)%s",
		way_out ? ", or accept that a faulty device can raise any interrupt" : "");
	if (way_out)
		doctor_fix(finding, "echo 1 > /sys/" PARAMETER);
}

void doctor_check_interrupts(struct doctor *doctor)
{
	const char *name;
	enum isolation seen = isolation(doctor, &name);

	if (seen == ISOLATION_PRESENT)
		doctor_find(doctor, FINDING_OK, "interrupts", "isolated (%s)", name);
	else if (allowed(doctor) == 'Y')
		doctor_find(doctor, FINDING_WARN, "interrupts",
			"not isolated, which iommufd.allow_unsafe_interrupts allows: a faulty "
			"device can raise any interrupt");
	else if (seen == ISOLATION_NONE)
		report_unsafe(doctor);
	else
		doctor_find(doctor, FINDING_WARN, "interrupts",
			"unknown whether they are isolated: no chip_name in /sys/kernel/irq");
}

void doctor_bind_refused(struct doctor *doctor, const struct shunt_pci_function *function)
{
	const char *name;
	bool safe = isolation(doctor, &name) == ISOLATION_PRESENT || allowed(doctor) == 'Y';

	doctor_advise(doctor_find(doctor, FINDING_WRONG, function->address,
			      "iommufd refuses group %d to this process: another one has a "
			      "function of it open%s",
			      function->group,
			      safe ? ""
				   : ", or interrupts are not isolated, which is unknown "
				     "here"),
		"'shunt doctor %s' as root names that process", function->address);
}

static bool readable(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * A switch works without them, and the count of fault interrupts, which every user may read, proves
 * that it was clean. So none of them is worth opening the kernel's log to all users.
 */
void doctor_check_observers(struct doctor *doctor)
{
	if (readable(text_of("%s/kmsg", doctor->machine.dev)))
		doctor_find(doctor, FINDING_OK, "faults", "the kernel's log can be read");
	else
		doctor_advise(doctor_find(doctor, FINDING_WARN, "faults",
				      "this user may not read the kernel's log: it may be unknown "
				      "which function's DMA was refused"),
			"switches without faults are still recognized, and root sees more");
	if (access(doctor_sysfs(doctor, "kernel/tracing/instances"), W_OK) == 0) {
		doctor_find(doctor, FINDING_OK, "faults", "tracefs is usable");
		return;
	}
	if (exists(doctor_sysfs(doctor, "kernel/tracing/events")) || errno == EACCES)
		doctor_find(doctor, FINDING_WARN, "faults",
			"only root can use tracefs: faults are reported in less detail");
	else
		doctor_fix(doctor_find(doctor, FINDING_WARN, "faults",
				   "this user has no usable tracefs: faults are reported in less "
				   "detail"),
			"mount -t tracefs none /sys/kernel/tracing");
}
