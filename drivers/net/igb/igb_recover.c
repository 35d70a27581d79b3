/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "igb_recover.h"

/*
 * What a refused DMA leaves behind, and how it is found without a timer on the datapath:
 *
 *   damage           sign                                repair
 *   receive hole     the head is past a slot without DD  the slot is marked; the NIC has it again,
 *                                                        or the burst discards the damaged frame
 *   transmit hole    the same, at a slot that reports    the slot is marked as done
 *   hung queue       its head does not move              restart of the queue, then resets
 *   outside reset    RCTL.EN is 0 on a running port      set-up as after a port reset
 *   no answer        registers read as all ones          wait, then outside reset
 *
 * Silicon: a refused read stops a queue's descriptor engine. The queue acknowledges no disable, and
 * CTRL.RST does not free it; function level reset does.
 *
 * Steps of a recovery. Pollers are out of all queues in each of them.
 *
 *   step            precondition                    bound              on success  on time-out
 *   liveness        registers are as we left them   100 us a queue     idle        port reset
 *   outside reset   the function answers again      EEPROM: 1 s        port reset  fails
 *   port reset      DMA is stopped, rings repaired  1 ms + queues      idle        function reset
 *   function reset  the same; the device has one    of the kernel      idle        fails
 *
 * A step that fails is tried again by the next call; function reset from port reset on. "100 us" is
 * time in which the NIC acts on other things (igb_canary_wait()), for a transmit queue as long as
 * the wire may take besides. Every wait gives up the processor.
 *
 * After REPORT_AFTER failed calls the application is told once, and recovery is tried at growing
 * intervals: control calls do not wait for it.
 */

#define SETTLE_NS       20000ull /* write-backs on their way */

#define REPORT_AFTER    3 /* failed calls; the group makes two at a time */
#define RETRY_NS        1000000000ull
#define RETRY_DOUBLINGS 6

/*
 * Paused. A register read pushes the NIC's earlier writes ahead of its answer. So after the second
 * read, a slot before the first read's head that has no DD will never get one. Dead queues keep
 * what was found while their head register was valid.
 */
static void repair(struct igb_port *port, struct shunt_recovery *recovery)
{
	struct igb_recovery_state *state = &port->recovery_state;
	struct igb_heads now = { 0 };

	igb_read_heads(port, &now);
	igb_sleep_ns(port, SETTLE_NS);
	igb_read(port, SHUNT_82576_STATUS);
	if (port->access_error)
		return;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_rx_runs(port, i) && !(state->rx_dead >> i & 1)) {
			uint16_t marked =
				igb_rx_ring_repair(port->rx[i], now.rx[i], &recovery->rx_dropped);

			state->heads.rx[i] = now.rx[i];
			recovery->repaired_descriptors += marked;
			if (marked) /* its ring is rebuilt, so that the NIC has the slots again */
				state->rx_live &= ~(1u << i);
		}
		if (igb_tx_runs(port, i) && !(state->tx_dead >> i & 1)) {
			state->heads.tx[i] = now.tx[i];
			recovery->repaired_descriptors +=
				igb_tx_ring_repair(port->tx[i], now.tx[i]);
			if (now.tx[i] != state->tx_probe[i])
				state->tx_probed &= ~(1u << i);
		}
	}
}

/*
 * Before a reset: no DMA any more, rings repaired to the last descriptor, counters saved. Frames
 * that the NIC counted as received and that are not in memory are in its FIFO: they are lost.
 */
static int prepare_reset(struct igb_port *port, struct shunt_recovery *recovery)
{
	int ret;

	ret = port->hw->stop_dma(port);
	if (ret)
		return ret;
	repair(port, recovery);
	igb_stats_update(port);
	ret = igb_access_end(port);
	if (ret)
		return ret;
	recovery->rx_dropped += igb_stats_baseline(port);
	return 0;
}

/* Sets the port up as the application configured it, and sends the frames that wait. */
static int restart_port(struct igb_port *port)
{
	int ret;

	ret = port->hw->configure(port);
	if (ret)
		return ret;
	port->hw->transmit(port, true);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		/* Twice: going on says little of a queue that the reset had turned off. */
		for (unsigned int times = 0; igb_rx_runs(port, i) && times < 2; times++) {
			ret = igb_restart_rx(port->rx[i]);
			if (ret)
				return ret;
		}
		if (igb_tx_runs(port, i)) {
			ret = igb_restart_tx(port->tx[i]);
			if (ret)
				return ret;
		}
	}
	port->hw->receive(port, true);
	return igb_access_end(port);
}

/* No head register belongs to our rings until its queue is restarted. */
static void mark_all_dead(struct igb_port *port)
{
	port->recovery_state.rx_dead = port->recovery_state.tx_dead = UINT32_MAX;
}

static int port_reset(struct igb_port *port, struct shunt_recovery *recovery)
{
	int ret;

	ret = prepare_reset(port, recovery);
	if (ret)
		return ret;
	recovery->port_resets++;
	ret = port->hw->reset(port);
	mark_all_dead(port);
	return ret ? ret : restart_port(port);
}

static int function_reset(struct igb_port *port, struct shunt_recovery *recovery)
{
	int ret;

	if (!port->port.device.can_reset)
		return shunt_fail_while(
			-EIO, "%s has no function level reset", port->port.device.function);
	igb_access_begin(port);
	ret = prepare_reset(port, recovery);
	if (ret)
		return ret;
	recovery->function_resets++;
	mark_all_dead(port);
	ret = shunt_vfio_reset(&port->port.device);
	if (ret)
		return ret;
	ret = shunt_vfio_bus_master(&port->port.device, true);
	if (ret)
		return ret;
	ret = port->hw->wait_ready(port);
	if (ret)
		return ret;
	igb_canary_configure(port);
	return restart_port(port);
}

/*
 * After a reset by another party: what a port reset needs to work. Frames that were not reported
 * sent are sent; those of the last report or two are sent again.
 */
static int set_up_function(struct igb_port *port, struct shunt_recovery *recovery)
{
	int ret;

	ret = shunt_vfio_bus_master(&port->port.device, true);
	if (!ret)
		ret = port->hw->wait_ready(port);
	if (ret)
		return ret;
	igb_canary_configure(port);
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++) {
		if (igb_tx_runs(port, i))
			port->recovery_state.heads.tx[i] = igb_tx_ring_reported(port->tx[i]);
	}
	SHUNT_LOG(ERR, "%s was reset from outside", port->port.device.function);
	return 0;
}

static int check_liveness(struct igb_port *port, struct shunt_recovery *recovery)
{
	int ret;

	repair(port, recovery);
	ret = igb_access_end(port);
	return ret ? ret : igb_liveness_check(port, recovery);
}

/* IDLE in `next`: the port runs; in `escalate`: there is nothing stronger. */
static const struct step {
	int (*run)(struct igb_port *port, struct shunt_recovery *recovery);
	enum igb_recovery_phase next;     /**< after success */
	enum igb_recovery_phase escalate; /**< after -ETIMEDOUT */
	enum igb_recovery_phase retry;    /**< of the next call, if this one ends here */
} steps[] = {
	[IGB_RECOVERY_LIVENESS] = { check_liveness, IGB_RECOVERY_IDLE, IGB_RECOVERY_PORT_RESET,
		IGB_RECOVERY_LIVENESS },
	[IGB_RECOVERY_OUTSIDE_RESET] = { set_up_function, IGB_RECOVERY_PORT_RESET,
		IGB_RECOVERY_IDLE, IGB_RECOVERY_OUTSIDE_RESET },
	[IGB_RECOVERY_PORT_RESET] = { port_reset, IGB_RECOVERY_IDLE, IGB_RECOVERY_FUNCTION_RESET,
		IGB_RECOVERY_PORT_RESET },
	[IGB_RECOVERY_FUNCTION_RESET] = { function_reset, IGB_RECOVERY_IDLE, IGB_RECOVERY_IDLE,
		IGB_RECOVERY_PORT_RESET },
};

/* Paused. From the phase that an earlier call ended in. */
static int run_steps(struct igb_port *port, struct shunt_recovery *recovery)
{
	enum igb_recovery_phase *phase = &port->recovery_state.phase;
	const struct step *step;
	int ret;

	do {
		step = &steps[*phase];
		ret = step->run(port, recovery);
		if (!ret)
			*phase = step->next;
		else if (ret == -ETIMEDOUT && step->escalate != IGB_RECOVERY_IDLE)
			*phase = step->escalate;
		else
			*phase = step->retry;
	} while (*phase != IGB_RECOVERY_IDLE && *phase != step->retry);
	return ret;
}

static int repair_port(struct igb_port *port, struct shunt_recovery *recovery)
{
	struct igb_recovery_state *state = &port->recovery_state;
	int ret;

	if (state->phase == IGB_RECOVERY_IDLE)
		state->phase = IGB_RECOVERY_LIVENESS;
	if (state->phase == IGB_RECOVERY_LIVENESS)
		igb_liveness_watch(port);
	ret = igb_pollers_fence(port);
	if (!ret)
		ret = run_steps(port, recovery);
	igb_pollers_admit(port);
	if (!ret)
		*state = (struct igb_recovery_state){ 0 };
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

static void begin_outside_reset(struct igb_port *port)
{
	port->recovery_state = (struct igb_recovery_state){ .phase = IGB_RECOVERY_OUTSIDE_RESET };
	mark_all_dead(port);
}

static int start_stopped(struct igb_port *port, struct shunt_recovery *recovery)
{
	int ret;

	recovery->port_resets++;
	ret = igb_restart(port);
	count(port, recovery);
	return ret;
}

/* Whether there is reason to make the queues prove that they run. */
static bool needs_repair(struct igb_port *port, enum shunt_suspicion suspicion)
{
	return port->recovery_state.phase != IGB_RECOVERY_IDLE ||
	       suspicion == SHUNT_SUSPICION_FAULT ||
	       (suspicion == SHUNT_SUSPICION_SOME && igb_liveness_suspect(port));
}

static int recover(
	struct igb_port *port, enum shunt_suspicion suspicion, struct shunt_recovery *recovery)
{
	const struct igb_recovery_state *state = &port->recovery_state;
	uint64_t start = shunt_clock_now();
	int ret;

	igb_access_begin(port);
	if (port->dma_paused)
		suspicion = SHUNT_SUSPICION_FAULT;
	ret = port->hw->finish_pause(port);
	if ((!ret || port->absent) && state->phase < IGB_RECOVERY_OUTSIDE_RESET &&
		igb_was_reset(port))
		begin_outside_reset(port);
	if (state->phase == IGB_RECOVERY_OUTSIDE_RESET) {
		igb_access_begin(port);
		ret = igb_wait_for_answer(port);
	}
	if (ret)
		return ret;
	if (!port->hw->counters_clear) /* they wrap around if nobody reads them */
		igb_stats_update(port);
	if (!needs_repair(port, suspicion))
		return igb_access_end(port);
	ret = repair_port(port, recovery);
	recovery->time += shunt_clock_now() - start;
	count(port, recovery);
	return ret;
}

/* Applications close a port at either event. One that runs again before that is as it was. */
static enum rte_eth_event_type event_of(const struct igb_port *port)
{
	if (port->absent)
		return RTE_ETH_EVENT_INTR_RMV;
	return port->hw->waits_for_others ? RTE_ETH_EVENT_INTR_RESET
					  : RTE_ETH_EVENT_RECOVERY_FAILED;
}

static void report_failure(struct igb_port *port)
{
	SHUNT_LOG(ERR, "%s; the application is told, and retries follow at %s", shunt_errmsg(),
		port->hw->waits_for_others ? "intervals of a second" : "growing intervals");
	shunt_port_raise_event(&port->port, event_of(port));
}

static void note_failure(struct igb_port *port)
{
	struct igb_backoff *backoff = &port->backoff;
	unsigned int doublings;

	if (++backoff->times < REPORT_AFTER)
		return;
	doublings = port->hw->waits_for_others
			    ? 0
			    : RTE_MIN(backoff->times - REPORT_AFTER, (unsigned int)RETRY_DOUBLINGS);
	backoff->retry = shunt_clock_now() + shunt_clock_from_ns(RETRY_NS << doublings);
	if (backoff->times == REPORT_AFTER)
		report_failure(port);
}

static void note_success(struct igb_port *port)
{
	if (port->backoff.times)
		SHUNT_LOG(NOTICE, "%s runs again after %u failed attempt%s",
			port->port.device.function, port->backoff.times,
			port->backoff.times == 1 ? "" : "s");
	port->backoff = (struct igb_backoff){ 0 };
}

int igb_recover(void *opaque, enum shunt_suspicion suspicion, struct shunt_recovery *recovery)
{
	struct igb_port *port = opaque;
	int ret;

	if (!port->started && !port->group_stopped)
		return 0;
	if (port->backoff.times >= REPORT_AFTER && shunt_clock_now() < port->backoff.retry)
		return shunt_fail(-EIO,
			"%s does not run: %u attempts failed, the next one is due later",
			port->port.device.function, port->backoff.times);
	ret = port->group_stopped ? start_stopped(port, recovery)
				  : recover(port, suspicion, recovery);
	if (ret)
		note_failure(port);
	else
		note_success(port);
	return ret;
}
