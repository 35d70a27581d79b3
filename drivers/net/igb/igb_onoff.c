/* SPDX-License-Identifier: BSD-3-Clause */
#include "igb.h"

/* Queues started and stopped one by one, on a port that runs. */

/* What others reset is set up first: its queues do not answer. */
static int make_ready(struct igb_port *port)
{
	struct shunt_recovery recovery = { 0 };

	igb_access_begin(port);
	return port->started && igb_was_reset(port)
		       ? igb_recover(port, SHUNT_DOUBT_FAULT, &recovery)
		       : 0;
}

int igb_rx_queue_start(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_port_of(dev);
	struct igb_rx_queue *queue = port->rx[index];
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = make_ready(port);
	if (port->stopped)
		port->rx_stopped |= 1u << index;
	else if (!ret && !queue->started)
		ret = igb_rx_queue_begin(queue);
	if (!ret && queue->started) {
		igb_rss_direct(port, 0);
		igb_stats_update(port);
		igb_recover_baseline(port);
		igb_let_in(port);
	}
	if (!ret)
		dev->data->rx_queue_state[index] = RTE_ETH_QUEUE_STATE_STARTED;
	pthread_mutex_unlock(&port->lock);
	return igb_failed(dev, ret);
}

int igb_tx_queue_start(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_port_of(dev);
	struct igb_tx_queue *queue = port->tx[index];
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = make_ready(port);
	if (port->stopped)
		port->tx_stopped |= 1u << index;
	else if (!ret && !queue->started)
		ret = igb_tx_queue_begin(queue);
	if (!ret && queue->started)
		igb_let_in(port);
	if (!ret)
		dev->data->tx_queue_state[index] = RTE_ETH_QUEUE_STATE_STARTED;
	pthread_mutex_unlock(&port->lock);
	return igb_failed(dev, ret);
}

/* A queue that does not stop keeps its buffers: the NIC may still write to them. */
int igb_rx_queue_stop(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_port_of(dev);
	struct igb_rx_queue *queue = port->rx[index];
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = make_ready(port);
	if (port->stopped)
		port->rx_stopped &= ~(1u << index);
	if (!ret && queue->started) {
		igb_rss_direct(port, 1u << index);
		shunt_poll_ask(&queue->poll);
		shunt_barrier();
		ret = shunt_poll_wait(&queue->poll);
		if (!ret)
			ret = igb_rx_queue_disable(queue);
		if (!ret)
			igb_rx_queue_drain(queue);
		else
			igb_rss_direct(port, 0);
		shunt_poll_close(&queue->poll);
	}
	if (!ret)
		dev->data->rx_queue_state[index] = RTE_ETH_QUEUE_STATE_STOPPED;
	pthread_mutex_unlock(&port->lock);
	return igb_failed(dev, ret);
}

int igb_tx_queue_stop(struct rte_eth_dev *dev, uint16_t index)
{
	struct igb_port *port = igb_port_of(dev);
	struct igb_tx_queue *queue = port->tx[index];
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = make_ready(port);
	if (port->stopped)
		port->tx_stopped &= ~(1u << index);
	if (!ret && queue->started) {
		shunt_poll_ask(&queue->poll);
		shunt_barrier();
		ret = shunt_poll_wait(&queue->poll);
		if (!ret)
			ret = igb_tx_queue_disable(queue);
		if (!ret)
			igb_tx_queue_drain(queue);
		shunt_poll_close(&queue->poll);
	}
	if (!ret)
		dev->data->tx_queue_state[index] = RTE_ETH_QUEUE_STATE_STOPPED;
	pthread_mutex_unlock(&port->lock);
	return igb_failed(dev, ret);
}
