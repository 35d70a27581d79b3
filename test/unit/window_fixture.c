/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/clock.h>

#include "window_fixture.h"

#define BEHIND_NS 5000000

static void remember(void *context, const struct shunt_measurement *measurement)
{
	struct rig *rig = context;

	rig->last[measurement->port] = *measurement;
	rig->measured++;
}

static void remember_group(void *context, const struct shunt_measurement *measurement)
{
	struct rig *rig = context;

	rig->group = *measurement;
	rig->groups_measured++;
}

int make_fixture(void **state)
{
	static struct rig rig;
	struct shunt_window_port ports[2] = {
		{ .name = "p0", .stream = 0, .out = 1, .receive = &rig.receive[0] },
		{ .name = "p1", .stream = 1, .out = 0, .receive = &rig.receive[1] },
	};
	const struct shunt_window_sink sink = {
		.context = &rig,
		.port = remember,
		.group = remember_group,
	};

	memset(&rig, 0, sizeof(rig));
	assert_int_equal(shunt_traffic_fixed(64, &rig.traffic), 0);
	assert_int_equal(shunt_tester_create(2, &rig.traffic, SHUNT_RATE_MAX, &rig.tester), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(shunt_watch_init(&rig.receive[i], (uint16_t)i), 0);
	assert_int_equal(shunt_window_create(rig.tester, ports, 2, &rig.window), 0);
	shunt_window_sink(rig.window, &sink);
	shunt_tester_start(rig.tester);
	rig.now = shunt_clock_now() - shunt_clock_from_ns(BEHIND_NS);
	*state = &rig;
	return 0;
}

int drop_fixture(void **state)
{
	struct rig *rig = *state;

	shunt_window_destroy(rig->window);
	for (int i = 0; i < 2; i++)
		shunt_watch_fini(&rig->receive[i]);
	shunt_tester_destroy(rig->tester);
	shunt_traffic_free(&rig->traffic);
	return 0;
}

static bool lost_in(unsigned int stream, enum fate fate)
{
	return fate == LOST_IN_BOTH || fate == (stream == 0 ? LOST_IN : LOST_IN_OTHER);
}

void step(struct rig *rig, enum fate fate)
{
	rig->now += STEP;
	for (unsigned int stream = 0; stream < 2; stream++) {
		struct shunt_stamp stamp;
		uint8_t copy[64];
		uint32_t length;
		const void *frame = shunt_tester_send(rig->tester, stream, rig->now, true, &length);

		assert_non_null(frame);
		memcpy(copy, frame, length);
		if (lost_in(stream, fate))
			continue;
		assert_true(shunt_stamp_read(copy, length, &stamp));
		shunt_watch_see(&rig->receive[stream], &stamp, rig->now + 1);
		shunt_watch_publish(&rig->receive[stream]);
		if (stream == 0 && fate == LOST_OUT)
			continue;
		if (stream == 0 && fate == CHANGED)
			copy[20] ^= 1;
		shunt_tester_receive(rig->tester, rig->now + 2, copy, length);
	}
}

void steps(struct rig *rig, unsigned int count, enum fate fate)
{
	while (count--)
		step(rig, fate);
}

struct shunt_switch_result begin_switch(const struct rig *rig)
{
	return (struct shunt_switch_result){ .start = rig->now + 1, .member_count = 2 };
}

void end_switch(struct rig *rig, struct shunt_switch_result *result)
{
	result->moved = rig->now + 1;
	result->end = rig->now + 2;
	assert_int_equal(shunt_window_switch(rig->window, result), 0);
}
