/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"

/** A statistics register, 8.18; they clear when read. */
struct register_counter {
	const char *name;
	uint32_t reg;  /**< low half of a pair */
	uint32_t high; /**< high half, 0: none; the pair clears with it */
};

enum { COUNTER_GOOD_RX = 0, COUNTER_MISSED, COUNTER_CRC, COUNTER_LENGTH, COUNTER_RX_ERROR };

static const struct register_counter registers[] = {
	[COUNTER_GOOD_RX] = { "rx_nic_good_packets", SHUNT_82576_GPRC, 0 },
	[COUNTER_MISSED] = { "rx_missed_packets", SHUNT_82576_MPC, 0 },
	[COUNTER_CRC] = { "rx_crc_errors", SHUNT_82576_CRCERRS, 0 },
	[COUNTER_LENGTH] = { "rx_length_errors", SHUNT_82576_RLEC, 0 },
	[COUNTER_RX_ERROR] = { "rx_symbol_errors", SHUNT_82576_RXERRC, 0 },
	{ "rx_align_errors", SHUNT_82576_ALGNERRC, 0 },
	{ "rx_no_descriptor_packets", SHUNT_82576_RNBC, 0 },
	{ "rx_nic_good_bytes", SHUNT_82576_GORCL, SHUNT_82576_GORCH },
	{ "rx_total_packets", SHUNT_82576_TPR, 0 },
	{ "rx_total_bytes", SHUNT_82576_TORL, SHUNT_82576_TORH },
	{ "rx_broadcast_packets", SHUNT_82576_BPRC, 0 },
	{ "rx_multicast_packets", SHUNT_82576_MPRC, 0 },
	{ "rx_undersize_errors", SHUNT_82576_RUC, 0 },
	{ "rx_oversize_errors", SHUNT_82576_ROC, 0 },
	{ "rx_fragment_errors", SHUNT_82576_RFC, 0 },
	{ "rx_jabber_errors", SHUNT_82576_RJC, 0 },
	{ "rx_xon_packets", SHUNT_82576_XONRXC, 0 },
	{ "rx_xoff_packets", SHUNT_82576_XOFFRXC, 0 },
	{ "rx_size_64_packets", SHUNT_82576_PRC64, 0 },
	{ "rx_size_65_to_127_packets", SHUNT_82576_PRC127, 0 },
	{ "rx_size_128_to_255_packets", SHUNT_82576_PRC255, 0 },
	{ "rx_size_256_to_511_packets", SHUNT_82576_PRC511, 0 },
	{ "rx_size_512_to_1023_packets", SHUNT_82576_PRC1023, 0 },
	{ "rx_size_1024_to_max_packets", SHUNT_82576_PRC1522, 0 },
	{ "tx_nic_good_packets", SHUNT_82576_GPTC, 0 },
	{ "tx_nic_good_bytes", SHUNT_82576_GOTCL, SHUNT_82576_GOTCH },
	{ "tx_total_packets", SHUNT_82576_TPT, 0 },
	{ "tx_total_bytes", SHUNT_82576_TOTL, SHUNT_82576_TOTH },
	{ "tx_broadcast_packets", SHUNT_82576_BPTC, 0 },
	{ "tx_multicast_packets", SHUNT_82576_MPTC, 0 },
	{ "tx_xon_packets", SHUNT_82576_XONTXC, 0 },
	{ "tx_xoff_packets", SHUNT_82576_XOFFTXC, 0 },
	{ "tx_size_64_packets", SHUNT_82576_PTC64, 0 },
	{ "tx_size_65_to_127_packets", SHUNT_82576_PTC127, 0 },
	{ "tx_size_128_to_255_packets", SHUNT_82576_PTC255, 0 },
	{ "tx_size_256_to_511_packets", SHUNT_82576_PTC511, 0 },
	{ "tx_size_512_to_1023_packets", SHUNT_82576_PTC1023, 0 },
	{ "tx_size_1024_to_max_packets", SHUNT_82576_PTC1522, 0 },
};

_Static_assert(RTE_DIM(registers) <= IGB_REGISTER_COUNTERS, "a counter of each register");

/** What recovery did, and what the queues count beside frames and bytes. */
enum extra {
	RX_DISCARDED,
	RX_NO_BUFFERS,
	RX_QUEUE_DROPS,
	TX_REFUSED,
	RECOVERIES,
	LIVENESS_CHECKS,
	REPAIRED,
	QUEUE_RESETS,
	PORT_RESETS,
	FUNCTION_RESETS,
	RX_RESET_DROPPED,
	TX_RESET_DROPPED,
	EXTRAS,
};

static const char *const extra_names[EXTRAS] = {
	[RX_DISCARDED] = "rx_damaged_packets",
	[RX_NO_BUFFERS] = "rx_no_buffer_descriptors",
	[RX_QUEUE_DROPS] = "rx_queue_drop_packets",
	[TX_REFUSED] = "tx_unsendable_packets",
	[RECOVERIES] = "recover_events",
	[LIVENESS_CHECKS] = "recover_liveness_checks",
	[REPAIRED] = "recover_repaired_descriptors",
	[QUEUE_RESETS] = "recover_queue_resets",
	[PORT_RESETS] = "recover_port_resets",
	[FUNCTION_RESETS] = "recover_function_resets",
	[RX_RESET_DROPPED] = "recover_rx_dropped_packets",
	[TX_RESET_DROPPED] = "recover_tx_dropped_packets",
};

#define OWN_XSTATS (RTE_DIM(registers) + EXTRAS)
#define XSTATS     (OWN_XSTATS + SHUNT_PORT_XSTATS)

void igb_stats_update(struct igb_port *port)
{
	for (size_t i = 0; i < RTE_DIM(registers); i++) {
		uint64_t value = igb_read(port, registers[i].reg);

		if (registers[i].high)
			value |= (uint64_t)igb_read(port, registers[i].high) << 32;
		if (port->access_error)
			return;
		port->counters[i] += value;
	}
	for (uint32_t i = 0; i < SHUNT_82576_QUEUES; i++) {
		uint32_t drops = port->rx[i] ? igb_read(port, SHUNT_82576_RQDPC(i)) : 0;

		if (!port->access_error)
			port->queue_drops += drops;
	}
}

struct igb_rx_counts igb_stats_rx(const struct igb_port *port, unsigned int index)
{
	const struct igb_rx_queue *queue = port->rx[index];

	if (!queue)
		return port->rx_counts[index];
	return (struct igb_rx_counts){
		.packets = IGB_COUNTED(queue->counts.packets),
		.bytes = IGB_COUNTED(queue->counts.bytes),
		.discarded = IGB_COUNTED(queue->counts.discarded),
		.no_buffers = IGB_COUNTED(queue->counts.no_buffers),
	};
}

struct igb_tx_counts igb_stats_tx(const struct igb_port *port, unsigned int index)
{
	const struct igb_tx_queue *queue = port->tx[index];

	if (!queue)
		return port->tx_counts[index];
	return (struct igb_tx_counts){
		.packets = IGB_COUNTED(queue->counts.packets),
		.bytes = IGB_COUNTED(queue->counts.bytes),
		.refused = IGB_COUNTED(queue->counts.refused),
	};
}

/* The same since the last stats_reset. */
static struct igb_rx_counts rx_since_base(const struct igb_port *port, unsigned int index)
{
	const struct igb_rx_counts *base = &port->rx_base[index];
	struct igb_rx_counts counts = igb_stats_rx(port, index);

	counts.packets -= base->packets;
	counts.bytes -= base->bytes;
	counts.discarded -= base->discarded;
	counts.no_buffers -= base->no_buffers;
	return counts;
}

static struct igb_tx_counts tx_since_base(const struct igb_port *port, unsigned int index)
{
	const struct igb_tx_counts *base = &port->tx_base[index];
	struct igb_tx_counts counts = igb_stats_tx(port, index);

	counts.packets -= base->packets;
	counts.bytes -= base->bytes;
	counts.refused -= base->refused;
	return counts;
}

uint64_t igb_stats_good(const struct igb_port *port)
{
	return port->counters[COUNTER_GOOD_RX];
}

static uint64_t since_base(const struct igb_port *port, unsigned int counter)
{
	return port->counters[counter] - port->counters_base[counter];
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

int igb_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats SHUNT_QUEUE_STATS_ARGUMENT)
{
	struct igb_port *port = igb_port_of(dev);
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = update(port);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		const struct igb_rx_counts rx = rx_since_base(port, i);
		const struct igb_tx_counts tx = tx_since_base(port, i);

		stats->ipackets += rx.packets;
		stats->ibytes += rx.bytes;
		stats->ierrors += rx.discarded;
		stats->rx_nombuf += rx.no_buffers;
		stats->opackets += tx.packets;
		stats->obytes += tx.bytes;
		stats->oerrors += tx.refused;
		if (i >= RTE_ETHDEV_QUEUE_STAT_CNTRS || !SHUNT_QUEUE_STATS(stats))
			continue;
		SHUNT_QUEUE_STATS(stats)->q_ipackets[i] = rx.packets;
		SHUNT_QUEUE_STATS(stats)->q_ibytes[i] = rx.bytes;
		SHUNT_QUEUE_STATS(stats)->q_errors[i] = rx.discarded;
		SHUNT_QUEUE_STATS(stats)->q_opackets[i] = tx.packets;
		SHUNT_QUEUE_STATS(stats)->q_obytes[i] = tx.bytes;
	}
	stats->imissed = since_base(port, COUNTER_MISSED) + port->queue_drops -
			 port->queue_drops_base + port->recovered.rx_dropped -
			 port->recovered_base.rx_dropped;
	stats->ierrors += since_base(port, COUNTER_CRC) + since_base(port, COUNTER_LENGTH) +
			  since_base(port, COUNTER_RX_ERROR);
	stats->oerrors += port->recovered.tx_dropped - port->recovered_base.tx_dropped;
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
	memcpy(port->counters_base, port->counters, sizeof(port->counters));
	port->queue_drops_base = port->queue_drops;
	port->recovered_base = port->recovered;
	port->recoveries_base = port->recoveries;
	port->liveness_checks_base = port->liveness_checks;
	port->port.switches = (struct shunt_port_switches){ 0 };
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		port->rx_base[i] = igb_stats_rx(port, i);
		port->tx_base[i] = igb_stats_tx(port, i);
	}
unlock:
	pthread_mutex_unlock(&port->lock);
	return ret;
}

static void fill_extras(const struct igb_port *port, uint64_t *values)
{
	const struct shunt_recovery *now = &port->recovered;
	const struct shunt_recovery *base = &port->recovered_base;

	memset(values, 0, EXTRAS * sizeof(*values));
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		const struct igb_rx_counts rx = rx_since_base(port, i);

		values[RX_DISCARDED] += rx.discarded;
		values[RX_NO_BUFFERS] += rx.no_buffers;
		values[TX_REFUSED] += tx_since_base(port, i).refused;
	}
	values[RX_QUEUE_DROPS] = port->queue_drops - port->queue_drops_base;
	values[RECOVERIES] = port->recoveries - port->recoveries_base;
	values[LIVENESS_CHECKS] = port->liveness_checks - port->liveness_checks_base;
	values[REPAIRED] = now->repaired_descriptors - base->repaired_descriptors;
	values[QUEUE_RESETS] = now->queue_resets - base->queue_resets;
	values[PORT_RESETS] = now->port_resets - base->port_resets;
	values[FUNCTION_RESETS] = now->function_resets - base->function_resets;
	values[RX_RESET_DROPPED] = now->rx_dropped - base->rx_dropped;
	values[TX_RESET_DROPPED] = now->tx_dropped - base->tx_dropped;
}

int igb_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *values, unsigned int room)
{
	struct igb_port *port = igb_port_of(dev);
	uint64_t extras[EXTRAS + SHUNT_PORT_XSTATS];
	int ret;

	if (!values || room < XSTATS)
		return XSTATS;
	pthread_mutex_lock(&port->lock);
	ret = update(port);
	fill_extras(port, extras);
	shunt_port_xstats(&port->port, extras + EXTRAS);
	for (unsigned int i = 0; i < XSTATS; i++) {
		values[i].id = i;
		values[i].value = i < RTE_DIM(registers) ? since_base(port, i)
							 : extras[i - RTE_DIM(registers)];
	}
	pthread_mutex_unlock(&port->lock);
	return ret ? ret : (int)XSTATS;
}

int igb_xstats_get_names(
	struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned int room)
{
	if (!names || room < XSTATS)
		return XSTATS;
	for (unsigned int i = 0; i < SHUNT_PORT_XSTATS; i++)
		snprintf(names[OWN_XSTATS + i].name, sizeof(names[i].name), "%s",
			shunt_port_xstat_name(i));
	for (unsigned int i = 0; i < OWN_XSTATS; i++)
		snprintf(names[i].name, sizeof(names[i].name), "%s",
			i < RTE_DIM(registers) ? registers[i].name
					       : extra_names[i - RTE_DIM(registers)]);
	return XSTATS;
}

/* Frames that came to memory since the counters began: polled, discarded or still in the ring. */
uint64_t igb_stats_frames_seen(const struct igb_port *port)
{
	uint64_t seen = 0;

	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		const struct igb_rx_queue *queue = port->rx[i];
		const struct igb_rx_counts counts = igb_stats_rx(port, i);

		seen += counts.packets + counts.discarded;
		if (queue && queue->started)
			seen += igb_rx_ring_frames(queue, igb_rx_ring_completed(queue));
	}
	return seen;
}

void igb_stats_baseline(struct igb_port *port)
{
	port->good_base = igb_stats_good(port);
	port->seen_base = igb_stats_frames_seen(port);
}
