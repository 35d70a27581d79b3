/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "kernel_fault_lines.h"
#include "kernel_sysfs.h"

/* PRIORITY,SEQUENCE,TIME,FLAGS[,...];TEXT; facility 0 is one that no process can claim. */
const char *kmsg_text(char *record)
{
	char *text = strchr(record, ';');
	const char *at = record;
	uint64_t priority;

	if (!text || !text_number(&at, 10, &priority) || *at != ',' || priority >> 3)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text + 1;
}

static bool text_source(const char **text, struct fault_line *line)
{
	if (!pci_source_parse(*text, &line->domain, &line->source))
		return false;
	*text += strspn(*text, "0123456789abcdef:.");
	return true;
}

/* "DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault addr 0x0 [fault reason 0x06] ..." */
static bool vtd_line(const char *text, struct fault_line *line)
{
	uint64_t number;

	line->iommu = FAULT_IOMMU_VTD;
	line->write = strncmp(text, "Write", 5) == 0;
	if (!text_skip(&text, "Write") && !text_skip(&text, "Read"))
		return false;
	if (text_skip(&text, " PASID ") ? !text_number(&text, 16, &number)
					: !text_skip(&text, " NO_PASID"))
		return false;
	if (!text_skip(&text, "] Request device [") || !text_source(&text, line) ||
		!text_skip(&text, "] fault addr ") || !text_number(&text, 16, &line->iova) ||
		!text_skip(&text, " [fault reason ") || !text_number(&text, 16, &number))
		return false;
	line->reason = (uint32_t)number;
	return true;
}

/* Flags of an event. */
#define AMD_FLAG_INTERRUPT 0x08
#define AMD_FLAG_WRITE     0x20

/* Events of a request for DMA, by their names in the log and their codes in the specification. */
static const struct {
	const char *name;
	uint32_t code;
} amd_events[] = {
	{ "ILLEGAL_DEV_TABLE_ENTRY ", 1 },
	{ "IO_PAGE_FAULT ", 2 },
	{ "DEV_TAB_HARDWARE_ERROR ", 3 },
	{ "PAGE_TAB_HARDWARE_ERROR ", 4 },
	{ "INVALID_DEVICE_REQUEST ", 8 },
};

/*
 * "IO_PAGE_FAULT device=0000:03:00.0 domain=0x000a address=0x0 flags=0x0020]"; without the device
 * where the message is the device's own.
 */
static bool amd_line(const char *text, struct fault_line *line)
{
	uint64_t flags;

	line->iommu = FAULT_IOMMU_AMD;
	for (unsigned int i = 0; i < sizeof(amd_events) / sizeof(amd_events[0]); i++)
		if (text_skip(&text, amd_events[i].name))
			line->reason = amd_events[i].code;
	if (!line->reason || (text_skip(&text, "device=") && !text_source(&text, line)) ||
		!text_number_after(text, "address=", 16, &line->iova) ||
		!text_number_after(text, "flags=", 16, &flags))
		return false;
	line->write = (flags & AMD_FLAG_WRITE) != 0;
	return line->source != UINT32_MAX && !(flags & AMD_FLAG_INTERRUPT);
}

/* "virtio_iommu virtio0: page fault from EP 768 at 0x1000 [R]" */
static bool virtio_line(const char *text, struct fault_line *line)
{
	static const char *const reasons[] = { "unknown", "domain", "page" };
	uint64_t number;

	line->iommu = FAULT_IOMMU_VIRTIO;
	line->reason = UINT32_MAX;
	for (uint32_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (text_skip(&text, reasons[i]))
			line->reason = i;
	if (line->reason == UINT32_MAX || !text_skip(&text, " fault from EP ") ||
		!text_number(&text, 10, &number))
		return false;
	line->source = (uint32_t)number;
	if (text_skip(&text, " at ") && text_number(&text, 16, &line->iova))
		line->write = strchr(text, 'W') != NULL; /* "[RW]" is all that follows */
	return true;
}

/* Arm's SMMUv3 architecture, "Event records". */
#define SMMU3_EVENT(word)  ((uint32_t)(0xff & (word)))
#define SMMU3_STREAM(word) ((uint32_t)((word) >> 32))
#define SMMU3_READ(word)   ((word) >> 35 & 1)

/*
 * "event 0x10 received:", and its four words in a message each; the log shows their tabs as \x09.
 * What is decoded of it in a sixth message says nothing new.
 *
 * @param name  of the SMMU
 */
static bool smmu3_line(
	struct fault_lines *state, const char *name, const char *text, struct fault_line *line)
{
	uint64_t number;

	if (text_skip(&text, "event ") && text_number(&text, 16, &number)) {
		snprintf(state->smmu, sizeof(state->smmu), "%s", name);
		state->words = 0;
		return false;
	}
	if (strcmp(state->smmu, name) != 0 || state->words == 4 ||
		!(text_skip(&text, "\\x09") || text_skip(&text, "\t")) ||
		!text_number(&text, 16, &state->word[state->words]) || ++state->words < 4)
		return false;
	line->iommu = FAULT_IOMMU_SMMU3;
	line->source = SMMU3_STREAM(state->word[0]);
	line->reason = SMMU3_EVENT(state->word[0]);
	line->write = !SMMU3_READ(state->word[1]);
	line->iova = state->word[2];
	return true;
}

/* "DRIVER NAME: text", as the kernel writes messages of a device: skips the first two. */
static bool of_device(const char **text, char *name, size_t size)
{
	const char *at = strchr(*text, ' '), *end;

	end = at ? strchr(at + 1, ' ') : NULL;
	if (!end || end[-1] != ':' || end - at < 3)
		return false;
	snprintf(name, size, "%.*s", (int)(end - at) - 2, at + 1);
	*text = end + 1;
	return true;
}

bool fault_lines_take(struct fault_lines *state, const char *text, struct fault_line *line)
{
	char name[sizeof(state->smmu)];
	const char *rest = text;

	*line = (struct fault_line){ .domain = -1, .source = UINT32_MAX };
	if (text_skip(&text, "DMAR: [DMA "))
		return vtd_line(text, line);
	if (text_skip(&text, "AMD-Vi: Event logged ["))
		return amd_line(text, line);
	if (!of_device(&rest, name, sizeof(name)))
		return false;
	if (text_skip(&text, "virtio_iommu virtio"))
		return virtio_line(rest, line);
	if (text_skip(&text, "arm-smmu-v3 "))
		return smmu3_line(state, name, rest, line);
	return pci_source_parse(name, &line->domain, &line->source) &&
	       text_skip(&rest, "AMD-Vi: Event logged [") && amd_line(rest, line);
}
