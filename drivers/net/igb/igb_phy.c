/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <shunt/error.h>

#include "igb_pf.h"

#define TRIES 50 /* for each semaphore; firmware holds one for well under a millisecond */

/*
 * Two semaphores, 4.7: SWSM orders the functions and firmware while SW_FW_SYNC says who has the
 * PHY.
 */
static int swsm_take(struct igb_port *port)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		if (!(igb_read(port, SHUNT_82576_SWSM) & SHUNT_82576_SWSM_SMBI) ||
			port->access_error)
			break;
		/* A driver that died with it held must not hold it for ever. */
		if (i + 1 == TRIES)
			SHUNT_LOG(NOTICE, "%s: SWSM.SMBI was left taken; using it",
				port->port.device.function);
		igb_sleep_ns(port, 50000);
	}
	for (unsigned int i = 0; i < TRIES; i++) {
		uint32_t value = igb_read(port, SHUNT_82576_SWSM) | SHUNT_82576_SWSM_SWESMBI;

		igb_write(port, SHUNT_82576_SWSM, value);
		if (port->access_error)
			return port->access_error;
		if (igb_read(port, SHUNT_82576_SWSM) & SHUNT_82576_SWSM_SWESMBI)
			return port->access_error;
		igb_sleep_ns(port, 50000);
	}
	return shunt_fail(-EBUSY, "%s: firmware does not give the semaphore SWSM.SWESMBI back",
		port->port.device.function);
}

static void swsm_give(struct igb_port *port)
{
	uint32_t value = igb_read(port, SHUNT_82576_SWSM);

	igb_write(port, SHUNT_82576_SWSM,
		value & ~(SHUNT_82576_SWSM_SMBI | SHUNT_82576_SWSM_SWESMBI));
}

static uint32_t phy_owner(struct igb_port *port)
{
	uint32_t status = igb_read(port, SHUNT_82576_STATUS);

	return status & SHUNT_82576_STATUS_LAN_ID_MASK ? SHUNT_82576_SW_FW_SYNC_PHY1
						       : SHUNT_82576_SW_FW_SYNC_PHY0;
}

static int phy_take(struct igb_port *port)
{
	uint32_t owner = phy_owner(port);

	for (unsigned int i = 0; i < TRIES; i++) {
		int ret = swsm_take(port);
		uint32_t sync;

		if (ret)
			return ret;
		sync = igb_read(port, SHUNT_82576_SW_FW_SYNC);
		if (!(sync & (owner | owner << SHUNT_82576_SW_FW_SYNC_FW_SHIFT))) {
			igb_write(port, SHUNT_82576_SW_FW_SYNC, sync | owner);
			swsm_give(port);
			return port->access_error;
		}
		swsm_give(port);
		igb_sleep_ns(port, 200000);
	}
	return shunt_fail(-EBUSY, "%s: another function or firmware holds the PHY (SW_FW_SYNC)",
		port->port.device.function);
}

static void phy_give(struct igb_port *port)
{
	uint32_t owner = phy_owner(port);

	if (swsm_take(port))
		return;
	igb_write(port, SHUNT_82576_SW_FW_SYNC, igb_read(port, SHUNT_82576_SW_FW_SYNC) & ~owner);
	swsm_give(port);
}

/* MDIC, 8.2.4. After a write the value is what was written. */
static int mdic(struct igb_port *port, uint32_t number, uint32_t command, uint16_t *value)
{
	uint32_t result;
	int ret;

	igb_write(port, SHUNT_82576_MDIC,
		command | number << SHUNT_82576_MDIC_REGADD_SHIFT | SHUNT_82576_MDIC_PHYADD_OWN);
	ret = igb_wait(port, SHUNT_82576_MDIC, SHUNT_82576_MDIC_READY, SHUNT_82576_MDIC_READY,
		IGB_WAIT_NS, "a PHY register");
	if (ret)
		return ret;
	result = igb_read(port, SHUNT_82576_MDIC);
	if (!port->access_error && (result & SHUNT_82576_MDIC_ERROR))
		return shunt_fail(-EIO, "%s: PHY register %u: MDIC reports an error",
			port->port.device.function, number);
	*value = (uint16_t)(result & SHUNT_82576_MDIC_DATA_MASK);
	return port->access_error;
}

/* @return whether it is as wanted, with nothing to be done */
static bool as_wanted(const struct igb_port *port, uint16_t control, uint16_t status)
{
	bool off = control & SHUNT_82576_PHY_CONTROL_POWER_DOWN;

	if (port->link_off || off)
		return port->link_off && off;
	return (control & SHUNT_82576_PHY_CONTROL_AUTONEGOTIATE) &&
	       (status & SHUNT_82576_PHY_STATUS_AUTONEGOTIATE_DONE);
}

/*
 * A PHY that has negotiated keeps its link over a reset of the port: restarting it would cost
 * seconds. QEMU: after CTRL.RST negotiation is not complete, and STATUS.LU comes only through a
 * restart; a PHY without power keeps its link.
 */
int igb_phy_start(struct igb_port *port)
{
	uint16_t control = 0, status = 0;
	int ret;

	ret = phy_take(port);
	if (ret)
		return ret;
	ret = mdic(port, SHUNT_82576_PHY_CONTROL, SHUNT_82576_MDIC_OP_READ, &control);
	if (ret)
		goto give;
	ret = mdic(port, SHUNT_82576_PHY_STATUS, SHUNT_82576_MDIC_OP_READ, &status);
	if (ret || as_wanted(port, control, status))
		goto give;
	if (port->link_off) {
		control |= SHUNT_82576_PHY_CONTROL_POWER_DOWN;
	} else {
		control &= (uint16_t)~SHUNT_82576_PHY_CONTROL_POWER_DOWN;
		control |= SHUNT_82576_PHY_CONTROL_AUTONEGOTIATE | SHUNT_82576_PHY_CONTROL_RESTART;
	}
	ret = mdic(port, SHUNT_82576_PHY_CONTROL, SHUNT_82576_MDIC_OP_WRITE | control, &control);
give:
	phy_give(port);
	return ret ? ret : igb_access_end(port);
}
