/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <shunt/error.h>
#include <shunt/pci.h>

#include "ctl.h"

void ctl_report_wanted(const struct ctl_process *process)
{
	struct shunt_pci_machine machine = { 0 };
	struct shunt_platform *platform;
	struct shunt_pci_holder holder;
	struct shunt_pci_list list;

	if (shunt_platform_kernel(&platform))
		return;
	machine.platform = platform;
	if (!shunt_pci_scan(platform, &list)) {
		for (size_t i = 0; i < list.count; i++)
			if (list.functions[i].group != SHUNT_PCI_NO_GROUP &&
				!list.functions[i].is_bridge &&
				shunt_pci_taken_back(&machine, &list.functions[i], &holder) &&
				holder.pid == process->pid)
				fprintf(stderr, "shunt ctl: %s\n", shunt_errmsg());
		shunt_pci_list_free(&list);
	}
	shunt_platform_destroy(platform);
}
