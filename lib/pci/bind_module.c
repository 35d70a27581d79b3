/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <shunt/error.h>

#include "bind.h"

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

/* The kernel names the program that loads its modules; one without modules has no such name. */
int pci_load_vfio(const struct shunt_pci_machine *machine)
{
	char path[PATH_MAX], helper[PATH_MAX];
	int ret;

	if (is_there(machine))
		return 0;
	ret = pci_path(path, "%s/sys/kernel/modprobe", pci_machine_proc(machine));
	if (ret)
		return ret;
	if (pci_read_line(path, helper, sizeof(helper)) || !helper[0])
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
