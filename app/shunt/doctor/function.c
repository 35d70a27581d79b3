/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <shunt/error.h>

#include "doctor.h"
#include "rte_net_shunt.h"
#include "shunt_node.h"
#include "text.h"

/* A function under examination. */
struct examined {
	struct doctor *doctor;
	const struct shunt_pci_function *function;
	bool named;
};

static bool check_driven(const struct examined *examined)
{
	const struct shunt_pci_function *function = examined->function;
	char driver[DOCTOR_DRIVER];

	if (doctor_driver(examined->doctor, function, driver))
		return true;
	doctor_advise(doctor_find(examined->doctor, FINDING_WRONG, function->address,
			      "%04x:%04x, %s: shunt has no driver for it, nor has DPDK in %s",
			      function->vendor, function->device, function->name,
			      examined->doctor->plugins),
		"shunt drives %s", rte_net_shunt_driven());
	return false;
}

static bool check_group(const struct examined *examined)
{
	if (!shunt_pci_translated(examined->function))
		return true;
	doctor_advise(doctor_find(examined->doctor, FINDING_WRONG, examined->function->address,
			      examined->function->no_iommu
				      ? "on VFIO without an IOMMU: its DMA would reach any memory"
				      : "in no IOMMU group"),
		"see the finding about the IOMMU");
	return false;
}

static bool is_on_vfio(const struct shunt_pci_function *function)
{
	return function->cdev[0] || strcmp(function->driver, "vfio-pci") == 0;
}

/* The function whose finding already has the command that binds this group; NULL if none. */
static const char *fixed_with(const struct examined *examined)
{
	const struct doctor *doctor = examined->doctor;
	const struct shunt_pci_function *other;

	for (size_t i = 0; i < doctor->count; i++) {
		const struct finding *finding = &doctor->findings[i];

		if (!strstr(finding->fix, "shunt bind ") ||
			shunt_pci_find(&doctor->list, finding->subject, &other) ||
			other->group != examined->function->group)
			continue;
		return other->address;
	}
	return NULL;
}

/* The command that binds the group, after those that release functions in use. */
static void fix_binding(const struct examined *examined, struct finding *finding)
{
	const struct doctor *doctor = examined->doctor;
	const struct shunt_pci_function *function;
	const char *first = fixed_with(examined), *fix = "", *more;
	char use[SHUNT_PCI_REMEDY];

	if (first) {
		doctor_advise(finding, "fixed together with %s, of the same group", first);
		return;
	}
	for (size_t i = 0; i < doctor->list.count; i++) {
		function = &doctor->list.functions[i];
		if (function->group != examined->function->group || function->is_bridge ||
			is_on_vfio(function) || !shunt_pci_in_use(&doctor->machine, function, use))
			continue;
		if (!use[0]) {
			doctor_advise(finding, "%.250s", shunt_errmsg());
			return;
		}
		more = text_of("%s%s; ", fix, use);
		if (strlen(more) >= sizeof(finding->fix))
			break;
		fix = more;
	}
	doctor_fix(finding, "%sshunt bind %s", fix, examined->function->address);
}

static bool check_binding(const struct examined *examined)
{
	const struct shunt_pci_function *function = examined->function;
	struct finding *finding;
	struct shunt_pci_holder holder;

	if (is_on_vfio(function))
		return true;
	if (shunt_pci_taken_back(&examined->doctor->machine, function, &holder)) {
		doctor_fix(doctor_find(examined->doctor, FINDING_WRONG, function->address,
				   "the kernel is unbinding it and waits for process "
				   "%ld (%s) to release it",
				   (long)holder.pid, holder.command),
			"kill -KILL %ld", (long)holder.pid);
		return false;
	}
	if (!examined->named && shunt_pci_in_use(&examined->doctor->machine, function, NULL)) {
		doctor_find(examined->doctor, FINDING_WARN, function->address, "skipped, on %s: %s",
			driver_text(function->driver), shunt_errmsg());
		return false;
	}
	finding = doctor_find(examined->doctor, FINDING_WRONG, function->address,
		"on %s, not on vfio-pci", driver_text(function->driver));
	fix_binding(examined, finding);
	return false;
}

static bool check_siblings(const struct examined *examined)
{
	const struct doctor *doctor = examined->doctor;
	const struct shunt_pci_function *function = examined->function, *other;
	struct finding *finding;
	bool viable = true;

	for (size_t i = 0; i < doctor->list.count; i++) {
		other = &doctor->list.functions[i];
		if (other->group != function->group || !shunt_pci_blocks_group(other))
			continue;
		viable = false;
		finding = doctor_find(examined->doctor, FINDING_WRONG, function->address,
			"group %d cannot be used: %s is on %s", function->group, other->address,
			other->driver);
		if (other->is_bridge)
			doctor_fix(finding, "echo %s > /sys/bus/pci/devices/%s/driver/unbind",
				other->address, other->address);
		else
			fix_binding(examined, finding);
	}
	return viable;
}

/* A process that has one member of the group open blocks all others. */
static bool check_holders(const struct examined *examined)
{
	const struct doctor *doctor = examined->doctor;
	const struct shunt_pci_function *other;
	struct shunt_pci_holder holder;
	bool unheld = true;

	for (size_t i = 0; unheld && i < doctor->list.count; i++) {
		other = &doctor->list.functions[i];
		if (other->group != examined->function->group ||
			shunt_pci_find_holder(&doctor->machine, other, &holder) <= 0)
			continue;
		unheld = false;
		doctor_fix(doctor_find(examined->doctor, FINDING_WRONG, examined->function->address,
				   "process %ld (%s) has %s of its group open", (long)holder.pid,
				   holder.command, other->address),
			"kill %ld", (long)holder.pid);
	}
	return unheld;
}

/* Of a function without a node: one that does not exist. */
static const char *node_path(const struct examined *examined)
{
	const char *cdev = examined->function->cdev;

	return text_of("%s%s", examined->doctor->machine.dev,
		cdev[0] ? cdev + strlen("/dev") : "/no node");
}

/* A missing node is reported by check_node(). */
static bool check_number(const struct examined *examined)
{
	const struct shunt_pci_function *function = examined->function;
	const char *sysfs = examined->doctor->machine.platform->sysfs;
	struct stat status;
	dev_t number;

	if (stat(node_path(examined), &status) ||
		shunt_node_number(sysfs, function->cdev, &number) ||
		(S_ISCHR(status.st_mode) && status.st_rdev == number))
		return true;
	doctor_fix(doctor_find(examined->doctor, FINDING_WRONG, function->address,
			   "%s is device %u:%u, but sysfs has %u:%u: opening it opens another "
			   "function",
			   function->cdev, major(status.st_rdev), minor(status.st_rdev),
			   major(number), minor(number)),
		"rm -f %s; mknod -m 600 %s c %u %u", function->cdev, function->cdev, major(number),
		minor(number));
	return false;
}

static bool check_node(const struct examined *examined)
{
	const struct shunt_pci_function *function = examined->function;
	const char *number, *user;
	struct finding *finding;
	int fd, err;

	if (!check_number(examined))
		return false;
	fd = open(node_path(examined), O_RDWR | O_CLOEXEC);
	err = errno;
	if (fd >= 0) {
		close(fd);
		return true;
	}
	user = doctor_user();
	finding = doctor_find(examined->doctor, FINDING_WRONG, function->address,
		"on %s, but %s cannot open %s: %s", function->driver, user,
		function->cdev[0] ? function->cdev : "its character device", strerror(err));
	if (err == EACCES || err == EPERM)
		doctor_fix(finding, "chown %s %s", user, function->cdev);
	number = doctor_device(text_of("%s/bus/pci/devices/%s/vfio-dev/%s/dev",
		examined->doctor->machine.platform->sysfs, function->address,
		function->cdev[0] ? strrchr(function->cdev, '/') + 1 : ""));
	if (err == ENOENT && number)
		doctor_fix(finding, "mkdir -p /dev/vfio/devices; mknod -m 600 %s c %s",
			function->cdev, number);
	return false;
}

bool doctor_check_function(
	struct doctor *doctor, const struct shunt_pci_function *function, bool named)
{
	const struct examined examined = { doctor, function, named };
	bool healthy = check_driven(&examined) && check_group(&examined);

	if (!healthy || !check_binding(&examined) || !check_siblings(&examined))
		return false;
	return check_holders(&examined) && check_node(&examined);
}
