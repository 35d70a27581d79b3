/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <shunt/error.h>

#include "report.h"
#include "text.h"

#define SCHEMA      "shunt.timeline/2"
#define WIDTH       1100
#define LANE_HEIGHT 21
#define FRAME       150 /* title, axis and key */

/* Counts fault records after the drawn range: a kernel's records have the time of reading. */
static void describe_later(const json_t *timeline, char *text, size_t size)
{
	double to = report_number(timeline, "to_ns");
	unsigned int later = 0;
	const json_t *fault;
	size_t i;

	json_array_foreach (json_object_get(timeline, "faults"), i, fault)
		later += report_number(fault, "time_ns") > to;
	text[0] = '\0';
	if (later)
		snprintf(text, size, "  |  fault records reported later: %u", later);
}

/* Complete, because a figure is passed on without its file. */
static void set_title(struct report_figure *figure, const json_t *timeline)
{
	const json_t *done = json_object_get(timeline, "switch");
	const char *kernel = report_text(timeline, "kernel");
	bool emulated = !json_is_false(json_object_get(timeline, "emulated"));
	char title[512], measured[256], later[64], window[TIME_TEXT], uncertainty[TIME_TEXT];
	const json_t *group = json_object_get(timeline, "group");

	snprintf(title, sizeof(title),
		"plan %s, switch %.0f%s  |  platform %s%s%s, IOMMU %s, NIC %s",
		report_text(timeline, "plan"), report_number(done, "number"),
		json_is_true(json_object_get(done, "rolled_back")) ? ", rolled back" : "",
		report_text(timeline, "platform"), kernel[0] ? " " : "", kernel,
		report_text(timeline, "iommu"), report_text(timeline, "nic"));
	describe_later(timeline, later, sizeof(later));
	snprintf(measured, sizeof(measured), "group: window %s, uncertainty %s%s%s",
		report_time(group, "window_ns", window),
		report_time(group, "uncertainty_ns", uncertainty), later,
		emulated ? "  |  emulated: no time is from hardware" : "");
	fputs("set title ", figure->script);
	report_figure_quote(figure, title);
	fputs(".\"\\n\".", figure->script);
	report_figure_quote(figure, measured);
	fputs("\n", figure->script);
}

static void set_axes(struct report_figure *figure, double from, double to, unsigned int lanes)
{
	fprintf(figure->script,
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
		from / 1e3, to / 1e3, lanes);
}

static int check(const json_t *timeline, const char *path, double *from, double *to)
{
	*from = report_number(timeline, "from_ns");
	*to = report_number(timeline, "to_ns");
	if (isnan(*from) || isnan(*to) || *from >= *to)
		return shunt_fail(-EINVAL, "%s: no valid from_ns and to_ns", path);
	return 0;
}

int report_timeline(const char *path, const char *output)
{
	struct report_figure figure;
	json_t *timeline;
	unsigned int lanes;
	double from, to;
	int ret;

	ret = report_read(path, SCHEMA, &timeline);
	if (ret)
		return ret;
	ret = check(timeline, path, &from, &to);
	lanes = report_lanes_count(timeline);
	if (!ret)
		ret = report_figure_open(&figure, output, WIDTH, FRAME + LANE_HEIGHT * lanes);
	if (!ret) {
		set_title(&figure, timeline);
		set_axes(&figure, from, to, lanes);
		report_lanes(&figure, timeline);
		ret = report_figure_close(&figure);
	}
	json_decref(timeline);
	return ret;
}
