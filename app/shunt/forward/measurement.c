/* SPDX-License-Identifier: BSD-3-Clause */
#include "forward.h"

static void port_measured(void *context, const struct shunt_measurement *measurement)
{
	struct forward *run = context;
	struct forward_cold_first first;
	struct forward_truth_span truth;
	bool known = run->measurement.truth &&
		     forward_truth_port(run->measurement.truth, measurement, &truth);

	forward_log_port(&run->measurement.log, run->ports.list[measurement->port].function,
		measurement, known ? &truth : NULL);
	forward_timeline_measured(run->measurement.timeline, measurement, false);
	if (!run->config.options->cold_ns)
		forward_evidence_measured(&run->measurement.evidence, measurement, NULL);
	else if (forward_cold_first(
			 &run->measurement.cold, run->traffic.tester, measurement, &first))
		forward_evidence_measured(&run->measurement.evidence, measurement, &first);
}

static void group_measured(void *context, const struct shunt_measurement *measurement)
{
	struct forward *run = context;
	struct forward_truth_span truth;
	bool known = run->measurement.truth &&
		     forward_truth_group(run->measurement.truth, measurement, &truth);

	forward_log_group(&run->measurement.log, shunt_group_number(run->ports.group), measurement,
		known ? &truth : NULL);
	forward_timeline_measured(run->measurement.timeline, measurement, true);
}

static int make_window(struct forward *run)
{
	const struct shunt_window_sink sink = {
		.context = run,
		.port = port_measured,
		.group = group_measured,
	};
	struct shunt_window_port ports[SHUNT_WINDOW_MAX_PORTS];
	int ret;

	for (unsigned int i = 0; i < run->ports.count; i++)
		ports[i] = (struct shunt_window_port){
			.name = run->ports.list[i].name,
			.function = run->ports.list[i].function,
			.stream = i,
			.sender = run->config.source == FORWARD_OWN
					  ? (i + run->ports.count - 1) % run->ports.count
					  : SHUNT_WINDOW_TESTER,
			.out = run->ports.list[i].out_index,
			.receive = &run->ports.list[i].watch,
		};
	ret = shunt_window_create(
		run->traffic.tester, ports, run->ports.count, &run->measurement.window);
	if (ret)
		return ret;
	shunt_window_sink(run->measurement.window, &sink);
	if (run->config.source != FORWARD_WIRES)
		return 0;
	return forward_truth_create(
		run->config.platform, ports, run->ports.count, &run->measurement.truth);
}

int forward_measurement_make(struct forward *run)
{
	struct shunt_fault_log **faults = &run->measurement.faults;
	int ret;

	ret = shunt_fault_log_create(run->config.platform, faults);
	for (unsigned int i = 0; i < run->ports.count && !ret; i++)
		ret = shunt_fault_log_add(*faults, run->ports.list[i].function);
	if (!ret)
		ret = make_window(run);
	if (!ret)
		ret = forward_timeline_make(run);
	if (!ret)
		shunt_group_observe(run->ports.group, shunt_fault_log_since, *faults);
	return ret;
}

void forward_measurement_free(struct forward *run)
{
	struct forward_measurement *measurement = &run->measurement;

	if (run->ports.group)
		shunt_group_observe(run->ports.group, NULL, NULL);
	forward_timeline_free(measurement->timeline);
	shunt_window_destroy(measurement->window);
	forward_truth_destroy(measurement->truth);
	shunt_fault_log_destroy(measurement->faults);
}
