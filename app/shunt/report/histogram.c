/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include <shunt/error.h>

#include "report.h"

#define SCHEMA "shunt.result/2"
#define WIDTH  1200
#define HEIGHT 210 /* of a port */

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
static void set_range(struct report_figure *figure, const json_t *record, size_t kind)
{
	double least = INFINITY, most = 0;
	const json_t *port, *bucket;
	size_t i, j;

	json_array_foreach (json_object_get(record, "ports"), i, port)
		json_array_foreach (buckets_of(port, kind), j, bucket) {
			double from = json_number_value(json_array_get(bucket, 0));
			double to = json_number_value(json_array_get(bucket, 1));

			least = to > 0 ? fmin(least, (from + to) / 2e3) : least;
			most = fmax(most, to / 1e3);
		}
	if (least < most)
		fprintf(figure->script, "set xrange [%.4f:%.4f]\n", least / 1.1, most * 1.1);
	else
		fputs("set xrange [*:*]\n", figure->script);
}

static void block(struct report_figure *figure, const json_t *buckets, size_t kind, size_t port)
{
	const json_t *bucket;
	size_t i;

	fprintf(figure->script, "$h%zu_%zu << EOD\n", kind, port);
	json_array_foreach (buckets, i, bucket) {
		double from = json_number_value(json_array_get(bucket, 0));
		double to = json_number_value(json_array_get(bucket, 1));
		double count = json_number_value(json_array_get(bucket, 2));

		if (to > 0 && count > 0)
			fprintf(figure->script, "%.4f %.0f\n", (from + to) / 2e3, count);
	}
	/* A block must not be empty: this point is out of range. */
	fputs("1 0.1\nEOD\n", figure->script);
}

static void plot(struct report_figure *figure, const json_t *record, size_t kind)
{
	const json_t *port;
	size_t i;

	set_range(figure, record, kind);
	fprintf(figure->script, "set xlabel '%s, microseconds'\n", histograms[kind].title);
	json_array_foreach (json_object_get(record, "ports"), i, port) {
		if (!json_array_size(buckets_of(port, 0)) && !json_array_size(buckets_of(port, 1)))
			continue;
		block(figure, buckets_of(port, kind), kind, i);
		fprintf(figure->script, "plot $h%zu_%zu with impulses lw 1.5 lc %zu title ", kind,
			i, i + 1);
		report_figure_quote(figure, report_text(port, "name"));
		fputs("\n", figure->script);
	}
}

static void set_title(struct report_figure *figure, const json_t *record)
{
	bool emulated = !json_is_false(json_object_get(record, "emulated"));
	char title[512];

	snprintf(title, sizeof(title), "%.0f switch%s by %s  |  platform %s, IOMMU %s, NIC %s%s",
		report_number(record, "switches"),
		plural_es((uint64_t)report_number(record, "switches")), report_text(record, "plan"),
		report_text(record, "platform"), report_text(record, "iommu"),
		report_text(record, "nic"),
		emulated ? "  |  emulated: no time is from hardware" : "");
	report_figure_quote(figure, title);
}

static void draw(struct report_figure *figure, const json_t *record, unsigned int rows)
{
	fprintf(figure->script, "set multiplot layout %u,%zu columnsfirst title ", rows,
		HISTOGRAMS);
	set_title(figure, record);
	fputs("\nset logscale xy\nset yrange [0.5:*]\nset grid lc rgb '#e4e4e4'\n"
	      "set xtics nomirror out\nset ytics nomirror out\nset border 3\nset key top right\n"
	      "set ylabel 'frames'\n",
		figure->script);
	for (size_t kind = 0; kind < HISTOGRAMS; kind++)
		plot(figure, record, kind);
	fputs("unset multiplot\n", figure->script);
}

int report_histogram(const char *path, const char *output)
{
	struct report_figure figure;
	unsigned int rows;
	json_t *record;
	int ret;

	ret = report_read(path, SCHEMA, &record);
	if (ret)
		return ret;
	rows = rows_of(record);
	if (!rows)
		ret = shunt_fail(-EINVAL, "%s: no histograms", path);
	if (!ret)
		ret = report_figure_open(&figure, output, WIDTH, 80 + HEIGHT * rows);
	if (!ret) {
		draw(&figure, record, rows);
		ret = report_figure_close(&figure);
	}
	json_decref(record);
	return ret;
}
