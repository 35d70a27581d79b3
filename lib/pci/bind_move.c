/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <shunt/error.h>

#include "bind.h"
#include "shunt_node.h"

#define PATIENCE_MS 5000
#define PAUSE_MS    2

static int function_path(const struct shunt_pci_machine *machine, const char *address,
	const char *file, char path[PATH_MAX])
{
	return pci_path(path, "%s/bus/pci/devices/%s/%s", machine->platform->sysfs, address, file);
}

static int read_driver(
	const struct shunt_pci_machine *machine, const char *address, char driver[32])
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t length;
	int ret = function_path(machine, address, "driver", path);

	if (ret)
		return ret;
	driver[0] = '\0';
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return errno == ENOENT ? 0 : shunt_fail_errno(-EIO, "%s: %s", address, path);
	target[length] = '\0';
	last = strrchr(target, '/');
	if (snprintf(driver, 32, "%s", last ? last + 1 : target) >= 32)
		return shunt_fail(-EIO, "%s: driver's name in %s is too long", address, target);
	return 0;
}

/* The kernel prints a null pointer for no override. */
static int read_override(
	const struct shunt_pci_machine *machine, const char *address, char override[64])
{
	char path[PATH_MAX];
	int ret = function_path(machine, address, "driver_override", path);

	if (ret)
		return ret;
	ret = pci_read_locked(path, override, 64);
	if (ret == -ETIMEDOUT)
		return shunt_fail(ret,
			"%s: the kernel does not let %s be read: a driver that takes or leaves the "
			"function has its lock, and waits; the kernel's log may say for what "
			"(dmesg)",
			address, path);
	if (ret)
		return shunt_fail_errno(ret, "%s: reading %s", address, path);
	if (strcmp(override, "(null)") == 0)
		override[0] = '\0';
	return 0;
}

bool pci_exists(const struct shunt_pci_machine *machine, const char *address)
{
	char path[PATH_MAX];

	return !function_path(machine, address, "", path) && access(path, F_OK) == 0;
}

int pci_save(const struct shunt_pci_machine *machine, const char *address, struct pci_saved *saved)
{
	int ret;

	if (!pci_exists(machine, address))
		return shunt_fail(-ENODEV, "%s: no such function any more", address);
	memset(saved, 0, sizeof(*saved));
	memcpy(saved->address, address, strlen(address) + 1);
	ret = read_driver(machine, address, saved->driver);
	if (ret)
		return ret;
	return read_override(machine, address, saved->override);
}

static int write_override(
	const struct shunt_pci_machine *machine, const char *address, const char *override)
{
	char path[PATH_MAX], text[80];
	int ret = function_path(machine, address, "driver_override", path);

	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%s\n", override);
	return pci_write(machine, address, path, text);
}

static int leave_driver(const struct shunt_pci_machine *machine, const struct pci_saved *now)
{
	char path[PATH_MAX];
	int ret;

	if (!now->driver[0])
		return 0;
	ret = function_path(machine, now->address, "driver/unbind", path);
	if (ret)
		return ret;
	return pci_write(machine, now->address, path, now->address);
}

static int check_driver(
	const struct shunt_pci_machine *machine, const char *address, const char *wanted)
{
	char driver[32];
	int ret = read_driver(machine, address, driver);

	if (ret)
		return ret;
	if (strcmp(driver, wanted) != 0)
		return shunt_fail(-EIO,
			"%s: %s did not take it, it is on %s: the kernel's log says why (dmesg)",
			address, wanted, driver[0] ? driver : "no driver");
	return 0;
}

int pci_move_to_vfio(const struct shunt_pci_machine *machine, const char *address)
{
	char path[PATH_MAX];
	struct pci_saved now;
	int ret;

	ret = pci_save(machine, address, &now);
	if (ret)
		return ret;
	ret = write_override(machine, address, PCI_VFIO_DRIVER);
	if (ret)
		return ret;
	ret = leave_driver(machine, &now);
	if (ret)
		return ret;
	ret = pci_path(path, "%s/bus/pci/drivers_probe", machine->platform->sysfs);
	if (ret)
		return ret;
	ret = pci_write(machine, address, path, address);
	if (ret)
		return ret;
	return check_driver(machine, address, PCI_VFIO_DRIVER);
}

/* By the driver's own file: a probe would leave the choice among drivers to the kernel. */
static int enter_driver(const struct shunt_pci_machine *machine, const struct pci_saved *saved)
{
	char path[PATH_MAX];
	int ret = pci_path(
		path, "%s/bus/pci/drivers/%s/bind", machine->platform->sysfs, saved->driver);

	if (ret)
		return ret;
	if (access(path, F_OK) != 0)
		return shunt_fail(-ENODEV,
			"%s: its driver %s is not loaded; as root: modprobe %s; then again",
			saved->address, saved->driver, saved->driver);
	ret = pci_write(machine, saved->address, path, saved->address);
	if (ret)
		return ret;
	return check_driver(machine, saved->address, saved->driver);
}

int pci_put_back(const struct shunt_pci_machine *machine, const struct pci_saved *saved)
{
	struct pci_saved now;
	int ret;

	ret = pci_save(machine, saved->address, &now);
	if (ret)
		return ret;
	if (strcmp(now.override, saved->override) != 0) {
		ret = write_override(machine, saved->address, saved->override);
		if (ret)
			return ret;
	}
	if (strcmp(now.driver, saved->driver) == 0)
		return 0;
	ret = leave_driver(machine, &now);
	if (ret || !saved->driver[0])
		return ret;
	return enter_driver(machine, saved);
}

/* Name of the function's VFIO device, "" while it has none. */
static int find_cdev(const char *path, char name[32])
{
	const struct dirent *entry;
	DIR *dir = opendir(path);

	name[0] = '\0';
	if (!dir)
		return errno == ENOENT ? 0 : shunt_fail_errno(-EIO, "reading %s", path);
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, "vfio", 4) == 0 && strlen(entry->d_name) < 32)
			memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
	closedir(dir);
	return 0;
}

static int no_node(const char *address, const char *folder, const char *name, const char *node)
{
	char path[PATH_MAX], number[32] = "";
	char *colon;
	int ret = pci_path(path, "%s/%s/dev", folder, name);

	if (ret)
		return ret;
	if (!name[0])
		return shunt_fail(-ETIMEDOUT, "%s: vfio-pci made no device in %s", address, folder);
	if (pci_read_line(path, number, sizeof(number)))
		return shunt_fail(-ENOTSUP,
			"%s: this kernel's vfio-pci has no character devices: it takes Linux 6.6 "
			"with "
			"CONFIG_VFIO_DEVICE_CDEV",
			address);
	colon = strchr(number, ':');
	if (colon)
		*colon = ' ';
	return shunt_fail(-ETIMEDOUT,
		"%s: the node %s did not appear, is there a devtmpfs or udev? As root: mkdir -p "
		"/dev/vfio/devices; mknod %s c %s",
		address, node, node, number);
}

int pci_wait_cdev(const struct shunt_pci_machine *machine, const char *address, char cdev[64])
{
	unsigned int patience = machine->patience_ms ? machine->patience_ms : PATIENCE_MS;
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };
	char folder[PATH_MAX], node[PATH_MAX], name[32];
	int ret = function_path(machine, address, "vfio-dev", folder);
	struct stat status;
	dev_t number;
	bool there;

	if (ret)
		return ret;
	for (unsigned int waited = 0;; waited += PAUSE_MS) {
		ret = find_cdev(folder, name);
		if (ret)
			return shunt_fail_while(ret, "%s", address);
		snprintf(cdev, 64, "/dev/vfio/devices/%s", name);
		ret = pci_node_path(machine, cdev, node);
		if (ret)
			return ret;
		there = stat(node, &status) == 0;
		if (there && !shunt_node_number(machine->platform->sysfs, cdev, &number) &&
			status.st_rdev == number)
			return 0;
		if (waited >= patience)
			break;
		nanosleep(&pause, NULL);
	}
	if (there) {
		ret = shunt_node_check(machine->platform->sysfs, cdev, &status, "the node");
		if (ret)
			return shunt_fail_while(ret, "%s", address);
	}
	return no_node(address, folder, name, cdev);
}
