/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "igb_recover.h"

/*
 * Proof that a queue runs: its head moves; or, where nothing moves, it takes a context descriptor
 * (transmit: nothing is sent) or goes off and on again (receive: frames wait in the NIC).
 */

#define WATCH_NS     200000ull
#define WATCH_NAP_NS 10000ull

uint16_t igb_rx_head(struct igb_port *port, unsigned int i)
{
	return (uint16_t)(igb_read(port, igb_rx_reg(port, SHUNT_82576_RDH(0), i)) %
			  port->rx[i]->count);
}

uint16_t igb_tx_head(struct igb_port *port, unsigned int i)
{
	return (uint16_t)(igb_read(port, igb_tx_reg(port, SHUNT_82576_TDH(0), i)) %
			  port->tx[i]->count);
}

void igb_read_heads(struct igb_port *port, struct igb_heads *heads)
{
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_rx_runs(port, i))
			heads->rx[i] = igb_rx_head(port, i);
		if (igb_tx_runs(port, i))
			heads->tx[i] = igb_tx_head(port, i);
	}
}

static bool all_live(const struct igb_port *port)
{
	const struct igb_recovery_state *state = &port->recovery_state;

	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if ((igb_rx_runs(port, i) && !(state->rx_live >> i & 1)) ||
			(igb_tx_runs(port, i) && !(state->tx_live >> i & 1)))
			return false;
	}
	return true;
}

void igb_liveness_watch(struct igb_port *port)
{
	struct igb_recovery_state *state = &port->recovery_state;
	struct igb_heads before, now;
	struct shunt_wait wait;

	state->rx_live = state->tx_live = 0;
	igb_read_heads(port, &before);
	igb_wait_begin(port, &wait);
	do {
		shunt_wait_nap(&wait, WATCH_NAP_NS);
		igb_read_heads(port, &now);
		for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
			if (igb_rx_runs(port, i) && now.rx[i] != before.rx[i])
				state->rx_live |= 1u << i;
			if (igb_tx_runs(port, i) && now.tx[i] != before.tx[i])
				state->tx_live |= 1u << i;
		}
		state->rx_live &= ~state->rx_dead;
		state->tx_live &= ~state->tx_dead;
	} while (!port->access_error && !all_live(port) && !shunt_wait_over(&wait, WATCH_NS));
}

/* There is a link, and the far end does not hold frames back. */
static bool sends(struct igb_port *port)
{
	uint32_t status = igb_read(port, SHUNT_82576_STATUS);

	return (status & SHUNT_82576_STATUS_LU) && !(status & SHUNT_82576_STATUS_TXOFF);
}

/* The head went past the slot that is polled next, and the slot stays without DD. */
static bool rx_waits(const struct igb_rx_queue *queue, uint16_t next, uint16_t head)
{
	return head != next && __atomic_load_n(&queue->next, __ATOMIC_RELAXED) == next &&
	       !(igb_rx_status(queue, next) & SHUNT_82576_RXD_DD);
}

/*
 * Receive: a slot stays without DD. Transmit: descriptors wait and the head does not move for
 * longer than the wire may take, while the port sends.
 */
bool igb_liveness_suspect(struct igb_port *port)
{
	struct igb_heads before = { 0 }, now = { 0 };
	uint16_t next[SHUNT_82576_QUEUES] = { 0 };
	uint32_t rx_waiting = 0, tx_waiting = 0;
	bool rx_over, tx_over;
	struct shunt_wait wait;
	uint64_t wire;

	igb_read_heads(port, &before);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_rx_runs(port, i)) {
			next[i] = __atomic_load_n(&port->rx[i]->next, __ATOMIC_RELAXED);
			if (rx_waits(port->rx[i], next[i], before.rx[i]))
				rx_waiting |= 1u << i;
		}
		if (igb_tx_runs(port, i) &&
			igb_read(port, igb_tx_reg(port, SHUNT_82576_TDT(0), i)) != before.tx[i])
			tx_waiting |= 1u << i;
	}
	wire = tx_waiting ? igb_wire_ns(port) : 0;
	igb_wait_begin(port, &wait);
	/* One that moves runs. Of one that is held back, if only now, it is unknown. */
	while (!port->access_error && (rx_waiting | tx_waiting)) {
		shunt_wait_nap(&wait, WATCH_NAP_NS);
		rx_over = shunt_wait_over(&wait, WATCH_NS);
		tx_over = shunt_wait_over(&wait, WATCH_NS + wire);
		igb_read_heads(port, &now);
		for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
			if ((rx_waiting >> i & 1) && !rx_waits(port->rx[i], next[i], now.rx[i]))
				rx_waiting &= ~(1u << i);
			if (now.tx[i] != before.tx[i])
				tx_waiting &= ~(1u << i);
		}
		if (tx_waiting && !sends(port))
			tx_waiting = 0;
		if (!port->access_error && ((rx_over && rx_waiting) || (tx_over && tx_waiting)))
			return true;
	}
	return false;
}

int igb_restart_rx(struct igb_rx_queue *queue)
{
	struct igb_recovery_state *state = &queue->port->recovery_state;
	int ret;

	state->rx_dead |= 1u << queue->index;
	ret = igb_rx_queue_enable(queue);
	if (ret)
		return ret;
	state->rx_dead &= ~(1u << queue->index);
	igb_rx_ring_rebuild(queue);
	igb_doorbell(queue->doorbell, igb_rx_ring_tail(queue));
	return 0;
}

static int await_head(struct igb_tx_queue *queue, uint16_t head)
{
	return igb_canary_wait(queue->port,
		igb_tx_reg(queue->port, SHUNT_82576_TDH(0), queue->index), UINT32_MAX, head,
		"a transmit queue to take a descriptor");
}

int igb_restart_tx(struct igb_tx_queue *queue)
{
	struct igb_recovery_state *state = &queue->port->recovery_state;
	uint16_t *head = &state->heads.tx[queue->index];
	int ret;

	state->tx_dead |= 1u << queue->index;
	state->tx_probed &= ~(1u << queue->index);
	ret = igb_tx_queue_enable(queue);
	if (ret)
		return ret;
	igb_tx_ring_rebuild(queue, igb_tx_ring_frame_start(queue, *head));
	*head = 1;
	igb_doorbell(queue->doorbell, 1);
	ret = await_head(queue, 1);
	if (ret)
		return ret;
	igb_tx_ring_done(queue, 0);
	state->tx_dead &= ~(1u << queue->index);
	if (queue->tail != 1)
		igb_doorbell(queue->doorbell, queue->tail);
	return 0;
}

/* The NIC took the context descriptor, of which it reports nothing itself. */
static void probe_taken(struct igb_tx_queue *queue)
{
	struct igb_recovery_state *state = &queue->port->recovery_state;

	igb_tx_ring_done(queue, state->tx_probe[queue->index]);
	state->tx_probed &= ~(1u << queue->index);
}

/* Everything was sent: there is room for a context descriptor. */
static int prove_idle_tx(struct igb_tx_queue *queue)
{
	struct igb_recovery_state *state = &queue->port->recovery_state;
	int ret;

	state->tx_probe[queue->index] = igb_tx_ring_probe(queue);
	state->tx_probed |= 1u << queue->index;
	state->heads.tx[queue->index] = queue->tail;
	igb_doorbell(queue->doorbell, queue->tail);
	ret = await_head(queue, queue->tail);
	if (!ret)
		probe_taken(queue);
	return ret;
}

/*
 * A transmit queue with frames, or with a context descriptor of an earlier try. One that does not
 * move may only lack a link: it goes off and on again, which a wedged one does not. Its head is
 * true once it is off.
 */
static int prove_busy_tx(struct igb_tx_queue *queue, struct shunt_recovery *recovery)
{
	struct igb_recovery_state *state = &queue->port->recovery_state;
	struct igb_port *port = queue->port;
	uint32_t reg = igb_tx_reg(port, SHUNT_82576_TDH(0), queue->index);
	uint16_t *head = &state->heads.tx[queue->index];
	int ret;

	ret = igb_canary_wait_change(port, reg, *head, "a transmit queue to move");
	if (!ret && (state->tx_probed >> queue->index & 1))
		probe_taken(queue);
	if (ret != -ETIMEDOUT)
		return ret;
	recovery->queue_resets++;
	ret = igb_tx_queue_disable(queue);
	if (ret)
		return ret;
	*head = igb_tx_head(port, queue->index);
	return port->access_error ? port->access_error : igb_restart_tx(queue);
}

static int prove_tx(struct igb_tx_queue *queue, struct shunt_recovery *recovery)
{
	struct igb_recovery_state *state = &queue->port->recovery_state;

	if (state->tx_dead >> queue->index & 1)
		return igb_restart_tx(queue);
	return state->heads.tx[queue->index] == queue->tail ? prove_idle_tx(queue)
							    : prove_busy_tx(queue, recovery);
}

int igb_liveness_check(struct igb_port *port, struct shunt_recovery *recovery)
{
	const struct igb_recovery_state *state = &port->recovery_state;
	int result = 0;

	port->liveness_checks++;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		int ret = 0;

		if (igb_rx_runs(port, i) && !(state->rx_live >> i & 1)) {
			ret = igb_restart_rx(port->rx[i]);
			recovery->queue_resets += ret != 0;
			result = ret ? ret : result;
		}
		if (port->access_error)
			return port->access_error;
		if (igb_tx_runs(port, i) && !(state->tx_live >> i & 1)) {
			ret = prove_tx(port->tx[i], recovery);
			result = ret ? ret : result;
		}
		if (port->access_error)
			return port->access_error;
	}
	return result;
}
