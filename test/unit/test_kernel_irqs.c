/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which interrupts tell of faults, how often they came, and what sysfs says of IOMMUs: over made-up
 * trees of sysfs and procfs. The interrupts' processor is one that the test may run on.
 */
#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel_fault_irqs.h"
#include "kernel_info.h"
#include "kernel_intel_iommu.h"
#include "kernel_settle.h"

#define FUNCTION "0000:03:00.0"

struct tree {
	char root[64];
	char sys[80];
	char proc[80];
	struct fault_irqs irqs;
};

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(path);
}

static int set_up(void **state)
{
	static struct tree tree;

	tree = (struct tree){ .root = "/tmp/shunt-test-irqs-XXXXXX" };
	assert_non_null(mkdtemp(tree.root));
	snprintf(tree.sys, sizeof(tree.sys), "%s/sys", tree.root);
	snprintf(tree.proc, sizeof(tree.proc), "%s/proc", tree.root);
	fault_irqs_init(&tree.irqs, tree.sys, tree.proc);
	*state = &tree;
	return 0;
}

static int tear_down(void **state)
{
	struct tree *tree = *state;

	fault_irqs_fini(&tree->irqs);
	return nftw(tree->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file of the tree, and the folders that lead to it. A NULL text: a folder. */
static void put(const struct tree *tree, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	assert_in_range(snprintf(path, sizeof(path), "%s/%s", tree->root, name), 1, 511);
	for (char *slash = strchr(path + strlen(tree->root) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	if (!text) {
		assert_int_equal(mkdir(path, 0755), 0);
		return;
	}
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void put_iommu(const struct tree *tree, const char *name)
{
	char file[256];

	snprintf(file, sizeof(file), "sys/class/iommu/%s/devices/" FUNCTION, name);
	put(tree, file, NULL);
}

static void put_count(const struct tree *tree, unsigned int number, const char *count)
{
	char file[256];

	snprintf(file, sizeof(file), "sys/kernel/irq/%u/per_cpu_count", number);
	put(tree, file, count);
}

static void put_irq(const struct tree *tree, unsigned int number, const char *actions)
{
	char file[256], text[64];

	snprintf(file, sizeof(file), "sys/kernel/irq/%u/actions", number);
	snprintf(text, sizeof(text), "%s\n", actions);
	put(tree, file, text);
	put_count(tree, number, "0,5\n");
	snprintf(file, sizeof(file), "proc/irq/%u/effective_affinity_list", number);
	snprintf(text, sizeof(text), "%d\n", sched_getcpu());
	put(tree, file, text);
}

static void put_thread(const struct tree *tree, unsigned int pid, const char *name, char state)
{
	char file[256], text[128];

	snprintf(file, sizeof(file), "proc/%u/comm", pid);
	snprintf(text, sizeof(text), "%s\n", name);
	put(tree, file, text);
	snprintf(file, sizeof(file), "proc/%u/stat", pid);
	snprintf(text, sizeof(text), "%u (%s) %c 2 0 0 0 -1\n", pid, name, state);
	put(tree, file, text);
}

static void scan(struct tree *tree, unsigned int irqs, bool complete)
{
	assert_int_equal(fault_irqs_scan(&tree->irqs), 0);
	assert_int_equal(tree->irqs.irq_count, irqs);
	assert_int_equal(tree->irqs.complete, complete);
}

static void counts_go_on_from_the_scan(void **state)
{
	struct tree *tree = *state;

	put_iommu(tree, "dmar0");
	put_irq(tree, 24, "dmar0");
	put_irq(tree, 25, "dmar0-prq");
	put_irq(tree, 26, "aerdrv");
	scan(tree, 1, true);
	assert_int_equal(tree->irqs.irqs[0].number, 24);
	assert_int_equal(tree->irqs.irqs[0].iommu, FAULT_IOMMU_VTD);
	assert_int_equal(fault_irqs_read(&tree->irqs), 0);
	assert_int_equal(tree->irqs.irqs[0].news, 0);
	put_count(tree, 24, "2,6\n");
	assert_int_equal(fault_irqs_read(&tree->irqs), 0);
	assert_int_equal(tree->irqs.irqs[0].news, 3);
	put_count(tree, 24, "4294967295,6\n"); /* each wraps by itself */
	assert_int_equal(fault_irqs_read(&tree->irqs), 0);
	put_count(tree, 24, "1,6\n");
	assert_int_equal(fault_irqs_read(&tree->irqs), 0);
	assert_int_equal(tree->irqs.irqs[0].news, 2);
	put_count(tree, 24, "gone\n");
	assert_int_equal(fault_irqs_read(&tree->irqs), -ENODEV);
}

static void every_iommu_in_use_needs_its_interrupt(void **state)
{
	struct tree *tree = *state;

	scan(tree, 0, false); /* no IOMMU at all: nobody can tell */
	put_iommu(tree, "dmar0");
	put_iommu(tree, "dmar1");
	put(tree, "sys/class/iommu/dmar2/devices/INTC1234:00", NULL); /* no PCI function */
	put_irq(tree, 24, "dmar0");
	put_irq(tree, 26, "dmar2");
	assert_true(fault_irqs_stale(&tree->irqs));
	scan(tree, 1, false);
	assert_false(fault_irqs_stale(&tree->irqs));
	put_irq(tree, 25, "dmar1"); /* appears later */
	scan(tree, 2, true);
	put_iommu(tree, "apple-dart0");
	assert_true(fault_irqs_stale(&tree->irqs));
	scan(tree, 2, false);
}

static void a_virtio_iommu_is_found_by_its_device(void **state)
{
	struct tree *tree = *state;
	char target[256], link[256];

	put(tree,
		"sys/devices/pci0000:00/0000:00:03.0/virtio0/iommu/0000:00:03.0/devices/" FUNCTION,
		NULL);
	put(tree, "sys/class/iommu", NULL);
	snprintf(target, sizeof(target),
		"../../devices/pci0000:00/0000:00:03.0/virtio0/iommu/0000:00:03.0");
	snprintf(link, sizeof(link), "%s/class/iommu/0000:00:03.0", tree->sys);
	assert_int_equal(symlink(target, link), 0);
	put_irq(tree, 31, "virtio1-event");
	put_irq(tree, 32, "virtio0-request");
	scan(tree, 0, false);
	put_irq(tree, 23, "uhci_hcd:usb1,virtio0"); /* a line shared with others */
	scan(tree, 1, true);
	assert_int_equal(tree->irqs.irqs[0].number, 23);
	assert_int_equal(tree->irqs.irqs[0].iommu, FAULT_IOMMU_VIRTIO);
	put_irq(tree, 23, "virtio00");
	put_irq(tree, 33, "virtio0-event");
	scan(tree, 1, true);
	assert_int_equal(tree->irqs.irqs[0].number, 33);
}

static void threads_that_handle_have_to_be_seen(void **state)
{
	struct tree *tree = *state;

	put_iommu(tree, "ivhd0");
	put_irq(tree, 25, "AMD-Vi0-Evt");
	put_irq(tree, 26, "AMD-Vi0-PPR");
	put_irq(tree, 27, "AMD-Vi0-GA");
	scan(tree, 1, false);
	put_thread(tree, 90, "irq/25-AMD-Vi0-", 'S');
	put_thread(tree, 91, "irq/255-other", 'R');
	scan(tree, 1, true);
	put_count(tree, 25, "1,5\n");
	assert_int_equal(fault_irqs_read(&tree->irqs), 0);
	assert_int_equal(tree->irqs.irqs[0].news, 1);
	/* It does not come to an end: what it will log is still to come. */
	put_thread(tree, 90, "irq/25-AMD-Vi0-", 'R');
	put_count(tree, 25, "2,5\n");
	assert_int_equal(fault_irqs_read(&tree->irqs), -EBUSY);
	assert_int_equal(tree->irqs.irqs[0].news, 1);
	put_thread(tree, 90, "irq/25-AMD-Vi0-", 'S');
	assert_int_equal(fault_irqs_read(&tree->irqs), 0);
	assert_int_equal(tree->irqs.irqs[0].news, 1);
	assert_int_equal(fault_irqs_read(&tree->irqs), 0);
	assert_int_equal(tree->irqs.irqs[0].news, 0);
}

static void smmus_are_counted(void **state)
{
	struct tree *tree = *state;

	put_iommu(tree, "smmu3.0x0000000009050000");
	put_iommu(tree, "smmu3.0x0000000009070000");
	put_irq(tree, 10, "arm-smmu-v3-evtq");
	put_irq(tree, 11, "arm-smmu-v3-gerror");
	put_irq(tree, 12, "arm-smmu-v3-priq");
	put_thread(tree, 80, "irq/10-arm-smmu", 'S');
	scan(tree, 2, false);
	put_irq(tree, 13, "arm-smmu-v3-combined-irq");
	put_thread(tree, 81, "irq/13-arm-smmu", 'S');
	scan(tree, 3, true);
}

static void lists_of_processors_are_read(void **state)
{
	struct processors set = { 0 };
	static const char *const wrong[] = { "a", "1-", "3-1", "0,x", "8192", "1;2" };

	assert_int_equal(processors_add(&set, "0-2,5,64\n"), 0);
	assert_int_equal(CPU_COUNT_S(sizeof(set), set.parts), 5);
	assert_true(CPU_ISSET_S(64, sizeof(set), set.parts));
	assert_int_equal(processors_add(&set, "\n"), 0);
	assert_int_equal(CPU_COUNT_S(sizeof(set), set.parts), 5);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(processors_add(&set, wrong[i]), -EINVAL);
}

static void settling_leaves_the_thread_where_it_may_be(void **state)
{
	struct processors set = { 0 }, own, after;

	assert_int_equal(sched_getaffinity(0, sizeof(own), own.parts), 0);
	set = own;
	assert_int_equal(processors_settle(&set), 0);
	CPU_SET_S(SETTLE_PROCESSORS - 1, sizeof(set), set.parts); /* not there */
	assert_int_equal(processors_settle(&set), -EINVAL);
	assert_int_equal(sched_getaffinity(0, sizeof(after), after.parts), 0);
	assert_true(CPU_EQUAL_S(sizeof(own), own.parts, after.parts));
}

static void info_of(const struct tree *tree, struct shunt_platform_info *info)
{
	char boot[80];
	struct kernel_roots roots = { .sys = tree->sys, .proc = tree->proc, .boot = boot };

	snprintf(boot, sizeof(boot), "%s/boot", tree->root);
	kernel_info_fill(&roots, info);
}

static void vtd_says_its_mode_as_far_as_it_is_known(void **state)
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
	struct tree *tree = *state;
	struct shunt_platform_info info;
	struct utsname names;
	char file[256];

	assert_int_equal(uname(&names), 0);
	snprintf(file, sizeof(file), "boot/config-%s", names.release);
	put_iommu(tree, "dmar0");
	put_iommu(tree, "dmar1");
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(tree, "sys/class/iommu/dmar0/intel-iommu/ecap", cases[i].ecap);
		put(tree, "sys/class/iommu/dmar1/intel-iommu/ecap", cases[i].ecap);
		put(tree, "proc/cmdline", cases[i].cmdline);
		if (cases[i].config)
			put(tree, file, cases[i].config);
		info_of(tree, &info);
		assert_string_equal(info.iommu, cases[i].name);
		assert_string_equal(info.kernel, names.release);
	}
	/* NFR, bits 47:40: one register less than it has; the fewest counts. */
	assert_int_equal(intel_iommu_fault_registers(tree->sys), 0);
	put(tree, "sys/class/iommu/dmar0/intel-iommu/cap", "8d2078c106f0466\n");
	put(tree, "sys/class/iommu/dmar1/intel-iommu/cap", "d2008c222f0686\n");
	assert_int_equal(intel_iommu_fault_registers(tree->sys), 1);
}

static void other_iommus_have_the_names_of_the_field(void **state)
{
	struct tree *tree = *state;
	struct shunt_platform_info info;

	put(tree, "sys/class/iommu/iommufd_selftest_iommu.0/devices", NULL);
	info_of(tree, &info);
	assert_string_equal(info.iommu, "none");
	put_iommu(tree, "ivhd0");
	put_iommu(tree, "ivhd1");
	info_of(tree, &info);
	assert_string_equal(info.iommu, "amd-iommu");
	assert_string_equal(info.nic, "");
}

static void a_virtual_machine_is_never_hardware(void **state)
{
	static const char *const signs[][2] = {
		{ "proc/cpuinfo", "processor : 0\nflags\t\t: fpu vme hypervisor lahf_lm\n" },
		{ "sys/class/dmi/id/sys_vendor", "QEMU\n" },
		{ "sys/firmware/devicetree/base/compatible", "linux,dummy-virt" },
	};
	struct tree *tree = *state;
	struct shunt_platform_info info;

	put(tree, "proc/cpuinfo", "processor : 0\nflags\t\t: fpu vme lahf_lm\n");
	put(tree, "sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
	put(tree, "sys/bus/pci/devices/" FUNCTION "/subsystem_vendor", "0x8086\n");
	put(tree, "sys/bus/pci/devices/" FUNCTION "/subsystem_device", "0x1100\n");
	info_of(tree, &info);
	assert_false(info.emulated);
	for (unsigned int i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		put(tree, signs[i][0], signs[i][1]);
		info_of(tree, &info);
		assert_true(info.emulated);
		put(tree, signs[i][0], "other\n");
	}
	info_of(tree, &info);
	assert_false(info.emulated);
	put(tree, "sys/bus/pci/devices/" FUNCTION "/subsystem_vendor", "0x1af4\n");
	info_of(tree, &info);
	assert_true(info.emulated);
}

#define tree_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(counts_go_on_from_the_scan),
		tree_test(every_iommu_in_use_needs_its_interrupt),
		tree_test(a_virtio_iommu_is_found_by_its_device),
		tree_test(threads_that_handle_have_to_be_seen),
		tree_test(smmus_are_counted),
		cmocka_unit_test(lists_of_processors_are_read),
		cmocka_unit_test(settling_leaves_the_thread_where_it_may_be),
		tree_test(vtd_says_its_mode_as_far_as_it_is_known),
		tree_test(other_iommus_have_the_names_of_the_field),
		tree_test(a_virtual_machine_is_never_hardware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
