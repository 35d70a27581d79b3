/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <rte_pause.h>

#include "shunt_error.h"
#include "shunt_thread.h"
#include "sim_nic.h"

#define IDLE_SLEEP 256u /* rounds over all ports without work before the engine sleeps */
#define SLEEP_NS   20000

struct sim_engine {
	struct sim *sim;
	pthread_t thread;
	atomic_bool stop;
};

static unsigned int transmit(struct sim_nic *nic)
{
	uint32_t queues = nic->tx_enabled;
	unsigned int work = 0;

	/* Only the engine holds two locks, so their order does not matter. */
	if (nic->peer)
		sim_nic_enter(nic->peer);
	for (; queues != 0; queues &= queues - 1)
		work += sim_tx_turn(nic, (unsigned int)__builtin_ctz(queues), SIM_NIC_BURST);
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
	if (nic->transmitting && sim_nic_makes_dma(nic) && nic->tx_enabled)
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
		rte_pause();
	} else {
		sim_iommu_asleep(&sim->iommu);
		nanosleep(&nap, NULL);
		sim_iommu_awake(&sim->iommu);
	}
}

static void *engine_main(void *arg)
{
	struct sim_engine *engine = arg;
	struct sim *sim = engine->sim;
	unsigned int idle = 0, work, i;

	shunt_thread_prompt();
	sim_iommu_awake(&sim->iommu);
	while (!atomic_load_explicit(&engine->stop, memory_order_acquire)) {
		work = 0;
		for (i = 0; i < sim->function_count; i++)
			work += sim_nic_turn(sim->functions[i].nic);
		if (work) {
			idle = 0;
		} else {
			back_off(sim, idle);
			idle = RTE_MIN(idle + 1, IDLE_SLEEP);
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
		return shunt_fail(-ENOMEM, "no memory for the engine");
	engine->sim = sim;
	err = pthread_create(&engine->thread, NULL, engine_main, engine);
	if (err) {
		free(engine);
		return shunt_fail_errno(-err, "starting the engine thread");
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
