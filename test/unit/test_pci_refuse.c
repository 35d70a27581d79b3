/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bind_calls.h"
#include "shunt_error.h"

#define ONE "0000:03:00.0"

static void wrong_functions(void **state)
{
	refused(bind_them, "nonsense", -EINVAL, "no PCI address");
	refused(bind_them, "0000:77:00.0", -ENODEV, "0000:77:00.0");
	refused(bind_them, "02:00.0", -EINVAL, "bridge");
	refused(bind_them, "07:1f.0", -EINVAL, "system device");
	refused(bind_them, "08:00.0", -ENOTSUP, "no IOMMU group");
	refused(bind_them, NULL, -EINVAL, "no function");
	assert_int_equal(bind_them(false, ONE, "03:00.0", NULL), -EINVAL);
	assert_message("0000:03:00.0 is given twice");
	assert_int_equal(bind_them(false, ONE, "77:00.0", NULL), -ENODEV);
	refused(unbind_them, "nonsense", -EINVAL, "no PCI address");
	refused(unbind_them, "0000:77:00.0", -ENODEV, "neither a function");
	assert_int_equal(unbind_them(false, ONE, "03:00.0", NULL), -EINVAL);
	assert_message("twice");
	assert_int_equal(tree.writes, 0);
	assert_int_not_equal(access(tree.records, F_OK), 0);
}

static void software_platform(void **state)
{
	tree.sysfs.platform.name = "sim";
	refused(bind_them, ONE, -ENOTSUP, "software platform");
	refused(unbind_them, ONE, -ENOTSUP, "software platform");
}

static void no_record(void **state)
{
	refused(unbind_them, ONE, -ENOENT, "nothing to put back");
	must(bind_them(false, ONE, NULL));
	bind_tree_remove(&tree, "records/0000:03:00.0.json");
	refused(unbind_them, "5:0.0", -ENOENT,
		"echo 0000:05:00.0 > /sys/bus/pci/devices/0000:05:00.0/driver/unbind");
}

static void damaged_record(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"schema\":\"shunt.bind/1\"}",
		"{\"schema\":\"shunt.bind/2\",\"group\":1,\"functions\":[]}",
		"{\"schema\":\"shunt.bind/1\",\"group\":1,\"functions\":[{\"address\":\"\"}]}",
		("{\"schema\":\"shunt.bind/1\",\"group\":1,\"functions\":[{\"address\":"
		 "\"0000:03:00.0\",\"driver\":\"../../x\",\"driver_override\":null}]}"),
	};

	bind_tree_folder(&tree, "records");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		bind_tree_file(&tree, "records/0000:03:00.0.json", texts[i]);
		refused(bind_them, ONE, -EIO, "records/0000:03:00.0.json is damaged");
		refused(unbind_them, ONE, -EIO, "records/0000:03:00.0.json is damaged");
	}
}

static void records_cannot_be_written(void **state)
{
	bind_tree_file(&tree, "records", "in the way\n");
	refused(bind_them, ONE, -ENOTDIR, tree.records);
}

static void interface_is_up(void **state)
{
	bind_tree_folder(&tree, "bus/pci/devices/0000:05:00.0/net/eth7");
	bind_tree_file(&tree, "bus/pci/devices/0000:05:00.0/net/eth7/flags", "0x1003\n");
	bind_tree_link(&tree, "class/net/eth7", "../../bus/pci/devices/0000:05:00.0/net/eth7");
	refused(bind_them, ONE, -EBUSY, "interface eth7 is up;");
	assert_message("not without --force");
	bind_tree_folder(&tree, "proc/net");
	bind_tree_file(&tree, "proc/net/route",
		"Iface\tDestination\tGateway\nneth7\t00000000\t0101A8C0\t3\t0\t0\t0\t00000000\n");
	refused(bind_them, ONE, -EBUSY, "interface eth7 is up;");
	bind_tree_file(&tree, "proc/net/route",
		"Iface\tDestination\tGateway\neth7\t00000000\t0101A8C0\t3\t0\t0\t0\t00000000\n");
	refused(bind_them, ONE, -EBUSY, "up and has the default route");
	bind_tree_file(&tree, "bus/pci/devices/0000:05:00.0/net/eth7/flags", "0x1002\n");
	must(bind_them(false, ONE, NULL));
	must(unbind_them(false, ONE, NULL));
	bind_tree_file(&tree, "bus/pci/devices/0000:05:00.0/net/eth7/flags", "0x1003\n");
	must(bind_them(true, ONE, NULL));
}

static void block_device(void **state)
{
	bind_tree_link(&tree, "class/block/vda",
		"../../devices/pci0000:00/0000:03:00.0/virtio2/block/vda");
	refused(bind_them, "04:00.0", -EBUSY,
		"0000:03:00.0 is in use: it carries the block device vda");
	must(bind_them(true, ONE, NULL));
}

static void virtual_functions(void **state)
{
	sysfs_tree_write(&tree.sysfs, ONE, "sriov_numvfs", "2\n");
	refused(bind_them, ONE, -EBUSY, "2 virtual functions");
	assert_message("echo 0 > ");
	assert_int_equal(bind_them(true, ONE, NULL), -EBUSY);
	sysfs_tree_write(&tree.sysfs, ONE, "sriov_numvfs", "0\n");
	must(bind_them(false, ONE, NULL));
	sysfs_tree_write(&tree.sysfs, ONE, "sriov_numvfs", "2\n");
	refused(unbind_them, ONE, -EBUSY, "2 virtual functions");
}

static void bridge_blocks(void **state)
{
	sysfs_tree_remove(&tree.sysfs, "0000:02:00.0", "driver");
	sysfs_tree_link(
		&tree.sysfs, "0000:02:00.0", "driver", "../../../../bus/pci/drivers/shpchp");
	refused(bind_them, ONE, -EBUSY, "bridge 0000:02:00.0 is on driver shpchp");
}

static void held_open(void **state)
{
	must(bind_them(false, ONE, NULL));
	bind_tree_hold(&tree, 4711, "testpmd\n", "vfio1");
	refused(unbind_them, ONE, -EBUSY, "0000:04:00.0 is held open by process 4711 (testpmd)");
	bind_tree_remove(&tree, "proc/4711/fd/7");
	bind_tree_hold(&tree, 4712, "other\n", "vfio99");
	must(unbind_them(false, ONE, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(wrong_functions),
		TREE_TEST(software_platform),
		TREE_TEST(no_record),
		TREE_TEST(damaged_record),
		TREE_TEST(records_cannot_be_written),
		TREE_TEST(interface_is_up),
		TREE_TEST(block_device),
		TREE_TEST(virtual_functions),
		TREE_TEST(bridge_blocks),
		TREE_TEST(held_open),
	};

	return cmocka_run_group_tests_name("pci_refuse", tests, NULL, NULL);
}
