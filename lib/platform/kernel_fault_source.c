/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "kernel_fault_lines.h"
#include "kernel_fault_source.h"
#include "kernel_sysfs.h"

#define CLASS_BRIDGE 0x06
#define PATH_LENGTH  512

static bool is_bridge(const char *sysfs, const char *function)
{
	char path[PATH_LENGTH], line[32];
	const char *text = line;
	uint64_t class_code;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/class", sysfs, function);
	return file_line(path, line, sizeof(line)) && text_number(&text, 16, &class_code) &&
	       class_code >> 16 == CLASS_BRIDGE;
}

bool fault_source_function(
	const char *sysfs, int domain, uint32_t source, char *function, size_t size)
{
	char path[PATH_LENGTH];
	const struct dirent *entry;
	unsigned int found = 0;
	uint32_t entry_source;
	int entry_domain;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/bus/pci/devices", sysfs);
	dir = opendir(path);
	if (!dir)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		if (!pci_source_parse(entry->d_name, &entry_domain, &entry_source) ||
			entry_source != source ||
			(domain != FAULT_DOMAIN_UNKNOWN && entry_domain != domain))
			continue;
		found++;
		snprintf(function, size, "%.*s", (int)size - 1, entry->d_name);
	}
	closedir(dir);
	return found == 1 && !is_bridge(sysfs, function);
}
