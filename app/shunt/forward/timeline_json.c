/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "text.h"
#include "timeline.h"

#define SCHEMA "shunt.timeline/2"

/* Nanoseconds since the first ioctl, null if never. */
static json_t *at(uint64_t time, uint64_t origin)
{
	if (!time)
		return json_null();
	if (time < origin)
		return json_integer(-(json_int_t)shunt_clock_to_ns(origin - time));
	return json_integer((json_int_t)shunt_clock_to_ns(time - origin));
}

static json_t *span(uint64_t start, uint64_t end, uint64_t origin)
{
	if (!start)
		return json_null();
	return json_pack("{s:o, s:o}", "start_ns", at(start, origin), "end_ns", at(end, origin));
}

/* Place of a loss: "rx" before the port received it, "tx" before the next port sent it. */
static json_t *lost_json(enum shunt_trail_fate in, enum shunt_trail_fate out)
{
	if (out == SHUNT_TRAIL_SEEN || out == SHUNT_TRAIL_LATE)
		return json_null();
	if (in == SHUNT_TRAIL_LOST)
		return json_string("rx");
	return json_string(
		in == SHUNT_TRAIL_UNKNOWN || out == SHUNT_TRAIL_UNKNOWN ? "unknown" : "tx");
}

static json_t *frames_json(const struct timeline_port *port, uint64_t origin)
{
	json_t *frames = json_array();

	for (unsigned int i = 0; i < port->frame_count; i++)
		json_array_append_new(frames,
			json_pack("{s:I, s:o, s:o, s:o, s:b, s:o}", "number",
				(json_int_t)port->number[i], "sent_ns", at(port->sent[i], origin),
				"seen_ns", at(port->seen[i], origin), "back_ns",
				at(port->back[i], origin), "late", port->in[i] == SHUNT_TRAIL_LATE,
				"lost", lost_json(port->in[i], port->out[i])));
	return frames;
}

/*
 * The window's bounds: the last frame before it and the first one after it; within them, the first
 * and the last lost frame. A port without loss has none.
 */
static json_t *window_json(const struct timeline_switch *done, unsigned int port, uint64_t origin)
{
	const struct shunt_measurement *measurement = &done->measurements[port];
	const struct shunt_edges none = { 0 };
	const struct shunt_edges *edges = measurement->lost ? &measurement->edges : &none;
	bool both = measurement->lost && measurement->loss_uncertainty;

	if (!(done->measured >> port & 1))
		return json_null();
	return json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "window_ns",
		text_ns(true, measurement->window), "uncertainty_ns",
		text_ns(true, measurement->uncertainty), "lost", (json_int_t)measurement->lost,
		"last_before_ns", at(edges->begin_from, origin), "first_lost_ns",
		at(edges->begin_to, origin), "last_lost_ns", at(edges->end_from, origin),
		"first_after_ns", at(edges->end_to, origin), "loss_window_ns",
		text_ns(both, measurement->loss_window), "loss_uncertainty_ns",
		text_ns(both, measurement->loss_uncertainty), "outage_ns",
		text_ns(measurement->outage.length, measurement->outage.length),
		"returned_outage_ns",
		text_ns(measurement->returned.length, measurement->returned.length));
}

static json_t *blocked_json(const struct timeline_port *port, uint64_t origin)
{
	const struct shunt_sim_blocked *blocked = &port->blocked;

	if (!port->blocked_known)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:I}", "from_ns", at(blocked->from, origin), "still_ns",
		at(blocked->still, origin), "until_ns", at(blocked->until, origin), "faults",
		(json_int_t)blocked->faults);
}

static json_t *recovery_json(const struct shunt_recovery *recovery)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:I}", "time_ns", text_ns(true, recovery->time),
		"repaired_descriptors", (json_int_t)recovery->repaired_descriptors, "queue_resets",
		(json_int_t)recovery->queue_resets, "port_resets",
		(json_int_t)recovery->port_resets, "function_resets",
		(json_int_t)recovery->function_resets);
}

/* 0 is known only if there is an observer. */
static json_t *fault_count_json(const struct forward_config *config, int64_t faults)
{
	if (faults < 0 || (faults == 0 && !config->info.fault_observers[0]))
		return json_string("unknown");
	return json_integer(faults);
}

static json_t *port_json(const struct forward_config *config, const struct forward_ports *ports,
	const struct timeline_held *held, unsigned int index, uint64_t origin)
{
	const struct timeline_port *port = &held->ports[index];
	const struct shunt_switch_member *member = &held->done.result.members[index];

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "name",
		ports->list[index].name, "function", ports->list[index].function, "ioctl",
		span(member->ioctl_start, member->ioctl_end, origin), "ioctl_ns",
		text_ns(true, member->ioctl_time), "pause",
		span(member->pause_start, member->pause_end, origin), "faults",
		fault_count_json(config, member->faults), "recovery",
		recovery_json(&member->recovery), "window", window_json(&held->done, index, origin),
		"model_blocked", blocked_json(port, origin), "frames_omitted",
		(json_int_t)port->frames_omitted, "frames", frames_json(port, origin));
}

static json_t *ports_json(const struct forward_config *config, const struct forward_ports *ports,
	const struct timeline_held *held, uint64_t origin)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < ports->count; i++)
		json_array_append_new(array, port_json(config, ports, held, i, origin));
	return array;
}

static json_t *fault_json(const struct shunt_fault *fault, uint64_t origin)
{
	return json_pack("{s:o, s:s, s:s, s:o, s:b, s:I}", "time_ns", at(fault->time, origin),
		"observer", fault->observer, "function", fault->function, "iova",
		json_sprintf("0x%" PRIx64, fault->iova), "write", (int)fault->write, "reason",
		(json_int_t)fault->reason);
}

static json_t *faults_json(const struct timeline_held *held, uint64_t origin)
{
	json_t *faults = json_array();

	for (unsigned int i = 0; i < held->fault_count; i++)
		json_array_append_new(faults, fault_json(&held->faults[i], origin));
	return faults;
}

static uint64_t first_ioctl(const struct shunt_switch_result *result)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int i = 0; i < result->member_count; i++)
		if (result->members[i].ioctl_start && result->members[i].ioctl_start < first)
			first = result->members[i].ioctl_start;
	return first == UINT64_MAX ? result->start : first; /* it failed before the first ioctl */
}

static json_t *switch_json(const struct timeline_held *held, uint64_t origin)
{
	const struct shunt_switch_result *result = &held->done.result;

	return json_pack("{s:I, s:I, s:I, s:b, s:o, s:o, s:o}", "number",
		(json_int_t)held->done.number, "from_hwpt", (json_int_t)result->from_hwpt,
		"to_hwpt", (json_int_t)result->to_hwpt, "rolled_back", (int)result->rolled_back,
		"start_ns", at(result->start, origin), "moved_ns", at(result->moved, origin),
		"end_ns", at(result->end, origin));
}

static json_t *group_json(const struct timeline_held *held, int number)
{
	return json_pack("{s:i, s:o, s:o}", "id", number, "window_ns",
		text_ns(held->done.group_measured, held->done.group.window), "uncertainty_ns",
		text_ns(held->done.group_measured, held->done.group.uncertainty));
}

static json_t *timeline_json(const struct forward_config *config, const struct forward_ports *ports,
	const struct timeline_held *held)
{
	const char *kernel = config->info.kernel[0] ? config->info.kernel : NULL;
	uint64_t origin = first_ioctl(&held->done.result);

	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:b, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, "
			 "s:o}",
		"schema", SCHEMA, "platform", config->platform->name, "kernel", kernel, "iommu",
		config->info.iommu, "nic", config->info.nic, "emulated", (int)config->info.emulated,
		"fault_observers", config->info.fault_observers, "plan",
		shunt_plan_name(held->done.result.plan), "group",
		group_json(held, shunt_group_number(ports->group)), "from_ns",
		at(held->from, origin), "to_ns", at(held->to, origin), "switch",
		switch_json(held, origin), "faults", faults_json(held, origin), "faults_omitted",
		(json_int_t)held->faults_omitted, "ports", ports_json(config, ports, held, origin));
}

int timeline_write(const struct forward_config *config, const struct forward_ports *ports,
	const struct timeline_held *held, FILE *file)
{
	json_t *json = timeline_json(config, ports, held);
	int ret = 0;

	if (!json)
		return shunt_fail(-ENOMEM, "--timeline: out of memory");
	if (json_dumpf(json, file, JSON_COMPACT) || fputc('\n', file) == EOF)
		ret = shunt_fail(-EIO, "--timeline: writing failed");
	json_decref(json);
	return ret;
}
