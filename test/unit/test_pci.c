/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "sysfs_tree.h"

#define INTEL          0x8086
#define NIC_82576      0x10c9
#define CLASS_ETHERNET 0x020000
#define CLASS_BRIDGE   0x060400
/* clang-format off */
#define BRIDGE(at, drv)    { at, 0x104c, 0x8232, CLASS_BRIDGE, drv, 14, NULL }
#define NIC(at, drv, cdev) { at, INTEL, NIC_82576, CLASS_ETHERNET, drv, 14, cdev }
/* clang-format on */

static struct sysfs_tree tree;

static int make_tree(void **state)
{
	sysfs_tree_create(&tree);
	return 0;
}

static int drop_tree(void **state)
{
	sysfs_tree_destroy(&tree);
	return 0;
}

static void add_all(const struct sysfs_function *functions, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		sysfs_tree_add(&tree, &functions[i]);
}

static void scan(struct shunt_pci_list *list)
{
	int ret = shunt_pci_scan(&tree.platform, list);

	if (ret)
		fail_msg("scan: %s", shunt_errmsg());
}

static const struct shunt_pci_function *find(const struct shunt_pci_list *list, const char *address)
{
	const struct shunt_pci_function *function = NULL;

	if (shunt_pci_find(list, address, &function))
		fail_msg("find: %s", shunt_errmsg());
	return function;
}

static void assert_message(const char *part)
{
	if (!strstr(shunt_errmsg(), part))
		fail_msg("'%s' is not in the message: %s", part, shunt_errmsg());
	assert_null(strchr(shunt_errmsg(), '\n'));
}

static void reads_functions_in_order(void **state)
{
	static const struct sysfs_function functions[] = {
		{ "10000:01:00.0", INTEL, NIC_82576, CLASS_ETHERNET, NULL, -1, NULL },
		NIC("0000:0a:00.1", "igb", NULL),
		NIC("0000:03:00.0", "vfio-pci", "vfio7"),
		BRIDGE("0000:02:00.0", "pcieport"),
	};
	struct shunt_pci_list list;
	const struct shunt_pci_function *f;

	add_all(functions, 4);
	scan(&list);
	assert_int_equal(list.count, 4);
	f = &list.functions[0];
	assert_string_equal(f->address, "0000:02:00.0");
	assert_true(f->is_bridge);
	assert_string_equal(f->driver, "pcieport");
	assert_string_equal(f->cdev, "");
	f = &list.functions[1];
	assert_string_equal(f->address, "0000:03:00.0");
	assert_int_equal(f->vendor, INTEL);
	assert_int_equal(f->device, NIC_82576);
	assert_int_equal(f->class_code, CLASS_ETHERNET);
	assert_false(f->is_bridge);
	assert_int_equal(f->group, 14);
	assert_string_equal(f->driver, "vfio-pci");
	assert_string_equal(f->cdev, "/dev/vfio/devices/vfio7");
	assert_non_null(strstr(f->name, "82576"));
	f = &list.functions[2];
	assert_string_equal(f->address, "0000:0a:00.1");
	assert_string_equal(f->cdev, "");
	f = &list.functions[3];
	assert_string_equal(f->address, "10000:01:00.0");
	assert_string_equal(f->driver, "");
	assert_int_equal(f->group, SHUNT_PCI_NO_GROUP);
	shunt_pci_list_free(&list);
	assert_int_equal(list.count, 0);
}

static void platform_without_pci(void **state)
{
	struct shunt_pci_list list;

	assert_int_equal(shunt_pci_scan(&tree.platform, &list), -ENOENT);
	assert_message("no PCI bus");
	assert_message(tree.root);
}

static void bus_without_functions(void **state)
{
	struct shunt_pci_list list;

	sysfs_tree_add_bus(&tree);
	scan(&list);
	assert_int_equal(list.count, 0);
	shunt_pci_list_free(&list);
}

static void odd_entries_are_no_functions(void **state)
{
	static const struct sysfs_function nic = NIC("0000:03:00.0", "igb", NULL);
	struct shunt_pci_list list;

	sysfs_tree_add(&tree, &nic);
	sysfs_tree_write(&tree, "notes", "", "not a function\n");
	sysfs_tree_write(&tree, "0000:04:00.0.bak", "", "nor this\n");
	sysfs_tree_write(&tree, "0000:04:20.0", "", "device numbers end at 1f\n");
	scan(&list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.functions[0].address, "0000:03:00.0");
	shunt_pci_list_free(&list);
}

/* The other function is there all the same, and the odd one is named with what is wrong. */
static void assert_skipped(const char *address, const char *words)
{
	const struct shunt_pci_function *function;
	struct shunt_pci_list list;

	scan(&list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.functions[0].address, "0000:05:00.0");
	assert_int_equal(list.skipped_count, 1);
	assert_string_equal(list.skipped[0].address, address);
	if (!strstr(list.skipped[0].reason, words))
		fail_msg("'%s' is not in: %s", words, list.skipped[0].reason);
	assert_int_equal(shunt_pci_find(&list, address, &function), -ENODEV);
	assert_message(words);
	shunt_pci_list_free(&list);
	assert_int_equal(list.skipped_count, 0);
}

static void odd_functions_are_skipped(void **state)
{
	static const struct sysfs_function functions[] = {
		{ "0000:03:00.0", INTEL, NIC_82576, CLASS_ETHERNET, NULL, -1, NULL },
		NIC("0000:05:00.0", "igb", NULL),
	};
	const char *address = functions[0].address;

	add_all(functions, 2);
	sysfs_tree_remove(&tree, address, "vendor");
	assert_skipped(address, "/vendor");
	sysfs_tree_write(&tree, address, "vendor", "0x8086\n");
	sysfs_tree_remove(&tree, address, "class");
	assert_skipped(address, "/class");
	sysfs_tree_write(&tree, address, "class", "0x020000\n");
	sysfs_tree_link(&tree, address, "iommu_group", "../iommu_groups/seven");
	assert_skipped(address, "'seven'");
	sysfs_tree_remove(&tree, address, "iommu_group");
	sysfs_tree_write(&tree, address, "iommu_group", "7\n");
	assert_skipped(address, "iommu_group");
	sysfs_tree_remove(&tree, address, "iommu_group");
	sysfs_tree_link(&tree, address, "driver",
		"../../drivers/a_driver_with_a_name_of_more_than_31_bytes");
	assert_skipped(address, "longer than 31 bytes");
}

/* Unplugged between the folder's being read and the function's. */
static void a_vanished_function_is_skipped(void **state)
{
	static const struct sysfs_function nic = NIC("0000:05:00.0", "igb", NULL);

	sysfs_tree_add(&tree, &nic);
	sysfs_tree_link(&tree, "", "0000:03:00.0", "nowhere");
	assert_skipped("0000:03:00.0", "0000:03:00.0");
}

static void addresses(void **state)
{
	static const char *const bad[] = { "", "03", "03:00", "03:00.", "03:00.8", "03:20.0",
		"0000:03:00.0 ", "0000:03:00.0x", "x:03:00.0", "-1:03:00.0", "0000:103:00.0",
		"ffffffff:03:00.0", "123456789:03:00.0", "0000:03:00:0" };
	static const struct sysfs_function functions[] = {
		NIC("0000:03:00.0", "igb", NULL),
		NIC("0001:03:00.0", "igb", NULL),
	};
	const struct shunt_pci_function *function = NULL;
	struct shunt_pci_list list;
	size_t i;

	add_all(functions, 2);
	scan(&list);
	assert_ptr_equal(find(&list, "0000:03:00.0"), &list.functions[0]);
	assert_ptr_equal(find(&list, "03:00.0"), &list.functions[0]);
	assert_ptr_equal(find(&list, "3:0.0"), &list.functions[0]);
	assert_ptr_equal(find(&list, "1:03:00.0"), &list.functions[1]);
	assert_int_equal(shunt_pci_find(&list, "04:00.0", &function), -ENODEV);
	assert_message("0000:04:00.0");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (shunt_pci_find(&list, bad[i], &function) != -EINVAL)
			fail_msg("'%s' is taken for an address", bad[i]);
		assert_message("no PCI address");
	}
	assert_null(function);
	shunt_pci_list_free(&list);
}

static void blocking_drivers(void **state)
{
	static const struct {
		const char *driver;
		bool is_bridge;
		bool blocks;
	} cases[] = {
		{ "", false, false },
		{ "vfio-pci", false, false },
		{ "mlx5_vfio_pci", false, false },
		{ "pci-stub", false, false },
		{ "igb", false, true },
		{ "pcieport", false, true },
		{ "", true, false },
		{ "pcieport", true, false },
		{ "shpchp", true, true },
	};
	struct shunt_pci_function function = { .address = "0000:03:00.0", .group = 14 };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(function.driver, sizeof(function.driver), "%s", cases[i].driver);
		function.is_bridge = cases[i].is_bridge;
		if (shunt_pci_blocks_group(&function) != cases[i].blocks)
			fail_msg("driver '%s' on a %s", cases[i].driver,
				cases[i].is_bridge ? "bridge" : "function");
	}
}

static void usable_with_idle_siblings(void **state)
{
	static const struct sysfs_function functions[] = {
		BRIDGE("0000:02:00.0", "pcieport"),
		NIC("0000:03:00.0", "vfio-pci", "vfio0"),
		NIC("0000:04:00.0", NULL, NULL),
		NIC("0000:05:00.0", "pci-stub", NULL),
		{ "0000:06:00.0", INTEL, NIC_82576, CLASS_ETHERNET, "igb", 15, NULL },
	};
	struct shunt_pci_list list;

	add_all(functions, 5);
	scan(&list);
	if (shunt_pci_usable(&list, find(&list, "03:00.0")))
		fail_msg("%s", shunt_errmsg());
	shunt_pci_list_free(&list);
}

static void sibling_blocks(void **state)
{
	static const struct sysfs_function functions[] = {
		NIC("0000:03:00.0", "vfio-pci", "vfio0"),
		NIC("0000:04:00.0", "igb", NULL),
	};
	struct shunt_pci_list list;

	add_all(functions, 2);
	scan(&list);
	assert_int_equal(shunt_pci_usable(&list, find(&list, "03:00.0")), -EBUSY);
	assert_message("0000:04:00.0");
	assert_message("igb");
	assert_message("group 14");
	assert_message("echo vfio-pci > /sys/bus/pci/devices/0000:04:00.0/driver_override; "
		       "echo 0000:04:00.0 > /sys/bus/pci/devices/0000:04:00.0/driver/unbind; "
		       "echo 0000:04:00.0 > /sys/bus/pci/drivers_probe");
	shunt_pci_list_free(&list);
}

static void bridge_blocks(void **state)
{
	static const struct sysfs_function functions[] = {
		BRIDGE("0000:02:00.0", "shpchp"),
		NIC("0000:03:00.0", "vfio-pci", "vfio0"),
	};
	struct shunt_pci_list list;

	add_all(functions, 2);
	scan(&list);
	assert_int_equal(shunt_pci_usable(&list, find(&list, "03:00.0")), -EBUSY);
	assert_message("echo 0000:02:00.0 > /sys/bus/pci/devices/0000:02:00.0/driver/unbind");
	assert_null(strstr(shunt_errmsg(), "driver_override"));
	assert_int_equal(shunt_pci_usable(&list, find(&list, "02:00.0")), -ENODEV);
	assert_message("bridge");
	shunt_pci_list_free(&list);
}

static void not_bound_to_vfio(void **state)
{
	static const struct sysfs_function functions[] = {
		NIC("0000:03:00.0", "igb", NULL),
		NIC("0000:04:00.0", NULL, NULL),
		NIC("0000:05:00.0", "vfio-pci", NULL),
		{ "0000:06:00.0", INTEL, NIC_82576, CLASS_ETHERNET, "vfio-pci", -1, "vfio1" },
	};
	struct shunt_pci_list list;

	add_all(functions, 4);
	scan(&list);
	assert_int_equal(shunt_pci_usable(&list, find(&list, "03:00.0")), -ENODEV);
	assert_message("bound to igb");
	assert_message("/sys/bus/pci/devices/0000:03:00.0/driver/unbind");
	assert_int_equal(shunt_pci_usable(&list, find(&list, "04:00.0")), -ENODEV);
	assert_message("no driver");
	assert_message("echo 0000:04:00.0 > /sys/bus/pci/drivers_probe");
	assert_null(strstr(shunt_errmsg(), "unbind"));
	assert_int_equal(shunt_pci_usable(&list, find(&list, "05:00.0")), -ENODEV);
	assert_message("CONFIG_VFIO_DEVICE_CDEV");
	assert_int_equal(shunt_pci_usable(&list, find(&list, "06:00.0")), -ENOTSUP);
	assert_message("IOMMU");
	shunt_pci_list_free(&list);
}

/* VFIO's no-IOMMU mode: by the group that it makes up, and by its character device. */
static void without_an_iommu(void **state)
{
	static const struct sysfs_function functions[] = {
		{ "0000:03:00.0", INTEL, NIC_82576, CLASS_ETHERNET, "vfio-pci", 0, NULL },
		{ "0000:04:00.0", INTEL, NIC_82576, CLASS_ETHERNET, "vfio-pci", -1,
			"noiommu-vfio1" },
		{ "0000:05:00.0", INTEL, NIC_82576, CLASS_ETHERNET, "vfio-pci", 1, "vfio2" },
	};
	struct shunt_pci_list list;

	add_all(functions, 3);
	sysfs_tree_name_group(&tree, 0, "vfio-noiommu\n");
	sysfs_tree_name_group(&tree, 1, "vfio-noiommu-not\n");
	scan(&list);
	for (size_t i = 0; i < 2; i++) {
		assert_true(list.functions[i].no_iommu);
		assert_string_equal(list.functions[i].cdev, "");
		assert_int_equal(shunt_pci_usable(&list, &list.functions[i]), -ENOTSUP);
		assert_message("is on VFIO without an IOMMU");
		assert_message("shunt does not drive it");
	}
	assert_false(list.functions[2].no_iommu);
	assert_int_equal(shunt_pci_usable(&list, &list.functions[2]), 0);
	shunt_pci_list_free(&list);
}

#define TREE_TEST(test) cmocka_unit_test_setup_teardown(test, make_tree, drop_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(reads_functions_in_order),
		TREE_TEST(platform_without_pci),
		TREE_TEST(bus_without_functions),
		TREE_TEST(odd_entries_are_no_functions),
		TREE_TEST(odd_functions_are_skipped),
		TREE_TEST(a_vanished_function_is_skipped),
		TREE_TEST(addresses),
		cmocka_unit_test(blocking_drivers),
		TREE_TEST(usable_with_idle_siblings),
		TREE_TEST(sibling_blocks),
		TREE_TEST(bridge_blocks),
		TREE_TEST(not_bound_to_vfio),
		TREE_TEST(without_an_iommu),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
