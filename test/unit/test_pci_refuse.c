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

#include <shunt/error.h>

#include "bind_calls.h"

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
	bind_tree_remove(&tree, "records/0000:03:00.0.bind");
	refused(unbind_them, "5:0.0", -ENOENT,
		"echo 0000:05:00.0 > /sys/bus/pci/devices/0000:05:00.0/driver/unbind");
}

static void damaged_record(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"shunt.bind/2\n",
		"shunt.bind/2\ngroup 14\n",
		"shunt.bind/3\ngroup 14\n0000:03:00.0 igb -\n",
		"shunt.bind/2\ngroup x\n0000:03:00.0 igb -\n",
		"shunt.bind/2\ngroup 14\n0000:03:00.0 igb\n",
		"shunt.bind/2\ngroup 14\n0000:03:00.0 igb - -\n",
		"shunt.bind/2\ngroup 14\n0000:03:00.0 ../../x -\n",
		"shunt.bind/2\ngroup 14\n0000:03:00.0-and-more-of-it igb -\n",
	};

	bind_tree_folder(&tree, "records");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		bind_tree_file(&tree, "records/0000:03:00.0.bind", texts[i]);
		refused(bind_them, ONE, -EIO, "records/0000:03:00.0.bind is damaged");
		refused(unbind_them, ONE, -EIO, "records/0000:03:00.0.bind is damaged");
	}
	bind_tree_remove(&tree, "records/0000:03:00.0.bind");
	bind_tree_file(&tree, "records/0000:03:00.0.json", "{\"schema\":\"shunt.bind/1\"}");
	refused(bind_them, ONE, -EIO, "an older version wrote it");
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
	sysfs_tree_link(&tree.sysfs, ONE, "virtfn0", "../0000:03:10.0");
	sysfs_tree_link(&tree.sysfs, ONE, "virtfn1", "../0000:03:10.2");
	refused(bind_them, ONE, -EBUSY, "2 virtual functions");
	assert_message("as root: shunt vf remove " ONE);
	assert_int_equal(bind_them(true, ONE, NULL), -EBUSY);
	sysfs_tree_remove(&tree.sysfs, ONE, "virtfn0");
	sysfs_tree_remove(&tree.sysfs, ONE, "virtfn1");
	must(bind_them(false, ONE, NULL));
	sysfs_tree_link(&tree.sysfs, ONE, "virtfn0", "../0000:03:10.0");
	sysfs_tree_link(&tree.sysfs, ONE, "virtfn1", "../0000:03:10.2");
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

/* The function's driver is there, its interface is in a container. */
static void interface_is_elsewhere(void **state)
{
	bind_tree_remove(&tree, "class/net/eth5");
	refused(bind_them, ONE, -EBUSY, "cannot tell whether 0000:05:00.0 is in use");
	assert_message("not without --force");
	bind_tree_remove(&tree, "class/net/eth3");
	bind_tree_remove(&tree, "class/net/eth6");
	bind_tree_remove(&tree, "class/net");
	refused(bind_them, ONE, -EBUSY, "cannot tell whether 0000:03:00.0 is in use");
	must(bind_them(true, ONE, NULL));
}

static void interface_is_part_of_another(void **state)
{
	bind_tree_link(&tree, "class/net/eth5/upper_bond0", "../../../../../class/net/bond0");
	refused(bind_them, ONE, -EBUSY,
		"0000:05:00.0 is in use: its network interface eth5 is part of bond0");
	must(bind_them(true, ONE, NULL));
}

/* A character device of a class, which a process has open. */
static void hold_device(const char *class, const char *name)
{
	char folder[160], path[300], target[300];

	snprintf(folder, sizeof(folder), "bus/pci/devices/0000:05:00.0/%s/%s", class, name);
	bind_tree_folder(&tree, folder);
	snprintf(path, sizeof(path), "%s/dev", folder);
	bind_tree_file(&tree, path, "1:7\n");
	snprintf(path, sizeof(path), "class/%s", class);
	bind_tree_folder(&tree, path);
	snprintf(path, sizeof(path), "class/%s/%s", class, name);
	snprintf(target, sizeof(target), "../../%s", folder);
	bind_tree_link(&tree, path, target);
	snprintf(path, sizeof(path), "dev/%s", name);
	bind_tree_link(&tree, path, "/dev/full");
	bind_tree_folder(&tree, "proc/4711/fd");
	snprintf(target, sizeof(target), "%s/dev/%s", tree.sysfs.root, name);
	bind_tree_link(&tree, "proc/4711/fd/7", target);
	bind_tree_file(&tree, "proc/4711/comm", "user\n");
}

static void held_by_uio(void **state)
{
	bind_tree_folder(&tree, "bus/pci/drivers/uio_pci_generic");
	bind_tree_file(&tree, "bus/pci/drivers/uio_pci_generic/bind", "");
	bind_tree_remove(&tree, "class/net/eth5");
	bind_tree_move(&tree, "0000:05:00.0", "uio_pci_generic");
	hold_device("uio", "uio0");
	refused(bind_them, ONE, -EBUSY, "0000:05:00.0 is in use: process 4711 (user) has it open");
	bind_tree_remove(&tree, "proc/4711/fd/7");
	must(bind_them(false, ONE, NULL));
}

static void held_by_rdma(void **state)
{
	hold_device("infiniband_verbs", "infiniband_uverbs0");
	refused(bind_them, ONE, -EBUSY, "0000:05:00.0 is in use: process 4711 (user) has it open");
}

/* What is left of a function that the kernel takes from vfio-pci while a process has it open. */
static void take_back(const char *address, unsigned int cdev)
{
	char path[128];

	sysfs_tree_remove(&tree.sysfs, address, "driver");
	snprintf(path, sizeof(path), "class/vfio-dev/vfio%u", cdev);
	bind_tree_remove(&tree, path);
	snprintf(path, sizeof(path), "bus/pci/devices/%s/vfio-dev/vfio%u/dev", address, cdev);
	bind_tree_remove(&tree, path);
	*strrchr(path, '/') = '\0';
	bind_tree_remove(&tree, path);
	snprintf(path, sizeof(path), "bus/pci/devices/%s/driver_override", address);
	bind_tree_pipe(&tree, path);
}

static void kernel_waits_for_a_process(void **state)
{
	must(bind_them(false, ONE, NULL));
	bind_tree_hold(&tree, 4711, "testpmd\n", "vfio0");
	take_back(ONE, 0);
	assert_int_equal(bind_them(true, "04:00.0", NULL), -EBUSY);
	assert_message("0000:03:00.0: the kernel takes it from its driver and waits for process "
		       "4711 (testpmd)");
	assert_int_equal(unbind_them(true, "04:00.0", NULL), -EBUSY);
	assert_message("waits for process 4711 (testpmd)");
	shunt_pci_bindings_free(&done);
	/* Where the kernel says whose device it is, another function's is another matter. */
	bind_tree_folder(&tree, "proc/4711/fdinfo");
	bind_tree_file(&tree, "proc/4711/fdinfo/7",
		"pos:\t0\nvfio-device-syspath: /sys/devices/pci0000:00/0000:03:00.0\n");
	assert_int_equal(bind_them(true, "04:00.0", NULL), -EBUSY);
	bind_tree_file(&tree, "proc/4711/fdinfo/7",
		"pos:\t0\nvfio-device-syspath: /sys/devices/pci0000:00/0000:13:00.0\n");
	assert_int_equal(bind_them(true, "04:00.0", NULL), -ETIMEDOUT);
	assert_message("0000:03:00.0: the kernel does not let");
}

static void without_an_iommu(void **state)
{
	bind_tree_folder(&tree, "kernel/iommu_groups/14");
	bind_tree_file(&tree, "kernel/iommu_groups/14/name", "vfio-noiommu\n");
	refused(bind_them, ONE, -ENOTSUP, "0000:03:00.0 is on VFIO without an IOMMU");
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
		TREE_TEST(interface_is_elsewhere),
		TREE_TEST(interface_is_part_of_another),
		TREE_TEST(held_by_uio),
		TREE_TEST(held_by_rdma),
		TREE_TEST(kernel_waits_for_a_process),
		TREE_TEST(without_an_iommu),
	};

	return cmocka_run_group_tests_name("pci_refuse", tests, NULL, NULL);
}
