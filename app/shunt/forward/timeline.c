/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <rte_common.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "timeline.h"

#define PATIENCE_NS   100000000 /* after a switch; missing frames do not come back after it */
#define MARGIN_MIN_NS 20000     /* shown before and after, or a quarter of the switch */
#define MARGIN_PART   4

static void find_span(
	const struct timeline_waiting *waiting, unsigned int ports, uint64_t *from, uint64_t *to)
{
	uint64_t margin;

	*from = waiting->result.start;
	*to = waiting->result.moved;
	for (unsigned int i = 0; i < ports; i++) {
		const struct shunt_measurement *measurement = &waiting->measurements[i];

		if (!(waiting->measured >> i & 1) || !measurement->lost)
			continue;
		*from = RTE_MIN(*from, measurement->edges.begin_from);
		*to = RTE_MAX(*to, measurement->edges.end_to);
	}
	margin = RTE_MAX(shunt_clock_from_ns(MARGIN_MIN_NS), (*to - *from) / MARGIN_PART);
	*from -= margin;
	*to += margin;
}

/* First number of a stream with a stamp at or after a time; forgotten stamps count as before. */
static uint64_t first_since(struct shunt_tester *tester, unsigned int stream, uint64_t time)
{
	uint64_t low = 0, high = shunt_tester_sent(tester, stream);

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (shunt_tester_stamp(tester, stream, middle) < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool sent_between(
	struct shunt_tester *tester, unsigned int stream, uint64_t from, uint64_t to)
{
	return first_since(tester, stream, from) < first_since(tester, stream, to);
}

static bool has_traffic(struct forward *run, const struct timeline_waiting *waiting)
{
	uint64_t from, to;

	find_span(waiting, run->count, &from, &to);
	for (unsigned int i = 0; i < run->count; i++)
		if (!sent_between(run->tester, i, from, waiting->result.start) ||
			!sent_between(run->tester, i, waiting->result.moved, to))
			return false;
	return true;
}

/* Frames [first, first + count), from index on. */
static void take_frames(struct forward *run, unsigned int port, uint64_t first, unsigned int count,
	struct timeline_frame *frames)
{
	static enum shunt_trail_fate in[TIMELINE_FRAMES], out[TIMELINE_FRAMES];
	static uint64_t seen[TIMELINE_FRAMES], back[TIMELINE_FRAMES];

	shunt_trail_fates(run->timeline->in[port], first, count, in, seen);
	shunt_trail_fates(run->timeline->out[port], first, count, out, back);
	for (unsigned int i = 0; i < count; i++)
		frames[i] = (struct timeline_frame){
			.number = first + i,
			.sent = shunt_tester_stamp(run->tester, port, first + i),
			.seen = seen[i],
			.back = back[i],
			.in = in[i],
			.out = out[i],
		};
}

static void take_port(struct forward *run, unsigned int index, struct timeline_port *port)
{
	const struct timeline_switch *held = run->timeline->held;
	uint64_t first = first_since(run->tester, index, held->from);
	uint64_t end = first_since(run->tester, index, held->to + 1);
	const unsigned int half = TIMELINE_FRAMES / 2;

	if (end - first <= TIMELINE_FRAMES) {
		port->frame_count = (unsigned int)(end - first);
		take_frames(run, index, first, port->frame_count, port->frames);
	} else {
		port->frame_count = TIMELINE_FRAMES;
		port->frames_omitted = end - first - TIMELINE_FRAMES;
		take_frames(run, index, first, half, port->frames);
		take_frames(run, index, end - half, half, port->frames + half);
	}
	if (run->truth)
		port->blocked_known =
			forward_truth_blocked(run->truth, index, &held->result, &port->blocked);
}

static void take(struct forward *run, const struct timeline_waiting *waiting)
{
	struct timeline_switch *held = run->timeline->held;
	unsigned int faults;

	held->present = true;
	held->traffic = has_traffic(run, waiting);
	held->number = waiting->number;
	held->result = waiting->result;
	held->group_measured = waiting->group_measured;
	held->group = waiting->group;
	find_span(waiting, run->count, &held->from, &held->to);
	faults = shunt_fault_log_records(run->faults, held->result.start,
		RTE_MAX(held->to, held->result.end), held->faults, TIMELINE_FAULTS);
	held->fault_count = RTE_MIN(faults, (unsigned int)TIMELINE_FAULTS);
	held->faults_omitted = faults - held->fault_count;
	for (unsigned int i = 0; i < run->count; i++) {
		struct timeline_port *port = &held->ports[i];

		port->measured = waiting->measured >> i & 1;
		port->measurement = waiting->measurements[i];
		port->measurement.result = &held->result;
		port->frames_omitted = 0;
		port->blocked_known = false;
		take_port(run, i, port);
	}
}

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

/* The switch of a measurement; NULL without --timeline. */
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

void forward_timeline_group(struct forward *run, const struct shunt_measurement *measurement)
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
 * Whether a switch is better than the one held. Preferred are: the requested one; the first one
 * with a fault window; the last one with traffic; the last one.
 */
static bool wanted(struct forward *run, const struct timeline_waiting *waiting)
{
	const struct timeline_switch *held = run->timeline->held;
	uint64_t asked = run->options->timeline_switch;

	if (asked != UINT64_MAX)
		return waiting->number == asked;
	if (!held->present || has_window(waiting, run->count))
		return !held->window;
	return !held->window && (!held->traffic || has_traffic(run, waiting));
}

/* Whether every port is measured, and the frames in the range have come back. */
static bool complete(const struct forward *run, const struct timeline_waiting *waiting)
{
	uint64_t from, to;

	if (waiting->measured != (uint32_t)((1ull << run->count) - 1))
		return false;
	find_span(waiting, run->count, &from, &to);
	for (unsigned int i = 0; i < run->count; i++)
		if (shunt_watch_stamp(&run->ports[i].watch) <= to ||
			shunt_watch_stamp(shunt_tester_watch(run->tester, i)) <= to)
			return false;
	return true;
}

/* Oldest first, so that the first one with a window wins. */
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
			take(run, waiting);
			timeline->held->window = has_window(waiting, run->count);
		}
	}
}

void forward_timeline_poll(struct forward *run)
{
	if (run->timeline)
		take_those_ready(run, false);
}

static int write_held(struct forward *run)
{
	uint64_t asked = run->options->timeline_switch;

	take_those_ready(run, true);
	if (run->timeline->held->present)
		return timeline_write(run);
	if (asked == UINT64_MAX)
		return shunt_fail(-ENODATA, "--timeline: no switch was measured");
	return shunt_fail(-ENODATA,
		"--timeline-switch %" PRIu64 ": no such switch, or no port was measured in it; "
		"%" PRIu64 " switches",
		asked, run->switches + run->failed);
}

int forward_timeline_write(struct forward *run)
{
	int ret = run->timeline ? write_held(run) : 0;

	if (!run->timeline || ret)
		return ret;
	ret = shunt_output_close(&run->timeline_file, 0);
	return ret ? shunt_fail_while(ret, "--timeline") : 0;
}
