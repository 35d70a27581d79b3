/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <math.h>
#include <stdbool.h>

#include "report.h"
#include "shunt_error.h"

#define SCHEMA "shunt.result/1"
#define WIDTH  1000
#define HEIGHT 620

/* The histograms of a port: arrays of from, to (ns), count. */
static const struct {
	const char *name;
	const char *title;
} histograms[] = {
	{ "gap_ns", "time between two frames that came back" },
	{ "latency_ns", "time that a frame was under way" },
};
#define HISTOGRAMS (sizeof(histograms) / sizeof(histograms[0]))

static const json_t *buckets_of(const json_t *port, size_t histogram)
{
	return json_object_get(json_object_get(port, histograms[histogram].name), "buckets");
}

static unsigned int rows_of(const json_t *record)
{
	const json_t *ports = json_object_get(record, "ports"), *port;
	unsigned int rows = 0;
	size_t i;

	for (size_t kind = 0; kind < HISTOGRAMS; kind++)
		json_array_foreach (ports, i, port)
			if (json_array_size(buckets_of(port, kind))) {
				rows++;
				break;
			}
	return rows;
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
	fputs("EOD\n", figure->script);
}

static void plot(struct report_figure *figure, const json_t *record, size_t kind)
{
	const json_t *ports = json_object_get(record, "ports"), *port;
	const char *separator = "plot ";
	size_t i;

	json_array_foreach (ports, i, port)
		if (json_array_size(buckets_of(port, kind)))
			block(figure, buckets_of(port, kind), kind, i);
	fprintf(figure->script, "set ylabel 'frames'\nset xlabel '%s, microseconds'\n",
		histograms[kind].title);
	json_array_foreach (ports, i, port) {
		if (!json_array_size(buckets_of(port, kind)))
			continue;
		fprintf(figure->script, "%s$h%zu_%zu with impulses lw 1.5 title ", separator, kind,
			i);
		report_figure_quote(figure, report_text(port, "name"));
		separator = ", ";
	}
	fputs("\n", figure->script);
}

static void set_title(struct report_figure *figure, const json_t *record)
{
	bool emulated = !json_is_false(json_object_get(record, "emulated"));
	char title[512];

	snprintf(title, sizeof(title), "%.0f switches by %s  |  platform %s, IOMMU %s, NIC %s%s",
		report_number(record, "switches"), report_text(record, "plan"),
		report_text(record, "platform"), report_text(record, "iommu"),
		report_text(record, "nic"),
		emulated ? "  |  emulated: no time here is hardware's" : "");
	report_figure_quote(figure, title);
}

static void draw(struct report_figure *figure, const json_t *record, unsigned int rows)
{
	fprintf(figure->script, "set multiplot layout %u,1 title ", rows);
	set_title(figure, record);
	fputs("\nset logscale xy\nset yrange [0.5:*]\nset grid lc rgb '#e4e4e4'\n"
	      "set xtics nomirror out\nset ytics nomirror out\nset border 3\nset key top right\n",
		figure->script);
	for (size_t kind = 0; kind < HISTOGRAMS; kind++) {
		const json_t *port;
		bool any = false;
		size_t i;

		json_array_foreach (json_object_get(record, "ports"), i, port)
			any |= json_array_size(buckets_of(port, kind)) > 0;
		if (any)
			plot(figure, record, kind);
	}
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
		ret = shunt_fail(-EINVAL, "%s: this record has no histograms", path);
	if (!ret)
		ret = report_figure_open(&figure, output, WIDTH, HEIGHT);
	if (!ret) {
		draw(&figure, record, rows);
		ret = report_figure_close(&figure);
	}
	json_decref(record);
	return ret;
}
