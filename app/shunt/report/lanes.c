/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "report.h"
#include "text.h"

/*
 * The lanes from top to bottom; a lane has height 1, y grows downwards:
 *
 *   switch      |=== ports halt, move, resume ==|----- checked ------|
 *   calls 0           [ pause  [ioctl]   ]            one lane a member
 *   calls 1           [ pause         [] ]
 *   -------- port 0: measured values -----------
 *   sent        | | | | | | x x x | | | |             a tick per frame, at its stamp
 *   received       |  |  |         |  |  |            at the time seen after the port
 *   window             [//======//]                   certain part, uncertain ends
 *   refused               [===] x x                   the model's interval, fault records
 */

#define PORT_LANES  5 /* with its heading */
#define TICK        0.30
#define TICK_LOST   0.42
#define BAR         0.28
#define COLOR_SENT  "#4a7fb5"
#define COLOR_LATE  "#e08e0b"
#define COLOR_LOST  "#d62728"
#define COLOR_SEEN  "#2e8b57"
#define COLOR_SURE  "#8e44ad"
#define COLOR_MAYBE "#d9bfe6"
#define COLOR_MODEL "#f5b041"
#define COLOR_PAUSE "#f2e2a0"
#define COLOR_IOCTL "#34495e"
#define COLOR_MOVE  "#95a5a6"
#define COLOR_AFTER "#dde3e5"

static const json_t *ports_of(const json_t *timeline)
{
	return json_object_get(timeline, "ports");
}

static unsigned int first_lane(const json_t *timeline)
{
	return 1 + (unsigned int)json_array_size(ports_of(timeline));
}

unsigned int report_lanes_count(const json_t *timeline)
{
	return first_lane(timeline) +
	       PORT_LANES * (unsigned int)json_array_size(ports_of(timeline));
}

static void bar(struct report_figure *figure, double from, double to, double lane, double half,
	const char *color)
{
	if (isnan(from) || isnan(to) || to < from)
		return;
	/* The border keeps bars below a pixel visible. */
	fprintf(figure->script,
		"set object rectangle from %.3f,%.2f to %.3f,%.2f fc rgb '%s' fs solid border lc "
		"rgb "
		"'%s' lw 0.6\n",
		from / 1e3, lane + 0.5 - half, to / 1e3, lane + 0.5 + half, color, color);
}

static void name_lane(struct report_figure *figure, const char *name, const char *more, double lane)
{
	char text[96];

	snprintf(text, sizeof(text), "%s%s%s", name, more[0] ? " " : "", more);
	fputs("set ytics add (", figure->script);
	report_figure_quote(figure, text);
	fprintf(figure->script, " %.1f)\n", lane + 0.5);
}

static void put_label(struct report_figure *figure, const char *text, double y)
{
	fputs("set label ", figure->script);
	report_figure_quote(figure, text);
	fprintf(figure->script, " at graph 0.004, first %.2f left front\n", y);
}

static void draw_switch(struct report_figure *figure, const json_t *timeline)
{
	const json_t *done = json_object_get(timeline, "switch");
	double moved = report_number(done, "moved_ns");

	name_lane(figure, "switch", "", 0);
	bar(figure, report_number(done, "start_ns"), moved, 0, BAR, COLOR_MOVE);
	bar(figure, moved, report_number(done, "end_ns"), 0, BAR, COLOR_AFTER);
}

static void draw_calls(struct report_figure *figure, const json_t *port, double lane)
{
	const json_t *ioctl = json_object_get(port, "ioctl");
	const json_t *pause = json_object_get(port, "pause");

	name_lane(figure, report_text(port, "name"), "calls", lane);
	bar(figure, report_number(pause, "start_ns"), report_number(pause, "end_ns"), lane,
		BAR + 0.1, COLOR_PAUSE);
	bar(figure, report_number(ioctl, "start_ns"), report_number(ioctl, "end_ns"), lane,
		BAR - 0.06, COLOR_IOCTL);
}

static void describe_faults(const json_t *port, char *text, size_t size)
{
	double faults = report_number(port, "faults");

	if (isnan(faults))
		snprintf(text, size, "faults unknown");
	else
		snprintf(text, size, "faults %.0f", faults);
}

static void describe_recovery(const json_t *port, char *text, size_t size)
{
	const json_t *recovery = json_object_get(port, "recovery");
	double repaired = report_number(recovery, "repaired_descriptors");
	double resets = report_number(recovery, "queue_resets") +
			report_number(recovery, "port_resets") +
			report_number(recovery, "function_resets");
	char time[TIME_TEXT];

	text[0] = '\0';
	if (repaired > 0 || resets > 0)
		snprintf(text, size, ", recovered in %s", report_time(recovery, "time_ns", time));
}

/* A port's heading, with the figures of its lanes. */
static void head(struct report_figure *figure, const json_t *port, double lane)
{
	const json_t *window = json_object_get(port, "window");
	char measured[160] = "not measured", faults[32], recovery[96], text[352];
	char length[TIME_TEXT], uncertainty[TIME_TEXT], outage[TIME_TEXT];

	if (json_is_object(window))
		snprintf(measured, sizeof(measured),
			"window %s, uncertainty %s, lost %.0f, outage %s",
			report_time(window, "window_ns", length),
			report_time(window, "uncertainty_ns", uncertainty),
			report_number(window, "lost"), report_time(window, "outage_ns", outage));
	describe_faults(port, faults, sizeof(faults));
	describe_recovery(port, recovery, sizeof(recovery));
	snprintf(text, sizeof(text), "%s  %s:  %s, %s%s", report_text(port, "name"),
		report_text(port, "function"), measured, faults, recovery);
	put_label(figure, text, lane + 0.6);
	fprintf(figure->script,
		"set arrow from graph 0, first %.2f to graph 1, first %.2f nohead lc rgb '#b0b0b0' "
		"lw 0.8\n",
		lane, lane);
}

static void draw_window(struct report_figure *figure, const json_t *port, double lane)
{
	const json_t *window = json_object_get(port, "window");
	const json_t *blocked = json_object_get(port, "model_blocked");

	name_lane(figure, "fault window", "", lane + 3);
	bar(figure, report_number(window, "last_before_ns"),
		report_number(window, "first_after_ns"), lane + 3, BAR, COLOR_MAYBE);
	bar(figure, report_number(window, "first_lost_ns"), report_number(window, "last_lost_ns"),
		lane + 3, BAR, COLOR_SURE);
	name_lane(figure, json_is_object(blocked) ? "blocked (model), faults" : "fault records", "",
		lane + 4);
	bar(figure, report_number(blocked, "from_ns"), report_number(blocked, "until_ns"), lane + 4,
		BAR, COLOR_MODEL);
}

static void draw_port(struct report_figure *figure, const json_t *port, double lane)
{
	head(figure, port, lane);
	name_lane(figure, "frames sent", "", lane + 1);
	name_lane(figure, "received", "", lane + 2);
	draw_window(figure, port, lane);
}

static void tick(struct report_figure *figure, double ns, double lane, double half)
{
	if (!isnan(ns))
		fprintf(figure->script, "%.3f %.2f\n%.3f %.2f\n\n", ns / 1e3, lane + 0.5 - half,
			ns / 1e3, lane + 0.5 + half);
}

/* Frames of a burst are seen at one time: one tick. */
static void seen_ticks(struct report_figure *figure, const json_t *frames, double lane)
{
	double before = NAN;
	const json_t *frame;
	size_t i;

	json_array_foreach (frames, i, frame) {
		double seen = report_number(frame, "seen_ns");

		if (!isnan(seen) && seen != before)
			tick(figure, seen, lane, TICK);
		if (!isnan(seen))
			before = seen;
	}
}

/* Outcome of a frame after the port that it was sent to. */
enum fate { ARRIVED, LATE, LOST, FATES };

static enum fate fate_of(const json_t *frame)
{
	if (strcmp(report_text(frame, "lost"), "rx") == 0)
		return LOST;
	return json_is_true(json_object_get(frame, "late")) ? LATE : ARRIVED;
}

static void sent_ticks(
	struct report_figure *figure, const json_t *frames, double lane, enum fate fate)
{
	const json_t *frame;
	size_t i;

	json_array_foreach (frames, i, frame)
		if (fate_of(frame) == fate)
			tick(figure, report_number(frame, "sent_ns"), lane,
				fate == LOST ? TICK_LOST : TICK);
}

static double lane_of(const json_t *timeline, size_t port)
{
	return first_lane(timeline) + (double)PORT_LANES * (double)port;
}

/* A block must not be empty: its last point is out of range. */
static void begin_block(struct report_figure *figure, const char *name)
{
	fprintf(figure->script, "$%s << EOD\n", name);
}

static void end_block(struct report_figure *figure)
{
	fputs("0 -9\n0 -9\nEOD\n", figure->script);
}

static void frame_blocks(struct report_figure *figure, const json_t *timeline)
{
	static const char *const names[] = { "arrived", "late", "lost" };
	const json_t *port;
	size_t i;

	for (enum fate fate = 0; fate < FATES; fate++) {
		begin_block(figure, names[fate]);
		json_array_foreach (ports_of(timeline), i, port)
			sent_ticks(figure, json_object_get(port, "frames"),
				lane_of(timeline, i) + 1, fate);
		end_block(figure);
	}
	begin_block(figure, "seen");
	json_array_foreach (ports_of(timeline), i, port)
		seen_ticks(figure, json_object_get(port, "frames"), lane_of(timeline, i) + 2);
	end_block(figure);
}

/* @return number of records drawn */
static unsigned int fault_block(struct report_figure *figure, const json_t *timeline)
{
	const json_t *port, *fault;
	unsigned int count = 0;
	size_t i, j;

	begin_block(figure, "faults");
	json_array_foreach (ports_of(timeline), i, port)
		json_array_foreach (json_object_get(timeline, "faults"), j, fault) {
			double time = report_number(fault, "time_ns");

			if (isnan(time) || strcmp(report_text(fault, "function"),
						   report_text(port, "function")) != 0)
				continue;
			fprintf(figure->script, "%.3f %.2f\n", time / 1e3,
				lane_of(timeline, i) + 4.5);
			count++;
		}
	end_block(figure);
	return count;
}

static bool any(const json_t *timeline, const char *name)
{
	const json_t *port;
	size_t i;

	json_array_foreach (ports_of(timeline), i, port)
		if (json_is_object(json_object_get(port, name)))
			return true;
	return false;
}

static bool any_frame(const json_t *timeline, enum fate fate)
{
	const json_t *port, *frame;
	size_t i, j;

	json_array_foreach (ports_of(timeline), i, port)
		json_array_foreach (json_object_get(port, "frames"), j, frame)
			if (fate_of(frame) == fate)
				return true;
	return false;
}

static bool any_seen(const json_t *timeline)
{
	const json_t *port, *frame;
	size_t i, j;

	json_array_foreach (ports_of(timeline), i, port)
		json_array_foreach (json_object_get(port, "frames"), j, frame)
			if (!isnan(report_number(frame, "seen_ns")))
				return true;
	return false;
}

static bool any_window(const json_t *timeline, const char *name)
{
	const json_t *port;
	size_t i;

	json_array_foreach (ports_of(timeline), i, port)
		if (!isnan(report_number(json_object_get(port, "window"), name)))
			return true;
	return false;
}

static void key_bar(struct report_figure *figure, bool occurs, const char *title, const char *color)
{
	if (occurs)
		fprintf(figure->script,
			", \\\n  keyentry with boxes fs solid noborder fc rgb '%s' title '%s'",
			color, title);
}

static void lines(struct report_figure *figure, bool occurs, const char *block, const char *how,
	const char *title)
{
	if (occurs)
		fprintf(figure->script, ", \\\n  $%s with %s title '%s'", block, how, title);
}

/* The key has only what this figure shows. */
static void plot(struct report_figure *figure, const json_t *timeline, unsigned int faults)
{
	fputs("plot NaN notitle", figure->script);
	lines(figure, any_frame(timeline, ARRIVED), "arrived", "lines lw 1 lc rgb '" COLOR_SENT "'",
		"frame that arrived");
	lines(figure, any_frame(timeline, LATE), "late", "lines lw 1 lc rgb '" COLOR_LATE "'",
		"late");
	lines(figure, any_frame(timeline, LOST), "lost", "lines lw 1.4 lc rgb '" COLOR_LOST "'",
		"lost");
	lines(figure, any_seen(timeline), "seen", "lines lw 1 lc rgb '" COLOR_SEEN "'",
		"burst received");
	lines(figure, faults > 0, "faults", "points pt 2 ps 0.7 lw 1.2 lc rgb 'black'",
		"fault record");
	key_bar(figure, any_window(timeline, "first_lost_ns"), "fault window, certain part",
		COLOR_SURE);
	key_bar(figure, any_window(timeline, "last_before_ns"), "its uncertain ends", COLOR_MAYBE);
	key_bar(figure, any(timeline, "model_blocked"), "blocked by the model", COLOR_MODEL);
	key_bar(figure, any(timeline, "ioctl"), "ioctl", COLOR_IOCTL);
	key_bar(figure, any(timeline, "pause"), "port paused", COLOR_PAUSE);
	key_bar(figure, true, "switch", COLOR_MOVE);
	key_bar(figure, true, "ports checked, recovered", COLOR_AFTER);
	fputs("\n", figure->script);
}

void report_lanes(struct report_figure *figure, const json_t *timeline)
{
	const json_t *port;
	unsigned int faults;
	size_t i;

	draw_switch(figure, timeline);
	json_array_foreach (ports_of(timeline), i, port) {
		draw_calls(figure, port, 1 + (double)i);
		draw_port(figure, port, lane_of(timeline, i));
	}
	frame_blocks(figure, timeline);
	faults = fault_block(figure, timeline);
	plot(figure, timeline, faults);
}
