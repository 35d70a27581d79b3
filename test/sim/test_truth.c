/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>

#include <cmocka.h>

#include "calls.h"

/*
 * What Linux 6.12 and 7.3 answered with three igb in one group on VT-d, row by row. Each scenario
 * starts with d0, d1, d2 bound and unattached, IOASes A and B with one page mapped at PROBE each,
 * h1 on A, h2 on B, h3 a second one on A.
 */

#define PROBE 0x1000u

enum target { NOTHING, A, B, H1, H2, H3, NO_SUCH_ID, DEVICE_ID, TARGETS };

enum operation {
	ATTACH, /* replace, when attached */
	DETACH,
	DESTROY,
	TRANSLATES, /* does DMA of the device go through a table of this IOAS? */
	END,
};

struct step {
	enum operation operation;
	unsigned int device;
	enum target target;
	int expected;
};

struct scenario {
	const char *name;
	struct step steps[32];
};

static const struct scenario scenarios[] = {
	{ "ids that are no page table",
		{
			{ DETACH, 0, NOTHING, 0 },
			{ ATTACH, 0, NO_SUCH_ID, -ENOENT },
			{ ATTACH, 0, DEVICE_ID, -EINVAL },
			{ TRANSLATES, 0, NOTHING, 0 },
			{ END },
		} },
	{ "the first member's replace moves the group and every reference",
		{
			{ ATTACH, 0, H1, 0 },
			{ ATTACH, 1, H1, 0 },
			{ ATTACH, 2, H1, 0 },
			{ TRANSLATES, 2, A, 0 },
			{ DESTROY, 0, H1, -EBUSY },
			{ ATTACH, 0, H2, 0 },
			{ TRANSLATES, 0, B, 0 },
			{ TRANSLATES, 1, B, 0 },
			{ TRANSLATES, 2, B, 0 },
			{ DESTROY, 0, H1, 0 },
			{ ATTACH, 1, H2, 0 },
			{ ATTACH, 2, H2, 0 },
			{ DESTROY, 0, H2, -EBUSY },
			{ DETACH, 0, NOTHING, 0 },
			{ DETACH, 1, NOTHING, 0 },
			{ DESTROY, 0, H2, -EBUSY },
			{ TRANSLATES, 0, B, 0 },
			{ DETACH, 2, NOTHING, 0 },
			{ TRANSLATES, 2, NOTHING, 0 },
			{ DESTROY, 0, H2, 0 },
			{ END },
		} },
	{ "a first attach must name the group's hwpt",
		{
			{ ATTACH, 0, H1, 0 },
			{ ATTACH, 1, H2, -EINVAL },
			{ ATTACH, 1, H1, 0 },
			{ DETACH, 0, NOTHING, 0 },
			{ ATTACH, 0, H2, -EINVAL },
			{ ATTACH, 1, H2, 0 },
			{ ATTACH, 0, H2, 0 },
			{ DETACH, 0, NOTHING, 0 },
			{ DETACH, 0, NOTHING, 0 },
			{ END },
		} },
	{ "a detached member moves with its group",
		{
			{ ATTACH, 0, H1, 0 },
			{ ATTACH, 1, H1, 0 },
			{ ATTACH, 2, H1, 0 },
			{ DETACH, 2, NOTHING, 0 },
			{ TRANSLATES, 2, A, 0 },
			{ ATTACH, 0, H2, 0 },
			{ TRANSLATES, 2, B, 0 },
			{ DESTROY, 0, H1, 0 },
			{ ATTACH, 1, H2, 0 },
			{ ATTACH, 2, H2, 0 },
			{ END },
		} },
	{ "two detached members",
		{
			{ ATTACH, 0, H1, 0 },
			{ ATTACH, 1, H1, 0 },
			{ ATTACH, 2, H1, 0 },
			{ DETACH, 2, NOTHING, 0 },
			{ DETACH, 1, NOTHING, 0 },
			{ ATTACH, 0, H2, 0 },
			{ DESTROY, 0, H1, 0 },
			{ ATTACH, 1, H2, 0 },
			{ ATTACH, 2, H2, 0 },
			{ END },
		} },
	{ "the last writer wins for the whole group",
		{
			{ ATTACH, 0, H2, 0 },
			{ ATTACH, 1, H2, 0 },
			{ ATTACH, 2, H2, 0 },
			{ ATTACH, 1, H3, 0 },
			{ TRANSLATES, 0, A, 0 },
			{ TRANSLATES, 2, A, 0 },
			{ ATTACH, 0, H2, 0 },
			{ TRANSLATES, 1, B, 0 },
			{ ATTACH, 2, H3, 0 },
			{ TRANSLATES, 0, A, 0 },
			{ DESTROY, 0, H2, 0 },
			{ DESTROY, 0, H3, -EBUSY },
			{ END },
		} },
	{ "automatic hwpts",
		{
			{ DESTROY, 0, H1, 0 },
			{ DESTROY, 0, H2, 0 },
			{ DESTROY, 0, H3, 0 },
			{ ATTACH, 0, A, 0 },
			{ ATTACH, 1, A, 0 },
			{ ATTACH, 0, B, 0 },
			{ ATTACH, 1, B, 0 },
			{ ATTACH, 2, A, -EINVAL },
			{ ATTACH, 2, B, 0 },
			{ TRANSLATES, 2, B, 0 },
			{ DESTROY, 0, A, 0 },
			{ DESTROY, 0, B, -EBUSY },
			{ DETACH, 0, NOTHING, 0 },
			{ DETACH, 1, NOTHING, 0 },
			{ DETACH, 2, NOTHING, 0 },
			{ DESTROY, 0, B, 0 },
			{ END },
		} },
	{ "an automatic hwpt goes with its last member",
		{
			{ DESTROY, 0, H1, 0 },
			{ DESTROY, 0, H3, 0 },
			{ ATTACH, 0, A, 0 },
			{ DESTROY, 0, A, -EBUSY },
			{ ATTACH, 0, H2, 0 },
			{ DESTROY, 0, A, 0 },
			{ END },
		} },
	{ "replace with the hwpt in use does nothing",
		{
			{ ATTACH, 0, H1, 0 },
			{ ATTACH, 0, H1, 0 },
			{ TRANSLATES, 0, A, 0 },
			{ DETACH, 0, NOTHING, 0 },
			{ DESTROY, 0, H1, 0 },
			{ END },
		} },
};

struct fixture {
	struct rig rig;
	uint32_t ids[TARGETS];
	uint8_t *pages[2];
};

static void open_fixture(struct fixture *fixture)
{
	struct rig *rig = &fixture->rig;
	struct shunt_platform *platform;

	rig_open(rig, 3, SHUNT_SIM_BLOCKING);
	platform = rig->platform;
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t *id = &fixture->ids[A + i];

		fixture->pages[i] = pages_create(PAGE, (uint8_t)(A + i));
		assert_int_equal(call_ioas_alloc(platform, rig->fd, id), 0);
		assert_int_equal(
			call_map_at(platform, rig->fd, *id, fixture->pages[i], PAGE, PROBE), 0);
	}
	for (enum target target = H1; target <= H3; target++) {
		enum target ioas = target == H2 ? B : A;

		assert_int_equal(call_hwpt_alloc(platform, rig->fd, rig->ids[0], fixture->ids[ioas],
					 0, &fixture->ids[target]),
			0);
	}
	fixture->ids[NO_SUCH_ID] = 1000;
	fixture->ids[DEVICE_ID] = rig->ids[1];
}

static void close_fixture(struct fixture *fixture)
{
	rig_close(&fixture->rig);
	pages_destroy(fixture->pages[0], PAGE);
	pages_destroy(fixture->pages[1], PAGE);
}

/* Nothing else runs: the test is the engine. */
static enum target translated_by(struct fixture *fixture, unsigned int device)
{
	struct sim_dma *dma = &fixture->rig.sim->functions[device].dma;
	const uint8_t *memory = sim_dma_translate(dma, PROBE, SHUNT_DMA_READ);

	return memory ? (enum target) * memory : NOTHING;
}

static int run_step(struct fixture *fixture, const struct step *step)
{
	struct rig *rig = &fixture->rig;
	uint32_t id = fixture->ids[step->target];

	switch (step->operation) {
	case ATTACH:
		return call_attach(rig->platform, rig->devices[step->device], &id);
	case DETACH:
		return call_detach(rig->platform, rig->devices[step->device]);
	case DESTROY:
		return call_destroy(rig->platform, rig->fd, id);
	case TRANSLATES:
		return translated_by(fixture, step->device) == step->target ? 0 : -1;
	default:
		return -1;
	}
}

static void test_attach_rows(void **state)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct fixture fixture = { .ids = { 0 } };

		open_fixture(&fixture);
		for (const struct step *step = scenarios[i].steps; step->operation != END; step++) {
			int ret = run_step(&fixture, step);

			if (ret != step->expected)
				fail_msg("%s: step %td: %d, the kernel says %d", scenarios[i].name,
					step - scenarios[i].steps + 1, ret, step->expected);
		}
		close_fixture(&fixture);
	}
}

static void test_replace_in_use_is_no_change(void **state)
{
	struct fixture fixture = { .ids = { 0 } };
	struct rig *rig = &fixture.rig;
	struct shunt_sim_blocked records[8];
	uint32_t id;

	open_fixture(&fixture);
	for (int i = 0; i < 3; i++) {
		id = fixture.ids[H1];
		assert_int_equal(call_attach(rig->platform, rig->devices[0], &id), 0);
		assert_int_equal(id, fixture.ids[H1]);
	}
	assert_int_equal(shunt_sim_blocked(rig->platform, records, 8), 0);
	id = fixture.ids[H2];
	assert_int_equal(call_attach(rig->platform, rig->devices[0], &id), 0);
	assert_int_equal(shunt_sim_blocked(rig->platform, records, 8), 3);
	close_fixture(&fixture);
}

static void test_automatic_ids(void **state)
{
	struct fixture fixture = { .ids = { 0 } };
	struct rig *rig = &fixture.rig;
	uint32_t first, second, id;

	open_fixture(&fixture);
	first = fixture.ids[A];
	assert_int_equal(call_attach(rig->platform, rig->devices[0], &first), 0);
	assert_int_equal(first, fixture.ids[H3] + 1);
	second = fixture.ids[A];
	assert_int_equal(call_attach(rig->platform, rig->devices[1], &second), 0);
	assert_int_equal(second, first);

	/* The new hwpt is there before the old one goes: its id is the next one. */
	id = fixture.ids[B];
	assert_int_equal(call_attach(rig->platform, rig->devices[0], &id), 0);
	assert_int_equal(id, first + 1);
	assert_int_equal(call_destroy(rig->platform, rig->fd, first), -ENOENT);
	id = fixture.ids[A];
	assert_int_equal(call_attach(rig->platform, rig->devices[1], &id), 0);
	assert_int_equal(id, first);
	close_fixture(&fixture);
}

static void test_dirty_tracking(void **state)
{
	struct fixture fixture = { .ids = { 0 } };
	struct rig *rig = &fixture.rig;
	struct iommu_hwpt_set_dirty_tracking arg = { .size = sizeof(arg),
		.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE };
	uint32_t id;

	open_fixture(&fixture);
	assert_int_equal(call_hwpt_alloc(rig->platform, rig->fd, rig->ids[0], fixture.ids[A],
				 IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &id),
		-EOPNOTSUPP);
	arg.hwpt_id = fixture.ids[H1];
	assert_int_equal(rig->platform->ops->ioctl(
				 rig->platform, rig->fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &arg),
		-EOPNOTSUPP);
	arg.hwpt_id = fixture.ids[A];
	assert_int_equal(rig->platform->ops->ioctl(
				 rig->platform, rig->fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &arg),
		-ENOENT);
	close_fixture(&fixture);
}

static void test_mapping_rows(void **state)
{
	struct fixture fixture = { .ids = { 0 } };
	struct rig *rig = &fixture.rig;
	struct shunt_platform *platform;
	struct iommu_iova_range ranges[4];
	uint64_t alignment, length = PAGE, iova = 0x10000;
	uint8_t *pages = pages_create(4 * PAGE, 0);
	uint32_t count = 4, id, a;

	open_fixture(&fixture);
	platform = rig->platform;
	a = fixture.ids[A];
	id = fixture.ids[H1];
	assert_int_equal(call_attach(platform, rig->devices[0], &id), 0);

	assert_int_equal(call_map_at(platform, rig->fd, a, pages, PAGE, 0xfee00000), -EINVAL);
	assert_int_equal(call_map_at(platform, rig->fd, a, pages, PAGE, 0x10800), -EINVAL);
	assert_int_equal(call_map_at(platform, rig->fd, a, pages, 4 * PAGE, 0x10000), 0);
	assert_int_equal(call_map_at(platform, rig->fd, a, pages, PAGE, 0x12000), -EEXIST);
	assert_int_equal(call_unmap(platform, rig->fd, a, 0x11000, &length), -ENOENT);

	assert_int_equal(call_ranges(platform, rig->fd, a, ranges, &count, &alignment), 0);
	assert_int_equal(count, 2);
	assert_true(ranges[0].start == 0 && ranges[0].last == 0xfedfffff);
	assert_true(ranges[1].start == 0xfef00000 && ranges[1].last == 0xffffffffffff);
	assert_int_equal(alignment, PAGE);

	assert_int_equal(
		call_copy(platform, rig->fd, a, 0x10000, fixture.ids[B], 4 * PAGE, &iova, FIXED),
		0);
	close_fixture(&fixture);
	pages_destroy(pages, 4 * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attach_rows),
		cmocka_unit_test(test_replace_in_use_is_no_change),
		cmocka_unit_test(test_automatic_ids),
		cmocka_unit_test(test_dirty_tracking),
		cmocka_unit_test(test_mapping_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
