/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include <cmocka.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "nic_fixture.h"

static void reset_values(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RXCSUM),
		SHUNT_82576_RXCSUM_IPOFLD | SHUNT_82576_RXCSUM_TUOFLD);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RLPML), SHUNT_82576_RLPML_DEFAULT);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RCTL), 0);
	assert_true(rig_get(rig, 0, SHUNT_82576_EEC) & SHUNT_82576_EEC_AUTO_RD);
	assert_true(rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_GIO_MASTER_ENABLE);
	assert_true(rig_get(rig, 0, SHUNT_82576_RXDCTL(0)) & SHUNT_82576_RXDCTL_ENABLE);
	assert_false(rig_get(rig, 0, SHUNT_82576_RXDCTL(1)) & SHUNT_82576_RXDCTL_ENABLE);
	assert_false(rig_get(rig, 0, SHUNT_82576_TXDCTL(15)) & SHUNT_82576_TXDCTL_ENABLE);
}

static void software_reset_brings_them_back(void **state)
{
	struct rig *rig = *state;

	rig_start(rig, 0);
	rig_set(rig, 0, SHUNT_82576_RLPML, 1600);
	rig_set(rig, 0, SHUNT_82576_RDT(0), 5);
	rig_set(rig, 0, SHUNT_82576_CTRL, SHUNT_82576_CTRL_RST);
	assert_false(rig_get(rig, 0, SHUNT_82576_CTRL) & SHUNT_82576_CTRL_RST);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RLPML), SHUNT_82576_RLPML_DEFAULT);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RCTL), 0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RDT(0)), 0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RDBAL(0)), 0);
}

static void statistics_clear_on_read(void **state)
{
	struct rig *rig = *state;

	rig_connect(rig, 0);
	rig_start(rig, 0);
	rig_post(rig, 0, 8);
	rig_send(rig, 0, 3);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GPRC), 3);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GPRC), 0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_PRC64), 3);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_TPR), 3);
	/* The low half does not clear a pair, the high half does. */
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GORCL), 3 * 64);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GORCL), 3 * 64);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GORCH), 0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GORCL), 0);
	/* Writes do nothing. */
	rig_set(rig, 0, SHUNT_82576_GPRC, 77);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_GPRC), 0);
}

static uint16_t phy_read(struct rig *rig, uint32_t number)
{
	uint32_t mdic;

	rig_set(rig, 0, SHUNT_82576_MDIC,
		SHUNT_82576_MDIC_OP_READ | SHUNT_82576_MDIC_PHYADD_OWN |
			number << SHUNT_82576_MDIC_REGADD_SHIFT);
	mdic = rig_get(rig, 0, SHUNT_82576_MDIC);
	assert_true(mdic & SHUNT_82576_MDIC_READY);
	assert_false(mdic & SHUNT_82576_MDIC_ERROR);
	return (uint16_t)mdic;
}

static void link_needs_a_far_end_and_slu(void **state)
{
	struct rig *rig = *state;
	const uint32_t up =
		SHUNT_82576_STATUS_LU | SHUNT_82576_STATUS_FD | SHUNT_82576_STATUS_SPEED_1000;

	rig_set(rig, 0, SHUNT_82576_CTRL, SHUNT_82576_CTRL_SLU);
	assert_false(rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_LU);
	assert_false(phy_read(rig, SHUNT_82576_PHY_STATUS) & SHUNT_82576_PHY_STATUS_LINK);
	rig_connect(rig, 0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_STATUS) & up, up);
	assert_true(phy_read(rig, SHUNT_82576_PHY_STATUS) & SHUNT_82576_PHY_STATUS_LINK);
	rig_set(rig, 0, SHUNT_82576_CTRL, 0);
	assert_false(rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_LU);
	assert_true(rig_get(rig, 0, SHUNT_82576_ICR) & SHUNT_82576_ICR_LSC);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_ICR), 0);
}

static void phy_answers_at_its_own_address(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(phy_read(rig, SHUNT_82576_PHY_ID1), SHUNT_82576_PHY_ID1_VALUE);
	rig_set(rig, 0, SHUNT_82576_MDIC,
		SHUNT_82576_MDIC_OP_READ | 7u << SHUNT_82576_MDIC_PHYADD_SHIFT);
	assert_true(rig_get(rig, 0, SHUNT_82576_MDIC) & SHUNT_82576_MDIC_ERROR);
}

static uint16_t eeprom_read(struct rig *rig, unsigned int port, uint32_t word)
{
	uint32_t eerd;

	rig_set(rig, port, SHUNT_82576_EERD,
		word << SHUNT_82576_EERD_ADDR_SHIFT | SHUNT_82576_EERD_START);
	eerd = rig_get(rig, port, SHUNT_82576_EERD);
	assert_true(eerd & SHUNT_82576_EERD_DONE);
	return (uint16_t)(eerd >> SHUNT_82576_EERD_DATA_SHIFT);
}

static void address_comes_from_the_eeprom(void **state)
{
	struct rig *rig = *state;
	uint16_t sum = 0;
	uint32_t i;

	assert_int_equal(eeprom_read(rig, 1, 0), 0x0002);
	assert_int_equal(eeprom_read(rig, 1, 1), 0x0000);
	assert_int_equal(eeprom_read(rig, 1, 2), 0x0100);
	assert_int_equal(rig_get(rig, 1, SHUNT_82576_RAL(0)), 0x00000002);
	assert_int_equal(rig_get(rig, 1, SHUNT_82576_RAH(0)), SHUNT_82576_RAH_AV | 0x0100);
	for (i = 0; i <= SHUNT_82576_EEPROM_CHECKSUM; i++)
		sum = (uint16_t)(sum + eeprom_read(rig, 0, i));
	assert_int_equal(sum, SHUNT_82576_EEPROM_CHECKSUM_OF);
}

static void semaphore_is_taken_by_reading(void **state)
{
	struct rig *rig = *state;

	assert_false(rig_get(rig, 0, SHUNT_82576_SWSM) & SHUNT_82576_SWSM_SMBI);
	assert_true(rig_get(rig, 0, SHUNT_82576_SWSM) & SHUNT_82576_SWSM_SMBI);
	rig_set(rig, 0, SHUNT_82576_SWSM, SHUNT_82576_SWSM_SWESMBI);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_SWSM), SHUNT_82576_SWSM_SWESMBI);
	rig_set(rig, 0, SHUNT_82576_SW_FW_SYNC, SHUNT_82576_SW_FW_SYNC_PHY0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_SW_FW_SYNC), SHUNT_82576_SW_FW_SYNC_PHY0);
}

static void enables_read_back_once_the_engine_acted(void **state)
{
	struct rig *rig = *state;

	rig_set(rig, 0, SHUNT_82576_RXDCTL(3), SHUNT_82576_RXDCTL_ENABLE | 8u);
	rig_set(rig, 0, SHUNT_82576_TXDCTL(0), 0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RXDCTL(3)), 8u);
	assert_true(rig_get(rig, 0, SHUNT_82576_TXDCTL(0)) & SHUNT_82576_TXDCTL_ENABLE);
	rig_turn(rig, 0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RXDCTL(3)), SHUNT_82576_RXDCTL_ENABLE | 8u);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_TXDCTL(0)), 0);
}

static void no_dma_is_under_way_once_master_disable_is_written(void **state)
{
	struct rig *rig = *state;

	rig_set(rig, 0, SHUNT_82576_CTRL, SHUNT_82576_CTRL_GIO_MASTER_DISABLE);
	assert_false(rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_GIO_MASTER_ENABLE);
	rig_set(rig, 0, SHUNT_82576_CTRL, 0);
	assert_true(rig_get(rig, 0, SHUNT_82576_STATUS) & SHUNT_82576_STATUS_GIO_MASTER_ENABLE);
}

static void queue_registers_have_a_second_place(void **state)
{
	struct rig *rig = *state;

	rig_set(rig, 0, SHUNT_82576_RX_QUEUE_ALIAS + 0x108, 4096); /* RDLEN(1) */
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RDLEN(1)), 4096);
	rig_set(rig, 0, SHUNT_82576_TDT(2), 9);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_TX_QUEUE_ALIAS + 0x218), 9);
	/* Bits of a base and a length that are not there. */
	rig_set(rig, 0, SHUNT_82576_RDBAL(1), 0x12345678);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RDBAL(1)), 0x12345600);
	rig_set(rig, 0, SHUNT_82576_TDLEN(1), 1000);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_TDLEN(1)), 896);
}

static uint16_t config16(struct rig *rig, uint32_t offset)
{
	uint16_t value;

	assert_int_equal(sim_nic_read(rig->port[0].nic, VFIO_PCI_CONFIG_REGION_INDEX, offset,
				 &value, sizeof(value)),
		0);
	return value;
}

static uint8_t find_capability(struct rig *rig, uint8_t id)
{
	uint8_t at = (uint8_t)config16(rig, PCI_CAPABILITY_LIST);

	while (at && (uint8_t)config16(rig, at) != id)
		at = (uint8_t)(config16(rig, at) >> 8);
	return at;
}

static void configuration_space_describes_an_82576(void **state)
{
	struct rig *rig = *state;
	struct sim_nic *nic = rig->port[0].nic;
	uint32_t ones = UINT32_MAX, size;
	uint8_t express;

	assert_int_equal(config16(rig, PCI_VENDOR_ID), 0x8086);
	assert_int_equal(config16(rig, PCI_DEVICE_ID), 0x10C9);
	assert_int_not_equal(find_capability(rig, PCI_CAP_ID_MSIX), 0);
	express = find_capability(rig, PCI_CAP_ID_EXP);
	assert_int_not_equal(express, 0);
	assert_true(
		(uint32_t)config16(rig, express + PCI_EXP_DEVCAP + 2) << 16 & PCI_EXP_DEVCAP_FLR);
	sim_nic_write(nic, VFIO_PCI_CONFIG_REGION_INDEX, PCI_BASE_ADDRESS_0, &ones, sizeof(ones));
	sim_nic_read(nic, VFIO_PCI_CONFIG_REGION_INDEX, PCI_BASE_ADDRESS_0, &size, sizeof(size));
	assert_int_equal(~size + 1, SIM_NIC_BAR0_SIZE);
	/* Identification cannot be written. */
	sim_nic_write(nic, VFIO_PCI_CONFIG_REGION_INDEX, 0, &ones, sizeof(ones));
	assert_int_equal(config16(rig, PCI_VENDOR_ID), 0x8086);
}

static void function_reset_by_configuration_space(void **state)
{
	struct rig *rig = *state;
	uint8_t express = find_capability(rig, PCI_CAP_ID_EXP);
	uint16_t control = PCI_EXP_DEVCTL_BCR_FLR;

	rig_start(rig, 0);
	assert_int_equal(sim_nic_write(rig->port[0].nic, VFIO_PCI_CONFIG_REGION_INDEX,
				 express + PCI_EXP_DEVCTL, &control, sizeof(control)),
		0);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_RCTL), 0);
	assert_int_equal(config16(rig, express + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_BCR_FLR, 0);
	/* The kernel restores the command register around a reset. */
	assert_true(config16(rig, PCI_COMMAND) & PCI_COMMAND_MASTER);
}

static void accesses_outside_are_refused(void **state)
{
	struct rig *rig = *state;
	struct sim_nic *nic = rig->port[0].nic;
	uint32_t value = 0;

	assert_int_equal(sim_nic_read(nic, 0, SIM_NIC_BAR0_SIZE, &value, 4), -EINVAL);
	assert_int_equal(sim_nic_read(nic, 0, UINT64_MAX, &value, 4), -EINVAL);
	assert_int_equal(sim_nic_write(nic, 0, 2, &value, 4), -EINVAL);
	assert_int_equal(sim_nic_write(nic, 0, 0, &value, 2), -EINVAL);
	assert_int_equal(sim_nic_read(nic, 5, 0, &value, 4), -EINVAL);
	assert_int_equal(sim_nic_read(nic, 0, SHUNT_82576_STATUS, &value, 2), 0);
}

static void interrupts_reach_their_eventfd(void **state)
{
	struct rig *rig = *state;
	int event = eventfd(0, EFD_NONBLOCK);
	uint64_t count;

	assert_true(event >= 0);
	sim_nic_vector(rig->port[0].nic, 2, event);
	rig_set(rig, 0, SHUNT_82576_IVAR(0), SHUNT_82576_IVAR_VALID | 2u);
	rig_connect(rig, 0);
	rig_start(rig, 0);
	rig_post(rig, 0, 8);
	rig_send(rig, 0, 1); /* masked */
	assert_int_equal(read(event, &count, sizeof(count)), -1);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_EICR), 1u << 2);
	/* What is pending interrupts when it is let. */
	rig_set(rig, 0, SHUNT_82576_EIAC, 1u << 2);
	rig_send(rig, 0, 1);
	rig_set(rig, 0, SHUNT_82576_EIMS, 1u << 2);
	assert_int_equal(read(event, &count, sizeof(count)), sizeof(count));
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_EICR), 0);
	rig_send(rig, 0, 1);
	assert_int_equal(read(event, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 1);
	assert_int_equal(rig_get(rig, 0, SHUNT_82576_EICR), 0);
	rig_set(rig, 0, SHUNT_82576_EICS, 1u << 2);
	assert_int_equal(read(event, &count, sizeof(count)), sizeof(count));
	sim_nic_vector(rig->port[0].nic, 2, -1);
	close(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reset_values, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			software_reset_brings_them_back, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(statistics_clear_on_read, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			link_needs_a_far_end_and_slu, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			phy_answers_at_its_own_address, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			address_comes_from_the_eeprom, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			semaphore_is_taken_by_reading, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			enables_read_back_once_the_engine_acted, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(no_dma_is_under_way_once_master_disable_is_written,
			rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			queue_registers_have_a_second_place, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			configuration_space_describes_an_82576, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			function_reset_by_configuration_space, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			accesses_outside_are_refused, rig_create, rig_destroy),
		cmocka_unit_test_setup_teardown(
			interrupts_reach_their_eventfd, rig_create, rig_destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
