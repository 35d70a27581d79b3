/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"

/** The port's own xstats, which follow those of the registers. */
enum {
	RX_DISCARDED,
	RX_NO_BUFFERS,
	RX_QUEUE_DROPS,
	TX_UNSENDABLE,
	RECOVERIES,
	LIVENESS_CHECKS,
	REPAIRED,
	QUEUE_RESETS,
	PORT_RESETS,
	FUNCTION_RESETS,
	RX_RESET_DROPPED,
	TX_RESET_DROPPED,
};

_Static_assert(TX_RESET_DROPPED + 1 == IGB_OWN_COUNTERS, "room for the port's own counters");

/** What recovery did, and what the queues count beside frames and bytes. */
static const char *const own_names[] = {
	"rx_damaged_packets",
	"rx_no_buffer_descriptors",
	"rx_queue_drop_packets",
	"tx_unsendable_packets",
	"recover_events",
	"recover_liveness_checks",
	"recover_repaired_descriptors",
	"recover_queue_resets",
	"recover_port_resets",
	"recover_function_resets",
	"recover_rx_dropped_packets",
	"recover_tx_dropped_packets",
};

_Static_assert(RTE_DIM(own_names) == IGB_OWN_COUNTERS, "a name for each");

#define XSTATS (IGB_XSTATS + SHUNT_PORT_XSTATS)

/* Since the last look. */
static uint64_t read_counter(struct igb_port *port, unsigned int i)
{
	const struct igb_counter *counter = &port->hw->counters[i];
	uint64_t value = igb_read(port, counter->reg);
	uint32_t last = port->counters_last[i];

	if (counter->high)
		value |= (uint64_t)igb_read(port, counter->high) << 32;
	if (port->hw->counters_clear || port->access_error)
		return value;
	port->counters_last[i] = (uint32_t)value;
	/* More than half of the way around: a reset has cleared it. */
	return (uint32_t)value - last > INT32_MAX ? value : (uint32_t)value - last;
}

void igb_stats_update(struct igb_port *port)
{
	for (unsigned int i = 0; i < port->hw->counter_count; i++) {
		uint64_t value = read_counter(port, i);

		if (port->access_error)
			return;
		port->counters[i] += value;
	}
	for (uint32_t i = 0; i < SHUNT_82576_QUEUES; i++) {
		uint32_t drops =
			port->rx[i] ? igb_read(port, igb_rx_reg(port, SHUNT_82576_RQDPC(0), i)) : 0;

		if (!port->access_error)
			port->queue_drops += drops;
	}
}

void igb_stats_restart(struct igb_port *port)
{
	for (unsigned int i = 0; i < port->hw->counter_count; i++)
		read_counter(port, i);
}

/* Of a running queue, or what was kept of those before. */
static struct igb_counts read_counts(const struct igb_counts *counts)
{
	return (struct igb_counts){
		.packets = IGB_COUNTED(counts->packets),
		.bytes = IGB_COUNTED(counts->bytes),
		.discarded = IGB_COUNTED(counts->discarded),
		.no_buffers = IGB_COUNTED(counts->no_buffers),
	};
}

struct igb_counts igb_stats_rx(const struct igb_port *port, unsigned int index)
{
	return read_counts(port->rx[index] ? &port->rx[index]->counts : &port->rx_counts[index]);
}

struct igb_counts igb_stats_tx(const struct igb_port *port, unsigned int index)
{
	return read_counts(port->tx[index] ? &port->tx[index]->counts : &port->tx_counts[index]);
}

/* Brings the counters up to date. A stopped NIC's registers were read when it stopped. */
static int update(struct igb_port *port)
{
	if (!port->started)
		return 0;
	igb_access_begin(port);
	igb_stats_update(port);
	return igb_access_end(port);
}

static void read_xstats(const struct igb_port *port, uint64_t values[IGB_XSTATS])
{
	const struct shunt_recovery *recovered = &port->recovered;
	uint64_t *own = values + port->hw->counter_count;

	memset(values, 0, IGB_XSTATS * sizeof(*values));
	memcpy(values, port->counters, port->hw->counter_count * sizeof(*values));
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		const struct igb_counts rx = igb_stats_rx(port, i);

		own[RX_DISCARDED] += rx.discarded;
		own[RX_NO_BUFFERS] += rx.no_buffers;
		own[TX_UNSENDABLE] += igb_stats_tx(port, i).discarded;
	}
	own[RX_QUEUE_DROPS] = port->queue_drops;
	own[RECOVERIES] = port->recoveries;
	own[LIVENESS_CHECKS] = port->liveness_checks;
	own[REPAIRED] = recovered->repaired_descriptors;
	own[QUEUE_RESETS] = recovered->queue_resets;
	own[PORT_RESETS] = recovered->port_resets;
	own[FUNCTION_RESETS] = recovered->function_resets;
	own[RX_RESET_DROPPED] = recovered->rx_dropped;
	own[TX_RESET_DROPPED] = recovered->tx_dropped;
}

/* The same since the last stats_reset. */
static void xstats_since_reset(const struct igb_port *port, uint64_t values[IGB_XSTATS])
{
	read_xstats(port, values);
	for (unsigned int i = 0; i < IGB_XSTATS; i++)
		values[i] -= port->xstats_base[i];
}

static uint64_t sum_of(
	const struct igb_port *port, const uint64_t *values, enum igb_counter_kind kind)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < port->hw->counter_count; i++)
		sum += port->hw->counters[i].kind == kind ? values[i] : 0;
	return sum;
}

int igb_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats SHUNT_QUEUE_STATS_ARGUMENT)
{
	struct igb_port *port = igb_port_of(dev);
	uint64_t xstats[IGB_XSTATS], *own = xstats + port->hw->counter_count;
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = update(port);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		const struct igb_counts rx = igb_stats_rx(port, i), tx = igb_stats_tx(port, i);
		const struct igb_counts *rx_base = &port->rx_base[i], *tx_base = &port->tx_base[i];

		stats->ipackets += rx.packets - rx_base->packets;
		stats->ibytes += rx.bytes - rx_base->bytes;
		stats->opackets += tx.packets - tx_base->packets;
		stats->obytes += tx.bytes - tx_base->bytes;
		if (i >= RTE_ETHDEV_QUEUE_STAT_CNTRS || !SHUNT_QUEUE_STATS(stats))
			continue;
		SHUNT_QUEUE_STATS(stats)->q_ipackets[i] = rx.packets - rx_base->packets;
		SHUNT_QUEUE_STATS(stats)->q_ibytes[i] = rx.bytes - rx_base->bytes;
		SHUNT_QUEUE_STATS(stats)->q_errors[i] = rx.discarded - rx_base->discarded;
		SHUNT_QUEUE_STATS(stats)->q_opackets[i] = tx.packets - tx_base->packets;
		SHUNT_QUEUE_STATS(stats)->q_obytes[i] = tx.bytes - tx_base->bytes;
	}
	xstats_since_reset(port, xstats);
	stats->imissed = sum_of(port, xstats, IGB_COUNTER_MISSED) + own[RX_QUEUE_DROPS] +
			 own[RX_RESET_DROPPED];
	stats->ierrors = sum_of(port, xstats, IGB_COUNTER_ERROR) + own[RX_DISCARDED];
	stats->rx_nombuf = own[RX_NO_BUFFERS];
	stats->oerrors = own[TX_UNSENDABLE] + own[TX_RESET_DROPPED];
	pthread_mutex_unlock(&port->lock);
	return ret;
}

int igb_stats_reset(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = update(port);
	if (ret)
		goto unlock;
	read_xstats(port, port->xstats_base);
	port->port.switches = (struct shunt_port_switches){ 0 };
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		port->rx_base[i] = igb_stats_rx(port, i);
		port->tx_base[i] = igb_stats_tx(port, i);
	}
unlock:
	pthread_mutex_unlock(&port->lock);
	return ret;
}

static unsigned int count_of(const struct igb_hw *hw)
{
	return hw->counter_count + IGB_OWN_COUNTERS + SHUNT_PORT_XSTATS;
}

int igb_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *values, unsigned int room)
{
	struct igb_port *port = igb_port_of(dev);
	unsigned int count = count_of(port->hw);
	uint64_t xstats[XSTATS];
	int ret;

	if (!values || room < count)
		return (int)count;
	pthread_mutex_lock(&port->lock);
	ret = update(port);
	xstats_since_reset(port, xstats);
	shunt_port_xstats(&port->port, xstats + count - SHUNT_PORT_XSTATS);
	pthread_mutex_unlock(&port->lock);
	for (unsigned int i = 0; i < count; i++)
		values[i] = (struct rte_eth_xstat){ .id = i, .value = xstats[i] };
	return ret ? ret : (int)count;
}

static const char *name_of(const struct igb_hw *hw, unsigned int i)
{
	if (i < hw->counter_count)
		return hw->counters[i].name;
	i -= hw->counter_count;
	return i < IGB_OWN_COUNTERS ? own_names[i] : shunt_port_xstat_name(i - IGB_OWN_COUNTERS);
}

int igb_xstats_names(const struct igb_hw *hw, struct rte_eth_xstat_name *names, unsigned int room)
{
	unsigned int count = count_of(hw);

	for (unsigned int i = 0; names && room >= count && i < count; i++)
		snprintf(names[i].name, sizeof(names[i].name), "%s", name_of(hw, i));
	return (int)count;
}

int igb_xstats_get_names(
	struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned int room)
{
	return igb_xstats_names(igb_port_of(dev)->hw, names, room);
}

/* Frames that the NIC took in and that did not come to memory: polled, discarded or in a ring. */
static uint64_t missing(const struct igb_port *port)
{
	uint64_t frames = sum_of(port, port->counters, IGB_COUNTER_GOOD_RX);

	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		const struct igb_counts counts = igb_stats_rx(port, i);

		frames -= counts.packets + counts.discarded;
		if (igb_rx_runs(port, i))
			frames -=
				igb_rx_ring_frames(port->rx[i], igb_rx_ring_completed(port->rx[i]));
	}
	return frames;
}

uint32_t igb_stats_baseline(struct igb_port *port)
{
	uint64_t before = port->missing_base;

	port->missing_base = missing(port);
	return (int64_t)(port->missing_base - before) > 0 ? (uint32_t)(port->missing_base - before)
							  : 0;
}
