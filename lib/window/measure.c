/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/param.h>

#include <shunt/clock.h>

#include "measure.h"

#define FRAME_LOSS_MIN 128  /* times between frames in a part, if there are */
#define FRAME_LOSS_MAX 1024 /* and at most */

/* Frames sent one after the other: how often, in what time, and with what longest pause. */
struct part {
	uint64_t times;
	uint64_t ticks;
	uint64_t longest;
};

static bool take_part(struct shunt_tester *tester, unsigned int stream, uint64_t from, uint64_t to,
	struct part *part)
{
	uint64_t before = shunt_tester_stamp(tester, stream, from), stamp;

	*part = (struct part){ 0 };
	for (uint64_t number = from + 1; number <= to && before; number++, before = stamp) {
		stamp = shunt_tester_stamp(tester, stream, number);
		if (!stamp)
			return false;
		part->times++;
		part->ticks += stamp - before;
		part->longest = MAX(part->longest, stamp - before);
	}
	return part->times != 0;
}

/*
 * RFC 6201's frame-loss method, from the offered stream around a gap:
 *
 *   sent    | | | | | | |x x x x x x| | | | | | |
 *           |<- before ->|           |<- after ->|
 *
 *   window      = lost * mean time between two frames, of both parts
 *   uncertainty  = the longest such time + lost * how much the means of the two parts differ
 *
 * A part has as many frames as were lost, within the limits above: a sender that works in bursts
 * shows them. What the sender did while frames were lost is left out: that is the check.
 *
 * @return false: too few frames before the gap or after it are known
 */
static bool frame_loss(struct shunt_tester *tester, unsigned int stream,
	const struct shunt_gap *gap, uint64_t lost, uint64_t *window, uint64_t *uncertainty)
{
	uint64_t newest = shunt_tester_sent(tester, stream) - 1;
	uint64_t times = MIN(MAX(lost, FRAME_LOSS_MIN), FRAME_LOSS_MAX);
	uint64_t in_first, in_second;
	struct part before, after;

	if (!take_part(tester, stream, above(gap->last, times), gap->last, &before) ||
		!take_part(tester, stream, gap->first, MIN(gap->first + times, newest), &after))
		return false;
	*window = lost * (before.ticks + after.ticks) / (before.times + after.times);
	in_first = lost * before.ticks / before.times;
	in_second = lost * after.ticks / after.times;
	*uncertainty = MAX(before.longest, after.longest) + MAX(in_first, in_second) -
		       MIN(in_first, in_second);
	return true;
}

/* Whether the port, or the one that sends into it, was repaired after the switch. */
static bool stopped(
	const struct shunt_window_port *port, const struct shunt_measurement *measurement)
{
	const struct shunt_switch_member *members = measurement->result->members;

	return shunt_recovery_any(&members[measurement->port].recovery) ||
	       (port->sender != SHUNT_WINDOW_TESTER &&
		       shunt_recovery_any(&members[port->sender].recovery));
}

/*
 * By when the first frame after a gap had surely reached memory: once it had left. Frames wait in
 * a port that stopped: there, or if the tester cannot tell when it left, once it was seen.
 */
static uint64_t reached(struct shunt_tester *tester, const struct shunt_window_port *port,
	const struct shunt_measurement *measurement, const struct shunt_gap *gap)
{
	uint64_t left = shunt_tester_left_by(tester, port->stream, gap->first);

	if (!left)
		return gap->first_seen;
	return stopped(port, measurement) ? MAX(left, gap->first_seen) : left;
}

/* The longest gap of those that a frame in the switch could have met, and the frames of all. */
static const struct shunt_gap *find_gap(struct shunt_tester *tester,
	const struct shunt_window_port *port, const struct port_losses *losses,
	struct shunt_measurement *measurement)
{
	const struct shunt_switch_result *result = measurement->result;
	const struct shunt_gap *best = NULL;
	uint64_t end, longest = 0;

	for (size_t i = 0; i < losses->gap_count; i++) {
		const struct shunt_gap *gap = &losses->gaps[i];

		if (!gap->last_stamp || !gap->first_stamp || gap->last_stamp > result->moved ||
			gap->first_seen < result->start)
			continue;
		end = reached(tester, port, measurement, gap);
		if (end < result->start)
			continue;
		measurement->lost += shunt_gap_frames(gap);
		if (end - gap->last_stamp > longest) {
			longest = end - gap->last_stamp;
			best = gap;
		}
	}
	return best;
}

/*
 * A frame met the port between its stamp and the time by which it had left. If the loss had begun
 * before the switch it may all be an earlier one's, and no time of it is surely this one's.
 */
static void find_edges(struct shunt_tester *tester, const struct shunt_window_port *port,
	const struct shunt_gap *gap, struct shunt_measurement *measurement)
{
	uint64_t first_lost = shunt_tester_left_by(tester, port->stream, gap->last + 1);
	uint64_t last_lost = shunt_tester_stamp(tester, port->stream, gap->first - 1);
	struct shunt_edges *edges = &measurement->edges;

	edges->begin_from = gap->last_stamp;
	if (shunt_tester_resumed(tester)) /* none was sent before */
		edges->begin_from = MAX(gap->last_stamp, measurement->result->start);
	edges->end_to = reached(tester, port, measurement, gap);
	edges->begin_to = edges->end_to;
	edges->end_from = edges->begin_from;
	if (first_lost < measurement->result->start || !last_lost)
		return;
	edges->begin_to = first_lost;
	edges->end_from = last_lost;
}

/*
 * A port that lost nothing may have been blocked, unseen, at any time of the switch. One that was
 * repaired runs once its hardware has noticed: after the end, but before a frame sent after it.
 */
static void find_bounds(
	struct shunt_tester *tester, unsigned int stream, struct shunt_measurement *measurement)
{
	const struct shunt_switch_result *result = measurement->result;
	struct shunt_edges *edges = &measurement->edges;
	uint64_t after;

	edges->begin_from = result->start;
	edges->end_to = result->moved;
	if (!shunt_recovery_any(&result->members[measurement->port].recovery))
		return;
	after = shunt_tester_sent_after(tester, stream, result->end);
	edges->end_to = MAX(result->end, after);
}

/* Where frames were held back before the switch they were away for that. */
static void find_outages(struct shunt_tester *tester, const struct shunt_window_port *port,
	struct shunt_measurement *measurement)
{
	const struct shunt_watch *returned = shunt_tester_watch(tester, port->stream);
	const struct shunt_switch_result *result = measurement->result;

	if (shunt_tester_resumed(tester))
		return;
	if (shunt_burst_log_outage(
		    &port->receive->bursts, result->start, result->end, &measurement->outage))
		measurement->outage = (struct shunt_outage){ 0 };
	if (shunt_burst_log_outage_behind(
		    &returned->bursts, result->start, result->end, &measurement->returned))
		measurement->returned = (struct shunt_outage){ 0 };
}

bool measure_port(struct shunt_tester *tester, const struct shunt_window_port *port,
	const struct port_losses *losses, struct shunt_measurement *measurement)
{
	const struct shunt_switch_result *result = measurement->result;
	const struct shunt_gap *gap = find_gap(tester, port, losses, measurement);
	struct shunt_edges *edges = &measurement->edges;

	find_outages(tester, port, measurement);
	if (!gap) {
		find_bounds(tester, port->stream, measurement);
		measurement->uncertainty = shunt_tester_interval(tester, port->stream,
			result->start, result->moved, stopped(port, measurement) ? result->end : 0);
		measurement->uncertainty =
			MIN(measurement->uncertainty, edges->end_to - edges->begin_from);
		return measurement->uncertainty != 0;
	}
	find_edges(tester, port, gap, measurement);
	measurement->window = edges->end_to - edges->begin_from;
	measurement->uncertainty = measurement->window - above(edges->end_from, edges->begin_to);
	if (!frame_loss(tester, port->stream, gap, measurement->lost, &measurement->loss_window,
		    &measurement->loss_uncertainty))
		measurement->loss_uncertainty = 0;
	return true;
}

bool shunt_window_methods_agree(const struct shunt_measurement *measurement)
{
	uint64_t least = measurement->window - measurement->uncertainty;
	uint64_t most = measurement->window;

	return measurement->loss_window + measurement->loss_uncertainty >= least &&
	       above(measurement->loss_window, measurement->loss_uncertainty) <= most;
}

void measure_add(struct whole *whole, const struct shunt_measurement *measurement)
{
	const struct shunt_edges *port = &measurement->edges;
	struct shunt_edges *edges = &whole->edges;

	if (!whole->ports++)
		*edges = (struct shunt_edges){ .begin_from = UINT64_MAX, .begin_to = UINT64_MAX };
	edges->begin_from = MIN(edges->begin_from, port->begin_from);
	edges->end_to = MAX(edges->end_to, port->end_to);
	if (!measurement->lost)
		return;
	whole->lossy++;
	whole->lost += measurement->lost;
	edges->begin_to = MIN(edges->begin_to, port->begin_to);
	edges->end_from = MAX(edges->end_from, port->end_from);
}

void measure_group(const struct whole *whole, struct shunt_measurement *measurement)
{
	const struct shunt_edges *edges = &whole->edges;
	uint64_t most = edges->end_to - edges->begin_from;

	measurement->lost = whole->lost;
	measurement->window = whole->lossy ? most : 0;
	measurement->uncertainty =
		whole->lossy ? most - above(edges->end_from, edges->begin_to) : most;
}

static void add_recovery(struct shunt_recovery *sum, const struct shunt_recovery *recovery)
{
	sum->repaired_descriptors += recovery->repaired_descriptors;
	sum->queue_resets += recovery->queue_resets;
	sum->port_resets += recovery->port_resets;
	sum->function_resets += recovery->function_resets;
	sum->rx_dropped += recovery->rx_dropped;
	sum->tx_dropped += recovery->tx_dropped;
}

static void add_faults(int64_t *sum, uint64_t *unknown, int64_t faults)
{
	if (faults < 0) {
		(*unknown)++;
		if (*sum == 0)
			*sum = faults;
	} else if (faults > 0) {
		*sum = faults + (*sum > 0 ? *sum : 0);
	}
}

int figures_add_recovery(
	struct shunt_window_figures *figures, const struct shunt_recovery *recovery)
{
	if (!shunt_recovery_any(recovery))
		return 0;
	add_recovery(&figures->recovered, recovery);
	figures->recoveries++;
	return shunt_samples_add(&figures->recovery_ns, shunt_clock_to_ns(recovery->time));
}

static int add_times(struct shunt_window_figures *figures, const struct shunt_switch_member *member)
{
	int ret = shunt_samples_add(&figures->ioctl_ns, shunt_clock_to_ns(member->ioctl_time));

	if (!ret && member->pause_start)
		ret = shunt_samples_add(&figures->paused_ns,
			shunt_clock_to_ns(member->pause_end - member->pause_start));
	return ret;
}

int figures_add_member(struct shunt_window_figures *figures,
	const struct shunt_switch_result *result, unsigned int port)
{
	const struct shunt_switch_member *member = &result->members[port];
	struct shunt_window_failed *failed = &figures->failed;
	int ret = 0;

	add_faults(&figures->faults, &figures->fault_unknown, member->faults);
	if (result->error)
		add_faults(&failed->faults, &failed->fault_unknown, member->faults);
	else
		ret = add_times(figures, member);
	return ret ? ret : figures_add_recovery(figures, &member->recovery);
}

/* A time and its uncertainty. */
static int add_pair(struct shunt_samples *times, struct shunt_samples *uncertainties, uint64_t time,
	uint64_t uncertainty)
{
	int ret = shunt_samples_add(times, shunt_clock_to_ns(time));

	return ret ? ret : shunt_samples_add(uncertainties, shunt_clock_to_ns(uncertainty));
}

static int add_outage(struct shunt_samples *times, struct shunt_samples *uncertainties,
	const struct shunt_outage *outage)
{
	return outage->length ? add_pair(times, uncertainties, outage->length, outage->usual) : 0;
}

static int add_loss(
	struct shunt_window_figures *figures, const struct shunt_measurement *measurement)
{
	if (!measurement->lost)
		return shunt_samples_add(&figures->loss_window_ns, 0);
	if (!measurement->loss_uncertainty)
		return 0;
	figures->methods_compared++;
	figures->methods_agree += shunt_window_methods_agree(measurement);
	return add_pair(&figures->loss_window_ns, &figures->loss_uncertainty_ns,
		measurement->loss_window, measurement->loss_uncertainty);
}

int figures_add_measurement(
	struct shunt_window_figures *figures, const struct shunt_measurement *measurement)
{
	struct shunt_window_failed *failed = &figures->failed;
	int ret;

	if (measurement->result->error) {
		failed->lost += measurement->lost;
		return add_pair(&failed->window_ns, &failed->uncertainty_ns, measurement->window,
			measurement->uncertainty);
	}
	figures->last_window_ns = shunt_clock_to_ns(measurement->window);
	ret = add_pair(&figures->window_ns, &figures->uncertainty_ns, measurement->window,
		measurement->uncertainty);
	if (!ret)
		ret = add_loss(figures, measurement);
	if (!ret)
		ret = add_outage(
			&figures->outage_ns, &figures->outage_uncertainty_ns, &measurement->outage);
	if (!ret)
		ret = add_outage(&figures->returned_ns, &figures->returned_uncertainty_ns,
			&measurement->returned);
	return ret;
}

void figures_free(struct shunt_window_figures *figures)
{
	shunt_samples_free(&figures->failed.window_ns);
	shunt_samples_free(&figures->failed.uncertainty_ns);
	shunt_samples_free(&figures->window_ns);
	shunt_samples_free(&figures->uncertainty_ns);
	shunt_samples_free(&figures->loss_window_ns);
	shunt_samples_free(&figures->loss_uncertainty_ns);
	shunt_samples_free(&figures->outage_ns);
	shunt_samples_free(&figures->outage_uncertainty_ns);
	shunt_samples_free(&figures->returned_ns);
	shunt_samples_free(&figures->returned_uncertainty_ns);
	shunt_samples_free(&figures->ioctl_ns);
	shunt_samples_free(&figures->paused_ns);
	shunt_samples_free(&figures->recovery_ns);
}
