/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/vfio.h>
#include <time.h>

#include <rte_pause.h>

#include "igb.h"
#include "shunt_clock.h"
#include "shunt_error.h"

#define RESET_NS           1000000ull /* 4.2.1.6: leave the port alone after CTRL.RST */
#define SPINS_BEFORE_SLEEP 16
#define SLEEP_NS           20000ull

void igb_access_begin(struct igb_port *port)
{
	port->access_error = 0;
	port->silent = false;
}

int igb_access_end(struct igb_port *port)
{
	return port->access_error;
}

uint32_t igb_read(struct igb_port *port, uint32_t reg)
{
	uint32_t value;

	if (port->access_error)
		return UINT32_MAX;
	port->access_error =
		shunt_vfio_read(&port->port.device, &port->bar0_region, reg, &value, sizeof(value));
	return port->access_error ? UINT32_MAX : rte_le_to_cpu_32(value);
}

void igb_write(struct igb_port *port, uint32_t reg, uint32_t value)
{
	uint32_t bytes = rte_cpu_to_le_32(value);

	if (port->access_error)
		return;
	port->access_error = shunt_vfio_write(
		&port->port.device, &port->bar0_region, reg, &bytes, sizeof(bytes));
}

void igb_sleep_ns(uint64_t ns)
{
	struct timespec time = { .tv_sec = 0, .tv_nsec = (long)ns };

	nanosleep(&time, NULL);
}

int igb_wait(struct igb_port *port, uint32_t reg, uint32_t mask, uint32_t value, uint64_t ns,
	const char *what)
{
	uint64_t limit = shunt_clock_now() + shunt_clock_from_ns(ns);
	unsigned int tries = 0;
	uint32_t last;

	while (((last = igb_read(port, reg)) & mask) != value) {
		if (port->access_error)
			return port->access_error;
		if (shunt_clock_now() > limit)
			return shunt_fail(-ETIMEDOUT,
				"%s: waited %u us for %s (register %#06x still %#010x)",
				port->port.device.function, (unsigned int)(ns / 1000), what, reg,
				last);
		if (tries++ < SPINS_BEFORE_SLEEP)
			rte_pause();
		else
			igb_sleep_ns(SLEEP_NS);
	}
	return port->access_error;
}

void igb_hw_look(struct igb_port *port)
{
	port->reports_auto_read = igb_read(port, SHUNT_82576_EEC) & SHUNT_82576_EEC_AUTO_RD;
}

int igb_hw_wait_ready(struct igb_port *port)
{
	if (!port->reports_auto_read)
		return port->access_error;
	return igb_wait(port, SHUNT_82576_EEC, SHUNT_82576_EEC_AUTO_RD, SHUNT_82576_EEC_AUTO_RD,
		IGB_WAIT_NS, "the EEPROM to be read after reset");
}

static void mask_interrupts(struct igb_port *port)
{
	igb_write(port, SHUNT_82576_IMC, UINT32_MAX);
	igb_write(port, SHUNT_82576_EIMC, UINT32_MAX);
	igb_read(port, SHUNT_82576_ICR);
}

int igb_hw_quiet(struct igb_port *port)
{
	int ret;

	mask_interrupts(port);
	igb_hw_receive(port, false);
	igb_hw_transmit(port, false);
	/* 5.2.3.3: no new requests, then those in flight. A wedged function may never get there:
	 * then the reset that follows has to do. */
	igb_write(port, SHUNT_82576_CTRL,
		igb_read(port, SHUNT_82576_CTRL) | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	ret = igb_await(port, SHUNT_82576_STATUS, SHUNT_82576_STATUS_GIO_MASTER_ENABLE, 0,
		"DMA in flight to end");
	if (ret != -ETIMEDOUT)
		return ret;
	SHUNT_LOG(NOTICE, "%s; it has to be reset", shunt_errmsg());
	return igb_access_end(port);
}

int igb_hw_reset(struct igb_port *port)
{
	int ret;

	ret = igb_hw_quiet(port);
	if (ret)
		return ret;
	igb_write(port, SHUNT_82576_CTRL,
		(igb_read(port, SHUNT_82576_CTRL) & ~SHUNT_82576_CTRL_GIO_MASTER_DISABLE) |
			SHUNT_82576_CTRL_RST);
	igb_sleep_ns(RESET_NS);
	ret = igb_wait(port, SHUNT_82576_CTRL, SHUNT_82576_CTRL_RST, 0, IGB_WAIT_NS,
		"the port's reset to end");
	if (!ret)
		ret = igb_hw_wait_ready(port);
	if (ret)
		return ret;
	mask_interrupts(port);
	igb_witness_configure(port);
	return igb_access_end(port);
}

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

int igb_hw_configure(struct igb_port *port)
{
	uint32_t control;

	igb_hw_receive(port, false);
	igb_hw_addresses(port);
	igb_filter_configure(port);
	igb_write(port, SHUNT_82576_RLPML, port->max_frame);
	igb_rss_configure(port);

	control = igb_read(port, SHUNT_82576_CTRL_EXT);
	if (control & SHUNT_82576_CTRL_EXT_LINK_MODE_MASK)
		return port->access_error ? port->access_error
					  : shunt_fail(-ENOTSUP,
						    "%s: this port is not on its copper PHY "
						    "(CTRL_EXT %#010x); "
						    "SerDes and SGMII are not driven",
						    port->port.device.function, control);
	igb_write(port, SHUNT_82576_CTRL_EXT, control | SHUNT_82576_CTRL_EXT_DRV_LOAD);

	igb_hw_control(port);
	igb_interrupts_configure(port);
	return igb_phy_start(port);
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

void igb_hw_link(struct igb_port *port, struct rte_eth_link *link)
{
	uint32_t status = igb_read(port, SHUNT_82576_STATUS);

	*link = (struct rte_eth_link){ .link_autoneg = RTE_ETH_LINK_AUTONEG,
		.link_speed = RTE_ETH_SPEED_NUM_NONE,
		.link_duplex = RTE_ETH_LINK_HALF_DUPLEX,
		.link_status = RTE_ETH_LINK_DOWN };
	if (port->access_error || !(status & SHUNT_82576_STATUS_LU))
		return;
	link->link_status = RTE_ETH_LINK_UP;
	if (status & SHUNT_82576_STATUS_FD)
		link->link_duplex = RTE_ETH_LINK_FULL_DUPLEX;
	switch (status & SHUNT_82576_STATUS_SPEED_MASK) {
	case SHUNT_82576_STATUS_SPEED_10:
		link->link_speed = RTE_ETH_SPEED_NUM_10M;
		break;
	case SHUNT_82576_STATUS_SPEED_100:
		link->link_speed = RTE_ETH_SPEED_NUM_100M;
		break;
	default:
		link->link_speed = RTE_ETH_SPEED_NUM_1G;
	}
}
