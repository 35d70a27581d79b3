/* SPDX-License-Identifier: BSD-3-Clause */
/* Which records come out of which lines of the kernel's log, and of events of the tracepoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fault_bench.h"
#include "kernel_trace.h"

static void vtd_lines_are_read(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	logs(bench, "DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x12345000 "
		    "[fault reason 0x06] PTE Read access is not set");
	logs(bench, "DMAR: [DMA Write PASID 0x5] Request device [0000:04:00.0] fault addr "
		    "0xffffffff0000 [fault reason 0x59] SM: Present bit in PASID Table Entry is "
		    "clear");
	logs(bench, "DMAR: [DMA Write NO_PASID] Request device [0001:07:00.0] fault addr 0x0 "
		    "[fault reason 0x05] PTE Write access is not set");
	round_end(bench);
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
		round_begin(bench, SECOND);
		fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
		vtd_run(bench, 2);
		vtd_fault(bench, nobody[i]);
		round_end(bench);
		assert_int_equal(bench->count, 1);
		expect(bench, 0, 0, false);
	}
	start(bench, 8);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	vtd_fault(bench, "10000:e1:00.0");
	round_end(bench);
	assert_int_equal(seen(bench, "10000:e1:00.0"), 1);
	expect(bench, 0, 0, true);
}

static void amd_lines_are_read(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
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
	round_end(bench);
	assert_int_equal(bench->count, 4);
	is_record(&bench->records[0], A, 0x40002000, true, 2);
	is_record(&bench->records[1], B, 0x40003000, false, 2);
	is_record(&bench->records[2], B, 0xfffffffdf8000000, true, 1);
	assert_string_equal(bench->records[3].function, A);

	start(bench, 0);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_AMD, 1);
	logs(bench, "AMD-Vi: IOMMU Event log restarting");
	round_end(bench);
	expect(bench, 0, 0, false);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_AMD, 1);
	logs(bench, "pci 0000:00:00.2: AMD-Vi: Event logged [UNKNOWN event[0]=0x00000300 "
		    "event[1]=0xf0000000 event[2]=0x00000000 event[3]=0x00000000");
	round_end(bench);
	expect(bench, 0, 0, false);
}

static void virtio_lines_are_read(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 2);
	logs(bench, "virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]");
	logs(bench, "virtio_iommu virtio0: domain fault from EP 1024 at 0xfffffffff000 [W]");
	logs(bench, "virtio_iommu virtio0: unknown fault from EP 768");
	logs(bench, "virtio_iommu virtio0: input address: 39 bits");
	round_end(bench);
	assert_int_equal(bench->count, 3);
	is_record(&bench->records[0], A, 0x1000, false, 2);
	is_record(&bench->records[1], B, 0xfffffffff000, true, 1);
	is_record(&bench->records[2], A, 0, false, 0);
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VIRTIO, 1);
	logs(bench, "virtio_iommu virtio0: could not add event buffer");
	round_end(bench);
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

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_SMMU3, 1);
	smmu_event(bench, "0x0000030000000010", "0x0000020000000000"); /* stream 0x300, write */
	smmu_event(bench, "0x000004000000000a", "0x0000000800000000"); /* 0x400, read, C_BAD_CD */
	round_end(bench);
	assert_int_equal(bench->count, 2);
	is_record(&bench->records[0], A, 0x40004000, true, 0x10);
	is_record(&bench->records[1], B, 0x40004000, false, 0x0a);
}

static void decoded_smmu_events_count_once(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
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
	round_end(bench);
	assert_int_equal(bench->count, 2);
	is_record(&bench->records[0], A, 0x40004000, true, 0x10);
	assert_string_equal(bench->records[1].function, B);

	/* Its decoded message came too late for the round. */
	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_SMMU3, 1);
	smmu_event(bench, "0x0000030000000010", "0x0000000000000000");
	round_end(bench);
	expect(bench, 1, 0, true);
	round_begin(bench, SECOND);
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: 0000:03:00.0 "
		    "sid: 0x300 ssid: 0x0 iova: 0x40004000 ipa: 0x0");
	round_end(bench);
	expect(bench, 0, 0, true);
}

static void torn_smmu_events_are_somebodys(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_SMMU3, 1);
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:");
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: \\x090x0000030000000010");
	logs(bench, "arm-smmu-v3 arm-smmu-v3.1.auto: event 0x10 received:");
	round_end(bench);
	assert_int_equal(bench->count, 1);
	expect(bench, 0, 0, false);
	round_begin(bench, LATER);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_SMMU3, 1);
	smmu_event(bench, "0x0000030000000010", "0x0000000000000000");
	logs(bench, "arm-smmu-v3 arm-smmu-v3.0.auto: EVTQ overflow detected -- events lost");
	round_end(bench);
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

	round_begin(bench, SECOND);
	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		logs(bench, lines[i]);
	for (unsigned int i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		fault_rules_log(&bench->rules, garbage[i], bench->now);
	/* A process can write to the log, but not as the kernel. */
	logs_with(bench, 8 | 3,
		"DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x1000 [fault "
		"reason "
		"0x06] PTE Read access is not set");
	round_end(bench);
	assert_int_equal(bench->count, 0);
}

static void a_fault_that_cannot_be_read_is_somebodys(void **state)
{
	struct bench *bench = *state;

	round_begin(bench, SECOND);
	fault_rules_interrupts(&bench->rules, FAULT_IOMMU_VTD, 1);
	vtd_run(bench, 2);
	logs(bench, "DMAR: [DMA Read NO_PASID] Request device <03:00.0> refused");
	round_end(bench);
	assert_int_equal(bench->count, 1);
	expect(bench, 0, 0, false);
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
		cmocka_unit_test(trace_events_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
