/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/param.h>

#include "sim_nic.h"

#define QUEUE_SIZE SHUNT_82576_QUEUE_REGISTERS_SIZE

/* Queues 0 to 3 answer at two places. */
static uint32_t canonical(uint32_t offset)
{
	static const uint32_t alias[][2] = {
		{ SHUNT_82576_RX_QUEUE_ALIAS, SHUNT_82576_RX_QUEUE(0) },
		{ SHUNT_82576_TX_QUEUE_ALIAS, SHUNT_82576_TX_QUEUE(0) },
	};
	uint32_t queue, place;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		queue = (offset - alias[i][0]) / SHUNT_82576_QUEUE_ALIAS_STRIDE;
		place = (offset - alias[i][0]) % SHUNT_82576_QUEUE_ALIAS_STRIDE;
		if (offset >= alias[i][0] && queue < SHUNT_82576_QUEUE_ALIASES &&
			place < QUEUE_SIZE)
			return alias[i][1] + QUEUE_SIZE * queue + place;
	}
	return offset;
}

static void write_eerd(struct sim_nic *nic, uint32_t value)
{
	uint32_t word = (value & SHUNT_82576_EERD_ADDR_MASK) >> SHUNT_82576_EERD_ADDR_SHIFT;
	uint32_t data = word < SHUNT_82576_EEPROM_WORDS ? nic->eeprom[word] : 0xFFFFu;

	if (!(value & SHUNT_82576_EERD_START))
		return;
	sim_register_set(nic, SHUNT_82576_EERD,
		(value & SHUNT_82576_EERD_ADDR_MASK) | SHUNT_82576_EERD_DONE |
			data << SHUNT_82576_EERD_DATA_SHIFT);
}

static void write_ctrl(struct sim_nic *nic, uint32_t value)
{
	if (value & SHUNT_82576_CTRL_RST) {
		sim_nic_registers_reset(nic, false);
		return;
	}
	if (value & SHUNT_82576_CTRL_PHY_RST)
		sim_nic_phy_reset(nic);
	sim_register_set(nic, SHUNT_82576_CTRL, value & ~SHUNT_82576_CTRL_PHY_RST);
	sim_rx_update(nic);
	sim_nic_update_link(nic);
}

bool sim_nic_post_ctrl(struct sim_nic *nic, uint32_t value)
{
	uint32_t now = sim_register(nic, SHUNT_82576_CTRL);

	if ((now ^ value) & ~SHUNT_82576_CTRL_GIO_MASTER_DISABLE)
		return false;
	return __atomic_compare_exchange_n(&nic->bar0[SHUNT_82576_CTRL / 4], &now, value, false,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* DMA is made with the lock held: none is in flight now. */
static uint32_t read_status(const struct sim_nic *nic)
{
	bool disabled = sim_register(nic, SHUNT_82576_CTRL) & SHUNT_82576_CTRL_GIO_MASTER_DISABLE;

	return sim_register(nic, SHUNT_82576_STATUS) |
	       (disabled ? 0 : SHUNT_82576_STATUS_GIO_MASTER_ENABLE);
}

static void load_addresses(struct sim_nic *nic)
{
	unsigned int i;
	uint32_t high;

	nic->address_count = 0;
	for (i = 0; i < SHUNT_82576_ADDRESSES; i++) {
		high = sim_register(nic, SHUNT_82576_RAH(i));
		if (high & SHUNT_82576_RAH_AV)
			nic->addresses[nic->address_count++] =
				(uint64_t)(high & 0xFFFFu) << 32 |
				sim_register(nic, SHUNT_82576_RAL(i));
	}
}

/* Reads and clears. Registers stay at their highest value rather than wrap, datasheet 8.18. */
static uint32_t statistics_read(struct sim_nic *nic, uint32_t offset)
{
	uint32_t index = (offset - SHUNT_82576_STATISTICS) / 4;
	uint64_t *counter = &nic->counter[index];
	uint32_t value;

	switch (offset) {
	case SHUNT_82576_GORCL:
	case SHUNT_82576_GOTCL:
	case SHUNT_82576_TORL:
	case SHUNT_82576_TOTL:
		return (uint32_t)*counter;
	case SHUNT_82576_GORCH:
	case SHUNT_82576_GOTCH:
	case SHUNT_82576_TORH:
	case SHUNT_82576_TOTH:
		value = (uint32_t)(counter[-1] >> 32);
		counter[-1] = 0;
		return value;
	default:
		value = (uint32_t)MIN(*counter, (uint64_t)UINT32_MAX);
		*counter = 0;
		return value;
	}
}

uint32_t sim_nic_register_read(struct sim_nic *nic, uint32_t offset)
{
	uint32_t value;

	offset = canonical(offset);
	if (offset >= SHUNT_82576_STATISTICS && offset < SHUNT_82576_STATISTICS_END)
		return statistics_read(nic, offset);
	if (sim_nic_queue_read(nic, offset, &value))
		return value;
	value = sim_register(nic, offset);
	switch (offset) {
	case SHUNT_82576_STATUS:
		return read_status(nic);
	case SHUNT_82576_SWSM:
		sim_register_set(nic, offset, value | SHUNT_82576_SWSM_SMBI);
		return value;
	case SHUNT_82576_ICR:
	case SHUNT_82576_EICR:
		sim_register_set(nic, offset, 0);
		return value;
	default:
		return value;
	}
}

void sim_nic_register_write(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	offset = canonical(offset);
	if (offset >= SHUNT_82576_STATISTICS && offset < SHUNT_82576_STATISTICS_END)
		return;
	if (sim_nic_interrupt_write(nic, offset, value))
		return;
	if (sim_nic_queue_write(nic, offset, value))
		return;
	switch (offset) {
	case SHUNT_82576_CTRL:
		write_ctrl(nic, value);
		return;
	case SHUNT_82576_STATUS:
	case SHUNT_82576_FWSM:
		return;
	case SHUNT_82576_MDIC:
		sim_nic_write_mdic(nic, value);
		return;
	case SHUNT_82576_EERD:
		write_eerd(nic, value);
		return;
	case SHUNT_82576_EEC:
		/* A request for the pins is granted; nothing is connected to them. */
		value &= SHUNT_82576_EEC_REQ;
		if (value)
			value |= SHUNT_82576_EEC_GNT;
		sim_register_set(nic, offset,
			value | SHUNT_82576_EEC_PRES | SHUNT_82576_EEC_AUTO_RD |
				2u << SHUNT_82576_EEC_SIZE_EX_SHIFT);
		return;
	case SHUNT_82576_RCTL:
		nic->receiving = value & SHUNT_82576_RCTL_EN;
		break;
	case SHUNT_82576_TCTL:
		nic->transmitting = value & SHUNT_82576_TCTL_EN;
		break;
	default:
		break;
	}
	sim_register_set(nic, offset, value);
	if (offset == SHUNT_82576_RCTL || offset == SHUNT_82576_MRQC ||
		offset == SHUNT_82576_RXCSUM ||
		(offset >= SHUNT_82576_RETA(0) && offset < SHUNT_82576_RSSRK(0)))
		sim_rx_update(nic);
	if (offset >= SHUNT_82576_RAL(0) && offset <= SHUNT_82576_RAH(SHUNT_82576_ADDRESSES - 1))
		load_addresses(nic);
}

void sim_nic_registers_reset(struct sim_nic *nic, bool function_level)
{
	static const uint32_t defaults[][2] = {
		{ SHUNT_82576_CTRL, SHUNT_82576_CTRL_FD | SHUNT_82576_CTRL_SPEED_1000 |
					    SHUNT_82576_CTRL_ADVD3WUC },
		{ SHUNT_82576_STATUS, SHUNT_82576_STATUS_PHYRA },
		{ SHUNT_82576_EEC, SHUNT_82576_EEC_PRES | SHUNT_82576_EEC_AUTO_RD |
					   2u << SHUNT_82576_EEC_SIZE_EX_SHIFT },
		{ SHUNT_82576_EEMNGCTL,
			SHUNT_82576_EEMNGCTL_CFG_DONE0 | SHUNT_82576_EEMNGCTL_CFG_DONE1 },
		{ SHUNT_82576_TCTL, SHUNT_82576_TCTL_PSP | 0xFu << SHUNT_82576_TCTL_CT_SHIFT |
					    0x40u << SHUNT_82576_TCTL_BST_SHIFT },
		{ SHUNT_82576_TIPG, SHUNT_82576_TIPG_DEFAULT },
		{ SHUNT_82576_RXCSUM, SHUNT_82576_RXCSUM_IPOFLD | SHUNT_82576_RXCSUM_TUOFLD },
		{ SHUNT_82576_RLPML, SHUNT_82576_RLPML_DEFAULT },
		{ SHUNT_82576_RXPBS, SHUNT_82576_RXPBS_DEFAULT },
		{ SHUNT_82576_TXPBS, SHUNT_82576_TXPBS_DEFAULT },
		{ SHUNT_82576_VET, 0x81008100u },
	};
	unsigned int i;

	nic->truth.rx_reset += nic->fifo.frames;
	nic->fifo.read = nic->fifo.used = nic->fifo.frames = 0;
	for (i = 0; i < SIM_NIC_BAR0_SIZE / 4; i++)
		__atomic_store_n(&nic->bar0[i], 0, __ATOMIC_RELAXED);
	for (i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		sim_register_set(nic, defaults[i][0], defaults[i][1]);
	sim_register_set(nic, SHUNT_82576_RAL(0),
		(uint32_t)nic->mac[0] | (uint32_t)nic->mac[1] << 8 | (uint32_t)nic->mac[2] << 16 |
			(uint32_t)nic->mac[3] << 24);
	sim_register_set(nic, SHUNT_82576_RAH(0),
		(uint32_t)nic->mac[4] | (uint32_t)nic->mac[5] << 8 | SHUNT_82576_RAH_AV);
	load_addresses(nic);
	sim_rx_update(nic);
	memset(nic->counter, 0, sizeof(nic->counter));
	nic->rx_causes = nic->tx_causes = 0;
	nic->receiving = nic->transmitting = false;
	sim_nic_queues_reset(nic, function_level);
	nic->pending = false;
	nic->wire_free = 0;
	sim_nic_phy_reset(nic);
	sim_nic_update_link(nic);
}
