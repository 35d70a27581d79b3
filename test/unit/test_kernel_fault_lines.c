/* SPDX-License-Identifier: BSD-3-Clause */
/* Which faults come out of which lines of the kernel's log, and of events of the tracepoint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_fault_lines.h"
#include "kernel_trace.h"

static struct fault_lines state;

static void says_nothing(const char *text)
{
	struct fault_line line;

	if (fault_lines_take(&state, text, &line))
		fail_msg("taken for a fault: %s", text);
}

static void says(const char *text, enum fault_iommu iommu, struct fault_line wanted)
{
	struct fault_line line;

	if (!fault_lines_take(&state, text, &line))
		fail_msg("not taken for a fault: %s", text);
	assert_int_equal(line.iommu, iommu);
	assert_int_equal(line.domain, wanted.domain);
	assert_int_equal(line.source, wanted.source);
	assert_int_equal(line.iova, wanted.iova);
	assert_int_equal(line.write, wanted.write);
	assert_int_equal(line.reason, wanted.reason);
}

static void vtd_lines_are_read(void **unused)
{
	says("DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x12345000 "
	     "[fault reason 0x06] PTE Read access is not set",
		FAULT_IOMMU_VTD, (struct fault_line){ 0, -1, 0x300, 0x12345000, false, 6 });
	says("DMAR: [DMA Write PASID 0x5] Request device [0000:04:00.0] fault addr 0xffffffff0000 "
	     "[fault reason 0x59] SM: Present bit in PASID Table Entry is clear",
		FAULT_IOMMU_VTD, (struct fault_line){ 0, 0, 0x400, 0xffffffff0000, true, 0x59 });
	says("DMAR: [DMA Write NO_PASID] Request device [10000:e1:00.1] fault addr 0x0 [fault "
	     "reason 0x05] PTE Write access is not set",
		FAULT_IOMMU_VTD, (struct fault_line){ 0, 0x10000, 0xe101, 0, true, 5 });
}

static void amd_lines_are_read(void **unused)
{
	says("vfio-pci 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a "
	     "address=0x40002000 flags=0x0020]",
		FAULT_IOMMU_AMD, (struct fault_line){ 0, 0, 0x300, 0x40002000, true, 2 });
	says("AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:04:00.0 domain=0x000a "
	     "address=0x40003000 flags=0x0000]",
		FAULT_IOMMU_AMD, (struct fault_line){ 0, 0, 0x400, 0x40003000, false, 2 });
	says("pci 0000:00:00.2: AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY "
	     "device=0000:04:00.0 pasid=0x00000 address=0xfffffffdf8000000 flags=0x0a20]",
		FAULT_IOMMU_AMD, (struct fault_line){ 0, 0, 0x400, 0xfffffffdf8000000, true, 1 });
	/* No DMA: a command of the driver, an interrupt. And one of nobody. */
	says_nothing("pci 0000:00:00.2: AMD-Vi: Event logged [COMMAND_HARDWARE_ERROR "
		     "address=0x1000 flags=0x0000]");
	says_nothing("vfio-pci 0000:03:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a "
		     "address=0xfffffffdf8000000 flags=0x0008]");
	says_nothing("AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000a address=0x0 flags=0x0]");
}

static void virtio_lines_are_read(void **unused)
{
	says("virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]", FAULT_IOMMU_VIRTIO,
		(struct fault_line){ 0, -1, 0x300, 0x1000, false, 2 });
	says("virtio_iommu virtio0: domain fault from EP 1024 at 0xfffffffff000 [W]",
		FAULT_IOMMU_VIRTIO, (struct fault_line){ 0, -1, 0x400, 0xfffffffff000, true, 1 });
	says("virtio_iommu virtio0: unknown fault from EP 768", FAULT_IOMMU_VIRTIO,
		(struct fault_line){ 0, -1, 0x300, 0, false, 0 });
}

#define SMMU "arm-smmu-v3 arm-smmu-v3.0.auto: "

/* Five messages; the log shows their tabs as \x09. What decodes them counts no second time. */
static void smmu_events_are_read(void **unused)
{
	says_nothing(SMMU "event 0x10 received:");
	says_nothing(SMMU "\\x090x0000030000000010");                            /* stream 0x300 */
	says_nothing(SMMU "\\x090x0000020000000000");                            /* a write */
	says_nothing("arm-smmu-v3 arm-smmu-v3.1.auto: \\x090x0000000050004000"); /* another's */
	says_nothing(SMMU "\\x090x0000000040004000");
	says(SMMU "\\x090x0000000000000000", FAULT_IOMMU_SMMU3,
		(struct fault_line){ 0, -1, 0x300, 0x40004000, true, 0x10 });
	says_nothing(SMMU "event: F_TRANSLATION client: 0000:03:00.0 sid: 0x300 ssid: 0x0 iova: "
			  "0x40004000 ipa: 0x0");
	says_nothing(SMMU "\\x090x0000000000000000");
}

static void other_lines_are_ignored(void **unused)
{
	static const char *const lines[] = {
		"",
		"DMAR: Host address width 48",
		"DMAR: DRHD: handling fault status reg 2",
		"DMAR: [INTR-REMAP] Request device [06:00.0] fault index 0x5 [fault reason 0x22] x",
		"DMAR: [DMA Read NO_PASID] Request device <03:00.0> refused",
		"DMAR: [DMA Read NO_PASID",
		"DMAR: [DMA Read[9]: segfault at 0 ip 0 sp 0 error 4 in ] Request device [03:00.0] "
		"fault addr 0x0 [fault reason 0x02][400000+1000]",
		"a DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x0 [fault reason "
		"0x02] x",
		"DMAR-IR: Enabled IRQ remapping in xapic mode",
		"vfio-pci 0000:03:00.0: vfio_bar_restore: reset recovery - restoring BARs",
		SMMU "option mask 0x0",
		SMMU "EVTQ overflow detected -- events lost",
		"arm-smmu-v3",
		"arm-smmu-v3 ",
		"virtio_iommu",
		"virtio_iommu virtio0: input address: 39 bits",
		"virtio_iommu virtio0: could not add event buffer",
		"net_ratelimit: 30 callbacks suppressed",
		"AMD-Vi: Interrupt remapping enabled",
		"AMD-Vi: IOMMU Event log restarting",
		"process 'x' launched '/tmp/AMD-Vi: Event logged [IO_PAGE_FAULT "
		"device=0000:03:00.0 domain=0x0001 address=0x1000 flags=0x0020]' with NULL argv",
		"0000:03:00.0[1]: AMD-Vi: Event logged [IO_PAGE_FAULT address=0x0 flags=0x0]",
		"Request device [03:00.0] fault addr 0x1000 [fault reason 0x06]",
	};

	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		says_nothing(lines[i]);
}

/* A process can write to the log, but not as the kernel. */
static void records_of_the_kernel_are_told(void **unused)
{
	char nothing[][64] = { "", "\n", "3,1", ";", "a,b,c;DMAR: x", "12,1,5,-;DMAR: x",
		" SUBSYSTEM=pci\n DEVICE=+pci:0000:03:00.0\n" };
	char record[] = "3,812,5211000,-,caller=C1;DMAR: x; y\n SUBSYSTEM=pci\n";

	for (unsigned int i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		assert_null(kmsg_text(nothing[i]));
	assert_string_equal(kmsg_text(record), "DMAR: x; y");
}

static void trace_events_are_read(void **unused)
{
	struct trace_event event;

	assert_true(trace_event_parse("     irq/25-AMD-Vi-90      [001] .....   123.456789: "
				      "io_page_fault: IOMMU:vfio-pci "
				      "0000:03:00.0 iova=0x0000000040001000 flags=0x0001",
		&event));
	assert_false(event.lost);
	assert_string_equal(event.function, "0000:03:00.0");
	assert_int_equal(event.iova, 0x40001000);
	assert_true(event.write);
	assert_true(
		trace_event_parse("<idle>-0 [000] d.h1. 1.0: io_page_fault: IOMMU:igb 0000:04:00.0 "
				  "iova=0x0000000000000000 flags=0x0000",
			&event));
	assert_string_equal(event.function, "0000:04:00.0");
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
		cmocka_unit_test(vtd_lines_are_read),
		cmocka_unit_test(amd_lines_are_read),
		cmocka_unit_test(virtio_lines_are_read),
		cmocka_unit_test(smmu_events_are_read),
		cmocka_unit_test(other_lines_are_ignored),
		cmocka_unit_test(records_of_the_kernel_are_told),
		cmocka_unit_test(trace_events_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
