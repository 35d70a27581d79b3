/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_common.h>

#include "forward_timeline.h"
#include "shunt_clock.h"

#define MARGIN_MIN_NS 20000 /* shown before and after, or a quarter of the switch */
#define MARGIN_PART   4

void timeline_span(
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

/* First number of a stream whose stamp is not before a time; stamps no longer known are. */
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

bool timeline_traffic(struct forward *run, const struct timeline_waiting *waiting)
{
	uint64_t from, to;

	timeline_span(waiting, run->count, &from, &to);
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

void timeline_take(struct forward *run, const struct timeline_waiting *waiting)
{
	struct timeline_switch *held = run->timeline->held;
	unsigned int faults;

	held->present = true;
	held->traffic = timeline_traffic(run, waiting);
	held->number = waiting->number;
	held->result = waiting->result;
	held->group_measured = waiting->group_measured;
	held->group = waiting->group;
	timeline_span(waiting, run->count, &held->from, &held->to);
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
