/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <shunt/error.h>

#include "report.h"
#include "text.h"

#define LANE_HEIGHT 21  /* in pixels */
#define FRAME       150 /* title, axis and key */

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

#define PORT_LANES 5 /* with its heading */
#define TICK       0.30
#define TICK_LOST  0.42
#define BAR        0.28

/* What is drawn as bars, in the order of the key. */
enum bar { SURE, MAYBE, MODEL, IOCTL, PAUSE, MOVE, AFTER, BARS };

static const struct {
	const char *color;
	const char *title;
} bars[BARS] = {
	[SURE] = { "#8e44ad", "fault window, certain part" },
	[MAYBE] = { "#d9bfe6", "its uncertain ends" },
	[MODEL] = { "#f5b041", "blocked by the model" },
	[IOCTL] = { "#34495e", "ioctl" },
	[PAUSE] = { "#f2e2a0", "port paused" },
	[MOVE] = { "#95a5a6", "switch" },
	[AFTER] = { "#dde3e5", "ports checked, recovered" },
};

/* What is drawn as points of a block, in the order of the key; fates of frames first. */
enum block { ARRIVED, LATE, LOST, SEEN, FAULTS, BLOCKS };

static const struct {
	const char *name;
	const char *how;
	const char *title;
} blocks[BLOCKS] = {
	[ARRIVED] = { "arrived", "lines lw 1 lc rgb '#4a7fb5'", "frame that arrived" },
	[LATE] = { "late", "lines lw 1 lc rgb '#e08e0b'", "late" },
	[LOST] = { "lost", "lines lw 1.4 lc rgb '#d62728'", "lost" },
	[SEEN] = { "seen", "lines lw 1 lc rgb '#2e8b57'", "burst received" },
	[FAULTS] = { "faults", "points pt 2 ps 0.7 lw 1.2 lc rgb 'black'", "fault record" },
};

/* The key has only what the figure shows. */
struct lanes {
	FILE *script;
	const json_t *timeline;
	bool bars[BARS];
	bool blocks[BLOCKS];
};

static const json_t *ports_of(const json_t *timeline)
{
	return json_object_get(timeline, "ports");
}

static unsigned int first_lane(const json_t *timeline)
{
	return 1 + (unsigned int)json_array_size(ports_of(timeline));
}

static unsigned int lanes_of(const json_t *timeline)
{
	return first_lane(timeline) +
	       PORT_LANES * (unsigned int)json_array_size(ports_of(timeline));
}

/* From one time of an object to another. */
static void bar(struct lanes *lanes, enum bar kind, const json_t *json, const char *from_name,
	const char *to_name, double lane, double half)
{
	double from = report_number(json, from_name), to = report_number(json, to_name);

	if (isnan(from) || isnan(to) || to < from)
		return;
	lanes->bars[kind] = true;
	/* The border keeps bars below a pixel visible. */
	fprintf(lanes->script,
		"set object rectangle from %.3f,%.2f to %.3f,%.2f fc rgb '%s' fs solid border lc "
		"rgb '%s' lw 0.6\n",
		from / 1e3, lane + 0.5 - half, to / 1e3, lane + 0.5 + half, bars[kind].color,
		bars[kind].color);
}

static void name_lane(FILE *script, const char *name, double lane)
{
	fprintf(script, "set ytics add (%s %.1f)\n", report_quoted(name), lane + 0.5);
}

static void draw_switch(struct lanes *lanes)
{
	const json_t *done = json_object_get(lanes->timeline, "switch");

	name_lane(lanes->script, "switch", 0);
	bar(lanes, MOVE, done, "start_ns", "moved_ns", 0, BAR);
	bar(lanes, AFTER, done, "moved_ns", "end_ns", 0, BAR);
}

static void draw_calls(struct lanes *lanes, const json_t *port, double lane)
{
	name_lane(lanes->script, text_of("%s calls", report_text(port, "name")), lane);
	bar(lanes, PAUSE, json_object_get(port, "pause"), "start_ns", "end_ns", lane, BAR + 0.1);
	bar(lanes, IOCTL, json_object_get(port, "ioctl"), "start_ns", "end_ns", lane, BAR - 0.06);
}

static const char *recovery_text(const json_t *port)
{
	const json_t *recovery = json_object_get(port, "recovery");
	double repaired = report_number(recovery, "repaired_descriptors");
	double resets = report_number(recovery, "queue_resets") +
			report_number(recovery, "port_resets") +
			report_number(recovery, "function_resets");

	if (!(repaired > 0 || resets > 0))
		return "";
	return text_of(", recovered in %s", report_time(recovery, "time_ns"));
}

static const char *window_text(const json_t *window)
{
	if (!json_is_object(window))
		return "not measured";
	return text_of("window %s, uncertainty %s, lost %.0f, outage %s",
		report_time(window, "window_ns"), report_time(window, "uncertainty_ns"),
		report_number(window, "lost"), report_time(window, "outage_ns"));
}

/* A port's heading, with the figures of its lanes. */
static void head(FILE *script, const json_t *port, double lane)
{
	const double faults = report_number(port, "faults");
	const char *text = text_of("%s  %s:  %s, faults %s%s", report_text(port, "name"),
		report_text(port, "function"), window_text(json_object_get(port, "window")),
		isnan(faults) ? "unknown" : text_of("%.0f", faults), recovery_text(port));

	fprintf(script,
		"set label %s at graph 0.004, first %.2f left front\n"
		"set arrow from graph 0, first %.2f to graph 1, first %.2f nohead lc rgb '#b0b0b0' "
		"lw 0.8\n",
		report_quoted(text), lane + 0.6, lane, lane);
}

static void draw_port(struct lanes *lanes, const json_t *port, double lane)
{
	FILE *script = lanes->script;
	const json_t *window = json_object_get(port, "window");
	const json_t *blocked = json_object_get(port, "model_blocked");

	head(script, port, lane);
	name_lane(script, "frames sent", lane + 1);
	name_lane(script, "received", lane + 2);
	name_lane(script, "fault window", lane + 3);
	bar(lanes, MAYBE, window, "last_before_ns", "first_after_ns", lane + 3, BAR);
	bar(lanes, SURE, window, "first_lost_ns", "last_lost_ns", lane + 3, BAR);
	name_lane(script, json_is_object(blocked) ? "blocked (model), faults" : "fault records",
		lane + 4);
	bar(lanes, MODEL, blocked, "from_ns", "until_ns", lane + 4, BAR);
}

/* @param height  of the tick on both sides; 0: a point */
static void tick(struct lanes *lanes, enum block block, double ns, double lane, double height)
{
	FILE *script = lanes->script;

	if (isnan(ns))
		return;
	lanes->blocks[block] = true;
	fprintf(script, "%.3f %.2f\n", ns / 1e3, lane + 0.5 - height);
	if (height > 0)
		fprintf(script, "%.3f %.2f\n\n", ns / 1e3, lane + 0.5 + height);
}

/* Frames of a burst are seen at one time: one tick. */
static void seen_ticks(struct lanes *lanes, const json_t *frames, double lane)
{
	double before = NAN;
	const json_t *frame;
	size_t i;

	json_array_foreach (frames, i, frame) {
		double seen = report_number(frame, "seen_ns");

		if (!isnan(seen) && seen != before)
			tick(lanes, SEEN, seen, lane, TICK);
		if (!isnan(seen))
			before = seen;
	}
}

/* Outcome of a frame after the port that it was sent to. */
static enum block fate_of(const json_t *frame)
{
	if (strcmp(report_text(frame, "lost"), "rx") == 0)
		return LOST;
	return json_is_true(json_object_get(frame, "late")) ? LATE : ARRIVED;
}

static void sent_ticks(struct lanes *lanes, const json_t *frames, double lane, enum block fate)
{
	const json_t *frame;
	size_t i;

	json_array_foreach (frames, i, frame)
		if (fate_of(frame) == fate)
			tick(lanes, fate, report_number(frame, "sent_ns"), lane,
				fate == LOST ? TICK_LOST : TICK);
}

static void fault_points(struct lanes *lanes, const json_t *port, double lane)
{
	const json_t *fault;
	size_t i;

	json_array_foreach (json_object_get(lanes->timeline, "faults"), i, fault)
		if (strcmp(report_text(fault, "function"), report_text(port, "function")) == 0)
			tick(lanes, FAULTS, report_number(fault, "time_ns"), lane, 0);
}

static double lane_of(const json_t *timeline, size_t port)
{
	return first_lane(timeline) + (double)PORT_LANES * (double)port;
}

/* A block must not be empty: its last point is out of range. */
static void draw_block(struct lanes *lanes, enum block block)
{
	const json_t *port, *frames;
	size_t i;

	fprintf(lanes->script, "$%s << EOD\n", blocks[block].name);
	json_array_foreach (ports_of(lanes->timeline), i, port) {
		double lane = lane_of(lanes->timeline, i);

		frames = json_object_get(port, "frames");
		if (block == FAULTS)
			fault_points(lanes, port, lane + 4);
		else if (block == SEEN)
			seen_ticks(lanes, frames, lane + 2);
		else
			sent_ticks(lanes, frames, lane + 1, block);
	}
	fputs("0 -9\n0 -9\nEOD\n", lanes->script);
}

static void plot(const struct lanes *lanes)
{
	FILE *script = lanes->script;

	fputs("plot NaN notitle", script);
	for (enum block i = 0; i < BLOCKS; i++)
		if (lanes->blocks[i])
			fprintf(script, ", \\\n  $%s with %s title '%s'", blocks[i].name,
				blocks[i].how, blocks[i].title);
	for (enum bar i = 0; i < BARS; i++)
		if (lanes->bars[i])
			fprintf(script,
				", \\\n  keyentry with boxes fs solid noborder fc rgb '%s' title "
				"'%s'",
				bars[i].color, bars[i].title);
	fputs("\n", script);
}

static void draw_lanes(const json_t *timeline, FILE *script)
{
	struct lanes lanes = { .script = script, .timeline = timeline };
	const json_t *port;
	size_t i;

	draw_switch(&lanes);
	json_array_foreach (ports_of(timeline), i, port) {
		draw_calls(&lanes, port, 1 + (double)i);
		draw_port(&lanes, port, lane_of(timeline, i));
	}
	for (enum block block = 0; block < BLOCKS; block++)
		draw_block(&lanes, block);
	plot(&lanes);
}

/* Counts fault records after the drawn range: a kernel's records have the time of reading. */
static const char *later_text(const json_t *timeline)
{
	double to = report_number(timeline, "to_ns");
	unsigned int later = 0;
	const json_t *fault;
	size_t i;

	json_array_foreach (json_object_get(timeline, "faults"), i, fault)
		later += report_number(fault, "time_ns") > to;
	return later ? text_of("  |  fault records reported later: %u", later) : "";
}

/* Complete, because a figure is passed on without its file. */
static void set_title(const json_t *timeline, FILE *script)
{
	const json_t *done = json_object_get(timeline, "switch");
	const json_t *group = json_object_get(timeline, "group");
	const char *kernel = report_text(timeline, "kernel");
	const char *title = text_of("plan %s, switch %.0f%s  |  platform %s%s%s, IOMMU %s, NIC %s",
		report_text(timeline, "plan"), report_number(done, "number"),
		json_is_true(json_object_get(done, "rolled_back")) ? ", rolled back" : "",
		report_text(timeline, "platform"), kernel[0] ? " " : "", kernel,
		report_text(timeline, "iommu"), report_text(timeline, "nic"));
	const char *measured =
		text_of("group: window %s, uncertainty %s%s%s", report_time(group, "window_ns"),
			report_time(group, "uncertainty_ns"), later_text(timeline),
			report_emulated(timeline) ? "  |  emulated: no time is from hardware" : "");

	fprintf(script, "set title %s.\"\\n\".%s\n", report_quoted(title), report_quoted(measured));
}

static void draw(const json_t *timeline, FILE *script)
{
	set_title(timeline, script);
	fprintf(script,
		"set xrange [%.3f:%.3f]\n"
		"set yrange [%u:0]\n"
		"set xlabel 'microseconds from the first ioctl'\n"
		"set xtics nomirror out\n"
		"set mxtics 5\n"
		"set grid xtics lc rgb '#e4e4e4' lt 1 lw 0.5\n"
		"set ytics scale 0 nomirror ('' 0)\n"
		"set border 1\n"
		"set lmargin 25\nset rmargin 2\nset bmargin 9\n"
		"set key at screen 0.5, screen 0.005 bottom center horizontal maxrows 2 samplen 2 "
		"width -1\n",
		report_number(timeline, "from_ns") / 1e3, report_number(timeline, "to_ns") / 1e3,
		lanes_of(timeline));
	draw_lanes(timeline, script);
}

static int measure(const json_t *timeline, const char *path, unsigned int *height)
{
	*height = FRAME + LANE_HEIGHT * lanes_of(timeline);
	if (!(report_number(timeline, "from_ns") < report_number(timeline, "to_ns")))
		return shunt_fail(-EINVAL, "%s: no valid from_ns and to_ns", path);
	return 0;
}

const struct report_figure report_timeline = { "shunt.timeline/2", 1100, measure, draw };
