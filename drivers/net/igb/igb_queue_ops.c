/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"

/* Queues started and stopped one by one, on a port that runs. */

/* What others reset is set up first: its queues do not answer. */
static int make_ready(struct igb_port *port)
{
	struct shunt_recovery recovery = { 0 };

	return port->started && igb_was_reset(port)
		       ? igb_recover(port, SHUNT_SUSPICION_FAULT, &recovery)
		       : 0;
}

int igb_rx_queue_start(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_control_begin(dev);
	struct igb_rx_queue *queue = port->rx[index];
	int ret = make_ready(port);

	if (port->group_stopped)
		port->rx_restart |= 1u << index;
	else if (!ret && !queue->started)
		ret = igb_rx_queue_begin(queue);
	if (!ret && queue->started) {
		igb_rss_direct(port, 0);
		igb_stats_update(port);
		igb_stats_baseline(port);
		igb_pollers_admit(port);
	}
	if (!ret)
		dev->data->rx_queue_state[index] = RTE_ETH_QUEUE_STATE_STARTED;
	return igb_control_end(dev, ret);
}

int igb_tx_queue_start(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_control_begin(dev);
	struct igb_tx_queue *queue = port->tx[index];
	int ret = make_ready(port);

	if (port->group_stopped)
		port->tx_restart |= 1u << index;
	else if (!ret && !queue->started)
		ret = igb_tx_queue_begin(queue);
	if (!ret && queue->started)
		igb_pollers_admit(port);
	if (!ret)
		dev->data->tx_queue_state[index] = RTE_ETH_QUEUE_STATE_STARTED;
	return igb_control_end(dev, ret);
}

/* Waits until no poller is in a burst of the queue. @return 0; -ETIMEDOUT one stays; errors of
 * shunt_barrier() */
static int keep_out(struct igb_port *port, struct shunt_poll *poll)
{
	int ret;

	shunt_poll_ask(poll);
	ret = shunt_barrier();
	if (!ret)
		ret = shunt_poll_wait(poll);
	if (ret)
		igb_pollers_admit(port);
	else
		shunt_poll_close(poll);
	return ret;
}

/* A queue that does not stop keeps its buffers: the NIC may still write to them. */
int igb_rx_queue_stop(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_control_begin(dev);
	struct igb_rx_queue *queue = port->rx[index];
	int ret = make_ready(port);

	if (port->group_stopped)
		port->rx_restart &= ~(1u << index);
	if (!ret && queue->started) {
		igb_rss_direct(port, 1u << index);
		ret = keep_out(port, &queue->poll);
		if (!ret)
			ret = igb_rx_queue_disable(queue);
		if (!ret)
			igb_rx_queue_drain(queue);
		else
			igb_rss_direct(port, 0);
	}
	if (!ret)
		dev->data->rx_queue_state[index] = RTE_ETH_QUEUE_STATE_STOPPED;
	return igb_control_end(dev, ret);
}

int igb_tx_queue_stop(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_control_begin(dev);
	struct igb_tx_queue *queue = port->tx[index];
	int ret = make_ready(port);

	if (port->group_stopped)
		port->tx_restart &= ~(1u << index);
	if (!ret && queue->started) {
		ret = keep_out(port, &queue->poll);
		if (!ret)
			ret = igb_tx_queue_disable(queue);
		if (!ret)
			igb_tx_queue_drain(queue);
	}
	if (!ret)
		dev->data->tx_queue_state[index] = RTE_ETH_QUEUE_STATE_STOPPED;
	return igb_control_end(dev, ret);
}
