/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bind_tree.h"

#define INTEL          0x8086
#define CLASS_ETHERNET 0x020000

static const struct sysfs_function functions[] = {
	{ "0000:02:00.0", 0x104c, 0x8233, 0x060400, "pcieport", 14, NULL },
	{ "0000:03:00.0", INTEL, 0x10c9, CLASS_ETHERNET, "igb", 14, NULL },
	{ "0000:04:00.0", INTEL, 0x10c9, CLASS_ETHERNET, NULL, 14, NULL },
	{ "0000:05:00.0", INTEL, 0x10c9, CLASS_ETHERNET, "igb", 14, NULL },
	{ "0000:06:00.0", INTEL, 0x10d3, CLASS_ETHERNET, "e1000e", 15, NULL },
	{ "0000:07:1f.0", INTEL, 0x2916, 0x060100, NULL, 15, NULL },
	{ "0000:08:00.0", INTEL, 0x10c9, CLASS_ETHERNET, "igb", -1, NULL },
};

static const struct interface {
	const char *name;
	const char *address;
} interfaces[] = {
	{ "eth3", "0000:03:00.0" },
	{ "eth5", "0000:05:00.0" },
	{ "eth6", "0000:06:00.0" },
};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static void path_to(struct bind_tree *tree, char path[PATH_MAX], const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void path_to(struct bind_tree *tree, char path[PATH_MAX], const char *fmt, ...)
{
	int used = snprintf(path, PATH_MAX, "%s/", tree->sysfs.root);
	va_list args;

	va_start(args, fmt);
	assert_in_range(vsnprintf(path + used, PATH_MAX - (size_t)used, fmt, args), 1, 300);
	va_end(args);
}

void bind_tree_folder(struct bind_tree *tree, const char *name)
{
	char path[PATH_MAX];

	path_to(tree, path, "%s", name);
	for (char *slash = strchr(path + strlen(tree->sysfs.root) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
}

void bind_tree_file(struct bind_tree *tree, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	path_to(tree, path, "%s", name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void bind_tree_link(struct bind_tree *tree, const char *name, const char *target)
{
	char path[PATH_MAX];

	path_to(tree, path, "%s", name);
	assert_int_equal(symlink(target, path), 0);
}

void bind_tree_pipe(struct bind_tree *tree, const char *name)
{
	char path[PATH_MAX];

	path_to(tree, path, "%s", name);
	remove(path);
	assert_int_equal(mkfifo(path, 0644), 0);
}

void bind_tree_interface(
	struct bind_tree *tree, const char *address, const char *name, const char *flags)
{
	char path[300], text[320];

	snprintf(path, sizeof(path), "bus/pci/devices/%s/net/%s", address, name);
	bind_tree_folder(tree, path);
	snprintf(text, sizeof(text), "../../%s", path);
	bind_tree_folder(tree, "class/net");
	snprintf(path, sizeof(path), "class/net/%s", name);
	bind_tree_link(tree, path, text);
	snprintf(path, sizeof(path), "class/net/%s/flags", name);
	snprintf(text, sizeof(text), "%s\n", flags);
	bind_tree_file(tree, path, text);
}

void bind_tree_remove(struct bind_tree *tree, const char *name)
{
	char path[PATH_MAX];

	path_to(tree, path, "%s", name);
	assert_int_equal(remove(path), 0);
}

void bind_tree_hold(struct bind_tree *tree, int pid, const char *command, const char *cdev)
{
	char path[PATH_MAX], node[PATH_MAX];

	snprintf(path, sizeof(path), "proc/%d/fd", pid);
	bind_tree_folder(tree, path);
	path_to(tree, node, "dev/vfio/devices/%s", cdev);
	snprintf(path, sizeof(path), "proc/%d/fd/7", pid);
	bind_tree_link(tree, path, node);
	snprintf(path, sizeof(path), "proc/%d/comm", pid);
	bind_tree_file(tree, path, command);
}

static bool read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");

	text[0] = '\0';
	if (!file)
		return false;
	if (!fgets(text, (int)size, file))
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return true;
}

static void read_link(const char *path, char name[64])
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	name[0] = '\0';
	if (length < 0)
		return;
	target[length] = '\0';
	snprintf(name, 64, "%s", strrchr(target, '/') + 1);
}

/* Devices that stand for those of VFIO: making one takes root. */
static const struct stand_in {
	const char *node;
	const char *number; /* Documentation/admin-guide/devices.txt of Linux */
} stand_ins[] = {
	{ "/dev/null", "1:3" },
	{ "/dev/zero", "1:5" },
	{ "/dev/full", "1:7" },
	{ "/dev/random", "1:8" },
	{ "/dev/urandom", "1:9" },
};

static const struct stand_in *stand_in(unsigned int number)
{
	return &stand_ins[number % (sizeof(stand_ins) / sizeof(stand_ins[0]))];
}

void bind_tree_node(struct bind_tree *tree, unsigned int cdev, unsigned int device)
{
	char name[64], path[PATH_MAX];
	struct stat status;

	snprintf(name, sizeof(name), "dev/vfio/devices/vfio%u", cdev);
	path_to(tree, path, "%s", name);
	remove(path);
	if (tree->own_nodes) {
		assert_int_equal(stat(stand_in(device)->node, &status), 0);
		assert_int_equal(mknod(path, S_IFCHR | 0600, status.st_rdev), 0);
	} else {
		bind_tree_link(tree, name, stand_in(device)->node);
	}
}

/* What the kernel does when vfio-pci takes a function, and lets go of it. */
static void make_cdev(struct bind_tree *tree, const char *address)
{
	unsigned int number = tree->next_cdev++;
	char name[300], text[320];

	snprintf(name, sizeof(name), "bus/pci/devices/%s/vfio-dev/vfio%u", address, number);
	bind_tree_folder(tree, name);
	snprintf(text, sizeof(text), "../../%s", name);
	snprintf(name, sizeof(name), "class/vfio-dev/vfio%u", number);
	bind_tree_link(tree, name, text);
	if (!tree->no_cdev) {
		snprintf(name, sizeof(name), "class/vfio-dev/vfio%u/dev", number);
		snprintf(text, sizeof(text), "%s\n", stand_in(number)->number);
		bind_tree_file(tree, name, text);
	}
	if (!tree->no_cdev && !tree->no_node)
		bind_tree_node(tree, number, tree->wrong_node ? number + 1 : number);
}

static void drop_cdev(struct bind_tree *tree, const char *address)
{
	static const char *const parts[] = { "/dev", "", NULL };
	char path[PATH_MAX];

	for (unsigned int number = 0; number < tree->next_cdev; number++) {
		path_to(tree, path, "bus/pci/devices/%s/vfio-dev/vfio%u", address, number);
		if (access(path, F_OK))
			continue;
		path_to(tree, path, "dev/vfio/devices/vfio%u", number);
		remove(path);
		path_to(tree, path, "class/vfio-dev/vfio%u", number);
		remove(path);
		for (size_t i = 0; parts[i]; i++) {
			path_to(tree, path, "bus/pci/devices/%s/vfio-dev/vfio%u%s", address, number,
				parts[i]);
			remove(path);
		}
	}
	path_to(tree, path, "bus/pci/devices/%s/vfio-dev", address);
	remove(path);
}

static void attach(struct bind_tree *tree, const char *address, const char *driver)
{
	char name[300], target[300];

	snprintf(name, sizeof(name), "bus/pci/devices/%s/driver", address);
	snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
	bind_tree_link(tree, name, target);
	if (strcmp(driver, "vfio-pci") == 0)
		make_cdev(tree, address);
}

static int probe(struct bind_tree *tree, const char *address)
{
	char path[PATH_MAX], driver[64];

	path_to(tree, path, "bus/pci/devices/%s/driver_override", address);
	if (!read_text(path, driver, sizeof(driver)))
		return -ENODEV;
	if (strcmp(driver, "(null)") == 0)
		snprintf(driver, sizeof(driver), "igb");
	path_to(tree, path, "bus/pci/drivers/%s", driver);
	if (access(path, F_OK) == 0 && !tree->probe_finds_nothing)
		attach(tree, address, driver);
	return 0;
}

static int unbind(struct bind_tree *tree, const char *address, const char *written)
{
	char path[PATH_MAX];

	if (strcmp(address, written) != 0)
		return -ENODEV;
	path_to(tree, path, "bus/pci/devices/%s/driver", address);
	if (unlink(path))
		return -errno;
	drop_cdev(tree, address);
	return 0;
}

static void set_override(struct bind_tree *tree, const char *address, const char *text)
{
	char name[300];

	snprintf(name, sizeof(name), "bus/pci/devices/%s/driver_override", address);
	bind_tree_file(tree, name, strcmp(text, "\n") == 0 ? "(null)\n" : text);
}

void bind_tree_move(struct bind_tree *tree, const char *address, const char *driver)
{
	assert_int_equal(unbind(tree, address, address), 0);
	set_override(tree, address, "\n");
	attach(tree, address, driver);
}

/* Nothing may be touched before the record is there. */
static void assert_recorded(struct bind_tree *tree)
{
	char path[PATH_MAX], other[PATH_MAX];

	path_to(tree, path, "records/0000:03:00.0.bind");
	path_to(tree, other, "records/0000:06:00.0.bind");
	assert_true(access(path, F_OK) == 0 || access(other, F_OK) == 0);
}

static int act(void *context, const char *path, const char *text)
{
	struct bind_tree *tree = context;
	char address[16], file[64];
	const char *inside = path + strlen(tree->sysfs.root);

	assert_recorded(tree);
	tree->writes++;
	if (tree->fail_from && tree->writes >= tree->fail_from &&
		tree->writes - tree->fail_from < tree->fail_count)
		return tree->fail_with;
	if (strcmp(inside, "/bus/pci/drivers_probe") == 0)
		return probe(tree, text);
	if (sscanf(inside, "/bus/pci/drivers/%63[^/]/bind", file) == 1) {
		attach(tree, text, file);
		return 0;
	}
	assert_int_equal(sscanf(inside, "/bus/pci/devices/%15[^/]/%63s", address, file), 2);
	if (strcmp(file, "driver/unbind") == 0)
		return unbind(tree, address, text);
	assert_string_equal(file, "driver_override");
	set_override(tree, address, text);
	return 0;
}

void bind_tree_create(struct bind_tree *tree)
{
	static const char *const drivers[] = { "igb", "e1000e", "pcieport", "vfio-pci" };
	char name[300];

	memset(tree, 0, sizeof(*tree));
	sysfs_tree_create(&tree->sysfs);
	for (size_t i = 0; i < FUNCTIONS; i++) {
		sysfs_tree_add(&tree->sysfs, &functions[i]);
		sysfs_tree_write(&tree->sysfs, functions[i].address, "driver_override", "(null)\n");
		/* What the kernel gives out under a lock that may be held for ever. */
		snprintf(name, sizeof(name), "bus/pci/devices/%s/sriov_numvfs",
			functions[i].address);
		bind_tree_pipe(tree, name);
	}
	sysfs_tree_write(&tree->sysfs, "0000:05:00.0", "driver_override", "igb\n");
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++)
		bind_tree_interface(tree, interfaces[i].address, interfaces[i].name, "0x1002");
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		snprintf(name, sizeof(name), "bus/pci/drivers/%s", drivers[i]);
		bind_tree_folder(tree, name);
		snprintf(name, sizeof(name), "bus/pci/drivers/%s/bind", drivers[i]);
		bind_tree_file(tree, name, "");
	}
	bind_tree_folder(tree, "dev/vfio/devices");
	bind_tree_folder(tree, "proc");
	bind_tree_folder(tree, "class/net");
	bind_tree_folder(tree, "class/block");
	bind_tree_folder(tree, "class/vfio-dev");
	snprintf(tree->records, sizeof(tree->records), "%s/records", tree->sysfs.root);
	snprintf(tree->proc, sizeof(tree->proc), "%s/proc", tree->sysfs.root);
	snprintf(tree->dev, sizeof(tree->dev), "%s/dev", tree->sysfs.root);
	tree->machine = (struct shunt_pci_machine){
		.platform = &tree->sysfs.platform,
		.records = tree->records,
		.proc = tree->proc,
		.dev = tree->dev,
		.patience_ms = 10,
		.write = act,
		.context = tree,
	};
}

void bind_tree_destroy(struct bind_tree *tree)
{
	sysfs_tree_destroy(&tree->sysfs);
}

void bind_tree_fail(struct bind_tree *tree, unsigned int first, unsigned int n, int err)
{
	tree->writes = 0;
	tree->fail_from = first;
	tree->fail_count = n;
	tree->fail_with = err;
}

char *bind_tree_state(struct bind_tree *tree)
{
	char path[PATH_MAX], driver[64], override[64], line[2048];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < FUNCTIONS; i++) {
		path_to(tree, path, "bus/pci/devices/%s/driver", functions[i].address);
		read_link(path, driver);
		path_to(tree, path, "bus/pci/devices/%s/driver_override", functions[i].address);
		read_text(path, override, sizeof(override));
		fprintf(out, "%s %s %s\n", functions[i].address, driver[0] ? driver : "-",
			override);
		path_to(tree, path, "records/%s.bind", functions[i].address);
		FILE *record = fopen(path, "re");
		while (record && fgets(line, sizeof(line), record))
			fputs(line, out);
		if (record)
			fclose(record);
	}
	assert_int_equal(fclose(out), 0);
	return text;
}
