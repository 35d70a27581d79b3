/* SPDX-License-Identifier: BSD-3-Clause */
#include <shunt/clock.h>
#include <shunt/error.h>

#include "forward.h"
#include "text.h"

int forward_log_begin(const struct forward_log *log, uint64_t number)
{
	int ret = forward_log_check(log);

	return ret ? ret : log_begin(&log->lines, number);
}

static json_t *port_json(const struct shunt_switch_member *member)
{
	const struct shunt_recovery *recovery = &member->recovery;

	return log_port(member->function,
		member->faults < 0 ? json_string("unknown") : json_integer(member->faults),
		shunt_clock_to_ns(member->ioctl_time), recovery->repaired_descriptors,
		recovery->queue_resets + recovery->port_resets + recovery->function_resets);
}

int forward_log_end(
	const struct forward_log *log, uint64_t number, const struct shunt_switch_result *result)
{
	json_t *ports;

	if (log->lines.fd < 0)
		return 0;
	ports = json_array();
	for (unsigned int i = 0; i < result->member_count; i++)
		ports = text_append(ports, port_json(&result->members[i]));
	return log_put(&log->lines,
		json_pack("{s:I, s:I, s:I, s:b, s:b, s:o}", "switch", (json_int_t)number, "from",
			(json_int_t)result->from_hwpt, "to", (json_int_t)result->to_hwpt, "failed",
			result->error != 0, "rolled_back", (int)result->rolled_back, "ports",
			ports));
}

int forward_log_check(const struct forward_log *log)
{
	return log->error ? shunt_fail_errno(log->error, "--log %s", log->lines.path) : 0;
}

/* A line of a measurement, whose owner has a name and a value. */
static json_t *measured_json(
	const struct shunt_measurement *measurement, const char *name, json_t *owner)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:I}", "switch", (json_int_t)measurement->number,
		name, owner, "window_ns", text_ns(true, measurement->window), "uncertainty_ns",
		text_ns(true, measurement->uncertainty), "lost", (json_int_t)measurement->lost);
}

/* @return the line with more fields; NULL, with the line released, if out of memory */
static json_t *extend(json_t *line, json_t *more)
{
	if (!json_object_update_new(line, more))
		return line;
	json_decref(line);
	return NULL;
}

static void finish(struct forward_log *log, json_t *line, const struct forward_truth_span *truth)
{
	int ret;

	if (truth)
		line = extend(
			line, json_pack("{s:[o, o]}", "ground_truth_ns",
				      text_ns(true, truth->least), text_ns(true, truth->most)));
	ret = log_put(&log->lines, line);
	if (ret && !log->error)
		log->error = ret;
}

void forward_log_port(struct forward_log *log, const char *function,
	const struct shunt_measurement *measurement, const struct forward_truth_span *truth)
{
	const bool both = measurement->lost && measurement->loss_uncertainty;
	const uint64_t outage = measurement->outage.length, returned = measurement->returned.length;
	json_t *line;

	if (log->lines.fd < 0)
		return;
	line = extend(measured_json(measurement, "port", json_string(function)),
		json_pack("{s:o, s:o, s:o, s:o}", "loss_window_ns",
			text_ns(both || !measurement->lost, measurement->loss_window),
			"loss_uncertainty_ns", text_ns(both, measurement->loss_uncertainty),
			"outage_ns", text_ns(outage, outage), "returned_outage_ns",
			text_ns(returned, returned)));
	finish(log, line, truth);
}

void forward_log_group(struct forward_log *log, int group,
	const struct shunt_measurement *measurement, const struct forward_truth_span *truth)
{
	if (log->lines.fd >= 0)
		finish(log, measured_json(measurement, "group", json_integer(group)), truth);
}
