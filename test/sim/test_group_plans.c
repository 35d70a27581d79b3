/* SPDX-License-Identifier: BSD-3-Clause */
/* The port group on the software platform: what each plan asks of the ports, and what auto takes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "group_bench.h"
#include "shunt_error.h"

static void each_plan_moves_every_member(void **state)
{
	struct shunt_switch_result result;

	for (unsigned int i = 0; i < 2 * SHUNT_PLANS; i++) {
		struct shunt_space *to = i % 2 ? bench.a : bench.b;
		enum shunt_plan plan = (enum shunt_plan)(i / 2);

		assert_int_equal(shunt_group_switch(bench.group, to, plan, &result), 0);
		assert_members_on(&result, to);
		assert_false(result.rolled_back);
		assert_int_equal(result.to_hwpt, hwpt_of(to));
		assert_true(result.start <= result.members[0].ioctl_start);
		assert_true(result.members[PORTS - 1].ioctl_end <= result.moved);
		assert_true(result.moved <= result.end);
		for (unsigned int port = 0; port < PORTS; port++) {
			assert_int_equal(bench.ports[port].recovers, i + 1);
			assert_int_equal(result.members[port].faults, -ENOTSUP);
			assert_int_equal(
				bench.ports[port].doubt, SHUNT_DOUBT_FAULT); /* nobody was asked */
			assert_false(bench.ports[port].held);
		}
	}
}

static void assert_pauses_around_the_move(const struct shunt_switch_result *result)
{
	for (unsigned int i = 0; i < PORTS; i++) {
		const struct shunt_switch_member *member = &result->members[i];

		assert_true(result->start <= member->pause_start);
		assert_true(member->pause_start <= result->members[0].ioctl_start);
		assert_true(result->members[PORTS - 1].ioctl_end <= member->pause_end);
		assert_true(member->pause_end <= result->moved);
	}
}

static void ports_are_paused_or_stopped_where_the_plan_says_so(void **state)
{
	struct shunt_switch_result result;

	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(result.members[0].pause_start, 0);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_DETACH_ATTACH, &result), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(bench.ports[i].pauses + bench.ports[i].stops, 0);

	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_pauses_around_the_move(&result);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(bench.ports[i].pauses, 1);
		assert_int_equal(bench.ports[i].stops, 0);
	}
	assert_int_equal(shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_RESTART, &result), 0);
	assert_pauses_around_the_move(&result);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(bench.ports[i].pauses, 1);
		assert_int_equal(bench.ports[i].stops, 1);
	}
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_STOP_REPLACE_START, &result),
		0);
	assert_pauses_around_the_move(&result);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(result.members[i].halt, SHUNT_HALT_STOP);
		assert_int_equal(bench.ports[i].pauses, 1);
		assert_int_equal(bench.ports[i].stops, 2);
	}
}

static void a_port_that_does_not_pause_leaves_the_group_where_it_was(void **state)
{
	const struct {
		enum shunt_plan plan;
		const char *text;
	} steps[] = {
		{ SHUNT_PLAN_QUIESCE, "pause failed" },
		{ SHUNT_PLAN_QUIESCE, "drain failed" },
		{ SHUNT_PLAN_RESTART, "stop failed" },
		{ SHUNT_PLAN_STOP_REPLACE_START, "stop failed" },
	};
	struct shunt_switch_result result;

	for (unsigned int i = 0; i < 4 * PORTS; i++) {
		uint64_t calls = inject_calls(bench.inject, INJECT_IOCTL);
		struct port *port = &bench.ports[i % PORTS];
		int *const fails[] = { &port->fail_pause, &port->fail_drain, &port->fail_stop,
			&port->fail_stop };

		*fails[i / PORTS] = ETIMEDOUT;
		assert_int_equal(
			shunt_group_switch(bench.group, bench.b, steps[i / PORTS].plan, &result),
			-ETIMEDOUT);
		assert_non_null(strstr(shunt_errmsg(), steps[i / PORTS].text));
		assert_int_equal(inject_calls(bench.inject, INJECT_IOCTL), calls);
		assert_true(result.rolled_back);
		assert_members_on(&result, bench.a);
		for (unsigned int member = 0; member < PORTS; member++) {
			assert_false(bench.ports[member].paused || bench.ports[member].stopped);
			assert_int_equal(bench.ports[member].recovers, i + 1);
		}
	}
}

static void ports_resume_in_the_order_of_their_pauses_if_all_keep_their_frames(void **state)
{
	struct shunt_switch_result result;

	for (unsigned int keeping = 0; keeping <= PORTS; keeping++) {
		for (unsigned int i = 0; i < PORTS; i++)
			bench.ports[i].keeps_frames = i < keeping;
		bench.resumes = 0;
		assert_int_equal(shunt_group_switch(bench.group, keeping % 2 ? bench.a : bench.b,
					 SHUNT_PLAN_QUIESCE, &result),
			0);
		for (unsigned int i = 0; i < PORTS; i++)
			assert_int_equal(
				bench.ports[i].resumed, keeping == PORTS ? i + 1 : PORTS - i);
	}
}

static void a_port_that_does_not_go_on_is_reported_and_looked_after(void **state)
{
	const enum shunt_plan plans[] = { SHUNT_PLAN_QUIESCE, SHUNT_PLAN_RESTART,
		SHUNT_PLAN_STOP_REPLACE_START };
	struct shunt_switch_result result;

	for (unsigned int i = 0; i < 3; i++) {
		struct shunt_space *to = i % 2 ? bench.a : bench.b;

		*(i ? &bench.ports[1].fail_start : &bench.ports[1].fail_resume) = EIO;
		assert_int_equal(shunt_group_switch(bench.group, to, plans[i], &result), -EIO);
		assert_non_null(strstr(shunt_errmsg(), i ? "start failed" : "resume failed"));
		assert_false(result.rolled_back);
		assert_members_on(&result, to);
		for (unsigned int member = 0; member < PORTS; member++)
			assert_int_equal(bench.ports[member].recovers, i + 1);
	}
}

static void plans_that_a_member_cannot_follow_are_refused(void **state)
{
	struct shunt_switch_result result;

	join_again(2, &least_ops);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_QUIESCE, &result), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(),
		"0000:05:00.0 (net_e1000_igb) cannot pause its DMA: use another plan"));
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_RESTART, &result), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(), "0000:05:00.0 (net_e1000_igb) cannot be stopped"));
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_STOP_REPLACE_START, &result),
		-EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(), "0000:05:00.0 (net_e1000_igb) cannot be stopped"));
	assert_members_on(&result, bench.a);

	join_again(2, &stop_ops);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_QUIESCE, &result), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(),
		"0000:05:00.0 (net_e1000_igb) cannot pause its DMA: use stop-replace-start"));
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(bench.ports[i].pauses + bench.ports[i].stops, 0);
}

static void auto_takes_replace_only_where_it_was_seen_hitless(void **state)
{
	struct shunt_evidence evidence = known(4120, 0, 0);

	shunt_group_observe(bench.group, no_faults, NULL);
	assert_auto(SHUNT_PLAN_QUIESCE, "nothing is known of replace on an unknown IOMMU");
	shunt_group_evidence(bench.group, &evidence);
	assert_auto(SHUNT_PLAN_REPLACE,
		"4,120 switches under traffic without a fault on sim hitless, explicit hwpts");
	evidence = known(2999, 0, 0);
	shunt_group_evidence(bench.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE, "2,999 switches under traffic without a fault are not yet");
	evidence = known(1000000, 1, 0);
	shunt_group_evidence(bench.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE, "1 of 1,000,000 replaces faulted on sim hitless");
	/* What is known of the other kind of hwpts says nothing. */
	evidence = known(0, 0, 0);
	evidence.seen[SHUNT_HWPT_AUTOMATIC].switches = 5000;
	shunt_group_evidence(bench.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE, "nothing is known of replace on sim hitless");
}

static void auto_leaves_replace_at_the_first_fault(void **state)
{
	const struct shunt_evidence evidence = known(3000, 0, 0);

	shunt_group_evidence(bench.group, &evidence);
	shunt_group_observe(bench.group, no_faults, NULL);
	for (unsigned int i = 0; i < 10; i++)
		assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches");
	shunt_group_observe(bench.group, three_faults_of_the_second, NULL);
	assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches");
	assert_auto(SHUNT_PLAN_QUIESCE, "1 of 3,001 replaces faulted");
	/* Faults in a switch by another plan say nothing of replace. */
	assert_auto(SHUNT_PLAN_QUIESCE, "1 of 3,001 replaces faulted");

	shunt_group_evidence(bench.group, &evidence);
	shunt_group_observe(bench.group, nobody_can_tell, NULL);
	assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches");
	assert_auto(SHUNT_PLAN_QUIESCE, "in 1 of 3,001 replaces nobody could tell");
}

/* The outage of each is as short as what it can do allows. */
static void a_mixed_group_stops_only_those_that_cannot_pause(void **state)
{
	struct shunt_switch_result result;
	const struct shunt_switch_member *rows = result.members;

	join_again(0, &stop_ops); /* now the third member */
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_STOP_REPLACE_START, &result),
		0);
	assert_pauses_around_the_move(&result);
	assert_string_equal(rows[2].driver, OTHER_DRIVER);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(rows[i].halt, SHUNT_HALT_PAUSE);
		assert_true(rows[2].pause_start <= rows[i].pause_start);
		assert_true(rows[i].pause_end <= rows[2].pause_end);
	}
	assert_int_equal(rows[2].halt, SHUNT_HALT_STOP);
	assert_int_equal(bench.ports[0].stops, 1);
	assert_int_equal(bench.ports[0].pauses, 0);
	for (unsigned int i = 1; i < PORTS; i++) {
		assert_int_equal(bench.ports[i].stops, 0);
		assert_int_equal(bench.ports[i].pauses, 1);
	}
	/* One that does not stop keeps the others from being paused. */
	bench.ports[0].fail_stop = ETIMEDOUT;
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_STOP_REPLACE_START, &result),
		-ETIMEDOUT);
	assert_true(result.rolled_back);
	assert_int_equal(bench.ports[1].pauses, 1);
	/* One that does not pause: the one that was stopped is started. */
	bench.ports[1].fail_pause = ETIMEDOUT;
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_STOP_REPLACE_START, &result),
		-ETIMEDOUT);
	assert_true(result.rolled_back);
	assert_int_equal(bench.ports[0].stops, 3);
	assert_false(bench.ports[0].stopped);
	assert_members_on(&result, bench.b);
	/* One that does not start: the others go on. */
	bench.ports[0].fail_start = EIO;
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_STOP_REPLACE_START, &result),
		-EIO);
	assert_non_null(strstr(shunt_errmsg(), "start failed"));
	assert_false(result.rolled_back);
	assert_members_on(&result, bench.a);
}

/* What auto says where a member can be stopped only, whatever is known of replace. */
static void auto_stops_a_member_that_cannot_pause(void **state)
{
	struct shunt_evidence evidence = known(12, 1, 0);

	shunt_group_observe(bench.group, no_faults, NULL);
	join_again(2, &stop_ops);
	assert_auto(SHUNT_PLAN_STOP_REPLACE_START,
		"0000:05:00.0 (net_e1000_igb) cannot pause its DMA; nothing is known of replace");
	shunt_group_evidence(bench.group, &evidence);
	assert_auto(SHUNT_PLAN_STOP_REPLACE_START,
		"(net_e1000_igb) cannot pause its DMA; 1 of 12 replaces faulted on sim hitless");
	evidence = known(3000, 0, 0);
	shunt_group_evidence(bench.group, &evidence);
	assert_auto(SHUNT_PLAN_STOP_REPLACE_START, "cannot pause its DMA; 3,000 switches");
}

/* Switches live, there or back. */
static int switch_live(
	enum shunt_plan plan, enum shunt_live live, struct shunt_switch_result *result)
{
	struct shunt_space *to = shunt_group_space(bench.group) == bench.a ? bench.b : bench.a;

	return shunt_group_switch_live(bench.group, to, plan, live, result);
}

static void assert_refused_live(enum shunt_plan plan, enum shunt_live live, const char *words)
{
	struct shunt_space *space = shunt_group_space(bench.group);
	uint64_t calls = inject_calls(bench.inject, INJECT_IOCTL);
	struct shunt_switch_result result;

	assert_int_equal(switch_live(plan, live, &result), -EPERM);
	if (!strstr(shunt_errmsg(), words) || !strstr(shunt_errmsg(), "use stop-replace-start"))
		fail_msg("no '%s' in: %s", words, shunt_errmsg());
	assert_int_equal(result.start, 0);
	assert_int_equal(inject_calls(bench.inject, INJECT_IOCTL), calls);
	assert_members_on(&result, space);
}

static void assert_live(enum shunt_plan plan, enum shunt_live live, const char *warning)
{
	struct shunt_switch_result result;

	assert_int_equal(switch_live(plan, live, &result), 0);
	assert_int_equal(result.live, live);
	if (warning && !strstr(result.warning, warning))
		fail_msg("no '%s' in: %s", warning, result.warning);
	if (!warning)
		assert_string_equal(result.warning, "");
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(result.members[i].halt, SHUNT_HALT_NONE);
}

/* A port whose driver was not made for it runs on only by request, and not where it would stop. */
static void ports_that_cannot_pause_run_on_by_request_only(void **state)
{
	struct shunt_evidence evidence = known(4120, 0, 0);

	shunt_group_observe(bench.group, no_faults, NULL);
	join_again(2, &stop_ops);
	assert_refused_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_NO,
		"0000:05:00.0 (net_e1000_igb) cannot pause its DMA and would run on");
	assert_refused_live(SHUNT_PLAN_DETACH_ATTACH, SHUNT_LIVE_NO, "would run on");
	assert_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_ASKED,
		"nothing is known of replace on an unknown IOMMU, explicit hwpts: if DMA is "
		"refused, 0000:05:00.0 (net_e1000_igb) may receive nothing any more");

	shunt_group_evidence(bench.group, &evidence);
	assert_refused_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_NO, "would run on");
	assert_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_ASKED, NULL);
	assert_live(SHUNT_PLAN_AUTO, SHUNT_LIVE_ASKED, NULL); /* takes replace */
	assert_refused_live(SHUNT_PLAN_DETACH_ATTACH, SHUNT_LIVE_ASKED,
		"from the last detach to the first attach DMA is refused on every IOMMU");
	assert_live(SHUNT_PLAN_DETACH_ATTACH, SHUNT_LIVE_FORCED,
		"on every IOMMU: 0000:05:00.0 (net_e1000_igb) may receive nothing any more");

	/* The first fault ends it. */
	shunt_group_observe(bench.group, three_faults_of_the_second, NULL);
	assert_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_ASKED, NULL);
	assert_refused_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_ASKED,
		"1 of 4,121 replaces faulted on sim hitless, explicit hwpts; 0000:05:00.0");
	assert_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_FORCED, "1 of 4,121 replaces faulted");
	assert_auto(SHUNT_PLAN_STOP_REPLACE_START, "2 of 4,122 replaces faulted");

	/* Of whichever kind of hwpts. */
	evidence = known(0, 0, 0);
	evidence.seen[SHUNT_HWPT_AUTOMATIC] =
		(struct shunt_evidence_seen){ .switches = 200, .faulted = 7 };
	shunt_group_evidence(bench.group, &evidence);
	assert_refused_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_ASKED,
		"7 of 200 replaces faulted on sim hitless, automatic hwpts");
	evidence.seen[SHUNT_HWPT_EXPLICIT].switches = 3000;
	shunt_group_evidence(bench.group, &evidence);
	assert_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_ASKED, NULL);
}

/* Live is about ports that cannot pause: it allows nothing else, and forbids nothing. */
static void live_means_nothing_to_ports_that_can_pause(void **state)
{
	const struct shunt_evidence evidence = known(12, 1, 0);
	struct shunt_switch_result result;

	shunt_group_evidence(bench.group, &evidence);
	assert_live(SHUNT_PLAN_REPLACE, SHUNT_LIVE_NO, NULL);
	assert_live(SHUNT_PLAN_DETACH_ATTACH, SHUNT_LIVE_ASKED, NULL);
	assert_int_equal(switch_live(SHUNT_PLAN_AUTO, SHUNT_LIVE_FORCED, &result), 0);
	assert_int_equal(result.plan, SHUNT_PLAN_QUIESCE);
	join_again(2, &stop_ops);
	assert_int_equal(switch_live(SHUNT_PLAN_QUIESCE, SHUNT_LIVE_FORCED, &result), -EOPNOTSUPP);
	assert_int_equal(switch_live(SHUNT_PLAN_AUTO, SHUNT_LIVE_FORCED, &result), 0);
	assert_int_equal(result.plan, SHUNT_PLAN_STOP_REPLACE_START);
	assert_string_equal(result.warning, "");
}

static void auto_does_not_guess_where_a_member_can_do_nothing(void **state)
{
	struct shunt_evidence evidence = known(12, 1, 0);
	struct shunt_switch_result result;
	char why[SHUNT_PLAN_TEXT];
	enum shunt_plan plan;
	uint64_t calls;

	join_again(2, &least_ops);
	shunt_group_evidence(bench.group, &evidence);
	calls = inject_calls(bench.inject, INJECT_IOCTL);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_AUTO, &result), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(), "group 10: auto to space 'b'"));
	assert_non_null(strstr(shunt_errmsg(), "1 of 12 replaces faulted on sim hitless"));
	assert_non_null(strstr(shunt_errmsg(), "0000:05:00.0 (net_e1000_igb) cannot be stopped"));
	assert_int_equal(result.plan, SHUNT_PLAN_AUTO);
	assert_int_equal(result.start, 0);
	assert_int_equal(inject_calls(bench.inject, INJECT_IOCTL), calls);
	assert_int_equal(shunt_group_choose(bench.group, bench.b, &plan, why), -EOPNOTSUPP);
	assert_members_on(&result, bench.a);

	evidence = known(3000, 0, 0);
	shunt_group_evidence(bench.group, &evidence);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_AUTO, &result), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(), "3,000 switches"));
	/* Where there is no port the caller takes care, and has asked for it. */
	join_again(2, NULL);
	assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		group_test(each_plan_moves_every_member),
		group_test(ports_are_paused_or_stopped_where_the_plan_says_so),
		group_test(ports_resume_in_the_order_of_their_pauses_if_all_keep_their_frames),
		group_test(a_port_that_does_not_pause_leaves_the_group_where_it_was),
		group_test(a_port_that_does_not_go_on_is_reported_and_looked_after),
		group_test(plans_that_a_member_cannot_follow_are_refused),
		group_test(auto_takes_replace_only_where_it_was_seen_hitless),
		group_test(auto_leaves_replace_at_the_first_fault),
		group_test(a_mixed_group_stops_only_those_that_cannot_pause),
		group_test(auto_stops_a_member_that_cannot_pause),
		group_test(ports_that_cannot_pause_run_on_by_request_only),
		group_test(live_means_nothing_to_ports_that_can_pause),
		group_test(auto_does_not_guess_where_a_member_can_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
