/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <shunt/error.h>
#include <shunt/evidence.h>

#include "doctor_fixture.h"
#include "kernel_info.h"

static const struct finding *width_finding(
	enum finding_state state, uint64_t hole, uint64_t last, const char *words)
{
	/* What VT-d allows, with a hole of interrupts, or one where EAL has its memory. */
	const struct shunt_iova_range ranges[] = { { 0, hole - 1 }, { hole + 0x100000, last } };
	const struct shunt_pci_function function = { .address = "0000:03:00.0" };

	doctor_forget();
	assert_int_equal(doctor_check_width(&doctor, &function, ranges, 2), state == FINDING_OK);
	assert_int_equal(doctor.count, 1);
	return finding_of(state, "0000:03:00.0", words);
}

static void width_of_the_iommu(void **state)
{
	const struct finding *finding;

	finding = width_finding(FINDING_OK, 0xfee00000, (1ull << 39) - 1, "of 39 bits");
	assert_non_null(strstr(finding->advice, "above 0x7fffffffff cannot be mapped"));
	finding = width_finding(FINDING_OK, 0xfee00000, (1ull << 57) - 1, "of 57 bits");
	assert_string_equal(finding->advice, "");
	finding = width_finding(FINDING_WRONG, 0xfee00000, UINT32_MAX, "of 32 bits, but none");
	assert_non_null(strstr(finding->advice, "--base-virtaddr within 0x0 to 0xfedfffff"));
	finding = width_finding(FINDING_WRONG, 0x108000000, (1ull << 48) - 1, "of 48 bits, but");
	assert_non_null(
		strstr(finding->advice, "--base-virtaddr within 0x108100000 to 0xffffffffffff"));
}

static void info_of(
	struct shunt_platform *platform, const char *function, struct shunt_platform_info *info)
{
	const struct kernel_roots roots = {
		.sys = platform->sysfs, .proc = tree.proc, .boot = doctor.boot
	};

	kernel_info_fill(&roots, function, info);
	snprintf(info->kernel, sizeof(info->kernel), "7.3.4");
}

static const struct finding *evidence_finding(enum finding_state state,
	enum shunt_evidence_traffic traffic, uint64_t switches, uint64_t faulted, const char *words)
{
	struct shunt_platform_info info;
	struct shunt_evidence evidence;

	doctor_forget();
	info_of(&tree.sysfs.platform, "0000:03:00.0", &info);
	shunt_evidence_init(&info, &evidence);
	evidence.seen[SHUNT_HWPT_EXPLICIT][traffic].switches = switches;
	evidence.seen[SHUNT_HWPT_EXPLICIT][traffic].faulted = faulted;
	shunt_evidence_add(doctor.evidence, &evidence);
	assert_int_equal(shunt_pci_scan(&tree.sysfs.platform, &doctor.list), 0);
	doctor_check_evidence(&doctor);
	assert_int_equal(doctor.count, 1);
	return finding_of(state, "replace", words);
}

/* What is known of the one says nothing of the other. */
static void another_iommu_has_its_own(void)
{
	sysfs_tree_write(&tree.sysfs, "0000:06:00.0", "device", "0x10c9\n");
	sysfs_tree_link(&tree.sysfs, "0000:06:00.0", "iommu", "../0000:00:00.2/iommu/ivhd0");
	doctor_forget();
	assert_int_equal(shunt_pci_scan(&tree.sysfs.platform, &doctor.list), 0);
	doctor_check_evidence(&doctor);
	assert_int_equal(doctor.count, 2);
	finding_of(FINDING_OK, "replace", "under cold traffic without a fault on arm-smmu-v3");
	finding_of(FINDING_OK, "replace", "nothing is known of replace on amd-iommu");
	sysfs_tree_remove(&tree.sysfs, "0000:06:00.0", "iommu");
}

static void evidence_of_replace(void **state)
{
	const enum shunt_evidence_traffic dense = SHUNT_EVIDENCE_DENSE, cold = SHUNT_EVIDENCE_COLD;
	const char *const addresses[] = { "03:00.0" };
	static const struct shunt_platform_ops ops = { .info = info_of };
	struct shunt_pci_bindings done;
	char path[160];

	tree.sysfs.platform.ops = &ops;
	sysfs_tree_link(
		&tree.sysfs, "0000:03:00.0", "iommu", "../../virtual/iommu/smmu3.0x9050000");
	snprintf(path, sizeof(path), "%s/evidence.json", tree.sysfs.root);
	doctor.evidence = path;
	assert_non_null(strstr(evidence_finding(FINDING_OK, dense, 0, 0,
				       "nothing is known of replace on arm-smmu-v3, Linux 7.3.4")
				       ->advice,
		"shunt forward --ports PORTS --plan replace"));
	assert_int_equal(
		shunt_pci_bind(&tree.machine, addresses, 1, false, SHUNT_PCI_NO_OWNER, &done), 0);
	shunt_pci_bindings_free(&done);
	assert_non_null(strstr(
		evidence_finding(FINDING_OK, dense, 1500, 0, "1,500 switches")->advice,
		"--ports 0000:03:00.0,0000:04:00.0,0000:05:00.0 --plan replace --switch-every 10ms "
		"--switches 2000; then shunt forward --ports "
		"0000:03:00.0,0000:04:00.0,0000:05:00.0 --plan replace --cold 10ms --switch-every "
		"10ms --switches 9000"));
	assert_string_equal(evidence_finding(FINDING_OK, dense, 1500, 0,
				    "3,000 switches under dense traffic without a fault, nothing "
				    "is known of replace under cold traffic")
				    ->advice,
		"plan auto takes quiesce; to gather evidence: shunt forward --ports "
		"0000:03:00.0,0000:04:00.0,0000:05:00.0 --plan replace --cold 10ms --switch-every "
		"10ms --switches 9000");
	assert_string_equal(evidence_finding(FINDING_OK, cold, 3000, 0,
				    "3,000 switches under cold traffic without a fault")
				    ->advice,
		"plan auto takes it");
	another_iommu_has_its_own();
	assert_string_equal(
		evidence_finding(FINDING_OK, cold, 1, 1, "1 of 3,001 replaces faulted under cold")
			->advice,
		"plan auto takes quiesce");
	bind_tree_file(&tree, "evidence.json", "{}");
	evidence_finding(FINDING_WARN, dense, 0, 0, "evidence.json is broken");
	bind_tree_remove(&tree, "evidence.json");
	bind_tree_remove(&tree, "evidence.json.lock");
}

static void functions(void **state)
{
	struct shunt_pci_bindings done;
	const char *const addresses[] = { "03:00.0" };

	assert_false(doctor_check("06:00.0", true));
	finding_of(FINDING_WRONG, "0000:06:00.0", "no driver for it, nor has DPDK in");
	assert_false(doctor_check("08:00.0", true));
	finding_of(FINDING_WRONG, "0000:08:00.0", "no IOMMU group");
	assert_false(doctor_check("03:00.0", true));
	assert_string_equal(finding_of(FINDING_WRONG, "0000:03:00.0", "on igb")->fix,
		"shunt bind 0000:03:00.0");
	assert_int_equal(
		shunt_pci_bind(&tree.machine, addresses, 1, false, SHUNT_PCI_NO_OWNER, &done), 0);
	shunt_pci_bindings_free(&done);
	assert_true(doctor_check("03:00.0", true));
	assert_int_equal(doctor.count, 0);
	bind_tree_hold(&tree, 4711, "testpmd\n", "vfio1");
	assert_false(doctor_check("03:00.0", true));
	assert_string_equal(
		finding_of(FINDING_WRONG, "0000:03:00.0", "process 4711 (testpmd) has 0000:04:00.0")
			->fix,
		"kill 4711");
	bind_tree_remove(&tree, "proc/4711/fd/7");
	bind_tree_remove(&tree, "dev/vfio/devices/vfio0");
	assert_false(doctor_check("03:00.0", true));
	assert_non_null(strstr(
		finding_of(FINDING_WRONG, "0000:03:00.0", "cannot open /dev/vfio/devices/vfio0")
			->fix,
		"mknod -m 600 /dev/vfio/devices/vfio0 c 1 3"));
	bind_tree_node(&tree, 0, 2);
	assert_false(doctor_check("03:00.0", true));
	assert_string_equal(
		finding_of(FINDING_WRONG, "0000:03:00.0", "vfio0 is device 1:7, but sysfs has 1:3")
			->fix,
		"rm -f /dev/vfio/devices/vfio0; mknod -m 600 /dev/vfio/devices/vfio0 c 1 3");
	bind_tree_node(&tree, 0, 0);
	assert_true(doctor_check("03:00.0", true));
	bind_tree_move(&tree, "0000:05:00.0", "igb");
	assert_false(doctor_check("04:00.0", true));
	assert_string_equal(
		finding_of(FINDING_WRONG, "0000:04:00.0", "cannot be used: 0000:05:00.0 is on igb")
			->fix,
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

	doctor_forget();
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
	assert_false(doctor_check("06:00.0", true));
	finding_of(FINDING_WRONG, "0000:06:00.0", "on e1000e, not on vfio-pci");
	doctor.plugins = "/no/such/folder";
	assert_driver("06:00.0", NULL);
}

static void functions_in_use(void **state)
{
	bind_tree_folder(&tree, "bus/pci/devices/0000:05:00.0/net/eth7");
	bind_tree_file(&tree, "bus/pci/devices/0000:05:00.0/net/eth7/flags", "0x1003\n");
	bind_tree_link(&tree, "class/net/eth7", "../../bus/pci/devices/0000:05:00.0/net/eth7");
	assert_false(doctor_check("03:00.0", true));
	assert_string_equal(finding_of(FINDING_WRONG, "0000:03:00.0", "on igb")->fix,
		"ip link set dev eth7 down; shunt bind 0000:03:00.0");
	/* Nobody named it: its interface is none of our business. */
	assert_false(doctor_check("05:00.0", false));
	assert_string_equal(finding_of(FINDING_WARN, "0000:05:00.0", "skipped")->fix, "");
	bind_tree_link(&tree, "class/block/vda",
		"../../devices/pci0000:00/0000:03:00.0/virtio2/block/vda");
	assert_false(doctor_check("04:00.0", true));
	assert_string_equal(finding_of(FINDING_WRONG, "0000:04:00.0", "no driver")->fix, "");
	assert_non_null(
		strstr(finding_of(FINDING_WRONG, "0000:04:00.0", "no driver")->advice, "vda"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(evidence_of_replace),
		TREE_TEST(functions),
		TREE_TEST(width_of_the_iommu),
		TREE_TEST(drivers_of_functions),
		TREE_TEST(functions_in_use),
	};

	return cmocka_run_group_tests_name("doctor_function", tests, NULL, NULL);
}
