/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "doctor_fixture.h"
#include "rte_net_shunt.h"

static void write_config(const char *text)
{
	struct utsname name;
	char path[128];

	uname(&name);
	snprintf(path, sizeof(path), "boot/config-%s", name.release);
	bind_tree_file(&tree, path, text);
}

static void options_of_the_kernel(void **state)
{
	assert_int_equal(doctor_kernel_option(&doctor, "CONFIG_IOMMUFD"), '?');
	write_config("CONFIG_IOMMUFD_TEST=y\nCONFIG_IOMMUFD=m\n# CONFIG_VFIO is not set\n");
	assert_int_equal(doctor_kernel_option(&doctor, "CONFIG_IOMMUFD"), 'm');
	assert_int_equal(doctor_kernel_option(&doctor, "CONFIG_VFIO"), 'n');
	/* The running kernel's own word goes before a file's. */
	bind_tree_file(&tree, "proc/config.gz", "CONFIG_IOMMUFD=y\n");
	assert_int_equal(doctor_kernel_option(&doctor, "CONFIG_IOMMUFD"), 'y');
}

static void nothing_there(void **state)
{
	const struct finding *finding;

	bind_tree_remove(&tree, "bus/pci/drivers/vfio-pci/bind");
	bind_tree_remove(&tree, "bus/pci/drivers/vfio-pci");
	write_config("CONFIG_VFIO_PCI=m\nCONFIG_VFIO_DEVICE_CDEV=y\n");
	doctor_check_kernel(&doctor);
	finding = finding_of(FINDING_WRONG, "iommufd", "built without CONFIG_IOMMUFD");
	assert_string_equal(finding->fix, "");
	assert_string_equal(finding->advice, "boot a kernel built with CONFIG_IOMMUFD=y");
	finding = finding_of(FINDING_WRONG, "vfio-pci", "module is not loaded");
	assert_string_equal(finding->fix, "modprobe vfio-pci");
	finding = finding_of(FINDING_WRONG, "IOMMU", "none");
	assert_non_null(strstr(finding->advice, "intel_iommu=on"));
}

static void what_is_there_needs_no_configuration(void **state)
{
	write_config("# CONFIG_IOMMUFD is not set\n");
	bind_tree_file(&tree, "dev/iommu", "");
	bind_tree_file(&tree, "proc/devices", "Character devices:\n  1 mem\n248 vfio-dev\n");
	bind_tree_folder(&tree, "class/iommu/dmar0");
	bind_tree_folder(&tree, "class/iommu/iommufd_selftest_iommu.0");
	bind_tree_folder(&tree, "kernel/iommu_groups/14");
	doctor_check_kernel(&doctor);
	finding_of(FINDING_OK, "iommufd", "is present");
	finding_of(FINDING_OK, "vfio-pci", "is present");
	finding_of(FINDING_OK, "vfio", "is present");
	assert_string_equal(finding_of(FINDING_OK, "IOMMU", "dmar0")->text, "dmar0, 1 group");
	finding_of(FINDING_OK, "/dev/iommu", "can be opened");
}

static void selftest_is_no_iommu(void **state)
{
	bind_tree_folder(&tree, "class/iommu/iommufd_selftest_iommu.0");
	bind_tree_folder(&tree, "kernel/iommu_groups/14");
	doctor_check_kernel(&doctor);
	finding_of(FINDING_WRONG, "IOMMU", "none");
}

static void node_is_missing(void **state)
{
	bind_tree_folder(&tree, "class/misc/iommu");
	bind_tree_file(&tree, "class/misc/iommu/dev", "10:257\n");
	doctor_check_kernel(&doctor);
	assert_string_equal(finding_of(FINDING_WRONG, "/dev/iommu", "missing")->fix,
		"mknod -m 660 /dev/iommu c 10 257");
}

/* What the log adds is no reason to open it to all users. */
static void observers_of_faults(void **state)
{
	const struct finding *finding;

	doctor_check_observers(&doctor);
	finding = finding_of(FINDING_WARN, "faults", "may not read the kernel's log");
	assert_string_equal(finding->fix, "");
	assert_string_not_equal(finding->advice, "");
	doctor_forget();
	bind_tree_file(&tree, "dev/kmsg", "");
	doctor_check_observers(&doctor);
	finding_of(FINDING_OK, "faults", "the kernel's log can be read");
}

static void interrupts(void **state)
{
	/* Nothing that weakens the machine while nothing of interrupts is to be seen. */
	bind_tree_folder(&tree, "module/iommufd/parameters");
	bind_tree_file(&tree, "module/iommufd/parameters/allow_unsafe_interrupts", "N\n");
	doctor_check_interrupts(&doctor);
	assert_string_equal(
		finding_of(FINDING_WARN, "interrupts", "unknown whether they are isolated")->fix,
		"");
	doctor_forget();
	bind_tree_folder(&tree, "kernel/irq/9");
	bind_tree_file(&tree, "kernel/irq/9/chip_name", "IO-APIC\n");
	bind_tree_remove(&tree, "module/iommufd/parameters/allow_unsafe_interrupts");
	doctor_check_interrupts(&doctor);
	assert_string_equal(finding_of(FINDING_WRONG, "interrupts", "not isolated")->fix, "");
	doctor_forget();
	bind_tree_file(&tree, "module/iommufd/parameters/allow_unsafe_interrupts", "N\n");
	doctor_check_interrupts(&doctor);
	assert_string_equal(finding_of(FINDING_WRONG, "interrupts", "not isolated")->fix,
		"echo 1 > /sys/module/iommufd/parameters/allow_unsafe_interrupts");
	doctor_forget();
	doctor_check_kernel(&doctor);
	finding_of(FINDING_WRONG, "IOMMU", "none");
	doctor_check_interrupts(&doctor);
	assert_string_equal(finding_of(FINDING_WRONG, "interrupts", "not isolated")->fix, "");
	doctor_forget();
	bind_tree_file(&tree, "module/iommufd/parameters/allow_unsafe_interrupts", "Y\n");
	doctor_check_interrupts(&doctor);
	finding_of(FINDING_WARN, "interrupts", "allow_unsafe_interrupts allows");
	doctor_forget();
	bind_tree_folder(&tree, "kernel/irq/24");
	bind_tree_file(&tree, "kernel/irq/24/chip_name", "IR-PCI-MSIX-0000:03:00.0\n");
	doctor_check_interrupts(&doctor);
	finding_of(FINDING_OK, "interrupts", "IR-PCI-MSIX-0000:03:00.0");
}

static void assert_refused(const char *words, bool said)
{
	const struct shunt_pci_function function = { .address = "0000:05:00.0", .group = 14 };
	const struct finding *finding;

	doctor_forget();
	doctor_bind_refused(&doctor, &function);
	finding = finding_of(FINDING_WRONG, "0000:05:00.0", "another one has a function of it");
	assert_int_equal(strstr(finding->text, words) != NULL, said);
	assert_string_equal(finding->fix, "");
}

/* A sibling's owner is as good a reason for EPERM as interrupts are. */
static void refused_by_iommufd(void **state)
{
	assert_refused("or interrupts are not isolated", true);
	bind_tree_folder(&tree, "kernel/irq/24");
	bind_tree_file(&tree, "kernel/irq/24/chip_name", "IR-PCI-MSIX-0000:03:00.0\n");
	assert_refused("interrupts", false);
}

static void hugepages(void **state)
{
	static const char *const folder = "kernel/mm/hugepages/hugepages-2048kB";

	doctor_check_memory(&doctor);
	finding_of(FINDING_WARN, "hugepages", "this kernel has none");
	finding_of(FINDING_WARN, "hugepages", "no hugetlbfs");
	doctor_forget();
	bind_tree_folder(&tree, folder);
	bind_tree_file(&tree, "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "100\n");
	bind_tree_file(&tree, "kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "90\n");
	/* A larger size of which none is reserved is nothing to report. */
	bind_tree_folder(&tree, "kernel/mm/hugepages/hugepages-1048576kB");
	bind_tree_file(&tree, "kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n");
	bind_tree_file(&tree, "kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0\n");
	bind_tree_folder(&tree, "dev/hugepages");
	bind_tree_file(&tree, "proc/mounts",
		"tmp /tmp tmpfs rw 0 0\nnone /dev/hugepages hugetlbfs rw 0 0\n");
	doctor_check_memory(&doctor);
	/* Ten are in use, and a run takes 128. */
	assert_string_equal(finding_of(FINDING_WARN, "hugepages", "90 of 100 free")->fix,
		"echo 138 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
	finding_of(FINDING_OK, "hugepages", "mounted");
	for (size_t i = 0; i < doctor.count; i++)
		assert_null(strstr(doctor.findings[i].text, "1048576 KiB"));
}

static void a_counter_that_the_kernel_gave_up_is_no_clock(void **state)
{
	const char *const file = "devices/system/clocksource/clocksource0/available_clocksource";

	bind_tree_folder(&tree, "devices/system/clocksource/clocksource0");
	bind_tree_file(&tree, file, "kvm-clock tsc hpet \n");
	doctor_check_kernel(&doctor);
	finding_of(FINDING_OK, "clock", "steady");
	doctor_forget();
	bind_tree_file(&tree, file, "hpet acpi_pm tsc-early \n");
	doctor_check_kernel(&doctor);
#ifdef __x86_64__
	finding_of(FINDING_WARN, "clock", "not steady");
#endif
}

static void locked_memory(void **state)
{
	bind_tree_folder(&tree, "proc/self");
	bind_tree_file(&tree, "proc/self/status", "Name:\tx\nCapEff:\t000001ffffffffff\n");
	doctor_check_memory(&doctor);
	finding_of(FINDING_OK, "memory", "any amount");
}

static void locked_memory_with(unsigned int ports, rlim_t may, enum finding_state state)
{
	const rlim_t need = ((rlim_t)256 << 20) + ports * ((rlim_t)2 << 20);
	struct rlimit before, limit;
	char words[64];

	doctor_forget();
	doctor.ports = ports;
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	if (before.rlim_max < may)
		return;
	limit = (struct rlimit){ .rlim_cur = may, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	doctor_check_memory(&doctor);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
	snprintf(words, sizeof(words), "may lock %ju KiB, a run with %u ports takes %ju",
		(uintmax_t)may >> 10, ports, (uintmax_t)need >> 10);
	finding_of(state, "memory", words);
}

/* EAL's memory and a ring's page of each port, to the byte; more where pages are larger. */
static void locked_memory_of_a_run(void **state)
{
	bind_tree_folder(&tree, "proc/self");
	bind_tree_file(&tree, "proc/self/status", "Name:\tx\nCapEff:\t0000000000000000\n");
	bind_tree_file(&tree, "proc/meminfo", "MemTotal: 1 kB\nHugepagesize:       2048 kB\n");
	locked_memory_with(3, 0, FINDING_WRONG);
	locked_memory_with(4, 0, FINDING_WRONG);
	locked_memory_with(3, (262ul << 20) - 1, FINDING_WRONG);
	locked_memory_with(3, 262ul << 20, FINDING_OK);
	doctor_forget();
	bind_tree_file(&tree, "proc/meminfo", "MemTotal: 1 kB\nHugepagesize:    1048576 kB\n");
	doctor_check_memory(&doctor);
	finding_of(FINDING_WRONG, "memory", "takes 4194304 "); /* doctor.ports is 3 */
}

static void a_command_is_printed_once(void **state)
{
	doctor_fix(doctor_find(&doctor, FINDING_WRONG, "first", "no"), "kill %d", 7);
	doctor_fix(doctor_find(&doctor, FINDING_WRONG, "second", "no"), "kill %d", 8);
	doctor_fix(doctor_find(&doctor, FINDING_WARN, "third", "no"), "kill %d", 7);
	doctor_deduplicate(&doctor);
	assert_string_equal(doctor.findings[0].fix, "kill 7");
	assert_string_equal(doctor.findings[1].fix, "kill 8");
	assert_string_equal(doctor.findings[2].fix, "");
	assert_string_equal(doctor.findings[2].advice, "fixed together with first");
	assert_int_equal(doctor_count(&doctor, FINDING_WRONG), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(options_of_the_kernel),
		TREE_TEST(nothing_there),
		TREE_TEST(what_is_there_needs_no_configuration),
		TREE_TEST(selftest_is_no_iommu),
		TREE_TEST(node_is_missing),
		TREE_TEST(observers_of_faults),
		TREE_TEST(interrupts),
		TREE_TEST(refused_by_iommufd),
		TREE_TEST(hugepages),
		TREE_TEST(locked_memory),
		TREE_TEST(locked_memory_of_a_run),
		TREE_TEST(a_counter_that_the_kernel_gave_up_is_no_clock),
		TREE_TEST(a_command_is_printed_once),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
