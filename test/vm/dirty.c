/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dirty tracking by lib/iommufd, on the kernel's mock IOMMU (CONFIG_IOMMUFD_TEST): the answers that
 * test/sim/test_dirty.c expects of the software platform's.
 *
 * usage: dirty
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/iommufd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <shunt/error.h>
#include <shunt/iommufd.h>

/* drivers/iommu/iommufd/iommufd_test.h of Linux, as far as it is used here. */
#define TEST_COMMAND    _IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE + 32)
#define TEST_DEVICE     12 /* a mock device that is attached to an IOAS */
#define TEST_DIRTY      13 /* DMA that writes to pages */
#define DEVICE_NO_DIRTY 1u
#define APERTURE        ((uint64_t)1 << 24)

struct test_command {
	uint32_t size, op, id, reserved;
	union {
		struct {
			uint32_t device, hwpt, bound, flags;
		} device;
		struct {
			uint32_t flags;
			uint64_t iova, length, page_size, bitmap, count;
		} dirty;
	};
	uint32_t last;
};

#define PAGES  70u
#define PAGE   4096ull
#define LENGTH (PAGES * PAGE)

static struct shunt_iommufd iommufd;
static int failures;

static void expect(const char *what, int64_t is, int64_t wanted)
{
	if (is == wanted)
		return;
	printf("%s: %" PRId64 ", wanted %" PRId64 " (%s)\n", what, is, wanted, shunt_errmsg());
	failures++;
}

static void must(const char *what, int ret)
{
	if (!ret)
		return;
	printf("%s: %s\n", what, shunt_errmsg());
	exit(1);
}

static uint32_t mock_device(uint32_t ioas, uint32_t flags)
{
	struct test_command command = {
		.size = sizeof(command), .op = TEST_DEVICE, .id = ioas, .device.flags = flags
	};

	if (ioctl(iommufd.fd, TEST_COMMAND, &command)) {
		printf("a mock device: %s (the kernel needs CONFIG_IOMMUFD_TEST)\n",
			strerror(errno));
		exit(1);
	}
	return command.device.bound;
}

static void write_pages(uint32_t hwpt, uint64_t low, uint64_t high)
{
	uint64_t bitmap[2] = { low, high };
	struct test_command command = { .size = sizeof(command),
		.op = TEST_DIRTY,
		.id = hwpt,
		.dirty = { .iova = APERTURE,
			.length = LENGTH,
			.page_size = PAGE,
			.bitmap = (uintptr_t)bitmap } };

	expect("mock DMA", ioctl(iommufd.fd, TEST_COMMAND, &command), 0);
}

static void expect_dirty(const char *what, uint32_t hwpt, uint64_t low, uint64_t high, bool clear)
{
	uint64_t bitmap[2] = { 0 };

	expect(what, shunt_hwpt_read_dirty(&iommufd, hwpt, APERTURE, LENGTH, PAGE, clear, bitmap),
		0);
	expect(what, (int64_t)bitmap[0], (int64_t)low);
	expect(what, (int64_t)bitmap[1], (int64_t)high);
}

static void refusals(uint32_t device, uint32_t ioas, uint32_t hwpt)
{
	uint64_t bitmap[2] = { 0 };
	uint32_t plain, other;

	expect_dirty("reading while it is off", hwpt, 0, 0, true);
	must("a hwpt without tracking", shunt_hwpt_alloc(&iommufd, device, ioas, &plain));
	expect("tracking of that", shunt_hwpt_track_dirty(&iommufd, plain, true), -EOPNOTSUPP);
	expect("reading of that",
		shunt_hwpt_read_dirty(&iommufd, plain, APERTURE, LENGTH, PAGE, true, bitmap),
		-EOPNOTSUPP);
	expect("an id that is none", shunt_hwpt_track_dirty(&iommufd, 999, true), -ENOENT);
	expect("an IOMMU without tracking",
		shunt_hwpt_alloc_tracking(
			&iommufd, mock_device(ioas, DEVICE_NO_DIRTY), ioas, &other),
		-EOPNOTSUPP);
}

static void tracking(uint32_t hwpt)
{
	uint64_t bits = 0;

	expect("on", shunt_hwpt_track_dirty(&iommufd, hwpt, true), 0);
	expect_dirty("nothing written", hwpt, 0, 0, true);
	write_pages(hwpt, 1ull << 3 | 1ull << 63, 1u | 1u << 5);
	expect_dirty("four pages", hwpt, 1ull << 3 | 1ull << 63, 1u | 1u << 5, false);
	expect_dirty("four pages again", hwpt, 1ull << 3 | 1ull << 63, 1u | 1u << 5, true);
	expect_dirty("cleared", hwpt, 0, 0, false);
	write_pages(hwpt, 1u << 5 | 1u << 8, 0);
	expect("larger pages",
		shunt_hwpt_read_dirty(
			&iommufd, hwpt, APERTURE + 4 * PAGE, 4 * PAGE, 4 * PAGE, true, &bits),
		0);
	expect("one larger page", (int64_t)bits, 1);
	expect_dirty("the page beside it", hwpt, 1u << 8, 0, false);
	expect("no multiple of the page size",
		shunt_hwpt_read_dirty(&iommufd, hwpt, APERTURE + 1, LENGTH, PAGE, true, &bits),
		-EINVAL);
	expect("no bitmap",
		shunt_hwpt_read_dirty(&iommufd, hwpt, APERTURE, LENGTH, PAGE, true, NULL), 0);
	expect_dirty("what that lost", hwpt, 0, 0, false);
	expect("off", shunt_hwpt_track_dirty(&iommufd, hwpt, false), 0);
	expect("on again", shunt_hwpt_track_dirty(&iommufd, hwpt, true), 0);
	expect_dirty("nothing since", hwpt, 0, 0, true);
}

int main(void)
{
	struct iommu_option option = { .size = sizeof(option),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET };
	struct shunt_platform *platform;
	uint32_t ioas, device, hwpt;
	void *pages =
		mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must("platform", shunt_platform_kernel(&platform));
	must("iommufd", shunt_iommufd_open(platform, &iommufd));
	must("IOAS", shunt_ioas_alloc(&iommufd, &ioas));
	option.object_id = ioas;
	expect("leaves of one page", ioctl(iommufd.fd, IOMMU_OPTION, &option), 0);
	device = mock_device(ioas, 0);
	must("memory", shunt_ioas_map(&iommufd, ioas, pages, LENGTH, APERTURE, SHUNT_DMA_BOTH));
	must("a hwpt with tracking", shunt_hwpt_alloc_tracking(&iommufd, device, ioas, &hwpt));
	refusals(device, ioas, hwpt);
	tracking(hwpt);
	must("the end", shunt_iommufd_close(&iommufd));
	shunt_platform_destroy(platform);
	if (!failures)
		printf("dirty tracking: the kernel answers as expected\n");
	return failures != 0;
}
