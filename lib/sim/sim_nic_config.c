/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <linux/pci_regs.h>

#include "sim_nic.h"

/*
 * Configuration space, datasheet chapter 9. It survives a function level reset, as it does for a
 * VFIO user: the kernel saves and restores it around the reset.
 */

#define CAP_POWER         0x40u
#define CAP_MSIX          0x70u
#define CAP_EXPRESS       0xA0u

#define MSIX_PENDING_BITS 0x2000u /* in BAR 3 */
#define BAR3              3u

static void put16(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	nic->config[offset] = (uint8_t)value;
	nic->config[offset + 1] = (uint8_t)(value >> 8);
}

static void put32(struct sim_nic *nic, uint32_t offset, uint32_t value)
{
	put16(nic, offset, value);
	put16(nic, offset + 2, value >> 16);
}

void sim_nic_config_init(struct sim_nic *nic)
{
	put16(nic, PCI_VENDOR_ID, SHUNT_82576_VENDOR);
	put16(nic, PCI_DEVICE_ID, SHUNT_82576_DEVICE);
	put16(nic, PCI_STATUS, PCI_STATUS_CAP_LIST);
	put32(nic, PCI_CLASS_REVISION, 0x02000001u); /* Ethernet controller, revision 1 */
	nic->config[PCI_CACHE_LINE_SIZE] = 16;
	put16(nic, PCI_SUBSYSTEM_VENDOR_ID, SHUNT_82576_VENDOR);
	put16(nic, PCI_SUBSYSTEM_ID, 0xA03Cu); /* Gigabit ET adapter */
	nic->config[PCI_CAPABILITY_LIST] = CAP_POWER;

	nic->config[CAP_POWER] = PCI_CAP_ID_PM;
	nic->config[CAP_POWER + PCI_CAP_LIST_NEXT] = CAP_MSIX;
	put16(nic, CAP_POWER + PCI_PM_PMC, 3u);
	put16(nic, CAP_POWER + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);

	nic->config[CAP_MSIX] = PCI_CAP_ID_MSIX;
	nic->config[CAP_MSIX + PCI_CAP_LIST_NEXT] = CAP_EXPRESS;
	put16(nic, CAP_MSIX + PCI_MSIX_FLAGS, SIM_NIC_VECTORS - 1);
	put32(nic, CAP_MSIX + PCI_MSIX_TABLE, BAR3);
	put32(nic, CAP_MSIX + PCI_MSIX_PBA, MSIX_PENDING_BITS | BAR3);

	nic->config[CAP_EXPRESS] = PCI_CAP_ID_EXP;
	put16(nic, CAP_EXPRESS + PCI_EXP_FLAGS, 2u | PCI_EXP_TYPE_ENDPOINT << 4);
	put32(nic, CAP_EXPRESS + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | 2u);
	put16(nic, CAP_EXPRESS + PCI_EXP_LNKSTA, 4u << 4 | 1u); /* x4, 2.5 GT/s */
}

/* Bits of a byte that software can change. */
static uint8_t writable(uint32_t offset)
{
	static const struct {
		uint32_t offset;
		uint32_t mask;
	} words[] = {
		{ PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
				       PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE },
		{ PCI_CACHE_LINE_SIZE, 0xFFu },
		{ PCI_BASE_ADDRESS_0, ~(SIM_NIC_BAR0_SIZE - 1) },
		{ PCI_BASE_ADDRESS_3, ~(SIM_NIC_BAR3_SIZE - 1) },
		{ PCI_INTERRUPT_LINE, 0xFFu },
		{ CAP_POWER + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK },
		{ CAP_MSIX, (PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) << 16 },
		{ CAP_EXPRESS + PCI_EXP_DEVCTL, 0x7FFFu },
	};
	unsigned int i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (offset - words[i].offset < 4)
			return (uint8_t)(words[i].mask >> 8 * (offset - words[i].offset));
	return 0;
}

bool sim_nic_config_write(struct sim_nic *nic, uint32_t offset, const void *buf, uint32_t length)
{
	const uint32_t control = CAP_EXPRESS + PCI_EXP_DEVCTL + 1;
	const uint8_t *bytes = buf;
	bool reset = false;
	uint8_t mask;
	uint32_t i;

	for (i = 0; i < length; i++) {
		mask = writable(offset + i);
		nic->config[offset + i] =
			(uint8_t)((nic->config[offset + i] & ~mask) | (bytes[i] & mask));
		if (offset + i == control && (bytes[i] & PCI_EXP_DEVCTL_BCR_FLR >> 8))
			reset = true;
	}
	nic->bus_master = nic->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
	return reset;
}
