/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include <shunt/clock.h>
#include <shunt/sim.h>

#include "forward.h"
#include "shunt_wait.h"

#define QUIET_NS   50000000   /* device time without a frame after which none comes */
#define MISSING_NS 1950000000 /* longer, if missing frames may wait in an emulator */
#define POLL_NS    1000000
#define SOON_NS    5000000
#define POLLS_MAX  60000 /* for an lcore that has stopped polling */
#define ROUNDS_MAX 1000  /* for frames that do not stop */

int forward_traffic_make(const struct forward_options *options, struct shunt_traffic *frames)
{
	if (options->pcap)
		return shunt_traffic_pcap(options->pcap, frames);
	if (options->imix)
		return shunt_traffic_imix(frames);
	return shunt_traffic_fixed(options->size, frames);
}

static const void *endpoint_send(void *context, uint64_t now, bool ready, uint32_t *length)
{
	struct forward_port *port = context;

	return shunt_tester_send(port->traffic->tester,
		(unsigned int)(port - port->traffic->ports->list), now, ready, length);
}

static bool endpoint_soon(void *context, uint64_t now)
{
	struct forward_port *port = context;
	const uint64_t resumed = shunt_tester_resumed(port->traffic->tester);

	return resumed > now && resumed - now < shunt_clock_from_ns(SOON_NS);
}

static void endpoint_receive(void *context, uint64_t now, const void *frame, uint32_t length)
{
	struct forward_port *port = context;

	shunt_tester_receive(port->traffic->tester, now, frame, length);
}

int forward_traffic_connect(struct forward_traffic *traffic)
{
	const struct forward_config *config = traffic->config;
	struct forward_ports *ports = traffic->ports;
	int ret;

	ret = shunt_tester_create(
		ports->count, &traffic->frames, config->options->rate, &traffic->tester);
	for (unsigned int i = 0; i < ports->count && !ret; i++) {
		struct forward_port *port = &ports->list[i];
		struct shunt_sim_endpoint endpoint = {
			.context = port,
			.send = endpoint_send,
			.soon = config->options->cold_ns ? endpoint_soon : NULL,
			.receive = endpoint_receive,
		};

		port->traffic = traffic;
		ret = shunt_watch_init(&port->watch, (uint16_t)i);
		if (!ret && config->source == FORWARD_WIRES)
			ret = shunt_sim_connect(config->platform, port->function, &endpoint);
	}
	return ret;
}

/* Frames seen by the lcores and the tester: while it grows, frames are in flight. */
static uint64_t moved(const struct forward_traffic *traffic)
{
	uint64_t frames = forward_returned(traffic);

	for (unsigned int i = 0; i < traffic->ports->count; i++) {
		frames += atomic_load_explicit(&traffic->ports->list[i].rx, memory_order_relaxed);
		frames += atomic_load_explicit(&traffic->ports->list[i].tx, memory_order_relaxed);
	}
	return frames;
}

/* The current round may have passed a port already: wait for two. */
static void wait_for_lcore(struct forward_traffic *traffic, enum forward_lcore lcore)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	_Atomic uint64_t *rounds = &traffic->lcores[lcore].rounds;
	const uint64_t wanted = atomic_load_explicit(rounds, memory_order_acquire) + 2;

	for (unsigned int i = 0;
		i < POLLS_MAX && atomic_load_explicit(rounds, memory_order_acquire) < wanted; i++)
		nanosleep(&pause, NULL);
}

/* Waits for device time, however slow the machine, then for the lcores to collect what arrived. */
static void wait(struct forward_traffic *traffic, uint64_t ns)
{
	shunt_wait_sleep(traffic->config->platform, ns);
	wait_for_lcore(traffic, FORWARD_WORKER);
	if (traffic->config->source == FORWARD_TESTER)
		wait_for_lcore(traffic, FORWARD_SENDING);
}

static void disconnect(const struct forward_traffic *traffic)
{
	const struct forward_config *config = traffic->config;

	for (unsigned int i = 0; config->source == FORWARD_WIRES && i < traffic->ports->count; i++)
		shunt_sim_connect(config->platform, traffic->ports->list[i].function, NULL);
}

void forward_traffic_end(struct forward_traffic *traffic)
{
	unsigned int rounds = 0;
	uint64_t before;

	shunt_tester_stop(traffic->tester);
	do {
		before = moved(traffic);
		wait(traffic, QUIET_NS);
		if (traffic->config->source != FORWARD_WIRES && moved(traffic) == before &&
			forward_missing(traffic))
			wait(traffic, MISSING_NS);
	} while (moved(traffic) != before && ++rounds < ROUNDS_MAX);
	disconnect(traffic);
}

void forward_traffic_free(struct forward_traffic *traffic)
{
	disconnect(traffic); /* if the run failed before its traffic began */
	for (unsigned int i = 0; i < traffic->ports->count; i++)
		shunt_watch_fini(&traffic->ports->list[i].watch);
	shunt_tester_destroy(traffic->tester);
	traffic->tester = NULL;
}
