/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <pci/pci.h>

#include "calls.h"

static struct shunt_platform *create(unsigned int groups, unsigned int ports)
{
	const struct shunt_sim_config config = { .groups = groups, .ports = ports };
	struct shunt_platform *platform;

	assert_int_equal(shunt_sim_create(&config, &platform), 0);
	return platform;
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

/* What libpci makes of the tree. */
static void test_libpci_reads_it(void **state)
{
	struct shunt_platform *platform = create(2, 3);
	struct pci_access *access = pci_alloc();
	char path[PATH_MAX], name[] = "sysfs.path";
	unsigned int ports = 0, bridges = 0;

	snprintf(path, sizeof(path), "%s/bus/pci", platform->sysfs);
	access->method = PCI_ACCESS_SYS_BUS_PCI;
	assert_int_equal(pci_set_param(access, name, path), 0);
	pci_init(access);
	pci_scan_bus(access);
	for (struct pci_dev *dev = access->devices; dev; dev = dev->next) {
		pci_fill_info(dev, PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_NUMA_NODE);
		if (dev->device_class == 0x0200) {
			assert_int_equal(dev->vendor_id, 0x8086);
			assert_int_equal(dev->device_id, 0x10c9);
			assert_int_equal(pci_read_word(dev, PCI_DEVICE_ID), 0x10c9);
			assert_int_equal(dev->numa_node, -1);
			ports++;
		} else {
			assert_int_equal(dev->device_class, 0x0604);
			assert_int_equal(pci_read_byte(dev, PCI_HEADER_TYPE), 1);
			bridges++;
		}
	}
	pci_cleanup(access);
	assert_int_equal(ports, 6);
	assert_int_equal(bridges, 2);
	shunt_platform_destroy(platform);
}

static void check_link(const char *root, const char *link, const char *target)
{
	char path[2 * PATH_MAX], resolved[PATH_MAX], expected[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, link);
	snprintf(expected, sizeof(expected), "%s/%s", root, target);
	assert_non_null(realpath(path, resolved));
	assert_string_equal(resolved, expected);
}

static void test_links(void **state)
{
	struct shunt_platform *platform = create(2, 3);
	char root[PATH_MAX], path[2 * PATH_MAX];

	assert_non_null(realpath(platform->sysfs, root));
	check_link(root, "bus/pci/devices/0000:13:00.0", "devices/pci0000:00/0000:13:00.0");
	check_link(root, "bus/pci/devices/0000:13:00.0/iommu_group", "kernel/iommu_groups/11");
	check_link(root, "bus/pci/devices/0000:13:00.0/driver", "bus/pci/drivers/vfio-pci");
	check_link(root, "bus/pci/devices/0000:00:02.0/driver", "bus/pci/drivers/pcieport");
	check_link(root, "kernel/iommu_groups/11/devices/0000:00:02.0",
		"devices/pci0000:00/0000:00:02.0");
	check_link(root, "kernel/iommu_groups/10/devices/0000:05:00.0",
		"devices/pci0000:00/0000:05:00.0");
	snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:13:00.0/vfio-dev/vfio3", root);
	assert_true(exists(path));
	shunt_platform_destroy(platform);
	assert_false(exists(root));
}

/*
 * A child makes a platform, says where its tree is, and ends without destroying it. Its own child
 * (heir) has the platform too, and destroys it when `life` has no writer any more.
 */
static void leave_tree(const int told[2], const int life[2], bool heir)
{
	const struct shunt_sim_config config = { .groups = 1, .ports = 1 };
	struct shunt_platform *platform;
	int status;
	char byte;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		bool made = shunt_sim_create(&config, &platform) == 0;

		close(life[1]);
		if (made && heir && fork() == 0) {
			if (read(life[0], &byte, 1) == 0)
				shunt_platform_destroy(platform);
			_exit(0);
		}
		_exit(made && write(told[1], platform->sysfs, strlen(platform->sysfs)) > 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void check_left_tree(bool heir)
{
	struct shunt_platform *platform;
	char left[PATH_MAX] = "";
	int told[2], life[2];

	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(life), 0);
	leave_tree(told, life, heir);
	assert_true(read(told[0], left, sizeof(left) - 1) > 0);
	assert_true(exists(left));

	platform = create(1, 1);
	assert_int_equal(exists(left), heir);
	assert_true(exists(platform->sysfs));
	shunt_platform_destroy(platform);
	close(life[0]);
	close(life[1]);
	close(told[1]);
	assert_int_equal(read(told[0], left, 1), 0);
	assert_false(exists(left));
	close(told[0]);
}

static void test_stale_trees_go(void **state)
{
	check_left_tree(false);
}

/* The process that uses the tree may have another PID than its maker, as in a PID namespace. */
static void test_trees_in_use_stay(void **state)
{
	check_left_tree(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libpci_reads_it),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_stale_trees_go),
		cmocka_unit_test(test_trees_in_use_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
