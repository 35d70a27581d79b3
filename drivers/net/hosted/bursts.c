/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "hosted.h"

/*
 * A stop frees the buffers of a ring, so no poller may be inside a burst of that ring. DPDK does
 * not know its pollers: an application ends them before it stops a port. So rte_eth_fp_ops of a
 * hosted port has our bursts, which enter and leave the queue (shunt_poll.h) around the driver's.
 *
 *   rte_eth_rx_burst(port, queue)
 *     rte_eth_fp_ops[port].rx_pkt_burst  = rx_PORT       one function for each port number
 *     rte_eth_fp_ops[port].rxq.data      = the driver's  unchanged
 *       rx_PORT(the driver's queue)
 *         which of the port's queues?   a short search, the first one in most cases
 *         enter, the driver's rx_pkt_burst, leave
 *
 * The table keeps the driver's queue pointers. Some drivers (bnxt, hns3) write their bursts into
 * the table at any time. Ours are not called then, and a stop finds out. ethdev writes function and
 * queue one after the other while pollers read: each pair that a poller may get is harmless, since
 * our bursts ignore a queue that is not the port's.
 *
 * The other functions in the table only read descriptors, which a stop leaves in place.
 */

/** One direction of a port. What pollers read and what they write are cache lines apart. */
struct direction {
	unsigned int count;
	void *const *queues; /* the driver's */
	struct queue *polls;
	uint16_t (*burst)(void *queue, struct rte_mbuf **frames, uint16_t count); /* the driver's */
};

struct queue {
	struct shunt_poll poll;
} __rte_cache_aligned;

struct bursts {
	struct direction rx, tx;
} __rte_cache_aligned;

static struct bursts bursts[HOSTED_PORTS];
static bool fenced;

static inline struct shunt_poll *find(const struct direction *direction, const void *queue)
{
	for (unsigned int i = 0; i < direction->count; i++)
		if (__atomic_load_n(&direction->queues[i], __ATOMIC_RELAXED) == queue)
			return &direction->polls[i].poll;
	return NULL;
}

static inline bool enter(struct shunt_poll *poll)
{
	return __atomic_load_n(&fenced, __ATOMIC_RELAXED) ? shunt_poll_enter(poll, true)
							  : shunt_poll_enter(poll, false);
}

static inline __attribute__((always_inline)) uint16_t run(
	const struct direction *direction, void *queue, struct rte_mbuf **frames, uint16_t count)
{
	struct shunt_poll *poll = find(direction, queue);

	if (unlikely(!poll || !enter(poll)))
		return 0;
	count = direction->burst(queue, frames, count);
	shunt_poll_leave(poll);
	return count;
}

/* A burst is not told its port. */
#define PORT(number)                                                                       \
	static uint16_t rx_##number(void *queue, struct rte_mbuf **frames, uint16_t count) \
	{                                                                                  \
		return run(&bursts[number].rx, queue, frames, count);                      \
	}                                                                                  \
	static uint16_t tx_##number(void *queue, struct rte_mbuf **frames, uint16_t count) \
	{                                                                                  \
		return run(&bursts[number].tx, queue, frames, count);                      \
	}
#define RX(number)                       rx_##number,
#define TX(number)                       tx_##number,
#define EIGHT(X, a, b, c, d, e, f, g, h) X(a) X(b) X(c) X(d) X(e) X(f) X(g) X(h)
#define ALL(X)                                   \
	EIGHT(X, 0, 1, 2, 3, 4, 5, 6, 7)         \
	EIGHT(X, 8, 9, 10, 11, 12, 13, 14, 15)   \
	EIGHT(X, 16, 17, 18, 19, 20, 21, 22, 23) \
	EIGHT(X, 24, 25, 26, 27, 28, 29, 30, 31)

ALL(PORT)
static const eth_rx_burst_t rx_bursts[] = { ALL(RX) };
static const eth_tx_burst_t tx_bursts[] = { ALL(TX) };

_Static_assert(RTE_DIM(rx_bursts) == HOSTED_PORTS, "one for each port number");

/* Tables only grow and old ones are not freed: a late poller may still read one. */
static int make_room(struct direction *direction, unsigned int count)
{
	struct queue *polls;
	void **queues;

	if (count <= direction->count)
		return 0;
	polls = aligned_alloc(RTE_CACHE_LINE_SIZE, count * sizeof(*polls));
	queues = calloc(count, sizeof(*queues));
	if (!polls || !queues) {
		free(polls);
		free(queues);
		return shunt_fail(-ENOMEM, "bursts of queues (%u): out of memory", count);
	}
	for (unsigned int i = 0; i < count; i++)
		shunt_poll_init(&polls[i].poll);
	direction->polls = polls;
	direction->queues = queues;
	__atomic_store_n(&direction->count, count, __ATOMIC_RELEASE);
	return 0;
}

static void take_queues(struct direction *direction, void **queues, unsigned int count)
{
	void **own = (void **)(uintptr_t)direction->queues;

	for (unsigned int i = 0; i < direction->count; i++)
		__atomic_store_n(&own[i], i < count ? queues[i] : NULL, __ATOMIC_RELAXED);
}

int hosted_bursts_wrap(struct rte_eth_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->data;
	struct rte_eth_fp_ops *table;
	struct bursts *port;
	int ret;

	if (data->port_id >= HOSTED_PORTS)
		return shunt_fail(-ENOTSUP, "ports up to number %d can be", HOSTED_PORTS - 1);
	table = &rte_eth_fp_ops[data->port_id];
	port = &bursts[data->port_id];
	__atomic_store_n(&fenced, shunt_barrier_missing(), __ATOMIC_RELAXED);
	ret = make_room(&port->rx, data->nb_rx_queues);
	if (!ret)
		ret = make_room(&port->tx, data->nb_tx_queues);
	if (ret)
		return ret;
	take_queues(&port->rx, data->rx_queues, data->nb_rx_queues);
	take_queues(&port->tx, data->tx_queues, data->nb_tx_queues);
	port->rx.burst = dev->rx_pkt_burst;
	port->tx.burst = dev->tx_pkt_burst;
	table->tx_pkt_prepare = dev->tx_pkt_prepare;
	table->rx_queue_count = dev->rx_queue_count;
	table->rx_descriptor_status = dev->rx_descriptor_status;
	table->tx_descriptor_status = dev->tx_descriptor_status;
	hosted_bursts_open(data->port_id);
	if (!hosted_bursts_wrapped(data->port_id)) {
		table->rx_pkt_burst = rx_bursts[data->port_id];
		table->tx_pkt_burst = tx_bursts[data->port_id];
	}
	return 0;
}

bool hosted_bursts_wrapped(uint16_t port_id)
{
	return port_id < HOSTED_PORTS &&
	       rte_eth_fp_ops[port_id].rx_pkt_burst == rx_bursts[port_id] &&
	       rte_eth_fp_ops[port_id].tx_pkt_burst == tx_bursts[port_id];
}

int hosted_bursts_enter_tx(uint16_t port_id, uint16_t queue_id, struct shunt_poll **poll)
{
	const struct direction *direction;

	if (!hosted_bursts_wrapped(port_id) || queue_id >= bursts[port_id].tx.count)
		return -ENOENT;
	direction = &bursts[port_id].tx;
	*poll = &direction->polls[queue_id].poll;
	if (!enter(*poll))
		*poll = NULL;
	return 0;
}

static void ask(const struct direction *direction)
{
	for (unsigned int i = 0; i < direction->count; i++)
		shunt_poll_ask(&direction->polls[i].poll);
}

static int wait_all(const struct direction *direction)
{
	int ret = 0;

	for (unsigned int i = 0; i < direction->count && !ret; i++)
		ret = shunt_poll_wait(&direction->polls[i].poll);
	return ret;
}

static void open_all(const struct direction *direction)
{
	for (unsigned int i = 0; i < direction->count; i++)
		shunt_poll_resume(&direction->polls[i].poll);
}

int hosted_bursts_close(uint16_t port_id)
{
	const struct bursts *port = &bursts[port_id];
	int ret;

	ask(&port->rx);
	ask(&port->tx);
	ret = shunt_barrier();
	if (!ret)
		ret = wait_all(&port->rx);
	return ret ? ret : wait_all(&port->tx);
}

void hosted_bursts_open(uint16_t port_id)
{
	open_all(&bursts[port_id].rx);
	open_all(&bursts[port_id].tx);
}
