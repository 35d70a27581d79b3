/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "bind_tree.h"
#include "shunt_node.h"

#define VFIO0 "/dev/vfio/devices/vfio0"

static struct bind_tree tree;
static struct shunt_platform *kernel;

static int make_machine(void **state)
{
	bind_tree_create(&tree);
	bind_tree_folder(&tree, "class/vfio-dev/vfio0");
	bind_tree_file(&tree, "class/vfio-dev/vfio0/dev", "1:3\n");
	bind_tree_folder(&tree, "class/misc/iommu");
	bind_tree_file(&tree, "class/misc/iommu/dev", "1:5\n");
	assert_int_equal(shunt_platform_kernel(&kernel), 0);
	kernel->sysfs = tree.sysfs.root;
	return 0;
}

static int drop_machine(void **state)
{
	shunt_platform_destroy(kernel);
	bind_tree_destroy(&tree);
	return 0;
}

static void assert_message(const char *part)
{
	if (!strstr(shunt_errmsg(), part))
		fail_msg("'%s' is not in the message: %s", part, shunt_errmsg());
}

static int open_inherited(const char *node, const char *device)
{
	int fd = open(device, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(shunt_platform_inherit(kernel, node, fd), 0);
	return kernel->ops->open(kernel, node);
}

static void numbers_of_nodes(void **state)
{
	dev_t number;

	bind_tree_folder(&tree, "class/vfio/14");
	bind_tree_file(&tree, "class/vfio/14/dev", "240:7\n");
	bind_tree_folder(&tree, "class/vfio-dev/noiommu-vfio1");
	bind_tree_file(&tree, "class/vfio-dev/noiommu-vfio1/dev", "rubbish\n");
	assert_int_equal(shunt_node_number(tree.sysfs.root, VFIO0, &number), 0);
	assert_int_equal(number, makedev(1, 3));
	assert_int_equal(shunt_node_number(tree.sysfs.root, "/dev/vfio/14", &number), 0);
	assert_int_equal(number, makedev(240, 7));
	assert_int_equal(shunt_node_number(tree.sysfs.root, "/dev/iommu", &number), 0);
	assert_int_equal(number, makedev(1, 5));
	assert_int_equal(shunt_node_number(tree.sysfs.root, VFIO0 "1", &number), -ENOENT);
	assert_int_equal(shunt_node_number(tree.sysfs.root, VFIO0 "/..", &number), -ENOENT);
	assert_int_equal(shunt_node_number(tree.sysfs.root, "vfio0", &number), -ENOENT);
	assert_int_equal(
		shunt_node_number(tree.sysfs.root, "/dev/vfio/devices/noiommu-vfio1", &number),
		-ENOENT);
}

/* A descriptor of another device is refused and closed; the right one is given out. */
static void inherited_descriptors(void **state)
{
	int fd = open_inherited(VFIO0, "/dev/null");
	struct stat status;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(kernel->ops->close(kernel, fd), 0);
	shunt_platform_destroy(kernel);
	assert_int_equal(shunt_platform_kernel(&kernel), 0);
	kernel->sysfs = tree.sysfs.root;
	assert_int_equal(open_inherited(VFIO0, "/dev/full"), -ESTALE);
	assert_message(VFIO0 ": descriptor ");
	assert_message("is device 1:7, but sysfs has 1:3");
	assert_message("mknod -m 600 " VFIO0 " c 1 3");
	assert_int_equal(fstat(fd, &status), -1);
	assert_int_equal(open_inherited("/dev/iommu", "/dev/null"), -ESTALE);
	assert_message("/dev/iommu: descriptor ");
}

static void what_sysfs_does_not_have(void **state)
{
	assert_int_equal(open_inherited("/dev/vfio/devices/vfio5", "/dev/null"), -ESTALE);
	assert_message("sysfs has no such device");
	bind_tree_remove(&tree, "class/misc/iommu/dev");
	assert_true(open_inherited("/dev/iommu", "/dev/zero") >= 0);
}

static void what_is_no_device(void **state)
{
	const struct stat file = { .st_mode = S_IFREG };

	assert_int_equal(shunt_node_check(tree.sysfs.root, VFIO0, &file, "the node"), -ESTALE);
	assert_message(VFIO0 ": the node is no device, but sysfs has 1:3");
}

#define MACHINE_TEST(test) cmocka_unit_test_setup_teardown(test, make_machine, drop_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MACHINE_TEST(numbers_of_nodes),
		MACHINE_TEST(inherited_descriptors),
		MACHINE_TEST(what_sysfs_does_not_have),
		MACHINE_TEST(what_is_no_device),
	};

	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
