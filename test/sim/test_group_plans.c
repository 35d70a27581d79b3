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

#include <shunt/error.h>

#include "group_fixture.h"

static void each_plan_moves_every_member(void **state)
{
	struct shunt_switch_result result;

	for (unsigned int i = 0; i < 2 * SHUNT_PLANS; i++) {
		struct shunt_space *to = i % 2 ? rig.a : rig.b;
		enum shunt_plan plan = (enum shunt_plan)(i / 2);

		assert_int_equal(shunt_group_switch(rig.group, to, plan, &result), 0);
		assert_members_on(&result, to);
		assert_false(result.rolled_back);
		assert_int_equal(result.to_hwpt, hwpt_of(to));
		assert_true(result.start <= result.members[0].ioctl_start);
		assert_true(result.members[PORTS - 1].ioctl_end <= result.moved);
		assert_true(result.moved <= result.end);
		for (unsigned int port = 0; port < PORTS; port++) {
			assert_int_equal(rig.ports[port].recovers, i + 1);
			assert_int_equal(result.members[port].faults, -ENOTSUP);
			assert_int_equal(rig.ports[port].suspicion,
				SHUNT_SUSPICION_FAULT); /* nobody was asked */
			assert_false(rig.ports[port].held);
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

	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(result.members[0].pause_start, 0);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_DETACH_ATTACH, &result), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(rig.ports[i].pauses + rig.ports[i].stops, 0);

	assert_int_equal(shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_pauses_around_the_move(&result);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(rig.ports[i].pauses, 1);
		assert_int_equal(rig.ports[i].stops, 0);
	}
	assert_int_equal(shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_RESTART, &result), 0);
	assert_pauses_around_the_move(&result);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(rig.ports[i].pauses, 1);
		assert_int_equal(rig.ports[i].stops, 1);
	}
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_STOP_REPLACE_START, &result), 0);
	assert_pauses_around_the_move(&result);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(result.members[i].halt, SHUNT_HALT_STOP);
		assert_int_equal(rig.ports[i].pauses, 1);
		assert_int_equal(rig.ports[i].stops, 2);
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
		uint64_t calls = inject_calls(rig.inject, INJECT_IOCTL);
		struct port *port = &rig.ports[i % PORTS];
		int *const fails[] = { &port->fail_pause, &port->fail_drain, &port->fail_stop,
			&port->fail_stop };

		*fails[i / PORTS] = ETIMEDOUT;
		assert_int_equal(
			shunt_group_switch(rig.group, rig.b, steps[i / PORTS].plan, &result),
			-ETIMEDOUT);
		assert_non_null(strstr(shunt_errmsg(), steps[i / PORTS].text));
		assert_int_equal(inject_calls(rig.inject, INJECT_IOCTL), calls);
		assert_true(result.rolled_back);
		assert_members_on(&result, rig.a);
		for (unsigned int member = 0; member < PORTS; member++) {
			assert_false(rig.ports[member].paused || rig.ports[member].stopped);
			assert_int_equal(rig.ports[member].recovers, i + 1);
		}
	}
}

static void ports_resume_in_the_order_of_their_pauses_if_all_keep_their_frames(void **state)
{
	struct shunt_switch_result result;

	for (unsigned int keeping = 0; keeping <= PORTS; keeping++) {
		for (unsigned int i = 0; i < PORTS; i++)
			rig.ports[i].keeps_frames = i < keeping;
		rig.resumes = 0;
		assert_int_equal(shunt_group_switch(rig.group, keeping % 2 ? rig.a : rig.b,
					 SHUNT_PLAN_QUIESCE, &result),
			0);
		for (unsigned int i = 0; i < PORTS; i++)
			assert_int_equal(
				rig.ports[i].resumed, keeping == PORTS ? i + 1 : PORTS - i);
	}
}

static void a_port_that_fails_to_resume_is_reported_and_recovered(void **state)
{
	const enum shunt_plan plans[] = { SHUNT_PLAN_QUIESCE, SHUNT_PLAN_RESTART,
		SHUNT_PLAN_STOP_REPLACE_START };
	struct shunt_switch_result result;

	for (unsigned int i = 0; i < 3; i++) {
		struct shunt_space *to = i % 2 ? rig.a : rig.b;

		*(i ? &rig.ports[1].fail_start : &rig.ports[1].fail_resume) = EIO;
		assert_int_equal(shunt_group_switch(rig.group, to, plans[i], &result), -EIO);
		assert_non_null(strstr(shunt_errmsg(), i ? "start failed" : "resume failed"));
		assert_false(result.rolled_back);
		assert_true(result.recovered);
		assert_members_on(&result, to);
		for (unsigned int member = 0; member < PORTS; member++)
			assert_int_equal(rig.ports[member].recovers, i + 1);
	}
}

static void plans_that_a_member_cannot_follow_are_refused(void **state)
{
	struct shunt_switch_result result;

	join_again(2, &least_ops);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_QUIESCE, &result), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(),
		"0000:05:00.0 (net_e1000_igb) cannot pause its DMA: use another plan"));
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_RESTART, &result), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(), "0000:05:00.0 (net_e1000_igb) cannot be stopped"));
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_STOP_REPLACE_START, &result),
		-EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(), "0000:05:00.0 (net_e1000_igb) cannot be stopped"));
	assert_members_on(&result, rig.a);

	join_again(2, &stop_ops);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_QUIESCE, &result), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(),
		"0000:05:00.0 (net_e1000_igb) cannot pause its DMA: use stop-replace-start"));
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(rig.ports[i].pauses + rig.ports[i].stops, 0);
}

static void auto_takes_replace_only_where_it_was_seen_hitless(void **state)
{
	struct shunt_evidence evidence = known(4120, 0, 0);

	shunt_group_observe(rig.group, no_faults, NULL);
	assert_auto(SHUNT_PLAN_QUIESCE, "nothing is known of replace on an unknown IOMMU");
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_REPLACE,
		"4,120 switches under dense traffic without a fault, 4,120 switches under cold "
		"traffic without a fault on sim hitless, explicit hwpts");
	evidence = known(2999, 0, 0);
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE,
		"2,999 switches under dense traffic without a fault are not yet");
	evidence = known(1000000, 1, 0);
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE,
		"1 of 1,000,000 replaces faulted under dense traffic, 1 of "
		"1,000,000 replaces faulted under cold traffic on sim hitless");
	/* What is known of the other kind of hwpts says nothing. */
	evidence = known(0, 0, 0);
	evidence.seen[SHUNT_HWPT_AUTOMATIC][SHUNT_EVIDENCE_DENSE].switches = 5000;
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE, "nothing is known of replace on sim hitless");
}

/* What was seen under one kind of traffic says nothing of the other. */
static void auto_wants_both_kinds_of_traffic(void **state)
{
	struct shunt_evidence evidence = known(0, 0, 0);
	struct shunt_evidence_seen *seen = evidence.seen[SHUNT_HWPT_EXPLICIT];

	shunt_group_observe(rig.group, no_faults, NULL);
	seen[SHUNT_EVIDENCE_DENSE].switches = 5000;
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE,
		"5,000 switches under dense traffic without a fault, nothing is known of replace "
		"under cold traffic on sim hitless, explicit hwpts; 'shunt forward --plan replace "
		"--cold 10ms' gathers what is missing");
	seen[SHUNT_EVIDENCE_COLD] = (struct shunt_evidence_seen){ .switches = 40, .faulted = 1 };
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE, "1 of 40 replaces faulted under cold traffic on sim");
	seen[SHUNT_EVIDENCE_COLD] = (struct shunt_evidence_seen){ .switches = 3000 };
	seen[SHUNT_EVIDENCE_DENSE].switches = 0;
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE,
		"nothing is known of replace under dense traffic, 3,000 switches under cold");
	assert_auto(SHUNT_PLAN_QUIESCE, "'shunt forward --plan replace' gathers what is missing");
	seen[SHUNT_EVIDENCE_DENSE].switches = 3000;
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches under cold traffic without a fault");
	/* An application's: its traffic is unknown. */
	seen[SHUNT_EVIDENCE_OTHER] = (struct shunt_evidence_seen){ .switches = 1, .faulted = 1 };
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_QUIESCE, "1 of 1 replaces faulted under other traffic");
}

static void auto_leaves_replace_at_the_first_fault(void **state)
{
	const struct shunt_evidence evidence = known(3000, 0, 0);

	shunt_group_evidence(rig.group, &evidence);
	shunt_group_observe(rig.group, no_faults, NULL);
	for (unsigned int i = 0; i < 10; i++)
		assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches");
	shunt_group_observe(rig.group, three_faults_of_the_second, NULL);
	assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches");
	assert_auto(SHUNT_PLAN_QUIESCE, "1 of 1 replaces faulted under other traffic");
	/* Faults in a switch by another plan say nothing of replace. */
	assert_auto(SHUNT_PLAN_QUIESCE, "1 of 1 replaces faulted under other traffic");

	shunt_group_evidence(rig.group, &evidence);
	shunt_group_observe(rig.group, nobody_can_tell, NULL);
	assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches");
	assert_auto(
		SHUNT_PLAN_QUIESCE, "fault status unknown for 1 of 1 replaces under other traffic");
}

/* The outage of each is as short as what it can do allows. */
static void a_mixed_group_stops_only_those_that_cannot_pause(void **state)
{
	struct shunt_switch_result result;
	const struct shunt_switch_member *rows = result.members;

	join_again(0, &stop_ops); /* now the third member */
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_STOP_REPLACE_START, &result), 0);
	assert_pauses_around_the_move(&result);
	assert_string_equal(rows[2].driver, OTHER_DRIVER);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(rows[i].halt, SHUNT_HALT_PAUSE);
		assert_true(rows[2].pause_start <= rows[i].pause_start);
		assert_true(rows[i].pause_end <= rows[2].pause_end);
	}
	assert_int_equal(rows[2].halt, SHUNT_HALT_STOP);
	assert_int_equal(rig.ports[0].stops, 1);
	assert_int_equal(rig.ports[0].pauses, 0);
	for (unsigned int i = 1; i < PORTS; i++) {
		assert_int_equal(rig.ports[i].stops, 0);
		assert_int_equal(rig.ports[i].pauses, 1);
	}
	/* One that does not stop keeps the others from being paused. */
	rig.ports[0].fail_stop = ETIMEDOUT;
	assert_int_equal(
		shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_STOP_REPLACE_START, &result),
		-ETIMEDOUT);
	assert_true(result.rolled_back);
	assert_int_equal(rig.ports[1].pauses, 1);
	/* One that does not pause: the one that was stopped is started. */
	rig.ports[1].fail_pause = ETIMEDOUT;
	assert_int_equal(
		shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_STOP_REPLACE_START, &result),
		-ETIMEDOUT);
	assert_true(result.rolled_back);
	assert_int_equal(rig.ports[0].stops, 3);
	assert_false(rig.ports[0].stopped);
	assert_members_on(&result, rig.b);
	/* One that does not start: the others go on. */
	rig.ports[0].fail_start = EIO;
	assert_int_equal(
		shunt_group_switch(rig.group, rig.a, SHUNT_PLAN_STOP_REPLACE_START, &result), -EIO);
	assert_non_null(strstr(shunt_errmsg(), "start failed"));
	assert_false(result.rolled_back);
	assert_members_on(&result, rig.a);
}

/* What auto says where a member can be stopped only, whatever is known of replace. */
static void auto_stops_a_member_that_cannot_pause(void **state)
{
	struct shunt_evidence evidence = known(12, 1, 0);

	shunt_group_observe(rig.group, no_faults, NULL);
	join_again(2, &stop_ops);
	assert_auto(SHUNT_PLAN_STOP_REPLACE_START,
		"0000:05:00.0 (net_e1000_igb) cannot pause its DMA; nothing is known of replace");
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_STOP_REPLACE_START, "(net_e1000_igb) cannot pause its DMA; 1 of 12 "
						   "replaces faulted under dense traffic");
	evidence = known(3000, 0, 0);
	shunt_group_evidence(rig.group, &evidence);
	assert_auto(SHUNT_PLAN_STOP_REPLACE_START, "cannot pause its DMA; 3,000 switches");
}

/* Switches while ports run on, there or back. */
static int switch_unpaused(
	enum shunt_plan plan, enum shunt_unpaused unpaused, struct shunt_switch_result *result)
{
	struct shunt_space *to = shunt_group_space(rig.group) == rig.a ? rig.b : rig.a;

	return shunt_group_switch_unpaused(rig.group, to, plan, unpaused, result);
}

static void assert_refused_unpaused(
	enum shunt_plan plan, enum shunt_unpaused unpaused, const char *words)
{
	struct shunt_space *space = shunt_group_space(rig.group);
	uint64_t calls = inject_calls(rig.inject, INJECT_IOCTL);
	struct shunt_switch_result result;

	assert_int_equal(switch_unpaused(plan, unpaused, &result), -EPERM);
	if (!strstr(shunt_errmsg(), words) || !strstr(shunt_errmsg(), "use stop-replace-start"))
		fail_msg("no '%s' in: %s", words, shunt_errmsg());
	assert_int_equal(result.start, 0);
	assert_int_equal(inject_calls(rig.inject, INJECT_IOCTL), calls);
	assert_members_on(&result, space);
}

static void assert_unpaused(enum shunt_plan plan, enum shunt_unpaused unpaused, const char *warning)
{
	struct shunt_switch_result result;

	assert_int_equal(switch_unpaused(plan, unpaused, &result), 0);
	assert_int_equal(result.unpaused, unpaused);
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

	shunt_group_observe(rig.group, no_faults, NULL);
	join_again(2, &stop_ops);
	assert_refused_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_REFUSE,
		"0000:05:00.0 (net_e1000_igb) cannot pause its DMA and would run on");
	assert_refused_unpaused(SHUNT_PLAN_DETACH_ATTACH, SHUNT_UNPAUSED_REFUSE, "would run on");
	assert_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_ALLOW,
		"nothing is known of replace on an unknown IOMMU, explicit hwpts: if DMA is "
		"refused, 0000:05:00.0 (net_e1000_igb) may receive nothing any more");

	shunt_group_evidence(rig.group, &evidence);
	assert_refused_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_REFUSE, "would run on");
	assert_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_ALLOW, NULL);
	assert_unpaused(SHUNT_PLAN_AUTO, SHUNT_UNPAUSED_ALLOW, NULL); /* takes replace */
	assert_refused_unpaused(SHUNT_PLAN_DETACH_ATTACH, SHUNT_UNPAUSED_ALLOW,
		"from the last detach to the first attach DMA is refused on every IOMMU");
	assert_unpaused(SHUNT_PLAN_DETACH_ATTACH, SHUNT_UNPAUSED_FORCE,
		"on every IOMMU: 0000:05:00.0 (net_e1000_igb) may receive nothing any more");

	/* The first fault ends it. */
	shunt_group_observe(rig.group, three_faults_of_the_second, NULL);
	assert_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_ALLOW, NULL);
	assert_refused_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_ALLOW,
		"1 of 1 replaces faulted under other traffic on sim hitless, explicit hwpts; "
		"0000:05:00.0");
	assert_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_FORCE, "1 of 1 replaces faulted");
	assert_auto(SHUNT_PLAN_STOP_REPLACE_START, "2 of 2 replaces faulted");

	/* Of whichever kind of hwpts. */
	evidence = known(0, 0, 0);
	evidence.seen[SHUNT_HWPT_AUTOMATIC][SHUNT_EVIDENCE_DENSE] =
		(struct shunt_evidence_seen){ .switches = 200, .faulted = 7 };
	shunt_group_evidence(rig.group, &evidence);
	assert_refused_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_ALLOW,
		"7 of 200 replaces faulted under dense traffic on sim hitless, automatic hwpts");
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_DENSE].switches = 3000;
	shunt_group_evidence(rig.group, &evidence);
	assert_refused_unpaused(
		SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_ALLOW, "7 of 200 replaces faulted");
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_COLD].switches = 3000;
	shunt_group_evidence(rig.group, &evidence);
	assert_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_ALLOW, NULL);
}

/* Live is about ports that cannot pause: it allows nothing else, and forbids nothing. */
static void unpaused_changes_nothing_for_ports_that_can_pause(void **state)
{
	const struct shunt_evidence evidence = known(12, 1, 0);
	struct shunt_switch_result result;

	shunt_group_evidence(rig.group, &evidence);
	assert_unpaused(SHUNT_PLAN_REPLACE, SHUNT_UNPAUSED_REFUSE, NULL);
	assert_unpaused(SHUNT_PLAN_DETACH_ATTACH, SHUNT_UNPAUSED_ALLOW, NULL);
	assert_int_equal(switch_unpaused(SHUNT_PLAN_AUTO, SHUNT_UNPAUSED_FORCE, &result), 0);
	assert_int_equal(result.plan, SHUNT_PLAN_QUIESCE);
	join_again(2, &stop_ops);
	assert_int_equal(
		switch_unpaused(SHUNT_PLAN_QUIESCE, SHUNT_UNPAUSED_FORCE, &result), -EOPNOTSUPP);
	assert_int_equal(switch_unpaused(SHUNT_PLAN_AUTO, SHUNT_UNPAUSED_FORCE, &result), 0);
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
	shunt_group_evidence(rig.group, &evidence);
	calls = inject_calls(rig.inject, INJECT_IOCTL);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_AUTO, &result), -EOPNOTSUPP);
	assert_non_null(strstr(shunt_errmsg(), "group 10: auto to space 'b'"));
	assert_non_null(strstr(shunt_errmsg(), "1 of 12 replaces faulted under dense traffic"));
	assert_non_null(strstr(shunt_errmsg(), "0000:05:00.0 (net_e1000_igb) cannot be stopped"));
	assert_int_equal(result.plan, SHUNT_PLAN_AUTO);
	assert_int_equal(result.start, 0);
	assert_int_equal(inject_calls(rig.inject, INJECT_IOCTL), calls);
	assert_int_equal(shunt_group_choose(rig.group, rig.b, &plan, why), -EOPNOTSUPP);
	assert_members_on(&result, rig.a);

	evidence = known(3000, 0, 0);
	shunt_group_evidence(rig.group, &evidence);
	assert_int_equal(
		shunt_group_switch(rig.group, rig.b, SHUNT_PLAN_AUTO, &result), -EOPNOTSUPP);
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
		group_test(a_port_that_fails_to_resume_is_reported_and_recovered),
		group_test(plans_that_a_member_cannot_follow_are_refused),
		group_test(auto_takes_replace_only_where_it_was_seen_hitless),
		group_test(auto_wants_both_kinds_of_traffic),
		group_test(auto_leaves_replace_at_the_first_fault),
		group_test(a_mixed_group_stops_only_those_that_cannot_pause),
		group_test(auto_stops_a_member_that_cannot_pause),
		group_test(ports_that_cannot_pause_run_on_by_request_only),
		group_test(unpaused_changes_nothing_for_ports_that_can_pause),
		group_test(auto_does_not_guess_where_a_member_can_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
