/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"

/** A statistics register, 8.18; they clear when read. */
struct register_counter {
	const char *name;
	uint32_t reg;  /**< low half of a pair */
	uint32_t high; /**< high half, 0: none; the pair clears with it */
};

/** Indices of the port's xstats: those of the registers come first. */
enum {
	GOOD_RX,
	MISSED,
	CRC,
	LENGTH,
	RX_ERROR,
};
enum {
	RX_DISCARDED = IGB_REGISTER_COUNTERS,
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

static const struct register_counter registers[] = {
	[GOOD_RX] = { "rx_nic_good_packets", SHUNT_82576_GPRC, 0 },
	[MISSED] = { "rx_missed_packets", SHUNT_82576_MPC, 0 },
	[CRC] = { "rx_crc_errors", SHUNT_82576_CRCERRS, 0 },
	[LENGTH] = { "rx_length_errors", SHUNT_82576_RLEC, 0 },
	[RX_ERROR] = { "rx_symbol_errors", SHUNT_82576_RXERRC, 0 },
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

_Static_assert(RTE_DIM(registers) == IGB_REGISTER_COUNTERS, "a counter of each register");
_Static_assert(TX_RESET_DROPPED + 1 == IGB_XSTATS, "room for the port's own counters");

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

_Static_assert(IGB_REGISTER_COUNTERS + RTE_DIM(own_names) == IGB_XSTATS, "a name for each");

#define XSTATS (IGB_XSTATS + SHUNT_PORT_XSTATS)

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

	memset(values, 0, IGB_XSTATS * sizeof(*values));
	memcpy(values, port->counters, sizeof(port->counters));
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		const struct igb_counts rx = igb_stats_rx(port, i);

		values[RX_DISCARDED] += rx.discarded;
		values[RX_NO_BUFFERS] += rx.no_buffers;
		values[TX_UNSENDABLE] += igb_stats_tx(port, i).discarded;
	}
	values[RX_QUEUE_DROPS] = port->queue_drops;
	values[RECOVERIES] = port->recoveries;
	values[LIVENESS_CHECKS] = port->liveness_checks;
	values[REPAIRED] = recovered->repaired_descriptors;
	values[QUEUE_RESETS] = recovered->queue_resets;
	values[PORT_RESETS] = recovered->port_resets;
	values[FUNCTION_RESETS] = recovered->function_resets;
	values[RX_RESET_DROPPED] = recovered->rx_dropped;
	values[TX_RESET_DROPPED] = recovered->tx_dropped;
}

/* The same since the last stats_reset. */
static void xstats_since_reset(const struct igb_port *port, uint64_t values[IGB_XSTATS])
{
	read_xstats(port, values);
	for (unsigned int i = 0; i < IGB_XSTATS; i++)
		values[i] -= port->xstats_base[i];
}

int igb_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats SHUNT_QUEUE_STATS_ARGUMENT)
{
	struct igb_port *port = igb_port_of(dev);
	uint64_t xstats[IGB_XSTATS];
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
	stats->imissed = xstats[MISSED] + xstats[RX_QUEUE_DROPS] + xstats[RX_RESET_DROPPED];
	stats->ierrors = xstats[RX_DISCARDED] + xstats[CRC] + xstats[LENGTH] + xstats[RX_ERROR];
	stats->rx_nombuf = xstats[RX_NO_BUFFERS];
	stats->oerrors = xstats[TX_UNSENDABLE] + xstats[TX_RESET_DROPPED];
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

int igb_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *values, unsigned int room)
{
	struct igb_port *port = igb_port_of(dev);
	uint64_t xstats[XSTATS];
	int ret;

	if (!values || room < XSTATS)
		return XSTATS;
	pthread_mutex_lock(&port->lock);
	ret = update(port);
	xstats_since_reset(port, xstats);
	shunt_port_xstats(&port->port, xstats + IGB_XSTATS);
	pthread_mutex_unlock(&port->lock);
	for (unsigned int i = 0; i < XSTATS; i++)
		values[i] = (struct rte_eth_xstat){ .id = i, .value = xstats[i] };
	return ret ? ret : (int)XSTATS;
}

static const char *name_of(unsigned int i)
{
	if (i < IGB_REGISTER_COUNTERS)
		return registers[i].name;
	return i < IGB_XSTATS ? own_names[i - IGB_REGISTER_COUNTERS]
			      : shunt_port_xstat_name(i - IGB_XSTATS);
}

int igb_xstats_get_names(
	struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned int room)
{
	if (!names || room < XSTATS)
		return XSTATS;
	for (unsigned int i = 0; i < XSTATS; i++)
		snprintf(names[i].name, sizeof(names[i].name), "%s", name_of(i));
	return XSTATS;
}

/* Frames that the NIC took in and that did not come to memory: polled, discarded or in a ring. */
static uint64_t missing(const struct igb_port *port)
{
	uint64_t frames = port->counters[GOOD_RX];

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
