/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "bind_calls.h"

/* Virtual functions made and removed, on the machine of bind_tree.h with a kernel's side of SR-IOV.
 */

#define PF    "0000:06:00.0"
#define OTHER "0000:03:00.0"
#define TOTAL 7

static unsigned int made;      /* virtual functions of PF */
static char autoprobe[8];      /* what the file has */
static bool probed;            /* they were made while it was on */
static int fail_with;          /* negative errno of writing sriov_numvfs */
static unsigned int set_calls; /* writes of sriov_numvfs */

static void address_of(unsigned int index, char address[16])
{
	snprintf(address, 16, "0000:06:10.%u", 2 * index);
}

static void make(unsigned int count)
{
	char address[16];

	for (unsigned int i = 0; i < count; i++) {
		address_of(i, address);
		sysfs_tree_add(&tree.sysfs, &(struct sysfs_function){ .address = address,
						    .vendor = 0x8086,
						    .device = 0x10ca,
						    .class_code = 0x020000,
						    .group = 20 + (int)i });
		sysfs_tree_link(&tree.sysfs, address, "physfn", "../" PF);
	}
}

static void drop(unsigned int count)
{
	static const char *const files[] = { "physfn", "iommu_group", "vendor", "device", "class",
		"driver", "driver_override", "" };
	char address[16], path[128];

	for (unsigned int i = 0; i < count; i++) {
		address_of(i, address);
		for (size_t j = 0; j < sizeof(files) / sizeof(files[0]); j++) {
			snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", tree.sysfs.root,
				address, files[j]);
			if (remove(path))
				assert_int_equal(errno, ENOENT);
		}
	}
}

static int act(void *context, const char *path, const char *text)
{
	const char *file = strrchr(path, '/') + 1;
	unsigned int count;

	if (strcmp(file, "sriov_drivers_autoprobe") == 0) {
		snprintf(autoprobe, sizeof(autoprobe), "%s", text);
		sysfs_tree_write(&tree.sysfs, PF, file, text);
		return 0;
	}
	assert_string_equal(file, "sriov_numvfs");
	assert_non_null(strstr(path, PF));
	set_calls++;
	if (fail_with)
		return fail_with;
	count = (unsigned int)strtoul(text, NULL, 10);
	assert_true(count == 0 || made == 0);
	if (count) {
		probed = autoprobe[0] != '0';
		make(count);
	} else {
		drop(made);
	}
	made = count;
	return 0;
}

static int begin(void **state)
{
	int ret = make_tree(state);

	tree.machine.write = act;
	sysfs_tree_write(&tree.sysfs, PF, "sriov_totalvfs", "7\n");
	sysfs_tree_write(&tree.sysfs, PF, "sriov_drivers_autoprobe", "1\n");
	snprintf(autoprobe, sizeof(autoprobe), "1");
	made = set_calls = 0;
	fail_with = 0;
	probed = false;
	return ret;
}

static int end(void **state)
{
	drop(made);
	return drop_tree(state);
}

static void fails(int ret, int err, const char *words)
{
	assert_int_equal(ret, err);
	assert_message(words);
}

static void made_and_removed(void **state)
{
	const struct shunt_pci_function *function;
	struct shunt_pci_list list;

	assert_int_equal(shunt_pci_vf_create(&tree.machine, "06:00.0", 2), 0);
	assert_int_equal(made, 2);
	assert_false(probed);
	assert_string_equal(autoprobe, "1");
	assert_int_equal(shunt_pci_scan(&tree.sysfs.platform, &list), 0);
	assert_int_equal(shunt_pci_find(&list, "06:10.2", &function), 0);
	assert_string_equal(function->physfn, PF);
	assert_int_equal(function->vf_total, 0);
	assert_int_equal(shunt_pci_find(&list, PF, &function), 0);
	assert_string_equal(function->physfn, "");
	assert_int_equal(function->vf_total, TOTAL);
	shunt_pci_list_free(&list);

	fails(shunt_pci_vf_create(&tree.machine, PF, 3), -EBUSY, "'shunt vf remove " PF "' first");
	assert_int_equal(shunt_pci_vf_remove(&tree.machine, PF, false), 0);
	assert_int_equal(made, 0);
	assert_int_equal(shunt_pci_vf_remove(&tree.machine, PF, false), 0);
	assert_int_equal(set_calls, 2);
}

static void autoprobe_stays_as_it_was(void **state)
{
	sysfs_tree_write(&tree.sysfs, PF, "sriov_drivers_autoprobe", "0\n");
	snprintf(autoprobe, sizeof(autoprobe), "0");
	assert_int_equal(shunt_pci_vf_create(&tree.machine, PF, 1), 0);
	assert_string_equal(autoprobe, "0");
}

static void refused_without_a_write(void **state)
{
	fails(shunt_pci_vf_create(&tree.machine, "nonsense", 1), -EINVAL, "no PCI address");
	fails(shunt_pci_vf_create(&tree.machine, "0000:77:00.0", 1), -ENODEV, "0000:77:00.0");
	fails(shunt_pci_vf_create(&tree.machine, OTHER, 1), -ENOTSUP, OTHER " has no SR-IOV");
	fails(shunt_pci_vf_create(&tree.machine, PF, 0), -EINVAL, "1 to 7");
	fails(shunt_pci_vf_create(&tree.machine, PF, TOTAL + 1), -EINVAL, "not 8");
	fails(shunt_pci_vf_remove(&tree.machine, OTHER, false), -ENOTSUP, "has no SR-IOV");
	sysfs_tree_remove(&tree.sysfs, PF, "driver");
	fails(shunt_pci_vf_create(&tree.machine, PF, 1), -ENODEV, "has no driver");
	sysfs_tree_link(&tree.sysfs, PF, "driver", "../../../../bus/pci/drivers/vfio-pci");
	bind_tree_folder(&tree, "module/vfio_pci/parameters");
	bind_tree_file(&tree, "module/vfio_pci/parameters/enable_sriov", "N\n");
	fails(shunt_pci_vf_create(&tree.machine, PF, 1), -ENOTSUP,
		"echo Y > /sys/module/vfio_pci/parameters/enable_sriov");
	assert_int_equal(set_calls, 0);
	bind_tree_file(&tree, "module/vfio_pci/parameters/enable_sriov", "Y\n");
	assert_int_equal(shunt_pci_vf_create(&tree.machine, PF, TOTAL), 0);
	fails(shunt_pci_vf_create(&tree.machine, "06:10.0", 1), -ENOTSUP, "of " PF);
	tree.sysfs.platform.name = "sim";
	fails(shunt_pci_vf_create(&tree.machine, PF, 1), -ENOTSUP, "software platform");
}

static void the_kernel_refuses(void **state)
{
	fail_with = -ENOMEM;
	fails(shunt_pci_vf_create(&tree.machine, PF, 2), -ENOMEM, "sriov_numvfs: Cannot allocate");
	assert_string_equal(autoprobe, "1");
	fail_with = 0;
	assert_int_equal(shunt_pci_vf_create(&tree.machine, PF, 2), 0);
	fail_with = -EACCES;
	fails(shunt_pci_vf_remove(&tree.machine, PF, false), -EACCES, "run it as root");
	assert_int_equal(made, 2);
}

/* The kernel would wait for the process. */
static void not_from_under_a_process(void **state)
{
	assert_int_equal(shunt_pci_vf_create(&tree.machine, PF, 2), 0);
	sysfs_tree_link(&tree.sysfs, "0000:06:10.2", "driver", "../../../../bus/pci/drivers/igb");
	bind_tree_move(&tree, "0000:06:10.2", "vfio-pci");
	bind_tree_hold(&tree, 4711, "testpmd", "vfio0");
	fails(shunt_pci_vf_remove(&tree.machine, PF, false), -EBUSY,
		"0000:06:10.2 cannot be removed: process 4711 (testpmd)");
	fails(shunt_pci_vf_remove(&tree.machine, PF, true), -EBUSY, "process 4711");
	assert_int_equal(made, 2);
	bind_tree_move(&tree, "0000:06:10.2", "igb");
	assert_int_equal(shunt_pci_vf_remove(&tree.machine, PF, true), 0);
	assert_int_equal(made, 0);
}

/* The kernel's driver of one may serve somebody. */
static void not_one_in_use_unless_forced(void **state)
{
	assert_int_equal(shunt_pci_vf_create(&tree.machine, PF, 1), 0);
	sysfs_tree_link(&tree.sysfs, "0000:06:10.0", "driver", "../../../../bus/pci/drivers/igb");
	fails(shunt_pci_vf_remove(&tree.machine, PF, false), -EBUSY,
		"cannot tell whether 0000:06:10.0 is in use");
	assert_int_equal(made, 1);
	assert_int_equal(shunt_pci_vf_remove(&tree.machine, PF, true), 0);
	assert_int_equal(made, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(made_and_removed, begin, end),
		cmocka_unit_test_setup_teardown(autoprobe_stays_as_it_was, begin, end),
		cmocka_unit_test_setup_teardown(refused_without_a_write, begin, end),
		cmocka_unit_test_setup_teardown(the_kernel_refuses, begin, end),
		cmocka_unit_test_setup_teardown(not_from_under_a_process, begin, end),
		cmocka_unit_test_setup_teardown(not_one_in_use_unless_forced, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
