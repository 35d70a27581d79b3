/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "kernel_intel_iommu.h"
#include "kernel_sysfs.h"

#define PATH_LENGTH       512

#define ECAP_SCALABLE     (1ull << 43) /* SMTS */
#define ECAP_SECOND_STAGE (1ull << 46) /* SSTS */
#define ECAP_FIRST_STAGE  (1ull << 47) /* FSTS */

enum mode { MODE_UNKNOWN, MODE_LEGACY, MODE_SCALABLE };

static bool read_register(const char *sys, const char *unit, const char *file, uint64_t *value)
{
	char path[PATH_LENGTH], line[64];
	const char *text = line;

	snprintf(path, sizeof(path), "%s/class/iommu/%s/intel-iommu/%s", sys, unit, file);
	return file_line(path, line, sizeof(line)) && text_number(&text, 16, value);
}

/* The last of intel_iommu=...,sm_on and sm_off on the command line counts. */
static enum mode mode_told(const char *proc)
{
	char path[PATH_LENGTH], line[4096], *word, *rest = line;
	enum mode mode = MODE_UNKNOWN;

	snprintf(path, sizeof(path), "%s/cmdline", proc);
	if (!file_line(path, line, sizeof(line)))
		return mode;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (strncmp(word, "intel_iommu=", 12) != 0)
			continue;
		if (strstr(word, "sm_on"))
			mode = MODE_SCALABLE;
		if (strstr(word, "sm_off"))
			mode = MODE_LEGACY;
	}
	return mode;
}

static enum mode mode_configured(const char *boot)
{
	char path[PATH_LENGTH], line[512];
	enum mode mode = MODE_UNKNOWN;
	struct utsname names;
	FILE *file;

	if (uname(&names))
		return mode;
	snprintf(path, sizeof(path), "%s/config-%s", boot, names.release);
	file = fopen(path, "re");
	if (!file)
		return mode;
	mode = MODE_LEGACY;
	while (fgets(line, sizeof(line), file))
		if (strcmp(line, "CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON=y\n") == 0)
			mode = MODE_SCALABLE;
	fclose(file);
	return mode;
}

void intel_iommu_name(const char *sys, const char *proc, const char *boot, const char *unit,
	char *name, size_t size)
{
	enum mode mode = MODE_LEGACY;
	const char *stage = "";
	uint64_t ecap;

	if (!read_register(sys, unit, "ecap", &ecap)) {
		snprintf(name, size, "intel-iommu");
		return;
	}
	if (ecap & ECAP_SCALABLE) {
		mode = mode_told(proc);
		if (mode == MODE_UNKNOWN)
			mode = mode_configured(boot);
	}
	if (mode == MODE_LEGACY) {
		snprintf(name, size, "intel-iommu legacy");
		return;
	}
	/* With both the kernel chooses for each page table. */
	if (!(ecap & ECAP_FIRST_STAGE))
		stage = ", second stage";
	else if (!(ecap & ECAP_SECOND_STAGE))
		stage = ", first stage";
	snprintf(name, size, "intel-iommu %s%s",
		mode == MODE_SCALABLE ? "scalable" : "legacy or scalable", stage);
}
