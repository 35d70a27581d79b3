/* SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>

#include "sim_nic.h"

/* MSI-X by IVAR, EIMS and EICR: datasheet 7.3 and 8.8. */

static void change(struct sim_nic *nic, uint32_t offset, uint32_t clear, uint32_t set)
{
	sim_register_set(nic, offset, (sim_register(nic, offset) & ~clear) | set);
}

static void fire(struct sim_nic *nic, uint32_t vectors)
{
	const uint64_t one = 1;
	unsigned int i;

	change(nic, SHUNT_82576_EICR, vectors & sim_register(nic, SHUNT_82576_EIAC), 0);
	if (sim_register(nic, SHUNT_82576_GPIE) & SHUNT_82576_GPIE_EIAME)
		change(nic, SHUNT_82576_EIMS, vectors & sim_register(nic, SHUNT_82576_EIAM), 0);
	for (i = 0; i < SIM_NIC_VECTORS; i++)
		if ((vectors >> i & 1u) && nic->vector[i] >= 0 &&
			write(nic->vector[i], &one, sizeof(one)) != sizeof(one))
			continue; /* the counter is full, so the reader has its event */
}

static void signal_vectors(struct sim_nic *nic, uint32_t causes)
{
	uint32_t before = sim_register(nic, SHUNT_82576_EICR);
	uint32_t mask = sim_register(nic, SHUNT_82576_EIMS);

	sim_register_set(nic, SHUNT_82576_EICR, before | causes);
	fire(nic, causes & ~before & mask);
}

/* Vectors that are pending interrupt now. */
static void enable_vectors(struct sim_nic *nic, uint32_t vectors)
{
	uint32_t before = sim_register(nic, SHUNT_82576_EIMS);

	sim_register_set(nic, SHUNT_82576_EIMS, before | vectors);
	fire(nic, sim_register(nic, SHUNT_82576_EICR) & vectors & ~before);
}

static uint32_t vector_bit(uint32_t ivar, unsigned int shift)
{
	uint32_t entry = ivar >> shift & 0xFFu;

	return entry & SHUNT_82576_IVAR_VALID ? 1u << (entry & SHUNT_82576_IVAR_VECTOR) : 0;
}

void sim_nic_interrupt_queues(struct sim_nic *nic)
{
	uint32_t causes = 0;
	unsigned int i;
	uint32_t ivar;

	for (i = 0; i < SIM_NIC_QUEUES; i++) {
		ivar = sim_register(nic, SHUNT_82576_IVAR(i % 8));
		if (nic->rx_causes >> i & 1u)
			causes |= vector_bit(ivar, SHUNT_82576_IVAR_RX_SHIFT(i));
		if (nic->tx_causes >> i & 1u)
			causes |= vector_bit(ivar, SHUNT_82576_IVAR_TX_SHIFT(i));
	}
	nic->rx_causes = nic->tx_causes = 0;
	if (causes)
		signal_vectors(nic, causes);
}

void sim_nic_interrupt_other(struct sim_nic *nic, uint32_t cause)
{
	uint32_t icr = sim_register(nic, SHUNT_82576_ICR) | cause;

	sim_register_set(nic, SHUNT_82576_ICR, icr);
	if (icr & sim_register(nic, SHUNT_82576_IMS))
		signal_vectors(nic, vector_bit(sim_register(nic, SHUNT_82576_IVAR_MISC),
					    SHUNT_82576_IVAR_MISC_OTHER_SHIFT));
}

bool sim_nic_interrupt_write(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case SHUNT_82576_ICR:
		change(nic, offset, value, 0);
		return true;
	case SHUNT_82576_EICR:
		change(nic, offset, value & SHUNT_82576_EICR_MASK, 0);
		return true;
	case SHUNT_82576_ICS:
		sim_nic_interrupt_other(nic, value);
		return true;
	case SHUNT_82576_EICS:
		signal_vectors(nic, value & SHUNT_82576_EICR_MASK);
		return true;
	case SHUNT_82576_IMS:
		change(nic, offset, 0, value);
		return true;
	case SHUNT_82576_EIMS:
		enable_vectors(nic, value & SHUNT_82576_EICR_MASK);
		return true;
	case SHUNT_82576_IMC:
		change(nic, SHUNT_82576_IMS, value, 0);
		return true;
	case SHUNT_82576_EIMC:
		change(nic, SHUNT_82576_EIMS, value, 0);
		return true;
	default:
		return false;
	}
}
