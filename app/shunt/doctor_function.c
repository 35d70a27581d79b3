/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "rte_net_shunt.h"
#include "shunt_error.h"

/* A function under examination. */
struct patient {
	struct doctor *doctor;
	const struct shunt_pci_function *function;
	bool named;
};

static const char *or_none(const char *driver)
{
	return driver[0] ? driver : "no driver";
}

static bool check_driven(const struct patient *patient)
{
	const struct shunt_pci_function *function = patient->function;
	char driver[DOCTOR_DRIVER];

	if (doctor_driver(patient->doctor, function, driver))
		return true;
	doctor_advise(doctor_find(patient->doctor, FINDING_WRONG, function->address,
			      "%04x:%04x, %s: shunt has no driver for it, nor has DPDK in %s",
			      function->vendor, function->device, function->name,
			      patient->doctor->plugins),
		"shunt drives %s", rte_net_shunt_driven());
	return false;
}

static bool check_group(const struct patient *patient)
{
	if (patient->function->group != SHUNT_PCI_NO_GROUP)
		return true;
	doctor_advise(doctor_find(patient->doctor, FINDING_WRONG, patient->function->address,
			      "in no IOMMU group"),
		"see what is said of the IOMMU");
	return false;
}

static bool is_on_vfio(const struct shunt_pci_function *function)
{
	return function->cdev[0] || strcmp(function->driver, "vfio-pci") == 0;
}

/* The function whose finding has already said how to bind the group: NULL for none. */
static const char *mended_with(const struct patient *patient)
{
	const struct doctor *doctor = patient->doctor;
	const struct shunt_pci_function *other;

	for (size_t i = 0; i < doctor->count; i++) {
		const struct finding *finding = &doctor->findings[i];

		if (!strstr(finding->mend, "shunt bind ") ||
			shunt_pci_find(&doctor->list, finding->subject, &other) ||
			other->group != patient->function->group)
			continue;
		return other->address;
	}
	return NULL;
}

/* The command that binds the group, after those that take what is in use out of it. */
static void mend_binding(const struct patient *patient, struct finding *finding)
{
	const struct doctor *doctor = patient->doctor;
	const struct shunt_pci_function *function;
	char use[SHUNT_PCI_MEND], *mend = finding->mend;
	const char *first = mended_with(patient);
	size_t size = sizeof(finding->mend);
	int used;

	if (first) {
		doctor_advise(finding, "mended with %s, of the same group", first);
		return;
	}
	for (size_t i = 0; i < doctor->list.count; i++) {
		function = &doctor->list.functions[i];
		if (function->group != patient->function->group || function->is_bridge ||
			is_on_vfio(function) || !shunt_pci_in_use(&doctor->machine, function, use))
			continue;
		if (!use[0]) {
			finding->mend[0] = '\0';
			doctor_advise(finding, "%.250s", shunt_errmsg());
			return;
		}
		used = snprintf(mend, size, "%s; ", use);
		if (used < 0 || (size_t)used >= size)
			break;
		mend += used;
		size -= (size_t)used;
	}
	snprintf(mend, size, "shunt bind %s", patient->function->address);
}

static bool check_binding(const struct patient *patient)
{
	const struct shunt_pci_function *function = patient->function;
	struct finding *finding;

	if (is_on_vfio(function))
		return true;
	if (!patient->named && shunt_pci_in_use(&patient->doctor->machine, function, NULL)) {
		doctor_find(patient->doctor, FINDING_WARN, function->address,
			"left alone, on %s: %s", or_none(function->driver), shunt_errmsg());
		return false;
	}
	finding = doctor_find(patient->doctor, FINDING_WRONG, function->address,
		"on %s, not on vfio-pci", or_none(function->driver));
	mend_binding(patient, finding);
	return false;
}

static bool check_siblings(const struct patient *patient)
{
	const struct doctor *doctor = patient->doctor;
	const struct shunt_pci_function *function = patient->function, *other;
	struct finding *finding;
	bool viable = true;

	for (size_t i = 0; i < doctor->list.count; i++) {
		other = &doctor->list.functions[i];
		if (other->group != function->group || !shunt_pci_blocks_group(other))
			continue;
		viable = false;
		finding = doctor_find(patient->doctor, FINDING_WRONG, function->address,
			"group %d cannot be taken: %s is on %s", function->group, other->address,
			other->driver);
		if (other->is_bridge)
			doctor_mend(finding, "echo %s > /sys/bus/pci/devices/%s/driver/unbind",
				other->address, other->address);
		else
			mend_binding(patient, finding);
	}
	return viable;
}

/* A process with one member of the group keeps the others from ours. */
static bool check_holders(const struct patient *patient)
{
	const struct doctor *doctor = patient->doctor;
	const struct shunt_pci_function *other;
	struct shunt_pci_holder holder;
	bool unheld = true;

	for (size_t i = 0; unheld && i < doctor->list.count; i++) {
		other = &doctor->list.functions[i];
		if (other->group != patient->function->group ||
			shunt_pci_find_holder(&doctor->machine, other, &holder) <= 0)
			continue;
		unheld = false;
		doctor_mend(doctor_find(patient->doctor, FINDING_WRONG, patient->function->address,
				    "process %ld (%s) has %s of its group open", (long)holder.pid,
				    holder.command, other->address),
			"kill %ld", (long)holder.pid);
	}
	return unheld;
}

static bool check_node(const struct patient *patient)
{
	const struct shunt_pci_function *function = patient->function;
	char path[PATH_MAX], number[32], user[32];
	struct finding *finding;
	int fd, err;

	doctor_path(path, sizeof(path), "%s%s", patient->doctor->machine.dev,
		function->cdev[0] ? function->cdev + strlen("/dev") : "/no node");
	fd = open(path, O_RDWR | O_CLOEXEC);
	err = errno;
	if (fd >= 0) {
		close(fd);
		return true;
	}
	doctor_user(user);
	finding = doctor_find(patient->doctor, FINDING_WRONG, function->address,
		"on %s, but %s cannot open %s: %s", function->driver, user,
		function->cdev[0] ? function->cdev : "its character device", strerror(err));
	if (err == EACCES || err == EPERM)
		doctor_mend(finding, "chown %s %s", user, function->cdev);
	doctor_path(path, sizeof(path), "%s/bus/pci/devices/%s/vfio-dev/%s/dev",
		patient->doctor->machine.platform->sysfs, function->address,
		function->cdev[0] ? strrchr(function->cdev, '/') + 1 : "");
	if (err != ENOENT || !doctor_read(path, number, sizeof(number)) || !strchr(number, ':'))
		return false;
	*strchr(number, ':') = ' ';
	doctor_mend(finding, "mkdir -p /dev/vfio/devices; mknod -m 600 %s c %s", function->cdev,
		number);
	return false;
}

bool doctor_check_function(
	struct doctor *doctor, const struct shunt_pci_function *function, bool named)
{
	const struct patient patient = { doctor, function, named };
	bool healthy = check_driven(&patient) && check_group(&patient);

	if (!healthy || !check_binding(&patient) || !check_siblings(&patient))
		return false;
	return check_holders(&patient) && check_node(&patient);
}
