/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include <cmocka.h>

#include "inject.h"

#define DESCRIPTOR 7
#define UNNAMED    0x1234ul

/* The platform below: answers every call and counts what reached it. */
struct below {
	struct shunt_platform platform;
	uint64_t calls[INJECT_OPS];
	bool destroyed;
	char memory[16];
};

static uint64_t *counter(struct shunt_platform *platform, enum inject_op op)
{
	return &((struct below *)platform)->calls[op];
}

static int below_open(struct shunt_platform *platform, const char *path)
{
	(*counter(platform, INJECT_OPEN))++;
	return strcmp(path, "/dev/iommu") == 0 ? DESCRIPTOR : -ENOENT;
}

static int below_close(struct shunt_platform *platform, int fd)
{
	(*counter(platform, INJECT_CLOSE))++;
	return fd == DESCRIPTOR ? 0 : -EBADF;
}

static int below_ioctl(struct shunt_platform *platform, int fd, unsigned long request, void *arg)
{
	(*counter(platform, INJECT_IOCTL))++;
	*(unsigned long *)arg = request;
	return 0;
}

static int below_map(
	struct shunt_platform *platform, int fd, uint64_t offset, size_t length, void **addr)
{
	(*counter(platform, INJECT_MAP))++;
	*addr = ((struct below *)platform)->memory;
	return 0;
}

static int below_unmap(struct shunt_platform *platform, void *addr, size_t length)
{
	(*counter(platform, INJECT_UNMAP))++;
	return 0;
}

static int below_read(
	struct shunt_platform *platform, int fd, uint64_t offset, void *buf, size_t length)
{
	(*counter(platform, INJECT_READ))++;
	memcpy(buf, ((struct below *)platform)->memory + offset, length);
	return 0;
}

static int below_write(
	struct shunt_platform *platform, int fd, uint64_t offset, const void *buf, size_t length)
{
	(*counter(platform, INJECT_WRITE))++;
	memcpy(((struct below *)platform)->memory + offset, buf, length);
	return 0;
}

static int below_watch(struct shunt_platform *platform, const char *function)
{
	return strcmp(function, "0000:03:00.0") == 0 ? 0 : -EINVAL;
}

static int below_faults(
	struct shunt_platform *platform, struct shunt_fault *records, unsigned int n)
{
	(*counter(platform, INJECT_FAULTS))++;
	records[0].iova = 0x1000;
	return 1;
}

static void below_info(
	struct shunt_platform *platform, const char *function, struct shunt_platform_info *info)
{
	snprintf(info->iommu, sizeof(info->iommu), "fake");
}

static void below_destroy(struct shunt_platform *platform)
{
	((struct below *)platform)->destroyed = true;
}

static const struct shunt_platform_ops below_ops = { below_open, below_close, below_ioctl,
	below_map, below_unmap, below_read, below_write, below_watch, below_faults, below_info,
	below_destroy };

static struct below below;
static struct inject *inject;
static struct shunt_platform *platform;

static int make_inject(void **state)
{
	below = (struct below){ .platform = { &below_ops, "fake", "/fake/sysfs" } };
	if (inject_create(&below.platform, &inject))
		return -1;
	platform = inject_platform(inject);
	return 0;
}

static int drop_inject(void **state)
{
	inject_destroy(inject);
	return 0;
}

static int do_ioctl(unsigned long request)
{
	unsigned long seen = 0;
	int ret = platform->ops->ioctl(platform, DESCRIPTOR, request, &seen);

	assert_true(ret ? seen == 0 : seen == request);
	return ret;
}

/* Five fallible calls, one of each kind; stops at the first that fails. */
static int run(void)
{
	struct shunt_fault fault = { 0 };
	char byte = 'x';
	void *addr = NULL;
	int fd, ret;

	fd = platform->ops->open(platform, "/dev/iommu");
	if (fd < 0)
		return fd;
	ret = do_ioctl(IOMMU_IOAS_MAP);
	if (ret)
		goto out;
	ret = platform->ops->map(platform, fd, 0, 4, &addr);
	if (ret)
		goto out;
	ret = platform->ops->write(platform, fd, 3, "y", 1);
	if (!ret)
		ret = platform->ops->read(platform, fd, 3, &byte, 1);
	assert_int_equal(byte, ret ? 'x' : 'y');
	assert_int_equal(platform->ops->watch(platform, "0000:03:00.0"), 0);
	assert_int_equal(platform->ops->faults(platform, &fault, 1), 1);
	assert_int_equal(fault.iova, 0x1000);
	assert_int_equal(platform->ops->unmap(platform, addr, 4), 0);
out:
	assert_int_equal(platform->ops->close(platform, fd), 0);
	return ret;
}

static void passes_everything_on(void **state)
{
	struct shunt_platform_info info = { 0 };
	int op;

	assert_string_equal(platform->name, "fake");
	assert_string_equal(platform->sysfs, "/fake/sysfs");
	assert_int_equal(run(), 0);
	for (op = 0; op < INJECT_OPS; op++) {
		assert_int_equal(below.calls[op], 1);
		assert_int_equal(inject_calls(inject, op), 1);
	}
	assert_int_equal(inject_fallible_calls(inject), 5);
	assert_int_equal(platform->ops->open(platform, "/nowhere"), -ENOENT);
	assert_int_equal(inject_failures(inject), 0);
	assert_string_equal(inject_failed_call(inject), "");
	platform->ops->info(platform, NULL, &info);
	assert_string_equal(info.iommu, "fake");
	shunt_platform_destroy(platform);
	assert_false(below.destroyed);
}

static void each_call_in_turn(void **state)
{
	static const char *const names[] = { "open", "IOMMU_IOAS_MAP", "map", "write", "read" };
	static const enum inject_op ops[] = { INJECT_OPEN, INJECT_IOCTL, INJECT_MAP, INJECT_WRITE,
		INJECT_READ };
	uint64_t reached;
	size_t nth;

	for (nth = 0; nth < 5; nth++) {
		reached = below.calls[ops[nth]];
		inject_fail(inject, NULL, nth + 1, 1, EIO);
		assert_int_equal(run(), -EIO);
		assert_int_equal(inject_failures(inject), 1);
		assert_string_equal(inject_failed_call(inject), names[nth]);
		assert_int_equal(below.calls[ops[nth]], reached);
	}
	inject_fail(inject, NULL, 6, 1, EIO);
	assert_int_equal(run(), 0);
	assert_int_equal(inject_failures(inject), 0);
	assert_string_equal(inject_failed_call(inject), "");
	assert_int_equal(inject_calls(inject, INJECT_OPEN), 6);
	assert_int_equal(inject_calls(inject, INJECT_CLOSE), 5);
}

static void several_in_a_row(void **state)
{
	inject_fail(inject, NULL, 2, 2, EBUSY);
	assert_int_equal(do_ioctl(IOMMU_IOAS_ALLOC), 0);
	assert_int_equal(do_ioctl(VFIO_DEVICE_RESET), -EBUSY);
	assert_int_equal(do_ioctl(IOMMU_DESTROY), -EBUSY);
	assert_int_equal(do_ioctl(IOMMU_DESTROY), 0);
	assert_int_equal(inject_failures(inject), 2);
	assert_string_equal(inject_failed_call(inject), "VFIO_DEVICE_RESET");
}

static void from_then_on(void **state)
{
	int i;

	inject_fail(inject, NULL, 1, UINT64_MAX, ENOMEM);
	for (i = 0; i < 10; i++)
		assert_int_equal(do_ioctl(IOMMU_IOAS_UNMAP), -ENOMEM);
	inject_stop(inject);
	assert_int_equal(do_ioctl(IOMMU_IOAS_UNMAP), 0);
	assert_int_equal(inject_failures(inject), 10);
	assert_string_equal(inject_failed_call(inject), "IOMMU_IOAS_UNMAP");
}

static void only_one_request(void **state)
{
	inject_fail(inject, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", 2, 1, EINVAL);
	assert_int_equal(do_ioctl(VFIO_DEVICE_ATTACH_IOMMUFD_PT), 0);
	assert_int_equal(run(), 0);
	assert_int_equal(do_ioctl(VFIO_DEVICE_DETACH_IOMMUFD_PT), 0);
	assert_int_equal(do_ioctl(VFIO_DEVICE_ATTACH_IOMMUFD_PT), -EINVAL);
	assert_int_equal(do_ioctl(VFIO_DEVICE_ATTACH_IOMMUFD_PT), 0);
	assert_int_equal(inject_failures(inject), 1);
}

static void request_names(void **state)
{
	assert_string_equal(inject_request_name(IOMMU_HWPT_ALLOC), "IOMMU_HWPT_ALLOC");
	assert_string_equal(
		inject_request_name(VFIO_DEVICE_BIND_IOMMUFD), "VFIO_DEVICE_BIND_IOMMUFD");
	assert_null(inject_request_name(UNNAMED));
	inject_fail(inject, NULL, 1, 1, EIO);
	assert_int_equal(do_ioctl(UNNAMED), -EIO);
	assert_string_equal(inject_failed_call(inject), "ioctl 0x1234");
}

#define INJECT_TEST(test) cmocka_unit_test_setup_teardown(test, make_inject, drop_inject)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INJECT_TEST(passes_everything_on),
		INJECT_TEST(each_call_in_turn),
		INJECT_TEST(several_in_a_row),
		INJECT_TEST(from_then_on),
		INJECT_TEST(only_one_request),
		INJECT_TEST(request_names),
	};

	return cmocka_run_group_tests_name("inject", tests, NULL, NULL);
}
