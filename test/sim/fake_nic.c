/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_nic.h"

struct sim_nic {
	uint8_t bar0[SIM_NIC_BAR0_SIZE];
	int vectors[SIM_NIC_VECTORS];
	unsigned int resets;
};

int sim_nic_create(struct sim_function *function, unsigned int index)
{
	function->nic = calloc(1, sizeof(*function->nic));
	if (!function->nic)
		return -ENOMEM;
	for (unsigned int i = 0; i < SIM_NIC_VECTORS; i++)
		function->nic->vectors[i] = -1;
	return 0;
}

void sim_nic_destroy(struct sim_nic *nic)
{
	free(nic);
}

void *sim_nic_bar0(struct sim_nic *nic)
{
	return nic->bar0;
}

int sim_nic_read(struct sim_nic *nic, uint32_t index, uint64_t offset, void *buf, uint32_t length)
{
	if (index != 0)
		return -EINVAL;
	memcpy(buf, nic->bar0 + offset, length);
	return 0;
}

int sim_nic_write(
	struct sim_nic *nic, uint32_t index, uint64_t offset, const void *buf, uint32_t length)
{
	if (index != 0)
		return -EINVAL;
	memcpy(nic->bar0 + offset, buf, length);
	return 0;
}

void sim_nic_reset(struct sim_nic *nic)
{
	nic->resets++;
}

void sim_nic_vector(struct sim_nic *nic, uint32_t vector, int eventfd)
{
	nic->vectors[vector] = eventfd;
}

unsigned int fake_nic_resets(const struct sim_function *function)
{
	return function->nic->resets;
}

int fake_nic_vector(const struct sim_function *function, uint32_t vector)
{
	return function->nic->vectors[vector];
}

int sim_engine_start(struct sim *sim)
{
	return 0;
}

void sim_engine_stop(struct sim *sim)
{
}
