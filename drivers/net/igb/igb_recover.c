/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "igb.h"
#include "shunt_clock.h"
#include "shunt_error.h"

/*
 * What a refused DMA leaves behind, and how it is found without a timer on the datapath:
 *
 *   receive hole    a descriptor was used, its write-back refused: the burst would wait at it for
 *                   ever. Found: the NIC's head is past a slot without DD. Mended: marked, the
 *                   burst discards it.
 *   transmit hole   the same for a descriptor that reports: its buffers would never be reclaimed.
 *                   Mended: marked as done.
 *   wedge           Silicon: a refused read stops a queue's descriptor engine; it acknowledges no
 *                   disable, CTRL.RST does not free it, function level reset does. Found: a queue
 *                   has to prove that it runs.
 *   reset           by somebody else: nothing is set up any more. Mended as by a port reset.
 *
 * Proof that a queue runs: its head moves; or, where nothing moves, it takes a context descriptor
 * (transmit: nothing is sent) or goes off and on again (receive: frames wait in the NIC).
 *
 * Steps, each with its bound in time: watching WATCH_NS, write-backs on their way SETTLE_NS, each
 * wait for an answer 100 us of a NIC that acts (igb_await()), CTRL.RST one millisecond.
 * Every wait gives up the processor.
 */

#define WATCH_NS       200000ull
#define WATCH_SLEEP_NS 10000ull
#define SETTLE_NS      20000ull

static bool rx_runs(const struct igb_port *port, unsigned int i)
{
	return port->rx[i] && port->rx[i]->started;
}

static bool tx_runs(const struct igb_port *port, unsigned int i)
{
	return port->tx[i] && port->tx[i]->started;
}

static void read_heads(struct igb_port *port, struct igb_trial *trial)
{
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (rx_runs(port, i))
			trial->rx_head[i] =
				(uint16_t)(igb_read(port, SHUNT_82576_RDH(i)) % port->rx[i]->count);
		if (tx_runs(port, i))
			trial->tx_head[i] =
				(uint16_t)(igb_read(port, SHUNT_82576_TDH(i)) % port->tx[i]->count);
	}
}

static bool all_proven(const struct igb_port *port, const struct igb_trial *trial)
{
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if ((rx_runs(port, i) && !(trial->rx_proven >> i & 1)) ||
			(tx_runs(port, i) && !(trial->tx_proven >> i & 1)))
			return false;
	}
	return true;
}

/* Pollers run on: queues with traffic prove themselves in microseconds. */
static void watch(struct igb_port *port, struct igb_trial *trial)
{
	uint64_t limit = shunt_clock_now() + shunt_clock_from_ns(WATCH_NS);
	struct igb_trial before = *trial, now = *trial;

	trial->rx_proven = trial->tx_proven = 0;
	read_heads(port, &before);
	do {
		igb_sleep_ns(WATCH_SLEEP_NS);
		read_heads(port, &now);
		for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
			if (rx_runs(port, i) && now.rx_head[i] != before.rx_head[i])
				trial->rx_proven |= 1u << i;
			if (tx_runs(port, i) && now.tx_head[i] != before.tx_head[i])
				trial->tx_proven |= 1u << i;
		}
		trial->rx_proven &= ~trial->rx_dead;
		trial->tx_proven &= ~trial->tx_dead;
	} while (!port->access_error && !all_proven(port, trial) && shunt_clock_now() < limit);
}

/*
 * Whether something is stuck that no fault record tells of. Receive: the head went past the slot
 * that is polled next, and the slot stays without DD. Transmit: descriptors wait and the head does
 * not move, though there is a link and the far end does not hold frames back.
 */
static bool looks_stuck(struct igb_port *port)
{
	struct igb_trial before = { 0 }, now = { 0 };
	uint16_t next[SHUNT_82576_QUEUES] = { 0 };
	uint32_t rx_waits = 0, tx_waits = 0;
	uint32_t status = igb_read(port, SHUNT_82576_STATUS);
	bool sends = (status & SHUNT_82576_STATUS_LU) && !(status & SHUNT_82576_STATUS_TXOFF);

	read_heads(port, &before);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (rx_runs(port, i)) {
			struct igb_rx_queue *queue = port->rx[i];

			next[i] = __atomic_load_n(&queue->next, __ATOMIC_RELAXED);
			if (next[i] != before.rx_head[i] &&
				!(__atomic_load_n(&queue->ring[next[i]].quad[1], __ATOMIC_ACQUIRE) &
					SHUNT_82576_RXD_DD))
				rx_waits |= 1u << i;
		}
		if (sends && tx_runs(port, i) &&
			igb_read(port, SHUNT_82576_TDT(i)) != before.tx_head[i])
			tx_waits |= 1u << i;
	}
	if (!rx_waits && !tx_waits)
		return false;

	igb_sleep_ns(WATCH_NS);
	read_heads(port, &now);
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

/*
 * Paused. A register read pushes the NIC's earlier writes ahead of its answer, so after the second
 * read a slot before the first one's head that has no DD will not get one. Queues that are dead
 * keep what was found when they still had a head of their own.
 */
static void repair(struct igb_port *port, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	struct igb_trial now = *trial;

	read_heads(port, &now);
	igb_sleep_ns(SETTLE_NS);
	igb_read(port, SHUNT_82576_STATUS);
	if (port->access_error)
		return;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (rx_runs(port, i) && !(trial->rx_dead >> i & 1)) {
			trial->rx_head[i] = now.rx_head[i];
			recovery->repaired_descriptors += igb_rx_ring_repair(
				port->rx[i], now.rx_head[i], &recovery->rx_dropped);
		}
		if (tx_runs(port, i) && !(trial->tx_dead >> i & 1)) {
			trial->tx_head[i] = now.tx_head[i];
			recovery->repaired_descriptors +=
				igb_tx_ring_repair(port->tx[i], now.tx_head[i]);
			if (now.tx_head[i] != trial->tx_probe[i])
				trial->tx_probed &= ~(1u << i);
		}
	}
}

/* Ring laid anew, head at 0, the NIC told of it. */
static int restart_rx(struct igb_rx_queue *queue, struct igb_trial *trial)
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

/*
 * The same, with a context descriptor first: frames from *head on follow once the queue has taken
 * it. *head is kept true, so that this can be tried again.
 */
static int restart_tx(struct igb_tx_queue *queue, struct igb_trial *trial)
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
	return port->access_error ? port->access_error : restart_tx(queue, trial);
}

static int prove_tx(
	struct igb_tx_queue *queue, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	if (trial->tx_dead >> queue->index & 1)
		return restart_tx(queue, trial);
	return trial->tx_head[queue->index] == queue->tail ? prove_idle_tx(queue, trial)
							   : prove_busy_tx(queue, trial, recovery);
}

/*
 * Paused. Queues that did not move have to answer.
 *
 * @return 0 all run; -ETIMEDOUT trial says which do not; failure of an access
 */
static int prove(struct igb_port *port, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	int result = 0;

	port->proofs++;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		int ret = 0;

		if (rx_runs(port, i) && !(trial->rx_proven >> i & 1)) {
			ret = restart_rx(port->rx[i], trial);
			recovery->queue_resets += ret != 0;
			result = ret ? ret : result;
		}
		if (port->access_error)
			return port->access_error;
		if (tx_runs(port, i) && !(trial->tx_proven >> i & 1)) {
			ret = prove_tx(port->tx[i], trial, recovery);
			result = ret ? ret : result;
		}
		if (port->access_error)
			return port->access_error;
	}
	return result;
}

/* Frames that came to memory since the counters began: polled, discarded or still in the ring. */
static uint64_t frames_seen(const struct igb_port *port)
{
	uint64_t seen = 0;

	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		const struct igb_rx_queue *queue = port->rx[i];

		if (!queue)
			continue;
		seen += IGB_COUNTED(queue->packets) + IGB_COUNTED(queue->discarded);
		if (queue->started)
			seen += igb_rx_ring_frames(queue, igb_rx_ring_completed(queue));
	}
	return seen;
}

void igb_recover_baseline(struct igb_port *port)
{
	port->good_at_reset = igb_stats_good(port);
	port->seen_at_reset = frames_seen(port);
}

/*
 * Before a reset: no DMA any more, rings repaired to the last descriptor, counters saved. Frames
 * that the NIC counted as received and that are not in memory are in its FIFO: they are lost.
 */
static int prepare_reset(
	struct igb_port *port, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	uint64_t good, seen;
	int ret;

	trial->halted = true;
	ret = igb_hw_quiet(port);
	if (ret)
		return ret;
	repair(port, trial, recovery);
	igb_stats_update(port);
	good = igb_stats_good(port) - port->good_at_reset;
	seen = frames_seen(port) - port->seen_at_reset;
	if (good > seen)
		recovery->rx_dropped += (uint32_t)(good - seen);
	igb_recover_baseline(port);
	return igb_access_end(port);
}

/* The port as the application has set it up; frames not sent yet are sent now. */
static int restart_port(struct igb_port *port, struct igb_trial *trial)
{
	int ret;

	ret = igb_hw_configure(port);
	if (ret)
		return ret;
	igb_hw_transmit(port, true);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		/* Twice: going on says little of a queue that the reset had turned off. */
		for (unsigned int times = 0; rx_runs(port, i) && times < 2; times++) {
			ret = restart_rx(port->rx[i], trial);
			if (ret)
				return ret;
		}
		if (tx_runs(port, i)) {
			ret = restart_tx(port->tx[i], trial);
			if (ret)
				return ret;
		}
	}
	igb_hw_receive(port, true);
	ret = igb_access_end(port);
	trial->halted = ret != 0;
	return ret;
}

static int port_reset(
	struct igb_port *port, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	int ret;

	ret = prepare_reset(port, trial, recovery);
	if (ret)
		return ret;
	recovery->port_resets++;
	ret = igb_hw_reset(port);
	/* From here on no head register is a head of ours until its queue has been restarted. */
	trial->rx_dead = trial->tx_dead = UINT32_MAX;
	return ret ? ret : restart_port(port, trial);
}

static int function_reset(
	struct igb_port *port, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	int ret;

	if (!port->port.device.can_reset)
		return shunt_fail_while(
			-EIO, "%s has no function level reset", port->port.device.function);
	igb_access_begin(port);
	ret = prepare_reset(port, trial, recovery);
	if (ret)
		return ret;
	recovery->function_resets++;
	trial->rx_dead = trial->tx_dead = UINT32_MAX;
	ret = shunt_vfio_reset(&port->port.device);
	if (ret)
		return ret;
	ret = shunt_vfio_bus_master(&port->port.device, true);
	if (ret)
		return ret;
	ret = igb_hw_wait_ready(port);
	if (ret)
		return ret;
	igb_witness_configure(port);
	return restart_port(port, trial);
}

/*
 * Paused, and reset by others: what a reset of the function leaves to be done before a port reset
 * can work. Frames that were not reported sent are sent, those of the last report or two again.
 */
static int take_over(struct igb_port *port, struct igb_trial *trial)
{
	int ret;

	ret = shunt_vfio_bus_master(&port->port.device, true);
	if (!ret)
		ret = igb_hw_wait_ready(port);
	if (ret)
		return ret;
	igb_witness_configure(port);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (tx_runs(port, i))
			trial->tx_head[i] = igb_tx_ring_reported(port->tx[i]);
	}
	trial->outside = false;
	return 0;
}

/* From where an earlier recovery stopped, if a failed access stopped one. */
static int mend_paused(
	struct igb_port *port, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	int ret = 0;

	if (trial->outside) {
		ret = take_over(port, trial);
		if (ret)
			return ret;
	}
	if (!trial->halted) {
		repair(port, trial, recovery);
		ret = igb_access_end(port);
		if (!ret)
			ret = prove(port, trial, recovery);
	}
	if (trial->halted || ret == -ETIMEDOUT)
		ret = port_reset(port, trial, recovery);
	if (ret == -ETIMEDOUT)
		ret = function_reset(port, trial, recovery);
	return ret;
}

static int mend(struct igb_port *port, struct shunt_recovery *recovery)
{
	struct igb_trial *trial = &port->trial;
	int ret;

	trial->begun = true;
	if (!trial->halted)
		watch(port, trial);
	ret = igb_keep_out(port);
	if (!ret)
		ret = mend_paused(port, trial, recovery);
	igb_let_in(port);
	if (!ret)
		*trial = (struct igb_trial){ 0 };
	else
		ret = shunt_fail_while(-EIO,
			"%s does not run after %u queue, %u port and %u function resets",
			port->port.device.function, recovery->queue_resets, recovery->port_resets,
			recovery->function_resets);
	return ret;
}

static void count(struct igb_port *port, const struct shunt_recovery *recovery)
{
	port->recoveries += recovery->repaired_descriptors || recovery->queue_resets ||
			    recovery->port_resets || recovery->function_resets;
	port->recovered.repaired_descriptors += recovery->repaired_descriptors;
	port->recovered.queue_resets += recovery->queue_resets;
	port->recovered.port_resets += recovery->port_resets;
	port->recovered.function_resets += recovery->function_resets;
	port->recovered.rx_dropped += recovery->rx_dropped;
	port->recovered.tx_dropped += recovery->tx_dropped;
}

/* A port whose registers others have reset is set up again from where a port reset would go on. */
static int take_up_reset(struct igb_port *port)
{
	SHUNT_LOG(ERR, "%s was reset from outside", port->port.device.function);
	port->trial = (struct igb_trial){
		.halted = true,
		.outside = true,
		.rx_dead = UINT32_MAX,
		.tx_dead = UINT32_MAX,
	};
	return igb_wait_for_answer(port);
}

int igb_recover(void *opaque, enum shunt_doubt doubt, struct shunt_recovery *recovery)
{
	struct igb_port *port = opaque;
	uint64_t start = shunt_clock_now();
	int ret = 0;

	if (port->stopped) {
		recovery->port_resets++;
		ret = igb_start_again(port);
		count(port, recovery);
		return ret;
	}
	if (!port->started)
		return 0;
	igb_access_begin(port);
	if (port->paused) {
		doubt = SHUNT_DOUBT_FAULT;
		ret = igb_unpause(port);
	}
	if (!ret)
		ret = igb_send_noted(port);
	if (!ret && !port->trial.halted && igb_was_reset(port)) {
		doubt = SHUNT_DOUBT_FAULT;
		ret = take_up_reset(port);
	}
	if (ret)
		return ret;
	if (!port->trial.begun && !port->trial.halted &&
		(doubt == SHUNT_DOUBT_NONE || (doubt == SHUNT_DOUBT_SOME && !looks_stuck(port))))
		return igb_access_end(port);
	ret = mend(port, recovery);
	recovery->time += shunt_clock_now() - start;
	count(port, recovery);
	return ret;
}
