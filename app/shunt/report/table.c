/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "text.h"

#define CELL  64
#define LABEL 20

/* How a row's value is computed from a record. */
enum kind {
	TEXT,        /* a text of the record */
	YES,         /* a truth value of the record */
	INTERRUPTED, /* the same, empty for false */
	COUNT,       /* a number of the record */
	TRAFFIC,     /* frames and rate */
	SECONDS,     /* a number of the record */
	SUM,         /* of the ports' numbers */
	FAULTS,      /* the same, a text is "unknown" */
	LONGEST,     /* of the ports' times */
	PAUSED,      /* the same, empty if 0 */
	GROUP,       /* a time of the group */
	BASELINE,    /* longest of the baseline's ports' times */
};

struct row {
	const char *label;
	enum kind kind;
	const char *name;
	const char *quantile; /* field of the object of that name; NULL: the number itself */
};

/* A row that is empty in all records is omitted. */
static const struct row rows[] = {
	{ "date", TEXT, "date", NULL },
	{ "host", TEXT, "host", NULL },
	{ "shunt", TEXT, "version", NULL },
	{ "DPDK", TEXT, "dpdk", NULL },
	{ "platform", TEXT, "platform", NULL },
	{ "kernel", TEXT, "kernel", NULL },
	{ "IOMMU", TEXT, "iommu", NULL },
	{ "NIC", TEXT, "nic", NULL },
	{ "emulated", YES, "emulated", NULL },
	{ "traffic", TRAFFIC, "traffic", NULL },
	{ "duration", SECONDS, "duration_s", NULL },
	{ "plan", TEXT, "plan", NULL },
	{ "interrupted", INTERRUPTED, "interrupted", NULL },
	{ "switches", COUNT, "switches", NULL },
	{ "switches failed", COUNT, "failed_switches", NULL },
	{ "fault window p50", LONGEST, "window_ns", "p50" },
	{ "             p99", LONGEST, "window_ns", "p99" },
	{ "             max", LONGEST, "window_ns", "max" },
	{ "  uncertainty p99", LONGEST, "uncertainty_ns", NULL },
	{ "  not measured", SUM, "windows_unmeasured", NULL },
	{ "group window p50", GROUP, "window_ns", "p50" },
	{ "             p99", GROUP, "window_ns", "p99" },
	{ "             max", GROUP, "window_ns", "max" },
	{ "outage       p50", LONGEST, "outage_ns", "p50" },
	{ "             p99", LONGEST, "outage_ns", "p99" },
	{ "             max", LONGEST, "outage_ns", "max" },
	{ "longest gap", LONGEST, "max_gap_ns", NULL },
	{ "  in the baseline", BASELINE, "max_gap_ns", NULL },
	{ "frames sent", SUM, "sent", NULL },
	{ "frames lost", SUM, "lost", NULL },
	{ "  unexplained", COUNT, "unexplained", NULL },
	{ "fault records", FAULTS, "faults", NULL },
	{ "recoveries", SUM, "recoveries", NULL },
	{ "paused       p50", PAUSED, "paused_ns", "p50" },
	{ "             p99", PAUSED, "paused_ns", "p99" },
	{ "             max", PAUSED, "paused_ns", "max" },
	{ "ioctls       p50", LONGEST, "ioctl_ns", "p50" },
	{ "             p99", LONGEST, "ioctl_ns", "p99" },
	{ "             max", LONGEST, "ioctl_ns", "max" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static double value_of(const json_t *json, const struct row *row)
{
	if (row->quantile)
		return report_number(json_object_get(json, row->name), row->quantile);
	return report_number(json, row->name);
}

static const char *ns_text(double ns)
{
	return isnan(ns) ? "" : time_text(ns > 0 ? (uint64_t)ns : 0);
}

static const char *count_text(double count)
{
	return isnan(count) ? "" : text_of("%.0f", count);
}

static double longest(const json_t *ports, const struct row *row)
{
	double most = NAN;
	const json_t *port;
	size_t i;

	json_array_foreach (ports, i, port)
		most = fmax(most, value_of(port, row));
	return most;
}

/* @param[out] unknown  a port has a text instead of a number */
static double sum(const json_t *ports, const char *name, bool *unknown)
{
	double all = NAN;
	const json_t *port;
	size_t i;

	*unknown = false;
	json_array_foreach (ports, i, port) {
		double value = report_number(port, name);

		*unknown |= json_is_string(json_object_get(port, name));
		if (!isnan(value))
			all = isnan(all) ? value : all + value;
	}
	return all;
}

static const char *faults_text(const json_t *ports, const char *name)
{
	bool unknown;
	double faults = sum(ports, name, &unknown);

	if (unknown && !(faults > 0))
		return "unknown";
	return isnan(faults) ? "" : text_of("%s%.0f", unknown ? "at least " : "", faults);
}

static const char *traffic_text(const json_t *record, const char *name)
{
	double rate = report_number(record, "rate");
	const char *traffic = safe_text(report_text(record, name), 40);

	return isnan(rate) ? text_of("%s, max", traffic) : text_of("%s, %.0f/s", traffic, rate);
}

static const char *cell_text(const json_t *record, const struct row *row)
{
	const json_t *ports = json_object_get(record, "ports");
	const json_t *baseline = json_object_get(json_object_get(record, "baseline"), "ports");
	const json_t *flag = json_object_get(record, row->name);
	bool unknown;

	switch (row->kind) {
	case TEXT:
		return safe_text(report_text(record, row->name), CELL - 1);
	case YES:
		return json_is_false(flag) ? "no" : "yes";
	case INTERRUPTED:
		return json_is_true(flag) ? "yes" : "";
	case COUNT:
		return count_text(report_number(record, row->name));
	case TRAFFIC:
		return traffic_text(record, row->name);
	case SECONDS:
		return text_of("%.1f s", report_number(record, row->name));
	case SUM:
		return count_text(sum(ports, row->name, &unknown));
	case FAULTS:
		return faults_text(ports, row->name);
	case LONGEST:
		return ns_text(longest(ports, row));
	case PAUSED:
		return longest(ports, row) > 0 ? ns_text(longest(ports, row)) : "";
	case GROUP:
		return ns_text(value_of(json_object_get(record, "group"), row));
	case BASELINE:
		return ns_text(longest(baseline, row));
	}
	return "";
}

static void print_notes(json_t *const *records, const char *const *names, unsigned int count)
{
	printf("\nTimes are those of the port with the longest. A window is 0 if no frame was "
	       "lost;\n"
	       "its true length is within the uncertainty. Ioctl time is not the window.\n");
	for (unsigned int i = 0; i < count; i++)
		if (report_emulated(records[i]))
			printf("%s: emulated, no time is from hardware.\n", names[i]);
}

void report_table(json_t *const *records, const char *const *names, unsigned int count)
{
	static char cells[ROWS][REPORT_MAX_RECORDS][CELL];
	int widths[REPORT_MAX_RECORDS];

	for (unsigned int i = 0; i < count; i++) {
		widths[i] = (int)strlen(names[i]);
		for (size_t row = 0; row < ROWS; row++) {
			snprintf(cells[row][i], CELL, "%s", cell_text(records[i], &rows[row]));
			if ((int)strlen(cells[row][i]) > widths[i])
				widths[i] = (int)strlen(cells[row][i]);
		}
	}
	printf("%-*s", LABEL, "");
	for (unsigned int i = 0; i < count; i++)
		printf("  %*s", widths[i], names[i]);
	printf("\n");
	for (size_t row = 0; row < ROWS; row++) {
		bool any = false;

		for (unsigned int i = 0; i < count; i++)
			any |= cells[row][i][0] != '\0';
		if (!any)
			continue;
		printf("%-*s", LABEL, rows[row].label);
		for (unsigned int i = 0; i < count; i++)
			printf("  %*s", widths[i], cells[row][i][0] ? cells[row][i] : "-");
		printf("\n");
	}
	print_notes(records, names, count);
}
