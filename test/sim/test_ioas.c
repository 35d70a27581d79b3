/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "calls.h"

#define MEMORY_PAGES 8

/* Mapping rules of one IOAS, without and with a hwpt; sources: Linux 6.12 ioas.c, io_pagetable.c.
 */
struct fixture {
	struct rig rig;
	struct shunt_platform *platform;
	int fd;
	uint32_t a, b;
	uint8_t *memory;
};

static int setup(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	rig_open(&fixture.rig, 2, SHUNT_SIM_BLOCKING);
	fixture.platform = fixture.rig.platform;
	fixture.fd = fixture.rig.fd;
	assert_int_equal(call_ioas_alloc(fixture.platform, fixture.fd, &fixture.a), 0);
	assert_int_equal(call_ioas_alloc(fixture.platform, fixture.fd, &fixture.b), 0);
	fixture.memory = pages_create(MEMORY_PAGES * PAGE, 0x5a);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	rig_close(&fixture->rig);
	pages_destroy(fixture->memory, MEMORY_PAGES * PAGE);
	return 0;
}

static int map(struct fixture *fixture, uint32_t ioas, unsigned int page, unsigned int pages,
	uint64_t iova)
{
	return call_map_at(fixture->platform, fixture->fd, ioas, fixture->memory + page * PAGE,
		pages * PAGE, iova);
}

static int unmap(
	struct fixture *fixture, uint32_t ioas, uint64_t iova, uint64_t length, uint64_t *unmapped)
{
	*unmapped = length;
	return call_unmap(fixture->platform, fixture->fd, ioas, iova, unmapped);
}

static uint32_t make_hwpt(struct fixture *fixture, uint32_t ioas)
{
	uint32_t id;

	assert_int_equal(
		call_hwpt_alloc(fixture->platform, fixture->fd, fixture->rig.ids[0], ioas, 0, &id),
		0);
	return id;
}

static unsigned int mappings(struct fixture *fixture)
{
	struct shunt_sim_objects objects;

	shunt_sim_objects(fixture->platform, &objects);
	return objects.mappings;
}

static void test_map_arguments(void **state)
{
	struct fixture *fixture = *state;
	uint64_t memory = (uintptr_t)fixture->memory;
	struct {
		uint64_t va, length, iova;
		uint32_t flags;
		int expected;
	} rows[] = {
		{ memory, PAGE, PAGE, FIXED | 8, -EOPNOTSUPP },
		{ memory, PAGE, UINT64_MAX, FIXED, -EOVERFLOW },
		{ memory, UINT64_MAX, PAGE, FIXED, -EOVERFLOW },
		{ memory, PAGE, PAGE, IOMMU_IOAS_MAP_FIXED_IOVA, -EINVAL },
		{ memory, 0, PAGE, FIXED, -EINVAL },
		{ memory, UINT64_MAX - 1, PAGE, FIXED, -EINVAL },
		{ UINT64_MAX - PAGE, 2 * PAGE, PAGE, FIXED, -EOVERFLOW },
		{ memory, 2 * PAGE, UINT64_MAX - PAGE, FIXED, -EOVERFLOW },
		{ memory, PAGE, 0, FIXED, 0 },
		{ memory, 2 * PAGE, 0, FIXED, -EEXIST },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t iova = rows[i].iova;
		int ret = call_map(fixture->platform, fixture->fd, fixture->a, rows[i].va,
			rows[i].length, &iova, rows[i].flags);

		if (ret != rows[i].expected)
			fail_msg("row %zu: %d, expected %d", i, ret, rows[i].expected);
	}
	assert_int_equal(mappings(fixture), 1);
	assert_int_equal(map(fixture, fixture->a + 100, 0, 1, PAGE), -ENOENT);
	assert_int_equal(map(fixture, fixture->rig.ids[0], 0, 1, PAGE), -ENOENT);
}

static void test_alignment_comes_with_hwpt(void **state)
{
	struct fixture *fixture = *state;
	struct iommu_iova_range range;
	uint64_t alignment, unmapped;
	uint32_t count = 1, hwpt, id;

	assert_int_equal(call_map_at(fixture->platform, fixture->fd, fixture->a,
				 fixture->memory + 3, 5, 0x1007),
		0);
	assert_int_equal(
		call_ranges(fixture->platform, fixture->fd, fixture->a, &range, &count, &alignment),
		0);
	assert_true(count == 1 && range.start == 0 && range.last == UINT64_MAX && alignment == 1);
	assert_int_equal(call_hwpt_alloc(fixture->platform, fixture->fd, fixture->rig.ids[0],
				 fixture->a, 0, &id),
		-EADDRINUSE);
	assert_int_equal(unmap(fixture, fixture->a, 0x1007, 5, &unmapped), 0);
	assert_int_equal(unmapped, 5);

	hwpt = make_hwpt(fixture, fixture->a);
	assert_int_equal(
		call_ranges(fixture->platform, fixture->fd, fixture->a, &range, &count, &alignment),
		0);
	assert_true(count == 1 && range.last == 0xffffffffffff && alignment == PAGE);
	assert_int_equal(map(fixture, fixture->a, 0, 1, 0x1007), -EINVAL);
	assert_int_equal(map(fixture, fixture->a, 0, 1, 1ull << 48), -EINVAL);
	assert_int_equal(call_map_at(fixture->platform, fixture->fd, fixture->a,
				 fixture->memory + 8, PAGE, PAGE),
		-EINVAL);
	assert_int_equal(
		call_map_at(fixture->platform, fixture->fd, fixture->a, fixture->memory, 100, PAGE),
		-EINVAL);
	assert_int_equal(map(fixture, fixture->a, 0, 1, 0xfffffffff000), 0);

	assert_int_equal(call_destroy(fixture->platform, fixture->fd, hwpt), 0);
	assert_int_equal(map(fixture, fixture->a, 0, 1, 0x1007), 0);
}

static void test_beyond_aperture(void **state)
{
	struct fixture *fixture = *state;
	uint32_t id;

	assert_int_equal(map(fixture, fixture->a, 0, 1, 1ull << 48), 0);
	assert_int_equal(call_hwpt_alloc(fixture->platform, fixture->fd, fixture->rig.ids[0],
				 fixture->a, 0, &id),
		-EADDRINUSE);
	id = fixture->a;
	assert_int_equal(call_attach(fixture->platform, fixture->rig.devices[0], &id), -EADDRINUSE);
	/* Nothing of the failed attach is left. */
	id = fixture->b;
	assert_int_equal(call_attach(fixture->platform, fixture->rig.devices[0], &id), 0);
	assert_int_equal(call_destroy(fixture->platform, fixture->fd, fixture->a), 0);
}

static void test_mapping_in_msi_window(void **state)
{
	struct fixture *fixture = *state;
	uint32_t hwpt = make_hwpt(fixture, fixture->a);
	uint32_t other = make_hwpt(fixture, fixture->b);

	/* A hwpt alone reserves nothing below 2^48, an attached device does. */
	assert_int_equal(map(fixture, fixture->a, 0, 1, 0xfee00000), 0);
	assert_int_equal(
		call_attach(fixture->platform, fixture->rig.devices[0], &hwpt), -EADDRINUSE);
	assert_int_equal(call_attach(fixture->platform, fixture->rig.devices[0], &other), 0);
	assert_int_equal(
		call_attach(fixture->platform, fixture->rig.devices[0], &hwpt), -EADDRINUSE);
	assert_int_equal(map(fixture, fixture->b, 0, 1, 0xfeeff000), -EINVAL);
	assert_int_equal(call_detach(fixture->platform, fixture->rig.devices[0]), 0);
	assert_int_equal(map(fixture, fixture->b, 0, 1, 0xfeeff000), 0);
}

static void test_unmap(void **state)
{
	struct fixture *fixture = *state;
	uint64_t unmapped;

	assert_int_equal(unmap(fixture, fixture->a, 0, UINT64_MAX, &unmapped), 0);
	assert_int_equal(unmapped, 0);
	assert_int_equal(unmap(fixture, fixture->a, PAGE, 0, &unmapped), -EINVAL);
	assert_int_equal(unmap(fixture, fixture->a, UINT64_MAX, PAGE, &unmapped), -EOVERFLOW);
	assert_int_equal(
		unmap(fixture, fixture->a, 2 * PAGE, UINT64_MAX - 1, &unmapped), -EOVERFLOW);
	assert_int_equal(unmap(fixture, fixture->a, PAGE, PAGE, &unmapped), -ENOENT);

	make_hwpt(fixture, fixture->a);
	assert_int_equal(map(fixture, fixture->a, 0, 2, 0x10000), 0);
	assert_int_equal(map(fixture, fixture->a, 2, 2, 0x12000), 0);
	assert_int_equal(map(fixture, fixture->a, 4, 2, 0x20000), 0);
	assert_int_equal(unmap(fixture, fixture->a, 0x11000, PAGE, &unmapped), -ENOENT);
	/* Whole mappings before the one that is cut are gone, and the call fails. */
	assert_int_equal(unmap(fixture, fixture->a, 0x10000, 3 * PAGE, &unmapped), -ENOENT);
	assert_int_equal(mappings(fixture), 2);
	assert_int_equal(unmap(fixture, fixture->a, 0x12000, 0x20000, &unmapped), 0);
	assert_int_equal(unmapped, 4 * PAGE);
	assert_int_equal(mappings(fixture), 0);

	assert_int_equal(map(fixture, fixture->a, 0, 3, 0x10000), 0);
	assert_int_equal(map(fixture, fixture->a, 0, 1, 0x40000), 0);
	assert_int_equal(unmap(fixture, fixture->a, 0, UINT64_MAX, &unmapped), 0);
	assert_int_equal(unmapped, 4 * PAGE);
}

static int copy(
	struct fixture *fixture, uint64_t src, uint64_t length, uint64_t dst, uint32_t flags)
{
	return call_copy(
		fixture->platform, fixture->fd, fixture->a, src, fixture->b, length, &dst, flags);
}

static void test_copy(void **state)
{
	struct fixture *fixture = *state;
	struct sim_dma *dma = &fixture->rig.sim->functions[0].dma;
	uint64_t readable = 0x30000;
	uint32_t id;

	make_hwpt(fixture, fixture->a);
	assert_int_equal(map(fixture, fixture->a, 0, 2, 0x10000), 0);
	assert_int_equal(map(fixture, fixture->a, 4, 2, 0x12000), 0);
	assert_int_equal(copy(fixture, 0x10000, 0, 0, FIXED), -EINVAL);
	assert_int_equal(copy(fixture, 0x10000, PAGE, 0, IOMMU_IOAS_MAP_FIXED_IOVA), -EINVAL);
	assert_int_equal(copy(fixture, 0x10000, PAGE, 0, FIXED | 8), -EOPNOTSUPP);
	assert_int_equal(copy(fixture, 0x10000, 5 * PAGE, 0, FIXED), -ENOENT);
	assert_int_equal(copy(fixture, 0xf000, PAGE, 0, FIXED), -ENOENT);

	/* Part of one mapping, the end of one and the start of the next, and onto itself. */
	fixture->memory[PAGE] = 1;
	fixture->memory[4 * PAGE] = 4;
	assert_int_equal(copy(fixture, 0x11000, 2 * PAGE, 0x51000, FIXED), 0);
	assert_int_equal(copy(fixture, 0x10000, PAGE, 0x51000, FIXED), -EEXIST);
	assert_int_equal(mappings(fixture), 4);
	id = fixture->b;
	assert_int_equal(call_attach(fixture->platform, fixture->rig.devices[0], &id), 0);
	assert_int_equal(*sim_dma_translate(dma, 0x51000, SHUNT_DMA_WRITE), 1);
	assert_int_equal(*sim_dma_translate(dma, 0x52000, SHUNT_DMA_WRITE), 4);
	assert_null(sim_dma_translate(dma, 0x53000, SHUNT_DMA_READ));

	/* Memory that was mapped for reading stays so. */
	assert_int_equal(
		call_map(fixture->platform, fixture->fd, fixture->a, (uintptr_t)fixture->memory,
			PAGE, &readable, IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA),
		0);
	assert_int_equal(copy(fixture, readable, PAGE, readable, FIXED), -EPERM);
	assert_int_equal(copy(fixture, readable, PAGE, readable,
				 IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA),
		0);
	assert_non_null(sim_dma_translate(dma, readable, SHUNT_DMA_READ));
	assert_null(sim_dma_translate(dma, readable, SHUNT_DMA_WRITE));
}

static void test_placement(void **state)
{
	struct fixture *fixture = *state;
	const struct iommu_iova_range wrong = { .start = 8 * PAGE, .last = 8 * PAGE };
	const struct iommu_iova_range allowed[] = { { .start = 0x80000, .last = 0x80fff },
		{ .start = 0xfedff000, .last = 0xfedfffff } };
	uint64_t iova = 0, unmapped;
	uint32_t id;

	assert_int_equal(call_map(fixture->platform, fixture->fd, fixture->a,
				 (uintptr_t)fixture->memory, 2 * PAGE, &iova, RW),
		0);
	assert_true(iova >= PAGE && iova % PAGE == 0);
	assert_int_equal(unmap(fixture, fixture->a, iova, 2 * PAGE, &unmapped), 0);

	assert_int_equal(
		call_allow(fixture->platform, fixture->fd, fixture->a, &wrong, 1), -EINVAL);
	assert_int_equal(call_allow(fixture->platform, fixture->fd, fixture->a, allowed, 2), 0);
	assert_int_equal(call_map(fixture->platform, fixture->fd, fixture->a,
				 (uintptr_t)fixture->memory, PAGE, &iova, RW),
		0);
	assert_int_equal(iova, 0x80000);
	assert_int_equal(call_map(fixture->platform, fixture->fd, fixture->a,
				 (uintptr_t)fixture->memory, PAGE, &iova, RW),
		0);
	assert_int_equal(iova, 0xfedff000);
	assert_int_equal(call_map(fixture->platform, fixture->fd, fixture->a,
				 (uintptr_t)fixture->memory, PAGE, &iova, RW),
		-ENOSPC);

	/* What the user wants allowed and what a device reserves exclude each other. */
	id = fixture->a;
	assert_int_equal(call_attach(fixture->platform, fixture->rig.devices[0], &id), 0);
	assert_int_equal(
		call_allow(fixture->platform, fixture->fd, fixture->a,
			&(struct iommu_iova_range){ .start = 0xfee00000, .last = 0xffffffff }, 1),
		-EADDRINUSE);
	assert_int_equal(
		call_allow(fixture->platform, fixture->fd, fixture->b,
			&(struct iommu_iova_range){ .start = 0xfee00000, .last = 0xffffffff }, 1),
		0);
	id = fixture->b;
	assert_int_equal(call_attach(fixture->platform, fixture->rig.devices[0], &id), -EADDRINUSE);
}

static void test_memory_that_is_not_there(void **state)
{
	struct fixture *fixture = *state;
	uint8_t *gone = pages_create(2 * PAGE, 0);
	uint32_t id, before, after;

	pages_destroy(gone, 2 * PAGE);
	/* Nobody looks at the memory until a hwpt takes it. */
	assert_int_equal(
		call_map_at(fixture->platform, fixture->fd, fixture->a, gone, 2 * PAGE, 0), 0);
	assert_int_equal(call_hwpt_alloc(fixture->platform, fixture->fd, fixture->rig.ids[0],
				 fixture->a, 0, &id),
		-EFAULT);
	before = make_hwpt(fixture, fixture->b);
	assert_int_equal(call_map_at(fixture->platform, fixture->fd, fixture->b, gone, 2 * PAGE, 0),
		-EFAULT);
	assert_int_equal(map(fixture, fixture->b, 0, 2, 0), 0);
	after = make_hwpt(fixture, fixture->b);
	assert_int_equal(after, before + 1);
}

static void test_options(void **state)
{
	struct fixture *fixture = *state;
	struct iommu_option arg = {
		.size = sizeof(arg), .option_id = IOMMU_OPTION_HUGE_PAGES, .object_id = fixture->a
	};

	arg.op = 2;
	assert_int_equal(
		fixture->platform->ops->ioctl(fixture->platform, fixture->fd, IOMMU_OPTION, &arg),
		-EOPNOTSUPP);
	arg.op = IOMMU_OPTION_OP_GET;
	assert_int_equal(
		fixture->platform->ops->ioctl(fixture->platform, fixture->fd, IOMMU_OPTION, &arg),
		0);
	assert_int_equal(arg.val64, 1);
	assert_int_equal(call_huge_pages(fixture->platform, fixture->fd, fixture->a, false), 0);
	assert_int_equal(map(fixture, fixture->a, 0, 1, 0x1007), -EINVAL);
	assert_int_equal(call_huge_pages(fixture->platform, fixture->fd, fixture->a, true), 0);
	make_hwpt(fixture, fixture->a);
	assert_int_equal(map(fixture, fixture->a, 0, 1, 0x1000), 0);
	assert_int_equal(
		call_huge_pages(fixture->platform, fixture->fd, fixture->a, false), -EINVAL);

	arg = (struct iommu_option){ .size = sizeof(arg),
		.option_id = IOMMU_OPTION_RLIMIT_MODE,
		.op = IOMMU_OPTION_OP_SET,
		.val64 = 1 };
	assert_int_equal(
		fixture->platform->ops->ioctl(fixture->platform, fixture->fd, IOMMU_OPTION, &arg),
		-EBUSY);
	arg.object_id = fixture->a;
	assert_int_equal(
		fixture->platform->ops->ioctl(fixture->platform, fixture->fd, IOMMU_OPTION, &arg),
		-EOPNOTSUPP);
}

static void test_structure_rules(void **state)
{
	struct fixture *fixture = *state;
	int (*ioctl)(struct shunt_platform *, int, unsigned long, void *) =
		fixture->platform->ops->ioctl;
	struct {
		struct iommu_ioas_alloc alloc;
		uint32_t beyond;
	} larger = { .alloc = { .size = sizeof(larger) } };
	struct iommu_ioas_map command = {
		.size = sizeof(command), .flags = FIXED, .__reserved = 1
	};
	struct iommu_destroy destroy = { .size = 4 };

	assert_int_equal(ioctl(fixture->platform, fixture->fd, IOMMU_DESTROY, NULL), -EFAULT);
	assert_int_equal(ioctl(fixture->platform, fixture->fd, IOMMU_DESTROY, &destroy), -EINVAL);
	assert_int_equal(ioctl(fixture->platform, fixture->fd, _IO(';', 0xf0), &destroy), -ENOTTY);
	assert_int_equal(
		ioctl(fixture->platform, fixture->fd, _IO('<', IOMMUFD_CMD_DESTROY), &destroy),
		-ENOTTY);
	assert_int_equal(
		ioctl(fixture->platform, fixture->fd, IOMMU_IOAS_MAP, &command), -EOPNOTSUPP);
	larger.beyond = 1;
	assert_int_equal(ioctl(fixture->platform, fixture->fd, IOMMU_IOAS_ALLOC, &larger), -E2BIG);
	larger.beyond = 0;
	assert_int_equal(ioctl(fixture->platform, fixture->fd, IOMMU_IOAS_ALLOC, &larger), 0);
	larger.alloc.flags = 1;
	assert_int_equal(
		ioctl(fixture->platform, fixture->fd, IOMMU_IOAS_ALLOC, &larger), -EOPNOTSUPP);
	assert_int_equal(ioctl(fixture->platform, 3, IOMMU_IOAS_ALLOC, &larger), -EBADF);
}

static void test_ids(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first, second, again;

	/* Devices took 1 and 2, the fixture's IOASes 3 and 4. */
	assert_int_equal(call_ioas_alloc(fixture->platform, fixture->fd, &first), 0);
	assert_int_equal(call_ioas_alloc(fixture->platform, fixture->fd, &second), 0);
	assert_int_equal(first, 5);
	assert_int_equal(second, 6);
	assert_int_equal(call_destroy(fixture->platform, fixture->fd, first), 0);
	assert_int_equal(call_destroy(fixture->platform, fixture->fd, first), -ENOENT);
	assert_int_equal(call_ioas_alloc(fixture->platform, fixture->fd, &again), 0);
	assert_int_equal(again, first);
	assert_int_equal(call_destroy(fixture->platform, fixture->fd, 0), -ENOENT);
	assert_int_equal(call_destroy(fixture->platform, fixture->fd, fixture->rig.ids[0]), -EBUSY);
}

static void test_hwpt_alloc_arguments(void **state)
{
	struct fixture *fixture = *state;
	uint32_t device = fixture->rig.ids[0], hwpt, id;

	assert_int_equal(
		call_hwpt_alloc(fixture->platform, fixture->fd, 100, fixture->a, 0, &id), -ENOENT);
	assert_int_equal(
		call_hwpt_alloc(fixture->platform, fixture->fd, device, 100, 0, &id), -EINVAL);
	assert_int_equal(
		call_hwpt_alloc(fixture->platform, fixture->fd, device, device, 0, &id), -EINVAL);
	assert_int_equal(call_hwpt_alloc(fixture->platform, fixture->fd, device, fixture->a,
				 IOMMU_HWPT_ALLOC_NEST_PARENT, &id),
		-EOPNOTSUPP);
	hwpt = make_hwpt(fixture, fixture->a);
	assert_int_equal(
		call_hwpt_alloc(fixture->platform, fixture->fd, device, hwpt, 0, &id), -EOPNOTSUPP);
	assert_int_equal(call_destroy(fixture->platform, fixture->fd, fixture->a), -EBUSY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_map_arguments),
		TEST(test_alignment_comes_with_hwpt),
		TEST(test_beyond_aperture),
		TEST(test_mapping_in_msi_window),
		TEST(test_unmap),
		TEST(test_copy),
		TEST(test_placement),
		TEST(test_memory_that_is_not_there),
		TEST(test_options),
		TEST(test_structure_rules),
		TEST(test_ids),
		TEST(test_hwpt_alloc_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
