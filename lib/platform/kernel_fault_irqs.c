/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel_fault_irqs.h"
#include "kernel_sysfs.h"

#define PATH_LENGTH 512
#define TEXT        4096 /* counts of all processors, "0,12,0,...\n" */

/* Reads a small file that is open. @return whether it could be read */
static bool read_text(int fd, char text[static TEXT])
{
	ssize_t length = pread(fd, text, TEXT - 1, 0);

	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* The sum over the processors; each is 32 bits wide and may wrap, and so may the sum. */
static bool read_count(const struct fault_irq *irq, uint32_t *count)
{
	char text[TEXT], *at = text, *end;

	if (!read_text(irq->count_fd, text))
		return false;
	*count = 0;
	do {
		*count += (uint32_t)strtoul(at, &end, 10);
		if (end == at)
			return false;
		at = end + 1;
	} while (*end == ',');
	return true;
}

/* A virtio-iommu is .../virtioN/iommu/NAME, and "virtioN" begins its interrupts' names. */
static bool virtio_name(const char *sys, const char *function, char action[static FAULT_UNIT_NAME])
{
	char path[PATH_LENGTH], target[PATH_MAX];
	char *device, *end;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/iommu", sys, function);
	if (!realpath(path, target))
		return false;
	end = strstr(target, "/iommu/");
	if (!end)
		return false;
	*end = '\0';
	device = strrchr(target, '/');
	if (!device || strncmp(device, "/virtio", 7) != 0)
		return false;
	snprintf(action, FAULT_UNIT_NAME, "%.*s", FAULT_UNIT_NAME - 1, device + 1);
	return true;
}

/* Its kind, and what its fault interrupt's action is called, "" where that has no number. */
static void identify(struct fault_unit *unit, const char *sys, const char *function,
	char action[static FAULT_UNIT_NAME])
{
	uint64_t number;

	action[0] = '\0';
	unit->iommu = FAULT_IOMMUS;
	if (strncmp(unit->name, "dmar", 4) == 0) {
		unit->iommu = FAULT_IOMMU_VTD;
		memcpy(action, unit->name, FAULT_UNIT_NAME);
	} else if (text_number_after(unit->name, "ivhd", 10, &number)) {
		unit->iommu = FAULT_IOMMU_AMD;
		snprintf(action, FAULT_UNIT_NAME, "AMD-Vi%u-Evt", (unsigned int)number);
	} else if (strncmp(unit->name, "smmu3.", 6) == 0) {
		unit->iommu = FAULT_IOMMU_SMMU3;
	} else if (virtio_name(sys, function, action)) {
		unit->iommu = FAULT_IOMMU_VIRTIO;
	}
}

enum match { NO_MATCH, MATCH, MATCH_BESIDE /* reported in addition to the fault interrupt */ };

static enum match match_action(enum fault_iommu iommu, const char *wanted, const char *action)
{
	bool same = strcmp(action, wanted) == 0;
	size_t length = strlen(wanted);

	switch (iommu) {
	case FAULT_IOMMU_VTD:
		return same ? MATCH : NO_MATCH;
	case FAULT_IOMMU_AMD:
		return same || strcmp(action, "AMD-Vi") == 0 ? MATCH : NO_MATCH;
	case FAULT_IOMMU_SMMU3:
		if (strcmp(action, "arm-smmu-v3-gerror") == 0)
			return MATCH_BESIDE;
		return strcmp(action, "arm-smmu-v3-evtq") == 0 ||
				       strcmp(action, "arm-smmu-v3-combined-irq") == 0
			       ? MATCH
			       : NO_MATCH;
	case FAULT_IOMMU_VIRTIO:
		/* A line for all queues, a vector for all queues, or one for the event queue. */
		return same || (strncmp(action, wanted, length) == 0 &&
				       (strcmp(action + length, "-virtqueues") == 0 ||
					       strcmp(action + length, "-event") == 0))
			       ? MATCH
			       : NO_MATCH;
	case FAULT_IOMMUS:
		break;
	}
	return NO_MATCH;
}

/* @return whether it is open: its count, and where it comes */
static bool open_irq(struct fault_unit *unit, const char *sys, const char *proc, const char *number)
{
	struct fault_irq *irq = &unit->irqs[unit->irq_count];
	char path[PATH_LENGTH];

	if (unit->irq_count == FAULT_UNIT_IRQS)
		return false;
	snprintf(path, sizeof(path), "%s/kernel/irq/%s/per_cpu_count", sys, number);
	irq->count_fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/irq/%s/effective_affinity_list", proc, number);
	irq->affinity_fd = open(path, O_RDONLY | O_CLOEXEC);
	unit->irq_count++;
	return irq->count_fd >= 0 && irq->affinity_fd >= 0 && read_count(irq, &irq->count);
}

/* An interrupt may be shared: actions are names with commas between them. */
static enum match match_irq(const struct fault_unit *unit, const char *wanted, char *actions)
{
	enum match match = NO_MATCH;
	const char *action;

	while (match == NO_MATCH && (action = strsep(&actions, ",")) != NULL)
		match = match_action(unit->iommu, wanted, action);
	return match;
}

void fault_unit_open(
	struct fault_unit *unit, const char *sys, const char *proc, const char *function)
{
	char path[PATH_LENGTH], actions[256], wanted[FAULT_UNIT_NAME];
	const struct dirent *entry;
	bool found = false, open = true;
	enum match match;
	DIR *dir;

	identify(unit, sys, function, wanted);
	unit->irq_count = 0;
	snprintf(path, sizeof(path), "%s/kernel/irq", sys);
	dir = unit->iommu == FAULT_IOMMUS ? NULL : opendir(path);
	while (dir && open && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/kernel/irq/%s/actions", sys, entry->d_name);
		if (entry->d_name[0] == '.' || !file_line(path, actions, sizeof(actions)))
			continue;
		match = match_irq(unit, wanted, actions);
		if (match != NO_MATCH)
			open = open_irq(unit, sys, proc, entry->d_name);
		found |= match == MATCH;
	}
	if (dir)
		closedir(dir);
	unit->complete = found && open;
	if (!unit->complete)
		fault_unit_close(unit);
}

void fault_unit_close(struct fault_unit *unit)
{
	for (unsigned int i = 0; i < unit->irq_count; i++) {
		if (unit->irqs[i].count_fd >= 0)
			close(unit->irqs[i].count_fd);
		if (unit->irqs[i].affinity_fd >= 0)
			close(unit->irqs[i].affinity_fd);
	}
	unit->irq_count = 0;
	unit->complete = false;
}

int fault_unit_processors(const struct fault_unit *unit, struct processors *set)
{
	char text[TEXT];

	for (unsigned int i = 0; i < unit->irq_count; i++)
		if (!read_text(unit->irqs[i].affinity_fd, text) || processors_add(set, text))
			return -ENODEV;
	return 0;
}

int fault_unit_read(struct fault_unit *unit)
{
	uint32_t count;
	int moved = 0;

	for (unsigned int i = 0; i < unit->irq_count; i++) {
		if (!read_count(&unit->irqs[i], &count))
			return -ENODEV;
		moved |= count != unit->irqs[i].count;
		unit->irqs[i].count = count;
	}
	return moved;
}
