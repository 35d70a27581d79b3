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

/* Of RXDCTL and of TXDCTL. */
#define ENABLE         SHUNT_82576_TXDCTL_ENABLE
#define FLUSH          SHUNT_82576_TXDCTL_SWFLSH

#define BASE_ALIGNMENT 127u /* RDBAL, TDBAL: low bits are not there, 8.10 and 8.12 */

/* Whether it is a register of a queue, and of which; the first queue's begin at `first`. */
static bool queue_of(uint32_t offset, uint32_t first, uint32_t *index)
{
	*index = (offset - first) / QUEUE_SIZE;
	return offset >= first && *index < SIM_NIC_QUEUES;
}

/* New values of RDBAL, RDLEN and so on take effect at once, also for a running queue. */
static void write_ring(struct sim_nic *nic, struct sim_ring *ring, uint32_t offset, uint32_t value)
{
	uint32_t place = offset % QUEUE_SIZE;

	if (place == BAL)
		value &= ~BASE_ALIGNMENT;
	else if (place == LEN)
		value &= SHUNT_82576_RDLEN_MASK;
	if (place != HEAD)
		sim_register_set(nic, offset - place + HEAD, ring->head);
	sim_register_set(nic, offset, value);
	sim_ring_load(nic, ring, offset - place);
}

/* A register that queues of both directions have. @return false: it is another one */
static bool write_queue(struct sim_nic *nic, struct sim_ring *ring, uint32_t *wanted, uint32_t bit,
	uint32_t offset, uint32_t value)
{
	switch (offset % QUEUE_SIZE) {
	case BAL:
	case BAH:
	case LEN:
	case HEAD:
		write_ring(nic, ring, offset, value);
		return true;
	case TAIL:
		__atomic_store_n(&nic->bar0[offset / 4], value, __ATOMIC_RELEASE);
		return true;
	case DCTL:
		*wanted = value & ENABLE ? *wanted | bit : *wanted & ~bit;
		nic->pending = true;
		value &= ~(ENABLE | FLUSH);
		if (ring->enabled)
			value |= ENABLE;
		sim_register_set(nic, offset, value);
		return true;
	default:
		return false;
	}
}

static void write_rx_queue(struct sim_nic *nic, uint32_t index, uint32_t offset, uint32_t value)
{
	uint32_t place = offset % QUEUE_SIZE;
	struct sim_rx_queue *queue = &nic->rx[index];

	if (write_queue(nic, &queue->ring, &nic->rx_wanted, 1u << index, offset, value) ||
		place == RQDPC)
		return;
	sim_register_set(nic, offset, value);
	if (place == SRRCTL) {
		queue->buffer_size = (value & SHUNT_82576_SRRCTL_BSIZEPACKET_MASK) *
				     SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT;
		queue->drop_enable = value & SHUNT_82576_SRRCTL_DROP_EN;
	}
}

static void write_tx_queue(struct sim_nic *nic, uint32_t index, uint32_t offset, uint32_t value)
{
	uint32_t place = offset % QUEUE_SIZE;
	struct sim_tx_queue *queue = &nic->tx[index];
	uint32_t low;

	if (write_queue(nic, &queue->ring, &nic->tx_wanted, 1u << index, offset, value))
		return;
	sim_register_set(nic, offset, value);
	if (place == TDWBAL || place == TDWBAH) {
		low = sim_register(nic, SHUNT_82576_TDWBAL(index));
		queue->head_writeback =
			low & SHUNT_82576_TDWBAL_HEAD_WB_EN
				? (uint64_t)sim_register(nic, SHUNT_82576_TDWBAH(index)) << 32 |
					  (low & ~3u)
				: 0;
	}
}

bool sim_nic_queue_read(struct sim_nic *nic, uint32_t offset, uint32_t *value)
{
	uint32_t place = offset % QUEUE_SIZE, index;

	if (place == HEAD && queue_of(offset, SHUNT_82576_RX_QUEUE(0), &index)) {
		*value = nic->rx[index].ring.head;
	} else if (place == HEAD && queue_of(offset, SHUNT_82576_TX_QUEUE(0), &index)) {
		*value = nic->tx[index].ring.head;
	} else if (place == RQDPC && queue_of(offset, SHUNT_82576_RX_QUEUE(0), &index)) {
		*value = nic->rx[index].dropped;
		nic->rx[index].dropped = 0;
	} else {
		return false;
	}
	return true;
}

bool sim_nic_queue_write(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	uint32_t index;

	if (queue_of(offset, SHUNT_82576_RX_QUEUE(0), &index))
		write_rx_queue(nic, index, offset, value);
	else if (queue_of(offset, SHUNT_82576_TX_QUEUE(0), &index))
		write_tx_queue(nic, index, offset, value);
	else
		return false;
	return true;
}

/* The peer's link follows this NIC's PHY. */
static void update_peer(struct sim_nic *nic)
{
	if (!nic->peer)
		return;
	sim_nic_enter(nic->peer);
	sim_nic_update_link(nic->peer);
	sim_nic_unlock(nic->peer);
}

/* Enables or disables a queue whose registers begin at `queue`, as was asked for. */
static void apply(
	struct sim_nic *nic, struct sim_ring *ring, uint32_t queue, uint32_t *enabled, uint32_t bit)
{
	sim_register_set(nic, queue + HEAD, ring->head);
	sim_ring_load(nic, ring, queue);
	ring->enabled = !ring->enabled;
	*enabled ^= bit;
	sim_register_set(nic, queue + DCTL, sim_register(nic, queue + DCTL) ^ ENABLE);
}

static bool changes(const struct sim_ring *ring, bool wanted)
{
	return wanted != ring->enabled && !ring->wedged;
}

static void forget_tx(struct sim_nic *nic, struct sim_tx_queue *queue)
{
	sim_tx_forget(nic, queue);
	memset(queue->context, 0, sizeof(queue->context));
}

void sim_nic_apply(struct sim_nic *nic)
{
	nic->pending = false;
	update_peer(nic);
	for (unsigned int i = 0; i < SIM_NIC_QUEUES; i++) {
		struct sim_ring *rx = &nic->rx[i].ring, *tx = &nic->tx[i].ring;

		if (changes(rx, nic->rx_wanted >> i & 1u))
			apply(nic, rx, SHUNT_82576_RX_QUEUE(i), &nic->rx_enabled, 1u << i);
		if (changes(tx, nic->tx_wanted >> i & 1u)) {
			forget_tx(nic, &nic->tx[i]);
			apply(nic, tx, SHUNT_82576_TX_QUEUE(i), &nic->tx_enabled, 1u << i);
		}
	}
}

/* Queue 0 is enabled by a reset, 8.10 and 8.12. @return whether this one is */
static bool reset_ring(struct sim_nic *nic, struct sim_ring *ring, uint32_t queue, bool enable,
	bool function_level)
{
	ring->wedged = ring->wedged && !function_level;
	ring->enabled = enable || ring->wedged;
	sim_ring_load(nic, ring, queue);
	sim_register_set(nic, queue + DCTL, ring->enabled ? ENABLE : 0);
	return ring->enabled;
}

void sim_nic_queues_reset(struct sim_nic *nic, bool function_level)
{
	nic->rx_wanted = nic->tx_wanted = 1;
	nic->rx_enabled = nic->tx_enabled = 0;
	for (unsigned int i = 0; i < SIM_NIC_QUEUES; i++) {
		struct sim_rx_queue *rx = &nic->rx[i];
		struct sim_tx_queue *tx = &nic->tx[i];

		rx->buffer_size = 0;
		rx->drop_enable = false;
		rx->dropped = 0;
		if (reset_ring(nic, &rx->ring, SHUNT_82576_RX_QUEUE(i), i == 0, function_level))
			nic->rx_enabled |= 1u << i;
		sim_register_set(nic, SHUNT_82576_RXDCTL(i),
			sim_register(nic, SHUNT_82576_RXDCTL(i)) |
				1u << SHUNT_82576_RXDCTL_WTHRESH_SHIFT);
		forget_tx(nic, tx);
		tx->head_writeback = 0;
		if (reset_ring(nic, &tx->ring, SHUNT_82576_TX_QUEUE(i), i == 0, function_level))
			nic->tx_enabled |= 1u << i;
	}
}
