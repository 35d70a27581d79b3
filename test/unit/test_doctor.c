/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "bind_tree.h"
#include "doctor.h"
#include "rte_net_shunt.h"
#include "shunt_error.h"
#include "shunt_evidence.h"

static struct bind_tree tree;
static struct doctor doctor;
static char boot[128], plugins[128];

/* What the drivers say of themselves, without the drivers. */
bool rte_net_shunt_drives(uint16_t vendor, uint16_t device)
{
	return vendor == 0x8086 && device == 0x10c9;
}

const char *rte_net_shunt_driver(uint16_t vendor, uint16_t device)
{
	return rte_net_shunt_drives(vendor, device) ? "net_shunt igb" : NULL;
}

const char *rte_net_shunt_driven(void)
{
	return "8086:10c9 (82576)";
}

static int make_tree(void **state)
{
	bind_tree_create(&tree);
	bind_tree_folder(&tree, "boot");
	snprintf(boot, sizeof(boot), "%s/boot", tree.sysfs.root);
	bind_tree_folder(&tree, "plugins");
	snprintf(plugins, sizeof(plugins), "%s/plugins", tree.sysfs.root);
	doctor = (struct doctor){ .machine = tree.machine, .boot = boot, .plugins = plugins };
	return 0;
}

static void forget(void)
{
	free(doctor.findings);
	doctor.findings = NULL;
	doctor.count = 0;
	shunt_pci_list_free(&doctor.list);
}

static int drop_tree(void **state)
{
	forget();
	bind_tree_destroy(&tree);
	return 0;
}

/* The finding of a subject whose text has these words; the test fails without. */
static const struct finding *finding_of(
	enum finding_state state, const char *subject, const char *words)
{
	for (size_t i = 0; i < doctor.count; i++) {
		const struct finding *finding = &doctor.findings[i];

		if (strcmp(finding->subject, subject) == 0 && strstr(finding->text, words)) {
			assert_int_equal(finding->state, state);
			return finding;
		}
	}
	for (size_t i = 0; i < doctor.count; i++)
		print_message("%s: %s\n", doctor.findings[i].subject, doctor.findings[i].text);
	fail_msg("no finding of %s says '%s'", subject, words);
	return NULL;
}

static bool check(const char *address, bool named)
{
	const struct shunt_pci_function *function = NULL;

	forget();
	assert_int_equal(shunt_pci_scan(&tree.sysfs.platform, &doctor.list), 0);
	assert_int_equal(shunt_pci_find(&doctor.list, address, &function), 0);
	return doctor_check_function(&doctor, function, named);
}

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
	assert_string_equal(finding->mend, "");
	assert_string_equal(finding->advice, "boot a kernel built with CONFIG_IOMMUFD=y");
	finding = finding_of(FINDING_WRONG, "vfio-pci", "module is not loaded");
	assert_string_equal(finding->mend, "modprobe vfio-pci");
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
	finding_of(FINDING_OK, "iommufd", "is there");
	finding_of(FINDING_OK, "vfio-pci", "is there");
	finding_of(FINDING_OK, "vfio", "is there");
	finding_of(FINDING_OK, "IOMMU", "dmar0, 1 groups");
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
	assert_string_equal(finding_of(FINDING_WRONG, "/dev/iommu", "missing")->mend,
		"mknod -m 660 /dev/iommu c 10 257");
}

static void interrupts(void **state)
{
	doctor_check_interrupts(&doctor);
	assert_string_equal(finding_of(FINDING_WRONG, "interrupts", "not isolated")->mend, "");
	forget();
	bind_tree_folder(&tree, "module/iommufd/parameters");
	bind_tree_file(&tree, "module/iommufd/parameters/allow_unsafe_interrupts", "N\n");
	doctor_check_interrupts(&doctor);
	assert_string_equal(finding_of(FINDING_WRONG, "interrupts", "not isolated")->mend,
		"echo 1 > /sys/module/iommufd/parameters/allow_unsafe_interrupts");
	forget();
	bind_tree_file(&tree, "module/iommufd/parameters/allow_unsafe_interrupts", "Y\n");
	doctor_check_interrupts(&doctor);
	finding_of(FINDING_WARN, "interrupts", "allow_unsafe_interrupts allows");
	forget();
	bind_tree_folder(&tree, "kernel/irq/24");
	bind_tree_file(&tree, "kernel/irq/24/chip_name", "IR-PCI-MSIX-0000:03:00.0\n");
	doctor_check_interrupts(&doctor);
	finding_of(FINDING_OK, "interrupts", "IR-PCI-MSIX-0000:03:00.0");
}

static void hugepages(void **state)
{
	static const char *const folder = "kernel/mm/hugepages/hugepages-2048kB";

	doctor_check_memory(&doctor);
	finding_of(FINDING_WARN, "hugepages", "this kernel has none");
	finding_of(FINDING_WARN, "hugepages", "no hugetlbfs");
	forget();
	bind_tree_folder(&tree, folder);
	bind_tree_file(&tree, "kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "100\n");
	bind_tree_file(&tree, "kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "90\n");
	bind_tree_folder(&tree, "dev/hugepages");
	bind_tree_file(&tree, "proc/mounts",
		"tmp /tmp tmpfs rw 0 0\nnone /dev/hugepages hugetlbfs rw 0 0\n");
	doctor_check_memory(&doctor);
	/* Ten are in use, and a run takes 128. */
	assert_string_equal(finding_of(FINDING_WARN, "hugepages", "90 of 100 free")->mend,
		"echo 138 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
	finding_of(FINDING_OK, "hugepages", "mounted");
}

static void locked_memory(void **state)
{
	bind_tree_folder(&tree, "proc/self");
	bind_tree_file(&tree, "proc/self/status", "Name:\tx\nCapEff:\t000001ffffffffff\n");
	doctor_check_memory(&doctor);
	finding_of(FINDING_OK, "memory", "any amount");
}

static const struct finding *evidence_finding(
	enum finding_state state, uint64_t switches, uint64_t faulted, const char *words)
{
	const struct shunt_platform_info info = { .iommu = "arm-smmu-v3", .kernel = "7.3.4" };
	struct shunt_evidence evidence;

	forget();
	shunt_evidence_init(&info, &evidence);
	evidence.seen[SHUNT_HWPT_EXPLICIT].switches = switches;
	evidence.seen[SHUNT_HWPT_EXPLICIT].faulted = faulted;
	shunt_evidence_add(doctor.evidence, &evidence);
	assert_int_equal(shunt_pci_scan(&tree.sysfs.platform, &doctor.list), 0);
	doctor_check_evidence(&doctor, &info);
	assert_int_equal(doctor.count, 1);
	return finding_of(state, "replace", words);
}

static void evidence_of_replace(void **state)
{
	const char *const addresses[] = { "03:00.0" };
	struct shunt_pci_bindings done;
	char path[160];

	snprintf(path, sizeof(path), "%s/evidence.json", tree.sysfs.root);
	doctor.evidence = path;
	assert_non_null(strstr(evidence_finding(FINDING_OK, 0, 0,
				       "nothing is known of replace on arm-smmu-v3, Linux 7.3.4")
				       ->advice,
		"shunt forward --ports PORTS --plan replace"));
	assert_int_equal(
		shunt_pci_bind(&tree.machine, addresses, 1, false, SHUNT_PCI_NO_OWNER, &done), 0);
	shunt_pci_bindings_free(&done);
	assert_non_null(strstr(evidence_finding(FINDING_OK, 1500, 0, "1,500 switches")->advice,
		"--ports 0000:03:00.0,0000:04:00.0,0000:05:00.0 --plan replace --switch-every 10ms "
		"--switches 2000"));
	assert_string_equal(evidence_finding(FINDING_OK, 1500, 0, "3,000 switches")->advice,
		"plan auto takes it");
	assert_string_equal(
		evidence_finding(FINDING_OK, 1, 1, "1 of 3,001 replaces faulted")->advice,
		"plan auto takes quiesce");
	bind_tree_file(&tree, "evidence.json", "{}");
	evidence_finding(FINDING_WARN, 0, 0, "evidence.json is broken");
	bind_tree_remove(&tree, "evidence.json");
	bind_tree_remove(&tree, "evidence.json.lock");
}

static void functions(void **state)
{
	struct shunt_pci_bindings done;
	const char *const addresses[] = { "03:00.0" };

	assert_false(check("06:00.0", true));
	finding_of(FINDING_WRONG, "0000:06:00.0", "no driver for it, nor has DPDK in");
	assert_false(check("08:00.0", true));
	finding_of(FINDING_WRONG, "0000:08:00.0", "no IOMMU group");
	assert_false(check("03:00.0", true));
	assert_string_equal(finding_of(FINDING_WRONG, "0000:03:00.0", "on igb")->mend,
		"shunt bind 0000:03:00.0");
	assert_int_equal(
		shunt_pci_bind(&tree.machine, addresses, 1, false, SHUNT_PCI_NO_OWNER, &done), 0);
	shunt_pci_bindings_free(&done);
	assert_true(check("03:00.0", true));
	assert_int_equal(doctor.count, 0);
	bind_tree_hold(&tree, 4711, "testpmd\n", "vfio1");
	assert_false(check("03:00.0", true));
	assert_string_equal(
		finding_of(FINDING_WRONG, "0000:03:00.0", "process 4711 (testpmd) has 0000:04:00.0")
			->mend,
		"kill 4711");
	bind_tree_remove(&tree, "proc/4711/fd/7");
	bind_tree_remove(&tree, "dev/vfio/devices/vfio0");
	assert_false(check("03:00.0", true));
	assert_non_null(strstr(
		finding_of(FINDING_WRONG, "0000:03:00.0", "cannot open /dev/vfio/devices/vfio0")
			->mend,
		"mknod -m 600 /dev/vfio/devices/vfio0 c 248 0"));
	bind_tree_move(&tree, "0000:05:00.0", "igb");
	assert_false(check("04:00.0", true));
	assert_string_equal(
		finding_of(FINDING_WRONG, "0000:04:00.0", "cannot be taken: 0000:05:00.0 is on igb")
			->mend,
		"shunt bind 0000:04:00.0");
}

/* As DPDK's libraries have it: several drivers, subsystems that are not looked at, rubbish. */
#define INFO_REST "\"params\": \"\", \"kmod\": \"* vfio-pci\", "
#define INFO_EM                                                    \
	"PMD_INFO_STRING= {\"name\": \"net_e1000_em\", " INFO_REST \
	"\"pci_ids\": [[32902, 4110, 65535, 65535], [32902, 4307, 65535, 65535]]}"
#define INFO_SUBSYSTEM                                            \
	"PMD_INFO_STRING= {\"name\": \"net_special\", " INFO_REST \
	"\"pci_ids\": [[32902, 4307, 32902, 1]]}"

static void assert_driver(const char *address, const char *driver)
{
	const struct shunt_pci_function *function = NULL;
	char name[DOCTOR_DRIVER] = "";

	forget();
	assert_int_equal(shunt_pci_scan(tree.machine.platform, &doctor.list), 0);
	assert_int_equal(shunt_pci_find(&doctor.list, address, &function), 0);
	assert_int_equal(doctor_driver(&doctor, function, name), driver != NULL);
	assert_string_equal(name, driver ? driver : "");
}

static void drivers_of_functions(void **state)
{
	assert_driver("03:00.0", "net_shunt igb");
	assert_driver("06:00.0", NULL);
	bind_tree_file(&tree, "plugins/librte_net_empty.so", "");
	bind_tree_file(&tree, "plugins/librte_net_special.so", INFO_SUBSYSTEM);
	bind_tree_file(&tree, "plugins/librte_net_broken.so",
		"PMD_INFO_STRING= {\"name\": PMD_INFO_STRING= ");
	bind_tree_file(&tree, "plugins/librte_net_e1000.so.23", INFO_EM);
	bind_tree_file(&tree, "plugins/librte_net_beside.so",
		"PMD_INFO_STRING= {\"name\": \"net_beside\", \"kmod\": \"* e1000e\", "
		"\"pci_ids\": [[32902, 4307, 65535, 65535]]}");
	bind_tree_folder(&tree, "plugins/folder.so");
	assert_driver("06:00.0", NULL);
	bind_tree_file(&tree, "plugins/librte_net_e1000.so",
		"\x7f"
		"ELF PMD_INFO_STRING= [] " INFO_EM);
	assert_driver("06:00.0", "net_e1000_em");
	assert_driver("03:00.0", "net_shunt igb");
	assert_driver("07:1f.0", NULL);
	assert_false(check("06:00.0", true));
	finding_of(FINDING_WRONG, "0000:06:00.0", "on e1000e, not on vfio-pci");
	doctor.plugins = "/no/such/folder";
	assert_driver("06:00.0", NULL);
}

static void functions_in_use(void **state)
{
	bind_tree_folder(&tree, "bus/pci/devices/0000:05:00.0/net/eth7");
	bind_tree_file(&tree, "bus/pci/devices/0000:05:00.0/net/eth7/flags", "0x1003\n");
	bind_tree_link(&tree, "class/net/eth7", "../../bus/pci/devices/0000:05:00.0/net/eth7");
	assert_false(check("03:00.0", true));
	assert_string_equal(finding_of(FINDING_WRONG, "0000:03:00.0", "on igb")->mend,
		"ip link set dev eth7 down; shunt bind 0000:03:00.0");
	/* Nobody named it: its interface is none of our business. */
	assert_false(check("05:00.0", false));
	assert_string_equal(finding_of(FINDING_WARN, "0000:05:00.0", "left alone")->mend, "");
	bind_tree_link(&tree, "class/block/vda",
		"../../devices/pci0000:00/0000:03:00.0/virtio2/block/vda");
	assert_false(check("04:00.0", true));
	assert_string_equal(finding_of(FINDING_WRONG, "0000:04:00.0", "no driver")->mend, "");
	assert_non_null(
		strstr(finding_of(FINDING_WRONG, "0000:04:00.0", "no driver")->advice, "vda"));
}

static void a_command_is_said_once(void **state)
{
	doctor_mend(doctor_find(&doctor, FINDING_WRONG, "first", "no"), "kill %d", 7);
	doctor_mend(doctor_find(&doctor, FINDING_WRONG, "second", "no"), "kill %d", 8);
	doctor_mend(doctor_find(&doctor, FINDING_WARN, "third", "no"), "kill %d", 7);
	doctor_say_once(&doctor);
	assert_string_equal(doctor.findings[0].mend, "kill 7");
	assert_string_equal(doctor.findings[1].mend, "kill 8");
	assert_string_equal(doctor.findings[2].mend, "");
	assert_string_equal(doctor.findings[2].advice, "mended with first");
	assert_int_equal(doctor_count(&doctor, FINDING_WRONG), 2);
}

#define TREE_TEST(test) cmocka_unit_test_setup_teardown(test, make_tree, drop_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(options_of_the_kernel),
		TREE_TEST(nothing_there),
		TREE_TEST(what_is_there_needs_no_configuration),
		TREE_TEST(selftest_is_no_iommu),
		TREE_TEST(node_is_missing),
		TREE_TEST(interrupts),
		TREE_TEST(hugepages),
		TREE_TEST(locked_memory),
		TREE_TEST(evidence_of_replace),
		TREE_TEST(functions),
		TREE_TEST(drivers_of_functions),
		TREE_TEST(functions_in_use),
		TREE_TEST(a_command_is_said_once),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
