/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim_nic.h"

#define QUEUE_SIZE SHUNT_82576_QUEUE_REGISTERS_SIZE

/* Registers of a queue, from its first one. */
enum queue_register {
	BAL = 0x00,
	BAH = 0x04,
	LEN = 0x08,
	SRRCTL = 0x0C,
	HEAD = 0x10,
	TAIL = 0x18,
	DCTL = 0x28,
	RQDPC = 0x30,
	TDWBAL = 0x38,
	TDWBAH = 0x3C,
};

#define BASE_ALIGNMENT 127u /* RDBAL, TDBAL: low bits are not there, 8.10 and 8.12 */

static bool is_rx_queue(uint32_t offset)
{
	return offset >= SHUNT_82576_RX_QUEUE(0) && offset < SHUNT_82576_RX_QUEUE(SIM_NIC_QUEUES);
}

static bool is_tx_queue(uint32_t offset)
{
	return offset >= SHUNT_82576_TX_QUEUE(0) && offset < SHUNT_82576_TX_QUEUE(SIM_NIC_QUEUES);
}

/* What RDBAL, RDLEN and so on say counts from here on, also for a queue that runs already. */
static void write_ring(
	struct sim_nic *nic, struct sim_ring *ring, uint32_t offset, uint32_t place, uint32_t value)
{
	if (place == BAL)
		value &= ~BASE_ALIGNMENT;
	else if (place == LEN)
		value &= SHUNT_82576_RDLEN_MASK;
	if (place != HEAD)
		sim_register_set(nic, offset - place + HEAD, ring->head);
	sim_register_set(nic, offset, value);
	sim_ring_load(nic, ring, offset - place);
}

static void write_rx_queue(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	uint32_t index = (offset - SHUNT_82576_RX_QUEUE(0)) / QUEUE_SIZE;
	uint32_t place = offset % QUEUE_SIZE;
	struct sim_rx_queue *queue = &nic->rx[index];
	uint32_t bit = 1u << index;

	switch (place) {
	case BAL:
	case BAH:
	case LEN:
	case HEAD:
		write_ring(nic, &queue->ring, offset, place, value);
		break;
	case TAIL:
		__atomic_store_n(&nic->bar0[offset / 4], value, __ATOMIC_RELEASE);
		break;
	case SRRCTL:
		queue->buffer_size = (value & SHUNT_82576_SRRCTL_BSIZEPACKET_MASK) *
				     SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT;
		queue->drop_enable = value & SHUNT_82576_SRRCTL_DROP_EN;
		sim_register_set(nic, offset, value);
		break;
	case DCTL:
		nic->rx_wanted = value & SHUNT_82576_RXDCTL_ENABLE ? nic->rx_wanted | bit
								   : nic->rx_wanted & ~bit;
		nic->pending = true;
		value &= ~(SHUNT_82576_RXDCTL_ENABLE | SHUNT_82576_RXDCTL_SWFLUSH);
		if (queue->ring.enabled)
			value |= SHUNT_82576_RXDCTL_ENABLE;
		sim_register_set(nic, offset, value);
		break;
	case RQDPC:
		break;
	default:
		sim_register_set(nic, offset, value);
	}
}

static void write_tx_queue(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	uint32_t index = (offset - SHUNT_82576_TX_QUEUE(0)) / QUEUE_SIZE;
	uint32_t place = offset % QUEUE_SIZE;
	struct sim_tx_queue *queue = &nic->tx[index];
	uint32_t bit = 1u << index;
	uint32_t low;

	switch (place) {
	case BAL:
	case BAH:
	case LEN:
	case HEAD:
		write_ring(nic, &queue->ring, offset, place, value);
		break;
	case TAIL:
		__atomic_store_n(&nic->bar0[offset / 4], value, __ATOMIC_RELEASE);
		break;
	case DCTL:
		nic->tx_wanted = value & SHUNT_82576_TXDCTL_ENABLE ? nic->tx_wanted | bit
								   : nic->tx_wanted & ~bit;
		nic->pending = true;
		value &= ~(SHUNT_82576_TXDCTL_ENABLE | SHUNT_82576_TXDCTL_SWFLSH);
		if (queue->ring.enabled)
			value |= SHUNT_82576_TXDCTL_ENABLE;
		sim_register_set(nic, offset, value);
		break;
	case TDWBAL:
	case TDWBAH:
		sim_register_set(nic, offset, value);
		low = sim_register(nic, SHUNT_82576_TDWBAL(index));
		queue->head_writeback =
			low & SHUNT_82576_TDWBAL_HEAD_WB_EN
				? (uint64_t)sim_register(nic, SHUNT_82576_TDWBAH(index)) << 32 |
					  (low & ~3u)
				: 0;
		break;
	default:
		sim_register_set(nic, offset, value);
	}
}

bool sim_nic_queue_read(struct sim_nic *nic, uint32_t offset, uint32_t *value)
{
	uint32_t place = offset % QUEUE_SIZE;
	struct sim_rx_queue *queue;

	if (is_rx_queue(offset)) {
		queue = &nic->rx[(offset - SHUNT_82576_RX_QUEUE(0)) / QUEUE_SIZE];
		if (place == HEAD) {
			*value = queue->ring.head;
			return true;
		}
		if (place == RQDPC) {
			*value = queue->dropped;
			queue->dropped = 0;
			return true;
		}
	} else if (is_tx_queue(offset) && place == HEAD) {
		*value = nic->tx[(offset - SHUNT_82576_TX_QUEUE(0)) / QUEUE_SIZE].ring.head;
		return true;
	}
	return false;
}

bool sim_nic_queue_write(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	if (is_rx_queue(offset))
		write_rx_queue(nic, offset, value);
	else if (is_tx_queue(offset))
		write_tx_queue(nic, offset, value);
	else
		return false;
	return true;
}

/* Its link follows our PHY. */
static void update_peer(struct sim_nic *nic)
{
	if (!nic->peer)
		return;
	sim_nic_enter(nic->peer);
	sim_nic_update_link(nic->peer);
	sim_nic_unlock(nic->peer);
}

void sim_nic_apply(struct sim_nic *nic)
{
	struct sim_ring *ring;
	unsigned int i;
	bool wanted;

	nic->pending = false;
	update_peer(nic);
	for (i = 0; i < SIM_NIC_QUEUES; i++) {
		ring = &nic->rx[i].ring;
		wanted = nic->rx_wanted >> i & 1u;
		if (wanted != ring->enabled && !ring->wedged) {
			sim_register_set(nic, SHUNT_82576_RDH(i), ring->head);
			sim_ring_load(nic, ring, SHUNT_82576_RX_QUEUE(i));
			ring->enabled = wanted;
			nic->rx_enabled ^= 1u << i;
			sim_register_set(nic, SHUNT_82576_RXDCTL(i),
				sim_register(nic, SHUNT_82576_RXDCTL(i)) ^
					SHUNT_82576_RXDCTL_ENABLE);
		}
		ring = &nic->tx[i].ring;
		wanted = nic->tx_wanted >> i & 1u;
		if (wanted != ring->enabled && !ring->wedged) {
			sim_tx_forget(nic, &nic->tx[i]);
			memset(nic->tx[i].context, 0, sizeof(nic->tx[i].context));
			sim_register_set(nic, SHUNT_82576_TDH(i), ring->head);
			sim_ring_load(nic, ring, SHUNT_82576_TX_QUEUE(i));
			ring->enabled = wanted;
			nic->tx_enabled ^= 1u << i;
			sim_register_set(nic, SHUNT_82576_TXDCTL(i),
				sim_register(nic, SHUNT_82576_TXDCTL(i)) ^
					SHUNT_82576_TXDCTL_ENABLE);
		}
	}
}

void sim_nic_queues_reset(struct sim_nic *nic, bool function_level)
{
	struct sim_ring *ring;
	unsigned int i;

	nic->rx_wanted = nic->tx_wanted = 1; /* queue 0 is enabled by a reset, 8.10 and 8.12 */
	nic->rx_enabled = nic->tx_enabled = 0;
	for (i = 0; i < SIM_NIC_QUEUES; i++) {
		nic->rx[i].buffer_size = 0;
		nic->rx[i].drop_enable = false;
		nic->rx[i].dropped = 0;
		ring = &nic->rx[i].ring;
		ring->wedged = ring->wedged && !function_level;
		ring->enabled = i == 0 || ring->wedged;
		nic->rx_enabled |= (uint32_t)ring->enabled << i;
		sim_ring_load(nic, ring, SHUNT_82576_RX_QUEUE(i));
		sim_register_set(nic, SHUNT_82576_RXDCTL(i),
			(ring->enabled ? SHUNT_82576_RXDCTL_ENABLE : 0) |
				1u << SHUNT_82576_RXDCTL_WTHRESH_SHIFT);
		sim_tx_forget(nic, &nic->tx[i]);
		memset(nic->tx[i].context, 0, sizeof(nic->tx[i].context));
		nic->tx[i].head_writeback = 0;
		ring = &nic->tx[i].ring;
		ring->wedged = ring->wedged && !function_level;
		ring->enabled = i == 0 || ring->wedged;
		nic->tx_enabled |= (uint32_t)ring->enabled << i;
		sim_ring_load(nic, ring, SHUNT_82576_TX_QUEUE(i));
		sim_register_set(
			nic, SHUNT_82576_TXDCTL(i), ring->enabled ? SHUNT_82576_TXDCTL_ENABLE : 0);
	}
}
