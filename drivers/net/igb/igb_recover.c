/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "igb_recover.h"
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
 * Steps, each with its bound in time: watching WATCH_NS (igb_prove.c), write-backs on their way
 * SETTLE_NS, each wait for an answer 100 us of a NIC that acts (igb_await()), CTRL.RST one
 * millisecond. Every wait gives up the processor.
 */

#define SETTLE_NS 20000ull

/*
 * Paused. A register read pushes the NIC's earlier writes ahead of its answer, so after the second
 * read a slot before the first one's head that has no DD will not get one. Queues that are dead
 * keep what was found when they still had a head of their own.
 */
static void repair(struct igb_port *port, struct igb_trial *trial, struct shunt_recovery *recovery)
{
	struct igb_trial now = *trial;

	igb_read_heads(port, &now);
	igb_sleep_ns(SETTLE_NS);
	igb_read(port, SHUNT_82576_STATUS);
	if (port->access_error)
		return;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_rx_runs(port, i) && !(trial->rx_dead >> i & 1)) {
			trial->rx_head[i] = now.rx_head[i];
			recovery->repaired_descriptors += igb_rx_ring_repair(
				port->rx[i], now.rx_head[i], &recovery->rx_dropped);
		}
		if (igb_tx_runs(port, i) && !(trial->tx_dead >> i & 1)) {
			trial->tx_head[i] = now.tx_head[i];
			recovery->repaired_descriptors +=
				igb_tx_ring_repair(port->tx[i], now.tx_head[i]);
			if (now.tx_head[i] != trial->tx_probe[i])
				trial->tx_probed &= ~(1u << i);
		}
	}
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
		for (unsigned int times = 0; igb_rx_runs(port, i) && times < 2; times++) {
			ret = igb_restart_rx(port->rx[i], trial);
			if (ret)
				return ret;
		}
		if (igb_tx_runs(port, i)) {
			ret = igb_restart_tx(port->tx[i], trial);
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
		if (igb_tx_runs(port, i))
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
			ret = igb_prove(port, trial, recovery);
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
		igb_watch(port, trial);
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
		(doubt == SHUNT_DOUBT_NONE ||
			(doubt == SHUNT_DOUBT_SOME && !igb_looks_stuck(port))))
		return igb_access_end(port);
	ret = mend(port, recovery);
	recovery->time += shunt_clock_now() - start;
	count(port, recovery);
	return ret;
}
