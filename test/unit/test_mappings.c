/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mappings.h"

#define PAGE 0x1000ull

static void add(
	struct mappings *mappings, uint64_t iova, uint64_t length, uintptr_t va, unsigned prot)
{
	struct shunt_mapping mapping = {
		.iova = iova, .length = length, .va = (void *)va, .prot = prot
	};

	assert_int_equal(mappings_reserve(mappings), 0);
	mappings_insert(mappings, &mapping);
}

static void mappings_stay_sorted(void **state)
{
	struct mappings mappings = { 0 };

	for (uint64_t i = 0; i < 1000; i++) /* 389 and 1000 have no common factor */
		add(&mappings, i * 389 % 1000 * 2 * PAGE, PAGE, PAGE, SHUNT_DMA_BOTH);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(mappings.items[i].iova, 2 * i * PAGE);
	assert_int_equal(mappings.bytes, 1000 * PAGE);
	assert_null(mappings_overlap(&mappings, PAGE, PAGE));
	assert_int_equal(mappings_overlap(&mappings, PAGE, PAGE + 1)->iova, 2 * PAGE);
	assert_int_equal(mappings_overlap(&mappings, 3 * PAGE - 1, 1)->iova, 2 * PAGE);
	assert_null(mappings_overlap(&mappings, 2000 * PAGE, UINT64_MAX - 2000 * PAGE));
	assert_non_null(mappings_exact(&mappings, 4 * PAGE, PAGE));
	assert_null(mappings_exact(&mappings, 4 * PAGE, 2 * PAGE));
	mappings_remove(&mappings, 4 * PAGE);
	assert_null(mappings_exact(&mappings, 4 * PAGE, PAGE));
	assert_int_equal(mappings.count, 999);
	assert_int_equal(mappings.bytes, 999 * PAGE);
	mappings_free(&mappings);
}

static uint64_t covered(
	struct mappings *mappings, uint64_t iova, uint64_t length, uintptr_t va, unsigned prot)
{
	struct shunt_mapping mapping = {
		.iova = iova, .length = length, .va = (void *)va, .prot = prot
	};

	return mappings_covered(mappings, &mapping);
}

static void coverage_needs_same_memory_and_rights(void **state)
{
	struct mappings mappings = { 0 };

	add(&mappings, 0x10000, 0x2000, 0x500000, SHUNT_DMA_BOTH);
	add(&mappings, 0x12000, 0x1000, 0x502000, SHUNT_DMA_BOTH);
	add(&mappings, 0x14000, 0x1000, 0x504000, SHUNT_DMA_READ);
	/* one piece, and two that follow each other in memory too */
	assert_int_equal(covered(&mappings, 0x10000, 0x1000, 0x500000, SHUNT_DMA_BOTH), 0x1000);
	assert_int_equal(covered(&mappings, 0x10000, 0x3000, 0x500000, SHUNT_DMA_READ), 0x3000);
	assert_int_equal(covered(&mappings, 0x11000, 0x2000, 0x501000, SHUNT_DMA_BOTH), 0x2000);
	/* a hole, where it begins; other memory; fewer rights; nothing at all */
	assert_int_equal(covered(&mappings, 0x10000, 0x5000, 0x500000, SHUNT_DMA_READ), 0x3000);
	assert_int_equal(covered(&mappings, 0x10000, 0x1000, 0x600000, SHUNT_DMA_READ), 0);
	assert_int_equal(covered(&mappings, 0x14000, 0x1000, 0x504000, SHUNT_DMA_WRITE), 0);
	assert_int_equal(covered(&mappings, 0x90000, 0x1000, 0x500000, SHUNT_DMA_READ), 0);
	mappings_free(&mappings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_stay_sorted),
		cmocka_unit_test(coverage_needs_same_memory_and_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
