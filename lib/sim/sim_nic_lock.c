/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include "shunt_processor.h"
#include "sim_nic.h"

#define SPINS_BEFORE_SLEEP 200u
#define SLEEP_NS           20000

static void wait_a_little(unsigned int *spins)
{
	const struct timespec nap = { .tv_nsec = SLEEP_NS };

	shunt_relax();
	if (++*spins % SPINS_BEFORE_SLEEP == 0)
		nanosleep(&nap, NULL);
}

/* Reads before it writes, so that waiting does not take the cache line from the lock's holder. */
static bool try_lock(struct sim_nic *nic)
{
	return !atomic_load_explicit(&nic->lock.held, memory_order_relaxed) &&
	       !atomic_exchange_explicit(&nic->lock.held, true, memory_order_acquire);
}

void sim_nic_lock(struct sim_nic *nic)
{
	unsigned int spins = 0;

	if (try_lock(nic))
		return;
	atomic_fetch_add_explicit(&nic->lock.waiting, 1, memory_order_relaxed);
	while (!try_lock(nic))
		wait_a_little(&spins);
	atomic_fetch_sub_explicit(&nic->lock.waiting, 1, memory_order_relaxed);
}

void sim_nic_unlock(struct sim_nic *nic)
{
	atomic_store_explicit(&nic->lock.held, false, memory_order_release);
}

void sim_nic_enter(struct sim_nic *nic)
{
	unsigned int spins = 0;

	/* The bound keeps a waiting thread that lost its processor from stopping all traffic. */
	while (atomic_load_explicit(&nic->lock.waiting, memory_order_relaxed) != 0 &&
		spins < 2 * SPINS_BEFORE_SLEEP) {
		sim_iommu_service(&nic->sim->iommu);
		wait_a_little(&spins);
	}
	while (!try_lock(nic)) {
		sim_iommu_service(&nic->sim->iommu);
		wait_a_little(&spins);
	}
}
