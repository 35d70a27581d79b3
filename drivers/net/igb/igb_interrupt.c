/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include <shunt/error.h>

#include "igb.h"

/*
 * Interrupts by MSI-X, 7.3: each vector is an eventfd, which the kernel signals. EAL's interrupt
 * thread reads the link's; those of receive queues are for the application to wait for.
 *
 *   receive queue n --- IVAR ---> vector 1 + n --- EIMS ---> eventfd --- epoll of the application
 *   link            --- IVAR_MISC ---> vector 0 -----------> eventfd --- link_changed()
 *
 * A vector's cause clears automatically when it is sent (EIAC). QEMU does not mask it (EIAM) then,
 * so nothing here relies on that.
 *
 * A poller that finds its queue paused gets no frames, and may go to sleep over frames whose
 * interrupt it has taken: whoever lets it in again raises the interrupts that are enabled.
 */

#define NO_EVENT (-1)

static void link_changed(void *arg)
{
	struct rte_eth_dev *dev = arg;
	struct igb_port *port = igb_port_of(dev);
	struct rte_eth_link link = { 0 };
	int ret;

	pthread_mutex_lock(&port->lock);
	if (!shunt_notify_taken(&port->interrupts.link)) {
		pthread_mutex_unlock(&port->lock);
		return;
	}
	if (port->started) {
		igb_access_begin(port);
		port->hw->link_event(port);
		igb_hw_link(port, &link);
	}
	ret = rte_eth_linkstatus_set(dev, &link);
	pthread_mutex_unlock(&port->lock);
	if (ret == 0)
		rte_eth_dev_callback_process(dev, RTE_ETH_EVENT_INTR_LSC, NULL);
}

/*
 * EAL knows the link's descriptor from open to close, as it is with DPDK's drivers. So a stop waits
 * for no handler, and may be called by one.
 */
int igb_link_open(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	return shunt_notify_open(
		port->port.device.function, link_changed, dev, &port->interrupts.link);
}

void igb_link_close(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	if (port->interrupts.link)
		shunt_notify_close(port->interrupts.link, link_changed, dev);
	pthread_mutex_lock(&port->lock); /* under which a handler has read it */
	port->interrupts.link = NULL;
	pthread_mutex_unlock(&port->lock);
}

static void link_set(struct igb_port *port, bool on)
{
	pthread_mutex_lock(&port->lock);
	port->interrupts.link_on = on;
	pthread_mutex_unlock(&port->lock);
}

static void rx_free(struct rte_intr_handle *handle)
{
	rte_intr_free_epoll_fd(handle);
	for (int i = 0; i < rte_intr_nb_efd_get(handle); i++)
		close(rte_intr_efds_index_get(handle, i));
	rte_intr_vec_list_free(handle);
	rte_intr_instance_free(handle);
}

static void rx_set(struct rte_eth_dev *dev, struct rte_intr_handle *handle, uint32_t queues)
{
	struct igb_port *port = igb_port_of(dev);

	pthread_mutex_lock(&port->lock);
	port->interrupts.rx = handle;
	port->interrupts.rx_queues = queues;
	port->interrupts.rx_enabled = 0;
	pthread_mutex_unlock(&port->lock);
	dev->intr_handle = handle;
}

static void rx_close(struct rte_eth_dev *dev)
{
	struct rte_intr_handle *handle = igb_port_of(dev)->interrupts.rx;

	if (!handle)
		return;
	rx_set(dev, NULL, 0);
	rx_free(handle);
}

static int rx_queue_open(
	const struct igb_port *port, struct rte_intr_handle *handle, uint16_t queue, int *fd)
{
	*fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (*fd < 0)
		return shunt_fail_errno(-errno, "%s: eventfd", port->port.device.function);
	if (!rte_intr_efds_index_set(handle, queue, *fd) &&
		!rte_intr_nb_efd_set(handle, queue + 1) &&
		!rte_intr_vec_list_index_set(handle, queue, RTE_INTR_VEC_RXTX_OFFSET + queue))
		return 0;
	close(*fd);
	return shunt_fail(-EINVAL, "%s: EAL has no room for the interrupt of queue %u",
		port->port.device.function, queue);
}

static int rx_open(struct rte_eth_dev *dev, int *fds)
{
	struct igb_port *port = igb_port_of(dev);
	uint16_t queues = dev->data->nb_rx_queues;
	struct rte_intr_handle *handle;
	int ret = 0;

	if (queues >= port->hw->vectors)
		return shunt_fail(-ENOTSUP,
			"interrupts of %u receive queues: the NIC has vectors for %u", queues,
			port->hw->vectors - 1u);
	handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (!handle || rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV) ||
		rte_intr_vec_list_alloc(handle, "igb_vectors", queues) ||
		rte_intr_efd_counter_size_set(handle, sizeof(uint64_t)) ||
		rte_intr_max_intr_set(handle, queues + 1))
		ret = shunt_fail(
			-ENOMEM, "%s: interrupts: out of memory", port->port.device.function);
	for (uint16_t i = 0; !ret && i < queues; i++)
		ret = rx_queue_open(port, handle, i, &fds[i]);
	if (!ret)
		rx_set(dev, handle, (1u << queues) - 1);
	else if (handle)
		rx_free(handle);
	return ret;
}

int igb_interrupts_open(struct rte_eth_dev *dev)
{
	const struct rte_eth_intr_conf *conf = &dev->data->dev_conf.intr_conf;
	struct igb_port *port = igb_port_of(dev);
	uint32_t vectors = 1 + (conf->rxq ? dev->data->nb_rx_queues : 0u);
	int fds[IGB_VECTORS];
	int ret = 0;

	if (!conf->lsc && !conf->rxq)
		return 0;
	for (unsigned int i = 0; i < IGB_VECTORS; i++)
		fds[i] = NO_EVENT;
	if (conf->lsc)
		fds[IGB_LINK_VECTOR] = rte_intr_fd_get(port->interrupts.link);
	if (conf->rxq)
		ret = rx_open(dev, &fds[IGB_RX_VECTOR(0)]);
	if (!ret)
		ret = shunt_vfio_msix(&port->port.device, fds, vectors);
	if (ret)
		rx_close(dev);
	else
		link_set(port, conf->lsc);
	return ret;
}

void igb_interrupts_close(struct rte_eth_dev *dev)
{
	struct igb_port *port = igb_port_of(dev);

	if (!port->interrupts.link_on && !port->interrupts.rx)
		return;
	if (shunt_vfio_msix(&port->port.device, NULL, 0))
		igb_log_error(dev, -EIO);
	rx_close(dev);
	link_set(port, false);
}

void igb_interrupts_wake(struct igb_port *port)
{
	if (port->interrupts.rx_enabled)
		igb_write(port, SHUNT_82576_EICS, igb_rx_vectors(port->interrupts.rx_enabled));
}

static int enable(struct rte_eth_dev *dev, uint16_t index, bool on)
{
	struct igb_port *port = igb_control_begin(dev);
	struct igb_interrupts *interrupts = &port->interrupts;

	if (!(interrupts->rx_queues >> index & 1))
		return igb_control_end(
			dev, shunt_fail(-ENOTSUP,
				     "receive queue %u has no interrupt: configure the port with "
				     "intr_conf.rxq, and start it",
				     index));
	interrupts->rx_enabled &= ~(1u << index);
	interrupts->rx_enabled |= (uint32_t)on << index;
	if (port->started)
		igb_write(
			port, on ? SHUNT_82576_EIMS : SHUNT_82576_EIMC, 1u << IGB_RX_VECTOR(index));
	return igb_control_end(dev, igb_access_end(port));
}

int igb_rx_queue_intr_enable(struct rte_eth_dev *dev, uint16_t index)
{
	return enable(dev, index, true);
}

int igb_rx_queue_intr_disable(struct rte_eth_dev *dev, uint16_t index)
{
	return enable(dev, index, false);
}
