/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port group on the software platform: plans, refusals, roll-back; and every seam call made to
 * fail in turn during set-up, switch and tear-down.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inject.h"
#include "shunt_arena.h"
#include "shunt_error.h"
#include "shunt_group.h"
#include "shunt_sim.h"

#define PORTS        3
#define IOVA         0x100000000ull
#define DRIVER       "net_fake"
#define OTHER_DRIVER "net_e1000_igb"

struct port {
	struct shunt_vfio_device device;
	bool open;
	unsigned int recovers;  /* calls of recover */
	enum shunt_doubt doubt; /* in the last one */
	/* What the group asked of it, and what it has to be when it is asked. */
	bool held, paused, stopped;
	unsigned int pauses, stops;
	unsigned int told; /* of switches */
	struct shunt_switch_member last;
	int fail_pause, fail_resume, fail_stop, fail_start; /* errno of the next call */
};

struct bench {
	struct shunt_platform *sim;
	struct inject *inject;
	struct shunt_iommufd iommufd;
	struct shunt_arena arena;
	struct shunt_spaces *spaces;
	struct shunt_space *a, *b;
	struct shunt_group *group;
	struct port ports[PORTS];
	unsigned int members;
};

static int once(int *err, const char *what)
{
	int ret = -*err;

	*err = 0;
	return ret ? shunt_fail(ret, "%s failed", what) : 0;
}

static void hold(void *context)
{
	struct port *port = context;

	assert_false(port->held);
	port->held = true;
}

static void release(void *context)
{
	struct port *port = context;

	assert_true(port->held && !port->paused && !port->stopped);
	port->held = false;
}

static int pause_port(void *context)
{
	struct port *port = context;

	assert_true(port->held && !port->paused);
	port->paused = true;
	port->pauses++;
	return once(&port->fail_pause, "pause");
}

static int resume_port(void *context)
{
	struct port *port = context;

	port->paused = false;
	return once(&port->fail_resume, "resume");
}

static int stop_port(void *context)
{
	struct port *port = context;

	assert_true(port->held && !port->stopped);
	port->stopped = true;
	port->stops++;
	return once(&port->fail_stop, "stop");
}

static int start_port(void *context)
{
	struct port *port = context;

	assert_true(port->stopped);
	port->stopped = false;
	return once(&port->fail_start, "start");
}

static int recover(void *context, enum shunt_doubt doubt, struct shunt_recovery *recovery)
{
	struct port *port = context;

	assert_true(port->held && !port->paused && !port->stopped);
	port->recovers++;
	port->doubt = doubt;
	return 0;
}

static void switched(void *context, const struct shunt_switch_result *result,
	const struct shunt_switch_member *member)
{
	struct port *port = context;

	assert_true(port->held);
	assert_string_equal(member->function, port->device.function);
	port->told++;
	port->last = *member;
}

static const struct shunt_port_ops port_ops = {
	.hold = hold,
	.release = release,
	.pause = pause_port,
	.resume = resume_port,
	.stop = stop_port,
	.start = start_port,
	.recover = recover,
	.switched = switched,
};

static struct bench bench;

static int make_platform(void **state)
{
	const struct shunt_sim_config config = { .groups = 1, .ports = PORTS };

	memset(&bench, 0, sizeof(bench));
	bench.iommufd.fd = -1;
	assert_int_equal(shunt_sim_create(&config, &bench.sim), 0);
	assert_int_equal(inject_create(bench.sim, &bench.inject), 0);
	assert_int_equal(shunt_arena_create(1 << 20, SHUNT_ARENA_PLAIN, &bench.arena), 0);
	return 0;
}

static int open_port(unsigned int i)
{
	struct port *port = &bench.ports[i];
	char cdev[64], function[16];
	int ret;

	snprintf(cdev, sizeof(cdev), "/dev/vfio/devices/vfio%u", i);
	snprintf(function, sizeof(function), "0000:%02x:00.0", 3 + i);
	ret = shunt_vfio_open(&bench.iommufd, cdev, function, &port->device);
	if (ret)
		return ret;
	port->open = true;
	ret = shunt_group_join(bench.group, &port->device, DRIVER, &port_ops, port, bench.a);
	if (!ret)
		bench.members++;
	return ret;
}

static int set_up(void)
{
	int ret;

	ret = shunt_iommufd_open(inject_platform(bench.inject), &bench.iommufd);
	if (ret)
		bench.iommufd.fd = -1;
	if (!ret)
		ret = shunt_spaces_create(&bench.iommufd, &bench.spaces);
	if (!ret)
		ret = shunt_space_create(bench.spaces, "a", &bench.a);
	if (!ret)
		ret = shunt_spaces_map(
			bench.spaces, bench.arena.addr, bench.arena.size, IOVA, SHUNT_DMA_BOTH);
	if (!ret)
		ret = shunt_group_create(10, &bench.group);
	for (unsigned int i = 0; i < PORTS && !ret; i++)
		ret = open_port(i);
	if (!ret)
		ret = shunt_space_create(bench.spaces, "b", &bench.b);
	if (!ret)
		ret = shunt_group_prepare(bench.group, bench.b);
	return ret;
}

/* Takes down whatever is there; returns the first error. */
static int take_down(void)
{
	int ret = 0, err;

	while (bench.members) {
		err = shunt_group_leave(bench.group, &bench.ports[--bench.members].device);
		ret = ret ? ret : err;
	}
	for (unsigned int i = 0; i < PORTS; i++) {
		if (bench.ports[i].open)
			shunt_vfio_close(&bench.ports[i].device);
		bench.ports[i].open = false;
	}
	shunt_group_destroy(bench.group);
	shunt_spaces_destroy(bench.spaces);
	if (bench.iommufd.fd >= 0)
		shunt_iommufd_close(&bench.iommufd);
	bench.group = NULL;
	bench.spaces = NULL;
	bench.a = bench.b = NULL;
	bench.iommufd.fd = -1;
	return ret;
}

static void assert_nothing_left(void)
{
	struct shunt_sim_objects objects;

	shunt_sim_objects(bench.sim, &objects);
	assert_int_equal(objects.descriptors, 0);
	assert_int_equal(objects.ioas, 0);
	assert_int_equal(objects.hwpt, 0);
	assert_int_equal(objects.devices, 0);
	assert_int_equal(objects.mappings, 0);
	assert_int_equal(objects.regions, 0);
}

static int free_platform(void **state)
{
	inject_stop(bench.inject);
	take_down();
	assert_nothing_left();
	inject_destroy(bench.inject);
	shunt_platform_destroy(bench.sim);
	shunt_arena_destroy(&bench.arena);
	return 0;
}

static int make_group(void **state)
{
	make_platform(state);
	assert_int_equal(set_up(), 0);
	return 0;
}

static uint32_t hwpt_of(struct shunt_space *space)
{
	uint32_t id;

	assert_int_equal(shunt_space_hwpt(space, 10, &bench.ports[0].device, &id), 0);
	return id;
}

static void assert_members_on(const struct shunt_switch_result *result, struct shunt_space *space)
{
	assert_int_equal(result->member_count, PORTS);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(result->members[i].hwpt_id, hwpt_of(space));
	assert_ptr_equal(shunt_group_space(bench.group), space);
}

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
	const enum shunt_plan plans[] = { SHUNT_PLAN_QUIESCE, SHUNT_PLAN_RESTART,
		SHUNT_PLAN_STOP_REPLACE_START };
	struct shunt_switch_result result;

	for (unsigned int i = 0; i < 3 * PORTS; i++) {
		struct port *port = &bench.ports[i % PORTS];
		uint64_t calls = inject_calls(bench.inject, INJECT_IOCTL);

		*(i < PORTS ? &port->fail_pause : &port->fail_stop) = ETIMEDOUT;
		assert_int_equal(
			shunt_group_switch(bench.group, bench.b, plans[i / PORTS], &result),
			-ETIMEDOUT);
		assert_non_null(strstr(shunt_errmsg(), i < PORTS ? "pause failed" : "stop failed"));
		assert_int_equal(inject_calls(bench.inject, INJECT_IOCTL), calls);
		assert_true(result.rolled_back);
		assert_members_on(&result, bench.a);
		for (unsigned int member = 0; member < PORTS; member++) {
			assert_false(bench.ports[member].paused || bench.ports[member].stopped);
			assert_int_equal(bench.ports[member].recovers, i + 1);
		}
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

/* What a port of another driver can do, and one that can do nothing. */
static const struct shunt_port_ops stop_ops = {
	.hold = hold,
	.release = release,
	.stop = stop_port,
	.start = start_port,
	.recover = recover,
	.switched = switched,
};
static const struct shunt_port_ops least_ops = {
	.hold = hold,
	.release = release,
	.recover = recover,
};

/* A member comes back, as the last one, with other operations. */
static void join_again(unsigned int i, const struct shunt_port_ops *ops)
{
	struct port *port = &bench.ports[i];

	assert_int_equal(shunt_group_leave(bench.group, &port->device), 0);
	assert_int_equal(
		shunt_group_join(bench.group, &port->device, OTHER_DRIVER, ops, port, bench.a), 0);
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

static struct shunt_evidence known(uint64_t switches, uint64_t faulted, uint64_t unknown)
{
	const struct shunt_platform_info info = { .iommu = "sim hitless", .emulated = true };
	struct shunt_evidence evidence;

	shunt_evidence_init(&info, &evidence);
	evidence.seen[SHUNT_HWPT_EXPLICIT] = (struct shunt_evidence_seen){
		.switches = switches, .faulted = faulted, .unknown = unknown
	};
	return evidence;
}

/* Switches by auto, there or back; what it has to take and to say. */
static void assert_auto(enum shunt_plan plan, const char *why)
{
	struct shunt_space *to = shunt_group_space(bench.group) == bench.a ? bench.b : bench.a;
	struct shunt_switch_result result;
	char text[SHUNT_PLAN_TEXT];
	enum shunt_plan chosen;

	assert_int_equal(shunt_group_choose(bench.group, to, &chosen, text), 0);
	assert_int_equal(chosen, plan);
	assert_non_null(strstr(text, why));
	assert_int_equal(shunt_group_switch(bench.group, to, SHUNT_PLAN_AUTO, &result), 0);
	assert_int_equal(result.asked, SHUNT_PLAN_AUTO);
	assert_int_equal(result.plan, plan);
	assert_string_equal(result.why, text);
	assert_int_equal(result.hwpt_kind, SHUNT_HWPT_EXPLICIT);
	assert_members_on(&result, to);
	assert_int_equal(result.members[0].pause_start != 0, plan != SHUNT_PLAN_REPLACE);
}

static int64_t no_faults(void *context, const char *function)
{
	return 0;
}

static int64_t nobody_can_tell(void *context, const char *function)
{
	return -EOVERFLOW;
}

/* Observers are asked before a switch, for what came late, and after it. */
static unsigned int asked_of_the_second;

static int64_t three_faults_of_the_second(void *context, const char *function)
{
	return strcmp(function, "0000:04:00.0") == 0 && asked_of_the_second++ % 2 ? 3 : 0;
}

static int64_t late_faults_of_the_second(void *context, const char *function)
{
	return strcmp(function, "0000:04:00.0") == 0 && asked_of_the_second++ % 2 == 0 ? 2 : 0;
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

	assert_int_equal(shunt_group_leave(bench.group, &bench.ports[1].device), 0);
	assert_int_equal(shunt_group_join(bench.group, &bench.ports[1].device, long_name, NULL,
				 NULL, bench.a),
		0);
	assert_int_equal(shunt_group_list(bench.group, members), PORTS);
	assert_string_equal(members[0].function, "0000:03:00.0");
	assert_string_equal(members[0].driver, DRIVER);
	assert_true(members[0].can_pause && members[0].can_stop);
	assert_int_equal(members[0].hwpt_id, hwpt_of(bench.a));
	assert_string_equal(members[2].function, "0000:04:00.0");
	assert_int_equal(strlen(members[2].driver), SHUNT_DRIVER_NAME - 1);
	assert_memory_equal(members[2].driver, long_name, SHUNT_DRIVER_NAME - 1);
	assert_false(members[2].can_pause || members[2].can_stop);

	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_string_equal(result.members[i].driver, members[i].driver);
}

static void a_check_recovers_every_port(void **state)
{
	struct shunt_switch_result result;

	assert_int_equal(shunt_group_check(bench.group, &result), 0);
	assert_members_on(&result, bench.a);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(bench.ports[i].recovers, 1);
		assert_int_equal(bench.ports[i].doubt, SHUNT_DOUBT_SOME);
		assert_false(bench.ports[i].held);
	}
}

/* So a switch takes the same time whatever is mapped: test/bench/scale.c shows it. */
static void a_switch_makes_as_many_calls_as_members(void **state)
{
	struct shunt_switch_result result;
	char *va = bench.arena.addr;

	for (unsigned int mappings = 0; mappings <= 200; mappings += 100) {
		uint64_t calls;

		for (uint64_t i = 0; i < mappings; i++)
			assert_int_equal(shunt_spaces_map(bench.spaces, va, 0x1000,
						 (mappings << 20) + i * 0x1000, SHUNT_DMA_BOTH),
				0);
		calls = inject_calls(bench.inject, INJECT_IOCTL);
		assert_int_equal(
			shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), 0);
		assert_int_equal(inject_calls(bench.inject, INJECT_IOCTL) - calls, PORTS);
		assert_int_equal(
			shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_DETACH_ATTACH, &result),
			0);
		assert_int_equal(inject_calls(bench.inject, INJECT_IOCTL) - calls, 3 * PORTS);
	}
}

static void only_members_with_faults_are_suspect(void **state)
{
	struct shunt_switch_result result;

	shunt_group_observe(bench.group, three_faults_of_the_second, NULL);
	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(bench.ports[0].doubt, SHUNT_DOUBT_SOME);
	assert_int_equal(bench.ports[1].doubt, SHUNT_DOUBT_FAULT);
	assert_int_equal(result.members[1].faults, 3);
	assert_int_equal(bench.ports[2].doubt, SHUNT_DOUBT_SOME);
	assert_int_equal(shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_int_equal(bench.ports[0].doubt, SHUNT_DOUBT_NONE);
	assert_int_equal(bench.ports[1].doubt, SHUNT_DOUBT_FAULT);
	assert_int_equal(bench.ports[2].doubt, SHUNT_DOUBT_NONE);
}

/* It may be of the switch before, which is not clean then; and its port is looked at. */
static void a_record_that_comes_late_is_not_forgotten(void **state)
{
	const struct shunt_evidence evidence = known(3000, 0, 0);
	struct shunt_switch_result result;

	shunt_group_evidence(bench.group, &evidence);
	shunt_group_observe(bench.group, late_faults_of_the_second, NULL);
	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_int_equal(shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_REPLACE, &result), 0);
	assert_true(shunt_switch_late_faults(&result));
	assert_int_equal(result.members[1].faults_late, 2);
	assert_int_equal(result.members[1].faults, 0);
	assert_int_equal(bench.ports[0].doubt, SHUNT_DOUBT_SOME);
	assert_int_equal(bench.ports[1].doubt, SHUNT_DOUBT_FAULT);
	/* The one before was no replace. */
	assert_auto(SHUNT_PLAN_REPLACE, "3,000 switches");
	assert_auto(SHUNT_PLAN_QUIESCE, "1 of 3,001 replaces faulted");
}

static void refusals_touch_nothing(void **state)
{
	struct shunt_switch_result result;
	uint64_t calls;

	calls = inject_calls(bench.inject, INJECT_IOCTL);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_REPLACE, &result), -EALREADY);
	assert_non_null(strstr(shunt_errmsg(), "group 10: replace to space 'a'"));
	assert_int_equal(inject_calls(bench.inject, INJECT_IOCTL), calls);
	assert_int_equal(result.start, 0);

	/* In use in "a", missing in "b" */
	assert_int_equal(
		shunt_space_map(bench.a, bench.arena.addr, 0x2000, 0x200000, SHUNT_DMA_READ), 0);
	assert_int_equal(
		shunt_space_map(bench.b, bench.arena.addr, 0x1000, 0x200000, SHUNT_DMA_READ), 0);
	calls = inject_calls(bench.inject, INJECT_IOCTL);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), -ENOENT);
	assert_non_null(strstr(shunt_errmsg(), "space 'b' lacks IOVA 0x201000 to 0x201fff"));
	assert_int_equal(inject_calls(bench.inject, INJECT_IOCTL), calls);
	assert_members_on(&result, bench.a);

	/* Mapped there too, the switch is possible */
	assert_int_equal(shunt_space_map(bench.b, (char *)bench.arena.addr + 0x1000, 0x1000,
				 0x201000, SHUNT_DMA_READ),
		0);
	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), 0);
}

static void a_restart_keeps_away_from_a_space_of_another_group(void **state)
{
	struct shunt_switch_result result;
	uint64_t calls = inject_calls(bench.inject, INJECT_IOCTL);

	assert_int_equal(shunt_space_users(bench.a), 1);
	shunt_space_use(bench.b); /* as another group would */
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_RESTART, &result), -EBUSY);
	assert_non_null(strstr(shunt_errmsg(), "another group uses it"));
	assert_int_equal(result.start, 0);
	shunt_space_use(bench.b);
	assert_int_equal(shunt_space_remap(bench.b), -EBUSY);
	shunt_space_leave(bench.b);
	assert_int_equal(inject_calls(bench.inject, INJECT_IOCTL), calls);

	shunt_space_leave(bench.b);
	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_RESTART, &result), 0);
	assert_int_equal(shunt_space_users(bench.a), 0);
	assert_int_equal(shunt_space_users(bench.b), 1);
}

static void joining_is_refused_with_the_reason(void **state)
{
	struct shunt_iommufd other;
	struct shunt_vfio_device stranger = { .iommufd = &other, .function = "0000:99:00.0" };

	assert_int_equal(
		shunt_group_join(bench.group, &bench.ports[0].device, "", NULL, NULL, bench.a),
		-EBUSY);
	assert_non_null(strstr(shunt_errmsg(), "0000:03:00.0 joining group 10"));
	assert_int_equal(
		shunt_group_join(bench.group, &stranger, "", NULL, NULL, bench.a), -EINVAL);
	assert_int_equal(shunt_group_leave(bench.group, &stranger), -ENOENT);
	assert_int_equal(shunt_group_members(bench.group), PORTS);
}

static void a_member_that_left_can_come_back(void **state)
{
	struct shunt_switch_result result;

	assert_int_equal(shunt_group_leave(bench.group, &bench.ports[1].device), 0);
	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(result.member_count, PORTS - 1);
	/* Whatever space it names: the group's is the one that it gets. */
	assert_int_equal(
		shunt_group_join(bench.group, &bench.ports[1].device, "", NULL, NULL, bench.a), 0);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_DETACH_ATTACH, &result), 0);
	assert_members_on(&result, bench.a);
}

static void spaces_refuse_what_cannot_be_mapped(void **state)
{
	char *va = bench.arena.addr;

	assert_int_equal(
		shunt_spaces_map(bench.spaces, va, 0x1000, 0xfee00000, SHUNT_DMA_BOTH), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "0xfef00000"));
	assert_int_equal(
		shunt_spaces_map(bench.spaces, va, 0x2000, 0xfedff000, SHUNT_DMA_BOTH), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "leaves the range"));
	assert_int_equal(
		shunt_spaces_map(bench.spaces, va, 0x1000, 1ull << 50, SHUNT_DMA_BOTH), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "above the ranges"));
	assert_int_equal(
		shunt_spaces_map(bench.spaces, va, 0x1000, 0x10800, SHUNT_DMA_BOTH), -EINVAL);
	assert_non_null(strstr(shunt_errmsg(), "not a multiple of 0x1000"));
	assert_int_equal(
		shunt_spaces_map(bench.spaces, va, 0x1000, IOVA + 0x1000, SHUNT_DMA_BOTH), -EEXIST);
	assert_non_null(strstr(shunt_errmsg(), "overlaps the mapping of 0x100000000"));
	assert_int_equal(
		shunt_spaces_map(bench.spaces, (void *)0x1000, 0x1000, 0x10000, SHUNT_DMA_BOTH),
		-EFAULT);
	assert_int_equal(shunt_spaces_unmap(bench.spaces, IOVA, 0x1000), -ENOENT);
	assert_int_equal(shunt_space_unmap(bench.a, IOVA, bench.arena.size), -ENOENT);
	assert_int_equal(shunt_space_mapped(bench.a), bench.arena.size);
	assert_int_equal(shunt_space_mapped(bench.b), bench.arena.size);
}

/* Makes calls fail from the nth on, one after another, until nothing is left to fail. */
static void each_call_of_set_up_fails_in_turn(void **state)
{
	uint64_t nth;

	for (nth = 1;; nth++) {
		int ret;

		inject_fail(bench.inject, NULL, nth, 1, EIO);
		ret = set_up();
		if (!inject_failures(bench.inject))
			break;
		assert_int_equal(ret, -EIO);
		if (!strstr(shunt_errmsg(), inject_failed_call(bench.inject)))
			fail_msg("%s failed, and the text is: %s", inject_failed_call(bench.inject),
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

		inject_fail(bench.inject, NULL, nth, 1, ENOMEM);
		ret = shunt_group_switch(bench.group, bench.b, plan, &result);
		if (!inject_failures(bench.inject))
			break;
		assert_int_equal(ret, -ENOMEM);
		assert_non_null(strstr(shunt_errmsg(), inject_failed_call(bench.inject)));
		assert_non_null(strstr(shunt_errmsg(), "every member is back on hwpt"));
		assert_true(result.rolled_back);
		assert_members_on(&result, bench.a);
		assert_int_equal(bench.ports[0].recovers, nth);
	}
	assert_int_equal(nth, calls + 1);
	assert_members_on(&result, bench.b);
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
	assert_true(bench.ports[0].stops == PORTS + 1 && bench.ports[1].pauses == PORTS + 1);
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
	inject_fail(bench.inject, NULL, PORTS + 2, 2, ENOMEM);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_RESTART, &result), -ENOMEM);
	inject_stop(bench.inject);
	assert_true(result.rolled_back);
	assert_members_on(&result, bench.a);
	assert_non_null(strstr(shunt_errmsg(), "is lost"));
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), -EIO);
	assert_non_null(strstr(shunt_errmsg(), "destroy it and make it anew"));
	/* The way out that the text names */
	assert_int_equal(shunt_space_destroy(bench.b), 0);
	assert_int_equal(shunt_space_create(bench.spaces, "b", &bench.b), 0);
	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), 0);
}

static void a_failed_roll_back_says_who_is_where(void **state)
{
	struct shunt_switch_result result;

	/* Detach 1, 2, 3 and attach 1 work; all after that fails. */
	inject_fail(bench.inject, NULL, PORTS + 2, UINT64_MAX, EIO);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_DETACH_ATTACH, &result), -EIO);
	inject_stop(bench.inject);
	assert_false(result.rolled_back);
	assert_int_equal(result.members[0].hwpt_id, hwpt_of(bench.b));
	assert_int_equal(result.members[1].hwpt_id, 0);
	assert_int_equal(result.members[2].hwpt_id, 0);
	assert_non_null(strstr(shunt_errmsg(), "0000:04:00.0 detached"));
	assert_null(shunt_group_space(bench.group));
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_REPLACE, &result), -EBUSY);
	/* The way out that the text names */
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(shunt_group_leave(bench.group, &bench.ports[i].device), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(shunt_group_join(bench.group, &bench.ports[i].device, "", NULL,
					 NULL, bench.b),
			0);
	assert_int_equal(shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_REPLACE, &result), 0);
}

static void ports_and_history_are_told_of_switches_that_began(void **state)
{
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];
	struct shunt_switch_result result;
	struct shunt_group_history history;

	shunt_group_history(bench.group, &history);
	assert_int_equal(history.switches + history.failed, 0);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_REPLACE, &result), -EALREADY);
	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), 0);
	inject_fail(bench.inject, NULL, 2, 1, EIO);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_REPLACE, &result), -EIO);
	inject_stop(bench.inject);
	shunt_group_history(bench.group, &history);
	assert_int_equal(history.switches, 1);
	assert_int_equal(history.failed, 1);
	assert_memory_equal(&history.last, &result, sizeof(result));
	assert_true(history.last.rolled_back);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_int_equal(bench.ports[i].told, 2);
		assert_int_equal(bench.ports[i].last.hwpt_id, hwpt_of(bench.b));
	}
	shunt_group_observe(bench.group, three_faults_of_the_second, NULL);
	assert_int_equal(shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_int_equal(shunt_group_list(bench.group, members), PORTS);
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
	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result), 0);
	shunt_group_list(bench.group, members);
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
		shunt_space_map(bench.a, bench.arena.addr, 0x2000, 0x10000, SHUNT_DMA_READ), 0);
	for (nth = 1;; nth++) {
		int ret;

		inject_fail(bench.inject, NULL, nth, 1, ENOMEM);
		ret = shunt_space_copy(bench.a, "c", &copy);
		if (!inject_failures(bench.inject))
			break;
		assert_int_equal(ret, -ENOMEM);
		assert_null(shunt_space_find(bench.spaces, "c"));
	}
	inject_stop(bench.inject);
	assert_int_equal(nth, 4); /* IOAS, shared mapping, own one */
	assert_int_equal(shunt_space_copy(bench.a, "c", &space), -EEXIST);
	while ((space = shunt_space_next(bench.spaces, space)) != NULL)
		spaces++;
	assert_int_equal(spaces, 3);
	assert_int_equal(shunt_space_mapped(copy), shunt_space_mapped(bench.a));
	assert_int_equal(shunt_group_switch(bench.group, bench.b, SHUNT_PLAN_REPLACE, &result),
		-ENOENT); /* it lacks the own mapping */
	assert_int_equal(shunt_group_switch(bench.group, copy, SHUNT_PLAN_REPLACE, &result), 0);
	assert_members_on(&result, copy);
	assert_int_equal(shunt_space_unmap(bench.a, 0x10000, 0x2000), 0);
	assert_int_equal(shunt_space_mapped(copy), bench.arena.size + 0x2000);
	assert_int_equal(
		shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_REPLACE, &result), -ENOENT);
	assert_int_equal(shunt_space_unmap(copy, 0x10000, 0x2000), 0);
	assert_int_equal(shunt_group_switch(bench.group, bench.a, SHUNT_PLAN_REPLACE, &result), 0);
	assert_int_equal(shunt_space_destroy(copy), 0);
}

static void each_call_of_mapping_fails_in_turn(void **state)
{
	void *va = (char *)bench.arena.addr;
	uint64_t nth;

	for (nth = 1;; nth++) {
		int ret;

		inject_fail(bench.inject, NULL, nth, 1, ENOMEM);
		ret = shunt_spaces_map(bench.spaces, va, 0x3000, 0x10000, SHUNT_DMA_BOTH);
		if (!inject_failures(bench.inject))
			break;
		assert_int_equal(ret, -ENOMEM);
		assert_int_equal(shunt_space_mapped(bench.a), bench.arena.size);
	}
	assert_int_equal(nth, 3); /* map into "a", copy to "b" */
	for (nth = 1;; nth++) {
		int ret;

		inject_fail(bench.inject, NULL, nth, 1, EIO);
		ret = shunt_spaces_unmap(bench.spaces, 0x10000, 0x3000);
		if (!inject_failures(bench.inject))
			break;
		assert_int_equal(ret, -EIO);
		assert_int_equal(shunt_space_mapped(bench.a), bench.arena.size + 0x3000);
	}
	assert_int_equal(nth, 3);
	assert_int_equal(shunt_space_mapped(bench.b), bench.arena.size);
}

static void each_call_of_tear_down_fails_in_turn(void **state)
{
	uint64_t nth;

	for (nth = 1;; nth++) {
		assert_int_equal(bench.members ? 0 : set_up(), 0);
		inject_fail(bench.inject, NULL, nth, 1, EIO);
		take_down();
		if (!inject_failures(bench.inject))
			break;
		/* Closing the descriptors takes with it what a call left behind. */
		assert_nothing_left();
	}
	assert_true(nth > PORTS);
}

#define group_test(test) cmocka_unit_test_setup_teardown(test, make_group, free_platform)

int main(void)
{
	const struct CMUnitTest tests[] = {
		group_test(each_plan_moves_every_member),
		group_test(ports_are_paused_or_stopped_where_the_plan_says_so),
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
		cmocka_unit_test_setup_teardown(
			each_call_of_set_up_fails_in_turn, make_platform, free_platform),
		group_test(each_call_of_a_replace_fails_in_turn),
		group_test(each_call_of_a_detach_attach_fails_in_turn),
		group_test(each_call_of_a_quiesce_fails_in_turn),
		group_test(each_call_of_a_restart_fails_in_turn),
		group_test(each_call_of_a_stop_replace_start_fails_in_turn),
		group_test(each_call_of_a_mixed_group_fails_in_turn),
		group_test(a_mapping_that_a_restart_lost_keeps_its_space_from_use),
		group_test(a_failed_roll_back_says_who_is_where),
		group_test(ports_and_history_are_told_of_switches_that_began),
		group_test(a_copy_has_what_its_original_has),
		group_test(each_call_of_mapping_fails_in_turn),
		group_test(each_call_of_tear_down_fails_in_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
