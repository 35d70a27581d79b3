/* SPDX-License-Identifier: BSD-3-Clause */
/* The port group on the software platform: every seam call made to fail in turn. */
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

/* Makes calls fail from the nth on, one after another, until nothing is left to fail. */
static void each_call_of_set_up_fails_in_turn(void **state)
{
	uint64_t nth;

	for (nth = 1;; nth++) {
		int ret;

		inject_fail(rig.inject, NULL, nth, 1, EIO);
		ret = set_up();
		if (!inject_failures(rig.inject))
			break;
		assert_int_equal(ret, -EIO);
		if (!strstr(shunt_errmsg(), inject_failed_call(rig.inject)))
			fail_msg("%s failed, and the text is: %s", inject_failed_call(rig.inject),
				shunt_errmsg());
		assert_int_equal(take_down(), 0);
		assert_nothing_left();
	}
	assert_true(nth > 15);
}

static void each_call_of_a_switch_fails_in_turn(enum shunt_plan plan, unsigned int calls)
{
	struct shunt_switch_result result;
	uint64_t nth;

	for (nth = 1;; nth++) {
		int ret;

		inject_fail(rig.inject, NULL, nth, 1, ENOMEM);
		ret = shunt_group_switch(rig.group, rig.b, plan, &result);
		if (!inject_failures(rig.inject))
			break;
		assert_int_equal(ret, -ENOMEM);
		assert_non_null(strstr(shunt_errmsg(), inject_failed_call(rig.inject)));
		assert_non_null(strstr(shunt_errmsg(), "every member is back on hwpt"));
		assert_int_equal(result.error, -ENOMEM);
		assert_true(result.rolled_back);
		assert_members_on(&result, rig.a);
		assert_int_equal(rig.ports[0].recovers, nth);
	}
	assert_int_equal(nth, calls + 1);
	assert_int_equal(result.error, 0);
	assert_members_on(&result, rig.b);
}

static void each_call_of_a_replace_fails_in_turn(void **state)
{
	each_call_of_a_switch_fails_in_turn(SHUNT_PLAN_REPLACE, PORTS);
}

static void each_call_of_a_detach_attach_fails_in_turn(void **state)
{
	each_call_of_a_switch_fails_in_turn(SHUNT_PLAN_DETACH_ATTACH, 2 * PORTS);
}

static void each_call_of_a_stop_replace_start_fails_in_turn(void **state)
{
	each_call_of_a_switch_fails_in_turn(SHUNT_PLAN_STOP_REPLACE_START, PORTS);
}

static void each_call_of_a_mixed_group_fails_in_turn(void **state)
{
	join_again(0, &stop_ops);
	each_call_of_a_switch_fails_in_turn(SHUNT_PLAN_STOP_REPLACE_START, PORTS);
	assert_true(rig.ports[0].stops == PORTS + 1 && rig.ports[1].pauses == PORTS + 1);
}

static void each_call_of_a_quiesce_fails_in_turn(void **state)
{
	each_call_of_a_switch_fails_in_turn(SHUNT_PLAN_QUIESCE, PORTS);
}

/* Detach, unmap and map the one shared mapping, attach. */
static void each_call_of_a_restart_fails_in_turn(void **state)
{
	each_call_of_a_switch_fails_in_turn(SHUNT_PLAN_RESTART, 2 * PORTS + 2);
}

static void a_mapping_that_a_restart_lost_keeps_its_space_from_use(void **state)
{
	struct shunt_switch_result result;

	/* Detach, unmap; then map, and map again. */
	inject_fail(rig.inject, NULL, PORTS + 2, 2, ENOMEM);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_RESTART, &result), -ENOMEM);
	inject_stop(rig.inject);
	assert_true(result.rolled_back);
	assert_members_on(&result, rig.a);
	assert_non_null(strstr(shunt_errmsg(), "is lost"));
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), -EIO);
	assert_non_null(strstr(shunt_errmsg(), "destroy it and create it again"));
	/* The way out that the text names */
	assert_int_equal(shunt_space_destroy(rig.b), 0);
	assert_int_equal(shunt_space_create(rig.spaces, "b", &rig.b), 0);
	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
}

static void a_failed_roll_back_reports_each_member(void **state)
{
	struct shunt_switch_result result;

	rig.halted_for_good = true;
	/* Detach 1, 2, 3 and attach 1 work; all after that fails. */
	inject_fail(rig.inject, NULL, PORTS + 2, UINT64_MAX, EIO);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_DETACH_ATTACH, &result), -EIO);
	inject_stop(rig.inject);
	assert_false(result.rolled_back);
	assert_int_equal(result.members[0].hwpt_id, hwpt_of(rig.b));
	assert_int_equal(result.members[1].hwpt_id, 0);
	assert_int_equal(result.members[2].hwpt_id, 0);
	assert_non_null(strstr(shunt_errmsg(), "0000:04:00.0 detached"));
	assert_null(shunt_group_space(rig.group));
	assert_int_equal(shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_REPLACE, &result), -EBUSY);
	/* The way out that the text names */
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(shunt_group_leave(rig.group, &rig.ports[i].device), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(
			shunt_group_join(rig.group, &rig.ports[i].device, "", NULL, NULL, rig.b),
			0);
	assert_int_equal(shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_REPLACE, &result), 0);
}

static void each_call_of_mapping_fails_in_turn(void **state)
{
	void *va = (char *)rig.arena.addr;
	uint64_t nth;

	for (nth = 1;; nth++) {
		int ret;

		inject_fail(rig.inject, NULL, nth, 1, ENOMEM);
		ret = shunt_spaces_map(rig.spaces, va, 0x3000, 0x10000, SHUNT_DMA_BOTH);
		if (!inject_failures(rig.inject))
			break;
		assert_int_equal(ret, -ENOMEM);
		assert_int_equal(shunt_space_mapped(rig.a), rig.arena.size);
	}
	assert_int_equal(nth, 3); /* map into "a", copy to "b" */
	for (nth = 1;; nth++) {
		int ret;

		inject_fail(rig.inject, NULL, nth, 1, EIO);
		ret = shunt_spaces_unmap(rig.spaces, 0x10000, 0x3000);
		if (!inject_failures(rig.inject))
			break;
		assert_int_equal(ret, -EIO);
		assert_int_equal(shunt_space_mapped(rig.a), rig.arena.size + 0x3000);
	}
	assert_int_equal(nth, 3);
	assert_int_equal(shunt_space_mapped(rig.b), rig.arena.size);
}

static void each_call_of_tear_down_fails_in_turn(void **state)
{
	uint64_t nth;

	for (nth = 1;; nth++) {
		assert_int_equal(rig.members ? 0 : set_up(), 0);
		inject_fail(rig.inject, NULL, nth, 1, EIO);
		take_down();
		if (!inject_failures(rig.inject))
			break;
		/* Closing the descriptors takes with it what a call left behind. */
		assert_nothing_left();
	}
	assert_true(nth > PORTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_call_of_set_up_fails_in_turn, make_platform, free_platform),
		group_test(each_call_of_a_replace_fails_in_turn),
		group_test(each_call_of_a_detach_attach_fails_in_turn),
		group_test(each_call_of_a_stop_replace_start_fails_in_turn),
		group_test(each_call_of_a_mixed_group_fails_in_turn),
		group_test(each_call_of_a_quiesce_fails_in_turn),
		group_test(each_call_of_a_restart_fails_in_turn),
		group_test(a_mapping_that_a_restart_lost_keeps_its_space_from_use),
		group_test(a_failed_roll_back_reports_each_member),
		group_test(each_call_of_mapping_fails_in_turn),
		group_test(each_call_of_tear_down_fails_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
