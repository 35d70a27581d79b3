/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "calls.h"
#include "sim_iommu.h"

/*
 * What iommufd tells of the hardware, and how it takes structures and pieces that hardware cannot
 * take; sources: Linux 6.12 device.c, io_pagetable.c, copy_struct_from_user().
 */
struct fixture {
	struct rig rig;
	uint32_t ioas;
	uint8_t *memory;
};

static int setup(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	rig_open(&fixture.rig, 1, SHUNT_SIM_BLOCKING);
	assert_int_equal(call_ioas_alloc(fixture.rig.platform, fixture.rig.fd, &fixture.ioas), 0);
	fixture.memory = pages_create(4 * PAGE, 0);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	rig_close(&fixture->rig);
	pages_destroy(fixture->memory, 4 * PAGE);
	return 0;
}

static int ioctl(struct fixture *fixture, unsigned long request, void *arg)
{
	struct shunt_platform *platform = fixture->rig.platform;

	return platform->ops->ioctl(platform, fixture->rig.fd, request, arg);
}

/* The registers say what the model does: Intel VT-d specification, 11.4.2 and 11.4.3. */
static void test_vtd_registers(void **state)
{
	struct fixture *fixture = *state;
	struct iommu_hw_info_vtd vtd;
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.dev_id = fixture->rig.ids[0],
		.data_len = sizeof(vtd),
		.data_uptr = (uintptr_t)&vtd,
	};

	assert_int_equal(ioctl(fixture, IOMMU_GET_HW_INFO, &info), 0);
	assert_int_equal(info.out_data_type, IOMMU_HW_INFO_TYPE_INTEL_VTD);
	assert_int_equal(info.data_len, sizeof(vtd));
	assert_int_equal(info.out_capabilities, 0);
	assert_int_equal((vtd.cap_reg >> 16 & 0x3f) + 1, SIM_DOMAIN_BITS); /* MGAW */
	assert_int_equal(vtd.cap_reg >> 8 & 0x1f, 1 << 2);                 /* SAGAW: 4 levels */
	assert_int_equal(vtd.cap_reg >> 34 & 0xf, 0x3);                    /* SLLPS: 2M, 1G */
	assert_int_equal(vtd.ecap_reg >> 1 & 1, 1);                        /* QI */
	assert_int_equal(vtd.ecap_reg >> 43 & 1, 0);                       /* SMTS: not scalable */
}

/* What the caller has more room for than there is to tell is zeroed, less is cut off. */
static void test_room_for_registers(void **state)
{
	struct fixture *fixture = *state;
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.dev_id = fixture->rig.ids[0],
		.data_len = 40,
		.data_uptr = (uintptr_t)fixture->memory,
	};

	memset(fixture->memory, 0xa5, 64);
	assert_int_equal(ioctl(fixture, IOMMU_GET_HW_INFO, &info), 0);
	for (unsigned int i = sizeof(struct iommu_hw_info_vtd); i < 40; i++)
		assert_int_equal(fixture->memory[i], 0);
	assert_int_equal(fixture->memory[40], 0xa5);

	memset(fixture->memory, 0xa5, 64);
	info.data_len = 12;
	assert_int_equal(ioctl(fixture, IOMMU_GET_HW_INFO, &info), 0);
	assert_int_equal(info.data_len, sizeof(struct iommu_hw_info_vtd));
	assert_int_not_equal(fixture->memory[8], 0xa5);
	assert_int_equal(fixture->memory[12], 0xa5);
}

/* A larger structure is read until something is known to be wrong, not further. */
static void test_larger_structure(void **state)
{
	struct fixture *fixture = *state;
	struct iommu_ioas_alloc *alloc = (void *)(fixture->memory + PAGE - sizeof(*alloc));

	assert_int_equal(munmap(fixture->memory + 2 * PAGE, PAGE), 0);
	alloc->size = 3 * PAGE;
	assert_int_equal(ioctl(fixture, IOMMU_IOAS_ALLOC, alloc), -EFAULT);
	fixture->memory[2 * PAGE - 1] = 1;
	assert_int_equal(ioctl(fixture, IOMMU_IOAS_ALLOC, alloc), -E2BIG);
	fixture->memory[2 * PAGE - 1] = 0;
	alloc->size = sizeof(*alloc) + PAGE;
	assert_int_equal(ioctl(fixture, IOMMU_IOAS_ALLOC, alloc), 0);
	assert_ptr_equal(mmap(fixture->memory + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
		fixture->memory + 2 * PAGE);
}

/* The sum of a copy's pieces is whole pages, the pieces are not. */
static void test_copy_of_parts_of_pages(void **state)
{
	struct fixture *fixture = *state;
	struct shunt_platform *platform = fixture->rig.platform;
	uint64_t iova = 0x10000, length = PAGE;
	uint32_t other, hwpt;
	int fd = fixture->rig.fd;

	assert_int_equal(call_map_at(platform, fd, fixture->ioas, fixture->memory, 0x800, iova), 0);
	assert_int_equal(call_map_at(platform, fd, fixture->ioas, fixture->memory + PAGE, 0x800,
				 iova + 0x800),
		0);
	assert_int_equal(call_ioas_alloc(platform, fd, &other), 0);
	assert_int_equal(call_hwpt_alloc(platform, fd, fixture->rig.ids[0], other, 0, &hwpt), 0);
	assert_int_equal(
		call_copy(platform, fd, fixture->ioas, iova, other, PAGE, &iova, FIXED), -EINVAL);
	assert_int_equal(call_unmap(platform, fd, other, iova, &length), -ENOENT);
	assert_int_equal(call_destroy(platform, fd, hwpt), 0);
	assert_int_equal(
		call_copy(platform, fd, fixture->ioas, iova, other, PAGE, &iova, FIXED), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_vtd_registers),
		TEST(test_room_for_registers),
		TEST(test_larger_structure),
		TEST(test_copy_of_parts_of_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
