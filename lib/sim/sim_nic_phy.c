/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim_nic.h"

/* The PHY, which MDIC accesses, and the link of the wire. */

static uint32_t speed_bits(const struct sim_nic *nic)
{
	switch (nic->speed) {
	case 10:
		return SHUNT_82576_STATUS_SPEED_10;
	case 100:
		return SHUNT_82576_STATUS_SPEED_100;
	default:
		return SHUNT_82576_STATUS_SPEED_1000;
	}
}

void sim_nic_update_link(struct sim_nic *nic)
{
	const uint32_t link = SHUNT_82576_STATUS_LU | SHUNT_82576_STATUS_FD |
			      SHUNT_82576_STATUS_SPEED_MASK | SHUNT_82576_STATUS_TXOFF;
	const uint32_t tells = SHUNT_82576_STATUS_LU | SHUNT_82576_STATUS_SPEED_MASK;
	uint32_t control = sim_register(nic, SHUNT_82576_CTRL);
	uint32_t was = sim_register(nic, SHUNT_82576_STATUS), is = was & ~link;
	bool far_end = (nic->connected || (nic->peer && !atomic_load(&nic->peer->phy_off))) &&
		       !atomic_load(&nic->phy_off);

	if (far_end && (control & SHUNT_82576_CTRL_SLU)) {
		is |= SHUNT_82576_STATUS_LU | SHUNT_82576_STATUS_FD | speed_bits(nic);
		if (nic->held_back && (control & SHUNT_82576_CTRL_RFCE))
			is |= SHUNT_82576_STATUS_TXOFF;
	}
	nic->phy[SHUNT_82576_PHY_STATUS] =
		SHUNT_82576_PHY_STATUS_CAPABILITIES |
		(far_end ? SHUNT_82576_PHY_STATUS_LINK | SHUNT_82576_PHY_STATUS_AUTONEGOTIATE_DONE
			 : 0);
	/* What the far end offers: pause, and all speeds up to the wire's. */
	nic->phy[SHUNT_82576_PHY_PARTNER] = nic->speed == 10 ? 0x4461 : 0x45E1;
	nic->phy[SHUNT_82576_PHY_STATUS_1000] = nic->speed == SHUNT_SIM_SPEED_MAX ? 0x3800 : 0;
	sim_register_set(nic, SHUNT_82576_STATUS, is);
	if ((was ^ is) & tells)
		sim_nic_interrupt_other(nic, SHUNT_82576_ICR_LSC);
}

/* The peer has a lock of its own: the engine updates its link, sim_nic_apply(). */
static void phy_power(struct sim_nic *nic, bool off)
{
	if (atomic_exchange(&nic->phy_off, off) != off)
		nic->pending = true;
}

void sim_nic_phy_reset(struct sim_nic *nic)
{
	memset(nic->phy, 0, sizeof(nic->phy));
	phy_power(nic, false);
	nic->phy[SHUNT_82576_PHY_CONTROL] = SHUNT_82576_PHY_CONTROL_AUTONEGOTIATE |
					    SHUNT_82576_PHY_CONTROL_FULL_DUPLEX |
					    SHUNT_82576_PHY_CONTROL_SPEED_1000;
	nic->phy[SHUNT_82576_PHY_ID1] = SHUNT_82576_PHY_ID1_VALUE;
	nic->phy[SHUNT_82576_PHY_ID2] = SHUNT_82576_PHY_ID2_VALUE;
	nic->phy[SHUNT_82576_PHY_ADVERTISE] = 0x0DE1;    /* 10, 100, pause */
	nic->phy[SHUNT_82576_PHY_CONTROL_1000] = 0x0200; /* 1000BASE-T full duplex */
}

void sim_nic_write_mdic(struct sim_nic *nic, uint32_t value)
{
	uint32_t number = (value & SHUNT_82576_MDIC_REGADD_MASK) >> SHUNT_82576_MDIC_REGADD_SHIFT;
	uint32_t operation = value & SHUNT_82576_MDIC_OP_MASK;
	uint16_t data = (uint16_t)(value & SHUNT_82576_MDIC_DATA_MASK);

	value |= SHUNT_82576_MDIC_READY;
	if ((value & SHUNT_82576_MDIC_PHYADD_MASK) != SHUNT_82576_MDIC_PHYADD_OWN) {
		value |= SHUNT_82576_MDIC_ERROR;
	} else if (operation == SHUNT_82576_MDIC_OP_READ) {
		value = (value & ~SHUNT_82576_MDIC_DATA_MASK) | nic->phy[number];
	} else if (operation == SHUNT_82576_MDIC_OP_WRITE) {
		if (number == SHUNT_82576_PHY_CONTROL && (data & SHUNT_82576_PHY_CONTROL_RESET)) {
			sim_nic_phy_reset(nic);
			sim_nic_update_link(nic);
		} else if (number == SHUNT_82576_PHY_CONTROL) {
			nic->phy[number] = data & (uint16_t)~SHUNT_82576_PHY_CONTROL_RESTART;
			phy_power(nic, data & SHUNT_82576_PHY_CONTROL_POWER_DOWN);
			sim_nic_update_link(nic);
		} else if (number != SHUNT_82576_PHY_STATUS && number != SHUNT_82576_PHY_ID1 &&
			   number != SHUNT_82576_PHY_ID2) {
			nic->phy[number] = data;
		}
	}
	sim_register_set(nic, SHUNT_82576_MDIC, value);
}
