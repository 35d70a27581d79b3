/* SPDX-License-Identifier: BSD-3-Clause */
/* Address spaces on the software platform: their users, and what the kernel has mapped there. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/iommufd.h>

#include <shunt/error.h>

#include "group_fixture.h"

#define assert_said(text)                                                      \
	do {                                                                   \
		if (!strstr(shunt_errmsg(), text))                             \
			fail_msg("'%s' is not in '%s'", text, shunt_errmsg()); \
	} while (0)

static int nothing(void *port)
{
	return 0;
}

static unsigned int mapped_in_the_kernel(void)
{
	struct shunt_sim_objects objects;

	shunt_sim_objects(rig.sim, &objects);
	return objects.mappings;
}

static int destroyed_meanwhile;

static int destroy_b(void *port)
{
	destroyed_meanwhile = shunt_space_destroy(rig.b);
	return 0;
}

static void a_space_with_users_is_not_destroyed(void **state)
{
	const struct shunt_port_ops ops = {
		.pause = destroy_b, .drain = nothing, .resume = nothing
	};
	struct shunt_switch_result result;
	struct shunt_space *space;

	for (unsigned int i = 0; i < PORTS; i++)
		join_again(i, &ops);
	assert_int_equal(shunt_space_destroy(rig.a), -EBUSY);
	assert_said("space 'a': in use by group 10");
	/* By another thread, say, while the group is on its way there */
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_int_equal(destroyed_meanwhile, -EBUSY);
	assert_members_on(&result, rig.b);
	assert_int_equal(shunt_spaces_destroy(rig.spaces), -EBUSY);
	assert_said("space 'b': in use by group 10");

	space = shunt_space_get(rig.spaces, "a");
	assert_ptr_equal(space, rig.a);
	assert_int_equal(shunt_space_destroy(space), -EBUSY);
	assert_said("in use by the application");
	shunt_space_put(space);
	assert_int_equal(shunt_space_destroy(space), 0);
	assert_null(shunt_space_get(rig.spaces, "a"));
	shunt_space_put(NULL);
}

static void a_failed_roll_back_keeps_both_spaces(void **state)
{
	struct shunt_switch_result result;

	rig.halted_for_good = true;
	inject_fail(rig.inject, NULL, PORTS + 2, UINT64_MAX, EIO);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_DETACH_ATTACH, &result), -EIO);
	inject_stop(rig.inject);
	assert_int_equal(shunt_space_destroy(rig.a), -EBUSY);
	assert_said("group 10");
	assert_int_equal(shunt_space_destroy(rig.b), -EBUSY);
	assert_said("group 10");
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(shunt_group_leave(rig.group, &rig.ports[i].device), 0);
	rig.members = 0;
	assert_int_equal(shunt_space_users(rig.a) + shunt_space_users(rig.b), 0);
	assert_int_equal(shunt_space_destroy(rig.a), 0);
}

/* Whether they ran meanwhile or not: the IOMMU would refuse their DMA. */
static void ports_of_detached_members_stay_halted(void **state)
{
	static const enum shunt_plan plans[] = { SHUNT_PLAN_RESTART, SHUNT_PLAN_DETACH_ATTACH };
	struct shunt_switch_result result;

	rig.halted_for_good = true;
	for (unsigned int i = 0; i < 2; i++) {
		/* Restart: no unmap any more; detach-attach: one attach. Then nothing works. */
		inject_fail(rig.inject, NULL, PORTS + 1 + i, UINT64_MAX, EIO);
		assert_int_equal(shunt_group_switch(rig.group, rig.b, plans[i], &result), -EIO);
		inject_stop(rig.inject);
		assert_said("0000:05:00.0 detached (its port stays paused or stopped)");
		assert_true(i ? rig.ports[2].paused : rig.ports[2].stopped);
		assert_true(result.members[2].pause_end >= result.members[2].pause_start);
		assert_int_equal(rig.ports[0].paused || rig.ports[0].stopped, i == 0);
		for (unsigned int j = 0; j < PORTS; j++)
			shunt_group_leave(rig.group, &rig.ports[j].device);
		for (unsigned int j = 0; j < PORTS; j++) {
			rig.ports[j].paused = rig.ports[j].stopped = false;
			assert_int_equal(shunt_group_join(rig.group, &rig.ports[j].device, DRIVER,
						 port_ops, &rig.ports[j], rig.a),
				0);
		}
		assert_int_equal(shunt_group_prepare(rig.group, rig.b), 0);
	}
}

static void a_member_leaves_whatever_its_detach_says(void **state)
{
	struct shunt_switch_result result;

	assert_int_equal(shunt_vfio_close(&rig.ports[0].device), -EBUSY);
	assert_said("0000:03:00.0: it is a member of group 10");
	assert_int_equal(shunt_group_destroy(rig.group), -EBUSY);
	assert_said("group 10 has members");
	assert_int_equal(shunt_iommufd_close(&rig.iommufd), -EBUSY);

	inject_fail(rig.inject, "VFIO_DEVICE_DETACH_IOMMUFD_PT", 1, 1, EIO);
	assert_int_equal(shunt_group_leave(rig.group, &rig.ports[0].device), -EIO);
	assert_int_equal(shunt_group_members(rig.group), PORTS - 1);
	assert_int_equal(shunt_vfio_close(&rig.ports[0].device), 0);
	assert_int_equal(shunt_vfio_close(&rig.ports[0].device), 0);
	memset(&rig.ports[0], 0xff, sizeof(rig.ports[0])); /* somebody else's by now */
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(result.member_count, PORTS - 1);
	rig.ports[0] = rig.ports[--rig.members];
	rig.ports[0].open = false;
	assert_int_equal(shunt_group_leave(rig.group, &rig.ports[2].device), 0);
	rig.ports[0] = (struct port){ 0 };
	rig.members = 0;
	assert_int_equal(shunt_group_leave(rig.group, &rig.ports[1].device), 0);
}

static void what_is_of_another_iommufd_is_refused(void **state)
{
	struct shunt_switch_result result;
	struct shunt_iommufd other;
	struct shunt_spaces *spaces;
	struct shunt_group *group;
	struct shunt_space *space;
	char why[SHUNT_PLAN_TEXT];
	enum shunt_plan plan;
	uint32_t id;

	assert_int_equal(shunt_iommufd_open(inject_platform(rig.inject), &other), 0);
	assert_int_equal(shunt_spaces_create(&other, &spaces), 0);
	assert_int_equal(shunt_space_create(spaces, "foreign", &space), 0);
	assert_int_equal(
		shunt_group_switch(rig.group, space, SHUNT_PLAN_REPLACE, &result), -EINVAL);
	assert_said("'foreign'");
	assert_said("'a'");
	assert_int_equal(shunt_group_prepare(rig.group, space), -EINVAL);
	assert_said("0000:03:00.0 is bound to the iommufd of descriptor");
	assert_int_equal(shunt_group_choose(rig.group, space, &plan, why), -EINVAL);
	assert_int_equal(shunt_space_hwpt(space, 10, &rig.ports[0].device, &id), -EINVAL);

	assert_int_equal(shunt_group_leave(rig.group, &rig.ports[2].device), 0);
	rig.members--;
	assert_int_equal(
		shunt_group_join(rig.group, &rig.ports[2].device, DRIVER, NULL, NULL, space),
		-EINVAL);
	assert_said("space 'foreign'");
	assert_int_equal(shunt_group_create(10, &group), 0);
	assert_int_equal(
		shunt_group_join(group, &rig.ports[2].device, DRIVER, NULL, NULL, space), -EINVAL);
	assert_said("0000:05:00.0 is bound to");
	assert_int_equal(shunt_group_destroy(group), 0);
	assert_int_equal(shunt_space_users(space), 0);
	assert_int_equal(shunt_spaces_destroy(spaces), 0);
	assert_int_equal(shunt_iommufd_close(&other), 0);
}

static void what_a_restart_lost_is_not_lost_for_good(void **state)
{
	struct shunt_switch_result result;
	struct shunt_space *c;

	inject_fail(rig.inject, NULL, PORTS + 2, 2, ENOMEM); /* copied, and once more */
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_RESTART, &result), -ENOMEM);
	inject_stop(rig.inject);
	assert_int_equal(shunt_space_mapped(rig.b), 0);
	assert_int_equal(mapped_in_the_kernel(), 1);
	assert_int_equal(shunt_space_create(rig.spaces, "c", &c), 0);
	assert_int_equal(shunt_space_mapped(c), rig.arena.size);
	/* Memory goes and comes. */
	assert_int_equal(shunt_spaces_unmap(rig.spaces, IOVA, rig.arena.size), 0);
	assert_int_equal(mapped_in_the_kernel(), 0);
	assert_int_equal(
		shunt_spaces_map(rig.spaces, rig.arena.addr, rig.arena.size, IOVA, SHUNT_DMA_BOTH),
		0);
	assert_int_equal(mapped_in_the_kernel(), 3);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
}

/* In all spaces or in none: also in the one that had it no more. */
static void a_failed_unmap_puts_back_what_is_missing(void **state)
{
	struct shunt_switch_result result;
	struct shunt_space *c;

	assert_int_equal(shunt_space_create(rig.spaces, "c", &c), 0);
	inject_fail(rig.inject, NULL, PORTS + 2, 2, ENOMEM); /* as above, of "b" */
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_RESTART, &result), -ENOMEM);
	assert_int_equal(shunt_space_mapped(rig.b), 0);
	inject_fail(rig.inject, "IOMMU_IOAS_UNMAP", 2, 1, EIO);
	assert_int_equal(shunt_spaces_unmap(rig.spaces, IOVA, rig.arena.size), -EIO);
	assert_said("space 'c'");
	inject_stop(rig.inject);
	assert_int_equal(mapped_in_the_kernel(), 3);
	assert_int_equal(shunt_space_mapped(rig.a), rig.arena.size);
	assert_int_equal(shunt_space_mapped(rig.b), rig.arena.size);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
}

static void what_the_kernel_keeps_is_unmapped_before_other_memory_comes(void **state)
{
	struct shunt_space *c;

	inject_fail(rig.inject, "IOMMU_IOAS_UNMAP", 2, 1, EIO);
	assert_int_equal(shunt_spaces_drop(rig.spaces, IOVA, rig.arena.size), -EIO);
	assert_said("space 'b'");
	assert_int_equal(shunt_space_mapped(rig.a), 0);
	assert_int_equal(shunt_space_mapped(rig.b), rig.arena.size);
	assert_int_equal(mapped_in_the_kernel(), 1);
	assert_int_equal(shunt_spaces_drop(rig.spaces, IOVA, rig.arena.size), -ENOENT);
	/* It is nobody's: a new space is made without it, in a unmap it does not count. */
	assert_int_equal(shunt_space_create(rig.spaces, "c", &c), 0);
	assert_int_equal(shunt_space_mapped(c), 0);

	inject_fail(rig.inject, "IOMMU_IOAS_UNMAP", 1, 1, EIO);
	assert_int_equal(
		shunt_spaces_map(rig.spaces, rig.arena.addr, 0x1000, IOVA + 0x1000, SHUNT_DMA_BOTH),
		-EIO);
	assert_said("still mapped to memory that is gone");
	assert_int_equal(
		shunt_spaces_map(rig.spaces, rig.arena.addr, 0x1000, IOVA + 0x1000, SHUNT_DMA_BOTH),
		0);
	assert_int_equal(mapped_in_the_kernel(), 3);
	assert_int_equal(shunt_space_mapped(rig.b), 0x1000);
}

/* Pages are pinned and charged once, by the map that the rig made. */
static void memory_that_a_space_has_is_copied(void **state)
{
	struct shunt_switch_result result;

	assert_int_equal(
		shunt_space_map_own(rig.a, rig.arena.addr, 0x2000, 0x10000, SHUNT_DMA_BOTH), 0);
	inject_fail(rig.inject, "IOMMU_IOAS_MAP", 1, UINT64_MAX, ENOMEM);
	assert_int_equal(
		shunt_space_map_own(rig.b, rig.arena.addr, 0x2000, 0x10000, SHUNT_DMA_BOTH), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(shunt_group_switch(rig.group, i % 2 ? rig.a : rig.b,
					 SHUNT_PLAN_RESTART, &result),
			0);
	assert_int_equal(inject_failures(rig.inject), 0);
	inject_stop(rig.inject);
	assert_int_equal(mapped_in_the_kernel(), 4);
	/* Each has it for itself: what one unmaps the other keeps. */
	assert_int_equal(shunt_space_unmap_own(rig.a, 0x10000, 0x2000), 0);
	assert_int_equal(shunt_space_unmap_own(rig.a, 0x10000, 0x2000), -ENOENT);
	assert_int_equal(shunt_space_mapped(rig.a), rig.arena.size);
	assert_int_equal(shunt_space_mapped(rig.b), rig.arena.size + 0x2000);
	assert_int_equal(shunt_space_unmap_own(rig.b, 0x10000, 0x2000), 0);
}

static void a_hwpt_that_could_not_be_made_is_asked_for_again(void **state)
{
	struct shunt_space *c;

	assert_int_equal(shunt_space_create(rig.spaces, "c", &c), 0);
	inject_fail(rig.inject, "IOMMU_HWPT_ALLOC", 1, 1, EADDRINUSE);
	assert_int_equal(hwpt_of(c), shunt_space_ioas(c));
	assert_int_not_equal(hwpt_of(c), shunt_space_ioas(c));
	assert_int_equal(hwpt_of(c), hwpt_of(c));
}

static void a_mapping_that_does_not_fit_is_named(void **state)
{
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];
	struct shunt_switch_result result;
	struct shunt_sim_objects objects;
	struct shunt_iova_range *ranges;
	uint32_t count;

	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(shunt_group_leave(rig.group, &rig.ports[i].device), 0);
	shunt_sim_objects(rig.sim, &objects);
	assert_int_equal(objects.hwpt, 0); /* the kernel may give the group's number again */
	assert_int_equal(shunt_vfio_allowed(&rig.ports[0].device, &ranges, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(ranges[0].last, 0xfedfffff);
	free(ranges);
	assert_int_equal(
		shunt_spaces_map(rig.spaces, rig.arena.addr, 0x1000, 1ull << 56, SHUNT_DMA_BOTH),
		0);
	assert_int_equal(
		shunt_group_join(rig.group, &rig.ports[0].device, DRIVER, NULL, NULL, rig.a),
		-EADDRINUSE);
	assert_said("IOVA 0x100000000000000 to 0x100000000000fff is above the ranges");
	assert_said("space 'a'");
	assert_int_equal(shunt_space_users(rig.a), 0);
	assert_int_equal(shunt_spaces_unmap(rig.spaces, 1ull << 56, 0x1000), 0);
	assert_int_equal(
		shunt_spaces_map(rig.spaces, rig.arena.addr, 0x1000, 0xfee00000, SHUNT_DMA_BOTH),
		0);
	assert_int_equal(
		shunt_group_join(rig.group, &rig.ports[0].device, DRIVER, NULL, NULL, rig.a),
		-EADDRINUSE);
	assert_said("IOVA 0xfee00000 to 0xfee00fff is outside the ranges");
	assert_int_equal(shunt_spaces_unmap(rig.spaces, 0xfee00000, 0x1000), 0);
	assert_int_equal(
		shunt_group_join(rig.group, &rig.ports[0].device, DRIVER, NULL, NULL, rig.a), 0);
	rig.members = 1;
	shunt_group_list(rig.group, members);
	assert_int_not_equal(members[0].hwpt_id, shunt_space_ioas(rig.a));

	/* On the way to another space: the one in use says what is allowed. */
	inject_fail(rig.inject, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", 1, 1, EADDRINUSE);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), -EADDRINUSE);
	assert_said("every member is back on hwpt");
}

/* A mapping that the spaces do not know of is in the way of what the devices reserve. */
static void a_refused_replace_keeps_what_devices_reserve(void **state)
{
	const uint32_t b = shunt_space_ioas(rig.b);
	struct shunt_switch_result result;

	assert_int_not_equal(shunt_space_ioas(rig.a), b);
	assert_int_equal(
		shunt_ioas_map(&rig.iommufd, b, rig.arena.addr, 0x1000, 0xfee00000, SHUNT_DMA_BOTH),
		0);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), -EADDRINUSE);
	assert_said("every member is back on hwpt");
	assert_members_on(&result, rig.a);
	assert_int_equal(
		shunt_space_map_own(rig.a, rig.arena.addr, 0x1000, 0xfee00000, SHUNT_DMA_BOTH),
		-EINVAL);
	assert_said("outside the ranges");
	assert_int_equal(shunt_ioas_unmap(&rig.iommufd, b, 0xfee00000, 0x1000), 0);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
}

#define MANY 40

static struct shunt_platform *below;

static int many_ranges(struct shunt_platform *platform, int fd, unsigned long request, void *arg)
{
	struct iommu_ioas_iova_ranges *query = arg;
	struct iommu_iova_range *ranges;
	uint32_t room;

	if (request != IOMMU_IOAS_IOVA_RANGES)
		return below->ops->ioctl(below, fd, request, arg);
	ranges = (struct iommu_iova_range *)(uintptr_t)query->allowed_iovas;
	room = query->num_iovas;
	query->num_iovas = MANY;
	query->out_iova_alignment = 0x1000;
	for (uint64_t i = 0; i < MANY && i < room; i++)
		ranges[i] = (struct iommu_iova_range){ i << 32, (i << 32) + 0xffffffff };
	return room < MANY ? -EMSGSIZE : 0;
}

static void any_number_of_iova_ranges_will_do(void **state)
{
	struct shunt_platform_ops ops = *inject_platform(rig.inject)->ops;
	struct shunt_platform platform = *inject_platform(rig.inject);

	below = inject_platform(rig.inject);
	ops.ioctl = many_ranges;
	platform.ops = &ops;
	rig.iommufd.platform = &platform;
	assert_int_equal(
		shunt_space_map_own(rig.b, rig.arena.addr, 0x1000, 39ull << 32, SHUNT_DMA_BOTH), 0);
	assert_int_equal(
		shunt_space_map_own(rig.b, rig.arena.addr, 0x1000, 40ull << 32, SHUNT_DMA_BOTH),
		-EINVAL);
	assert_said("the last one ends at 0x27ffffffff");
	rig.iommufd.platform = below;
}

static void no_more_spaces_than_fit_the_table(void **state)
{
	struct shunt_space *space;
	char name[16];

	for (unsigned int i = 2; i < SHUNT_SPACES_MAX; i++) {
		snprintf(name, sizeof(name), "space-%u", i);
		assert_int_equal(shunt_space_create(rig.spaces, name, &space), 0);
	}
	assert_int_equal(shunt_space_create(rig.spaces, "more", &space), -ENOSPC);
	assert_int_equal(mapped_in_the_kernel(), SHUNT_SPACES_MAX);
	assert_int_equal(shunt_space_destroy(shunt_space_find(rig.spaces, "space-7")), 0);
	assert_int_equal(shunt_space_create(rig.spaces, "more", &space), 0);
	assert_int_equal(shunt_space_mapped(space), rig.arena.size);
}

/* Descriptors that a failed arena left are somebody else's by the time it is destroyed. */
static void a_failed_arena_leaves_nothing_to_destroy(void **state)
{
	struct shunt_arena arena;
	int fd;

	assert_true(shunt_arena_create((size_t)64 << 40, SHUNT_ARENA_HUGE, &arena) < 0);
	assert_null(arena.addr);
	assert_int_equal(arena.fd, -1);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	shunt_arena_destroy(&arena);
	assert_int_equal(close(fd), 0);
	if (shunt_arena_create(1, SHUNT_ARENA_HUGE, &arena))
		return; /* no hugepages here */
	assert_int_equal(fcntl(arena.fd, F_GETFD), FD_CLOEXEC);
	shunt_arena_destroy(&arena);
}

static void pieces_of_an_arena_are_aligned_and_zeroed(void **state)
{
	const size_t block = 0x1000, align = 0x10000;
	struct shunt_arena *arena = &rig.arena;
	char *first = shunt_arena_alloc(arena, 1, 0), *piece, *next;

	assert_ptr_equal(first, arena->addr);
	piece = shunt_arena_alloc(arena, 2 * block, align);
	assert_non_null(piece);
	assert_int_equal((uintptr_t)piece % align, 0);
	next = shunt_arena_alloc(arena, block, 1);
	assert_ptr_equal(next, first + block);
	memset(piece, 0xff, 2 * block);
	shunt_arena_free(arena, piece, 2 * block);
	assert_ptr_equal(shunt_arena_alloc(arena, block + 1, align), piece);
	assert_int_equal(piece[0] | piece[2 * block - 1], 0);
	assert_null(shunt_arena_alloc(arena, 0, 0));
	assert_null(shunt_arena_alloc(arena, arena->size, 0));
	assert_said("1032192 of them free");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		group_test(a_space_with_users_is_not_destroyed),
		group_test(a_failed_roll_back_keeps_both_spaces),
		group_test(ports_of_detached_members_stay_halted),
		group_test(a_member_leaves_whatever_its_detach_says),
		group_test(what_is_of_another_iommufd_is_refused),
		group_test(what_a_restart_lost_is_not_lost_for_good),
		group_test(a_failed_unmap_puts_back_what_is_missing),
		group_test(what_the_kernel_keeps_is_unmapped_before_other_memory_comes),
		group_test(memory_that_a_space_has_is_copied),
		group_test(a_hwpt_that_could_not_be_made_is_asked_for_again),
		group_test(a_mapping_that_does_not_fit_is_named),
		group_test(a_refused_replace_keeps_what_devices_reserve),
		group_test(any_number_of_iova_ranges_will_do),
		group_test(no_more_spaces_than_fit_the_table),
		group_test(pieces_of_an_arena_are_aligned_and_zeroed),
		cmocka_unit_test(a_failed_arena_leaves_nothing_to_destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
