/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <shunt/error.h>

#include "igb_pf.h"

/* Addresses, filters, receiver and transmitter, EEPROM. */

void igb_hw_address(struct igb_port *port, uint32_t index, const struct rte_ether_addr *address)
{
	const uint8_t *byte = address ? address->addr_bytes : NULL;

	/* The pair is valid by RAH.AV: clear it before the low half changes, 8.10.10. */
	igb_write(port, SHUNT_82576_RAH(index), 0);
	if (!byte || rte_is_zero_ether_addr(address))
		return;
	igb_write(port, SHUNT_82576_RAL(index),
		(uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 |
			(uint32_t)byte[3] << 24);
	igb_write(port, SHUNT_82576_RAH(index),
		(uint32_t)byte[4] | (uint32_t)byte[5] << 8 | SHUNT_82576_RAH_AV);
}

void igb_hw_addresses(struct igb_port *port)
{
	for (uint32_t i = 0; i < SHUNT_82576_ADDRESSES; i++)
		igb_hw_address(port, i, &port->addresses[i]);
}

void igb_hw_receive(struct igb_port *port, bool enable)
{
	uint32_t control = SHUNT_82576_RCTL_BAM | SHUNT_82576_RCTL_LPE;

	if (enable)
		control |= SHUNT_82576_RCTL_EN;
	if (!port->keep_crc)
		control |= SHUNT_82576_RCTL_SECRC;
	if (port->vlan_filter)
		control |= SHUNT_82576_RCTL_VFE;
	if (port->loopback)
		control |= SHUNT_82576_RCTL_LBM_MAC;
	if (port->promiscuous)
		control |= SHUNT_82576_RCTL_UPE | SHUNT_82576_RCTL_MPE;
	if (port->all_multicast)
		control |= SHUNT_82576_RCTL_MPE;
	igb_write(port, SHUNT_82576_RCTL, control);
}

void igb_hw_transmit(struct igb_port *port, bool enable)
{
	/* 8.12.1: collision threshold 15 and distance 64 are the values for half duplex at any
	 * speed; full duplex does not use them. */
	uint32_t control = SHUNT_82576_TCTL_PSP | SHUNT_82576_TCTL_RTLC |
			   15u << SHUNT_82576_TCTL_CT_SHIFT | 64u << SHUNT_82576_TCTL_BST_SHIFT;

	if (enable)
		control |= SHUNT_82576_TCTL_EN;
	igb_write(port, SHUNT_82576_TCTL, control);
}

/* Speed and duplex come from the PHY; frames may start when it has negotiated, 4.5.7. */
void igb_hw_control(struct igb_port *port)
{
	uint32_t control = igb_read(port, SHUNT_82576_CTRL);

	control &= ~(SHUNT_82576_CTRL_FRCSPD | SHUNT_82576_CTRL_FRCDPX | SHUNT_82576_CTRL_VME |
		     SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	control |= SHUNT_82576_CTRL_SLU;
	if (port->vlan_strip)
		control |= SHUNT_82576_CTRL_VME;
	port->control = control;
	igb_write(port, SHUNT_82576_CTRL, control);
}

/* EERD, 8.4.2. */
int igb_hw_eeprom(struct igb_port *port, uint32_t word, uint16_t *value)
{
	int ret;

	igb_write(port, SHUNT_82576_EERD,
		word << SHUNT_82576_EERD_ADDR_SHIFT | SHUNT_82576_EERD_START);
	ret = igb_wait(port, SHUNT_82576_EERD, SHUNT_82576_EERD_DONE, SHUNT_82576_EERD_DONE,
		IGB_WAIT_NS, "a word of the EEPROM");
	if (!ret)
		*value =
			(uint16_t)(igb_read(port, SHUNT_82576_EERD) >> SHUNT_82576_EERD_DATA_SHIFT);
	return ret ? ret : port->access_error;
}

int igb_hw_own_address(struct igb_port *port, struct rte_ether_addr *address)
{
	uint32_t low = igb_read(port, SHUNT_82576_RAL(0));
	uint32_t high = igb_read(port, SHUNT_82576_RAH(0));
	uint32_t lan;
	int ret = port->access_error;

	for (unsigned int i = 0; i < 4; i++)
		address->addr_bytes[i] = (uint8_t)(low >> (8 * i));
	address->addr_bytes[4] = (uint8_t)high;
	address->addr_bytes[5] = (uint8_t)(high >> 8);
	if (ret || ((high & SHUNT_82576_RAH_AV) && rte_is_valid_assigned_ether_addr(address)))
		return ret;

	for (uint32_t i = 0; !ret && i < 3; i++) {
		uint16_t word;

		ret = igb_hw_eeprom(port, SHUNT_82576_EEPROM_MAC + i, &word);
		if (ret)
			break;
		address->addr_bytes[2 * i] = (uint8_t)word;
		address->addr_bytes[2 * i + 1] = (uint8_t)(word >> 8);
	}
	/* 6.1.1: the second port's address is the first one's with the last bit inverted. */
	lan = igb_read(port, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_LAN_ID_MASK;
	if (lan)
		address->addr_bytes[5] ^= 1;
	if (!ret && !port->access_error && !rte_is_valid_assigned_ether_addr(address))
		return shunt_fail(-EIO,
			"%s: neither RAL(0) nor the EEPROM has an Ethernet address: is the EEPROM "
			"programmed?",
			port->port.device.function);
	return ret ? ret : port->access_error;
}

static void write_table(struct igb_port *port, uint32_t reg, const uint32_t *table, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		igb_write(port, reg + i * sizeof(*table), table[i]);
}

void igb_hw_multicast(struct igb_port *port)
{
	write_table(port, SHUNT_82576_MTA(0), port->multicast, SHUNT_82576_MTA_SIZE);
}

/* Without RCTL.VFE the VLANs are not looked at. */
void igb_hw_vlans(struct igb_port *port)
{
	if (port->vlan_filter)
		write_table(port, SHUNT_82576_VFTA(0), port->vlans, SHUNT_82576_VFTA_SIZE);
}
