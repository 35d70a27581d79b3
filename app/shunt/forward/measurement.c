/* SPDX-License-Identifier: BSD-3-Clause */
#include "forward.h"

static void port_measured(void *context, const struct shunt_measurement *measurement)
{
	struct forward *run = context;
	struct forward_cold_first first;
	struct forward_truth_span truth;
	bool known = run->truth && forward_truth_port(run->truth, measurement, &truth);

	forward_log_port(run, measurement, known ? &truth : NULL);
	forward_timeline_measured(run, measurement);
	if (!run->options->cold_ns)
		forward_evidence_measured(&run->evidence, measurement, NULL);
	else if (forward_cold_first(run, measurement, &first))
		forward_evidence_measured(&run->evidence, measurement, &first);
}

static void group_measured(void *context, const struct shunt_measurement *measurement)
{
	struct forward *run = context;
	struct forward_truth_span truth;
	bool known = run->truth && forward_truth_group(run->truth, measurement, &truth);

	forward_log_group(run, measurement, known ? &truth : NULL);
	forward_timeline_group(run, measurement);
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

	for (unsigned int i = 0; i < run->count; i++)
		ports[i] = (struct shunt_window_port){
			.name = run->ports[i].name,
			.function = run->ports[i].function,
			.stream = i,
			.sender = run->source == FORWARD_OWN ? (i + run->count - 1) % run->count
							     : SHUNT_WINDOW_TESTER,
			.out = run->ports[i].out_index,
			.receive = &run->ports[i].watch,
		};
	ret = shunt_window_create(run->tester, ports, run->count, &run->window);
	if (ret)
		return ret;
	shunt_window_sink(run->window, &sink);
	if (run->source != FORWARD_WIRES)
		return 0;
	return forward_truth_create(run->platform, ports, run->count, &run->truth);
}

int forward_measurement_make(struct forward *run)
{
	int ret = make_window(run);

	return ret ? ret : forward_timeline_make(run);
}

void forward_measurement_free(struct forward *run)
{
	forward_timeline_free(run);
	shunt_window_destroy(run->window);
	forward_truth_destroy(run->truth);
	run->window = NULL;
	run->truth = NULL;
}
