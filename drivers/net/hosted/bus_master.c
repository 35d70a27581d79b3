/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <stddef.h>

#include "hosted.h"

/*
 * A driver's stop may leave DMA running: net_virtio leaves the rings to the device, others keep
 * queues for messages of the firmware. So Bus Master is cleared (PCI 3.0, 6.2.2), after which the
 * function makes no DMA while its group moves. EAL's PCI bus and the driver write the command
 * register too, so it is read at each stop.
 *
 * QEMU only: a virtio device without Bus Master clears DRIVER_OK; its rings stay. DPDK's net_virtio
 * sets that bit when a port is configured, not when it is started, so it is restored here.
 */

#define VIRTIO_VENDOR 0x1af4
#define CAPABILITIES  48 /* there cannot be more in 256 bytes: a list with a loop ends */

static int read_config(
	struct hosted_function *function, uint64_t offset, void *value, uint32_t length)
{
	struct shunt_vfio_device *device = &function->device;

	return shunt_vfio_read(device, &device->config, offset, value, length);
}

static int write_command(struct hosted_function *function, uint16_t command)
{
	struct shunt_vfio_device *device = &function->device;

	return shunt_vfio_write(device, &device->config, PCI_COMMAND, &command, sizeof(command));
}

/* Place of the common configuration (VIRTIO 1.2, 4.1.4). @return 1 found, 0 not there, -errno */
static int find_common(struct hosted_function *function, struct virtio_pci_cap *cap)
{
	uint8_t at, id;
	int ret;

	ret = read_config(function, PCI_CAPABILITY_LIST, &at, sizeof(at));
	for (unsigned int i = 0; !ret && at && i < CAPABILITIES; i++) {
		ret = read_config(function, at, &id, sizeof(id));
		for (size_t j = 0; !ret && id == PCI_CAP_ID_VNDR && j < sizeof(*cap); j += 4)
			ret = read_config(function, at + j, (char *)cap + j, 4);
		if (!ret && id == PCI_CAP_ID_VNDR && cap->cfg_type == VIRTIO_PCI_CAP_COMMON_CFG)
			return 1;
		if (!ret)
			ret = read_config(function, at + PCI_CAP_LIST_NEXT, &at, sizeof(at));
	}
	return ret;
}

static int access_status(struct hosted_function *function, uint8_t *status, bool write)
{
	struct shunt_vfio_device *device = &function->device;
	struct shunt_vfio_region bar;
	struct virtio_pci_cap cap = { 0 };
	uint64_t offset;
	int ret;

	if (function->vendor != VIRTIO_VENDOR)
		return 0;
	ret = find_common(function, &cap);
	if (ret <= 0)
		return ret;
	offset = cap.offset + offsetof(struct virtio_pci_common_cfg, device_status);
	ret = shunt_vfio_region(device, VFIO_PCI_BAR0_REGION_INDEX + cap.bar, &bar);
	if (ret)
		return ret;
	return write ? shunt_vfio_write(device, &bar, offset, status, 1)
		     : shunt_vfio_read(device, &bar, offset, status, 1);
}

int hosted_bus_master_clear(struct hosted_function *function, struct hosted_bus_master *master)
{
	int ret;

	*master = (struct hosted_bus_master){ 0 };
	ret = access_status(function, &master->virtio_status, false);
	if (!ret)
		ret = read_config(function, PCI_COMMAND, &master->command, sizeof(master->command));
	if (!ret)
		ret = write_command(function, master->command & (uint16_t)~PCI_COMMAND_MASTER);
	return ret;
}

int hosted_bus_master_restore(
	struct hosted_function *function, const struct hosted_bus_master *master)
{
	uint8_t status = master->virtio_status;
	int ret;

	if (!(master->command & PCI_COMMAND_MASTER))
		return 0;
	ret = write_command(function, master->command);
	if (ret || !(status & VIRTIO_CONFIG_S_DRIVER_OK))
		return ret;
	ret = access_status(function, &status, false);
	if (ret || (status & VIRTIO_CONFIG_S_DRIVER_OK))
		return ret;
	status = master->virtio_status;
	return access_status(function, &status, true);
}
