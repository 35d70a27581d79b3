/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <bus_pci_driver.h>

#include <shunt/error.h>

#include "context.h"
#include "plugin.h"
#include "shunt_port.h"

/*
 * Ports of functions that nobody named: our driver on DPDK's PCI bus. So a function is named by its
 * address as everywhere in DPDK: -a, -b, rte_dev_probe(), the devices of bonding and failsafe, and
 * its port has that name. The bus maps nothing for this driver: the function is opened by its cdev.
 *
 * A driver for every function is asked before DPDK's own ones, which get what autoprobe.c leaves
 * them.
 */

#define IDS 16

static struct rte_pci_id ids[IDS + 1]; /* ends with zeros */

static int take(struct rte_pci_device *pci)
{
	const struct rte_devargs *said = pci->device.devargs;

	if (!autoprobe_takes(pci->device.name))
		return 1;
	if (said && said->args && said->args[0])
		return shunt_fail(-EINVAL,
			"unknown argument '%s': a function that is named by its address has none",
			said->args);
	return device_open(&pci->device, NULL, pci->device.name);
}

static int net_shunt_pci_probe(struct rte_pci_driver *driver, struct rte_pci_device *pci)
{
	int ret;

	if (rte_eal_process_type() == RTE_PROC_PRIMARY) {
		shunt_context_lock();
		ret = take(pci);
		shunt_context_unlock();
	} else {
		ret = shunt_secondary_attach(&pci->device);
		if (ret == -ENODEV)
			return -EEXIST; /* nor will another driver find it: no complaint */
		if (ret == -ENXIO)
			return 1; /* it is DPDK's own driver's there */
	}
	if (ret < 0)
		SHUNT_LOG(ERR, "%s: %s", pci->device.name, shunt_errmsg());
	return ret;
}

static int net_shunt_pci_remove(struct rte_pci_device *pci)
{
	return device_close(&pci->device);
}

static int net_shunt_pci_map(struct rte_pci_device *pci, void *addr, uint64_t iova, size_t length)
{
	return device_map(&pci->device, true, addr, length);
}

static int net_shunt_pci_unmap(struct rte_pci_device *pci, void *addr, uint64_t iova, size_t length)
{
	return device_map(&pci->device, false, addr, length);
}

static struct rte_pci_driver net_shunt_pci_driver = {
	.driver.name = "net_shunt_pci",
	.probe = net_shunt_pci_probe,
	.remove = net_shunt_pci_remove,
	.dma_map = net_shunt_pci_map,
	.dma_unmap = net_shunt_pci_unmap,
	.id_table = ids,
	.drv_flags = RTE_PCI_DRV_NEED_IOVA_AS_VA,
};

RTE_TAILQ_HEAD(drivers, rte_pci_driver);

static struct rte_pci_driver *first_driver(void)
{
	struct rte_pci_driver *first = &net_shunt_pci_driver, *before = first;

	while (before) {
		first = before;
		before = TAILQ_PREV(first, drivers, next);
	}
	return first;
}

void pci_register(void)
{
	struct rte_pci_driver *first;

	shunt_port_ids(ids, IDS);
	rte_pci_register(&net_shunt_pci_driver);
	first = first_driver();
	if (first == &net_shunt_pci_driver)
		return;
	rte_pci_unregister(&net_shunt_pci_driver);
	TAILQ_INSERT_BEFORE(first, &net_shunt_pci_driver, next);
}
