/* SPDX-License-Identifier: BSD-3-Clause */
/* Dirty tracking: an IOMMU that notes which pages DMA writes to, and lib/iommufd's calls for it. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/error.h>
#include <shunt/iommufd.h>

#include "calls.h"
#include "sim_iommu.h"

#define PAGES  70u /* more than a word of the bitmap */
#define START  0x200000ull
#define LENGTH (PAGES * PAGE)
#define ROUNDS 300u

static struct rig rig;
static struct shunt_iommufd iommufd;
static struct sim_dma *dma;
static uint8_t *pages;
static uint32_t ioas, hwpt;
static uint64_t bitmap[2];

static int begin(void **state)
{
	rig_open(&rig, 1, SHUNT_SIM_BLOCKING);
	rig.sim->config.dirty_tracking = true;
	iommufd = (struct shunt_iommufd){ .platform = rig.platform, .fd = rig.fd };
	dma = &rig.sim->functions[0].dma;
	pages = pages_create(LENGTH, 0);
	assert_int_equal(shunt_ioas_alloc(&iommufd, &ioas), 0);
	assert_int_equal(call_huge_pages(rig.platform, rig.fd, ioas, false), 0);
	assert_int_equal(shunt_ioas_map(&iommufd, ioas, pages, LENGTH, START, SHUNT_DMA_BOTH), 0);
	assert_int_equal(shunt_hwpt_alloc_tracking(&iommufd, rig.ids[0], ioas, &hwpt), 0);
	assert_int_equal(call_attach(rig.platform, rig.devices[0], &hwpt), 0);
	return 0;
}

static int end(void **state)
{
	assert_int_equal(call_detach(rig.platform, rig.devices[0]), 0);
	assert_int_equal(call_destroy(rig.platform, rig.fd, hwpt), 0);
	rig_close(&rig);
	pages_destroy(pages, LENGTH);
	return 0;
}

static void track(bool on)
{
	assert_int_equal(shunt_hwpt_track_dirty(&iommufd, hwpt, on), 0);
}

static void write_page(unsigned int page)
{
	static const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	assert_true(sim_dma_write(dma, START + page * PAGE + 100, bytes, sizeof(bytes)));
}

static void read_page(unsigned int page)
{
	uint8_t bytes[8];

	assert_true(sim_dma_read(dma, START + page * PAGE, bytes, sizeof(bytes)));
}

static void assert_dirty(uint64_t low, uint64_t high, bool clear)
{
	memset(bitmap, 0, sizeof(bitmap));
	assert_int_equal(
		shunt_hwpt_read_dirty(&iommufd, hwpt, START, LENGTH, PAGE, clear, bitmap), 0);
	assert_int_equal(bitmap[0], low);
	assert_int_equal(bitmap[1], high);
}

static void written_pages_are_found(void **state)
{
	track(true);
	assert_dirty(0, 0, true);
	read_page(2);
	write_page(3);
	write_page(63);
	write_page(64);
	write_page(69);
	assert_dirty(1ull << 3 | 1ull << 63, 1u | 1u << 5, false);
	assert_dirty(1ull << 3 | 1ull << 63, 1u | 1u << 5, true);
	assert_dirty(0, 0, false);
	/* A page that was read, or was dirty, may be in the IOTLB. */
	write_page(2);
	write_page(3);
	assert_dirty(1u << 2 | 1u << 3, 0, true);
	track(false);
}

static void only_while_it_is_on(void **state)
{
	write_page(1);
	track(true);
	assert_dirty(0, 0, true);
	write_page(1);
	track(false);
	track(true);
	assert_dirty(0, 0, true);
}

static void part_of_the_range_in_larger_pages(void **state)
{
	uint64_t bits = 0;

	track(true);
	write_page(5);
	write_page(8);
	assert_int_equal(shunt_hwpt_read_dirty(
				 &iommufd, hwpt, START + 4 * PAGE, 4 * PAGE, 4 * PAGE, true, &bits),
		0);
	assert_int_equal(bits, 1);
	assert_dirty(1u << 8, 0, true);
}

static void a_mapping_that_is_new_is_clean(void **state)
{
	uint64_t length = LENGTH;

	track(true);
	write_page(7);
	assert_int_equal(call_unmap(rig.platform, rig.fd, ioas, START, &length), 0);
	assert_dirty(0, 0, true);
	assert_int_equal(shunt_ioas_map(&iommufd, ioas, pages, LENGTH, START, SHUNT_DMA_BOTH), 0);
	assert_dirty(0, 0, true);
	write_page(7);
	assert_dirty(1u << 7, 0, true);
}

static void what_is_refused(void **state)
{
	uint32_t plain, other;

	rig.sim->config.dirty_tracking = false;
	assert_int_equal(
		shunt_hwpt_alloc_tracking(&iommufd, rig.ids[0], ioas, &other), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(), "with dirty tracking"));
	rig.sim->config.dirty_tracking = true;
	assert_int_equal(shunt_hwpt_alloc(&iommufd, rig.ids[0], ioas, &plain), 0);
	assert_int_equal(shunt_hwpt_track_dirty(&iommufd, plain, true), -EOPNOTSUPP);
	assert_int_equal(shunt_hwpt_track_dirty(&iommufd, 999, true), -ENOENT);
	assert_int_equal(shunt_hwpt_read_dirty(&iommufd, plain, START, LENGTH, PAGE, true, bitmap),
		-EOPNOTSUPP);
	write_page(0);
	assert_dirty(0, 0, true); /* it is off */
	track(true);
	assert_int_equal(
		shunt_hwpt_read_dirty(&iommufd, hwpt, START + 1, LENGTH, PAGE, true, bitmap),
		-EINVAL);
	write_page(0);
	assert_int_equal(shunt_hwpt_read_dirty(&iommufd, hwpt, START, LENGTH, PAGE, true, NULL), 0);
	assert_dirty(0, 0, true); /* it is lost */
	assert_int_equal(call_destroy(rig.platform, rig.fd, plain), 0);
}

/* ---- memory copied while DMA writes to it ---- */

static _Atomic bool stop;

/* The engine's place: acts on invalidations, and writes numbers that grow. */
static void *write_on(void *arg)
{
	uint64_t number = 0;

	sim_iommu_awake(&rig.sim->iommu);
	while (!atomic_load(&stop)) {
		unsigned int page = (unsigned int)(number * 7 % PAGES);
		uint8_t *memory;

		sim_iommu_service(&rig.sim->iommu);
		memory = sim_dma_translate(dma, START + page * PAGE, SHUNT_DMA_WRITE);
		assert_non_null(memory);
		atomic_store_explicit(
			(_Atomic uint64_t *)(void *)memory, ++number, memory_order_relaxed);
	}
	sim_iommu_asleep(&rig.sim->iommu);
	return NULL;
}

static uint64_t number_in(unsigned int page)
{
	return atomic_load_explicit(
		(_Atomic uint64_t *)(void *)(pages + page * PAGE), memory_order_relaxed);
}

static unsigned int copy_dirty(uint64_t copy[PAGES])
{
	unsigned int copied = 0;

	memset(bitmap, 0, sizeof(bitmap));
	assert_int_equal(
		shunt_hwpt_read_dirty(&iommufd, hwpt, START, LENGTH, PAGE, true, bitmap), 0);
	for (unsigned int page = 0; page < PAGES; page++) {
		if (!(bitmap[page / 64] >> page % 64 & 1))
			continue;
		copy[page] = number_in(page);
		copied++;
	}
	return copied;
}

static void no_write_is_missed(void **state)
{
	uint64_t copy[PAGES] = { 0 };
	unsigned int copied = 0;
	pthread_t writer;

	track(true);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&writer, NULL, write_on, NULL), 0);
	for (unsigned int round = 0; round < ROUNDS || !copied; round++)
		copied += copy_dirty(copy);
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
	copy_dirty(copy);
	for (unsigned int page = 0; page < PAGES; page++)
		assert_int_equal(copy[page], number_in(page));
	assert_int_equal(copy_dirty(copy), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_pages_are_found, begin, end),
		cmocka_unit_test_setup_teardown(only_while_it_is_on, begin, end),
		cmocka_unit_test_setup_teardown(part_of_the_range_in_larger_pages, begin, end),
		cmocka_unit_test_setup_teardown(a_mapping_that_is_new_is_clean, begin, end),
		cmocka_unit_test_setup_teardown(what_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(no_write_is_missed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
