/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "forward.h"
#include "shunt_output.h"
#include "text.h"

#define LINE 8192

/* One write per line: the file may be a device, and others may append to it. */
static int put(const struct forward_log *log, const char *line, int length)
{
	int ret = text_write(log->fd, line, (size_t)length);

	return ret ? shunt_fail_errno(ret, "--log %s", log->path) : 0;
}

int forward_log_open(struct forward_log *log, const char *path)
{
	log->path = path;
	log->fd = -1;
	if (!path)
		return 0;
	log->fd = shunt_output_append(path);
	return log->fd < 0 ? shunt_fail_while(log->fd, "--log") : 0;
}

void forward_log_close(struct forward_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
}

int forward_log_begin(const struct forward_log *log, uint64_t number)
{
	char line[64];
	int ret = forward_log_check(log);

	if (ret || log->fd < 0)
		return ret;
	return put(log, line,
		snprintf(line, sizeof(line), "{\"switch\":%" PRIu64 ",\"begins\":true}\n", number));
}

int forward_log_end(
	const struct forward_log *log, uint64_t number, const struct shunt_switch_result *result)
{
	char line[LINE], faults[24];
	int used;

	if (log->fd < 0)
		return 0;
	used = snprintf(line, sizeof(line),
		"{\"switch\":%" PRIu64 ",\"from\":%u,\"to\":%u,\"failed\":%s,\"rolled_back\":%s,"
		"\"ports\":[",
		number, result->from_hwpt, result->to_hwpt, result->error ? "true" : "false",
		result->rolled_back ? "true" : "false");
	for (unsigned int i = 0; i < result->member_count; i++) {
		const struct shunt_switch_member *member = &result->members[i];
		const struct shunt_recovery *recovery = &member->recovery;

		snprintf(faults, sizeof(faults), "%" PRId64, member->faults);
		used += snprintf(line + used, sizeof(line) - (size_t)used,
			"%s{\"function\":\"%s\",\"faults\":%s,\"ioctl_ns\":%" PRIu64
			",\"repaired\":%u,\"resets\":%u}",
			i ? "," : "", member->function, member->faults < 0 ? "\"unknown\"" : faults,
			shunt_clock_to_ns(member->ioctl_time), recovery->repaired_descriptors,
			recovery->queue_resets + recovery->port_resets + recovery->function_resets);
	}
	used += snprintf(line + used, sizeof(line) - (size_t)used, "]}\n");
	return put(log, line, used);
}

int forward_log_check(const struct forward_log *log)
{
	return log->error ? shunt_fail_errno(log->error, "--log %s", log->path) : 0;
}

/* `,"name":value` in nanoseconds; null if unknown. */
static int add_time(char *line, int used, const char *name, bool known, uint64_t ticks)
{
	if (!known)
		return used + snprintf(line + used, LINE - (size_t)used, ",\"%s\":null", name);
	return used + snprintf(line + used, LINE - (size_t)used, ",\"%s\":%" PRIu64, name,
			      shunt_clock_to_ns(ticks));
}

static int add_window(char *line, int used, uint64_t window, uint64_t uncertainty, uint64_t lost)
{
	used = add_time(line, used, "window_ns", true, window);
	used = add_time(line, used, "uncertainty_ns", true, uncertainty);
	return used + snprintf(line + used, LINE - (size_t)used, ",\"lost\":%" PRIu64, lost);
}

/* Ends a measurement's line. */
static void finish(
	struct forward_log *log, char *line, int used, const struct forward_truth_span *truth)
{
	int ret;

	if (truth)
		used += snprintf(line + used, LINE - (size_t)used,
			",\"ground_truth_ns\":[%" PRIu64 ",%" PRIu64 "]",
			shunt_clock_to_ns(truth->least), shunt_clock_to_ns(truth->most));
	used += snprintf(line + used, LINE - (size_t)used, "}\n");
	ret = put(log, line, used);
	if (ret && !log->error)
		log->error = ret;
}

void forward_log_port(struct forward_log *log, const char *function,
	const struct shunt_measurement *measurement, const struct forward_truth_span *truth)
{
	const bool both = measurement->lost && measurement->loss_uncertainty;
	char line[LINE];
	int used;

	if (log->fd < 0)
		return;
	used = snprintf(line, sizeof(line), "{\"switch\":%" PRIu64 ",\"port\":\"%s\"",
		measurement->number, function);
	used = add_window(
		line, used, measurement->window, measurement->uncertainty, measurement->lost);
	used = add_time(
		line, used, "loss_window_ns", both || !measurement->lost, measurement->loss_window);
	used = add_time(line, used, "loss_uncertainty_ns", both, measurement->loss_uncertainty);
	used = add_time(
		line, used, "outage_ns", measurement->outage.length, measurement->outage.length);
	used = add_time(line, used, "returned_outage_ns", measurement->returned.length,
		measurement->returned.length);
	finish(log, line, used, truth);
}

void forward_log_group(struct forward_log *log, int group,
	const struct shunt_measurement *measurement, const struct forward_truth_span *truth)
{
	char line[LINE];
	int used;

	if (log->fd < 0)
		return;
	used = snprintf(line, sizeof(line), "{\"switch\":%" PRIu64 ",\"group\":%d",
		measurement->number, group);
	used = add_window(
		line, used, measurement->window, measurement->uncertainty, measurement->lost);
	finish(log, line, used, truth);
}
