/* SPDX-License-Identifier: BSD-3-Clause */
/* What the log and the counts of interrupts together say of a round, and of what they cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fault_bench.h"

static void without_an_interrupt_nothing_was_refused(void **state)
{
	struct bench *bench = *state;

	/* Not even when the log is gone or full. */
	for (int i = 0; i < 3; i++) {
		round_begin(bench, SECOND);
		if (i == 1)
			fault_rules_log_lost(&bench->rules);
		round_end_with(bench, (struct fault_observers){ .log = i < 2, .interrupts = true });
		assert_int_equal(bench->count, 0);
	}
}

static void one_vtd_fault_is_complete_while_registers_are_free(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	vtd_fault(bench, "0000:06:00.0");
	round_end(bench);
	expect(bench, 1, 0, true);
	assert_int_equal(bench->count, 2);
	/* With one register, as QEMU's, B's fault finds it taken and nothing tells. */
	start(bench, 1);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	round_end(bench);
	expect(bench, 1, 0, false);
	round_begin(bench, SECOND);
	round_end(bench);
	expect(bench, 0, 0, true);
	/* An interrupt that was refused takes a register too. */
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	logs(bench,
		"DMAR: [INTR-REMAP] Request device [0000:06:00.0] fault index 0x5 [fault reason "
		"0x22] Present field in the IRTE entry is clear");
	round_end(bench);
	expect(bench, 0, 0, false);
}

static void a_vtd_overflow_is_said(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 0x43); /* FSTS: overflow, pending, invalidation time-out */
	vtd_fault(bench, "03:00.0");
	round_end(bench);
	expect(bench, 1, 0, false);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 0x42);
	vtd_fault(bench, "03:00.0");
	round_end(bench);
	expect(bench, 1, 0, true);
}

/*
 * A run of VT-d's handler uses up three calls of the rate limit: the beginning, the fault, the
 * empty record. Of the fourth run's, only the first succeeds.
 */
static void vtd_messages_are_suppressed_from_the_fourth_run_on(void **state)
{
	struct bench *bench = *state;

	for (int run = 0; run < 3; run++) {
		round_begin(bench, SECOND / 2);
		fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
		vtd_run(bench, 2);
		vtd_fault(bench, "03:00.0");
		round_end(bench);
		expect(bench, 1, 0, true);
	}
	round_begin(bench, SECOND / 2);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	round_end(bench);
	expect(bench, 0, 0, false);
	round_begin(bench, SECOND / 2);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 7);
	round_end(bench);
	expect(bench, 0, 0, false);
	round_begin(bench, SECOND / 2);
	round_end(bench);
	expect(bench, 0, 0, true); /* no interrupt came */
	/* The interval over, the kernel tells of what was known. */
	round_begin(bench, 5 * SECOND);
	round_end(bench);
	round_begin(bench, SECOND / 2);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	logs_with(bench, 4, "dmar_fault: 22 callbacks suppressed");
	vtd_run(bench, 2);
	vtd_fault(bench, "04:00.0");
	round_end(bench);
	expect(bench, 0, 1, true);
	/* Suppressed when nothing was expected to be: somebody's records are missing. */
	round_begin(bench, LATER);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	logs_with(bench, 4, "dmar_fault: 2 callbacks suppressed");
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	round_end(bench);
	expect(bench, 1, 0, false);
}

static void a_run_that_is_not_in_the_log_is_somebodys(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 2);
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	round_end(bench);
	expect(bench, 1, 0, false);
}

/* The handler ran after the counts were read and before the log was. */
static void messages_may_come_before_their_interrupt_is_counted(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	round_end(bench);
	expect(bench, 1, 0, true);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	round_end(bench);
	expect(bench, 0, 0, false);
	round_begin(bench, SECOND);
	round_end(bench);
	expect(bench, 0, 0, true);
}

static void units_that_share_a_limit_are_not_sure(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	for (int i = 0; i < 2; i++) {
		vtd_run(bench, 2);
		vtd_fault(bench, i ? "04:00.0" : "03:00.0");
	}
	round_end(bench);
	expect(bench, 1, 1, false);
}

static void virtio_messages_are_suppressed_after_ten(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	for (int i = 0; i < 9; i++)
		logs(bench, "virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]");
	round_end(bench);
	expect(bench, 9, 0, true);
	/* An interrupt of the line that tells of no fault. */
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	round_end(bench);
	expect(bench, 0, 0, true);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	logs(bench, "virtio_iommu virtio0: page fault from EP 1024 at 0x1000 [W]");
	round_end(bench);
	expect(bench, 0, 1, false);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	round_end(bench);
	expect(bench, 0, 0, false);
	/* Five seconds after the first of the ten the limit begins anew. */
	round_begin(bench, 3 * SECOND);
	round_end(bench);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	logs(bench, "viommu_fault_handler: 3 callbacks suppressed");
	logs(bench, "virtio_iommu virtio0: page fault from EP 1024 at 0x1000 [W]");
	round_end(bench);
	expect(bench, 0, 1, true);
}

static void messages_far_apart_do_not_reach_the_limit(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 40; i++) {
		round_begin(bench, SECOND * 6 / 10);
		fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
		logs(bench, "virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]");
		round_end(bench);
		expect(bench, 1, 0, true);
	}
}

static void what_was_logged_before_may_have_reached_the_limit(void **state)
{
	struct bench *bench = *state;

	fault_rules_fini(&bench->rules);
	assert_int_equal(fault_rules_init(&bench->rules, bench->tree.root, 8, bench->now), 0);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	round_end(bench);
	expect(bench, 0, 0, false);
}

static void a_log_that_was_overwritten_tells_of_nobody(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	fault_rules_log_lost(&bench->rules);
	logs(bench, "virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]");
	round_end(bench);
	expect(bench, 1, 0, false);
	/* Nor can anybody tell how much of the limit is used up. */
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	round_end(bench);
	expect(bench, 0, 0, false);
	round_begin(bench, LATER);
	round_end(bench);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	round_end(bench);
	expect(bench, 0, 0, true);
}

static void without_the_log_an_interrupt_is_somebodys(void **state)
{
	static const struct fault_observers interrupts = { .interrupts = true };
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	round_end_with(bench, interrupts);
	expect(bench, 0, 0, false);
	assert_string_equal(bench->records[0].observer, "interrupts");
	round_begin(bench, SECOND);
	round_end_with(bench, interrupts);
	expect(bench, 0, 0, true);
}

static void without_interrupts_the_log_is_believed_up_to_its_limit(void **state)
{
	static const struct fault_observers log = { .log = true };
	struct bench *bench = *state;

	for (int run = 0; run < 3; run++) {
		round_begin(bench, SECOND / 2);
		vtd_run(bench, 2);
		vtd_fault(bench, "03:00.0");
		round_end_with(bench, log);
		expect(bench, 1, 0, true);
	}
	for (int i = 0; i < 3; i++) { /* from the tenth call on */
		round_begin(bench, SECOND / 2);
		if (i == 0)
			vtd_run(bench, 2);
		round_end_with(bench, log);
		expect(bench, 0, 0, false);
	}
	round_begin(bench, LATER);
	round_end_with(bench, log);
	expect(bench, 0, 0, false); /* it lies half in the limit */
	round_begin(bench, SECOND);
	round_end_with(bench, log);
	expect(bench, 0, 0, true);
	/* Nobody looks at all. */
	round_begin(bench, SECOND);
	round_end_with(bench, (struct fault_observers){ 0 });
	expect(bench, 0, 0, false);
}

static void a_blind_observer_is_said_once(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_blind(&bench->rules, "tracepoint");
	fault_rules_blind(&bench->rules, "interrupts");
	round_end(bench);
	assert_int_equal(bench->count, 1);
	expect(bench, 0, 0, false);
	round_begin(bench, SECOND);
	round_end(bench);
	assert_int_equal(bench->count, 0);
}

static void more_records_than_room_are_said(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	for (int i = 0; i < 2 * FAULT_QUEUE; i++)
		fault_rules_traced(&bench->rules, A, 0x1000, true);
	round_end(bench);
	assert_int_equal(bench->count, FAULT_QUEUE);
	expect(bench, FAULT_QUEUE - 1, 0, false);
	/* Taken out in parts, in order. */
	round_begin(bench, SECOND);
	for (unsigned int i = 0; i < 10; i++)
		fault_rules_traced(&bench->rules, A, i, false);
	fault_rules_end(&bench->rules, all_observers);
	for (unsigned int i = 0; i < 10; i += bench->count) {
		assert_false(fault_rules_empty(&bench->rules));
		bench->count = fault_rules_take(&bench->rules, bench->records, 3);
		assert_int_equal(bench->records[0].iova, i);
		assert_string_equal(bench->records[0].observer, "tracepoint");
	}
	assert_true(fault_rules_empty(&bench->rules));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fault_test(without_an_interrupt_nothing_was_refused),
		fault_test(one_vtd_fault_is_complete_while_registers_are_free),
		fault_test(a_vtd_overflow_is_said),
		fault_test(vtd_messages_are_suppressed_from_the_fourth_run_on),
		fault_test(a_run_that_is_not_in_the_log_is_somebodys),
		fault_test(messages_may_come_before_their_interrupt_is_counted),
		fault_test(units_that_share_a_limit_are_not_sure),
		fault_test(virtio_messages_are_suppressed_after_ten),
		fault_test(messages_far_apart_do_not_reach_the_limit),
		fault_test(what_was_logged_before_may_have_reached_the_limit),
		fault_test(a_log_that_was_overwritten_tells_of_nobody),
		fault_test(without_the_log_an_interrupt_is_somebodys),
		fault_test(without_interrupts_the_log_is_believed_up_to_its_limit),
		fault_test(a_blind_observer_is_said_once),
		fault_test(more_records_than_room_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
