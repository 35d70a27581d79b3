/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "forward.h"
#include "shunt_clock.h"
#include "shunt_error.h"
#include "shunt_sim.h"

#define QUIET_NS     50000000  /* nothing came back for so long after the last frame sent */
#define MISSING_NS   500000000 /* nor before it: what is missing is lost, not under way */
#define DRAIN_MAX_NS 2000000000
#define POLL_NS      1000000

int forward_traffic_make(struct forward *run)
{
	const struct forward_options *options = run->options;

	if (options->pcap)
		return shunt_traffic_pcap(options->pcap, &run->traffic);
	if (options->imix)
		return shunt_traffic_imix(&run->traffic);
	return shunt_traffic_fixed(options->size, &run->traffic);
}

static const void *endpoint_send(void *context, uint64_t now, bool ready, uint32_t *length)
{
	struct forward_port *port = context;

	return shunt_tester_send(
		port->run->tester, (unsigned int)(port - port->run->ports), now, ready, length);
}

static void endpoint_receive(void *context, uint64_t now, const void *frame, uint32_t length)
{
	struct forward_port *port = context;

	shunt_tester_receive(port->run->tester, now, frame, length);
}

static void port_measured(void *context, const struct shunt_measurement *measurement)
{
	struct forward *run = context;
	struct forward_truth_span truth;
	bool known = run->truth && forward_truth_port(run->truth, measurement, &truth);

	forward_log_port(run, measurement, known ? &truth : NULL);
	forward_timeline_measured(run, measurement);
	forward_evidence_measured(&run->evidence, measurement);
}

static void group_measured(void *context, const struct shunt_group_measurement *measurement)
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

int forward_traffic_connect(struct forward *run)
{
	int ret;

	ret = shunt_tester_create(run->count, &run->traffic, run->options->rate, &run->tester);
	if (!ret)
		ret = shunt_fault_log_create(run->platform, &run->faults);
	for (unsigned int i = 0; i < run->count && !ret; i++) {
		struct forward_port *port = &run->ports[i];
		struct shunt_sim_endpoint endpoint = {
			.context = port,
			.send = endpoint_send,
			.receive = endpoint_receive,
		};

		port->run = run;
		ret = shunt_watch_init(&port->watch, (uint16_t)i);
		if (!ret)
			ret = shunt_fault_log_add(run->faults, port->function);
		if (!ret && run->source == FORWARD_WIRES)
			ret = shunt_sim_connect(run->platform, port->function, &endpoint);
	}
	if (!ret)
		ret = make_window(run);
	if (!ret)
		ret = forward_timeline_make(run);
	if (!ret)
		shunt_group_observe(run->group, shunt_fault_log_since, run->faults);
	return ret;
}

static uint64_t returned(struct forward *run)
{
	uint64_t frames = 0;

	for (unsigned int i = 0; i < run->count; i++)
		frames += shunt_watch_frames(shunt_tester_watch(run->tester, i));
	return frames;
}

/* How long nothing may have come back to be sure that nothing will. */
static uint64_t patience(struct forward *run)
{
	for (unsigned int i = 0; i < run->count; i++)
		if (shunt_watch_next(shunt_tester_watch(run->tester, i)) <
			shunt_tester_sent(run->tester, i))
			return shunt_clock_from_ns(MISSING_NS);
	return shunt_clock_from_ns(QUIET_NS);
}

static void disconnect(struct forward *run)
{
	for (unsigned int i = 0; run->source == FORWARD_WIRES && i < run->count; i++)
		shunt_sim_connect(run->platform, run->ports[i].function, NULL);
}

void forward_traffic_end(struct forward *run)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	uint64_t start = shunt_clock_now(), quiet_since = start;
	uint64_t frames = returned(run), now;

	shunt_tester_stop(run->tester);
	do {
		nanosleep(&pause, NULL);
		now = shunt_clock_now();
		if (returned(run) != frames) {
			frames = returned(run);
			quiet_since = now;
		}
	} while (now - quiet_since < patience(run) &&
		 now - start < shunt_clock_from_ns(DRAIN_MAX_NS));
	disconnect(run);
}

void forward_traffic_free(struct forward *run)
{
	disconnect(run); /* a run that failed before its traffic began */
	if (run->group)
		shunt_group_observe(run->group, NULL, NULL);
	for (unsigned int i = 0; i < run->count; i++)
		shunt_watch_fini(&run->ports[i].watch);
	forward_timeline_free(run);
	shunt_window_destroy(run->window);
	forward_truth_destroy(run->truth);
	shunt_fault_log_destroy(run->faults);
	shunt_tester_destroy(run->tester);
	run->window = NULL;
	run->truth = NULL;
	run->faults = NULL;
	run->tester = NULL;
}
