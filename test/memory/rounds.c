/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mempools of every kind made and freed again and again, while frames go both ways and the ports
 * are switched: what is mapped comes back to what it was, no DMA is refused, no frame comes
 * changed.
 *
 *   rounds in-memory|no-huge address|file [--ports FUNCTION FUNCTION] [EAL's arguments...]
 *   rounds --list
 *
 * ROUNDS in the environment: how many, 1000 without.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>

#include "memory.h"

#define ROUNDS          1000
#define BURST           16
#define LENGTH          128
#define TRAFFIC_BUFFERS 1023
#define PAUSE_US        200
#define SWITCH_US       2000

struct run {
	struct memory_bench bench;
	bool stop;
	uint64_t received, changed, switches;
};

static bool stopped(const struct run *run)
{
	return __atomic_load_n(&run->stop, __ATOMIC_ACQUIRE);
}

static void send_some(struct run *run, uint16_t port, uint32_t *sequence)
{
	struct rte_mbuf *frames[BURST];
	uint16_t sent;

	if (rte_mempool_avail_count(run->bench.net.pool) < TRAFFIC_BUFFERS / 4)
		return;
	for (unsigned int i = 0; i < BURST; i++)
		frames[i] = net_frame(&run->bench.net, LENGTH, 1, (*sequence)++);
	sent = rte_eth_tx_burst(port, 0, frames, BURST);
	rte_pktmbuf_free_bulk(frames + sent, BURST - sent);
}

static void receive_some(struct run *run, uint16_t port)
{
	struct rte_mbuf *frames[BURST];
	uint16_t n = rte_eth_rx_burst(port, 0, frames, BURST);

	for (uint16_t i = 0; i < n; i++)
		run->changed += !net_frame_is(frames[i], LENGTH, net_frame_sequence(frames[i]));
	run->received += n;
	rte_pktmbuf_free_bulk(frames, n);
}

static void *traffic(void *context)
{
	struct run *run = context;
	uint32_t sequence = 0;

	while (!stopped(run)) {
		for (unsigned int i = 0; i < NET_PORTS; i++) {
			send_some(run, run->bench.net.port[i], &sequence);
			receive_some(run, run->bench.net.port[i]);
		}
		rte_delay_us_sleep(PAUSE_US);
	}
	return NULL;
}

static void *switching(void *context)
{
	struct run *run = context;

	while (!stopped(run)) {
		memory_switch(&run->bench, run->switches++ % 2 ? "a" : "b");
		rte_delay_us_sleep(SWITCH_US);
	}
	if (run->switches % 2)
		memory_switch(&run->bench, "a");
	return NULL;
}

static uint64_t mapped(struct run *run, const char *space)
{
	return shunt_space_mapped(shunt_space_find(run->bench.spaces, space));
}

static void make_and_free(struct run *run, const struct memory_kind *kind)
{
	struct memory_buffers buffers = { .bench = &run->bench };
	struct rte_mbuf *buffer;

	kind->create(&buffers);
	buffer = rte_pktmbuf_alloc(buffers.pool);
	MEMORY_MUST(buffer &&
			    memory_is_mapped(&run->bench, "a", buffer->buf_addr, buffer->buf_len) &&
			    memory_is_mapped(&run->bench, "b", buffer->buf_addr, buffer->buf_len),
		"%s: not mapped", kind->name);
	rte_pktmbuf_free(buffer);
	kind->destroy(&buffers);
}

static void rounds(struct run *run, const struct memory_kind *base, unsigned int count)
{
	static const char *const huge[] = { "in-memory", "anonymous", "external-pool", "heap",
		"zone" };
	static const char *const small[] = { "no-huge", "anonymous-no-huge", "external-no-huge",
		"heap-no-huge" };
	bool no_huge = strcmp(base->name, small[0]) == 0;
	const char *const *names = no_huge ? small : huge;
	unsigned int kinds = no_huge ? RTE_DIM(small) : RTE_DIM(huge);

	for (unsigned int i = 0; i < count; i++)
		make_and_free(run, memory_kind_find(names[i % kinds]));
}

int main(int argc, char **argv)
{
	static struct run run;
	const char *count = getenv("ROUNDS");
	const struct memory_kind *kind;
	uint64_t before, received, switches;
	pthread_t threads[2];
	char **functions = NULL;
	bool by_file;

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return printf("in-memory\nno-huge\n") < 0;
	MEMORY_MUST(argc >= 3, "usage: rounds in-memory|no-huge address|file [--ports ...] ...");
	kind = memory_kind_find(argv[1]);
	MEMORY_MUST(kind, "no kind '%s'", argv[1]);
	by_file = strcmp(argv[2], "file") == 0;
	argv += 3;
	if (*argv && strcmp(*argv, "--ports") == 0) {
		functions = argv + 1;
		argv += 3;
	}
	memory_eal_start(kind, argv);
	memory_open(&run.bench, functions, by_file);
	memory_start(&run.bench, rte_pktmbuf_pool_create("traffic", TRAFFIC_BUFFERS, 0, 0,
					 MEMORY_ROOM, SOCKET_ID_ANY));
	rounds(&run, kind, 5);
	before = mapped(&run, "a");
	MEMORY_MUST(pthread_create(&threads[0], NULL, traffic, &run) == 0 &&
			    pthread_create(&threads[1], NULL, switching, &run) == 0,
		"threads");
	rounds(&run, kind, count ? (unsigned int)strtoul(count, NULL, 10) : ROUNDS);
	__atomic_store_n(&run.stop, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < RTE_DIM(threads); i++)
		pthread_join(threads[i], NULL);
	received = run.received;
	switches = run.switches;
	memory_stop(&run.bench);
	printf("%s by %s: %lu KiB mapped before, %lu after; %lu frames, %lu switches, %u faults\n",
		kind->name, by_file ? "file" : "address", before >> 10, mapped(&run, "a") >> 10,
		received, switches, memory_faults(&run.bench));
	MEMORY_MUST(mapped(&run, "a") == before && mapped(&run, "b") == before, "mapped bytes");
	MEMORY_MUST(memory_faults(&run.bench) == 0, "faults");
	MEMORY_MUST(run.changed == 0, "%lu frames came changed", run.changed);
	MEMORY_MUST(received > 0 && switches > 10, "nothing happened meanwhile");
	rte_mempool_free(run.bench.net.pool);
	memory_close(&run.bench);
	return rte_eal_cleanup() ? 1 : 0;
}
