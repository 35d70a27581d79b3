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
#include "shunt_error.h"

#define PATH_LENGTH 512
#define NAME_LENGTH 64
#define MAX_IOMMUS  256

/* An IOMMU in use and the name of its fault interrupt's action, "" where that has no number. */
struct wanted {
	enum fault_iommu iommu;
	char action[NAME_LENGTH];
};

struct scan {
	const struct fault_irqs *irqs;
	struct wanted wanted[MAX_IOMMUS];
	unsigned int wanted_count;
	unsigned int entries;
	bool foreign; /* one is in use that is of no kind known here */
	struct fault_irq *made;
	unsigned int made_count;
};

void fault_irqs_init(struct fault_irqs *irqs, const char *sys, const char *proc)
{
	*irqs = (struct fault_irqs){ .sys = sys, .proc = proc };
}

static void close_irq(const struct fault_irq *irq)
{
	close(irq->count_fd);
	close(irq->affinity_fd);
	if (irq->thread_fd >= 0)
		close(irq->thread_fd);
}

static void close_irqs(struct fault_irq *irqs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		close_irq(&irqs[i]);
	free(irqs);
}

void fault_irqs_fini(struct fault_irqs *irqs)
{
	close_irqs(irqs->irqs, irqs->irq_count);
	irqs->irqs = NULL;
	irqs->irq_count = 0;
}

/* A virtio-iommu is .../virtioN/iommu/NAME. */
static bool virtio_name(const char *sys, const char *name, char action[static NAME_LENGTH])
{
	char path[PATH_LENGTH], target[PATH_MAX];
	char *device, *end;

	snprintf(path, sizeof(path), "%s/class/iommu/%s", sys, name);
	if (!realpath(path, target))
		return false;
	end = strstr(target, "/iommu/");
	if (!end)
		return false;
	*end = '\0';
	device = strrchr(target, '/');
	if (!device || strncmp(device, "/virtio", 7) != 0)
		return false;
	snprintf(action, NAME_LENGTH, "%.*s", NAME_LENGTH - 1, device + 1);
	return true;
}

static void want(struct scan *scan, const char *name)
{
	struct wanted *wanted = &scan->wanted[scan->wanted_count];
	uint64_t number;

	scan->entries++;
	if (!iommu_has_functions(scan->irqs->sys, name))
		return;
	if (scan->wanted_count == MAX_IOMMUS) {
		scan->foreign = true;
		return;
	}
	wanted->action[0] = '\0';
	if (strncmp(name, "dmar", 4) == 0) {
		wanted->iommu = FAULT_IOMMU_VTD;
		snprintf(wanted->action, sizeof(wanted->action), "%.*s", NAME_LENGTH - 1, name);
	} else if (text_number_after(name, "ivhd", 10, &number)) {
		wanted->iommu = FAULT_IOMMU_AMD;
		snprintf(wanted->action, sizeof(wanted->action), "AMD-Vi%u-Evt",
			(unsigned int)number);
	} else if (strncmp(name, "smmu3.", 6) == 0) {
		wanted->iommu = FAULT_IOMMU_SMMU3;
	} else if (virtio_name(scan->irqs->sys, name, wanted->action)) {
		wanted->iommu = FAULT_IOMMU_VIRTIO;
	} else {
		scan->foreign = true;
		return;
	}
	scan->wanted_count++;
}

static unsigned int want_all(struct scan *scan)
{
	char path[PATH_LENGTH];
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/iommu", scan->irqs->sys);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			want(scan, entry->d_name);
	closedir(dir);
	return scan->wanted_count;
}

enum match { NO_MATCH, MATCH, MATCH_BESIDE /* told besides the fault interrupt proper */ };

static enum match match_action(const struct wanted *wanted, const char *action)
{
	size_t length = strlen(wanted->action);

	switch (wanted->iommu) {
	case FAULT_IOMMU_VTD:
		return strcmp(action, wanted->action) == 0 ? MATCH : NO_MATCH;
	case FAULT_IOMMU_AMD:
		return strcmp(action, wanted->action) == 0 || strcmp(action, "AMD-Vi") == 0
			       ? MATCH
			       : NO_MATCH;
	case FAULT_IOMMU_SMMU3:
		if (strcmp(action, "arm-smmu-v3-gerror") == 0)
			return MATCH_BESIDE;
		return strcmp(action, "arm-smmu-v3-evtq") == 0 ||
				       strcmp(action, "arm-smmu-v3-combined-irq") == 0
			       ? MATCH
			       : NO_MATCH;
	case FAULT_IOMMU_VIRTIO:
		if (strncmp(action, wanted->action, length) != 0)
			return NO_MATCH;
		/* A line for all queues, a vector for all queues, or one for the event queue. */
		return !action[length] || strcmp(action + length, "-virtqueues") == 0 ||
				       strcmp(action + length, "-event") == 0
			       ? MATCH
			       : NO_MATCH;
	case FAULT_IOMMUS:
		break;
	}
	return NO_MATCH;
}

static int open_irq(const struct fault_irqs *irqs, unsigned int number, struct fault_irq *irq)
{
	char path[PATH_LENGTH];
	int ret;

	irq->number = number;
	irq->thread_fd = -1;
	snprintf(path, sizeof(path), "%s/kernel/irq/%u/per_cpu_count", irqs->sys, number);
	irq->count_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (irq->count_fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/irq/%u/effective_affinity_list", irqs->proc, number);
	irq->affinity_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (irq->affinity_fd < 0) {
		ret = -errno;
		close(irq->count_fd);
		return ret;
	}
	return 0;
}

static int add_irq(struct scan *scan, unsigned int number, enum fault_iommu iommu, bool beside)
{
	struct fault_irq irq = { .iommu = iommu, .beside = beside };
	struct fault_irq *made = realloc(scan->made, (scan->made_count + 1) * sizeof(*scan->made));
	int ret;

	if (!made)
		return shunt_fail(-ENOMEM, "fault interrupts: out of memory");
	scan->made = made;
	ret = open_irq(scan->irqs, number, &irq);
	if (ret == -EMFILE || ret == -ENFILE)
		return shunt_fail_errno(ret, "fault interrupts: interrupt %u", number);
	if (!ret)
		made[scan->made_count++] = irq;
	return 0;
}

/* An interrupt may be shared: actions are names with commas between them. */
static int match_irq(struct scan *scan, unsigned int number, char *actions)
{
	const struct wanted *wanted = NULL;
	enum match match = NO_MATCH;
	char *rest = actions;
	const char *action;

	while (match == NO_MATCH && (action = strsep(&rest, ",")) != NULL) {
		for (unsigned int i = 0; i < scan->wanted_count && match == NO_MATCH; i++) {
			wanted = &scan->wanted[i];
			match = match_action(wanted, action);
		}
	}
	return match == NO_MATCH ? 0 : add_irq(scan, number, wanted->iommu, match == MATCH_BESIDE);
}

/* Whether a text begins with a number that the kernel could give to an interrupt or a process. */
static bool numbered(const char *text, unsigned int *number)
{
	uint64_t value;

	if (!text_number(&text, 10, &value) || value > INT_MAX)
		return false;
	*number = (unsigned int)value;
	return true;
}

static int match_all(struct scan *scan)
{
	char path[PATH_LENGTH], actions[256];
	const struct dirent *entry;
	unsigned int number;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/kernel/irq", scan->irqs->sys);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!ret && (entry = readdir(dir)) != NULL) {
		if (!numbered(entry->d_name, &number))
			continue;
		snprintf(path, sizeof(path), "%s/kernel/irq/%u/actions", scan->irqs->sys, number);
		if (file_line(path, actions, sizeof(actions)))
			ret = match_irq(scan, number, actions);
	}
	closedir(dir);
	return ret;
}

/* Threads that handle interrupts are called "irq/NUMBER-ACTION". */
static void find_threads(struct scan *scan)
{
	char path[PATH_LENGTH], name[64];
	const struct dirent *entry;
	unsigned int pid, number;
	DIR *dir = opendir(scan->irqs->proc);

	while (dir && (entry = readdir(dir)) != NULL) {
		if (!numbered(entry->d_name, &pid))
			continue;
		snprintf(path, sizeof(path), "%s/%u/comm", scan->irqs->proc, pid);
		if (!file_line(path, name, sizeof(name)) || strncmp(name, "irq/", 4) != 0 ||
			!numbered(name + 4, &number))
			continue;
		for (unsigned int i = 0; i < scan->made_count; i++) {
			struct fault_irq *irq = &scan->made[i];

			if (irq->number != number || irq->thread_fd >= 0)
				continue;
			snprintf(path, sizeof(path), "%s/%u/stat", scan->irqs->proc, pid);
			irq->thread_fd = open(path, O_RDONLY | O_CLOEXEC);
		}
	}
	if (dir)
		closedir(dir);
}

/* AMD's and SMMUv3's drivers handle faults in threads: out of sight, nobody knows when they end. */
static bool handler_seen(const struct fault_irq *irq)
{
	bool threaded = irq->iommu == FAULT_IOMMU_AMD || irq->iommu == FAULT_IOMMU_SMMU3;

	return !irq->beside && (!threaded || irq->thread_fd >= 0);
}

static bool complete(const struct scan *scan)
{
	int missing[FAULT_IOMMUS] = { 0 };

	for (unsigned int i = 0; i < scan->wanted_count; i++)
		missing[scan->wanted[i].iommu]++;
	for (unsigned int i = 0; i < scan->made_count; i++)
		if (handler_seen(&scan->made[i]))
			missing[scan->made[i].iommu]--;
	for (unsigned int i = 0; i < FAULT_IOMMUS; i++)
		if (missing[i] > 0)
			return false;
	return scan->wanted_count && !scan->foreign;
}

int fault_irqs_scan(struct fault_irqs *irqs)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	int ret = 0;

	if (!scan)
		return shunt_fail(-ENOMEM, "fault interrupts: out of memory");
	scan->irqs = irqs;
	if (want_all(scan))
		ret = match_all(scan);
	if (ret) {
		close_irqs(scan->made, scan->made_count);
		goto free;
	}
	find_threads(scan);
	close_irqs(irqs->irqs, irqs->irq_count);
	irqs->complete = complete(scan);
	irqs->iommus = scan->entries;
	irqs->irqs = scan->made;
	irqs->irq_count = scan->made_count;
	fault_irqs_read(irqs);
free:
	free(scan);
	return ret;
}

bool fault_irqs_stale(const struct fault_irqs *irqs)
{
	char path[PATH_LENGTH];
	const struct dirent *entry;
	unsigned int entries = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/iommu", irqs->sys);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL)
		entries += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return entries != irqs->iommus;
}
