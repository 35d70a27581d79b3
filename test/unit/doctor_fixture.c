/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor_fixture.h"
#include "rte_net_shunt.h"

struct bind_tree tree;
struct doctor doctor;
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

int doctor_make_tree(void **state)
{
	bind_tree_create(&tree);
	bind_tree_folder(&tree, "boot");
	snprintf(boot, sizeof(boot), "%s/boot", tree.sysfs.root);
	bind_tree_folder(&tree, "plugins");
	snprintf(plugins, sizeof(plugins), "%s/plugins", tree.sysfs.root);
	doctor = (struct doctor){ .machine = tree.machine, .boot = boot, .plugins = plugins };
	return 0;
}

void doctor_forget(void)
{
	free(doctor.findings);
	doctor.findings = NULL;
	doctor.count = 0;
	shunt_pci_list_free(&doctor.list);
}

int doctor_drop_tree(void **state)
{
	doctor_forget();
	bind_tree_destroy(&tree);
	return 0;
}

const struct finding *finding_of(enum finding_state state, const char *subject, const char *words)
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

bool doctor_check(const char *address, bool named)
{
	const struct shunt_pci_function *function = NULL;

	doctor_forget();
	assert_int_equal(shunt_pci_scan(&tree.sysfs.platform, &doctor.list), 0);
	assert_int_equal(shunt_pci_find(&doctor.list, address, &function), 0);
	return doctor_check_function(&doctor, function, named);
}
