/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel_fault_irqs.h"
#include "kernel_fault_rules.h"
#include "kernel_faults.h"
#include "kernel_intel_iommu.h"
#include "kernel_settle.h"
#include "kernel_trace.h"
#include "shunt_error.h"

#define SYS         "/sys"
#define PROC        "/proc"
#define RECORD_SIZE 8192          /* no record of /dev/kmsg is longer */
#define RESCAN_NS   1000000000ull /* interrupts may appear later: how often to look */

struct kernel_faults {
	pthread_mutex_t lock;
	int log;                    /* -1: cannot be read */
	struct kernel_trace *trace; /* NULL: likewise */
	struct fault_irqs irqs;
	uint64_t scanned; /* ns */
	struct fault_rules rules;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int kernel_faults_create(struct kernel_faults **faults)
{
	struct kernel_faults *made = calloc(1, sizeof(*made));
	int ret;

	if (!made)
		return shunt_fail(-ENOMEM, "faults of the kernel: out of memory");
	made->scanned = now_ns();
	ret = fault_rules_init(&made->rules, SYS, intel_iommu_fault_registers(SYS), made->scanned);
	if (ret)
		goto free;
	fault_irqs_init(&made->irqs, SYS, PROC);
	ret = fault_irqs_scan(&made->irqs);
	if (ret)
		goto rules;
	made->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (made->log >= 0 && lseek(made->log, 0, SEEK_END) < 0) {
		close(made->log);
		made->log = -1;
	}
	if (kernel_trace_create(NULL, &made->trace))
		made->trace = NULL;
	pthread_mutex_init(&made->lock, NULL);
	*faults = made;
	return 0;
rules:
	fault_rules_fini(&made->rules);
free:
	free(made);
	return ret;
}

void kernel_faults_destroy(struct kernel_faults *faults)
{
	if (!faults)
		return;
	pthread_mutex_destroy(&faults->lock);
	kernel_trace_destroy(faults->trace);
	if (faults->log >= 0)
		close(faults->log);
	fault_irqs_fini(&faults->irqs);
	fault_rules_fini(&faults->rules);
	free(faults);
}

/* With no interrupt to go by, every processor may have one of a fault. */
static int settle_all(void)
{
	struct processors all = { 0 };
	char list[4096];
	FILE *file = fopen(SYS "/devices/system/cpu/online", "re");
	int ret = -EINVAL;

	if (!file)
		return -errno;
	if (fgets(list, sizeof(list), file))
		ret = processors_add(&all, list);
	fclose(file);
	return ret ? ret : processors_settle(&all);
}

/* @return whether the counts of this round can be gone by */
static bool read_interrupts(struct kernel_faults *faults)
{
	struct fault_irqs *irqs = &faults->irqs;
	uint64_t now = faults->rules.now;
	int ret;

	if (fault_irqs_stale(irqs) || (!irqs->complete && now - faults->scanned > RESCAN_NS)) {
		faults->scanned = now;
		irqs->complete = false;
		fault_irqs_scan(irqs);
		if (settle_all())
			fault_rules_blind(&faults->rules, "interrupts");
		return false;
	}
	if (!irqs->complete) {
		if (settle_all())
			fault_rules_blind(&faults->rules, "interrupts");
		return false;
	}
	ret = fault_irqs_read(irqs);
	if (ret)
		fault_rules_blind(&faults->rules, "interrupts");
	if (ret == -ENODEV) {
		irqs->complete = false;
		return false;
	}
	for (unsigned int i = 0; i < irqs->irq_count; i++)
		fault_rules_interrupts(&faults->rules, irqs->irqs[i].iommu, irqs->irqs[i].news);
	return true;
}

static void read_log(struct kernel_faults *faults)
{
	char record[RECORD_SIZE + 1];
	ssize_t length;

	for (;;) {
		length = read(faults->log, record, RECORD_SIZE);
		if (length > 0) {
			record[length] = '\0';
			fault_rules_log(&faults->rules, record, now_ns());
		} else if (length < 0 && errno == EPIPE) {
			fault_rules_log_lost(&faults->rules);
		} else if (length < 0 && errno == EINTR) {
			continue;
		} else {
			if (length == 0 || errno != EAGAIN)
				fault_rules_log_lost(&faults->rules);
			return;
		}
	}
}

static void read_trace(struct kernel_faults *faults)
{
	struct trace_event event;
	int ret;

	while ((ret = kernel_trace_next(faults->trace, &event)) == 1) {
		if (event.lost)
			fault_rules_blind(&faults->rules, "tracepoint");
		else
			fault_rules_traced(&faults->rules, event.function, event.iova, event.write);
	}
	if (ret < 0)
		fault_rules_blind(&faults->rules, "tracepoint");
}

static void observe(struct kernel_faults *faults)
{
	struct fault_observers observers = { .log = faults->log >= 0 };

	fault_rules_begin(&faults->rules, now_ns());
	observers.interrupts = read_interrupts(faults);
	if (observers.log)
		read_log(faults);
	if (faults->trace)
		read_trace(faults);
	fault_rules_end(&faults->rules, observers);
}

int kernel_faults_take(struct kernel_faults *faults, struct shunt_fault *records, unsigned int n)
{
	int ret;

	pthread_mutex_lock(&faults->lock);
	if (fault_rules_empty(&faults->rules))
		observe(faults);
	if (faults->log < 0 && !faults->trace && !faults->irqs.complete) {
		fault_rules_take(&faults->rules, records, n);
		ret = shunt_fail(-ENOTSUP,
			"faults of the kernel: neither /dev/kmsg nor tracefs nor the counts of "
			"fault "
			"interrupts in /sys/kernel/irq can be read: run as root");
	} else {
		ret = (int)fault_rules_take(&faults->rules, records, n);
	}
	pthread_mutex_unlock(&faults->lock);
	return ret;
}

void kernel_faults_observers(struct kernel_faults *faults, char *names, size_t size)
{
	pthread_mutex_lock(&faults->lock);
	snprintf(names, size, "%s%s%s", faults->log >= 0 ? "kmsg " : "",
		faults->trace ? "tracepoint " : "", faults->irqs.complete ? "interrupts " : "");
	pthread_mutex_unlock(&faults->lock);
	if (names[0])
		names[strlen(names) - 1] = '\0';
}
