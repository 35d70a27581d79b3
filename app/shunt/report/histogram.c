/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include <shunt/error.h>

#include "report.h"

#define TITLE_HEIGHT 80
#define ROW_HEIGHT   210 /* of a port */

/* The histograms of a port: arrays of from, to (ns), count. */
static const struct {
	const char *name;
	const char *title;
} histograms[] = {
	{ "gap_ns", "time between two frames that came back" },
	{ "latency_ns", "latency of a frame" },
};
#define HISTOGRAMS (sizeof(histograms) / sizeof(histograms[0]))

static const json_t *buckets_of(const json_t *port, size_t histogram)
{
	return json_object_get(json_object_get(port, histograms[histogram].name), "buckets");
}

/* Number of ports with a histogram: each has a row of its own. */
static unsigned int rows_of(const json_t *record)
{
	const json_t *port;
	unsigned int rows = 0;
	size_t i;

	json_array_foreach (json_object_get(record, "ports"), i, port)
		for (size_t kind = 0; kind < HISTOGRAMS; kind++)
			if (json_array_size(buckets_of(port, kind))) {
				rows++;
				break;
			}
	return rows;
}

/* One scale for a column: from the first to the last bucket of all ports, in microseconds. */
static void set_range(const json_t *record, FILE *script, size_t kind)
{
	double least = INFINITY, most = 0, from, to;
	const json_t *port;
	json_t *bucket;
	size_t i, j;

	json_array_foreach (json_object_get(record, "ports"), i, port)
		json_array_foreach (buckets_of(port, kind), j, bucket) {
			if (json_unpack(bucket, "[F, F]", &from, &to) || to <= 0)
				continue;
			least = fmin(least, (from + to) / 2e3);
			most = fmax(most, to / 1e3);
		}
	if (least < most)
		fprintf(script, "set xrange [%.4f:%.4f]\n", least / 1.1, most * 1.1);
	else
		fputs("set xrange [*:*]\n", script);
}

static void block(FILE *script, const json_t *buckets, size_t kind, size_t port)
{
	double from, to, count;
	json_t *bucket;
	size_t i;

	fprintf(script, "$h%zu_%zu << EOD\n", kind, port);
	json_array_foreach (buckets, i, bucket)
		if (!json_unpack(bucket, "[F, F, F]", &from, &to, &count) && to > 0 && count > 0)
			fprintf(script, "%.4f %.0f\n", (from + to) / 2e3, count);
	/* A block must not be empty: this point is out of range. */
	fputs("1 0.1\nEOD\n", script);
}

static void plot(const json_t *record, FILE *script, size_t kind)
{
	const json_t *port;
	size_t i;

	set_range(record, script, kind);
	fprintf(script, "set xlabel '%s, microseconds'\n", histograms[kind].title);
	json_array_foreach (json_object_get(record, "ports"), i, port) {
		if (!json_array_size(buckets_of(port, 0)) && !json_array_size(buckets_of(port, 1)))
			continue;
		block(script, buckets_of(port, kind), kind, i);
		fprintf(script, "plot $h%zu_%zu with impulses lw 1.5 lc %zu title %s\n", kind, i,
			i + 1, report_quoted(report_text(port, "name")));
	}
}

static const char *title_of(const json_t *record)
{
	const double switches = report_number(record, "switches");

	return text_of("%.0f switch%s by %s  |  platform %s, IOMMU %s, NIC %s%s", switches,
		plural_es((uint64_t)switches), report_text(record, "plan"),
		report_text(record, "platform"), report_text(record, "iommu"),
		report_text(record, "nic"),
		report_emulated(record) ? "  |  emulated: no time is from hardware" : "");
}

static void draw(const json_t *record, FILE *script)
{
	fprintf(script,
		"set multiplot layout %u,%zu columnsfirst title %s\n"
		"set logscale xy\nset yrange [0.5:*]\nset grid lc rgb '#e4e4e4'\n"
		"set xtics nomirror out\nset ytics nomirror out\nset border 3\nset key top right\n"
		"set ylabel 'frames'\n",
		rows_of(record), HISTOGRAMS, report_quoted(title_of(record)));
	for (size_t kind = 0; kind < HISTOGRAMS; kind++)
		plot(record, script, kind);
	fputs("unset multiplot\n", script);
}

static int measure(const json_t *record, const char *path, unsigned int *height)
{
	*height = TITLE_HEIGHT + ROW_HEIGHT * rows_of(record);
	return rows_of(record) ? 0 : shunt_fail(-EINVAL, "%s: no histograms", path);
}

const struct report_figure report_histogram = { "shunt.result/2", 1200, measure, draw };
