/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "igb_recover.h"
#include "shunt_clock.h"

/*
 * Proof that a queue runs: its head moves; or, where nothing moves, it takes a context descriptor
 * (transmit: nothing is sent) or goes off and on again (receive: frames wait in the NIC).
 */

#define WATCH_NS       200000ull
#define WATCH_SLEEP_NS 10000ull

void igb_read_heads(struct igb_port *port, struct igb_trial *trial)
{
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_rx_runs(port, i))
			trial->rx_head[i] =
				(uint16_t)(igb_read(port, SHUNT_82576_RDH(i)) % port->rx[i]->count);
		if (igb_tx_runs(port, i))
			trial->tx_head[i] =
				(uint16_t)(igb_read(port, SHUNT_82576_TDH(i)) % port->tx[i]->count);
	}
}

static bool all_proven(const struct igb_port *port, const struct igb_trial *trial)
{
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if ((igb_rx_runs(port, i) && !(trial->rx_proven >> i & 1)) ||
			(igb_tx_runs(port, i) && !(trial->tx_proven >> i & 1)))
			return false;
	}
	return true;
}

void igb_watch(struct igb_port *port, struct igb_trial *trial)
{
	uint64_t limit = shunt_clock_now() + shunt_clock_from_ns(WATCH_NS);
	struct igb_trial before = *trial, now = *trial;

	trial->rx_proven = trial->tx_proven = 0;
	igb_read_heads(port, &before);
	do {
		igb_sleep_ns(WATCH_SLEEP_NS);
		igb_read_heads(port, &now);
		for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
			if (igb_rx_runs(port, i) && now.rx_head[i] != before.rx_head[i])
				trial->rx_proven |= 1u << i;
			if (igb_tx_runs(port, i) && now.tx_head[i] != before.tx_head[i])
				trial->tx_proven |= 1u << i;
		}
		trial->rx_proven &= ~trial->rx_dead;
		trial->tx_proven &= ~trial->tx_dead;
	} while (!port->access_error && !all_proven(port, trial) && shunt_clock_now() < limit);
}

/*
 * Receive: the head went past the slot
 * that is polled next, and the slot stays without DD. Transmit: descriptors wait and the head does
 * not move, though there is a link and the far end does not hold frames back.
 */
bool igb_looks_stuck(struct igb_port *port)
{
	struct igb_trial before = { 0 }, now = { 0 };
	uint16_t next[SHUNT_82576_QUEUES] = { 0 };
	uint32_t rx_waits = 0, tx_waits = 0;
	uint32_t status = igb_read(port, SHUNT_82576_STATUS);
	bool sends = (status & SHUNT_82576_STATUS_LU) && !(status & SHUNT_82576_STATUS_TXOFF);

	igb_read_heads(port, &before);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_rx_runs(port, i)) {
			struct igb_rx_queue *queue = port->rx[i];

			next[i] = __atomic_load_n(&queue->next, __ATOMIC_RELAXED);
			if (next[i] != before.rx_head[i] &&
				!(__atomic_load_n(&queue->ring[next[i]].quad[1], __ATOMIC_ACQUIRE) &
					SHUNT_82576_RXD_DD))
				rx_waits |= 1u << i;
		}
		if (sends && igb_tx_runs(port, i) &&
			igb_read(port, SHUNT_82576_TDT(i)) != before.tx_head[i])
			tx_waits |= 1u << i;
	}
	if (!rx_waits && !tx_waits)
		return false;

	igb_sleep_ns(WATCH_NS);
	igb_read_heads(port, &now);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (rx_waits >> i & 1) {
			struct igb_rx_queue *queue = port->rx[i];

			if (__atomic_load_n(&queue->next, __ATOMIC_RELAXED) == next[i] &&
				!(__atomic_load_n(&queue->ring[next[i]].quad[1], __ATOMIC_ACQUIRE) &
					SHUNT_82576_RXD_DD))
				return true;
		}
		if ((tx_waits >> i & 1) && now.tx_head[i] == before.tx_head[i])
			return true;
	}
	return false;
}

int igb_restart_rx(struct igb_rx_queue *queue, struct igb_trial *trial)
{
	int ret;

	trial->rx_dead |= 1u << queue->index;
	ret = igb_rx_queue_enable(queue);
	if (ret)
		return ret;
	trial->rx_dead &= ~(1u << queue->index);
	igb_rx_ring_relay(queue);
	igb_doorbell(queue->doorbell, igb_rx_ring_tail(queue));
	return 0;
}

static int await_head(struct igb_tx_queue *queue, uint16_t head)
{
	return igb_await(queue->port, SHUNT_82576_TDH(queue->index), UINT32_MAX, head,
		"a transmit queue to take a descriptor");
}

int igb_restart_tx(struct igb_tx_queue *queue, struct igb_trial *trial)
{
	uint16_t *head = &trial->tx_head[queue->index];
	int ret;

	trial->tx_dead |= 1u << queue->index;
	trial->tx_probed &= ~(1u << queue->index);
	ret = igb_tx_queue_enable(queue);
	if (ret)
		return ret;
	igb_tx_ring_relay(queue, igb_tx_ring_frame_start(queue, *head));
	*head = 1;
	igb_doorbell(queue->doorbell, 1);
	ret = await_head(queue, 1);
	if (ret)
		return ret;
	igb_tx_ring_done(queue, 0);
	trial->tx_dead &= ~(1u << queue->index);
	if (queue->tail != 1)
		igb_doorbell(queue->doorbell, queue->tail);
	return 0;
}

/* The NIC took the context descriptor, of which it reports nothing itself. */
static void took_probe(struct igb_tx_queue *queue, struct igb_trial *trial)
{
	igb_tx_ring_done(queue, trial->tx_probe[queue->index]);
	trial->tx_probed &= ~(1u << queue->index);
}

/* Everything was sent: there is room for a context descriptor. */
static int prove_idle_tx(struct igb_tx_queue *queue, struct igb_trial *trial)
{
	int ret;

	trial->tx_probe[queue->index] = igb_tx_ring_probe(queue);
	trial->tx_probed |= 1u << queue->index;
	trial->tx_head[queue->index] = queue->tail;
	igb_doorbell(queue->doorbell, queue->tail);
	ret = await_head(queue, queue->tail);
	if (!ret)
		took_probe(queue, trial);
	return ret;
}

/*
 * A transmit queue with frames, or with a context descriptor of an earlier try. One that does not
 * move may only lack a link: it goes off and on again, which a wedged one does not. Its head is
 * true once it is off.
 */
static int prove_busy_tx(
	struct igb_tx_queue *queue, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	struct igb_port *port = queue->port;
	uint32_t reg = SHUNT_82576_TDH(queue->index);
	uint16_t *head = &trial->tx_head[queue->index];
	int ret;

	ret = igb_await_change(port, reg, *head, "a transmit queue to move");
	if (!ret && (trial->tx_probed >> queue->index & 1))
		took_probe(queue, trial);
	if (ret != -ETIMEDOUT)
		return ret;
	recovery->queue_resets++;
	ret = igb_tx_queue_disable(queue);
	if (ret)
		return ret;
	*head = (uint16_t)(igb_read(port, reg) % queue->count);
	return port->access_error ? port->access_error : igb_restart_tx(queue, trial);
}

static int prove_tx(
	struct igb_tx_queue *queue, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	if (trial->tx_dead >> queue->index & 1)
		return igb_restart_tx(queue, trial);
	return trial->tx_head[queue->index] == queue->tail ? prove_idle_tx(queue, trial)
							   : prove_busy_tx(queue, trial, recovery);
}

int igb_prove(struct igb_port *port, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	int result = 0;

	port->proofs++;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		int ret = 0;

		if (igb_rx_runs(port, i) && !(trial->rx_proven >> i & 1)) {
			ret = igb_restart_rx(port->rx[i], trial);
			recovery->queue_resets += ret != 0;
			result = ret ? ret : result;
		}
		if (port->access_error)
			return port->access_error;
		if (igb_tx_runs(port, i) && !(trial->tx_proven >> i & 1)) {
			ret = prove_tx(port->tx[i], trial, recovery);
			result = ret ? ret : result;
		}
		if (port->access_error)
			return port->access_error;
	}
	return result;
}
