/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "commands.h"
#include "parse.h"
#include "report.h"

static const char usage[] =
	"Usage: shunt report RECORD...\n"
	"       shunt report --timeline FILE [--output FIGURE]\n"
	"       shunt report --histogram RECORD [--output FIGURE]\n"
	"Shows what shunt forward wrote.\n"
	"  RECORD...           compare result records (shunt forward --json); '-' is\n"
	"                      standard input\n"
	"  --timeline FILE     draw one switch on a time line (shunt forward --timeline)\n"
	"  --histogram RECORD  draw the times between frames, and their latencies\n"
	"  --output FIGURE     a .svg, .png or .pdf; default: the file's name with .svg\n"
	"Figures are drawn by gnuplot.\n";

struct options {
	const char *timeline;
	const char *histogram;
	const char *output;
};

static int check(const struct options *options, int records)
{
	bool figure = options->timeline || options->histogram;

	if (options->timeline && options->histogram)
		return shunt_fail(-EINVAL, "--timeline and --histogram: only one figure per call");
	if (figure && records)
		return shunt_fail(
			-EINVAL, "--timeline and --histogram do not take further records");
	if (!figure && options->output)
		return shunt_fail(-EINVAL, "--output: requires --timeline or --histogram");
	if (!figure && !records)
		return shunt_fail(-EINVAL, "no record is given: see 'shunt report --help'");
	if (records > REPORT_MAX_RECORDS)
		return shunt_fail(
			-EINVAL, "%d records, the maximum is %d", records, REPORT_MAX_RECORDS);
	return 0;
}

static int compare(char **paths, unsigned int count)
{
	json_t *records[REPORT_MAX_RECORDS];
	const char *names[REPORT_MAX_RECORDS];
	unsigned int read = 0;
	int ret = 0;

	for (; read < count && !ret; read += !ret) {
		const char *slash = strrchr(paths[read], '/');

		names[read] = slash ? slash + 1 : paths[read];
		ret = report_read(paths[read], "shunt.result/2", &records[read]);
	}
	if (!ret)
		report_table(records, names, count);
	while (read--)
		json_decref(records[read]);
	return ret;
}

/* The name of a file with its extension replaced by .svg. */
static char *figure_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	size_t length = dot && dot > path && (!slash || dot > slash + 1) ? (size_t)(dot - path)
									 : strlen(path);
	char *name;

	return asprintf(&name, "%.*s.svg", (int)length, path) < 0 ? NULL : name;
}

static int draw(const struct options *options)
{
	const char *path = options->timeline ? options->timeline : options->histogram;
	char *name = options->output ? strdup(options->output) : figure_name(path);
	int ret;

	if (!name)
		return shunt_fail(-ENOMEM, "out of memory");
	ret = report_draw(options->timeline ? &report_timeline : &report_histogram, path, name);
	if (!ret)
		printf("%s\n", name);
	free(name);
	return ret;
}

int shunt_report(int argc, char **argv)
{
	struct options options = { 0 };
	struct parse_option known[] = {
		{ "timeline", .text = &options.timeline },
		{ "histogram", .text = &options.histogram },
		{ "output", .text = &options.output },
		{ NULL },
	};
	int first = parse_options(argc, argv, known, "shunt report", usage);
	int ret = first > 0 ? check(&options, argc - first) : first;

	if (!ret && first && first < argc)
		ret = compare(argv + first, (unsigned int)(argc - first));
	else if (!ret && first)
		ret = draw(&options);
	return parse_exit("shunt report", ret);
}
