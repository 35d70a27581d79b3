/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_malloc.h>

#include <shunt/error.h>

#include "igb.h"

/*
 * Descriptor thresholds. Prefetch: when the NIC holds fewer than 8 unused descriptors and at least
 * HTHRESH more are in memory it fetches them, so that it neither runs dry at line rate nor fetches
 * single ones: 8 receive descriptors are two cache lines; a transmit frame must not wait for
 * company, so one is enough there. Write-back at 1: Silicon: with more, the 82576 may keep finished
 * descriptors to itself, and a slot without DD would not mean that its write-back was refused.
 */
#define RXDCTL_THRESHOLDS                                                                  \
	(8u << SHUNT_82576_RXDCTL_PTHRESH_SHIFT | 8u << SHUNT_82576_RXDCTL_HTHRESH_SHIFT | \
		1u << SHUNT_82576_RXDCTL_WTHRESH_SHIFT)
#define TXDCTL_THRESHOLDS                                                                  \
	(8u << SHUNT_82576_TXDCTL_PTHRESH_SHIFT | 1u << SHUNT_82576_TXDCTL_HTHRESH_SHIFT | \
		1u << SHUNT_82576_TXDCTL_WTHRESH_SHIFT)

#define RING_ALIGNMENT 128 /* 8.10.5 */
/* Room for the longest, so that rings of other lengths leave no holes that none fits into. */
#define RING_SLOT (IGB_DESCRIPTORS_MAX * sizeof(union shunt_82576_rx_descriptor))

static size_t ring_size(uint16_t count)
{
	return count * sizeof(union shunt_82576_rx_descriptor);
}

/* What a refill stores over the first 8 bytes behind rearm_data of an mbuf: one segment. */
static uint64_t rearm_value(uint16_t port_id)
{
	struct rte_mbuf fresh;
	uint64_t value;

	memset(&fresh, 0, sizeof(fresh));
	fresh.nb_segs = 1;
	fresh.data_off = RTE_PKTMBUF_HEADROOM;
	fresh.port = port_id;
	rte_mbuf_refcnt_set(&fresh, 1);
	memcpy(&value, &fresh.rearm_data, sizeof(value));
	return value;
}

/* What the NIC may fill of each mbuf. @return -EINVAL less than a frame, or its piece, needs */
static int buffer_size(
	struct igb_port *port, uint16_t index, struct rte_mempool *pool, uint16_t *size)
{
	unsigned int room = rte_pktmbuf_data_room_size(pool);
	bool whole;

	if (room < RTE_PKTMBUF_HEADROOM + SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT)
		return shunt_fail(-EINVAL,
			"receive queue %u: mbufs of pool '%s' have %u bytes, %u of them headroom; "
			"the NIC fills whole KiB: make the data room at least %u",
			index, pool->name, room, RTE_PKTMBUF_HEADROOM,
			RTE_PKTMBUF_HEADROOM + SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT);
	*size = (uint16_t)RTE_ALIGN_FLOOR(
		RTE_MIN(room - RTE_PKTMBUF_HEADROOM, SHUNT_82576_FRAME_MAX + 512u),
		SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT);
	pthread_mutex_lock(&port->lock);
	whole = port->started && !port->scattered && *size < port->max_frame;
	pthread_mutex_unlock(&port->lock);
	if (whole)
		return shunt_fail(-EINVAL,
			"receive queue %u: mbufs of pool '%s' take %u bytes of a frame, and the "
			"port was started for frames of one mbuf, up to %u bytes: make the data "
			"room larger, or stop the port first",
			index, pool->name, *size, port->max_frame);
	return 0;
}

/* A queue of `size` bytes and its ring. NULL: out of memory, logged */
static void *create(struct rte_eth_dev *dev, const char *direction, uint16_t index, uint16_t count,
	size_t size, unsigned int socket, void **ring)
{
	struct igb_port *port = igb_port_of(dev);
	void *queue = rte_zmalloc_socket("igb_queue", size, RTE_CACHE_LINE_SIZE, (int)socket);

	pthread_mutex_lock(&port->lock);
	*ring = queue ? shunt_arena_alloc(&port->port.arena, RING_SLOT, RING_ALIGNMENT) : NULL;
	pthread_mutex_unlock(&port->lock);
	if (*ring)
		return queue;
	rte_free(queue);
	igb_log_error(dev, shunt_fail(-ENOMEM, "%s queue %u with %u descriptors: out of memory",
				   direction, index, count));
	return NULL;
}

int igb_rx_queue_setup(struct rte_eth_dev *dev, uint16_t index, uint16_t count, unsigned int socket,
	const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct igb_port *port = igb_port_of(dev);
	struct igb_rx_queue *queue;
	uint16_t size = 0;
	void *ring;
	int ret;

	ret = buffer_size(port, index, pool, &size);
	if (ret)
		return igb_log_error(dev, ret);
	igb_rx_queue_release(dev, index);
	queue = create(dev, "receive", index, count,
		sizeof(*queue) + (count + IGB_RX_BUFFERS_MORE) * sizeof(*queue->buffers), socket,
		&ring);
	if (!queue)
		return -ENOMEM;
	queue->ring = ring;
	queue->buffers = (struct rte_mbuf **)(queue + 1);
	shunt_poll_init(&queue->poll);
	queue->port = port;
	queue->index = index;
	queue->count = count;
	queue->pool = pool;
	/* The NIC never has the last one: a ring must be told of more before all others are used.
	 */
	queue->refill_size = (uint16_t)RTE_MIN(IGB_REFILL, count / 2);
	queue->buffer_size = size;
	queue->rearm = rearm_value(dev->data->port_id);
	queue->drop_enable = conf->rx_drop_en;
	queue->deferred_start = conf->rx_deferred_start;
	queue->doorbell = RTE_PTR_ADD(port->bar0, igb_rx_reg(port, SHUNT_82576_RDT(0), index));
	pthread_mutex_lock(&port->lock);
	queue->counts = port->rx_counts[index];
	port->rx[index] = queue;
	dev->data->rx_queues[index] = queue;
	pthread_mutex_unlock(&port->lock);
	return 0;
}

void igb_rx_queue_release(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_port_of(dev);
	struct igb_rx_queue *queue;

	pthread_mutex_lock(&port->lock);
	queue = port->rx[index];
	port->rx_counts[index] = igb_stats_rx(port, index);
	port->rx[index] = NULL;
	dev->data->rx_queues[index] = NULL;
	if (queue)
		shunt_arena_free(&port->port.arena, queue->ring, RING_SLOT);
	pthread_mutex_unlock(&port->lock);
	rte_free(queue);
}

int igb_tx_queue_setup(struct rte_eth_dev *dev, uint16_t index, uint16_t count, unsigned int socket,
	const struct rte_eth_txconf *conf)
{
	struct igb_port *port = igb_port_of(dev);
	uint64_t offloads = conf->offloads | dev->data->dev_conf.txmode.offloads;
	struct igb_tx_queue *queue;
	void *ring;

	igb_tx_queue_release(dev, index);
	queue = create(dev, "transmit", index, count,
		sizeof(*queue) + count * (sizeof(*queue->buffers) + sizeof(*queue->reports)),
		socket, &ring);
	if (!queue)
		return -ENOMEM;
	queue->ring = ring;
	queue->buffers = (struct rte_mbuf **)(queue + 1);
	shunt_poll_init(&queue->poll);
	queue->port = port;
	queue->index = index;
	queue->count = count;
	queue->reports = (uint16_t *)(void *)(queue->buffers + count);
	/* Any will do: a burst's end reports as well. */
	queue->report_threshold = conf->tx_rs_thresh ? conf->tx_rs_thresh : IGB_REPORT;
	/* A frame of more, with its context, would wait for ever. */
	queue->segments_max = (uint16_t)RTE_MIN(IGB_TX_SEGMENTS_MAX, count - 2);
	/* Reclaiming early keeps the buffers in use few, and so in the cache. At least when the
	 * next frame might not find room. */
	queue->free_threshold = conf->tx_free_thresh
					? conf->tx_free_thresh
					: (uint16_t)(count - RTE_MIN(2u * IGB_REPORT, count / 2u));
	queue->free_threshold = (uint16_t)RTE_MAX(queue->free_threshold, queue->segments_max + 1);
	queue->fast_free = offloads & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	queue->deferred_start = conf->tx_deferred_start;
	queue->doorbell = RTE_PTR_ADD(port->bar0, igb_tx_reg(port, SHUNT_82576_TDT(0), index));
	pthread_mutex_lock(&port->lock);
	queue->counts = port->tx_counts[index];
	port->tx[index] = queue;
	dev->data->tx_queues[index] = queue;
	pthread_mutex_unlock(&port->lock);
	return 0;
}

void igb_tx_queue_release(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_port_of(dev);
	struct igb_tx_queue *queue;

	pthread_mutex_lock(&port->lock);
	queue = port->tx[index];
	port->tx_counts[index] = igb_stats_tx(port, index);
	port->tx[index] = NULL;
	dev->data->tx_queues[index] = NULL;
	if (queue)
		shunt_arena_free(&port->port.arena, queue->ring, RING_SLOT);
	pthread_mutex_unlock(&port->lock);
	rte_free(queue);
}

static int control_rx(struct igb_rx_queue *queue, uint32_t enable, const char *what)
{
	uint32_t reg = igb_rx_reg(queue->port, SHUNT_82576_RXDCTL(0), queue->index);

	igb_write(queue->port, reg, RXDCTL_THRESHOLDS | enable);
	return igb_canary_wait(queue->port, reg, SHUNT_82576_RXDCTL_ENABLE, enable, what);
}

static int control_tx(struct igb_tx_queue *queue, uint32_t enable, const char *what)
{
	uint32_t reg = igb_tx_reg(queue->port, SHUNT_82576_TXDCTL(0), queue->index);

	igb_write(queue->port, reg, TXDCTL_THRESHOLDS | enable);
	return igb_canary_wait(queue->port, reg, SHUNT_82576_TXDCTL_ENABLE, enable, what);
}

int igb_rx_queue_disable(struct igb_rx_queue *queue)
{
	return control_rx(queue, 0, "a receive queue to stop");
}

int igb_tx_queue_disable(struct igb_tx_queue *queue)
{
	return control_tx(queue, 0, "a transmit queue to stop");
}

/* 4.5.9. Queue 0 is enabled by reset: its ring is programmed with the queue off all the same. */
int igb_rx_queue_enable(struct igb_rx_queue *queue)
{
	struct igb_port *port = queue->port;
	uint32_t n = queue->index;
	uint32_t control = SHUNT_82576_SRRCTL_DESCTYPE_ADVANCED |
			   queue->buffer_size / SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT;
	int ret;

	ret = igb_rx_queue_disable(queue);
	if (ret)
		return ret;
	igb_write(port, igb_rx_reg(port, SHUNT_82576_SRRCTL(0), n),
		control | (queue->drop_enable ? SHUNT_82576_SRRCTL_DROP_EN : 0));
	igb_write_ring(port, igb_rx_reg(port, SHUNT_82576_RX_QUEUE(0), n), queue->ring,
		ring_size(queue->count));
	return control_rx(queue, SHUNT_82576_RXDCTL_ENABLE, "a receive queue to start");
}

int igb_tx_queue_enable(struct igb_tx_queue *queue)
{
	struct igb_port *port = queue->port;
	uint32_t n = queue->index;
	int ret;

	ret = igb_tx_queue_disable(queue);
	if (ret)
		return ret;
	igb_write_ring(port, igb_tx_reg(port, SHUNT_82576_TX_QUEUE(0), n), queue->ring,
		ring_size(queue->count));
	igb_write(port, igb_tx_reg(port, SHUNT_82576_TDWBAL(0), n), 0);
	igb_write(port, igb_tx_reg(port, SHUNT_82576_TDWBAH(0), n), 0);
	return control_tx(queue, SHUNT_82576_TXDCTL_ENABLE, "a transmit queue to start");
}

int igb_rx_queue_begin(struct igb_rx_queue *queue)
{
	int ret;

	queue->next = 0;
	queue->refill = 0;
	queue->unfilled = queue->count;
	igb_rx_begin(queue);
	igb_rx_refill(queue, 1);
	if (queue->unfilled) {
		ret = shunt_fail(-ENOMEM,
			"receive queue %u: pool '%s' has no buffers for its %u descriptors: make "
			"the pool larger",
			queue->index, queue->pool->name, queue->count);
		goto drain;
	}
	ret = igb_rx_queue_enable(queue);
	if (ret)
		goto drain;
	igb_doorbell(queue->doorbell, igb_rx_ring_tail(queue));
	queue->port->recovery_state.rx_dead &= ~(1u << queue->index);
	queue->started = true;
	return 0;

drain:
	igb_rx_queue_drain(queue);
	return ret;
}

int igb_tx_queue_begin(struct igb_tx_queue *queue)
{
	int ret;

	queue->tail = queue->clean = 0;
	queue->free = queue->count - 1; /* a full ring would look like an empty one */
	queue->unreported = 0;
	queue->report_first = queue->report_end = 0;
	queue->sparse = queue->port->tx_offload;
	memset(&queue->context, 0, sizeof(queue->context));
	memset(&queue->carried, 0, sizeof(queue->carried));
	memset(queue->ring, 0, ring_size(queue->count));
	ret = igb_tx_queue_enable(queue);
	if (ret)
		return ret;
	queue->port->recovery_state.tx_dead &= ~(1u << queue->index);
	queue->started = true;
	return 0;
}

void igb_rx_queue_drain(struct igb_rx_queue *queue)
{
	uint16_t filled = queue->count - queue->unfilled;

	for (uint16_t i = 0; i < filled; i++)
		rte_pktmbuf_free_seg(queue->buffers[(queue->next + i) % queue->count]);
	rte_pktmbuf_free(queue->first);
	queue->first = queue->last = NULL;
	queue->next = queue->refill = 0;
	queue->unfilled = queue->count;
	queue->started = false;
}

void igb_tx_queue_drain(struct igb_tx_queue *queue)
{
	igb_tx_free(queue, igb_distance(queue->clean, queue->tail, queue->count));
	queue->report_first = queue->report_end = 0;
	queue->started = false;
}
