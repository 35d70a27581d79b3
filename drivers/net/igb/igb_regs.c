/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <shunt/error.h>

#include "igb.h"

/* Registers shown to whoever looks for what is wrong, and the version that the EEPROM names. */

static uint32_t count_of(const struct igb_hw *hw)
{
	uint32_t count = 0;

	for (unsigned int i = 0; i < hw->register_count; i++)
		count += hw->registers[i].count;
	return count;
}

static void read_all(struct igb_port *port, uint32_t *values)
{
	for (unsigned int i = 0; i < port->hw->register_count; i++) {
		const struct igb_register_run *run = &port->hw->registers[i];

		for (uint32_t n = 0; n < run->count; n++)
			*values++ = igb_read(port, run->reg + n * run->stride);
	}
}

int igb_get_reg(struct rte_eth_dev *dev, struct rte_dev_reg_info *info)
{
	uint32_t count = count_of(igb_port_of(dev)->hw), length = info->length;
	struct igb_port *port;

	info->width = sizeof(uint32_t);
	info->version = igb_port_of(dev)->hw->device;
	if (!info->data) {
		info->length = count;
		return 0;
	}
	if (info->offset || (length && length != count))
		return igb_log_error(dev,
			shunt_fail(-ENOTSUP, "registers are read all at once: %u of them", count));
	port = igb_control_begin(dev);
	read_all(port, info->data);
	return igb_control_end(dev, igb_access_end(port));
}

int igb_fw_version_get(struct rte_eth_dev *dev, char *version, size_t size)
{
	struct igb_port *port;
	uint16_t word = 0;
	int ret, length;

	if (!igb_port_of(dev)->hw->firmware)
		return -ENOTSUP;
	port = igb_control_begin(dev);
	ret = igb_control_end(dev, port->hw->firmware(port, &word));
	if (ret)
		return ret;
	length = snprintf(version, size, "%u.%u.%u", word >> 12, word >> 4 & 0xFFu, word & 0xFu);
	return length >= 0 && (size_t)length < size ? 0 : length + 1;
}
