/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <shunt/error.h>

#include "igb_pf.h"

/* Stopping DMA, reset, and set-up of a port but for its queues. */

#define RESET_NS 1000000ull /* 4.2.1.6: leave the port alone after CTRL.RST */

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

int igb_hw_stop_dma(struct igb_port *port)
{
	int ret;

	mask_interrupts(port);
	igb_hw_receive(port, false);
	igb_hw_transmit(port, false);
	/* 5.2.3.3: no new requests, then those in flight. A wedged function may never get there:
	 * then the reset that follows has to do. */
	igb_write(port, SHUNT_82576_CTRL,
		igb_read(port, SHUNT_82576_CTRL) | SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	ret = igb_canary_wait(port, SHUNT_82576_STATUS, SHUNT_82576_STATUS_GIO_MASTER_ENABLE, 0,
		"DMA in flight to end");
	if (ret != -ETIMEDOUT)
		return ret;
	if (!port->backoff.times)
		SHUNT_LOG(NOTICE, "%s; it has to be reset", shunt_errmsg());
	return igb_access_end(port);
}

int igb_hw_reset(struct igb_port *port)
{
	int ret;

	ret = igb_hw_stop_dma(port);
	if (ret)
		return ret;
	igb_write(port, SHUNT_82576_CTRL,
		(igb_read(port, SHUNT_82576_CTRL) & ~SHUNT_82576_CTRL_GIO_MASTER_DISABLE) |
			SHUNT_82576_CTRL_RST);
	igb_sleep_ns(port, RESET_NS);
	ret = igb_wait(port, SHUNT_82576_CTRL, SHUNT_82576_CTRL_RST, 0, IGB_WAIT_NS,
		"the port's reset to end");
	if (!ret)
		ret = igb_hw_wait_ready(port);
	if (ret)
		return ret;
	mask_interrupts(port);
	igb_canary_configure(port);
	return igb_access_end(port);
}

void igb_hw_interrupts(struct igb_port *port)
{
	const struct igb_interrupts *interrupts = &port->interrupts;
	uint32_t link = interrupts->link_on ? 1u << IGB_LINK_VECTOR : 0;
	uint32_t ivar[8] = { 0 };

	if (!interrupts->link_on && !interrupts->rx)
		return;
	igb_write(port, SHUNT_82576_GPIE,
		SHUNT_82576_GPIE_MULTIPLE_MSIX | SHUNT_82576_GPIE_NSICR | SHUNT_82576_GPIE_PBA);
	for (unsigned int i = 0; i < IGB_INTERRUPT_QUEUES; i++) {
		if (interrupts->rx_queues >> i & 1)
			ivar[i % 8] |= (SHUNT_82576_IVAR_VALID | IGB_RX_VECTOR(i))
				       << SHUNT_82576_IVAR_RX_SHIFT(i);
	}
	for (unsigned int i = 0; i < RTE_DIM(ivar); i++)
		igb_write(port, SHUNT_82576_IVAR(i), ivar[i]);
	igb_write(port, SHUNT_82576_IVAR_MISC,
		link ? (SHUNT_82576_IVAR_VALID | IGB_LINK_VECTOR)
				<< SHUNT_82576_IVAR_MISC_OTHER_SHIFT
		     : 0);
	igb_write(port, SHUNT_82576_EIAC, link | igb_rx_vectors(interrupts->rx_queues));
	igb_write(port, SHUNT_82576_EIMS, link | igb_rx_vectors(interrupts->rx_enabled));
	if (!link)
		return;
	/* It may have changed while nobody was told. */
	igb_write(port, SHUNT_82576_IMS, SHUNT_82576_ICR_LSC);
	igb_write(port, SHUNT_82576_ICS, SHUNT_82576_ICR_LSC);
}

int igb_hw_configure(struct igb_port *port)
{
	uint32_t control;

	igb_hw_receive(port, false);
	igb_hw_addresses(port);
	igb_hw_multicast(port);
	igb_hw_vlans(port);
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
	igb_hw_interrupts(port);
	return igb_phy_start(port);
}
