/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "shunt_clock.h"
#include "shunt_error.h"

#define BATCH   64
#define PENDING 64 /* switches whose frames after are still to come */
#define PATIENCE_NS \
	100000000 /* a port that saw no frame that long after a switch goes unmeasured */

struct pending {
	struct shunt_switch_result result;
	uint64_t number;
	uint32_t todo; /* bit a port: to be measured */
};

struct shunt_window {
	struct shunt_tester *tester;
	unsigned int count;
	struct shunt_window_port ports[SHUNT_WINDOW_MAX_PORTS];
	struct shunt_window_figures figures[SHUNT_WINDOW_MAX_PORTS];
	shunt_measurement_sink sink;
	void *sink_context;
	struct books books;
	struct pending pending[PENDING];
	unsigned int pending_count;
	uint64_t switches;
	uint64_t changed;
	uint64_t changed_explained;
	uint64_t seen[SHUNT_WINDOW_MAX_PORTS]; /* stamps seen before the gaps were taken in */
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
	for (unsigned int i = 0; i < window->count; i++) {
		shunt_samples_free(&window->figures[i].window_ns);
		shunt_samples_free(&window->figures[i].resolution_ns);
		shunt_samples_free(&window->figures[i].ioctl_ns);
		shunt_samples_free(&window->figures[i].paused_ns);
		shunt_samples_free(&window->figures[i].mend_ns);
	}
	books_free(&window->books);
	free(window);
}

void shunt_window_sink(struct shunt_window *window, shunt_measurement_sink sink, void *context)
{
	window->sink = sink;
	window->sink_context = context;
}

/* What a port lost of the frames into it and, of those that leave through it, out of it. */
static void sum_up_losses(struct shunt_window *window, unsigned int port)
{
	struct shunt_window_figures *figures = &window->figures[port];
	struct lost_sum in, out;

	figures->tx_lost = figures->tx_explained = 0;
	for (unsigned int i = 0; i < window->count; i++) {
		lost_divide(
			&window->books.ports[i].tester, &window->books.ports[i].port, &in, &out);
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
	sum_up_losses(window, port);
	return &window->figures[port];
}

void shunt_window_changed(struct shunt_window *window, uint64_t *frames, uint64_t *in_switches)
{
	*frames = window->changed;
	*in_switches = window->changed_explained;
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

static int add_mended(struct shunt_window_figures *figures, const struct shunt_recovery *recovery)
{
	if (!shunt_recovery_mended(recovery))
		return 0;
	add_recovery(&figures->recovered, recovery);
	figures->recoveries++;
	return shunt_samples_add(&figures->mend_ns, shunt_clock_to_ns(recovery->time));
}

static void add_faults(struct shunt_window_figures *figures, int64_t faults)
{
	if (faults < 0) {
		figures->fault_unknown++;
		if (figures->faults == 0)
			figures->faults = faults;
	} else if (faults > 0) {
		figures->faults = faults + (figures->faults > 0 ? figures->faults : 0);
	}
}

static int add_member(
	struct shunt_window_figures *figures, const struct shunt_switch_member *member)
{
	int ret = shunt_samples_add(&figures->ioctl_ns, shunt_clock_to_ns(member->ioctl_time));

	add_faults(figures, member->faults);
	if (!ret && member->pause_start)
		ret = shunt_samples_add(&figures->paused_ns,
			shunt_clock_to_ns(member->pause_end - member->pause_start));
	return ret ? ret : add_mended(figures, &member->recovery);
}

/* The gap of a port that a switch made: of those that a frame in the switch could have met. */
static const struct shunt_gap *find_gap(
	const struct port_books *port, const struct shunt_switch_result *result)
{
	const struct shunt_gap *best = NULL;

	for (size_t i = 0; i < port->gap_count; i++) {
		const struct shunt_gap *gap = &port->gaps[i];

		if (gap->last_stamp > result->moved || gap->first_stamp < result->start)
			continue;
		if (!best ||
			gap->first_stamp - gap->last_stamp > best->first_stamp - best->last_stamp)
			best = gap;
	}
	return best;
}

static int measure(struct shunt_window *window, struct pending *pending, unsigned int port)
{
	struct shunt_window_figures *figures = &window->figures[port];
	unsigned int stream = window->ports[port].stream;
	const struct shunt_gap *gap = find_gap(&window->books.ports[port], &pending->result);
	struct shunt_measurement measurement = {
		.number = pending->number,
		.port = port,
		.result = &pending->result,
	};
	uint64_t first_lost, last_lost;
	int ret;

	if (gap && gap->first_stamp) {
		first_lost = shunt_tester_stamp(window->tester, stream, gap->last + 1);
		last_lost = shunt_tester_stamp(window->tester, stream, gap->first - 1);
		measurement.last = gap->last_stamp;
		measurement.first = gap->first_stamp;
		measurement.window = gap->first_stamp - gap->last_stamp;
		measurement.resolution = measurement.window;
		if (first_lost && last_lost)
			measurement.resolution -= last_lost - first_lost;
		measurement.lost = shunt_gap_frames(gap);
	} else {
		measurement.resolution = shunt_tester_interval(
			window->tester, stream, pending->result.start, pending->result.moved);
		if (!measurement.resolution) {
			figures->unmeasured++;
			return 0;
		}
	}
	figures->last_window_ns = shunt_clock_to_ns(measurement.window);
	ret = shunt_samples_add(&figures->window_ns, figures->last_window_ns);
	if (!ret)
		ret = shunt_samples_add(
			&figures->resolution_ns, shunt_clock_to_ns(measurement.resolution));
	if (window->sink)
		window->sink(window->sink_context, &measurement);
	return ret;
}

/* A port can be measured once a frame that was sent after the switch has been seen behind it. */
static int measure_ready(struct shunt_window *window, struct pending *pending, bool give_up)
{
	int ret = 0;

	for (unsigned int port = 0; port < window->count && !ret; port++) {
		if (!(pending->todo >> port & 1))
			continue;
		if (window->seen[port] > pending->result.end)
			ret = measure(window, pending, port);
		else if (give_up)
			window->figures[port].unmeasured++;
		else
			continue;
		pending->todo &= ~(1u << port);
	}
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
		if (pending->todo && kept++ != i)
			window->pending[kept - 1] = *pending;
	}
	window->pending_count = kept;
	return ret;
}

/* On the way into a port a frame can be lost by it or by the port that sent it. */
static bool explained(
	const struct shunt_window *window, const struct shunt_gap *gap, unsigned int port)
{
	unsigned int sender = window->ports[port].sender;

	return books_explain(&window->books, gap, port) ||
	       (sender != SHUNT_WINDOW_TESTER && books_explain(&window->books, gap, sender));
}

static int take_receive_gaps(struct shunt_window *window, unsigned int port)
{
	struct port_books *books = &window->books.ports[port];
	struct shunt_gap gaps[BATCH];
	unsigned int n;
	int ret = 0;

	do {
		n = shunt_watch_take(window->ports[port].receive, gaps, BATCH);
		for (unsigned int i = 0; i < n && ret >= 0; i++) {
			if (shunt_gap_is_late(&gaps[i])) {
				ret = lost_found(&books->port, gaps[i].first);
				continue;
			}
			ret = lost_add(&books->port, gaps[i].last + 1, gaps[i].first,
				explained(window, &gaps[i], port));
			if (!ret)
				ret = books_add_gap(books, &gaps[i]);
		}
	} while (n == BATCH && ret >= 0);
	return ret < 0 ? ret : 0;
}

static int take_returned_gap(
	struct shunt_window *window, unsigned int port, const struct shunt_gap *gap)
{
	struct lost_list *list = &window->books.ports[port].tester;
	int ret;

	if (!shunt_gap_is_late(gap))
		return lost_add(list, gap->last + 1, gap->first,
			books_explain(&window->books, gap, window->ports[port].out));
	ret = lost_found(list, gap->first);
	if (ret > 0)
		window->figures[port].late++;
	return ret < 0 ? ret : 0;
}

static int take_gaps(struct shunt_window *window, unsigned int port)
{
	struct shunt_watch *returned =
		shunt_tester_watch(window->tester, window->ports[port].stream);
	struct shunt_gap gaps[BATCH];
	unsigned int n;
	int ret = take_receive_gaps(window, port);

	do {
		n = shunt_watch_take(returned, gaps, BATCH);
		for (unsigned int i = 0; i < n && !ret; i++)
			ret = take_returned_gap(window, port, &gaps[i]);
	} while (n == BATCH && !ret);
	return ret;
}

static void take_changed(struct shunt_window *window)
{
	struct shunt_changed changed[BATCH];
	unsigned int n;

	do {
		n = shunt_tester_changed(window->tester, changed, BATCH);
		window->changed += n;
		for (unsigned int i = 0; i < n; i++)
			window->changed_explained += books_explain_time(
				&window->books, changed[i].after, changed[i].seen);
	} while (n == BATCH);
}

static int poll_all(struct shunt_window *window, bool give_up)
{
	uint64_t oldest;
	int ret = 0;

	/* A port whose frame is seen here has every gap before that frame in its ring. */
	for (unsigned int port = 0; port < window->count; port++)
		window->seen[port] = shunt_watch_stamp(window->ports[port].receive);
	for (unsigned int port = 0; port < window->count && !ret; port++)
		ret = take_gaps(window, port);
	take_changed(window);
	if (!ret)
		ret = settle_pending(window, give_up);
	oldest = window->pending_count ? window->pending[0].result.start : shunt_clock_now();
	oldest -= shunt_clock_from_ns(PATIENCE_NS);
	for (unsigned int port = 0; port < window->count; port++)
		books_forget(&window->books.ports[port], oldest);
	return ret;
}

int shunt_window_switch(struct shunt_window *window, const struct shunt_switch_result *result)
{
	struct switch_note note = { .start = result->start, .end = result->end };
	int ret = 0;

	for (unsigned int port = 0; port < window->count && !ret; port++) {
		const struct shunt_switch_member *member = &result->members[port];

		if (member->faults || shunt_recovery_mended(&member->recovery) ||
			result->plan == SHUNT_PLAN_RESTART) /* what is in a stopped port is lost */
			note.troubled |= 1u << port;
		ret = add_member(&window->figures[port], member);
	}
	if (!ret)
		ret = books_note(&window->books, &note);
	if (!ret && window->pending_count == PENDING)
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
	struct switch_note note = { .start = result->start, .end = result->end };
	int ret = 0;

	for (unsigned int port = 0; port < window->count && !ret; port++) {
		const struct shunt_recovery *recovery = &result->members[port].recovery;

		if (shunt_recovery_mended(recovery))
			note.troubled |= 1u << port;
		ret = add_mended(&window->figures[port], recovery);
	}
	return ret ? ret : books_note(&window->books, &note);
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
	dropped += shunt_tester_changed_dropped(window->tester);
	ret = poll_all(window, true);
	if (!ret && dropped)
		ret = shunt_fail(-EOVERFLOW,
			"%" PRIu64 " gaps or changed frames were not noted: the books cannot be "
			"trusted (poll more often)",
			dropped);
	return ret;
}
