/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <shunt/error.h>

#include "igb.h"

/* Registers shown to whoever looks for what is wrong, and the version that the EEPROM names. */

/**
 * Runs of registers in the order of the dump. Those that a read changes are not among them: causes
 * of interrupts, statistics, the semaphore.
 */
static const struct run {
	uint32_t reg;
	uint32_t count;
	uint32_t stride;
} runs[] = {
	{ SHUNT_82576_CTRL, 1, 4 },
	{ SHUNT_82576_STATUS, 1, 4 },
	{ SHUNT_82576_CTRL_EXT, 1, 4 },
	{ SHUNT_82576_MDIC, 1, 4 },
	{ SHUNT_82576_VET, 1, 4 },
	{ SHUNT_82576_EEC, 1, 4 },
	{ SHUNT_82576_FWSM, 1, 4 },
	{ SHUNT_82576_IMS, 1, 4 },
	{ SHUNT_82576_GPIE, 1, 4 },
	{ SHUNT_82576_EIMS, 1, 4 },
	{ SHUNT_82576_EIAC, 1, 4 },
	{ SHUNT_82576_EIAM, 1, 4 },
	{ SHUNT_82576_EITR(0), IGB_VECTORS, 4 },
	{ SHUNT_82576_IVAR(0), 8, 4 },
	{ SHUNT_82576_IVAR_MISC, 1, 4 },
	{ SHUNT_82576_RCTL, 1, 4 },
	{ SHUNT_82576_RXCSUM, 1, 4 },
	{ SHUNT_82576_RLPML, 1, 4 },
	{ SHUNT_82576_RFCTL, 1, 4 },
	{ SHUNT_82576_MRQC, 1, 4 },
	{ SHUNT_82576_RETA(0), SHUNT_82576_RETA_ENTRIES / 4, 4 },
	{ SHUNT_82576_RAL(0), 32, 4 },
	{ SHUNT_82576_RAL(16), 16, 4 },
	{ SHUNT_82576_MTA(0), SHUNT_82576_MTA_SIZE, 4 },
	{ SHUNT_82576_VFTA(0), SHUNT_82576_VFTA_SIZE, 4 },
	{ SHUNT_82576_RDBAL(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_RDBAH(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_RDLEN(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_SRRCTL(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_RDH(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_RDT(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_RXDCTL(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_TCTL, 1, 4 },
	{ SHUNT_82576_TIPG, 1, 4 },
	{ SHUNT_82576_TDBAL(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_TDBAH(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_TDLEN(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_TDH(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_TDT(0), SHUNT_82576_QUEUES, 0x40 },
	{ SHUNT_82576_TXDCTL(0), SHUNT_82576_QUEUES, 0x40 },
};

static uint32_t registers(void)
{
	uint32_t count = 0;

	for (size_t i = 0; i < RTE_DIM(runs); i++)
		count += runs[i].count;
	return count;
}

static void read_all(struct igb_port *port, uint32_t *values)
{
	for (size_t i = 0; i < RTE_DIM(runs); i++) {
		for (uint32_t n = 0; n < runs[i].count; n++)
			*values++ = igb_read(port, runs[i].reg + n * runs[i].stride);
	}
}

int igb_get_reg(struct rte_eth_dev *dev, struct rte_dev_reg_info *info)
{
	uint32_t length = info->length;
	struct igb_port *port;

	info->width = sizeof(uint32_t);
	info->version = SHUNT_82576_DEVICE;
	if (!info->data) {
		info->length = registers();
		return 0;
	}
	if (info->offset || (length && length != registers()))
		return igb_log_error(
			dev, shunt_fail(-ENOTSUP, "registers are read all at once: %u of them",
				     registers()));
	port = igb_control_begin(dev);
	read_all(port, info->data);
	return igb_control_end(dev, igb_access_end(port));
}

int igb_fw_version_get(struct rte_eth_dev *dev, char *version, size_t size)
{
	struct igb_port *port = igb_control_begin(dev);
	uint16_t word = 0;
	int ret, length;

	ret = igb_control_end(dev, igb_hw_eeprom(port, SHUNT_82576_EEPROM_VERSION, &word));
	if (ret)
		return ret;
	length = snprintf(version, size, "%u.%u.%u", word >> 12, word >> 4 & 0xFFu, word & 0xFu);
	return length >= 0 && (size_t)length < size ? 0 : length + 1;
}
