/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include "shunt_error.h"
#include "shunt_port.h"

/*
 * The kernel asks for a function back when it is unbound or removed, and waits until it is closed.
 * The application hears of it as RTE_ETH_EVENT_INTR_RMV, in EAL's interrupt thread.
 */

static void requested(void *arg)
{
	struct shunt_port *port = arg;
	uint64_t count;

	if (read(rte_intr_fd_get(port->request), &count, sizeof(count)) != sizeof(count))
		return;
	SHUNT_LOG(NOTICE, "%s: the kernel asks for %s back", port->dev->data->name,
		port->device.function);
	rte_eth_dev_callback_process(port->dev, RTE_ETH_EVENT_INTR_RMV, NULL);
}

int shunt_port_request_open(struct shunt_port *port)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int ret;

	if (fd < 0)
		return shunt_fail_errno(-errno, "%s: eventfd", port->device.function);
	port->request = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (!port->request) {
		ret = shunt_fail(-ENOMEM, "%s: interrupt: out of memory", port->device.function);
		goto close;
	}
	ret = rte_intr_fd_set(port->request, fd);
	if (!ret)
		ret = rte_intr_type_set(port->request, RTE_INTR_HANDLE_EXT);
	if (!ret)
		ret = rte_intr_callback_register(port->request, requested, port);
	if (ret) {
		shunt_fail_errno(
			ret, "%s: EAL's interrupts of a descriptor", port->device.function);
		goto free;
	}
	ret = shunt_vfio_request(&port->device, fd);
	if (ret)
		goto unregister;
	port->dev->data->dev_flags |= RTE_ETH_DEV_INTR_RMV;
	return 0;

unregister:
	rte_intr_callback_unregister_sync(port->request, requested, port);
free:
	rte_intr_instance_free(port->request);
close:
	close(fd);
	return ret;
}

void shunt_port_request_close(struct shunt_port *port)
{
	int fd = rte_intr_fd_get(port->request);

	rte_intr_callback_unregister_sync(port->request, requested, port);
	rte_intr_instance_free(port->request);
	close(fd);
}
