/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "measure.h"

#define PENDING 64 /* switches whose frames after are still to come */
#define PATIENCE_NS \
	1000000000 /* a port that saw no frame that long after a switch goes unmeasured */

struct pending {
	struct shunt_switch_result result;
	uint64_t number;
	uint32_t todo; /* bit a port: to be measured */
	struct whole whole;
};

struct shunt_window {
	struct shunt_tester *tester;
	unsigned int count;
	struct shunt_window_port ports[SHUNT_WINDOW_MAX_PORTS];
	struct shunt_window_figures figures[SHUNT_WINDOW_MAX_PORTS];
	struct shunt_window_figures group;
	struct shunt_window_sink sink;
	struct loss_accounting accounting;
	struct pending pending[PENDING];
	unsigned int pending_count;
	uint64_t switches;
	uint64_t changed;
	uint64_t changed_explained;
	/* Stamps seen before the gaps were taken in, after the ports and where they come back. */
	uint64_t seen[SHUNT_WINDOW_MAX_PORTS];
	uint64_t returned[SHUNT_WINDOW_MAX_PORTS];
	uint64_t baseline_end[SHUNT_WINDOW_MAX_PORTS]; /* number of the first frame after it */
	bool baseline;
};

int shunt_window_create(struct shunt_tester *tester, const struct shunt_window_port *ports,
	unsigned int count, struct shunt_window **window)
{
	struct shunt_window *made;

	if (count == 0 || count > SHUNT_WINDOW_MAX_PORTS)
		return shunt_fail(-EINVAL, "window: %u ports, 1 to %d are possible", count,
			SHUNT_WINDOW_MAX_PORTS);
	made = calloc(1, sizeof(*made));
	if (!made)
		return shunt_fail(-ENOMEM, "window: out of memory");
	made->tester = tester;
	made->count = count;
	memcpy(made->ports, ports, count * sizeof(*ports));
	*window = made;
	return 0;
}

void shunt_window_destroy(struct shunt_window *window)
{
	if (!window)
		return;
	for (unsigned int i = 0; i < window->count; i++)
		figures_free(&window->figures[i]);
	figures_free(&window->group);
	accounting_free(&window->accounting);
	free(window);
}

void shunt_window_sink(struct shunt_window *window, const struct shunt_window_sink *sink)
{
	window->sink = *sink;
}

void shunt_window_baseline(struct shunt_window *window)
{
	window->baseline = true;
	shunt_tester_phase(window->tester, SHUNT_PHASE_BASELINE);
}

void shunt_window_switching(struct shunt_window *window)
{
	window->baseline = false;
	for (unsigned int port = 0; port < window->count; port++)
		window->baseline_end[port] = shunt_watch_next(
			shunt_tester_watch(window->tester, window->ports[port].stream));
	shunt_tester_phase(window->tester, SHUNT_PHASE_SWITCHING);
}

/* On the way into a port a frame can be lost by it or by the port that sent it. */
static uint32_t loses(const struct shunt_window *window, unsigned int port)
{
	unsigned int sender = window->ports[port].sender;

	return 1u << port | (sender == SHUNT_WINDOW_TESTER ? 0 : 1u << sender);
}

/* What a port lost of the frames into it and, of those that leave through it, out of it. */
static void sum_up_losses(struct shunt_window *window, unsigned int port)
{
	struct shunt_window_figures *figures = &window->figures[port];

	figures->tx_lost = figures->tx_explained = 0;
	for (unsigned int i = 0; i < window->count; i++) {
		const struct port_losses *losses = &window->accounting.ports[i];
		struct lost_sum in = losses->in, out = losses->out;

		lost_divide(&losses->tester, &losses->port, &in, &out);
		if (i == port) {
			figures->rx_lost = in.frames;
			figures->rx_explained = in.explained;
		}
		if (window->ports[i].out == port) {
			figures->tx_lost += out.frames;
			figures->tx_explained += out.explained;
		}
	}
}

struct shunt_window_figures *shunt_window_figures(struct shunt_window *window, unsigned int port)
{
	struct shunt_window_figures *figures = &window->figures[port];
	const struct port_losses *losses = &window->accounting.ports[port];

	sum_up_losses(window, port);
	figures->baseline_sent = window->baseline_end[port];
	figures->baseline_lost =
		losses->in_baseline + lost_below(&losses->tester, window->baseline_end[port]);
	return figures;
}

struct shunt_window_figures *shunt_window_group_figures(struct shunt_window *window)
{
	return &window->group;
}

void shunt_window_changed(struct shunt_window *window, uint64_t *frames, uint64_t *in_switches)
{
	*frames = window->changed;
	*in_switches = window->changed_explained;
}

/* @return 1: measured; 0: not, nothing was sent to tell by; -ENOMEM */
static int measure(struct shunt_window *window, struct pending *pending, unsigned int port)
{
	struct shunt_measurement measurement = {
		.number = pending->number,
		.port = port,
		.result = &pending->result,
	};
	int ret;

	if (!measure_port(window->tester, &window->ports[port], &window->accounting.ports[port],
		    &measurement))
		return 0;
	measure_add(&pending->whole, &measurement);
	ret = figures_add_measurement(&window->figures[port], &measurement);
	if (window->sink.port)
		window->sink.port(window->sink.context, &measurement);
	return ret ? ret : 1;
}

static void add_unmeasured(const struct pending *pending, struct shunt_window_figures *figures)
{
	if (pending->result.error)
		figures->failed.unmeasured++;
	else
		figures->unmeasured++;
}

/*
 * A port can be measured once a frame that was sent after the switch has been seen behind it, and
 * has come back; without the latter, if that takes too long.
 */
static int measure_ready(struct shunt_window *window, struct pending *pending, bool give_up)
{
	const uint64_t end = pending->result.end;
	int ret = 0;

	for (unsigned int port = 0; port < window->count && ret >= 0; port++) {
		bool seen = window->seen[port] > end;

		if (!(pending->todo >> port & 1))
			continue;
		if (!give_up && !(seen && window->returned[port] > end))
			continue;
		ret = seen ? measure(window, pending, port) : 0;
		if (ret == 0)
			add_unmeasured(pending, &window->figures[port]);
		pending->todo &= ~(1u << port);
	}
	return ret < 0 ? ret : 0;
}

/* All ports were tried: with one unmeasured, nothing can be said of the group. */
static int complete(struct shunt_window *window, const struct pending *pending)
{
	struct shunt_measurement measurement = {
		.number = pending->number,
		.result = &pending->result,
	};
	int ret;

	if (pending->whole.ports < window->count) {
		add_unmeasured(pending, &window->group);
		return 0;
	}
	measure_group(&pending->whole, &measurement);
	ret = figures_add_measurement(&window->group, &measurement);
	if (window->sink.group)
		window->sink.group(window->sink.context, &measurement);
	return ret;
}

static int settle_pending(struct shunt_window *window, bool give_up)
{
	uint64_t patience = shunt_clock_from_ns(PATIENCE_NS);
	unsigned int kept = 0;
	int ret = 0;

	for (unsigned int i = 0; i < window->pending_count; i++) {
		struct pending *pending = &window->pending[i];
		bool late = shunt_clock_now() - pending->result.end > patience;

		if (!ret)
			ret = measure_ready(window, pending, give_up || late);
		if (!ret && !pending->todo)
			ret = complete(window, pending);
		if (pending->todo && kept++ != i)
			window->pending[kept - 1] = *pending;
	}
	window->pending_count = kept;
	return ret;
}

static int take_receive_gap(
	struct shunt_window *window, unsigned int port, const struct shunt_gap *gap)
{
	struct port_losses *losses = &window->accounting.ports[port];
	int ret;

	if (shunt_gap_is_late(gap)) {
		ret = lost_found(&losses->port, gap->first);
		return ret < 0 ? ret : 0;
	}
	ret = accounting_lose(&window->accounting, &losses->port, gap, loses(window, port));
	return ret ? ret : accounting_add_gap(losses, gap);
}

static int take_returned_gap(
	struct shunt_window *window, unsigned int port, const struct shunt_gap *gap)
{
	struct lost_list *list = &window->accounting.ports[port].tester;
	int ret;

	if (!shunt_gap_is_late(gap))
		return accounting_lose(
			&window->accounting, list, gap, 1u << window->ports[port].out);
	ret = lost_found(list, gap->first);
	if (ret > 0)
		window->figures[port].late++;
	return ret < 0 ? ret : 0;
}

static int take_gaps(struct shunt_window *window, unsigned int port)
{
	struct shunt_watch *receive = window->ports[port].receive;
	struct shunt_watch *returned =
		shunt_tester_watch(window->tester, window->ports[port].stream);
	const uint64_t next = shunt_watch_next(returned);
	struct shunt_gap gap;
	int ret = 0;

	while (!ret && shunt_watch_take(receive, &gap, 1))
		ret = take_receive_gap(window, port, &gap);
	while (!ret && shunt_watch_take(returned, &gap, 1))
		ret = take_returned_gap(window, port, &gap);
	if (!ret)
		accounting_settle(&window->accounting, &window->accounting.ports[port], next,
			window->baseline ? UINT64_MAX : window->baseline_end[port]);
	return ret;
}

static void take_changed(struct shunt_window *window)
{
	struct shunt_changed changed;

	for (; shunt_tester_changed(window->tester, &changed, 1); window->changed++)
		window->changed_explained +=
			accounting_explain_time(&window->accounting, changed.after, changed.seen);
}

static void note_seen(struct shunt_window *window, unsigned int port)
{
	struct shunt_watch *returned =
		shunt_tester_watch(window->tester, window->ports[port].stream);

	window->seen[port] = shunt_watch_stamp(window->ports[port].receive);
	window->returned[port] = shunt_burst_log_last_stamp(&returned->bursts);
}

static int poll_all(struct shunt_window *window, bool give_up)
{
	uint64_t oldest;
	int ret = 0;

	/* A port whose frame is seen here has every gap before that frame in its ring. */
	for (unsigned int port = 0; port < window->count; port++)
		note_seen(window, port);
	for (unsigned int port = 0; port < window->count && !ret; port++)
		ret = take_gaps(window, port);
	take_changed(window);
	if (!ret)
		ret = settle_pending(window, give_up);
	oldest = window->pending_count ? window->pending[0].result.start : shunt_clock_now();
	oldest -= shunt_clock_from_ns(PATIENCE_NS);
	for (unsigned int port = 0; port < window->count; port++)
		accounting_forget(&window->accounting.ports[port], oldest);
	return ret;
}

static void trouble_late(struct shunt_window *window, uint32_t ports)
{
	if (!ports)
		return;
	accounting_trouble_late(&window->accounting, ports);
	for (unsigned int i = 0; i < window->count; i++) {
		struct port_losses *losses = &window->accounting.ports[i];

		accounting_explain_late(&window->accounting, &losses->port, loses(window, i));
		accounting_explain_late(
			&window->accounting, &losses->tester, 1u << window->ports[i].out);
	}
}

bool shunt_window_room(const struct shunt_window *window)
{
	return window->pending_count < PENDING;
}

int shunt_window_switch(struct shunt_window *window, const struct shunt_switch_result *result)
{
	struct switch_note note = { .start = result->start, .end = result->end };
	uint32_t late = 0;
	int ret = 0;

	for (unsigned int port = 0; port < window->count && !ret; port++) {
		const struct shunt_switch_member *member = &result->members[port];

		late |= (uint32_t)(member->faults_late > 0) << port;
		if (member->faults || shunt_recovery_any(&member->recovery) ||
			member->halt == SHUNT_HALT_STOP) /* what is in a stopped port is lost */
			note.troubled |= 1u << port;
		ret = figures_add_member(&window->figures[port], result, port);
	}
	trouble_late(window, late);
	accounting_note(&window->accounting, &note);
	if (!ret && !shunt_window_room(window))
		ret = poll_all(window, true);
	if (ret)
		return ret;
	window->pending[window->pending_count++] = (struct pending){
		.result = *result,
		.number = window->switches++,
		.todo = (uint32_t)((1ull << window->count) - 1),
	};
	return 0;
}

int shunt_window_check(struct shunt_window *window, const struct shunt_switch_result *result)
{
	struct switch_note note = {
		.start = result->start,
		.end = result->end,
		.between = true,
	};
	int ret = 0;

	for (unsigned int port = 0; port < window->count && !ret; port++) {
		const struct shunt_recovery *recovery = &result->members[port].recovery;

		if (shunt_recovery_any(recovery))
			note.troubled |= 1u << port;
		ret = figures_add_recovery(&window->figures[port], recovery);
	}
	accounting_note(&window->accounting, &note);
	return ret;
}

bool shunt_window_complete(const struct shunt_window *window)
{
	return window->pending_count == 0;
}

int shunt_window_poll(struct shunt_window *window)
{
	return poll_all(window, false);
}

int shunt_window_end(struct shunt_window *window)
{
	uint64_t now = shunt_clock_now(), dropped = 0;
	int ret;

	for (unsigned int port = 0; port < window->count; port++) {
		unsigned int stream = window->ports[port].stream;
		uint64_t sent = shunt_tester_sent(window->tester, stream);
		struct shunt_watch *returned = shunt_tester_watch(window->tester, stream);

		shunt_watch_end(window->ports[port].receive, sent, now);
		shunt_watch_end(returned, sent, now);
		dropped += window->ports[port].receive->gaps_dropped + returned->gaps_dropped;
	}
	if (window->baseline) /* it was all there was */
		shunt_window_switching(window);
	dropped += shunt_tester_changed_dropped(window->tester);
	ret = poll_all(window, true);
	if (!ret && dropped)
		ret = shunt_fail(-EOVERFLOW,
			"gaps or changed frames were not noted (%" PRIu64
			"): the accounting cannot be trusted (poll more often)",
			dropped);
	return ret;
}
