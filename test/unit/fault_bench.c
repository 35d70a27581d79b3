/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fault_bench.h"

const struct fault_observers all_observers = { .log = true, .interrupts = true };

void start(struct bench *bench, unsigned int registers)
{
	fault_rules_fini(&bench->rules);
	bench->now = 100 * SECOND;
	assert_int_equal(
		fault_rules_init(&bench->rules, bench->tree.root, registers, bench->now), 0);
	bench->now += LATER;
	fault_rules_begin(&bench->rules, bench->now);
	fault_rules_end(&bench->rules, all_observers);
	assert_true(fault_rules_empty(&bench->rules));
}

int set_up(void **state)
{
	static const struct sysfs_function functions[] = {
		{ A, 0x8086, 0x10c9, 0x020000, NULL, 4, NULL },
		{ B, 0x8086, 0x10c9, 0x020000, NULL, 4, NULL },
		{ "0000:06:00.0", 0x8086, 0x10c9, 0x020000, NULL, 8, NULL },
		{ "0000:02:00.0", 0x104c, 0x8233, 0x060400, NULL, 4, NULL },
		{ "0000:07:00.0", 0x8086, 0x10c9, 0x020000, NULL, 9, NULL },
		{ "0001:07:00.0", 0x8086, 0x10c9, 0x020000, NULL, 10, NULL },
		{ "10000:e1:00.0", 0x144d, 0xa80a, 0x010802, NULL, 11, NULL },
	};
	static struct bench bench;

	memset(&bench, 0, sizeof(bench));
	sysfs_tree_create(&bench.tree);
	for (unsigned int i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		sysfs_tree_add(&bench.tree, &functions[i]);
	start(&bench, 8);
	*state = &bench;
	return 0;
}

int tear_down(void **state)
{
	struct bench *bench = *state;

	fault_rules_fini(&bench->rules);
	sysfs_tree_destroy(&bench->tree);
	return 0;
}

void round_begin(struct bench *bench, uint64_t after)
{
	bench->now += after;
	fault_rules_begin(&bench->rules, bench->now);
}

void logs_with(struct bench *bench, unsigned int priority, const char *text)
{
	char record[512];

	snprintf(record, sizeof(record),
		"%u,%llu,%llu,-,caller=C1;%s\n SUBSYSTEM=pci\n DEVICE=+pci:0000:09:00.0\n",
		priority, (unsigned long long)bench->sequence++,
		(unsigned long long)bench->now / 1000, text);
	fault_rules_log(&bench->rules, record, bench->now);
}

void logs(struct bench *bench, const char *text)
{
	logs_with(bench, 3, text);
}

void vtd_run(struct bench *bench, unsigned int status)
{
	char text[64];

	snprintf(text, sizeof(text), "DMAR: DRHD: handling fault status reg %x", status);
	logs(bench, text);
}

void vtd_fault(struct bench *bench, const char *source)
{
	char text[160];

	snprintf(text, sizeof(text),
		"DMAR: [DMA Read NO_PASID] Request device [%s] fault addr 0x40001000 [fault reason "
		"0x02] Present bit in context entry is clear",
		source);
	logs(bench, text);
}

void round_end_with(struct bench *bench, struct fault_observers observers)
{
	fault_rules_end(&bench->rules, observers);
	bench->count = fault_rules_take(&bench->rules, bench->records, FAULT_QUEUE);
	assert_true(fault_rules_empty(&bench->rules));
}

void round_end(struct bench *bench)
{
	round_end_with(bench, all_observers);
}

unsigned int seen(const struct bench *bench, const char *function)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < bench->count; i++)
		n += strcmp(bench->records[i].function, function) == 0;
	return n;
}

void expect(const struct bench *bench, unsigned int a, unsigned int b, bool sure)
{
	assert_int_equal(seen(bench, A), a);
	assert_int_equal(seen(bench, B), b);
	assert_int_equal(seen(bench, ""), sure ? 0 : 1);
}

void is_record(const struct shunt_fault *record, const char *function, uint64_t iova, bool write,
	uint32_t reason)
{
	assert_string_equal(record->function, function);
	assert_string_equal(record->observer, "kmsg");
	assert_int_equal(record->iova, iova);
	assert_int_equal(record->write, write);
	assert_int_equal(record->reason, reason);
	assert_true(record->time > 0);
}
