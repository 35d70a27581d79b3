/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "doctor.h"

/*
 * iommufd takes a device only if a write of the device cannot raise somebody else's interrupt
 * (iommu_group_has_isolated_msi), or if its module parameter allows it all the same. On x86 the
 * interrupt chips are named IR-... where remapping is on; on arm64 the ITS isolates.
 */

#define PARAMETER "module/iommufd/parameters/allow_unsafe_interrupts"

static bool isolated(const struct doctor *doctor, char *name, size_t size)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	doctor_path(path, sizeof(path), "%s/kernel/irq", doctor->machine.platform->sysfs);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		doctor_path(path, sizeof(path), "%s/kernel/irq/%s/chip_name",
			doctor->machine.platform->sysfs, entry->d_name);
		found = entry->d_name[0] != '.' && doctor_read(path, name, size) &&
			(strncmp(name, "IR-", 3) == 0 || strncmp(name, "ITS-", 4) == 0);
	}
	closedir(dir);
	return found;
}

/* 'Y' or 'N'; 0 without iommufd. */
static char allowed(const struct doctor *doctor)
{
	char path[PATH_MAX], text[8];

	doctor_path(path, sizeof(path), "%s/" PARAMETER, doctor->machine.platform->sysfs);
	doctor_read(path, text, sizeof(text));
	return text[0];
}

void doctor_interrupts_unsafe(struct doctor *doctor, const char *subject)
{
	struct finding *finding = doctor_find(doctor, FINDING_WRONG, subject,
		"interrupts are not isolated, so iommufd does not give devices away");

	doctor_advise(finding, "enable interrupt remapping (firmware; no intremap=off)%s",
		allowed(doctor) ? ", or let a device that goes wild raise any interrupt" : "");
	if (allowed(doctor))
		doctor_mend(finding, "echo 1 > /sys/" PARAMETER);
}

void doctor_check_interrupts(struct doctor *doctor)
{
	char name[64];

	if (isolated(doctor, name, sizeof(name)))
		doctor_find(doctor, FINDING_OK, "interrupts", "isolated (%s)", name);
	else if (allowed(doctor) == 'Y')
		doctor_find(doctor, FINDING_WARN, "interrupts",
			"not isolated, which iommufd.allow_unsafe_interrupts allows: a device that "
			"goes wild can raise any interrupt");
	else
		doctor_interrupts_unsafe(doctor, "interrupts");
}
