/* SPDX-License-Identifier: BSD-3-Clause */
/* What the count of fault interrupts and the log say together: over made-up trees. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_faults.h"
#include "kernel_tree.h"

#define A       "0000:03:00.0"
#define B       "0000:04:00.0"
#define C       "0000:83:00.0"
#define RECORDS 8192

#define READ_A                                                                                    \
	"DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x40001000 [fault reason " \
	"0x02] Present bit in context entry is clear"

struct rig {
	struct kernel_tree tree;
	struct kernel_faults *faults;
	struct shunt_fault records[RECORDS];
	int count;
};

static struct rig rig;

/* What a round found. */
static void observe(void)
{
	rig.count = kernel_faults_take(rig.faults, rig.records, RECORDS);
}

static void begin(void)
{
	assert_int_equal(kernel_faults_create(&rig.tree.roots, &rig.faults), 0);
	observe();
	assert_int_equal(rig.count, 0); /* nobody is watched */
	assert_int_equal(kernel_faults_watch(rig.faults, A), 0);
	assert_int_equal(kernel_faults_watch(rig.faults, B), 0);
	assert_int_equal(kernel_faults_watch(rig.faults, C), 0);
	assert_int_equal(kernel_faults_watch(rig.faults, A), 0);
}

/* A and B behind dmar0, C behind dmar1. */
static int set_up(void **state)
{
	kernel_tree_create(&rig.tree);
	kernel_tree_function(&rig.tree, A, "dmar0");
	kernel_tree_function(&rig.tree, B, "dmar0");
	kernel_tree_function(&rig.tree, C, "dmar1");
	kernel_tree_irq(&rig.tree, 24, "dmar0");
	kernel_tree_irq(&rig.tree, 25, "dmar1");
	begin();
	return 0;
}

static int tear_down(void **state)
{
	kernel_faults_destroy(rig.faults);
	kernel_tree_destroy(&rig.tree);
	return 0;
}

static void logs(const char *text)
{
	kernel_tree_log(&rig.tree, 3, text);
}

#define UNKNOWN (-1)

/* Faults that the round found of a function. */
static int of(const char *function)
{
	int faults = 0, unknown = 0;

	for (int i = 0; i < rig.count; i++) {
		if (strcmp(rig.records[i].function, function) != 0)
			continue;
		unknown += rig.records[i].unknown;
		faults += !rig.records[i].unknown;
	}
	assert_true(unknown <= 1 && !(faults && unknown));
	return unknown ? UNKNOWN : faults;
}

static void expect(int a, int b, int c)
{
	observe();
	assert_int_equal(of(A), a);
	assert_int_equal(of(B), b);
	assert_int_equal(of(C), c);
}

static void without_an_interrupt_nothing_was_refused(void **state)
{
	expect(0, 0, 0);
	logs(READ_A);
	logs("process 'x' launched '/tmp/AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:03:00.0 "
	     "domain=0x0001 address=0x1000 flags=0x0020]' with NULL argv: empty string added");
	logs("dmar_fault: 12 callbacks suppressed");
	expect(0, 0, 0);
	assert_int_equal(rig.count, 0);
	/* Nor does what came then count later. */
	logs(READ_A);
	expect(0, 0, 0);
	kernel_tree_count(&rig.tree, 24, "0,6\n");
	expect(UNKNOWN, UNKNOWN, 0);
}

static void a_message_says_whose_it_was(void **state)
{
	expect(0, 0, 0);
	kernel_tree_count(&rig.tree, 24, "0,6\n");
	logs(READ_A);
	logs(READ_A);
	expect(2, UNKNOWN, 0);
	for (int i = 0; i < rig.count; i++) {
		const struct shunt_fault *record = &rig.records[i];

		assert_true(record->function[0] && record->time);
		if (record->unknown)
			continue;
		assert_string_equal(record->observer, "kmsg");
		assert_int_equal(record->iova, 0x40001000);
		assert_int_equal(record->reason, 2);
		assert_false(record->write);
	}
	expect(0, 0, 0);
}

static void an_interrupt_without_a_message_is_somebodys(void **state)
{
	expect(0, 0, 0);
	kernel_tree_count(&rig.tree, 25, "1,5\n");
	expect(0, 0, UNKNOWN);
	kernel_tree_count(&rig.tree, 24, "0,9\n");
	expect(UNKNOWN, UNKNOWN, 0);
	expect(0, 0, 0);
}

/* Its own IOMMU was not asked for help, is not here, or the program's name is the message. */
static void only_whole_messages_of_the_iommu_count(void **state)
{
	static const char *const lines[] = {
		"DMAR: [DMA Read[123]: segfault at 0 ip 0 sp 0 error 4 in ] Request device "
		"[03:00.0] fault addr 0x0 [fault reason 0x02][400000+1000]",
		"x" READ_A,
		"AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:03:00.0 domain=0x0001 "
		"address=0x1000 flags=0x0020]",
		"virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]",
		"DMAR: [DMA Read NO_PASID] Request device [83:00.0] fault addr 0x40001000 [fault "
		"reason 0x02] Present bit in context entry is clear",
		"DMAR: [DMA Read NO_PASID] Request device [0001:03:00.0] fault addr 0x40001000 "
		"[fault reason 0x02] Present bit in context entry is clear",
	};

	expect(0, 0, 0);
	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		logs(lines[i]);
	kernel_tree_log(&rig.tree, 8 | 3, READ_A); /* a process's */
	kernel_tree_count(&rig.tree, 24, "0,6\n");
	expect(UNKNOWN, UNKNOWN, 0);
}

/* The name of a process says nothing; it is no thread of the kernel's. */
static void a_process_named_like_a_handler_is_not_waited_for(void **state)
{
	kernel_tree_process(&rig.tree, 90, "irq/24-x", 'R');
	kernel_faults_destroy(rig.faults);
	begin();
	expect(0, 0, 0);
	kernel_tree_count(&rig.tree, 24, "0,6\n");
	logs(READ_A);
	expect(1, UNKNOWN, 0);
}

static void what_cannot_be_counted_is_unknown(void **state)
{
	kernel_faults_destroy(rig.faults);
	assert_int_equal(kernel_faults_create(&rig.tree.roots, &rig.faults), 0);
	assert_int_equal(kernel_faults_watch(rig.faults, A), 0);
	assert_int_equal(kernel_faults_watch(rig.faults, "0000:07:00.0"), 0); /* no IOMMU */
	assert_int_equal(kernel_faults_watch(rig.faults, "eth0"), -EINVAL);
	for (int i = 0; i < 2; i++) {
		observe();
		assert_int_equal(of(A), 0);
		assert_int_equal(of("0000:07:00.0"), UNKNOWN);
	}
	kernel_tree_count(&rig.tree, 24, "gone\n");
	observe();
	assert_int_equal(rig.count, -ENOTSUP);
}

static void without_a_count_nobody_observes(void **state)
{
	char names[64];

	kernel_faults_observers(rig.faults, names, sizeof(names));
	assert_string_equal(names, "kmsg interrupts");
	kernel_faults_destroy(rig.faults);
	rig.tree.roots.sys = rig.tree.tracefs; /* a container's */
	begin();
	kernel_faults_observers(rig.faults, names, sizeof(names));
	assert_string_equal(names, "");
	logs(READ_A);
	observe();
	assert_int_equal(rig.count, -ENOTSUP);
}

/* On a processor that the visitor cannot have. */
static void what_has_not_settled_is_unknown(void **state)
{
	kernel_tree_put(&rig.tree, "proc/irq/24/effective_affinity_list", "8191\n");
	expect(UNKNOWN, UNKNOWN, UNKNOWN);
	/* Messages of then come too late. */
	logs(READ_A);
	kernel_tree_count(&rig.tree, 24, "0,6\n");
	kernel_tree_irq(&rig.tree, 24, "dmar0");
	kernel_tree_count(&rig.tree, 24, "0,6\n");
	expect(UNKNOWN, UNKNOWN, 0);
	expect(0, 0, 0);
}

static void records_are_taken_in_parts(void **state)
{
	int left = 13; /* of A, and that B's are unknown */

	expect(0, 0, 0);
	kernel_tree_count(&rig.tree, 24, "0,6\n");
	for (int i = 0; i < 12; i++)
		logs(READ_A);
	while (left > 0) {
		int n = kernel_faults_take(rig.faults, rig.records, 5);

		assert_int_equal(n, left < 5 ? left : 5);
		assert_string_equal(rig.records[0].function, A);
		left -= n;
	}
	assert_string_equal(rig.records[2].function, B);
	assert_true(rig.records[2].unknown);
	expect(0, 0, 0);
}

#define faults_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		faults_test(without_an_interrupt_nothing_was_refused),
		faults_test(a_message_says_whose_it_was),
		faults_test(an_interrupt_without_a_message_is_somebodys),
		faults_test(only_whole_messages_of_the_iommu_count),
		faults_test(a_process_named_like_a_handler_is_not_waited_for),
		faults_test(what_cannot_be_counted_is_unknown),
		faults_test(without_a_count_nobody_observes),
		faults_test(what_has_not_settled_is_unknown),
		faults_test(records_are_taken_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
