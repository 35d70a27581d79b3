/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <sys/param.h>

#include <shunt/error.h>

#include "shunt_processor.h"
#include "shunt_thread.h"
#include "sim_nic.h"

#define IDLE_SLEEP 256u /* rounds over all ports without work before the engine sleeps */
#define SLEEP_NS   20000

/*
 * Longest time of a round, with the nap before it, that counts as the devices' time. In the rest
 * the thread had no processor, or served ports that a waiter does not wait for.
 */
#define ROUND_NS 50000

struct sim_engine {
	struct sim *sim;
	pthread_t thread;
	atomic_bool stop;
};

static unsigned int transmit(struct sim_nic *nic)
{
	uint32_t queues = nic->tx_enabled;
	uint32_t first = queues & ~0u << nic->tx_first, others = queues & ~first;
	unsigned int work = 0;

	/* Only the engine holds two locks, so their order does not matter. */
	if (nic->peer)
		sim_nic_enter(nic->peer);
	for (; first != 0; first &= first - 1)
		work += sim_tx_turn(nic, (unsigned int)__builtin_ctz(first), SIM_NIC_BURST);
	for (; others != 0; others &= others - 1)
		work += sim_tx_turn(nic, (unsigned int)__builtin_ctz(others), SIM_NIC_BURST);
	if (nic->peer)
		sim_nic_unlock(nic->peer);
	return work;
}

unsigned int sim_nic_turn(struct sim_nic *nic)
{
	unsigned int work = 0;

	sim_iommu_service(&nic->sim->iommu);
	sim_nic_enter(nic);
	if (unlikely(nic->pending))
		sim_nic_apply(nic);
	if (unlikely(nic->fifo.frames != 0))
		work += sim_rx_drain(nic, SIM_NIC_DRAIN);
	if (sim_nic_transmits(nic) && nic->tx_enabled)
		work += transmit(nic);
	if (nic->connected)
		work += sim_wire_receive(nic, SIM_NIC_BURST);
	if (nic->rx_causes | nic->tx_causes)
		sim_nic_interrupt_queues(nic);
	sim_nic_unlock(nic);
	return work;
}

/*
 * Sleep rather than yield: on a processor shared with a thread that polls, a yield gives that
 * thread its whole slice, while the end of a sleep takes the processor back.
 */
static void back_off(struct sim *sim, unsigned int idle)
{
	const struct timespec nap = { .tv_nsec = SLEEP_NS };

	if (idle < IDLE_SLEEP) {
		shunt_relax();
	} else {
		sim_iommu_asleep(&sim->iommu);
		nanosleep(&nap, NULL);
		sim_iommu_awake(&sim->iommu);
	}
}

static void count_round(struct sim *sim, uint64_t *last, uint64_t most)
{
	uint64_t now = shunt_clock_now();
	uint64_t time = atomic_load_explicit(&sim->time, memory_order_relaxed);

	/* Release order: a thread that sees the time sees what the round did. */
	atomic_store_explicit(&sim->time, time + MIN(now - *last, most), memory_order_release);
	*last = now;
}

static void *engine_main(void *arg)
{
	struct sim_engine *engine = arg;
	struct sim *sim = engine->sim;
	uint64_t most = shunt_clock_from_ns(ROUND_NS), last = shunt_clock_now();
	unsigned int idle = 0, work, i;

	shunt_thread_prompt();
	sim_iommu_awake(&sim->iommu);
	while (!atomic_load_explicit(&engine->stop, memory_order_acquire)) {
		work = 0;
		for (i = 0; i < sim->function_count; i++)
			work += sim_nic_turn(sim->functions[i].nic);
		count_round(sim, &last, most);
		if (work) {
			idle = 0;
		} else {
			back_off(sim, idle);
			idle = MIN(idle + 1, IDLE_SLEEP);
		}
	}
	sim_iommu_asleep(&sim->iommu);
	return NULL;
}

int sim_engine_start(struct sim *sim)
{
	struct sim_engine *engine;
	int err;

	engine = calloc(1, sizeof(*engine));
	if (!engine)
		return -ENOMEM;
	engine->sim = sim;
	err = pthread_create(&engine->thread, NULL, engine_main, engine);
	if (err) {
		free(engine);
		return shunt_fail_errno(-err, "sim: starting the engine's thread");
	}
	pthread_setname_np(engine->thread, "sim-engine");
	sim->engine = engine;
	return 0;
}

void sim_engine_stop(struct sim *sim)
{
	if (!sim->engine)
		return;
	atomic_store_explicit(&sim->engine->stop, true, memory_order_release);
	pthread_join(sim->engine->thread, NULL);
	free(sim->engine);
	sim->engine = NULL;
}
