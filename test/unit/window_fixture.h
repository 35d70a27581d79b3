/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WINDOW_FIXTURE_H
#define WINDOW_FIXTURE_H

#include <shunt/window.h>

/*
 * Two ports on a made-up clock: every stamp, loss and switch is chosen, so every figure that must
 * come out is known.
 *
 *   stream 0 --> port 0 --> port 1 --> tester
 *   stream 1 --> port 1 --> port 0 --> tester
 */

#define STEP 20000 /* ticks between two frames of a stream */

struct rig {
	struct shunt_traffic traffic;
	struct shunt_tester *tester;
	struct shunt_watch receive[2];
	struct shunt_window *window;
	struct shunt_measurement last[2];
	struct shunt_measurement group;
	unsigned int measured; /* ports */
	unsigned int groups_measured;
	uint64_t now; /* behind shunt_clock, as long as a test does not take 400 steps */
};

/** A rig for each test, in *state. */
int make_fixture(void **state);
int drop_fixture(void **state);

/** What a frame meets on its way; the first two are the fates of stream 0, stream 1 arrives. */
enum fate { ARRIVES, LOST_IN, LOST_OUT, CHANGED, LOST_IN_BOTH, LOST_IN_OTHER };

/** One frame of each stream, a step later than those before. */
void step(struct rig *rig, enum fate fate);
void steps(struct rig *rig, unsigned int count, enum fate fate);

/** A switch from now on, and until now. */
struct shunt_switch_result begin_switch(const struct rig *rig);
void end_switch(struct rig *rig, struct shunt_switch_result *result);

#define rig_test(test) cmocka_unit_test_setup_teardown(test, make_fixture, drop_fixture)

#endif
