/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shunt/clock.h>
#include <shunt/error.h>

#include "kernel_fault_irqs.h"
#include "kernel_faults.h"
#include "kernel_sysfs.h"
#include "kernel_trace.h"
#include "shunt_hold.h"

#define RECORD_SIZE 8192          /* no record of /dev/kmsg is longer */
#define QUEUE       4096          /* records of one round that are kept */
#define WATCHED     512           /* functions */
#define ROUNDS      4             /* interrupts that come one after the other */
#define RETRY_NS    1000000000ull /* an interrupt may appear later: how often to look */
#define LOG_RECORDS 4096          /* of the log, read at once */
#define LATER       8             /* how often to wait for messages of a handler's thread */
#define LATER_MS    1

/* An IOMMU, in one round. */
struct unit {
	struct fault_unit irqs;
	char function[16]; /* one whose DMA it translates */
	uint64_t opened;   /* ticks */
	bool moved;
};

struct watched {
	char function[16];
	int domain;
	uint32_t source;
	int unit;  /* index; -1: it has no IOMMU */
	bool told; /* a record names it, in this round */
};

struct kernel_faults {
	pthread_mutex_t lock;
	struct kernel_roots roots;
	int log;                    /* -1: cannot be read */
	struct kernel_trace *trace; /* NULL: likewise */
	struct visitor *visitor;
	struct fault_lines lines;
	struct unit *units;
	unsigned int unit_count;
	struct watched watched[WATCHED];
	unsigned int watched_count;
	bool behind; /* the log may have messages of what was counted in a round before */
	struct shunt_fault queue[QUEUE];
	unsigned int first;
	unsigned int count;
	unsigned int room; /* for records of faults; the rest is for what is unknown */
};

int kernel_faults_create(const struct kernel_roots *roots, struct kernel_faults **faults)
{
	struct kernel_faults *made = calloc(1, sizeof(*made));
	int ret;

	if (!made)
		return shunt_fail(-ENOMEM, "faults of the kernel: out of memory");
	made->roots = *roots;
	ret = visitor_create(&made->visitor);
	if (ret) {
		free(made);
		return ret;
	}
	made->log = open(roots->log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (made->log >= 0)
		lseek(made->log, 0, SEEK_END);
	made->behind = true;
	if (kernel_trace_create(roots->tracefs, &made->trace))
		made->trace = NULL;
	pthread_mutex_init(&made->lock, NULL);
	*faults = made;
	return 0;
}

void kernel_faults_destroy(struct kernel_faults *faults)
{
	if (!faults)
		return;
	pthread_mutex_destroy(&faults->lock);
	kernel_trace_destroy(faults->trace);
	visitor_destroy(faults->visitor);
	if (faults->log >= 0)
		close(faults->log);
	for (unsigned int i = 0; i < faults->unit_count; i++)
		fault_unit_close(&faults->units[i].irqs);
	free(faults->units);
	free(faults);
}

static void open_unit(struct kernel_faults *faults, struct unit *unit)
{
	unit->opened = shunt_clock_now();
	fault_unit_open(&unit->irqs, faults->roots.sys, faults->roots.proc, unit->function);
}

/* @return index; -1: the function has no IOMMU; -ENOMEM */
static int find_unit(struct kernel_faults *faults, const char *function)
{
	struct unit *units, *unit;
	char name[FAULT_UNIT_NAME];

	if (!iommu_of_function(faults->roots.sys, function, name, sizeof(name)))
		return -1;
	for (unsigned int i = 0; i < faults->unit_count; i++)
		if (strcmp(faults->units[i].irqs.name, name) == 0)
			return (int)i;
	units = realloc(faults->units, (faults->unit_count + 1) * sizeof(*units));
	if (!units)
		return -ENOMEM;
	faults->units = units;
	unit = &units[faults->unit_count];
	*unit = (struct unit){ 0 };
	memcpy(unit->irqs.name, name, sizeof(name));
	snprintf(unit->function, sizeof(unit->function), "%s", function);
	open_unit(faults, unit);
	return (int)faults->unit_count++;
}

int kernel_faults_watch(struct kernel_faults *faults, const char *function)
{
	SHUNT_HOLD(&faults->lock);
	struct watched *watched = &faults->watched[faults->watched_count];

	for (unsigned int i = 0; i < faults->watched_count; i++)
		if (strcmp(faults->watched[i].function, function) == 0)
			return 0;
	if (faults->watched_count == WATCHED)
		return shunt_fail(-ENOSPC, "faults of %s: %u functions are watched already",
			function, WATCHED);
	*watched = (struct watched){ 0 };
	if (strlen(function) >= sizeof(watched->function) ||
		!pci_source_parse(function, &watched->domain, &watched->source))
		return shunt_fail(-EINVAL, "faults of '%s': not a PCI function", function);
	snprintf(watched->function, sizeof(watched->function), "%s", function);
	watched->unit = find_unit(faults, function);
	if (watched->unit == -ENOMEM)
		return shunt_fail(-ENOMEM, "faults of %s: out of memory", function);
	faults->watched_count++;
	return 0;
}

/* Counts that cannot be read are looked for again, now and then. */
static void open_missing(struct kernel_faults *faults)
{
	const uint64_t retry = shunt_clock_from_ns(RETRY_NS), now = shunt_clock_now();

	for (unsigned int i = 0; i < faults->unit_count; i++) {
		struct unit *unit = &faults->units[i];

		unit->moved = false;
		if (!unit->irqs.complete && now - unit->opened > retry) {
			open_unit(faults, unit);
			unit->moved = true; /* nothing counted before that */
		}
	}
}

static int settle(struct kernel_faults *faults)
{
	struct processors set = { 0 };

	for (unsigned int i = 0; i < faults->unit_count; i++)
		if (fault_unit_processors(&faults->units[i].irqs, &set))
			fault_unit_close(&faults->units[i].irqs);
	return visitor_settle(faults->visitor, &set);
}

/* @return whether any count moved */
static bool read_once(struct kernel_faults *faults)
{
	bool moved = false;
	int ret;

	for (unsigned int i = 0; i < faults->unit_count; i++) {
		struct unit *unit = &faults->units[i];

		ret = fault_unit_read(&unit->irqs);
		if (ret < 0)
			fault_unit_close(&unit->irqs);
		unit->moved |= ret > 0;
		moved |= ret > 0;
	}
	return moved;
}

/*
 * Handlers of all that was counted have ended when, with processors settled after one reading, the
 * next reading is the same.
 *
 * @return whether it came to that
 */
static bool read_counts(struct kernel_faults *faults)
{
	bool settled = true, moved = true;

	for (int i = 0; i < ROUNDS && settled && moved; i++) {
		settled = !settle(faults);
		moved = read_once(faults);
	}
	return settled && !moved;
}

/* The only function that a message can mean, among those whose IOMMU had an interrupt. */
static struct watched *meant(struct kernel_faults *faults, const struct fault_line *line)
{
	struct watched *found = NULL;

	for (unsigned int i = 0; i < faults->watched_count; i++) {
		struct watched *watched = &faults->watched[i];
		const struct unit *unit = watched->unit < 0 ? NULL : &faults->units[watched->unit];

		if (!unit || !unit->moved || unit->irqs.iommu != line->iommu ||
			watched->source != line->source ||
			(line->domain >= 0 && watched->domain != line->domain))
			continue;
		if (found)
			return NULL;
		found = watched;
	}
	return found;
}

/* Records a fault that one observer reports. */
static void tell(struct kernel_faults *faults, struct watched *watched, struct shunt_fault fault)
{
	if (!watched || faults->count == faults->room)
		return;
	fault.time = shunt_clock_now();
	memcpy(fault.function, watched->function, sizeof(fault.function));
	faults->queue[faults->count++] = fault;
	watched->told = true;
}

/* @param fresh  every message is of this round */
static void read_messages(struct kernel_faults *faults, bool fresh)
{
	char record[RECORD_SIZE + 1];
	struct fault_line line;
	const char *text;
	ssize_t length;

	for (int i = 0; i < LOG_RECORDS; i++) {
		length = read(faults->log, record, RECORD_SIZE);
		if (length < 0 && (errno == EPIPE || errno == EINTR))
			continue; /* EPIPE: messages were overwritten */
		if (length <= 0)
			return;
		record[length] = '\0';
		text = kmsg_text(record);
		if (text && fault_lines_take(&faults->lines, text, &line) && fresh)
			tell(faults, meant(faults, &line),
				(struct shunt_fault){ .observer = "kmsg",
					.iova = line.iova,
					.write = line.write,
					.reason = line.reason });
	}
	faults->behind = true;
}

/* AMD's and SMMUv3's drivers log in threads; nothing shows when these are done. */
static bool logs_later(const struct kernel_faults *faults)
{
	for (unsigned int i = 0; i < faults->unit_count; i++)
		if (faults->units[i].moved &&
			(faults->units[i].irqs.iommu == FAULT_IOMMU_AMD ||
				faults->units[i].irqs.iommu == FAULT_IOMMU_SMMU3))
			return true;
	return false;
}

static void read_log(struct kernel_faults *faults, bool fresh)
{
	struct pollfd log = { .fd = faults->log, .events = POLLIN };

	read_messages(faults, fresh);
	if (!fresh || !logs_later(faults))
		return;
	for (int i = 0; i < LATER && poll(&log, 1, LATER_MS) > 0; i++)
		read_messages(faults, fresh);
}

/* @return whether no event was lost */
static bool read_trace(struct kernel_faults *faults)
{
	struct trace_event event;
	int ret;

	while ((ret = kernel_trace_next(faults->trace, &event)) == 1 && !event.lost)
		for (unsigned int i = 0; i < faults->watched_count; i++)
			if (strcmp(faults->watched[i].function, event.function) == 0)
				tell(faults, &faults->watched[i],
					(struct shunt_fault){ .observer = "tracepoint",
						.iova = event.iova,
						.write = event.write });
	return ret == 0;
}

static bool clean(const struct kernel_faults *faults, const struct watched *watched)
{
	const struct unit *unit = watched->unit < 0 ? NULL : &faults->units[watched->unit];

	return unit && unit->irqs.complete && !unit->moved;
}

static void observe(struct kernel_faults *faults)
{
	const struct shunt_fault unknown = {
		.time = shunt_clock_now(), .observer = "interrupts", .unknown = true
	};
	const bool behind = faults->behind;
	bool all;

	faults->room = QUEUE - faults->watched_count;
	for (unsigned int i = 0; i < faults->watched_count; i++)
		faults->watched[i].told = false;
	open_missing(faults);
	all = read_counts(faults);
	faults->behind = !all;
	if (faults->log >= 0)
		read_log(faults, all && !behind);
	if (faults->trace)
		all &= read_trace(faults);
	for (unsigned int i = 0; i < faults->watched_count; i++) {
		const struct watched *watched = &faults->watched[i];
		struct shunt_fault *fault;

		if (watched->told || (all && clean(faults, watched)))
			continue;
		fault = &faults->queue[faults->count++];
		*fault = unknown;
		memcpy(fault->function, watched->function, sizeof(fault->function));
	}
}

static bool counts_something(const struct kernel_faults *faults)
{
	bool complete = false;

	for (unsigned int i = 0; i < faults->unit_count; i++)
		complete |= faults->units[i].irqs.complete;
	return complete;
}

int kernel_faults_take(struct kernel_faults *faults, struct shunt_fault *records, unsigned int n)
{
	SHUNT_HOLD(&faults->lock);
	unsigned int count;

	if (faults->first == faults->count) {
		faults->first = faults->count = 0;
		observe(faults);
	}
	if (faults->watched_count && !faults->trace && !counts_something(faults)) {
		faults->first = faults->count = 0;
		return shunt_fail(-ENOTSUP,
			"faults of the kernel: neither the counts of fault interrupts in "
			"%s/kernel/irq nor tracefs can be read: is it a container's /sys?",
			faults->roots.sys);
	}
	count = faults->count - faults->first < n ? faults->count - faults->first : n;
	memcpy(records, faults->queue + faults->first, count * sizeof(*records));
	faults->first += count;
	return (int)count;
}

void kernel_faults_observers(struct kernel_faults *faults, char *names, size_t size)
{
	SHUNT_HOLD(&faults->lock);
	const bool counts = counts_something(faults);

	snprintf(names, size, "%s%s%s", counts && faults->log >= 0 ? "kmsg " : "",
		faults->trace ? "tracepoint " : "", counts ? "interrupts " : "");
	if (names[0])
		names[strlen(names) - 1] = '\0';
}
