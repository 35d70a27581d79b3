/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <rte_common.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "text.h"
#include "timeline.h"

#define PATIENCE_NS   100000000 /* after a switch; missing frames do not come back after it */
#define MARGIN_MIN_NS 20000     /* shown before and after, or a quarter of the switch */
#define MARGIN_PART   4

static void find_span(
	const struct timeline_switch *waiting, unsigned int ports, uint64_t *from, uint64_t *to)
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

static bool has_window(const struct timeline_switch *waiting, unsigned int ports)
{
	for (unsigned int i = 0; i < ports; i++)
		if (waiting->measured >> i & 1 && waiting->measurements[i].lost)
			return true;
	return false;
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

static bool has_traffic(struct forward *run, const struct timeline_switch *waiting)
{
	uint64_t from, to;

	find_span(waiting, run->ports.count, &from, &to);
	for (unsigned int i = 0; i < run->ports.count; i++)
		if (!sent_between(run->traffic.tester, i, from, waiting->result.start) ||
			!sent_between(run->traffic.tester, i, waiting->result.moved, to))
			return false;
	return true;
}

/* Frames [first, first + count), from index on. */
static void take_frames(
	struct forward *run, unsigned int port, uint64_t first, unsigned int count, size_t index)
{
	const struct forward_timeline *timeline = run->measurement.timeline;
	struct timeline_port *held = &timeline->held->ports[port];

	shunt_trail_fates(timeline->in[port], first, count, held->in + index, held->seen + index);
	shunt_trail_fates(timeline->out[port], first, count, held->out + index, held->back + index);
	for (; count--; index++, first++) {
		held->number[index] = first;
		held->sent[index] = shunt_tester_stamp(run->traffic.tester, port, first);
	}
}

static void take_port(struct forward *run, unsigned int index)
{
	struct timeline_held *held = run->measurement.timeline->held;
	struct timeline_port *port = &held->ports[index];
	uint64_t first = first_since(run->traffic.tester, index, held->from);
	uint64_t end = first_since(run->traffic.tester, index, held->to + 1);
	const unsigned int half = TIMELINE_FRAMES / 2;

	port->frame_count = (unsigned int)RTE_MIN(end - first, (uint64_t)TIMELINE_FRAMES);
	port->frames_omitted = end - first - port->frame_count;
	if (!port->frames_omitted) {
		take_frames(run, index, first, port->frame_count, 0);
	} else {
		take_frames(run, index, first, half, 0);
		take_frames(run, index, end - half, half, half);
	}
	port->blocked_known =
		run->measurement.truth && forward_truth_blocked(run->measurement.truth, index,
						  &held->done.result, &port->blocked);
}

static void take(struct forward *run, const struct timeline_switch *waiting)
{
	struct timeline_held *held = run->measurement.timeline->held;
	unsigned int faults;

	held->done = *waiting;
	held->window = has_window(waiting, run->ports.count);
	held->traffic = has_traffic(run, waiting);
	find_span(waiting, run->ports.count, &held->from, &held->to);
	faults = shunt_fault_log_records(run->measurement.faults, waiting->result.start,
		RTE_MAX(held->to, waiting->result.end), held->faults, TIMELINE_FAULTS);
	held->fault_count = RTE_MIN(faults, (unsigned int)TIMELINE_FAULTS);
	held->faults_omitted = faults - held->fault_count;
	for (unsigned int i = 0; i < run->ports.count; i++)
		take_port(run, i);
}

int forward_timeline_make(struct forward *run)
{
	struct forward_timeline *timeline;

	if (!run->config.options->timeline)
		return 0;
	timeline = calloc(1, sizeof(*timeline));
	if (!timeline)
		return shunt_fail(-ENOMEM, "--timeline: out of memory");
	run->measurement.timeline = timeline;
	timeline->held = calloc(
		1, sizeof(*timeline->held) + run->ports.count * sizeof(timeline->held->ports[0]));
	if (!timeline->held)
		return shunt_fail(-ENOMEM, "--timeline: out of memory");
	for (unsigned int i = 0; i < run->ports.count; i++) {
		timeline->in[i] = shunt_trail_create();
		timeline->out[i] = shunt_trail_create();
		if (!timeline->in[i] || !timeline->out[i])
			return shunt_fail(-ENOMEM, "--timeline: out of memory for trails");
		run->ports.list[i].watch.trail = timeline->in[i];
		shunt_tester_watch(run->traffic.tester, i)->trail = timeline->out[i];
	}
	return 0;
}

void forward_timeline_free(struct forward_timeline *timeline)
{
	if (!timeline)
		return;
	for (unsigned int i = 0; i < SHUNT_WINDOW_MAX_PORTS; i++) {
		shunt_trail_destroy(timeline->in[i]);
		shunt_trail_destroy(timeline->out[i]);
	}
	free(timeline->held);
	free(timeline);
}

void forward_timeline_measured(struct forward_timeline *timeline,
	const struct shunt_measurement *measurement, bool of_group)
{
	const uint64_t number = measurement->number;
	struct timeline_switch *waiting;

	if (!timeline)
		return;
	waiting = &timeline->waiting[number % TIMELINE_WAITING];
	if (!waiting->present || waiting->number != number)
		*waiting = (struct timeline_switch){
			.present = true,
			.number = number,
			.result = *measurement->result,
		};
	timeline->next = RTE_MAX(timeline->next, number + 1);
	if (of_group) {
		waiting->group_measured = true;
		waiting->group = *measurement;
	} else {
		waiting->measured |= 1u << measurement->port;
		waiting->measurements[measurement->port] = *measurement;
	}
}

/*
 * Whether a switch is better than the one held. Preferred are: the requested one; the first one
 * with a fault window; the last one with traffic; the last one.
 */
static bool wanted(struct forward *run, const struct timeline_switch *waiting)
{
	const struct timeline_held *held = run->measurement.timeline->held;
	uint64_t asked = run->config.options->timeline_switch;

	if (asked != UINT64_MAX)
		return waiting->number == asked;
	if (!held->done.present || has_window(waiting, run->ports.count))
		return !held->window;
	return !held->window && (!held->traffic || has_traffic(run, waiting));
}

/* Whether every port is measured, and the frames in the range have come back. */
static bool complete(const struct forward_ports *ports, struct shunt_tester *tester,
	const struct timeline_switch *waiting)
{
	uint64_t from, to;

	if (waiting->measured != (uint32_t)((1ull << ports->count) - 1))
		return false;
	find_span(waiting, ports->count, &from, &to);
	for (unsigned int i = 0; i < ports->count; i++)
		if (shunt_watch_stamp(&ports->list[i].watch) <= to ||
			shunt_watch_stamp(shunt_tester_watch(tester, i)) <= to)
			return false;
	return true;
}

/* Oldest first, so that the first one with a window wins. */
static void take_those_ready(struct forward *run, bool all)
{
	struct forward_timeline *timeline = run->measurement.timeline;
	uint64_t patience = shunt_clock_from_ns(PATIENCE_NS);

	for (uint64_t i = 0; i < TIMELINE_WAITING; i++) {
		struct timeline_switch *waiting =
			&timeline->waiting[(timeline->next + i) % TIMELINE_WAITING];

		if (!waiting->present)
			continue;
		if (!all && !complete(&run->ports, run->traffic.tester, waiting) &&
			shunt_clock_now() - waiting->result.end < patience)
			continue;
		if (wanted(run, waiting))
			take(run, waiting);
		waiting->present = false;
	}
}

void forward_timeline_poll(struct forward *run)
{
	if (run->measurement.timeline)
		take_those_ready(run, false);
}

static int write_held(struct forward *run)
{
	uint64_t asked = run->config.options->timeline_switch;
	uint64_t switches = run->measurement.switches + run->measurement.failed;

	take_those_ready(run, true);
	if (run->measurement.timeline->held->done.present)
		return timeline_write(&run->config, &run->ports, run->measurement.timeline->held,
			run->measurement.timeline_file.file);
	if (asked == UINT64_MAX)
		return shunt_fail(-ENODATA, "--timeline: no switch was measured");
	return shunt_fail(-ENODATA,
		"--timeline-switch %" PRIu64 ": no such switch, or no port was measured in it; "
		"%" PRIu64 " switch%s",
		asked, switches, plural_es(switches));
}

int forward_timeline_write(struct forward *run)
{
	int ret = run->measurement.timeline ? write_held(run) : 0;

	if (!run->measurement.timeline || ret)
		return ret;
	ret = shunt_output_close(&run->measurement.timeline_file, 0);
	return ret ? shunt_fail_while(ret, "--timeline") : 0;
}
