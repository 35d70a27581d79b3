/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include <linux/vfio.h>

#include <shunt/error.h>

#include "sim_nic.h"

static void make_eeprom(struct sim_nic *nic, unsigned int index)
{
	unsigned int ports = nic->sim->config.ports ? nic->sim->config.ports : 1;
	uint16_t sum = 0;
	unsigned int i;

	nic->mac[0] = 0x02; /* locally administered */
	nic->mac[4] = (uint8_t)(index / ports);
	nic->mac[5] = (uint8_t)(index % ports);
	for (i = 0; i < 3; i++)
		nic->eeprom[SHUNT_82576_EEPROM_MAC + i] =
			(uint16_t)(nic->mac[2 * i] | nic->mac[2 * i + 1] << 8);
	nic->eeprom[SHUNT_82576_EEPROM_VERSION] = SIM_EEPROM_VERSION;
	nic->eeprom[SHUNT_82576_EEPROM_DEVICE] = SHUNT_82576_DEVICE;
	nic->eeprom[SHUNT_82576_EEPROM_VENDOR] = SHUNT_82576_VENDOR;
	for (i = 0; i < SHUNT_82576_EEPROM_CHECKSUM; i++)
		sum = (uint16_t)(sum + nic->eeprom[i]);
	nic->eeprom[SHUNT_82576_EEPROM_CHECKSUM] = (uint16_t)(SHUNT_82576_EEPROM_CHECKSUM_OF - sum);
}

int sim_nic_create(struct sim_function *function, unsigned int index)
{
	struct sim_nic *nic;
	unsigned int i;

	nic = aligned_alloc(SHUNT_CACHE_LINE, sizeof(*nic));
	if (!nic)
		return shunt_fail(-ENOMEM, "no memory for the NIC of %s", function->address);
	memset(nic, 0, sizeof(*nic));
	nic->bar0 = aligned_alloc(SIM_PAGE_SIZE, SIM_NIC_BAR0_SIZE);
	if (!nic->bar0) {
		free(nic);
		return shunt_fail(-ENOMEM, "no memory for BAR 0 of %s", function->address);
	}
	nic->sim = function->sim;
	nic->dma = &function->dma;
	nic->speed = SHUNT_SIM_SPEED_MAX;
	nic->fetch_retry = shunt_clock_from_ns(SIM_FETCH_RETRY_NS);
	for (i = 0; i < SIM_NIC_VECTORS; i++)
		nic->vector[i] = -1;
	for (i = 0; i < SIM_NIC_QUEUES; i++) {
		nic->rx[i].ring.tail = &nic->bar0[SHUNT_82576_RDT(i) / 4];
		nic->tx[i].ring.tail = &nic->bar0[SHUNT_82576_TDT(i) / 4];
	}
	make_eeprom(nic, index);
	sim_nic_config_init(nic);
	sim_nic_registers_reset(nic, true);
	function->nic = nic;
	return 0;
}

void sim_nic_destroy(struct sim_nic *nic)
{
	if (!nic)
		return;
	free(nic->bar0);
	free(nic);
}

void *sim_nic_bar0(struct sim_nic *nic)
{
	return nic->bar0;
}

static bool region_holds(uint32_t size, uint64_t offset, uint32_t length)
{
	return length > 0 && length <= size && offset <= size - length;
}

static int refuse(uint32_t index, uint64_t offset, uint32_t length, const char *what)
{
	return shunt_fail(-EINVAL, "%s of length %u at 0x%llx of region %u: outside or misaligned",
		what, length, (unsigned long long)offset, index);
}

/* Registers are 32 bits wide; a read may take a part of one, a write takes whole ones. */
static int bar0_read(struct sim_nic *nic, uint64_t offset, void *buf, uint32_t length)
{
	uint32_t place = (uint32_t)offset % 4;
	uint32_t done, value;

	if (!region_holds(SIM_NIC_BAR0_SIZE, offset, length) ||
		(length < 4 ? place + length > 4 : place != 0 || length % 4 != 0))
		return refuse(VFIO_PCI_BAR0_REGION_INDEX, offset, length, "read");
	for (done = 0; done < length; done += 4) {
		value = sim_nic_register_read(nic, (uint32_t)offset - place + done);
		memcpy((uint8_t *)buf + done, (uint8_t *)&value + place, MIN(length, 4u));
	}
	return 0;
}

static int bar0_write(struct sim_nic *nic, uint64_t offset, const void *buf, uint32_t length)
{
	uint32_t done, value;

	if (!region_holds(SIM_NIC_BAR0_SIZE, offset, length) || offset % 4 != 0 || length % 4 != 0)
		return refuse(VFIO_PCI_BAR0_REGION_INDEX, offset, length, "write");
	for (done = 0; done < length; done += 4) {
		memcpy(&value, (const uint8_t *)buf + done, 4);
		sim_nic_register_write(nic, (uint32_t)offset + done, value);
	}
	return 0;
}

/* Whether it is a write that needs no lock. */
static bool bar0_post(struct sim_nic *nic, uint64_t offset, const void *buf, uint32_t length)
{
	uint32_t value;

	if (offset != SHUNT_82576_CTRL || length != sizeof(value))
		return false;
	memcpy(&value, buf, sizeof(value));
	return sim_nic_post_ctrl(nic, value);
}

int sim_nic_read(struct sim_nic *nic, uint32_t index, uint64_t offset, void *buf, uint32_t length)
{
	int err = 0;

	sim_nic_lock(nic);
	if (index == VFIO_PCI_BAR0_REGION_INDEX)
		err = bar0_read(nic, offset, buf, length);
	else if (index == VFIO_PCI_BAR3_REGION_INDEX &&
		 region_holds(SIM_NIC_BAR3_SIZE, offset, length))
		memcpy(buf, nic->msix + offset, length);
	else if (index == VFIO_PCI_CONFIG_REGION_INDEX &&
		 region_holds(SIM_NIC_CONFIG_SIZE, offset, length))
		memcpy(buf, nic->config + offset, length);
	else
		err = refuse(index, offset, length, "read");
	sim_nic_unlock(nic);
	return err;
}

int sim_nic_write(
	struct sim_nic *nic, uint32_t index, uint64_t offset, const void *buf, uint32_t length)
{
	int err = 0;

	if (index == VFIO_PCI_BAR0_REGION_INDEX && bar0_post(nic, offset, buf, length))
		return 0;
	sim_nic_lock(nic);
	if (index == VFIO_PCI_BAR0_REGION_INDEX)
		err = bar0_write(nic, offset, buf, length);
	else if (index == VFIO_PCI_BAR3_REGION_INDEX &&
		 region_holds(SIM_NIC_BAR3_SIZE, offset, length))
		memcpy(nic->msix + offset, buf, length);
	else if (index == VFIO_PCI_CONFIG_REGION_INDEX &&
		 region_holds(SIM_NIC_CONFIG_SIZE, offset, length)) {
		if (sim_nic_config_write(nic, (uint32_t)offset, buf, length))
			sim_nic_registers_reset(nic, true);
	} else
		err = refuse(index, offset, length, "write");
	sim_nic_unlock(nic);
	return err;
}

void sim_nic_reset(struct sim_nic *nic)
{
	sim_nic_lock(nic);
	sim_nic_registers_reset(nic, true);
	sim_nic_unlock(nic);
}

void sim_nic_vector(struct sim_nic *nic, uint32_t vector, int eventfd)
{
	if (vector >= SIM_NIC_VECTORS)
		return;
	sim_nic_lock(nic);
	nic->vector[vector] = eventfd;
	sim_nic_unlock(nic);
}
