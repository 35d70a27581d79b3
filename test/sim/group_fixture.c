/* SPDX-License-Identifier: BSD-3-Clause */
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

	assert_true(port->held);
	assert_true(rig.halted_for_good || (!port->paused && !port->stopped));
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

static int drain_port(void *context)
{
	struct port *port = context;

	for (unsigned int i = 0; i < rig.members && !rig.halted_for_good; i++)
		assert_true(rig.ports[i].paused || rig.ports[i].stopped);
	return once(&port->fail_drain, "drain");
}

static bool keeps_frames(void *context)
{
	return ((struct port *)context)->keeps_frames;
}

static int resume_port(void *context)
{
	struct port *port = context;

	port->paused = false;
	port->resumed = ++rig.resumes;
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

static int recover(void *context, enum shunt_suspicion suspicion, struct shunt_recovery *recovery)
{
	struct port *port = context;

	assert_true(port->held && !port->paused && !port->stopped);
	port->recovers++;
	port->suspicion = suspicion;
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

static const struct shunt_port_ops all_ops = {
	.hold = hold,
	.release = release,
	.pause = pause_port,
	.drain = drain_port,
	.keeps_frames = keeps_frames,
	.resume = resume_port,
	.stop = stop_port,
	.start = start_port,
	.recover = recover,
	.switched = switched,
};

const struct shunt_port_ops *const port_ops = &all_ops;

struct rig rig;

int make_platform(void **state)
{
	const struct shunt_sim_config config = { .groups = 1, .ports = PORTS };

	memset(&rig, 0, sizeof(rig));
	rig.iommufd.fd = -1;
	assert_int_equal(shunt_sim_create(&config, &rig.sim), 0);
	assert_int_equal(inject_create(rig.sim, &rig.inject), 0);
	assert_int_equal(shunt_arena_create(1 << 20, SHUNT_ARENA_PLAIN, &rig.arena), 0);
	return 0;
}

static int open_port(unsigned int i)
{
	struct port *port = &rig.ports[i];
	char cdev[64], function[16];
	int ret;

	snprintf(cdev, sizeof(cdev), "/dev/vfio/devices/vfio%u", i);
	snprintf(function, sizeof(function), "0000:%02x:00.0", 3 + i);
	ret = shunt_vfio_open(&rig.iommufd, cdev, function, &port->device);
	if (ret)
		return ret;
	port->open = true;
	ret = shunt_group_join(rig.group, &port->device, DRIVER, port_ops, port, rig.a);
	if (!ret)
		rig.members++;
	return ret;
}

int set_up(void)
{
	int ret;

	ret = shunt_iommufd_open(inject_platform(rig.inject), &rig.iommufd);
	if (ret)
		rig.iommufd.fd = -1;
	if (!ret)
		ret = shunt_spaces_create(&rig.iommufd, &rig.spaces);
	if (!ret)
		ret = shunt_space_create(rig.spaces, "a", &rig.a);
	if (!ret)
		ret = shunt_spaces_map(
			rig.spaces, rig.arena.addr, rig.arena.size, IOVA, SHUNT_DMA_BOTH);
	if (!ret)
		ret = shunt_group_create(10, &rig.group);
	for (unsigned int i = 0; i < PORTS && !ret; i++)
		ret = open_port(i);
	if (!ret)
		ret = shunt_space_create(rig.spaces, "b", &rig.b);
	if (!ret)
		ret = shunt_group_prepare(rig.group, rig.b);
	return ret;
}

int take_down(void)
{
	int ret = 0, err;

	while (rig.members) {
		err = shunt_group_leave(rig.group, &rig.ports[--rig.members].device);
		ret = ret ? ret : err;
	}
	for (unsigned int i = 0; i < PORTS; i++) {
		if (rig.ports[i].open)
			shunt_vfio_close(&rig.ports[i].device);
		rig.ports[i].open = false;
	}
	shunt_group_destroy(rig.group);
	shunt_spaces_destroy(rig.spaces);
	if (rig.iommufd.fd >= 0)
		shunt_iommufd_close(&rig.iommufd);
	rig.group = NULL;
	rig.spaces = NULL;
	rig.a = rig.b = NULL;
	rig.iommufd.fd = -1;
	return ret;
}

void assert_nothing_left(void)
{
	struct shunt_sim_objects objects;

	shunt_sim_objects(rig.sim, &objects);
	assert_int_equal(objects.descriptors, 0);
	assert_int_equal(objects.ioas, 0);
	assert_int_equal(objects.hwpt, 0);
	assert_int_equal(objects.devices, 0);
	assert_int_equal(objects.mappings, 0);
	assert_int_equal(objects.regions, 0);
}

int free_platform(void **state)
{
	inject_stop(rig.inject);
	take_down();
	assert_nothing_left();
	inject_destroy(rig.inject);
	shunt_platform_destroy(rig.sim);
	shunt_arena_destroy(&rig.arena);
	return 0;
}

int make_group(void **state)
{
	make_platform(state);
	assert_int_equal(set_up(), 0);
	return 0;
}

uint32_t hwpt_of(struct shunt_space *space)
{
	uint32_t id;

	assert_int_equal(shunt_space_hwpt(space, 10, &rig.ports[0].device, &id), 0);
	return id;
}

void assert_members_on(const struct shunt_switch_result *result, struct shunt_space *space)
{
	assert_int_equal(result->member_count, PORTS);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(result->members[i].hwpt_id, hwpt_of(space));
	assert_ptr_equal(shunt_group_space(rig.group), space);
}

const struct shunt_port_ops stop_ops = {
	.hold = hold,
	.release = release,
	.stop = stop_port,
	.start = start_port,
	.recover = recover,
	.switched = switched,
};
const struct shunt_port_ops least_ops = {
	.hold = hold,
	.release = release,
	.recover = recover,
};

void join_again(unsigned int i, const struct shunt_port_ops *ops)
{
	struct port *port = &rig.ports[i];

	assert_int_equal(shunt_group_leave(rig.group, &port->device), 0);
	assert_int_equal(
		shunt_group_join(rig.group, &port->device, OTHER_DRIVER, ops, port, rig.a), 0);
}

int64_t no_faults(void *context, const char *function)
{
	return 0;
}

int64_t nobody_can_tell(void *context, const char *function)
{
	return -EOVERFLOW;
}

static unsigned int asked_of_the_second;

int64_t three_faults_of_the_second(void *context, const char *function)
{
	return strcmp(function, "0000:04:00.0") == 0 && asked_of_the_second++ % 2 ? 3 : 0;
}

int64_t late_faults_of_the_second(void *context, const char *function)
{
	return strcmp(function, "0000:04:00.0") == 0 && asked_of_the_second++ % 2 == 0 ? 2 : 0;
}

struct shunt_evidence known(uint64_t switches, uint64_t faulted, uint64_t unknown)
{
	const struct shunt_platform_info info = { .iommu = "sim hitless", .emulated = true };
	struct shunt_evidence evidence;

	shunt_evidence_init(&info, &evidence);
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_DENSE] = (struct shunt_evidence_seen){
		.switches = switches, .faulted = faulted, .unknown = unknown
	};
	evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_COLD] =
		evidence.seen[SHUNT_HWPT_EXPLICIT][SHUNT_EVIDENCE_DENSE];
	return evidence;
}

void assert_auto(enum shunt_plan plan, const char *why)
{
	struct shunt_space *to = shunt_group_space(rig.group) == rig.a ? rig.b : rig.a;
	struct shunt_switch_result result;
	char text[SHUNT_PLAN_TEXT];
	enum shunt_plan chosen;

	assert_int_equal(shunt_group_choose(rig.group, to, &chosen, text), 0);
	assert_int_equal(chosen, plan);
	assert_non_null(strstr(text, why));
	assert_int_equal(shunt_group_switch(rig.group, to, SHUNT_PLAN_AUTO, &result), 0);
	assert_int_equal(result.asked, SHUNT_PLAN_AUTO);
	assert_int_equal(result.plan, plan);
	assert_string_equal(result.why, text);
	assert_int_equal(result.hwpt_kind, SHUNT_HWPT_EXPLICIT);
	assert_members_on(&result, to);
	assert_int_equal(result.members[0].pause_start != 0, plan != SHUNT_PLAN_REPLACE);
}
