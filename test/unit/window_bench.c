/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shunt_clock.h"
#include "window_bench.h"

#define BEHIND_NS 5000000

static void remember(void *context, const struct shunt_measurement *measurement)
{
	struct bench *bench = context;

	bench->last[measurement->port] = *measurement;
	bench->measured++;
}

static void remember_group(void *context, const struct shunt_group_measurement *measurement)
{
	struct bench *bench = context;

	bench->group = *measurement;
	bench->groups_measured++;
}

int make_bench(void **state)
{
	static struct bench bench;
	struct shunt_window_port ports[2] = {
		{ .name = "p0", .stream = 0, .out = 1, .receive = &bench.receive[0] },
		{ .name = "p1", .stream = 1, .out = 0, .receive = &bench.receive[1] },
	};
	const struct shunt_window_sink sink = {
		.context = &bench,
		.port = remember,
		.group = remember_group,
	};

	memset(&bench, 0, sizeof(bench));
	assert_int_equal(shunt_traffic_fixed(64, &bench.traffic), 0);
	assert_int_equal(shunt_tester_create(2, &bench.traffic, SHUNT_RATE_MAX, &bench.tester), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(shunt_watch_init(&bench.receive[i], (uint16_t)i), 0);
	assert_int_equal(shunt_window_create(bench.tester, ports, 2, &bench.window), 0);
	shunt_window_sink(bench.window, &sink);
	shunt_tester_start(bench.tester);
	bench.now = shunt_clock_now() - shunt_clock_from_ns(BEHIND_NS);
	*state = &bench;
	return 0;
}

int drop_bench(void **state)
{
	struct bench *bench = *state;

	shunt_window_destroy(bench->window);
	for (int i = 0; i < 2; i++)
		shunt_watch_fini(&bench->receive[i]);
	shunt_tester_destroy(bench->tester);
	shunt_traffic_free(&bench->traffic);
	return 0;
}

static bool lost_in(unsigned int stream, enum fate fate)
{
	return fate == LOST_IN_BOTH || fate == (stream == 0 ? LOST_IN : LOST_IN_OTHER);
}

void step(struct bench *bench, enum fate fate)
{
	bench->now += STEP;
	for (unsigned int stream = 0; stream < 2; stream++) {
		struct shunt_stamp stamp;
		uint8_t copy[64];
		uint32_t length;
		const void *frame =
			shunt_tester_send(bench->tester, stream, bench->now, true, &length);

		assert_non_null(frame);
		memcpy(copy, frame, length);
		if (lost_in(stream, fate))
			continue;
		assert_true(shunt_stamp_read(copy, length, &stamp));
		shunt_watch_see(&bench->receive[stream], &stamp, bench->now + 1);
		shunt_watch_publish(&bench->receive[stream]);
		if (stream == 0 && fate == LOST_OUT)
			continue;
		if (stream == 0 && fate == CHANGED)
			copy[20] ^= 1;
		shunt_tester_receive(bench->tester, bench->now + 2, copy, length);
	}
}

void steps(struct bench *bench, unsigned int count, enum fate fate)
{
	while (count--)
		step(bench, fate);
}

struct shunt_switch_result begin_switch(const struct bench *bench)
{
	return (struct shunt_switch_result){ .start = bench->now + 1, .member_count = 2 };
}

void end_switch(struct bench *bench, struct shunt_switch_result *result)
{
	result->moved = bench->now + 1;
	result->end = bench->now + 2;
	assert_int_equal(shunt_window_switch(bench->window, result), 0);
}
