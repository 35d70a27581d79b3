/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include <shunt/error.h>
#include <shunt/vfio.h>

#include "sysfs_tree.h"

#define FUNCTION "0000:03:00.0"
#define CDEV     "/dev/vfio/devices/vfio0"

/* A kernel that refuses one kind of call. */
static struct {
	unsigned long request;
	int err;
} refusing;

static struct sysfs_tree tree;
static struct shunt_iommufd iommufd;

static int open_nothing(struct shunt_platform *platform, const char *path)
{
	return 7;
}

static int close_nothing(struct shunt_platform *platform, int fd)
{
	return 0;
}

static int refuse(struct shunt_platform *platform, int fd, unsigned long request, void *arg)
{
	return request == refusing.request ? refusing.err : 0;
}

static const struct shunt_platform_ops ops = {
	.open = open_nothing,
	.close = close_nothing,
	.ioctl = refuse,
};

static int make_kernel(void **state)
{
	static const struct sysfs_function nic = { FUNCTION, 0x8086, 0x10c9, 0x020000, "vfio-pci",
		14, "vfio0" };

	sysfs_tree_create(&tree);
	sysfs_tree_add(&tree, &nic);
	tree.platform.ops = &ops;
	return shunt_iommufd_open(&tree.platform, &iommufd);
}

static int drop_kernel(void **state)
{
	sysfs_tree_destroy(&tree);
	return 0;
}

static void assert_says(int ret, int err, const char *words)
{
	assert_int_equal(ret, err);
	if (!strstr(shunt_errmsg(), words))
		fail_msg("'%s' is not in the message: %s", words, shunt_errmsg());
	assert_null(strchr(shunt_errmsg(), '\n'));
}

static void page_tables(void **state)
{
	uint32_t hwpt;

	refusing.request = IOMMU_HWPT_ALLOC;
	refusing.err = -ENOMEM;
	assert_says(shunt_hwpt_alloc(&iommufd, 1, 2, &hwpt), -ENOMEM, "locked-memory limit");
	refusing.err = -EADDRINUSE;
	assert_says(shunt_hwpt_alloc(&iommufd, 1, 2, &hwpt), -EADDRINUSE,
		"a mapping lies where this IOMMU allows none");
}

static void devices(void **state)
{
	struct shunt_vfio_device device;

	refusing.request = VFIO_DEVICE_BIND_IOMMUFD;
	refusing.err = -EPERM;
	assert_says(shunt_vfio_open(&iommufd, CDEV, FUNCTION, &device), -EPERM,
		"a process has another function of its group, or interrupts are not isolated");
	refusing.err = -EINVAL;
	assert_says(shunt_vfio_open(&iommufd, CDEV, FUNCTION, &device), -EINVAL,
		"another process holds this function");
	assert_says(shunt_vfio_open(&iommufd, "/dev/vfio/devices/vfio1", FUNCTION, &device),
		-ESTALE, "/dev/vfio/devices/vfio1 belongs to another function now");
	assert_says(shunt_vfio_open(&iommufd, "/dev/vfio/devices/noiommu-vfio0", FUNCTION, &device),
		-ENOTSUP, "without an IOMMU");
}

static void attaching(void **state)
{
	static const struct {
		int err;
		const char *words;
	} cases[] = {
		{ -EBUSY, "being reset" },
		{ -EADDRINUSE, "on virtio-iommu it can since Linux 7" },
		{ -EINVAL, "first-stage tables alone since Linux 7" },
		{ -ENOMEM, "locked-memory limit" },
	};
	struct shunt_vfio_device device = { .iommufd = &iommufd, .function = FUNCTION };

	refusing.request = VFIO_DEVICE_ATTACH_IOMMUFD_PT;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refusing.err = cases[i].err;
		assert_says(shunt_vfio_attach(&device, 3, NULL), cases[i].err, cases[i].words);
	}
}

#define KERNEL_TEST(test) cmocka_unit_test_setup_teardown(test, make_kernel, drop_kernel)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(page_tables),
		KERNEL_TEST(devices),
		KERNEL_TEST(attaching),
	};

	return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
