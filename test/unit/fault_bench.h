/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAULT_BENCH_H
#define FAULT_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_fault_rules.h"
#include "kernel_fault_source.h"
#include "sysfs_tree.h"

/*
 * Rules of fault records on a made-up clock, over a made-up tree of functions. Lines are as Linux
 * 6.12.95 and 7.3.4 write them.
 */

#define SECOND 1000000000ull
#define LATER  (10 * SECOND) /* after the start: what was logged before limits nothing any more */

#define A      "0000:03:00.0"
#define B      "0000:04:00.0"

/** Nobody is blind. */
extern const struct fault_observers all_observers;

struct bench {
	struct sysfs_tree tree;
	struct fault_rules rules;
	uint64_t now;
	uint64_t sequence;
	struct shunt_fault records[FAULT_QUEUE];
	unsigned int count;
};

/** A clock at 100 s, the tree, nothing logged lately; VT-d units with so many fault registers. */
void start(struct bench *bench, unsigned int registers);
/* For cmocka. */
int set_up(void **state);
int tear_down(void **state);
/** A round begins, a time after the last one. */
void round_begin(struct bench *bench, uint64_t after);
/** The kernel logs a line, as an error. */
void logs(struct bench *bench, const char *text);
/** The same, with a priority. */
void logs_with(struct bench *bench, unsigned int priority, const char *text);
/** Lines of VT-d: a run of its handler, and a fault. */
void vtd_run(struct bench *bench, unsigned int status);
void vtd_fault(struct bench *bench, const char *source);
/** The round ends; its records are in the bench. */
void round_end(struct bench *bench);
/** The same, with observers that may be blind. */
void round_end_with(struct bench *bench, struct fault_observers observers);
/** Records of a function. */
unsigned int seen(const struct bench *bench, const char *function);
/** What a round found: records of A and of B, and whether it is sure that there are no others. */
void expect(const struct bench *bench, unsigned int a, unsigned int b, bool sure);
/** What a record has to be. */
void is_record(const struct shunt_fault *record, const char *function, uint64_t iova, bool write,
	uint32_t reason);

#define fault_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
