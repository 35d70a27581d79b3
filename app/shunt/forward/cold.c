/* SPDX-License-Identifier: BSD-3-Clause */

#include <shunt/clock.h>
#include <shunt/error.h>

#include "forward.h"

#define POLL_NS    1000000
#define MISSING_NS 500000000 /* after it, missing frames are lost */
#define AWAKE_NS   1000000   /* for the sender to notice a resume */
#define GOLDEN     0.6180339887498949

static uint64_t received(const struct forward_ports *ports)
{
	uint64_t frames = 0;

	for (unsigned int i = 0; i < ports->count; i++)
		frames += atomic_load_explicit(&ports->list[i].rx, memory_order_relaxed);
	return frames;
}

static uint64_t later(uint64_t ns)
{
	return shunt_clock_now() + shunt_clock_from_ns(ns);
}

static bool all_back(struct forward_cold *cold, const struct forward_traffic *traffic, uint64_t now)
{
	const uint64_t returned = forward_returned(traffic);

	if (returned != cold->returned) {
		cold->returned = returned;
		cold->since = now;
	}
	return !forward_missing(traffic) || now - cold->since > shunt_clock_from_ns(MISSING_NS);
}

/* Its late faults belong to the replace before: the next result reports them. */
static int make_cold(struct forward *run)
{
	struct forward_cold *cold = &run->measurement.cold;
	struct shunt_switch_result result;
	int ret;

	ret = shunt_group_switch(
		run->ports.group, forward_spaces_next(&run->ports), SHUNT_PLAN_QUIESCE, &result);
	if (!ret)
		ret = shunt_window_check(run->measurement.window, &result);
	if (ret)
		return shunt_fail_while(ret, "--cold: the switch that invalidates the caches");
	for (unsigned int i = 0; i < run->ports.count; i++) {
		cold->late[i] = result.members[i].faults_late;
		cold->first[i] = shunt_tester_sent(run->traffic.tester, i);
	}
	cold->received = received(&run->ports);
	return 0;
}

int forward_cold_step(struct forward *run, uint64_t now, uint64_t *again)
{
	struct forward_cold *cold = &run->measurement.cold;
	int ret = 0;

	*again = 0;
	switch (cold->state) {
	case FORWARD_FLOWS:
		ret = shunt_window_poll(run->measurement.window);
		if (ret || !shunt_window_complete(run->measurement.window)) {
			*again = later(POLL_NS);
			break;
		}
		shunt_tester_stop(run->traffic.tester);
		cold->since = now;
		cold->state = FORWARD_STOPPED;
		*again = now;
		break;
	case FORWARD_STOPPED:
		if (!all_back(cold, &run->traffic, now)) {
			*again = later(POLL_NS);
			break;
		}
		ret = make_cold(run);
		cold->state = FORWARD_IDLE;
		*again = later(run->config.options->cold_ns);
		break;
	case FORWARD_IDLE:
		shunt_tester_resume(run->traffic.tester, later(2 * AWAKE_NS));
		cold->state = FORWARD_AIMED;
		*again = later(AWAKE_NS);
		break;
	case FORWARD_AIMED:
		cold->disturbed = received(&run->ports) != cold->received;
		cold->called = shunt_clock_now();
		shunt_tester_resume(run->traffic.tester,
			cold->called + cold->lead + (uint64_t)(cold->place * (double)cold->length));
		cold->state = FORWARD_FLOWS;
		break;
	}
	return ret;
}

void forward_cold_switched(
	struct forward_cold *cold, uint64_t number, struct shunt_switch_result *result)
{
	const struct shunt_switch_member *first = &result->members[0];

	for (unsigned int i = 0; i < result->member_count; i++)
		if (cold->late[i] > 0)
			result->members[i].faults_late =
				cold->late[i] + RTE_MAX(result->members[i].faults_late, 0);
	cold->number = number;
	cold->place += GOLDEN;
	cold->place -= (double)(uint64_t)cold->place;
	if (!first->ioctl_start)
		return;
	cold->lead = first->ioctl_start - cold->called;
	cold->length = first->ioctl_end - first->ioctl_start;
}

bool forward_cold_first(const struct forward_cold *cold, struct shunt_tester *tester,
	const struct shunt_measurement *measurement, struct forward_cold_first *first)
{
	const unsigned int stream = measurement->port;

	if (measurement->number != cold->number || cold->disturbed)
		return false;
	first->stamp = shunt_tester_stamp(tester, stream, cold->first[stream]);
	first->left = shunt_tester_left_by(tester, stream, cold->first[stream]);
	return first->stamp && first->left;
}
