/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include <shunt/error.h>

#include "sim.h"

/*
 * A sysfs tree for the platform's functions, as lib/pci and libpci read the kernel's:
 *
 *   shunt-sim.XXXXXX/
 *     bus/pci/devices/0000:03:00.0 --> ../../../devices/pci0000:00/0000:03:00.0
 *     bus/pci/drivers/vfio-pci/, pcieport/
 *     devices/pci0000:00/0000:03:00.0/  vendor, device, class, config, ..., vfio-dev/vfio0/,
 *                                       driver -->, iommu_group -->
 *     kernel/iommu_groups/10/devices/0000:03:00.0 -->
 *
 * The tree is in $TMPDIR or /tmp, and is removed with the platform. Its root is locked (flock)
 * while the platform exists. Trees without a lock are removed when the next platform is created.
 */

#define TREE_PREFIX   "shunt-sim."
#define CONFIG_LENGTH 256
#define OPEN_AT_ONCE  16
#define TEXT          256 /* of a path, or of a small file */

struct sim_sysfs {
	char path[256];
	int root; /* locked: the tree is in use */
};

/* Contents of a function's files. */
struct entry {
	char address[16];
	uint16_t vendor, device;
	uint32_t class_code;
	const char *driver;
	int group;
	int cdev;                       /* vfioN; -1: none */
	uint8_t secondary, subordinate; /* buses behind a bridge; 0: not a bridge */
};

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS);
}

/* The kernel releases the lock however a process ends. A PID would not do: in another PID namespace
 * it means another process, or none. */
static void remove_unused(int parent, const char *parent_path, const char *name)
{
	int root = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[512];
	struct stat status;

	if (root < 0)
		return;
	if (fstat(root, &status) == 0 && status.st_uid == geteuid() &&
		flock(root, LOCK_EX | LOCK_NB) == 0 &&
		snprintf(path, sizeof(path), "%s/%s", parent_path, name) < (int)sizeof(path))
		remove_tree(path);
	close(root);
}

/* Removes trees of this user that no process uses any more. */
static void remove_stale(const char *parent)
{
	DIR *dir = opendir(parent);
	const struct dirent *found;

	if (!dir)
		return;
	while ((found = readdir(dir)) != NULL)
		if (strncmp(found->d_name, TREE_PREFIX, strlen(TREE_PREFIX)) == 0)
			remove_unused(dirfd(dir), parent, found->d_name);
	closedir(dir);
}

/* The tree is locked before it has the name that others look for. @return its root, -errno */
static int make_root(const char *parent, struct sim_sysfs *sysfs)
{
	char hidden[sizeof(sysfs->path)];
	int root, err;

	if (snprintf(hidden, sizeof(hidden), "%s/." TREE_PREFIX "XXXXXX", parent) >=
		(int)sizeof(hidden))
		return shunt_fail(-ENAMETOOLONG, "sim: TMPDIR is too long: %s", parent);
	if (!mkdtemp(hidden))
		return shunt_fail_errno(-errno,
			"sim: making a directory in %s for the platform's sysfs tree (set TMPDIR "
			"to a writable one)",
			parent);
	snprintf(sysfs->path, sizeof(sysfs->path), "%s/%s", parent, strrchr(hidden, '/') + 2);
	root = open(hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0 && !flock(root, LOCK_SH | LOCK_NB) && !rename(hidden, sysfs->path))
		return root;
	err = -errno;
	if (root >= 0)
		close(root);
	rmdir(hidden);
	return shunt_fail_errno(err,
		"sim: locking and naming the platform's sysfs tree %s (set TMPDIR to a folder of "
		"another file system)",
		sysfs->path);
}

/* @return text */
static char *form(char text[TEXT], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static char *form(char text[TEXT], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, TEXT, fmt, args);
	va_end(args);
	return text;
}

/* Makes a directory below the root and all above it. */
static int make_directory(int root, char path[TEXT])
{
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(root, path, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdirat(root, path, 0755) && errno != EEXIST ? -errno : 0;
}

static int make_file(int dir, const char *name, const void *content, size_t length)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t written;
	int ret = 0;

	if (fd < 0)
		return -errno;
	written = write(fd, content, length);
	if (written < 0)
		ret = -errno;
	else if ((size_t)written != length)
		ret = -ENOSPC;
	close(fd);
	return ret;
}

static int make_text(int dir, const char *name, const char *text)
{
	return make_file(dir, name, text, strlen(text));
}

static int make_link(int dir, const char *name, const char *target)
{
	return symlinkat(target, dir, name) ? -errno : 0;
}

static void put16(uint8_t *config, unsigned int offset, uint16_t value)
{
	config[offset] = (uint8_t)value;
	config[offset + 1] = (uint8_t)(value >> 8);
}

static int make_config(int dir, const struct entry *entry)
{
	uint8_t config[CONFIG_LENGTH] = { 0 };

	put16(config, PCI_VENDOR_ID, entry->vendor);
	put16(config, PCI_DEVICE_ID, entry->device);
	config[PCI_REVISION_ID] = 1;
	config[PCI_CLASS_PROG] = (uint8_t)entry->class_code;
	put16(config, PCI_CLASS_DEVICE, (uint16_t)(entry->class_code >> 8));
	if (entry->secondary) {
		config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_BRIDGE;
		config[PCI_SECONDARY_BUS] = entry->secondary;
		config[PCI_SUBORDINATE_BUS] = entry->subordinate;
	} else {
		put16(config, PCI_SUBSYSTEM_VENDOR_ID, entry->vendor);
		put16(config, PCI_SUBSYSTEM_ID, entry->device);
	}
	return make_file(dir, "config", config, sizeof(config));
}

/* Regions 0 to 5 and the ROM: start, end, flags; the model's have no bus address. */
#define NO_REGION  "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
#define NO_REGIONS NO_REGION NO_REGION NO_REGION NO_REGION NO_REGION NO_REGION NO_REGION

static int make_files(int dir, const struct entry *entry)
{
	const struct {
		const char *name;
		int digits;
		unsigned int value;
	} numbers[] = {
		{ "vendor", 4, entry->vendor },
		{ "device", 4, entry->device },
		{ "class", 6, entry->class_code },
		{ "subsystem_vendor", 4, entry->vendor },
		{ "subsystem_device", 4, entry->device },
	};
	char text[TEXT];
	int ret = 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !ret; i++)
		ret = make_text(dir, numbers[i].name,
			form(text, "0x%0*x\n", numbers[i].digits, numbers[i].value));
	if (!ret)
		ret = make_text(dir, "irq", "0\n");
	if (!ret)
		ret = make_text(dir, "numa_node", "-1\n");
	if (!ret)
		ret = make_text(dir, "resource", NO_REGIONS);
	if (!ret)
		ret = make_config(dir, entry);
	if (!ret)
		ret = make_link(
			dir, "driver", form(text, "../../../bus/pci/drivers/%s", entry->driver));
	if (!ret)
		ret = make_link(dir, "iommu_group",
			form(text, "../../../kernel/iommu_groups/%d", entry->group));
	return ret;
}

static int make_entry(int root, const struct entry *entry)
{
	char path[TEXT], target[TEXT];
	int dir, ret;

	ret = make_directory(root, form(path, "bus/pci/drivers/%s", entry->driver));
	if (!ret)
		ret = make_directory(
			root, form(path, "kernel/iommu_groups/%d/devices", entry->group));
	if (!ret && entry->cdev >= 0)
		ret = make_directory(root, form(path, "devices/pci0000:00/%s/vfio-dev/vfio%d",
						   entry->address, entry->cdev));
	if (!ret)
		ret = make_directory(root, form(path, "devices/pci0000:00/%s", entry->address));
	if (ret)
		return ret;
	dir = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	ret = make_files(dir, entry);
	close(dir);
	if (!ret)
		ret = make_link(root, form(path, "bus/pci/devices/%s", entry->address),
			form(target, "../../../devices/pci0000:00/%s", entry->address));
	if (!ret)
		ret = make_link(root,
			form(path, "kernel/iommu_groups/%d/devices/%s", entry->group,
				entry->address),
			form(target, "../../../../devices/pci0000:00/%s", entry->address));
	return ret;
}

/* The root port above a group's ports. */
static int make_bridge(int root, const struct sim_group *group, unsigned int index)
{
	struct entry bridge = {
		.vendor = 0x1b36, /* QEMU's PCI Express root port, a virtual one too */
		.device = 0x000c,
		.class_code = 0x060400,
		.driver = "pcieport",
		.group = group->number,
		.cdev = -1,
		.secondary = (uint8_t)(16 * index + 3),
		.subordinate = (uint8_t)(16 * index + 2 + group->function_count),
	};

	snprintf(bridge.address, sizeof(bridge.address), "0000:00:%02x.0", (uint8_t)(index + 1));
	return make_entry(root, &bridge);
}

static int make_port(int root, const struct sim_function *function, unsigned int index)
{
	struct entry port = {
		.vendor = 0x8086, /* Intel 82576, datasheet section 9.4 */
		.device = 0x10c9,
		.class_code = 0x020000,
		.driver = "vfio-pci",
		.group = function->group->number,
		.cdev = (int)index,
	};

	memcpy(port.address, function->address, sizeof(port.address));
	return make_entry(root, &port);
}

static int make_tree(const struct sim *sim, int root)
{
	char path[TEXT];
	int ret = make_directory(root, form(path, "bus/pci/devices"));

	for (unsigned int i = 0; !ret && i < sim->config.groups; i++)
		ret = make_bridge(root, &sim->groups[i], i);
	for (unsigned int i = 0; !ret && i < sim->function_count; i++)
		ret = make_port(root, &sim->functions[i], i);
	return ret;
}

int sim_sysfs_create(struct sim *sim)
{
	const char *named = getenv("TMPDIR"), *parent = named && named[0] ? named : "/tmp";
	struct sim_sysfs *sysfs = calloc(1, sizeof(*sysfs));
	int ret;

	if (!sysfs)
		return shunt_fail(-ENOMEM, "sim: out of memory");
	remove_stale(parent);
	sysfs->root = make_root(parent, sysfs);
	if (sysfs->root < 0) {
		ret = sysfs->root;
		goto no_directory;
	}
	ret = make_tree(sim, sysfs->root);
	if (ret) {
		shunt_fail_errno(ret, "sim: writing the platform's sysfs tree %s", sysfs->path);
		goto no_tree;
	}
	sim->sysfs = sysfs;
	sim->platform.sysfs = sysfs->path;
	return 0;

no_tree:
	remove_tree(sysfs->path);
	close(sysfs->root);
no_directory:
	free(sysfs);
	return ret;
}

void sim_sysfs_destroy(struct sim *sim)
{
	if (!sim->sysfs)
		return;
	remove_tree(sim->sysfs->path);
	close(sim->sysfs->root);
	free(sim->sysfs);
	sim->sysfs = NULL;
	sim->platform.sysfs = NULL;
}
