/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <shunt/error.h>

#include "bind.h"
#include "kernel_sysfs.h"
#include "shunt_node.h"

#define PATIENCE_MS 5000
#define PAUSE_MS    2

static int function_path(const struct shunt_pci_machine *machine, const char *address,
	const char *file, char path[PATH_MAX])
{
	return pci_path(path, "%s/bus/pci/devices/%s/%s", machine->platform->sysfs, address, file);
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
	ret = pci_link_name(
		machine->platform->sysfs, address, "driver", saved->driver, sizeof(saved->driver));
	return ret ? ret : read_override(machine, address, saved->override);
}

static int set_override(
	const struct shunt_pci_machine *machine, const char *address, const char *override)
{
	char text[80];

	snprintf(text, sizeof(text), "%s\n", override);
	return pci_set(machine, address, "driver_override", text);
}

static int leave_driver(const struct shunt_pci_machine *machine, const struct pci_saved *now)
{
	return now->driver[0] ? pci_set(machine, now->address, "driver/unbind", now->address) : 0;
}

static int check_driver(
	const struct shunt_pci_machine *machine, const char *address, const char *wanted)
{
	char driver[32];
	int ret =
		pci_link_name(machine->platform->sysfs, address, "driver", driver, sizeof(driver));

	if (ret || strcmp(driver, wanted) == 0)
		return ret;
	return shunt_fail(-EIO,
		"%s: %s did not take it, it is on %s: the kernel's log says why (dmesg)", address,
		wanted, driver[0] ? driver : "no driver");
}

int pci_move_to_vfio(const struct shunt_pci_machine *machine, const char *address)
{
	char path[PATH_MAX];
	struct pci_saved now;
	int ret;

	ret = pci_save(machine, address, &now);
	if (!ret)
		ret = set_override(machine, address, PCI_VFIO_DRIVER);
	if (!ret)
		ret = leave_driver(machine, &now);
	if (!ret)
		ret = pci_path(path, "%s/bus/pci/drivers_probe", machine->platform->sysfs);
	if (!ret)
		ret = pci_write(machine, address, path, address);
	return ret ? ret : check_driver(machine, address, PCI_VFIO_DRIVER);
}

/* Uses the driver's own file: in a probe the kernel would choose among drivers. */
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
	return ret ? ret : check_driver(machine, saved->address, saved->driver);
}

int pci_put_back(const struct shunt_pci_machine *machine, const struct pci_saved *saved)
{
	struct pci_saved now;
	int ret = pci_save(machine, saved->address, &now);

	if (!ret && strcmp(now.override, saved->override) != 0)
		ret = set_override(machine, saved->address, saved->override);
	if (ret || strcmp(now.driver, saved->driver) == 0)
		return ret;
	ret = leave_driver(machine, &now);
	if (ret || !saved->driver[0])
		return ret;
	return enter_driver(machine, saved);
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
	if (!file_line(path, number, sizeof(number)))
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
	char folder[PATH_MAX], node[PATH_MAX], name[NAME_MAX + 1];
	int ret = function_path(machine, address, "vfio-dev", folder);
	struct stat status;
	dev_t number;
	bool there;

	if (ret)
		return ret;
	for (unsigned int waited = 0;; waited += PAUSE_MS) {
		ret = pci_entries(folder, "vfio", name);
		if (ret < 0)
			return shunt_fail_while(ret, "%s", address);
		snprintf(cdev, 64, "/dev/vfio/devices/%.32s", name);
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

static bool is_there(const struct shunt_pci_machine *machine)
{
	char path[PATH_MAX];

	return !pci_path(path, "%s/bus/pci/drivers/" PCI_VFIO_DRIVER, machine->platform->sysfs) &&
	       access(path, F_OK) == 0;
}

/* Runs the helper quietly. @return its exit status, or a negative errno if it did not run */
static int run_helper(char *helper)
{
	char module[] = PCI_VFIO_DRIVER, no_more_options[] = "--", home[] = "HOME=/";
	char path[] = "PATH=/sbin:/usr/sbin:/bin:/usr/bin";
	char *argv[] = { helper, no_more_options, module, NULL };
	char *environment[] = { home, path, NULL };
	posix_spawn_file_actions_t files;
	int ret, status;
	pid_t pid;

	ret = posix_spawn_file_actions_init(&files);
	if (ret)
		return -ret;
	ret = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
	if (!ret)
		ret = posix_spawn(&pid, helper, &files, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&files);
	if (ret)
		return -ret;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* The kernel names the program that loads modules; a kernel without modules names none. */
int pci_load_vfio(const struct shunt_pci_machine *machine)
{
	char path[PATH_MAX], helper[PATH_MAX];
	int ret;

	if (is_there(machine))
		return 0;
	ret = pci_path(path, "%s/sys/kernel/modprobe", pci_machine_proc(machine));
	if (ret)
		return ret;
	if (!file_line(path, helper, sizeof(helper)))
		return shunt_fail(-ENOTSUP,
			"this kernel has no driver vfio-pci and takes no modules: it has to be "
			"built "
			"with CONFIG_VFIO_PCI, CONFIG_VFIO_DEVICE_CDEV and CONFIG_IOMMUFD");
	ret = run_helper(helper);
	if (ret < 0)
		return shunt_fail_errno(-ENOTSUP,
			"there is no driver vfio-pci, and %s, which would load it, did not run",
			helper);
	if (ret)
		return shunt_fail(-ENOTSUP,
			"there is no driver vfio-pci: '%s " PCI_VFIO_DRIVER
			"' ended with status %d; it takes a kernel with CONFIG_VFIO_PCI and its "
			"modules",
			helper, ret);
	if (!is_there(machine))
		return shunt_fail(-ENOTSUP, "there is no driver vfio-pci though its module was "
					    "loaded: the kernel's log "
					    "says why (dmesg)");
	return 0;
}
