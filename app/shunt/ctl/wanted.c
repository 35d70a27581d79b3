/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "ctl.h"

static void report_all(const struct shunt_pci_list *list, int pid)
{
	const struct shunt_pci_machine machine = { .platform = list->platform };
	struct shunt_pci_holder holder;

	for (size_t i = 0; i < list->count; i++) {
		const struct shunt_pci_function *function = &list->functions[i];

		if (function->group == SHUNT_PCI_NO_GROUP || function->is_bridge)
			continue;
		if (shunt_pci_taken_back(&machine, function, &holder) && holder.pid == pid)
			fprintf(stderr, "shunt ctl: %s\n", shunt_errmsg());
	}
}

void ctl_report_wanted(const struct ctl_process *process)
{
	struct shunt_platform *platform;
	struct shunt_pci_list list;

	if (shunt_platform_kernel(&platform))
		return;
	if (!shunt_pci_scan(platform, &list)) {
		report_all(&list, process->pid);
		shunt_pci_list_free(&list);
	}
	shunt_platform_destroy(platform);
}
