/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_fault_rules.h"
#include "kernel_fault_source.h"
#include "shunt_clock.h"
#include "shunt_error.h"

/* Interval of the limit, 5 s, and what jiffies and the clock of the log may add to it. */
#define INTERVAL_US 5050000ull

/* VT-d's fault status register, section 11.4.9.1 of its specification. */
#define FSTS_PFO (1u << 0) /* faults were dropped, all recording registers were full */
#define FSTS_PPF (1u << 1) /* there are records */

int fault_rules_init(
	struct fault_rules *rules, const char *sysfs, unsigned int registers, uint64_t now)
{
	*rules = (struct fault_rules){
		.sysfs = sysfs,
		.registers = registers,
		.begin = now,
		.now = now,
	};
	/* Messages from before can have used up the limit. */
	for (unsigned int i = 0; i < FAULT_IOMMUS; i++)
		rules->limit[i] =
			(struct fault_limit){ .until = now + INTERVAL_US * 1000, .expected = true };
	rules->queue = calloc(FAULT_QUEUE, sizeof(*rules->queue));
	return rules->queue ? 0 : shunt_fail(-ENOMEM, "fault records of the kernel: out of memory");
}

void fault_rules_fini(struct fault_rules *rules)
{
	free(rules->queue);
	rules->queue = NULL;
}

void fault_rules_begin(struct fault_rules *rules, uint64_t now)
{
	rules->begin = rules->now;
	rules->now = now;
	rules->blind[0] = '\0';
	rules->log_lost = false;
	for (unsigned int i = 0; i < FAULT_IOMMUS; i++) {
		bool surplus = rules->round[i].begins > rules->round[i].runs;

		rules->round[i] = (struct fault_round){ .surplus = surplus };
	}
}

void fault_rules_interrupts(
	struct fault_rules *rules, enum fault_iommu iommu, unsigned int interrupts)
{
	if (!interrupts)
		return;
	rules->round[iommu].runs += interrupts;
	rules->round[iommu].units++;
}

void fault_rules_blind(struct fault_rules *rules, const char *observer)
{
	snprintf(rules->blind, sizeof(rules->blind), "%s", observer);
}

/* The last place is kept for the record that says that nobody can tell. */
static void add(struct fault_rules *rules, const struct shunt_fault *fault)
{
	if (rules->count == FAULT_QUEUE - 1)
		fault_rules_blind(rules, fault->observer);
	else
		rules->queue[rules->count++] = *fault;
}

static void add_line(struct fault_rules *rules, const struct fault_line *line)
{
	struct shunt_fault fault = {
		.time = shunt_clock_now(),
		.observer = "kmsg",
		.iova = line->iova,
		.write = line->write,
		.reason = line->reason,
	};

	if (fault_source_function(rules->sysfs, line->domain, line->source, fault.function,
		    sizeof(fault.function)))
		add(rules, &fault);
	else
		fault_rules_blind(rules, "kmsg");
}

/*
 * A call of __ratelimit(). It takes FAULT_BURST of them in one interval before the next one finds
 * none left; the interval began no later than the first of these.
 */
static void use_up(struct fault_rules *rules, struct fault_limit *limit)
{
	unsigned int slot = limit->count++ % FAULT_BURST;
	unsigned int oldest = limit->count % FAULT_BURST;
	uint64_t until;

	limit->time[slot] = rules->time;
	limit->read[slot] = rules->read;
	if (limit->count < FAULT_BURST || rules->time > limit->time[oldest] + INTERVAL_US)
		return;
	until = limit->read[oldest] + INTERVAL_US * 1000;
	if (until > limit->until)
		limit->until = until;
}

/*
 * That messages were suppressed is said when the next one comes after the interval: of times at
 * which the limit was known to be reached this is no news.
 */
static void suppressed(struct fault_rules *rules, struct fault_limit *limit)
{
	if (!limit->expected)
		fault_rules_blind(rules, "kmsg");
	limit->expected = false;
}

static void take_line(struct fault_rules *rules, const struct fault_line *line)
{
	struct fault_round *round = &rules->round[line->iommu];
	struct fault_limit *limit = &rules->limit[line->iommu];

	switch (line->type) {
	case FAULT_LINE_OTHER:
		break;
	case FAULT_LINE_RUN:
		round->begins++;
		use_up(rules, limit);
		if (line->status & FSTS_PPF)
			use_up(rules, limit);
		if (line->status & FSTS_PFO)
			fault_rules_blind(rules, "kmsg");
		break;
	case FAULT_LINE_RECORD:
		round->records++;
		use_up(rules, limit);
		add_line(rules, line);
		break;
	case FAULT_LINE_NO_DMA:
		round->records++;
		use_up(rules, limit);
		break;
	case FAULT_LINE_SUPPRESSED:
		suppressed(rules, limit);
		break;
	case FAULT_LINE_LOST:
		round->records++;
		use_up(rules, limit);
		fault_rules_blind(rules, "kmsg");
		break;
	}
}

void fault_rules_log(struct fault_rules *rules, char *record, uint64_t now)
{
	struct kmsg_message message;
	struct fault_line lines[2];
	unsigned int n;

	if (!kmsg_parse(record, &message) || !message.kernel)
		return;
	rules->time = message.time;
	rules->read = now;
	n = fault_lines_take(&rules->lines, message.text, lines);
	for (unsigned int i = 0; i < n; i++)
		take_line(rules, &lines[i]);
}

void fault_rules_log_lost(struct fault_rules *rules)
{
	rules->log_lost = true;
	for (unsigned int i = 0; i < FAULT_IOMMUS; i++) {
		rules->limit[i].until = rules->now + INTERVAL_US * 1000;
		rules->limit[i].expected = true;
	}
}

void fault_rules_traced(struct fault_rules *rules, const char *function, uint64_t iova, bool write)
{
	struct shunt_fault fault = {
		.time = shunt_clock_now(),
		.observer = "tracepoint",
		.iova = iova,
		.write = write,
	};

	snprintf(fault.function, sizeof(fault.function), "%s", function);
	add(rules, &fault);
}

/* Whether faults of a kind of IOMMU may be missing among the records. */
static bool incomplete(
	struct fault_rules *rules, enum fault_iommu iommu, struct fault_observers observers)
{
	const struct fault_round *round = &rules->round[iommu];
	struct fault_limit *limit = &rules->limit[iommu];
	bool vtd = iommu == FAULT_IOMMU_VTD;

	if (observers.interrupts && !round->runs && !round->begins && !round->records)
		return false;
	if (!observers.log || rules->log_lost)
		return true;
	if (limit->until > rules->begin) {
		limit->expected = true;
		return true;
	}
	if (round->units > 1)
		return true;
	if (vtd && round->records && round->records >= rules->registers)
		return true;
	return vtd && round->runs && (round->surplus || round->runs > round->begins);
}

void fault_rules_end(struct fault_rules *rules, struct fault_observers observers)
{
	struct fault_line line;

	if (fault_lines_end(&rules->lines, &line))
		take_line(rules, &line);
	for (unsigned int i = 0; i < FAULT_IOMMUS; i++)
		if (incomplete(rules, i, observers))
			fault_rules_blind(rules, observers.interrupts ? "interrupts" : "kmsg");
	if (rules->blind[0]) {
		struct shunt_fault *fault = &rules->queue[rules->count++];

		*fault = (struct shunt_fault){ .time = shunt_clock_now() };
		snprintf(fault->observer, sizeof(fault->observer), "%s", rules->blind);
	}
}

unsigned int fault_rules_take(
	struct fault_rules *rules, struct shunt_fault *records, unsigned int n)
{
	unsigned int count = rules->count - rules->first;

	if (count > n)
		count = n;
	memcpy(records, rules->queue + rules->first, count * sizeof(*records));
	rules->first += count;
	if (fault_rules_empty(rules))
		rules->first = rules->count = 0;
	return count;
}

bool fault_rules_empty(const struct fault_rules *rules)
{
	return rules->first == rules->count;
}
