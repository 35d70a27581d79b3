/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What records of faults come out of what lines of the kernel's log, counts of interrupts and
 * events of the tracepoint: on a made-up clock, over a made-up tree of functions. Lines are as
 * Linux 6.12.95 and 7.3.4 write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_fault_rules.h"
#include "kernel_fault_source.h"
#include "kernel_trace.h"
#include "sysfs_tree.h"

#define SECOND 1000000000ull
#define LATER  (10 * SECOND) /* after the start: what was logged before limits nothing any more */

#define A      "0000:03:00.0"
#define B      "0000:04:00.0"

static const struct fault_observers all = { .log = true, .interrupts = true };

struct bench {
	struct sysfs_tree tree;
	struct fault_rules rules;
	uint64_t now;
	uint64_t sequence;
	struct shunt_fault records[FAULT_QUEUE];
	unsigned int count;
};

static void start(struct bench *bench, unsigned int registers)
{
	fault_rules_fini(&bench->rules);
	bench->now = 100 * SECOND;
	assert_int_equal(
		fault_rules_init(&bench->rules, bench->tree.root, registers, bench->now), 0);
	bench->now += LATER;
	fault_rules_begin(&bench->rules, bench->now);
	fault_rules_end(&bench->rules, all);
	assert_true(fault_rules_empty(&bench->rules));
}

static int set_up(void **state)
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

static int tear_down(void **state)
{
	struct bench *bench = *state;

	fault_rules_fini(&bench->rules);
	sysfs_tree_destroy(&bench->tree);
	return 0;
}

static void begin(struct bench *bench, uint64_t after)
{
	bench->now += after;
	fault_rules_begin(&bench->rules, bench->now);
}

static void logs_with(struct bench *bench, unsigned int priority, const char *text)
{
	char record[512];

	snprintf(record, sizeof(record),
		"%u,%llu,%llu,-,caller=C1;%s\n SUBSYSTEM=pci\n DEVICE=+pci:0000:09:00.0\n",
		priority, (unsigned long long)bench->sequence++,
		(unsigned long long)bench->now / 1000, text);
	fault_rules_log(&bench->rules, record, bench->now);
}

static void logs(struct bench *bench, const char *text)
{
	logs_with(bench, 3, text);
}

static void vtd_run(struct bench *bench, unsigned int status)
{
	char text[64];

	snprintf(text, sizeof(text), "DMAR: DRHD: handling fault status reg %x", status);
	logs(bench, text);
}

static void vtd_fault(struct bench *bench, const char *source)
{
	char text[160];

	snprintf(text, sizeof(text),
		"DMAR: [DMA Read NO_PASID] Request device [%s] fault addr 0x40001000 [fault reason "
		"0x02] Present bit in context entry is clear",
		source);
	logs(bench, text);
}

static void end_with(struct bench *bench, struct fault_observers observers)
{
	fault_rules_end(&bench->rules, observers);
	bench->count = fault_rules_take(&bench->rules, bench->records, FAULT_QUEUE);
	assert_true(fault_rules_empty(&bench->rules));
}

static void end(struct bench *bench)
{
	end_with(bench, all);
}

static unsigned int seen(const struct bench *bench, const char *function)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < bench->count; i++)
		n += strcmp(bench->records[i].function, function) == 0;
	return n;
}

/* What a round found: records of A and of B, and whether it is sure that there are no others. */
static void expect(const struct bench *bench, unsigned int a, unsigned int b, bool sure)
{
	assert_int_equal(seen(bench, A), a);
	assert_int_equal(seen(bench, B), b);
	assert_int_equal(seen(bench, ""), sure ? 0 : 1);
}

static void is_record(const struct shunt_fault *record, const char *function, uint64_t iova,
	bool write, uint32_t reason)
{
	assert_string_equal(record->function, function);
	assert_string_equal(record->observer, "kmsg");
	assert_int_equal(record->iova, iova);
	assert_int_equal(record->write, write);
	assert_int_equal(record->reason, reason);
	assert_true(record->time > 0);
}

static void vtd_lines_are_read(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	logs(bench, "DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x12345000 "
		    "[fault reason 0x06] PTE Read access is not set");
	logs(bench, "DMAR: [DMA Write PASID 0x5] Request device [0000:04:00.0] fault addr "
		    "0xffffffff0000 [fault reason 0x59] SM: Present bit in PASID Table Entry is "
		    "clear");
	logs(bench, "DMAR: [DMA Write NO_PASID] Request device [0001:07:00.0] fault addr 0x0 "
		    "[fault reason 0x05] PTE Write access is not set");
	end(bench);
	assert_int_equal(bench->count, 3);
	is_record(&bench->records[0], A, 0x12345000, false, 0x06);
	is_record(&bench->records[1], B, 0xffffffff0000, true, 0x59);
	is_record(&bench->records[2], "0001:07:00.0", 0, true, 0x05);
}

static void a_source_is_one_function_or_nobody(void **state)
{
	struct bench *bench = *state;
	static const char *const nobody[] = {
		"07:00.0",      /* in two domains, and old kernels do not tell which */
		"09:00.0",      /* not there */
		"0000:02:00.0", /* a bridge: any function behind it */
		"0002:03:00.0",
		"03:ff.9",
		"",
	};

	for (unsigned int i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		start(bench, 8);
		begin(bench, SECOND);
		fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
		vtd_run(bench, 2);
		vtd_fault(bench, nobody[i]);
		end(bench);
		assert_int_equal(bench->count, 1);
		expect(bench, 0, 0, false);
	}
	start(bench, 8);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	vtd_fault(bench, "10000:e1:00.0");
	end(bench);
	assert_int_equal(seen(bench, "10000:e1:00.0"), 1);
	expect(bench, 0, 0, true);
}

static void amd_lines_are_read(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_AMD, 3);
	logs(bench, "vfio-pci 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a "
		    "address=0x40002000 flags=0x0020]");
	logs(bench, "AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:04:00.0 domain=0x000a "
		    "address=0x40003000 flags=0x0000]");
	logs(bench, "pci 0000:00:00.2: AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY "
		    "device=0000:04:00.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a20]");
	logs(bench, "AMD-Vi: Event logged [Device not attached to domain properly]");
	logs(bench, "AMD-Vi:   device=0000:03:00.0 domain=0x0000");
	/* No DMA: a command of the driver, and an interrupt. */
	logs(bench, "pci 0000:00:00.2: AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR "
		    "address=0x1000 flags=0x0000]");
	logs(bench, "vfio-pci 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a "
		    "address=0xfffffffdf8000000 flags=0x0008]");
	end(bench);
	assert_int_equal(bench->count, 4);
	is_record(&bench->records[0], A, 0x40002000, true, 2);
	is_record(&bench->records[1], B, 0x40003000, false, 2);
	is_record(&bench->records[2], B, 0xfffffffdf8000000, true, 1);
	assert_string_equal(bench->records[3].function, A);

	start(bench, 0);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_AMD, 1);
	logs(bench, "AMD-Vi: IOMMU Event log restarting");
	end(bench);
	expect(bench, 0, 0, false);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_AMD, 1);
	logs(bench, "pci 0000:00:00.2: AMD-Vi: Event logged [UNKNOWN event[0]=0x00000300 "
		    "event[1]=0xf0000000 event[2]=0x00000000 event[3]=0x00000000");
	end(bench);
	expect(bench, 0, 0, false);
}

static void virtio_lines_are_read(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 2);
	logs(bench, "virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]");
	logs(bench, "virtio_iommu virtio0: domain fault from EP 1024 at 0xfffffffff000 [W]");
	logs(bench, "virtio_iommu virtio0: unknown fault from EP 768");
	logs(bench, "virtio_iommu virtio0: input address: 39 bits");
	end(bench);
	assert_int_equal(bench->count, 3);
	is_record(&bench->records[0], A, 0x1000, false, 2);
	is_record(&bench->records[1], B, 0xfffffffff000, true, 1);
	is_record(&bench->records[2], A, 0, false, 0);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	logs(bench, "virtio_iommu virtio0: could not add event buffer");
	end(bench);
	expect(bench, 0, 0, false);
}

/* Five messages; the log shows their tabs as \x09. */
static void smmu_event(struct bench *bench, const char *word0, const char *word1)
{
	char text[128];
	const char *words[] = { word0, word1, "0x0000000040004000", "0x0000000000000000" };

	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:");
	for (unsigned int i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "arm-smmu-v3 arm-smmu-v3.0.auto: \\x09%s", words[i]);
		logs(bench, text);
	}
}

static void smmu_events_are_read(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_SMMU3, 1);
	smmu_event(bench, "0x0000030000000010", "0x0000020000000000"); /* stream 0x300, write */
	smmu_event(bench, "0x000004000000000a", "0x0000000800000000"); /* 0x400, read, C_BAD_CD */
	end(bench);
	assert_int_equal(bench->count, 2);
	is_record(&bench->records[0], A, 0x40004000, true, 0x10);
	is_record(&bench->records[1], B, 0x40004000, false, 0x0a);
}

static void decoded_smmu_events_count_once(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_SMMU3, 1);
	/* The stream is no function's requester ID here; the client is known. */
	smmu_event(bench, "0x0001030000000010", "0x0000000000000000");
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: 0000:03:00.0 "
		    "sid: 0x10300 ssid: 0x0 iova: 0x40004000 ipa: 0x0");
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: unpriv data write s1 \"Input address caused "
		    "fault\" stag: 0x0");
	smmu_event(bench, "0x000004000000000a", "0x0000000000000000");
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: event: C_BAD_CD client: (unassigned sid) sid: "
		    "0x400 ssid: 0x0");
	end(bench);
	assert_int_equal(bench->count, 2);
	is_record(&bench->records[0], A, 0x40004000, true, 0x10);
	assert_string_equal(bench->records[1].function, B);

	/* Its decoded message came too late for the round. */
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_SMMU3, 1);
	smmu_event(bench, "0x0000030000000010", "0x0000000000000000");
	end(bench);
	expect(bench, 1, 0, true);
	begin(bench, SECOND);
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: 0000:03:00.0 "
		    "sid: 0x300 ssid: 0x0 iova: 0x40004000 ipa: 0x0");
	end(bench);
	expect(bench, 0, 0, true);
}

static void torn_smmu_events_are_somebodys(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_SMMU3, 1);
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:");
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: \\x090x0000030000000010");
	logs(bench, "arm-smmu-v3 arm-smmu-v3.1.auto: event 0x10 received:");
	end(bench);
	assert_int_equal(bench->count, 1);
	expect(bench, 0, 0, false);
	begin(bench, LATER);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_SMMU3, 1);
	smmu_event(bench, "0x0000030000000010", "0x0000000000000000");
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: EVTQ overflow detected -- events lost");
	end(bench);
	expect(bench, 1, 0, false);
}

static void other_lines_say_nothing(void **state)
{
	struct bench *bench = *state;
	static const char *const lines[] = {
		"",
		";;;",
		"DMAR: Host address width 48",
		"DMAR: DRHD base: 0x000000fed90000 flags: 0x0",
		"DMAR-IR: Enabled IRQ remapping in xapic mode",
		"vfio-pci 0000:03:00.0: vfio_bar_restore: reset recovery - restoring BARs",
		"arm-smmu-v3 arm-smmu-v3.0.auto: option mask 0x0",
		"arm-smmu-v3",
		"virtio_iommu",
		"net_ratelimit: 30 callbacks suppressed",
		"AMD-Vi: Interrupt remapping enabled",
		"Request device [03:00.0] fault addr 0x1000 [fault reason 0x06]",
	};
	char garbage[][64] = { "", "\n", "3,1", ";", "a,b,c;DMAR: [DMA Read NO_PASID]",
		" SUBSYSTEM=pci\n DEVICE=+pci:0000:03:00.0\n" };

	begin(bench, SECOND);
	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		logs(bench, lines[i]);
	for (unsigned int i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		fault_rules_log(&bench->rules, garbage[i], bench->now);
	/* A process can write to the log, but not as the kernel. */
	logs_with(bench, 8 | 3,
		"DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x1000 [fault "
		"reason "
		"0x06] PTE Read access is not set");
	end(bench);
	assert_int_equal(bench->count, 0);
}

static void a_fault_that_cannot_be_read_is_somebodys(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	logs(bench, "DMAR: [DMA Read NO_PASID] Request device <03:00.0> refused");
	end(bench);
	assert_int_equal(bench->count, 1);
	expect(bench, 0, 0, false);
}

static void without_an_interrupt_nothing_was_refused(void **state)
{
	struct bench *bench = *state;

	/* Not even when the log is gone or full. */
	for (int i = 0; i < 3; i++) {
		begin(bench, SECOND);
		if (i == 1)
			fault_rules_log_lost(&bench->rules);
		end_with(bench, (struct fault_observers){ .log = i < 2, .interrupts = true });
		assert_int_equal(bench->count, 0);
	}
}

static void one_vtd_fault_is_complete_while_registers_are_free(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	vtd_fault(bench, "0000:06:00.0");
	end(bench);
	expect(bench, 1, 0, true);
	assert_int_equal(bench->count, 2);
	/* With one register, as QEMU's, B's fault finds it taken and nothing tells. */
	start(bench, 1);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	end(bench);
	expect(bench, 1, 0, false);
	begin(bench, SECOND);
	end(bench);
	expect(bench, 0, 0, true);
	/* An interrupt that was refused takes a register too. */
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	logs(bench,
		"DMAR: [INTR-REMAP] Request device [0000:06:00.0] fault index 0x5 [fault reason "
		"0x22] Present field in the IRTE entry is clear");
	end(bench);
	expect(bench, 0, 0, false);
}

static void a_vtd_overflow_is_said(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 0x43); /* FSTS: overflow, pending, invalidation time-out */
	vtd_fault(bench, "03:00.0");
	end(bench);
	expect(bench, 1, 0, false);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 0x42);
	vtd_fault(bench, "03:00.0");
	end(bench);
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
		begin(bench, SECOND / 2);
		fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
		vtd_run(bench, 2);
		vtd_fault(bench, "03:00.0");
		end(bench);
		expect(bench, 1, 0, true);
	}
	begin(bench, SECOND / 2);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	end(bench);
	expect(bench, 0, 0, false);
	begin(bench, SECOND / 2);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 7);
	end(bench);
	expect(bench, 0, 0, false);
	begin(bench, SECOND / 2);
	end(bench);
	expect(bench, 0, 0, true); /* no interrupt came */
	/* The interval over, the kernel tells of what was known. */
	begin(bench, 5 * SECOND);
	end(bench);
	begin(bench, SECOND / 2);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	logs_with(bench, 4, "dmar_fault: 22 callbacks suppressed");
	vtd_run(bench, 2);
	vtd_fault(bench, "04:00.0");
	end(bench);
	expect(bench, 0, 1, true);
	/* Suppressed when nothing was expected to be: somebody's records are missing. */
	begin(bench, LATER);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	logs_with(bench, 4, "dmar_fault: 2 callbacks suppressed");
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	end(bench);
	expect(bench, 1, 0, false);
}

static void a_run_that_is_not_in_the_log_is_somebodys(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 2);
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	end(bench);
	expect(bench, 1, 0, false);
}

/* The handler ran after the counts were read and before the log was. */
static void messages_may_come_before_their_interrupt_is_counted(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	vtd_run(bench, 2);
	vtd_fault(bench, "03:00.0");
	end(bench);
	expect(bench, 1, 0, true);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	end(bench);
	expect(bench, 0, 0, false);
	begin(bench, SECOND);
	end(bench);
	expect(bench, 0, 0, true);
}

static void units_that_share_a_limit_are_not_sure(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	for (int i = 0; i < 2; i++) {
		vtd_run(bench, 2);
		vtd_fault(bench, i ? "04:00.0" : "03:00.0");
	}
	end(bench);
	expect(bench, 1, 1, false);
}

static void virtio_messages_are_suppressed_after_ten(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	for (int i = 0; i < 9; i++)
		logs(bench, "virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]");
	end(bench);
	expect(bench, 9, 0, true);
	/* An interrupt of the line that tells of no fault. */
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	end(bench);
	expect(bench, 0, 0, true);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	logs(bench, "virtio_iommu virtio0: page fault from EP 1024 at 0x1000 [W]");
	end(bench);
	expect(bench, 0, 1, false);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	end(bench);
	expect(bench, 0, 0, false);
	/* Five seconds after the first of the ten the limit begins anew. */
	begin(bench, 3 * SECOND);
	end(bench);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	logs(bench, "viommu_fault_handler: 3 callbacks suppressed");
	logs(bench, "virtio_iommu virtio0: page fault from EP 1024 at 0x1000 [W]");
	end(bench);
	expect(bench, 0, 1, true);
}

static void messages_far_apart_do_not_reach_the_limit(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 40; i++) {
		begin(bench, SECOND * 6 / 10);
		fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
		logs(bench, "virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]");
		end(bench);
		expect(bench, 1, 0, true);
	}
}

static void what_was_logged_before_may_have_reached_the_limit(void **state)
{
	struct bench *bench = *state;

	fault_rules_fini(&bench->rules);
	assert_int_equal(fault_rules_init(&bench->rules, bench->tree.root, 8, bench->now), 0);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	end(bench);
	expect(bench, 0, 0, false);
}

static void a_log_that_was_overwritten_tells_of_nobody(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	fault_rules_log_lost(&bench->rules);
	logs(bench, "virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]");
	end(bench);
	expect(bench, 1, 0, false);
	/* Nor can anybody tell how much of the limit is used up. */
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	end(bench);
	expect(bench, 0, 0, false);
	begin(bench, LATER);
	end(bench);
	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	end(bench);
	expect(bench, 0, 0, true);
}

static void without_the_log_an_interrupt_is_somebodys(void **state)
{
	static const struct fault_observers interrupts = { .interrupts = true };
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	end_with(bench, interrupts);
	expect(bench, 0, 0, false);
	assert_string_equal(bench->records[0].observer, "interrupts");
	begin(bench, SECOND);
	end_with(bench, interrupts);
	expect(bench, 0, 0, true);
}

static void without_interrupts_the_log_is_believed_up_to_its_limit(void **state)
{
	static const struct fault_observers log = { .log = true };
	struct bench *bench = *state;

	for (int run = 0; run < 3; run++) {
		begin(bench, SECOND / 2);
		vtd_run(bench, 2);
		vtd_fault(bench, "03:00.0");
		end_with(bench, log);
		expect(bench, 1, 0, true);
	}
	for (int i = 0; i < 3; i++) { /* from the tenth call on */
		begin(bench, SECOND / 2);
		if (i == 0)
			vtd_run(bench, 2);
		end_with(bench, log);
		expect(bench, 0, 0, false);
	}
	begin(bench, LATER);
	end_with(bench, log);
	expect(bench, 0, 0, false); /* it lies half in the limit */
	begin(bench, SECOND);
	end_with(bench, log);
	expect(bench, 0, 0, true);
	/* Nobody looks at all. */
	begin(bench, SECOND);
	end_with(bench, (struct fault_observers){ 0 });
	expect(bench, 0, 0, false);
}

static void a_blind_observer_is_said_once(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	fault_rules_blind(&bench->rules, "tracepoint");
	fault_rules_blind(&bench->rules, "interrupts");
	end(bench);
	assert_int_equal(bench->count, 1);
	expect(bench, 0, 0, false);
	begin(bench, SECOND);
	end(bench);
	assert_int_equal(bench->count, 0);
}

static void more_records_than_room_are_said(void **state)
{
	struct bench *bench = *state;

	begin(bench, SECOND);
	for (int i = 0; i < 2 * FAULT_QUEUE; i++)
		fault_rules_traced(&bench->rules, A, 0x1000, true);
	end(bench);
	assert_int_equal(bench->count, FAULT_QUEUE);
	expect(bench, FAULT_QUEUE - 1, 0, false);
	/* Taken out in parts, in order. */
	begin(bench, SECOND);
	for (unsigned int i = 0; i < 10; i++)
		fault_rules_traced(&bench->rules, A, i, false);
	fault_rules_end(&bench->rules, all);
	for (unsigned int i = 0; i < 10; i += bench->count) {
		assert_false(fault_rules_empty(&bench->rules));
		bench->count = fault_rules_take(&bench->rules, bench->records, 3);
		assert_int_equal(bench->records[0].iova, i);
		assert_string_equal(bench->records[0].observer, "tracepoint");
	}
	assert_true(fault_rules_empty(&bench->rules));
}

static void trace_events_are_read(void **state)
{
	struct trace_event event;

	assert_true(trace_event_parse("     irq/25-AMD-Vi-90      [001] .....   123.456789: "
				      "io_page_fault: IOMMU:vfio-pci "
				      "0000:03:00.0 iova=0x0000000040001000 flags=0x0001",
		&event));
	assert_false(event.lost);
	assert_string_equal(event.function, A);
	assert_int_equal(event.iova, 0x40001000);
	assert_true(event.write);
	assert_true(
		trace_event_parse("<idle>-0 [000] d.h1. 1.0: io_page_fault: IOMMU:igb 0000:04:00.0 "
				  "iova=0x0000000000000000 flags=0x0000",
			&event));
	assert_string_equal(event.function, B);
	assert_false(event.write);
	assert_true(trace_event_parse("CPU:1 [LOST 120 EVENTS]", &event));
	assert_true(event.lost);
	assert_true(trace_event_parse("1.0: io_page_fault: IOMMU:(null)", &event));
	assert_true(event.lost);
	assert_false(trace_event_parse("", &event));
	assert_false(trace_event_parse("<...>-1 [000] ..... 1.0: map: IOMMU: iova=0x0", &event));
}

#define fault_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		fault_test(vtd_lines_are_read),
		fault_test(a_source_is_one_function_or_nobody),
		fault_test(amd_lines_are_read),
		fault_test(virtio_lines_are_read),
		fault_test(smmu_events_are_read),
		fault_test(decoded_smmu_events_count_once),
		fault_test(torn_smmu_events_are_somebodys),
		fault_test(other_lines_say_nothing),
		fault_test(a_fault_that_cannot_be_read_is_somebodys),
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
		cmocka_unit_test(trace_events_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
