/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "spaces.h"

#define PAGE 0x1000ull

static struct shunt_spaces spaces;
static struct shunt_space here = { .all = &spaces, .slot = 70 }; /* that is asked */
static struct shunt_space there = { .all = &spaces, .slot = 6 };

static int empty(void **state)
{
	spaces = (struct shunt_spaces){ 0 };
	TAILQ_INIT(&spaces.own);
	return 0;
}

static int clear(void **state)
{
	struct mapping *top;

	while ((top = (struct mapping *)RB_ROOT(&spaces.table)) != NULL) {
		memset(top->in, 0, sizeof(top->in));
		mapping_unwant(&spaces, top, SHARED);
	}
	assert_int_equal(spaces.shared, 0);
	assert_true(TAILQ_EMPTY(&spaces.own));
	return 0;
}

static struct mapping *add(uint64_t iova, uint64_t length, uintptr_t va, unsigned prot)
{
	struct shunt_mapping about = {
		.iova = iova, .length = length, .va = (void *)va, .prot = prot
	};
	struct mapping *mapping = mapping_new(&spaces, &about, SHARED);

	assert_non_null(mapping);
	bit_set(mapping->in, here.slot);
	return mapping;
}

static uint64_t overlap(uint64_t iova, uint64_t length)
{
	const struct mapping *mapping =
		shunt_ranges_next(&spaces.table, NULL, iova, iova + (length - 1));

	return mapping ? mapping->about.iova : UINT64_MAX;
}

static void mappings_stay_sorted(void **state)
{
	struct mapping *mapping = NULL;

	for (uint64_t i = 0; i < 1000; i++) /* 389 and 1000 have no common factor */
		add(i * 389 % 1000 * 2 * PAGE, PAGE, PAGE, SHUNT_DMA_BOTH);
	for (uint64_t i = 0; i < 1000; i++) {
		mapping = mapping_next_wanted(&spaces, mapping, SHARED);
		assert_int_equal(mapping->about.iova, 2 * i * PAGE);
	}
	assert_null(mapping_next_wanted(&spaces, mapping, SHARED));
	assert_int_equal(spaces.shared, 1000);
	assert_int_equal(overlap(PAGE, PAGE), UINT64_MAX);
	assert_int_equal(overlap(PAGE, PAGE + 1), 2 * PAGE);
	assert_int_equal(overlap(3 * PAGE - 1, 1), 2 * PAGE);
	assert_int_equal(overlap(2000 * PAGE, UINT64_MAX - 2000 * PAGE), UINT64_MAX);
	mapping = mapping_exact(&spaces, 4 * PAGE, PAGE, SHARED);
	assert_non_null(mapping);
	assert_null(mapping_exact(&spaces, 4 * PAGE, 2 * PAGE, SHARED));
	assert_null(mapping_exact(&spaces, 4 * PAGE, PAGE, here.slot));
	mapping_unwant(&spaces, mapping, SHARED); /* the kernel has it still */
	assert_int_equal(overlap(4 * PAGE, PAGE), 4 * PAGE);
	assert_null(mapping_exact(&spaces, 4 * PAGE, PAGE, SHARED));
	bit_clear(mapping->in, here.slot);
	mapping_unwant(&spaces, mapping, SHARED);
	assert_int_equal(overlap(4 * PAGE, PAGE), UINT64_MAX);
	assert_int_equal(spaces.shared, 999);
}

static uint64_t covered(uint64_t iova, uint64_t length, uintptr_t va, unsigned prot)
{
	struct shunt_mapping mapping = {
		.iova = iova, .length = length, .va = (void *)va, .prot = prot
	};

	return mapping_covered(&here, &mapping);
}

static void coverage_needs_same_memory_and_rights(void **state)
{
	struct mapping *elsewhere;

	add(0x10000, 0x2000, 0x500000, SHUNT_DMA_BOTH);
	add(0x12000, 0x1000, 0x502000, SHUNT_DMA_BOTH);
	add(0x14000, 0x1000, 0x504000, SHUNT_DMA_READ);
	elsewhere = add(0x13000, 0x1000, 0x503000, SHUNT_DMA_BOTH);
	bit_clear(elsewhere->in, here.slot);
	bit_set(elsewhere->in, there.slot);
	/* one piece, and two that follow each other in memory too */
	assert_int_equal(covered(0x10000, 0x1000, 0x500000, SHUNT_DMA_BOTH), 0x1000);
	assert_int_equal(covered(0x10000, 0x3000, 0x500000, SHUNT_DMA_READ), 0x3000);
	assert_int_equal(covered(0x11000, 0x2000, 0x501000, SHUNT_DMA_BOTH), 0x2000);
	/* a hole, where it begins; other memory; fewer rights; nothing at all */
	assert_int_equal(covered(0x10000, 0x5000, 0x500000, SHUNT_DMA_READ), 0x3000);
	assert_int_equal(covered(0x10000, 0x1000, 0x600000, SHUNT_DMA_READ), 0);
	assert_int_equal(covered(0x14000, 0x1000, 0x504000, SHUNT_DMA_WRITE), 0);
	assert_int_equal(covered(0x90000, 0x1000, 0x500000, SHUNT_DMA_READ), 0);
}

/* What two spaces have for themselves may overlap, and be the same. */
static void ranges_that_overlap_are_all_found(void **state)
{
	enum { COUNT = 300, SPAN = 64 };
	static struct range made[COUNT];
	struct ranges ranges = { 0 };
	unsigned int seed = 1;

	for (unsigned int i = 0; i < COUNT; i++) {
		made[i].start = (uint64_t)rand_r(&seed) % SPAN;
		made[i].last = made[i].start + (uint64_t)rand_r(&seed) % SPAN;
		shunt_ranges_insert(&ranges, &made[i]);
	}
	for (unsigned int left = COUNT; left; left--) {
		uint64_t start = (uint64_t)rand_r(&seed) % SPAN,
			 last = start + (uint64_t)rand_r(&seed) % SPAN;
		const struct range *found = NULL, *before = NULL;
		unsigned int expected = 0, count = 0;

		for (unsigned int i = 0; i < left; i++)
			expected += made[i].start <= last && made[i].last >= start;
		for (; (found = shunt_ranges_next(&ranges, found, start, last)); before = found) {
			assert_true(found->start <= last && found->last >= start);
			assert_true(!before || before->start <= found->start);
			count++;
		}
		assert_int_equal(count, expected);
		shunt_ranges_remove(&ranges, &made[left - 1]);
	}
	assert_true(RB_EMPTY(&ranges));
}

static unsigned int height(const struct range *top)
{
	unsigned int left, right;

	if (!top)
		return 0;
	left = height(RB_LEFT(top, node));
	right = height(RB_RIGHT(top, node));
	return 1 + (left > right ? left : right);
}

/* 1 TiB of pages of 2 MiB: a red-black tree of n nodes is at most 2 log2(n + 1) high. */
static void a_large_table_stays_flat(void **state)
{
	enum { COUNT = 1 << 19, HIGHEST = 38 };
	struct range *pages = calloc(COUNT, sizeof(*pages));
	struct ranges ranges = { 0 };

	assert_non_null(pages);
	for (uint64_t i = 0; i < COUNT; i++) {
		pages[i].start = i << 21;
		pages[i].last = pages[i].start + (1 << 21) - 1;
		shunt_ranges_insert(&ranges, &pages[i]);
	}
	assert_in_range(height(RB_ROOT(&ranges)), 19, HIGHEST);
	for (uint64_t i = 0; i < COUNT; i++) { /* the lower half, then every second one */
		if (i < COUNT / 2 || i % 2)
			shunt_ranges_remove(&ranges, &pages[i]);
		if (i % 65536 == 0)
			assert_in_range(height(RB_ROOT(&ranges)), 17, HIGHEST);
	}
	assert_in_range(height(RB_ROOT(&ranges)), 17, HIGHEST - 2);
	assert_ptr_equal(shunt_ranges_next(&ranges, NULL, 0, UINT64_MAX), &pages[COUNT / 2]);
	assert_ptr_equal(shunt_ranges_next(&ranges, NULL, pages[COUNT - 3].start, UINT64_MAX),
		&pages[COUNT - 2]);
	free(pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(mappings_stay_sorted, empty, clear),
		cmocka_unit_test_setup_teardown(
			coverage_needs_same_memory_and_rights, empty, clear),
		cmocka_unit_test(ranges_that_overlap_are_all_found),
		cmocka_unit_test(a_large_table_stays_flat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
