/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "forward_timeline.h"
#include "shunt_clock.h"
#include "shunt_error.h"

#define PATIENCE_NS 100000000 /* what did not come back that long after a switch, does not */

int forward_timeline_make(struct forward *run)
{
	struct forward_timeline *timeline;

	if (!run->options->timeline)
		return 0;
	timeline = calloc(1, sizeof(*timeline));
	if (!timeline)
		return shunt_fail(-ENOMEM, "--timeline: out of memory");
	run->timeline = timeline;
	timeline->held =
		calloc(1, sizeof(*timeline->held) + run->count * sizeof(timeline->held->ports[0]));
	if (!timeline->held)
		return shunt_fail(-ENOMEM, "--timeline: out of memory");
	for (unsigned int i = 0; i < run->count; i++) {
		timeline->in[i] = shunt_trail_create();
		timeline->out[i] = shunt_trail_create();
		if (!timeline->in[i] || !timeline->out[i])
			return shunt_fail(-ENOMEM, "--timeline: out of memory for trails");
		run->ports[i].watch.trail = timeline->in[i];
		shunt_tester_watch(run->tester, i)->trail = timeline->out[i];
	}
	return 0;
}

void forward_timeline_free(struct forward *run)
{
	struct forward_timeline *timeline = run->timeline;

	if (!timeline)
		return;
	for (unsigned int i = 0; i < SHUNT_WINDOW_MAX_PORTS; i++) {
		shunt_trail_destroy(timeline->in[i]);
		shunt_trail_destroy(timeline->out[i]);
	}
	free(timeline->held);
	free(timeline);
	run->timeline = NULL;
}

/* The switch that a measurement is of; NULL without --timeline. */
static struct timeline_waiting *waiting_for(
	struct forward *run, uint64_t number, const struct shunt_switch_result *result)
{
	struct forward_timeline *timeline = run->timeline;
	struct timeline_waiting *waiting;

	if (!timeline)
		return NULL;
	waiting = &timeline->waiting[number % TIMELINE_WAITING];
	if (!waiting->present || waiting->number != number)
		*waiting = (struct timeline_waiting){
			.present = true,
			.number = number,
			.result = *result,
		};
	if (number >= timeline->next)
		timeline->next = number + 1;
	return waiting;
}

void forward_timeline_measured(struct forward *run, const struct shunt_measurement *measurement)
{
	struct timeline_waiting *waiting =
		waiting_for(run, measurement->number, measurement->result);

	if (!waiting)
		return;
	waiting->measured |= 1u << measurement->port;
	waiting->measurements[measurement->port] = *measurement;
}

void forward_timeline_group(struct forward *run, const struct shunt_group_measurement *measurement)
{
	struct timeline_waiting *waiting =
		waiting_for(run, measurement->number, measurement->result);

	if (!waiting)
		return;
	waiting->group_measured = true;
	waiting->group = *measurement;
}

static bool has_window(const struct timeline_waiting *waiting, unsigned int ports)
{
	for (unsigned int i = 0; i < ports; i++)
		if (waiting->measured >> i & 1 && waiting->measurements[i].lost)
			return true;
	return false;
}

/*
 * Better than the one held: the one asked for; the first with a fault window; else the last, of
 * those with traffic if there is any.
 */
static bool wanted(struct forward *run, const struct timeline_waiting *waiting)
{
	const struct timeline_switch *held = run->timeline->held;
	uint64_t asked = run->options->timeline_switch;

	if (asked != UINT64_MAX)
		return waiting->number == asked;
	if (!held->present || has_window(waiting, run->count))
		return !held->window;
	return !held->window && (!held->traffic || timeline_traffic(run, waiting));
}

/* Every port is measured, and the frames that are to be shown have come back. */
static bool complete(const struct forward *run, const struct timeline_waiting *waiting)
{
	uint64_t from, to;

	if (waiting->measured != (uint32_t)((1ull << run->count) - 1))
		return false;
	timeline_span(waiting, run->count, &from, &to);
	for (unsigned int i = 0; i < run->count; i++)
		if (shunt_watch_stamp(&run->ports[i].watch) <= to ||
			shunt_watch_stamp(shunt_tester_watch(run->tester, i)) <= to)
			return false;
	return true;
}

/* The oldest first: of two with a window it is the first. */
static void take_those_ready(struct forward *run, bool all)
{
	struct forward_timeline *timeline = run->timeline;
	uint64_t patience = shunt_clock_from_ns(PATIENCE_NS);

	for (uint64_t i = 0; i < TIMELINE_WAITING; i++) {
		struct timeline_waiting *waiting =
			&timeline->waiting[(timeline->next + i) % TIMELINE_WAITING];

		if (!waiting->present)
			continue;
		if (!all && !complete(run, waiting) &&
			shunt_clock_now() - waiting->result.end < patience)
			continue;
		waiting->present = false;
		if (wanted(run, waiting)) {
			timeline_take(run, waiting);
			timeline->held->window = has_window(waiting, run->count);
		}
	}
}

void forward_timeline_poll(struct forward *run)
{
	if (run->timeline)
		take_those_ready(run, false);
}

int forward_timeline_write(struct forward *run)
{
	uint64_t asked = run->options->timeline_switch;

	if (!run->timeline)
		return 0;
	take_those_ready(run, true);
	if (run->timeline->held->present)
		return timeline_write(run, run->options->timeline);
	if (asked == UINT64_MAX)
		return shunt_fail(-ENODATA, "--timeline: there was no switch that was measured");
	return shunt_fail(-ENODATA,
		"--timeline-switch %" PRIu64 ": there was no such switch, or no port was "
		"measured; there were %" PRIu64,
		asked, run->switches + run->failed);
}
