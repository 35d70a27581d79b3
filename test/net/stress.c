/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * usage: test_net_stress [SECONDS [SEED]]     or SHUNT_STRESS_SECONDS, SHUNT_STRESS_SEED
 *
 * Everything at once on the ports of a group (stress.h), on each kind of IOMMU and NIC. Between two
 * phases all threads rest. Then the group must be on one hwpt, and frames must pass every port in
 * both directions. In the end no buffer and no object may be missing.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "net.h"
#include "rte_net_shunt.h"
#include "stress.h"

#define SECONDS     "10"
#define PHASE_MS    400
#define BUFFERS     4095
#define FLOW_FRAMES 100 /* more than the rings held when the phase ended */
#define FLOW_S      30  /* for the slowest sanitizer on the busiest machine */
#define SWITCHERS   2

/** What a phase is like. */
struct phase {
	const char *name;
	enum stress_load load;
	bool polled, filling, cut;
};

static const struct phase phases[] = {
	{ "no traffic, rings empty", STRESS_NOTHING, true, false, false },
	{ "some traffic", STRESS_PACED, true, false, false },
	{ "saturation", STRESS_SATURATING, true, false, false },
	{ "nobody polls, receive rings full", STRESS_SATURATING, false, false, false },
	{ "no link, transmit rings full", STRESS_NOTHING, true, true, true },
	{ "saturation, transmit rings full too", STRESS_SATURATING, true, true, false },
};

struct stress stress;
static struct stress_actor self, control_actors[STRESS_PORTS];

static void start_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	if (pthread_create(thread, NULL, run, arg))
		stress_fail("no more threads");
}

static void shape_traffic(const struct phase *phase)
{
	stress.polled = phase->polled;
	stress.filling = phase->filling;
	stress.cut = phase->cut;
	__atomic_store_n(&stress.load, phase->load, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < STRESS_PORTS; i++)
		stress_connect(&stress.ports[i], !phase->cut);
	stress.stop = false;
}

static void start_workers(pthread_t *workers)
{
	for (unsigned int i = 0; i < STRESS_WORKERS; i++)
		start_thread(&workers[i], stress_worker, (void *)(uintptr_t)i);
}

static void join(const pthread_t *threads, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void run_phase(const struct phase *phase)
{
	pthread_t workers[STRESS_WORKERS], switchers[SWITCHERS], controls[STRESS_PORTS];

	shape_traffic(phase);
	start_workers(workers);
	for (unsigned int i = 0; i < SWITCHERS; i++)
		start_thread(&switchers[i], stress_switcher, (void *)(uintptr_t)i);
	for (unsigned int i = 0; i < STRESS_PORTS; i++)
		start_thread(&controls[i], stress_control, &stress.ports[i]);
	stress_at(&self, phase->name);
	rte_delay_us_sleep(PHASE_MS * 1000);
	stress_tell(&stress.stop, true);
	join(controls, STRESS_PORTS);
	join(switchers, SWITCHERS);
	join(workers, STRESS_WORKERS);
}

/* Waits until enough frames have come in from each port's wire, and have gone out to it. */
static void check_flow(const struct phase *phase)
{
	uint64_t received[STRESS_PORTS], delivered[STRESS_PORTS];
	uint64_t limit = shunt_clock_now() + shunt_clock_from_ns(FLOW_S * 1000000000ull);
	bool all = false;

	for (unsigned int i = 0; i < STRESS_PORTS; i++) {
		const struct stress_port *port = &stress.ports[i];

		received[i] = __atomic_load_n(&port->received, __ATOMIC_RELAXED);
		delivered[i] = __atomic_load_n(&port->delivered, __ATOMIC_RELAXED);
	}
	while (!all) {
		all = true;
		rte_delay_us_sleep(1000);
		stress_at(&self, "waiting for frames");
		for (unsigned int i = 0; i < STRESS_PORTS; i++) {
			const struct stress_port *port = &stress.ports[i];
			uint64_t in =
				__atomic_load_n(&port->received, __ATOMIC_RELAXED) - received[i];
			uint64_t out =
				__atomic_load_n(&port->delivered, __ATOMIC_RELAXED) - delivered[i];

			if (in >= FLOW_FRAMES && out >= FLOW_FRAMES)
				continue;
			all = false;
			if (shunt_clock_now() > limit)
				stress_fail("after '%s': %s received %" PRIu64 " and sent %" PRIu64
					    " frames in %u s",
					phase->name, port->function, in, out, FLOW_S);
		}
	}
}

/* All threads rest. The group must be on the one hwpt that it reports, and every port must run. */
static void check_rest(const struct phase *phase)
{
	static const struct phase flow = { "rest", STRESS_SATURATING, true, false, false };
	struct shunt_switch_result result;
	pthread_t workers[STRESS_WORKERS];
	struct shunt_sim_objects objects;
	struct shunt_space *to;

	stress_at(&self, "settling");
	for (unsigned int i = 0; i < STRESS_PORTS; i++)
		stress_settle(&stress.ports[i]);
	shape_traffic(&flow);
	start_workers(workers);
	stress_at(&self, "last switch");
	to = shunt_group_space(stress.group) == stress.spaces[0] ? stress.spaces[1]
								 : stress.spaces[0];
	if (shunt_group_switch(
		    stress.group, to, (enum shunt_plan)stress_random(&self, SHUNT_PLANS), &result))
		stress_fail("after '%s': %s", phase->name, shunt_errmsg());
	if (shunt_group_space(stress.group) != to || result.member_count != STRESS_PORTS)
		stress_fail("after '%s': %u members, on another space", phase->name,
			result.member_count);
	for (unsigned int i = 0; i < STRESS_PORTS; i++) {
		if (result.members[i].hwpt_id != result.to_hwpt)
			stress_fail("after '%s': %s is on hwpt %u", phase->name,
				result.members[i].function, result.members[i].hwpt_id);
	}
	shunt_sim_objects(stress.sim, &objects);
	if (objects.devices != STRESS_PORTS || objects.ioas != STRESS_SPACES ||
		objects.hwpt != STRESS_SPACES)
		stress_fail("after '%s': %u devices, %u IOASes, %u hwpts", phase->name,
			objects.devices, objects.ioas, objects.hwpt);
	check_flow(phase);
	stress_tell(&stress.stop, true);
	join(workers, STRESS_WORKERS);
}

static void create_port(unsigned int index)
{
	struct stress_port *port = &stress.ports[index];

	port->index = index;
	port->control = &control_actors[index];
	port->control->operations = 0;
	snprintf(port->function, sizeof(port->function), "0000:%02x:00.0", 3 + index);
	snprintf(port->name, sizeof(port->name), "net_shunt%u", index);
	stress_begin(port->control, "control", index);
	stress_settle(port);
}

static void create(enum shunt_sim_iommu iommu, enum shunt_sim_nic nic)
{
	static const char *const names[STRESS_SPACES] = { RTE_NET_SHUNT_FIRST_SPACE, "b", "c" };
	int ret;

	memset(&stress, 0, sizeof(stress));
	stress.config = (struct shunt_sim_config){
		.groups = 1, .ports = STRESS_PORTS, .iommu = iommu, .nic = nic
	};
	stress.pool = rte_pktmbuf_pool_create_by_ops("stress", BUFFERS, 0, 0,
		RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY, stress_pool_ops());
	if (!stress.pool)
		stress_fail("no memory for %u buffers", BUFFERS);
	ret = shunt_sim_create(&stress.config, &stress.sim);
	if (!ret)
		ret = rte_net_shunt_platform(stress.sim);
	if (ret)
		stress_fail("%s", shunt_errmsg());
	for (unsigned int i = 0; i < STRESS_PORTS; i++)
		create_port(i);
	ret = rte_net_shunt_group(stress.ports[0].id, &stress.group);
	stress.spaces[0] = shunt_space_find(rte_net_shunt_spaces(), names[0]);
	for (unsigned int i = 1; !ret && i < STRESS_SPACES; i++) {
		ret = shunt_space_create(rte_net_shunt_spaces(), names[i], &stress.spaces[i]);
		if (!ret)
			ret = shunt_group_prepare(stress.group, stress.spaces[i]);
	}
	if (ret)
		stress_fail("%s", shunt_errmsg());
}

static void destroy(void)
{
	static const struct shunt_sim_objects none;
	struct shunt_sim_objects objects;
	unsigned int back;

	for (unsigned int i = 0; i < STRESS_PORTS; i++)
		stress_close(&stress.ports[i]);
	for (unsigned int i = 0; i < STRESS_PORTS; i++)
		stress_at(stress.ports[i].control, NULL);
	back = rte_mempool_avail_count(stress.pool);
	if (back != BUFFERS)
		stress_fail("%u buffers of %u came back", back, BUFFERS);
	shunt_sim_objects(stress.sim, &objects);
	if (memcmp(&objects, &none, sizeof(none)) != 0)
		stress_fail("left: %u descriptors, %u IOASes, %u hwpts, %u devices, %u mappings, "
			    "%u regions",
			objects.descriptors, objects.ioas, objects.hwpt, objects.devices,
			objects.mappings, objects.regions);
	rte_net_shunt_platform(NULL);
	shunt_platform_destroy(stress.sim);
	rte_mempool_free(stress.pool);
}

static void run(enum shunt_sim_iommu iommu, enum shunt_sim_nic nic, uint64_t ns)
{
	uint64_t start = shunt_clock_now(), operations = 0;
	struct shunt_platform_info info;
	unsigned int done = 0;

	create(iommu, nic);
	/* Each phase runs once, however short the run is. */
	while (done < RTE_DIM(phases) || shunt_clock_now() - start < shunt_clock_from_ns(ns)) {
		const struct phase *phase = &phases[done++ % RTE_DIM(phases)];

		run_phase(phase);
		check_rest(phase);
	}
	for (unsigned int i = 0; i < STRESS_PORTS; i++)
		operations += stress.ports[i].control->operations;
	stress.sim->ops->info(stress.sim, NULL, &info);
	printf("%s, %s: %u phases, %" PRIu64 " switches, %" PRIu64 " operations on ports\n",
		info.iommu, info.nic, done, stress.switches, operations);
	fflush(stdout);
	stress_at(&self, "ending");
	destroy();
}

static uint64_t number(int argc, char **argv, int index, const char *variable, const char *usual)
{
	const char *text = getenv(variable);

	if (!text)
		text = argc > index ? argv[index] : usual;
	return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
	static const enum shunt_sim_iommu iommus[] = { SHUNT_SIM_BLOCKING, SHUNT_SIM_HITLESS };
	static const enum shunt_sim_nic nics[] = { SHUNT_SIM_DROP, SHUNT_SIM_WEDGE };
	uint64_t seconds = number(argc, argv, 1, "SHUNT_STRESS_SECONDS", SECONDS);
	uint64_t seed = number(argc, argv, 2, "SHUNT_STRESS_SEED", "0");

	if (!seed)
		seed = (uint64_t)time(NULL);
	printf("%" PRIu64 " s, seed %" PRIu64 "\n", seconds, seed);
	fflush(stdout);
	net_eal_start(argv[0]);
	stress_watch(seed);
	stress_begin(&self, "main", 0);
	for (unsigned int i = 0; i < 4; i++)
		run(iommus[i / 2], nics[i % 2], seconds * 1000000000ull / 4);
	return 0;
}
