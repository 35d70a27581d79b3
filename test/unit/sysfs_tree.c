/* SPDX-License-Identifier: BSD-3-Clause */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sysfs_tree.h"

#define TREE_PATH 512

static void path_of(const struct sysfs_tree *tree, const char *address, const char *file,
	char path[static TREE_PATH])
{
	int length = snprintf(path, TREE_PATH, "%s/bus/pci/devices/%s%s%s", tree->root, address,
		*file ? "/" : "", file);

	assert_in_range(length, 1, TREE_PATH - 1);
}

void sysfs_tree_create(struct sysfs_tree *tree)
{
	*tree = (struct sysfs_tree){ .root = "/tmp/shunt-test-sysfs-XXXXXX" };
	assert_non_null(mkdtemp(tree->root));
	tree->platform.name = "test";
	tree->platform.sysfs = tree->root;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(path);
}

void sysfs_tree_destroy(struct sysfs_tree *tree)
{
	assert_int_equal(nftw(tree->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void make_folder(const char *path)
{
	if (access(path, F_OK) != 0)
		assert_int_equal(mkdir(path, 0755), 0);
}

void sysfs_tree_add_bus(struct sysfs_tree *tree)
{
	static const char *const folders[] = { "bus", "bus/pci", "bus/pci/devices" };
	char path[TREE_PATH];
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", tree->root, folders[i]);
		make_folder(path);
	}
}

void sysfs_tree_write(
	struct sysfs_tree *tree, const char *address, const char *file, const char *text)
{
	char path[TREE_PATH];
	FILE *stream;

	path_of(tree, address, file, path);
	stream = fopen(path, "we");
	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

void sysfs_tree_link(
	struct sysfs_tree *tree, const char *address, const char *file, const char *target)
{
	char path[TREE_PATH];

	path_of(tree, address, file, path);
	assert_int_equal(symlink(target, path), 0);
}

void sysfs_tree_remove(struct sysfs_tree *tree, const char *address, const char *file)
{
	char path[TREE_PATH];

	path_of(tree, address, file, path);
	assert_int_equal(remove(path), 0);
}

void sysfs_tree_name_group(struct sysfs_tree *tree, int group, const char *name)
{
	char path[TREE_PATH], file[TREE_PATH];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/kernel", tree->root);
	make_folder(path);
	snprintf(path, sizeof(path), "%s/kernel/iommu_groups", tree->root);
	make_folder(path);
	snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%d", tree->root, group);
	make_folder(path);
	snprintf(file, sizeof(file), "%.480s/name", path);
	stream = fopen(file, "we");
	assert_non_null(stream);
	assert_true(fputs(name, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

static void write_number(
	struct sysfs_tree *tree, const char *address, const char *file, unsigned int n, int digits)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%0*x\n", digits, n);
	sysfs_tree_write(tree, address, file, text);
}

void sysfs_tree_add(struct sysfs_tree *tree, const struct sysfs_function *function)
{
	char path[TREE_PATH], target[128];

	sysfs_tree_add_bus(tree);
	path_of(tree, function->address, "", path);
	make_folder(path);
	write_number(tree, function->address, "vendor", function->vendor, 4);
	write_number(tree, function->address, "device", function->device, 4);
	write_number(tree, function->address, "class", function->class_code, 6);
	if (function->driver) {
		snprintf(
			target, sizeof(target), "../../../../bus/pci/drivers/%s", function->driver);
		sysfs_tree_link(tree, function->address, "driver", target);
	}
	if (function->group >= 0) {
		snprintf(target, sizeof(target), "../../../../kernel/iommu_groups/%d",
			function->group);
		sysfs_tree_link(tree, function->address, "iommu_group", target);
	}
	if (function->cdev) {
		path_of(tree, function->address, "vfio-dev", path);
		make_folder(path);
		snprintf(target, sizeof(target), "vfio-dev/%s", function->cdev);
		path_of(tree, function->address, target, path);
		make_folder(path);
	}
}
