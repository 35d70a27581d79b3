/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/eventfd.h>

#include <rte_interrupts.h>

#include <shunt/error.h>

#include "shunt_port.h"

/*
 * The kernel requests a function back when it is unbound or removed, and waits until it is closed.
 * The application receives RTE_ETH_EVENT_INTR_RMV in EAL's interrupt thread, and may close the port
 * there. The datapath's own events are raised in that thread too, because their source holds locks
 * that a close would wait for.
 */

static void requested(void *arg)
{
	struct shunt_port *port = arg;
	enum rte_eth_event_type event;

	if (!shunt_notify_taken(&port->request))
		return;
	event = __atomic_exchange_n(&port->event, RTE_ETH_EVENT_UNKNOWN, __ATOMIC_SEQ_CST);
	if (event == RTE_ETH_EVENT_UNKNOWN) {
		SHUNT_LOG(NOTICE, "%s: the kernel asks for %s back", port->dev->data->name,
			port->device.function);
		event = RTE_ETH_EVENT_INTR_RMV;
	}
	rte_eth_dev_callback_process(port->dev, event, NULL);
}

void shunt_port_raise_event(struct shunt_port *port, enum rte_eth_event_type event)
{
	__atomic_store_n(&port->event, event, __ATOMIC_SEQ_CST);
	eventfd_write(rte_intr_fd_get(port->request), 1);
}

int shunt_device_request_open(struct shunt_port *port)
{
	int ret = shunt_notify_open(port->device.function, requested, port, &port->request);

	if (ret)
		return ret;
	ret = shunt_vfio_request(&port->device, rte_intr_fd_get(port->request));
	if (ret) {
		shunt_notify_close(port->request, requested, port);
		return ret;
	}
	port->dev->data->dev_flags |= RTE_ETH_DEV_INTR_RMV;
	return 0;
}

void shunt_device_request_close(struct shunt_port *port)
{
	shunt_notify_close(port->request, requested, port);
}
