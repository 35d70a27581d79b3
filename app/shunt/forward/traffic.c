/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/sim.h>

#include "forward.h"
#include "shunt_wait.h"

#define QUIET_NS   50000000   /* device time without a frame after which none comes */
#define MISSING_NS 1950000000 /* longer, if missing frames may wait in an emulator */
#define POLL_NS    1000000
#define SOON_NS    5000000
#define POLLS_MAX  60000 /* for an lcore that has stopped polling */
#define ROUNDS_MAX 1000  /* for frames that do not stop */

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

static bool endpoint_soon(void *context, uint64_t now)
{
	struct forward_port *port = context;
	const uint64_t resumed = shunt_tester_resumed(port->run->tester);

	return resumed > now && resumed - now < shunt_clock_from_ns(SOON_NS);
}

static void endpoint_receive(void *context, uint64_t now, const void *frame, uint32_t length)
{
	struct forward_port *port = context;

	shunt_tester_receive(port->run->tester, now, frame, length);
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
			.soon = run->options->cold_ns ? endpoint_soon : NULL,
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
		ret = forward_measurement_make(run);
	if (!ret)
		shunt_group_observe(run->group, shunt_fault_log_since, run->faults);
	return ret;
}

/* Frames seen by the lcores and the tester: while it grows, frames are in flight. */
static uint64_t moved(struct forward *run)
{
	uint64_t frames = forward_returned(run);

	for (unsigned int i = 0; i < run->count; i++) {
		frames += atomic_load_explicit(&run->ports[i].rx, memory_order_relaxed);
		frames += atomic_load_explicit(&run->ports[i].tx, memory_order_relaxed);
	}
	return frames;
}

/* The current round may have passed a port already: wait for two. */
static void wait_for_lcore(struct forward *run, enum forward_lcore lcore)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	_Atomic uint64_t *rounds = &run->lcores[lcore].rounds;
	const uint64_t wanted = atomic_load_explicit(rounds, memory_order_acquire) + 2;

	for (unsigned int i = 0;
		i < POLLS_MAX && atomic_load_explicit(rounds, memory_order_acquire) < wanted; i++)
		nanosleep(&pause, NULL);
}

/* Waits for device time, however slow the machine, then for the lcores to collect what arrived. */
static void wait(struct forward *run, uint64_t ns)
{
	shunt_wait_sleep(run->platform, ns);
	wait_for_lcore(run, FORWARD_WORKER);
	if (run->source == FORWARD_TESTER)
		wait_for_lcore(run, FORWARD_SENDING);
}

static void disconnect(struct forward *run)
{
	for (unsigned int i = 0; run->source == FORWARD_WIRES && i < run->count; i++)
		shunt_sim_connect(run->platform, run->ports[i].function, NULL);
}

void forward_traffic_end(struct forward *run)
{
	unsigned int rounds = 0;
	uint64_t before;

	shunt_tester_stop(run->tester);
	do {
		before = moved(run);
		wait(run, QUIET_NS);
		if (run->source != FORWARD_WIRES && moved(run) == before && forward_missing(run))
			wait(run, MISSING_NS);
	} while (moved(run) != before && ++rounds < ROUNDS_MAX);
	disconnect(run);
}

void forward_traffic_free(struct forward *run)
{
	disconnect(run); /* if the run failed before its traffic began */
	if (run->group)
		shunt_group_observe(run->group, NULL, NULL);
	for (unsigned int i = 0; i < run->count; i++)
		shunt_watch_fini(&run->ports[i].watch);
	forward_measurement_free(run);
	shunt_fault_log_destroy(run->faults);
	shunt_tester_destroy(run->tester);
	run->faults = NULL;
	run->tester = NULL;
}
