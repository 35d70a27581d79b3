/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAKE_NIC_H
#define FAKE_NIC_H

#include "sim.h"

/*
 * A NIC without registers and an engine without a thread, for tests of the IOMMU half of lib/sim:
 * the test's own threads are the engine.
 */

/** How often the function was reset. */
unsigned int fake_nic_resets(const struct sim_function *function);

/** The eventfd that a vector would signal; -1: none. */
int fake_nic_vector(const struct sim_function *function, uint32_t vector);

#endif
