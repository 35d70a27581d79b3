/* SPDX-License-Identifier: BSD-3-Clause */
/* The port driver of doc/examples, in a group: in which order its operations are called. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#undef stop /* a macro of cmocka 2 */

#include <shunt/container.h>
#include <shunt/error.h>
#include <shunt/sim.h>

#include "skeleton.h"

#define PORTS 3

struct row {
	struct rte_eth_dev dev;
	struct rte_eth_dev_data data;
	struct skeleton port;
};

static struct row rows[PORTS];
static struct shunt_container *container;
static struct shunt_group *group;
static struct shunt_space *spaces[2];
static char calls[256]; /* "pause 0, pause 1, ..." by the first letters of the operations */

static const struct shunt_port_ops *ops(void)
{
	return skeleton_driver.group_ops;
}

static void note(const char *letter, const void *port)
{
	char call[8];

	for (unsigned int i = 0; i < PORTS; i++) {
		if (port != &rows[i].port)
			continue;
		snprintf(call, sizeof(call), "%s%u ", letter, i);
		assert_true(strlen(calls) + strlen(call) < sizeof(calls));
		strncat(calls, call, sizeof(calls) - strlen(calls) - 1);
	}
}

#define NOTED(name, letter)                 \
	static int name##_noted(void *port) \
	{                                   \
		note(letter, port);         \
		return ops()->name(port);   \
	}

NOTED(pause, "P")
NOTED(drain, "D")
NOTED(resume, "R")
NOTED(stop, "S")
NOTED(start, "G")

static void hold_noted(void *port)
{
	note("h", port);
	ops()->hold(port);
}

static void release_noted(void *port)
{
	note("r", port);
	ops()->release(port);
}

static bool keeps_frames_noted(void *port)
{
	return ops()->keeps_frames(port);
}

static int recover_noted(
	void *port, enum shunt_suspicion suspicion, struct shunt_recovery *recovery)
{
	note("c", port);
	return ops()->recover(port, suspicion, recovery);
}

static void switched_noted(void *port, const struct shunt_switch_result *result,
	const struct shunt_switch_member *member)
{
	note("t", port);
}

static const struct shunt_port_ops noted = {
	.hold = hold_noted,
	.release = release_noted,
	.pause = pause_noted,
	.drain = drain_noted,
	.keeps_frames = keeps_frames_noted,
	.resume = resume_noted,
	.stop = stop_noted,
	.start = start_noted,
	.recover = recover_noted,
	.switched = switched_noted,
};

static void open_port(unsigned int i)
{
	static const char *const functions[] = { "0000:03:00.0", "0000:04:00.0", "0000:05:00.0" };
	struct row *row = &rows[i];
	struct shunt_vfio_device *device;

	row->dev.data = &row->data;
	row->data.dev_private = &row->port;
	assert_int_equal(skeleton_driver.open(&row->dev), 0);
	row->port.started = true;
	assert_int_equal(ops()->start(&row->port), 0);
	assert_int_equal(shunt_container_device(container, functions[i], &device, &group), 0);
	assert_int_equal(shunt_group_join(group, device, skeleton_driver.name, &noted, &row->port,
				 spaces[0]),
		0);
}

static int set_up(void **state)
{
	const struct shunt_sim_config config = { .groups = 1, .ports = PORTS };
	struct shunt_platform *platform;

	memset(rows, 0, sizeof(rows));
	assert_int_equal(shunt_sim_create(&config, &platform), 0);
	assert_int_equal(shunt_container_open(platform, &container), 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(shunt_space_create(shunt_container_spaces(container),
					 i ? "b" : "a", &spaces[i]),
			0);
	for (unsigned int i = 0; i < PORTS; i++)
		open_port(i);
	return 0;
}

static int tear_down(void **state)
{
	assert_int_equal(shunt_container_close(container), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		skeleton_driver.close(&rows[i].dev);
	return 0;
}

static void assert_calls(enum shunt_plan plan, const char *wanted)
{
	struct shunt_space *to = shunt_group_space(group) == spaces[0] ? spaces[1] : spaces[0];
	struct shunt_switch_result result;

	calls[0] = '\0';
	assert_int_equal(shunt_group_switch(group, to, plan, &result), 0);
	assert_ptr_equal(shunt_group_space(group), to);
	assert_string_equal(calls, wanted);
	for (unsigned int i = 0; i < PORTS; i++) {
		struct skeleton *port = &rows[i].port;

		assert_true(port->started && !port->paused);
		assert_true(port->nic.dma_enabled && port->nic.queues_enabled);
		assert_int_equal(port->rx.paused, SHUNT_POLL_OPEN);
		assert_int_equal(port->tx.paused, SHUNT_POLL_OPEN);
	}
}

#define BEFORE "h0 h1 h2 "
#define AFTER  "c0 c1 c2 t0 t1 t2 r2 r1 r0 "

static void each_plan_calls_what_is_documented(void **state)
{
	assert_calls(SHUNT_PLAN_REPLACE, BEFORE AFTER);
	assert_calls(SHUNT_PLAN_DETACH_ATTACH, BEFORE AFTER);
	assert_calls(SHUNT_PLAN_QUIESCE, BEFORE "P0 P1 P2 D0 D1 D2 R0 R1 R2 " AFTER);
	assert_calls(SHUNT_PLAN_STOP_REPLACE_START, BEFORE "S0 S1 S2 G2 G1 G0 " AFTER);
	assert_calls(SHUNT_PLAN_RESTART, BEFORE "S0 S1 S2 G2 G1 G0 " AFTER);
}

static void a_queue_that_hangs_is_reset(void **state)
{
	struct shunt_switch_result result;

	rows[1].port.nic.queues_enabled = false;
	assert_int_equal(shunt_group_switch(group, spaces[1], SHUNT_PLAN_REPLACE, &result), 0);
	for (unsigned int i = 0; i < PORTS; i++)
		assert_int_equal(result.members[i].recovery.queue_resets, i == 1);
	assert_true(rows[1].port.nic.queues_enabled);
}

static void a_paused_port_takes_no_frames(void **state)
{
	struct row *row = &rows[0];
	struct rte_mbuf *frame;

	assert_int_equal(ops()->pause(&row->port), 0);
	assert_int_equal(ops()->drain(&row->port), 0);
	assert_false(row->port.nic.dma_enabled);
	assert_false(shunt_poll_enter(&row->port.rx, true));
	assert_int_equal(row->dev.rx_pkt_burst(&row->port, &frame, 1), 0);
	assert_int_equal(ops()->resume(&row->port), 0);
	assert_true(shunt_poll_enter(&row->port.rx, true));
	shunt_poll_leave(&row->port.rx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_plan_calls_what_is_documented, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_queue_that_hangs_is_reset, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_paused_port_takes_no_frames, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
