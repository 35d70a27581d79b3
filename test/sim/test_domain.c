/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sched.h>

#include <cmocka.h>

#include "calls.h"
#include "sim_iommu.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* Memory that is only named, never touched: aligned to 1 GiB. */
#define MEMORY ((uint8_t *)(uintptr_t)(64 * GIB))

static struct sim_iommu unused;

static struct sim_domain *make_domain(void)
{
	struct sim_domain *domain;

	assert_int_equal(sim_domain_create(&unused, SIM_DIRTY_NEVER, &domain), 0);
	return domain;
}

static void check(
	struct sim_domain *domain, uint64_t iova, unsigned int shift, const uint8_t *memory)
{
	struct sim_leaf leaf;

	assert_true(sim_domain_walk(domain, iova, SHUNT_DMA_READ, &leaf));
	assert_int_equal(leaf.shift, shift);
	assert_ptr_equal(leaf.memory + (iova & ((1ull << shift) - 1)), memory);
}

static bool is_mapped(struct sim_domain *domain, uint64_t iova)
{
	struct sim_leaf leaf;

	return sim_domain_walk(domain, iova, SHUNT_DMA_READ, &leaf);
}

static void test_leaves_by_alignment(void **state)
{
	struct sim_domain *domain = make_domain();
	uint64_t start = 3 * GIB - 2 * MIB - PAGE;
	uint64_t length = PAGE + 2 * MIB + GIB + 2 * MIB + PAGE;
	uint8_t *memory = MEMORY - 2 * MIB - PAGE;

	/* One page, 2 MiB, 1 GiB, 2 MiB, one page, as alignment grows and the end comes. */
	assert_int_equal(sim_domain_map(domain, start, memory, length, SHUNT_DMA_BOTH, true), 0);
	check(domain, start, 12, memory);
	check(domain, start + PAGE, 21, memory + PAGE);
	check(domain, 3 * GIB, 30, MEMORY);
	check(domain, 3 * GIB + 123 * PAGE + 5, 30, MEMORY + 123 * PAGE + 5);
	check(domain, 4 * GIB, 21, MEMORY + GIB);
	check(domain, 4 * GIB + 2 * MIB, 12, MEMORY + GIB + 2 * MIB);
	assert_false(is_mapped(domain, start - 1));
	assert_false(is_mapped(domain, start + length));
	sim_domain_destroy(domain);
}

static void test_memory_decides_too(void **state)
{
	struct sim_domain *domain = make_domain();

	assert_int_equal(
		sim_domain_map(domain, GIB, MEMORY + PAGE, 4 * MIB, SHUNT_DMA_BOTH, true), 0);
	check(domain, GIB, 12, MEMORY + PAGE);
	check(domain, GIB + 4 * MIB - PAGE, 12, MEMORY + 4 * MIB);
	assert_int_equal(
		sim_domain_map(domain, 2 * GIB, MEMORY, 4 * MIB, SHUNT_DMA_BOTH, false), 0);
	check(domain, 2 * GIB + 2 * MIB, 12, MEMORY + 2 * MIB);
	sim_domain_destroy(domain);
}

static void test_permissions_and_ends(void **state)
{
	struct sim_domain *domain = make_domain();
	struct sim_leaf leaf;

	assert_int_equal(sim_domain_map(domain, 0, MEMORY, PAGE, SHUNT_DMA_READ, true), 0);
	assert_true(sim_domain_walk(domain, 0, SHUNT_DMA_READ, &leaf));
	assert_int_equal(leaf.prot, SHUNT_DMA_READ);
	assert_int_equal(sim_domain_map(domain, SIM_DOMAIN_LAST + 1 - PAGE, MEMORY, PAGE,
				 SHUNT_DMA_WRITE, true),
		0);
	assert_true(sim_domain_walk(domain, SIM_DOMAIN_LAST, SHUNT_DMA_READ, &leaf));
	assert_int_equal(leaf.prot, SHUNT_DMA_WRITE);
	assert_false(is_mapped(domain, SIM_DOMAIN_LAST + 1));
	assert_false(is_mapped(domain, UINT64_MAX));
	sim_domain_destroy(domain);
}

static void test_unmap_and_map_again(void **state)
{
	struct sim_domain *domain = make_domain();

	assert_int_equal(sim_domain_map(domain, GIB, MEMORY, 2 * MIB, SHUNT_DMA_BOTH, false), 0);
	assert_int_equal(
		sim_domain_map(domain, GIB + 2 * MIB, MEMORY, PAGE, SHUNT_DMA_BOTH, true), 0);
	sim_domain_unmap(domain, GIB, 2 * MIB);
	assert_false(is_mapped(domain, GIB));
	check(domain, GIB + 2 * MIB, 12, MEMORY);
	/* The table of small pages went with the unmap: a large leaf has room. */
	assert_int_equal(sim_domain_map(domain, GIB, MEMORY, 2 * MIB, SHUNT_DMA_BOTH, true), 0);
	check(domain, GIB, 21, MEMORY);
	/* A table that still exists, empty, is filled with small ones. */
	sim_domain_unmap(domain, GIB + 2 * MIB, PAGE);
	assert_int_equal(
		sim_domain_map(domain, GIB + 2 * MIB, MEMORY, 2 * MIB, SHUNT_DMA_BOTH, true), 0);
	check(domain, GIB + 2 * MIB, 12, MEMORY);
	sim_domain_unmap(domain, 0, SIM_DOMAIN_LAST + 1);
	assert_false(is_mapped(domain, GIB));
	assert_false(is_mapped(domain, GIB + 2 * MIB));
	sim_domain_destroy(domain);
}

/* Random ranges against a flat model of 4096 pages around the end of a 1 GiB region. */
static void test_against_flat_model(void **state)
{
	enum { PAGES = 4096 };
	static const uint8_t *model[PAGES];
	struct sim_domain *domain = make_domain();
	uint64_t base = 4 * GIB - PAGES / 2 * PAGE;
	unsigned int seed = 82576;

	for (unsigned int i = 0; i < PAGES; i++)
		model[i] = NULL;
	for (int round = 0; round < 400; round++) {
		unsigned int first = (unsigned int)rand_r(&seed) % PAGES;
		unsigned int count = 1 + (unsigned int)rand_r(&seed) % 1500;
		bool aligned = rand_r(&seed) % 2;
		uint8_t *memory = MEMORY + (aligned ? first : first + 1) * PAGE;
		unsigned int end = first + count < PAGES ? first + count : PAGES;
		bool free_range = true;

		for (unsigned int i = first; i < end; i++)
			free_range = free_range && !model[i];
		if (free_range) {
			assert_int_equal(sim_domain_map(domain, base + first * PAGE, memory,
						 (end - first) * PAGE, SHUNT_DMA_BOTH, true),
				0);
			for (unsigned int i = first; i < end; i++)
				model[i] = memory + (i - first) * PAGE;
		} else {
			sim_domain_unmap(domain, base, PAGES * PAGE);
			for (unsigned int i = 0; i < PAGES; i++)
				model[i] = NULL;
		}
		for (unsigned int i = 0; i < PAGES; i++) {
			struct sim_leaf leaf;
			uint64_t iova = base + i * PAGE;
			bool found = sim_domain_walk(domain, iova, SHUNT_DMA_READ, &leaf);

			if (found != (model[i] != NULL))
				fail_msg("round %d page %u", round, i);
			if (found && leaf.memory + (iova & ((1ull << leaf.shift) - 1)) != model[i])
				fail_msg("round %d page %u: wrong memory", round, i);
		}
	}
	sim_domain_destroy(domain);
}

struct walker {
	struct sim_domain *domain;
	_Atomic bool stop;
	_Atomic uint64_t found;
	_Atomic uint64_t wrong;
};

static void *walk(void *arg)
{
	struct walker *walker = arg;
	uint64_t i = 0;

	while (!atomic_load(&walker->stop)) {
		uint64_t iova = (i++ * 37 % 4096) * PAGE;
		struct sim_leaf leaf;

		if (!sim_domain_walk(walker->domain, iova, SHUNT_DMA_READ, &leaf))
			continue;
		atomic_fetch_add(&walker->found, 1);
		if (leaf.memory + (iova & ((1ull << leaf.shift) - 1)) != MEMORY + iova)
			atomic_fetch_add(&walker->wrong, 1);
	}
	return NULL;
}

/* A walk sees a mapping whole or not at all, however it is put together. */
static void test_walk_while_mapping(void **state)
{
	struct walker walker = { .domain = make_domain() };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, walk, &walker), 0);
	for (unsigned int page = 0; page < 4096;) {
		unsigned int count = page % 512 ? 512 - page % 512 : page % 1024 ? 512 : 7;

		assert_int_equal(sim_domain_map(walker.domain, page * PAGE, MEMORY + page * PAGE,
					 count * PAGE, SHUNT_DMA_BOTH, true),
			0);
		page += count;
		sched_yield();
	}
	while (!atomic_load(&walker.found))
		sched_yield();
	atomic_store(&walker.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&walker.wrong), 0);
	sim_domain_destroy(walker.domain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves_by_alignment),
		cmocka_unit_test(test_memory_decides_too),
		cmocka_unit_test(test_permissions_and_ends),
		cmocka_unit_test(test_unmap_and_map_again),
		cmocka_unit_test(test_against_flat_model),
		cmocka_unit_test(test_walk_while_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
