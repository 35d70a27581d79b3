/* SPDX-License-Identifier: BSD-3-Clause */
/* Which interrupts tell of faults, whether they came, and what sysfs says of IOMMUs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "kernel_fault_irqs.h"
#include "kernel_info.h"
#include "kernel_tree.h"

#define FUNCTION "0000:03:00.0"

static struct fault_unit unit;

static int set_up(void **state)
{
	static struct kernel_tree tree;

	kernel_tree_create(&tree);
	unit = (struct fault_unit){ 0 };
	*state = &tree;
	return 0;
}

static int tear_down(void **state)
{
	fault_unit_close(&unit);
	kernel_tree_destroy(*state);
	return 0;
}

static void put_iommu(const struct kernel_tree *tree, const char *name)
{
	char file[256];

	snprintf(file, sizeof(file), "sys/class/iommu/%s/devices/" FUNCTION, name);
	kernel_tree_put(tree, file, NULL);
}

static void find(const struct kernel_tree *tree, const char *name, unsigned int irqs, bool complete)
{
	fault_unit_close(&unit);
	snprintf(unit.name, sizeof(unit.name), "%s", name);
	fault_unit_open(&unit, tree->sys, tree->proc, FUNCTION);
	assert_int_equal(unit.irq_count, irqs);
	assert_int_equal(unit.complete, complete);
}

static void counts_go_on_from_when_it_was_found(void **state)
{
	struct kernel_tree *tree = *state;

	kernel_tree_irq(tree, 24, "dmar0");
	kernel_tree_irq(tree, 25, "dmar0-prq");
	kernel_tree_irq(tree, 26, "dmar1");
	find(tree, "dmar0", 1, true);
	assert_int_equal(unit.iommu, FAULT_IOMMU_VTD);
	assert_int_equal(fault_unit_read(&unit), 0);
	kernel_tree_count(tree, 24, "2,6\n");
	kernel_tree_count(tree, 26, "2,6\n");
	assert_int_equal(fault_unit_read(&unit), 1);
	assert_int_equal(fault_unit_read(&unit), 0);
	kernel_tree_count(tree, 24, "4294967295,6\n"); /* each wraps alone */
	assert_int_equal(fault_unit_read(&unit), 1);
	kernel_tree_count(tree, 24, "1,6\n");
	assert_int_equal(fault_unit_read(&unit), 1);
	kernel_tree_count(tree, 24, "gone\n");
	assert_int_equal(fault_unit_read(&unit), -ENODEV);
}

static void a_unit_needs_its_own_interrupt(void **state)
{
	struct kernel_tree *tree = *state;

	find(tree, "dmar1", 0, false); /* no interrupts at all */
	kernel_tree_irq(tree, 24, "dmar0");
	find(tree, "dmar1", 0, false);
	kernel_tree_irq(tree, 25, "dmar1"); /* appears later */
	find(tree, "dmar1", 1, true);
	find(tree, "apple-dart0", 0, false);
	kernel_tree_put(tree, "sys/kernel/irq/26/actions", "dmar2\n"); /* no count, no processor */
	find(tree, "dmar2", 0, false);
}

static void a_virtio_iommu_is_found_by_its_device(void **state)
{
	struct kernel_tree *tree = *state;

	kernel_tree_put(
		tree, "sys/devices/pci0000:00/0000:00:03.0/virtio0/iommu/0000:00:03.0", NULL);
	kernel_tree_link(tree, "sys/bus/pci/devices/" FUNCTION "/iommu",
		"../../../../devices/pci0000:00/0000:00:03.0/virtio0/iommu/0000:00:03.0");
	kernel_tree_irq(tree, 31, "virtio1-event");
	kernel_tree_irq(tree, 32, "virtio0-request");
	find(tree, "0000:00:03.0", 0, false);
	kernel_tree_irq(tree, 23, "uhci_hcd:usb1,virtio0"); /* a line shared with others */
	find(tree, "0000:00:03.0", 1, true);
	assert_int_equal(unit.iommu, FAULT_IOMMU_VIRTIO);
	kernel_tree_irq(tree, 23, "virtio00");
	kernel_tree_irq(tree, 33, "virtio0-event");
	find(tree, "0000:00:03.0", 1, true);
}

static void amd_and_smmus_are_found(void **state)
{
	struct kernel_tree *tree = *state;

	kernel_tree_irq(tree, 25, "AMD-Vi1-Evt");
	kernel_tree_irq(tree, 26, "AMD-Vi1-PPR");
	kernel_tree_irq(tree, 27, "AMD-Vi2-Evt");
	find(tree, "ivhd1", 1, true);
	assert_int_equal(unit.iommu, FAULT_IOMMU_AMD);
	find(tree, "ivhd3", 0, false);
	kernel_tree_irq(tree, 28, "AMD-Vi"); /* of an older kernel, of all */
	find(tree, "ivhd3", 1, true);
	/* Of SMMUs nothing says whose; errors alone are no faults. */
	kernel_tree_irq(tree, 11, "arm-smmu-v3-gerror");
	kernel_tree_irq(tree, 12, "arm-smmu-v3-priq");
	find(tree, "smmu3.0x0000000009050000", 0, false);
	kernel_tree_irq(tree, 10, "arm-smmu-v3-evtq");
	kernel_tree_irq(tree, 13, "arm-smmu-v3-combined-irq");
	find(tree, "smmu3.0x0000000009050000", 3, true);
}

static void info_of(
	const struct kernel_tree *tree, const char *function, struct shunt_platform_info *info)
{
	kernel_info_fill(&tree->roots, function, info);
}

static void vtd_reports_its_mode_if_known(void **state)
{
	static const struct {
		const char *ecap, *cmdline, *config, *name;
	} cases[] = {
		{ "f00f4a\n", "intel_iommu=on\n", NULL, "intel-iommu legacy" },
		{ "f00f4a\n", "intel_iommu=on,sm_on\n", NULL, "intel-iommu legacy" },
		{ "480000f00f4a\n", "quiet\n", NULL,
			"intel-iommu legacy or scalable, second stage" },
		{ "480000f00f4a\n", "intel_iommu=on,sm_on x\n", NULL,
			"intel-iommu scalable, second stage" },
		{ "880000f00f4a\n", "intel_iommu=sm_on\n", NULL,
			"intel-iommu scalable, first stage" },
		{ "c80000f00f4a\n", "intel_iommu=sm_on\n", NULL, "intel-iommu scalable" },
		{ "c80000f00f4a\n", "intel_iommu=sm_on intel_iommu=sm_off\n", NULL,
			"intel-iommu legacy" },
		{ "c80000f00f4a\n", "quiet\n", "CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON=y\n",
			"intel-iommu scalable" },
		{ "c80000f00f4a\n", "quiet\n",
			"# CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON is not set\n",
			"intel-iommu legacy" },
	};
	struct kernel_tree *tree = *state;
	struct shunt_platform_info info;
	struct utsname names;
	char file[256];

	assert_int_equal(uname(&names), 0);
	snprintf(file, sizeof(file), "boot/config-%s", names.release);
	put_iommu(tree, "dmar0");
	put_iommu(tree, "dmar1");
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kernel_tree_put(tree, "sys/class/iommu/dmar0/intel-iommu/ecap", cases[i].ecap);
		kernel_tree_put(tree, "sys/class/iommu/dmar1/intel-iommu/ecap", cases[i].ecap);
		kernel_tree_put(tree, "proc/cmdline", cases[i].cmdline);
		if (cases[i].config)
			kernel_tree_put(tree, file, cases[i].config);
		info_of(tree, NULL, &info);
		assert_string_equal(info.iommu, cases[i].name);
		assert_string_equal(info.kernel, names.release);
	}
}

static void other_iommus_have_the_names_of_the_field(void **state)
{
	struct kernel_tree *tree = *state;
	struct shunt_platform_info info;

	kernel_tree_put(tree, "sys/class/iommu/iommufd_selftest_iommu.0/devices", NULL);
	info_of(tree, NULL, &info);
	assert_string_equal(info.iommu, "none");
	put_iommu(tree, "ivhd0");
	put_iommu(tree, "ivhd1");
	info_of(tree, NULL, &info);
	assert_string_equal(info.iommu, "amd-iommu");
	assert_string_equal(info.nic, "");
}

/* What another unit does says nothing of a group's own. */
static void a_function_has_its_own_iommu(void **state)
{
	static const char *const functions[] = { "0000:03:00.0", "0000:83:00.0", "0000:c3:00.0" };
	static const char *const names[] = { "intel-iommu legacy or scalable, second stage",
		"intel-iommu legacy", "amd-iommu" };
	struct kernel_tree *tree = *state;
	struct shunt_platform_info info;

	put_iommu(tree, "ivhd0"); /* made in an order that is not that of their names */
	put_iommu(tree, "dmar1");
	put_iommu(tree, "dmar0");
	kernel_tree_put(tree, "sys/class/iommu/dmar0/intel-iommu/ecap", "480000f00f4a\n");
	kernel_tree_put(tree, "sys/class/iommu/dmar1/intel-iommu/ecap", "f00f4a\n");
	kernel_tree_link(
		tree, "sys/bus/pci/devices/0000:03:00.0/iommu", "../../virtual/iommu/dmar0");
	kernel_tree_link(
		tree, "sys/bus/pci/devices/0000:83:00.0/iommu", "../../virtual/iommu/dmar1");
	kernel_tree_link(
		tree, "sys/bus/pci/devices/0000:c3:00.0/iommu", "../0000:c0:00.2/iommu/ivhd0");
	for (unsigned int i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		info_of(tree, functions[i], &info);
		assert_string_equal(info.iommu, names[i]);
	}
	info_of(tree, "0000:04:00.0", &info);
	assert_string_equal(info.iommu, "none");
	info_of(tree, NULL, &info);
	assert_memory_equal(
		info.iommu, "intel-iommu legacy or scalable, second stage and intel", 53);
}

static void a_virtual_machine_is_never_hardware(void **state)
{
	static const char *const signs[][2] = {
		{ "proc/cpuinfo", "processor : 0\nflags\t\t: fpu vme hypervisor lahf_lm\n" },
		{ "sys/class/dmi/id/sys_vendor", "QEMU\n" },
		{ "sys/firmware/devicetree/base/compatible", "linux,dummy-virt" },
	};
	struct kernel_tree *tree = *state;
	struct shunt_platform_info info;

	kernel_tree_put(tree, "proc/cpuinfo", "processor : 0\nflags\t\t: fpu vme lahf_lm\n");
	kernel_tree_put(tree, "sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
	kernel_tree_put(tree, "sys/bus/pci/devices/" FUNCTION "/subsystem_vendor", "0x8086\n");
	kernel_tree_put(tree, "sys/bus/pci/devices/" FUNCTION "/subsystem_device", "0x1100\n");
	info_of(tree, NULL, &info);
	assert_false(info.emulated);
	for (unsigned int i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		kernel_tree_put(tree, signs[i][0], signs[i][1]);
		info_of(tree, NULL, &info);
		assert_true(info.emulated);
		kernel_tree_put(tree, signs[i][0], "other\n");
	}
	info_of(tree, NULL, &info);
	assert_false(info.emulated);
	kernel_tree_put(tree, "sys/bus/pci/devices/" FUNCTION "/subsystem_vendor", "0x1af4\n");
	info_of(tree, NULL, &info);
	assert_true(info.emulated);
}

#define tree_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(counts_go_on_from_when_it_was_found),
		tree_test(a_unit_needs_its_own_interrupt),
		tree_test(a_virtio_iommu_is_found_by_its_device),
		tree_test(amd_and_smmus_are_found),
		tree_test(vtd_reports_its_mode_if_known),
		tree_test(other_iommus_have_the_names_of_the_field),
		tree_test(a_function_has_its_own_iommu),
		tree_test(a_virtual_machine_is_never_hardware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
