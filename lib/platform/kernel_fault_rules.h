/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_FAULT_RULES_H
#define KERNEL_FAULT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel_fault_lines.h"
#include "shunt_platform.h"

/*
 * What the observers of a kernel's faults say together. Time goes in rounds, one a question:
 *
 *                begin          read                                end
 *   handlers of    |   counts of fault interrupts: 2 runs of dmar0   |   is every record there?
 *   interrupts     |   messages of the log:        2 faults of 03.0  |     yes: that is all
 *   are done       |   events of the tracepoint:   none              |     no:  and one record of
 *                  |                                                 |          function ""
 *
 * An IOMMU that found something tells by an interrupt: with the count unchanged nothing was
 * refused, whatever the log says. With the count changed the log says whose DMA it was, unless
 *
 *  - the rate limit of its messages, 10 in 5 s, may have been reached (DEFAULT_RATELIMIT_*). What
 *    counts is calls of __ratelimit(): VT-d's handler makes one for its first message, one for each
 *    fault record and one for the empty record at which it ends.
 *  - several IOMMUs of a kind had interrupts: their handlers share the limit, and up to 6.15 one
 *    that finds it locked says nothing.
 *  - VT-d's fault recording registers may have been full: then faults are dropped. The status that
 *    the handler logs (FSTS.PFO) tells of drops before it began, nothing tells of those before it
 *    ended. So it may have been as soon as there were as many records as registers; those of the
 *    functions with a record are told, for more faults of one function merge with the first.
 *  - a message says so, the log was overwritten before it was read, or cannot be read.
 *
 * Without the counts, no record is taken for none while no message can have been suppressed.
 * One thread.
 */

#define FAULT_BURST 10   /* calls of __ratelimit() that succeed in an interval */
#define FAULT_QUEUE 4096 /* records between two calls of the platform's faults() */

/** Which observers could be read in this round. */
struct fault_observers {
	bool log;
	bool interrupts; /* of every IOMMU in use */
};

/** Calls of __ratelimit() that are known of. */
struct fault_limit {
	uint64_t time[FAULT_BURST]; /* of the message, us on the log's clock */
	uint64_t read[FAULT_BURST]; /* when it was read, ns */
	unsigned int count;
	uint64_t until; /* ns: up to then messages may have been suppressed */
	bool expected;  /* the kernel has yet to say that it suppressed some */
};

/** One kind of IOMMU in one round. */
struct fault_round {
	unsigned int runs;    /* of handlers, by the count of interrupts */
	unsigned int units;   /* IOMMUs that had any */
	unsigned int begins;  /* messages that a handler began (VT-d) */
	unsigned int records; /* messages of faults */
	bool surplus;         /* the round before had begins of runs that were not counted yet */
};

struct fault_rules {
	const char *sysfs;
	unsigned int registers; /* VT-d's fault recording registers, the fewest of any unit */
	struct fault_lines lines;
	struct fault_limit limit[FAULT_IOMMUS];
	struct fault_round round[FAULT_IOMMUS];
	uint64_t begin; /* ns: of the round before, from when on this one has to tell */
	uint64_t now;   /* ns: of this round, up to when it tells at least */
	uint64_t read;  /* ns: of the last message */
	uint64_t time;  /* us on the log's clock: of the last message */
	bool log_lost;  /* in this round */
	char blind[sizeof(((struct shunt_fault *)NULL)->observer)]; /* who cannot tell whose */
	struct shunt_fault *queue;
	unsigned int first;
	unsigned int count;
};

/**
 * @param sysfs      root of the tree in which functions are looked up; kept
 * @param registers  0: no VT-d
 * @param now        CLOCK_MONOTONIC, ns: from when on faults are of interest
 * @return 0, -ENOMEM
 */
int fault_rules_init(
	struct fault_rules *rules, const char *sysfs, unsigned int registers, uint64_t now);

void fault_rules_fini(struct fault_rules *rules);

/** Begins a round. All interrupts from before have been handled, or fault_rules_blind() follows. */
void fault_rules_begin(struct fault_rules *rules, uint64_t now);

/** Fault interrupts of one unit since the round before. */
void fault_rules_interrupts(
	struct fault_rules *rules, enum fault_iommu iommu, unsigned int interrupts);

/** A record of the log, as read from /dev/kmsg at a time `now`; changed. */
void fault_rules_log(struct fault_rules *rules, char *record, uint64_t now);

/** Records of the log were overwritten before they were read. */
void fault_rules_log_lost(struct fault_rules *rules);

/** A fault that the tracepoint saw. */
void fault_rules_traced(struct fault_rules *rules, const char *function, uint64_t iova, bool write);

/** An observer lost something: nobody can tell whose DMA was refused. */
void fault_rules_blind(struct fault_rules *rules, const char *observer);

/** Ends a round; what it found is to be taken. */
void fault_rules_end(struct fault_rules *rules, struct fault_observers observers);

/** Takes out up to n records. @return their number */
unsigned int fault_rules_take(
	struct fault_rules *rules, struct shunt_fault *records, unsigned int n);

/** Whether every record was taken: a new round may begin. */
bool fault_rules_empty(const struct fault_rules *rules);

#endif
