/* SPDX-License-Identifier: BSD-3-Clause */
/* The port group on the software platform: members, refusals, what it counts and tells. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "group_fixture.h"

static void every_plan_has_its_name(void **state)
{
	enum shunt_plan plan;

	for (unsigned int i = 0; i <= SHUNT_PLANS; i++) {
		assert_int_equal(shunt_plan_parse(shunt_plan_name((enum shunt_plan)i), &plan), 0);
		assert_int_equal(plan, i);
	}
	assert_int_equal(SHUNT_PLAN_AUTO, SHUNT_PLANS);
	assert_int_equal(shunt_plan_parse("teleport", &plan), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "restart and auto"));
}

static void members_are_listed_with_their_drivers(void **state)
{
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];
	const char long_name[] = "net_driver_with_a_name_of_more_than_31";
	struct shunt_switch_result result;

	assert_int_equal(shunt_group_leave(rig.group, &rig.ports[1].device), 0);
	assert_int_equal(
		shunt_group_join(rig.group, &rig.ports[1].device, long_name, NULL, NULL, rig.a), 0);
	assert_int_equal(shunt_group_list(rig.group, members), PORTS);
	assert_string_equal(members[0].function, "0000:03:00.0");
	assert_string_equal(members[0].driver, DRIVER);
	assert_true(members[0].can_pause && members[0].can_stop);
	assert_int_equal(members[0].hwpt_id, hwpt_of(rig.a));
	assert_string_equal(members[2].function, "0000:04:00.0");
	assert_int_equal(strlen(members[2].driver), SHUNT_DRIVER_NAME - 1);
	assert_memory_equal(members[2].driver, long_name, SHUNT_DRIVER_NAME - 1);
	assert_false(members[2].can_pause || members[2].can_stop);

	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_string_equal(result.members[i].driver, members[i].driver);
}

static void a_check_recovers_every_port(void **state)
{
	struct shunt_switch_result result;

	assert_int_equal(shunt_group_check(rig.group, &result), 0);
	assert_members_on(&result, rig.a);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(rig.ports[i].recovers, 1);
		assert_int_equal(rig.ports[i].suspicion, SHUNT_SUSPICION_SOME);
		assert_false(rig.ports[i].held);
	}
}

/* So a switch takes the same time whatever is mapped: test/rig/scale.c shows it. */
static void a_switch_makes_as_many_calls_as_members(void **state)
{
	struct shunt_switch_result result;
	char *va = rig.arena.addr;

	for (unsigned int mappings = 0; mappings <= 200; mappings += 100) {
		uint64_t calls;

		for (uint64_t i = 0; i < mappings; i++)
			assert_int_equal(shunt_spaces_map(rig.spaces, va, 0x1000,
						 (mappings << 20) + i * 0x1000, SHUNT_DMA_BOTH),
				0);
		calls = inject_calls(rig.inject, INJECT_IOCTL);
		assert_int_equal(
			shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
		assert_int_equal(inject_calls(rig.inject, INJECT_IOCTL) - calls, PORTS);
		assert_int_equal(
			shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_DETACH_ATTACH, &result), 0);
		assert_int_equal(inject_calls(rig.inject, INJECT_IOCTL) - calls, 3 * PORTS);
	}
}

static void only_members_with_faults_are_suspect(void **state)
{
	struct shunt_switch_result result;

	shunt_group_observe(rig.group, three_faults_of_the_second, NULL);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(rig.ports[0].suspicion, SHUNT_SUSPICION_SOME);
	assert_int_equal(rig.ports[1].suspicion, SHUNT_SUSPICION_FAULT);
	assert_int_equal(result.members[1].faults, 3);
	assert_int_equal(rig.ports[2].suspicion, SHUNT_SUSPICION_SOME);
	assert_int_equal(shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_int_equal(rig.ports[0].suspicion, SHUNT_SUSPICION_NONE);
	assert_int_equal(rig.ports[1].suspicion, SHUNT_SUSPICION_FAULT);
	assert_int_equal(rig.ports[2].suspicion, SHUNT_SUSPICION_NONE);
}

/* It may be of the switch before, which is not clean then; and its port is looked at. */
static void a_record_that_comes_late_is_not_forgotten(void **state)
{
	const struct shunt_evidence evidence = known(3000, 0, 0);
	struct shunt_switch_result result;

	shunt_group_evidence(rig.group, &evidence);
	shunt_group_observe(rig.group, late_faults_of_the_second, NULL);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_int_equal(shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_REPLACE, &result), 0);
	assert_true(shunt_switch_late_faults(&result));
	assert_int_equal(result.members[1].faults_late, 2);
	assert_int_equal(result.members[1].faults, 0);
	assert_int_equal(rig.ports[0].suspicion, SHUNT_SUSPICION_SOME);
	assert_int_equal(rig.ports[1].suspicion, SHUNT_SUSPICION_FAULT);
	/* The one before was no replace. */
	assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches");
	assert_auto(SHUNT_PLAN_QUIESCE, "1 of 1 replaces faulted");
}

static void refusals_touch_nothing(void **state)
{
	struct shunt_switch_result result;
	uint64_t calls;

	calls = inject_calls(rig.inject, INJECT_IOCTL);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_REPLACE, &result), -EALREADY);
	assert_non_null(strstr(shunt_errmsg(), "group 10: replace to space 'a'"));
	assert_int_equal(inject_calls(rig.inject, INJECT_IOCTL), calls);
	assert_int_equal(result.start, 0);

	/* In use in "a", missing in "b" */
	assert_int_equal(
		shunt_space_map_own(rig.a, rig.arena.addr, 0x2000, 0x200000, SHUNT_DMA_READ), 0);
	assert_int_equal(
		shunt_space_map_own(rig.b, rig.arena.addr, 0x1000, 0x200000, SHUNT_DMA_READ), 0);
	calls = inject_calls(rig.inject, INJECT_IOCTL);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), -ENOENT);
	assert_non_null(strstr(shunt_errmsg(), "space 'b' lacks IOVA 0x201000 to 0x201fff"));
	assert_int_equal(inject_calls(rig.inject, INJECT_IOCTL), calls);
	assert_members_on(&result, rig.a);

	/* Mapped there too, the switch is possible */
	assert_int_equal(shunt_space_map_own(rig.b, (char *)rig.arena.addr + 0x1000, 0x1000,
				 0x201000, SHUNT_DMA_READ),
		0);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
}

static void a_restart_keeps_away_from_a_space_of_another_group(void **state)
{
	struct shunt_switch_result result;
	uint64_t calls = inject_calls(rig.inject, INJECT_IOCTL);

	assert_int_equal(shunt_space_users(rig.a), 1);
	assert_int_equal(shunt_space_use(rig.b, 11), 0);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_RESTART, &result), -EBUSY);
	assert_non_null(strstr(shunt_errmsg(), "another group uses it"));
	assert_int_equal(result.start, 0);
	assert_int_equal(shunt_space_use(rig.b, 12), 0);
	assert_int_equal(shunt_space_remap(rig.b), -EBUSY);
	shunt_space_leave(rig.b, 12);
	assert_int_equal(inject_calls(rig.inject, INJECT_IOCTL), calls);

	shunt_space_leave(rig.b, 11);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_RESTART, &result), 0);
	assert_int_equal(shunt_space_users(rig.a), 0);
	assert_int_equal(shunt_space_users(rig.b), 1);
}

static void joining_is_refused_with_the_reason(void **state)
{
	struct shunt_iommufd other;
	struct shunt_vfio_device stranger = { .iommufd = &other, .function = "0000:99:00.0" };
	struct shunt_port_ops half = stop_ops;

	half.start = NULL;
	assert_int_equal(shunt_group_join(rig.group, &stranger, "", &half, NULL, rig.a), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "start is missing"));
	half = (struct shunt_port_ops){ .pause = stop_ops.stop, .resume = stop_ops.start };
	assert_int_equal(shunt_group_join(rig.group, &stranger, "", &half, NULL, rig.a), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "drain and resume are missing"));
	assert_int_equal(
		shunt_group_join(rig.group, &rig.ports[0].device, "", NULL, NULL, rig.a), -EBUSY);
	assert_non_null(strstr(shunt_errmsg(), "0000:03:00.0 joining group 10"));
	assert_int_equal(shunt_group_join(rig.group, &stranger, "", NULL, NULL, rig.a), -EINVAL);
	assert_int_equal(shunt_group_leave(rig.group, &stranger), -ENOENT);
	assert_int_equal(shunt_group_members(rig.group), PORTS);
}

static void a_member_that_left_can_come_back(void **state)
{
	struct shunt_switch_result result;

	assert_int_equal(shunt_group_leave(rig.group, &rig.ports[1].device), 0);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(result.member_count, PORTS - 1);
	/* Whatever space it names: the group's is the one that it gets. */
	assert_int_equal(
		shunt_group_join(rig.group, &rig.ports[1].device, "", NULL, NULL, rig.a), 0);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_DETACH_ATTACH, &result), 0);
	assert_members_on(&result, rig.a);
}

static void spaces_refuse_what_cannot_be_mapped(void **state)
{
	char *va = rig.arena.addr;

	assert_int_equal(
		shunt_spaces_map(rig.spaces, va, 0x1000, 0xfee00000, SHUNT_DMA_BOTH), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "0xfef00000"));
	assert_int_equal(
		shunt_spaces_map(rig.spaces, va, 0x2000, 0xfedff000, SHUNT_DMA_BOTH), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "leaves the range"));
	assert_int_equal(
		shunt_spaces_map(rig.spaces, va, 0x1000, 1ull << 50, SHUNT_DMA_BOTH), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "above the ranges"));
	assert_int_equal(
		shunt_spaces_map(rig.spaces, va, 0x1000, 0x10800, SHUNT_DMA_BOTH), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "not a multiple of 0x1000"));
	assert_int_equal(
		shunt_spaces_map(rig.spaces, va, 0x1000, IOVA + 0x1000, SHUNT_DMA_BOTH), -EEXIST);
	assert_non_null(strstr(shunt_errmsg(), "overlaps the mapping of 0x100000000"));
	assert_int_equal(
		shunt_spaces_map(rig.spaces, (void *)0x1000, 0x1000, 0x10000, SHUNT_DMA_BOTH),
		-EFAULT);
	assert_int_equal(shunt_spaces_unmap(rig.spaces, IOVA, 0x1000), -ENOENT);
	assert_int_equal(shunt_space_unmap_own(rig.a, IOVA, rig.arena.size), -ENOENT);
	assert_int_equal(shunt_space_mapped(rig.a), rig.arena.size);
	assert_int_equal(shunt_space_mapped(rig.b), rig.arena.size);
}

static void ports_and_history_are_told_of_switches_that_began(void **state)
{
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];
	struct shunt_switch_result result;
	struct shunt_group_history history;

	shunt_group_history(rig.group, &history);
	assert_int_equal(history.switches + history.failed, 0);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_REPLACE, &result), -EALREADY);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
	inject_fail(rig.inject, NULL, 2, 1, EIO);
	assert_int_equal(shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_REPLACE, &result), -EIO);
	inject_stop(rig.inject);
	shunt_group_history(rig.group, &history);
	assert_int_equal(history.switches, 1);
	assert_int_equal(history.failed, 1);
	assert_memory_equal(&history.last, &result, sizeof(result));
	assert_true(history.last.rolled_back);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(rig.ports[i].told, 2);
		assert_int_equal(rig.ports[i].last.hwpt_id, hwpt_of(rig.b));
	}
	shunt_group_observe(rig.group, three_faults_of_the_second, NULL);
	assert_int_equal(shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_int_equal(shunt_group_list(rig.group, members), PORTS);
	for (unsigned int i = 0; i < PORTS; i++) {
		const struct shunt_member_counts *counts = &members[i].counts;

		assert_int_equal(counts->switches, 2);
		assert_int_equal(counts->failed, 1);
		assert_int_equal(counts->faults, i == 1 ? 3 : 0);
		assert_int_equal(counts->unknown, 2); /* nobody was asked */
		assert_int_equal(counts->recoveries, 0);
		assert_int_equal(counts->halted_last,
			result.members[i].pause_end - result.members[i].pause_start);
		assert_int_equal(counts->halted_max, counts->halted_last);
	}
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
	shunt_group_list(rig.group, members);
	assert_int_equal(members[0].counts.halted_last, 0);
	assert_true(members[0].counts.halted_max > 0);
}

static void a_copy_has_what_its_original_has(void **state)
{
	struct shunt_switch_result result;
	struct shunt_space *copy, *space = NULL;
	unsigned int spaces = 0;
	uint64_t nth;

	assert_int_equal(
		shunt_space_map_own(rig.a, rig.arena.addr, 0x2000, 0x10000, SHUNT_DMA_READ), 0);
	for (nth = 1;; nth++) {
		int ret;

		inject_fail(rig.inject, NULL, nth, 1, ENOMEM);
		ret = shunt_space_copy(rig.a, "c", &copy);
		if (!inject_failures(rig.inject))
			break;
		assert_int_equal(ret, -ENOMEM);
		assert_null(shunt_space_find(rig.spaces, "c"));
	}
	inject_stop(rig.inject);
	assert_int_equal(nth, 4); /* IOAS, shared mapping, own one */
	assert_int_equal(shunt_space_copy(rig.a, "c", &space), -EEXIST);
	while ((space = shunt_space_next(rig.spaces, space)) != NULL)
		spaces++;
	assert_int_equal(spaces, 3);
	assert_int_equal(shunt_space_mapped(copy), shunt_space_mapped(rig.a));
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result),
		-ENOENT); /* it lacks the own mapping */
	assert_int_equal(shunt_group_switch(rig.group, copy, SHUNT_PLAN_REPLACE, &result), 0);
	assert_members_on(&result, copy);
	assert_int_equal(shunt_space_unmap_own(rig.a, 0x10000, 0x2000), 0);
	assert_int_equal(shunt_space_mapped(copy), rig.arena.size + 0x2000);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_REPLACE, &result), -ENOENT);
	assert_int_equal(shunt_space_unmap_own(copy, 0x10000, 0x2000), 0);
	assert_int_equal(shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(shunt_space_destroy(copy), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_plan_has_its_name),
		group_test(members_are_listed_with_their_drivers),
		group_test(a_check_recovers_every_port),
		group_test(a_switch_makes_as_many_calls_as_members),
		group_test(only_members_with_faults_are_suspect),
		group_test(a_record_that_comes_late_is_not_forgotten),
		group_test(refusals_touch_nothing),
		group_test(a_restart_keeps_away_from_a_space_of_another_group),
		group_test(joining_is_refused_with_the_reason),
		group_test(a_member_that_left_can_come_back),
		group_test(spaces_refuse_what_cannot_be_mapped),
		group_test(ports_and_history_are_told_of_switches_that_began),
		group_test(a_copy_has_what_its_original_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
