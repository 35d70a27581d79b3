/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "kernel_fault_lines.h"
#include "kernel_sysfs.h"

/* Whether a hexadecimal number, with or without 0x, stands behind the first `key`. */
static bool hex_after(const char *text, const char *key, uint64_t *value)
{
	return text_number_after(text, key, 16, value);
}

/* PRIORITY,SEQUENCE,TIME,FLAGS[,...];TEXT */
bool kmsg_parse(char *record, struct kmsg_message *message)
{
	char *text = strchr(record, ';'), *end;
	const char *at = record;
	uint64_t priority, sequence;

	if (!text || !text_number(&at, 10, &priority) || !text_skip(&at, ",") ||
		!text_number(&at, 10, &sequence) || !text_skip(&at, ",") ||
		!text_number(&at, 10, &message->time) || !text_skip(&at, ","))
		return false;
	end = strchr(text, '\n');
	if (end)
		*end = '\0';
	message->kernel = priority >> 3 == 0; /* facility 0, which no process can claim */
	message->text = text + 1;
	return true;
}

static struct fault_line line_of(enum fault_line_type type, enum fault_iommu iommu)
{
	return (struct fault_line){ .type = type,
		.iommu = iommu,
		.domain = FAULT_DOMAIN_UNKNOWN,
		.source = FAULT_SOURCE_NONE };
}

static struct fault_line vtd_line(const char *text)
{
	struct fault_line line = line_of(FAULT_LINE_OTHER, FAULT_IOMMU_VTD);
	uint64_t status, reason;
	const char *device;

	if (hex_after(text, "DRHD: handling fault status reg ", &status)) {
		line.type = FAULT_LINE_RUN;
		line.status = (uint32_t)status;
		return line;
	}
	if (text_skip(&text, "[INTR-REMAP]")) {
		line.type = FAULT_LINE_NO_DMA;
		return line;
	}
	if (!text_skip(&text, "[DMA "))
		return line;
	device = strstr(text, "Request device [");
	line.write = strncmp(text, "Write", 5) == 0;
	line.type = FAULT_LINE_RECORD;
	if (!device || !hex_after(device, "fault addr ", &line.iova) ||
		!hex_after(device, "[fault reason ", &reason) ||
		!pci_source_parse(device + strlen("Request device ["), &line.domain, &line.source))
		line.type = FAULT_LINE_LOST;
	else
		line.reason = (uint32_t)reason;
	return line;
}

/* Flags of an event, and those of its names that tell of no refused DMA. */
#define AMD_FLAG_INTERRUPT 0x08
#define AMD_FLAG_WRITE     0x20

static const char *const amd_no_dma[] = {
	"ILLEGAL_COMMAND_ERROR",
	"COMMAND_HARDWARE_ERROR",
	"IOTLB_INV_TIMEOUT",
	"INVALID_PPR_REQUEST",
};

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
 * @param name  what stands before "AMD-Vi: ": the driver and name of the device, if the message is
 *              one of a device; the IOMMU's own otherwise
 */
static bool amd_source(const char *name, const char *text, struct fault_line *line)
{
	const char *device = strstr(text, "device=");

	if (device)
		return pci_source_parse(device + strlen("device="), &line->domain, &line->source);
	device = strchr(name, ' ');
	return device && pci_source_parse(device + 1, &line->domain, &line->source);
}

static struct fault_line amd_line(const char *name, const char *text)
{
	struct fault_line line = line_of(FAULT_LINE_OTHER, FAULT_IOMMU_AMD);
	uint64_t flags = 0;

	if (strstr(text, "vent log restarting") || strstr(text, "No event written")) {
		line.type = FAULT_LINE_LOST;
		return line;
	}
	if (text_skip(&text, "  device=")) { /* second message of "Device not attached" */
		text -= strlen("device=");
		line.type = amd_source(name, text, &line) ? FAULT_LINE_RECORD : FAULT_LINE_LOST;
		return line;
	}
	if (!text_skip(&text, "Event logged [") || strncmp(text, "Device not attached", 19) == 0)
		return line;
	line.type = FAULT_LINE_LOST;
	for (unsigned int i = 0; i < sizeof(amd_no_dma) / sizeof(amd_no_dma[0]); i++)
		if (strncmp(text, amd_no_dma[i], strlen(amd_no_dma[i])) == 0)
			line.type = FAULT_LINE_NO_DMA;
	for (unsigned int i = 0; i < sizeof(amd_events) / sizeof(amd_events[0]); i++) {
		if (!text_skip(&text, amd_events[i].name))
			continue;
		line.reason = amd_events[i].code;
		if (hex_after(text, "address=", &line.iova) && amd_source(name, text, &line))
			line.type = FAULT_LINE_RECORD;
		hex_after(text, "flags=", &flags);
		line.write = (flags & AMD_FLAG_WRITE) != 0;
		if (flags & AMD_FLAG_INTERRUPT)
			line.type = FAULT_LINE_NO_DMA;
		break;
	}
	return line;
}

static struct fault_line virtio_line(const char *text)
{
	static const char *const reasons[] = { "unknown", "domain", "page" };
	struct fault_line line = line_of(FAULT_LINE_OTHER, FAULT_IOMMU_VIRTIO);
	const char *endpoint = strstr(text, " fault from EP ");
	uint64_t number;

	if (!endpoint) {
		if (strstr(text, "event buffer"))
			line.type = FAULT_LINE_LOST;
		return line;
	}
	line.type = FAULT_LINE_LOST;
	for (uint32_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strncmp(text, reasons[i], strlen(reasons[i])) == 0)
			line.reason = i;
	endpoint += strlen(" fault from EP ");
	if (!text_number(&endpoint, 10, &number) || number > UINT32_MAX)
		return line;
	line.type = FAULT_LINE_RECORD;
	line.source = (uint32_t)number;
	hex_after(endpoint, "at ", &line.iova);
	line.write = strchr(endpoint, 'W') != NULL; /* "[RW]" is all that follows */
	return line;
}

/* Arm's SMMUv3 architecture, "Event records". */
#define SMMU3_EVENT(word)  ((uint32_t)((word)&0xff))
#define SMMU3_STREAM(word) ((uint32_t)((word) >> 32))
#define SMMU3_READ(word)   ((word) >> 35 & 1)

unsigned int fault_lines_end(struct fault_lines *state, struct fault_line *line)
{
	if (!state->smmu[0])
		return 0;
	*line = line_of(FAULT_LINE_LOST, FAULT_IOMMU_SMMU3);
	state->told = false;
	if (state->words == 4) {
		line->type = FAULT_LINE_RECORD;
		line->source = SMMU3_STREAM(state->word[0]);
		line->reason = SMMU3_EVENT(state->word[0]);
		line->write = !SMMU3_READ(state->word[1]);
		line->iova = state->word[2];
		state->told = true;
		state->told_stream = line->source;
	}
	state->smmu[0] = '\0';
	return 1;
}

/* The decoded message, which knows the function, of the event that is open or was just told. */
static unsigned int smmu3_decoded(
	struct fault_lines *state, const char *text, struct fault_line lines[static 2])
{
	const char *client = strstr(text, " client: ");
	uint64_t stream = 0;
	uint32_t source;
	int domain;
	unsigned int n;

	if (!client || !hex_after(client, " sid: ", &stream))
		return 0;
	client += strlen(" client: ");
	if (!state->smmu[0] && state->told && state->told_stream == stream)
		return 0;
	n = fault_lines_end(state, &lines[0]);
	if (!n || lines[0].source != stream) {
		lines[n] = line_of(FAULT_LINE_RECORD, FAULT_IOMMU_SMMU3);
		lines[n].source = (uint32_t)stream;
		hex_after(client, " iova: ", &lines[n].iova);
		n++;
	}
	if (pci_source_parse(client, &domain, &source)) {
		lines[n - 1].domain = domain;
		lines[n - 1].source = source;
	}
	return n;
}

/*
 * @param name  of the SMMU
 * @param text  what it says; the log shows tabs as \x09
 */
static unsigned int smmu3_lines(struct fault_lines *state, const char *name, const char *text,
	struct fault_line lines[static 2])
{
	unsigned int n = 0;
	uint64_t event;

	if (text_skip(&text, "\\x09") || text_skip(&text, "\t")) {
		if (strcmp(state->smmu, name) == 0 && state->words < 4 &&
			hex_after(text, "0x", &state->word[state->words]))
			state->words++;
		return 0;
	}
	if (text_skip(&text, "event: "))
		return smmu3_decoded(state, text, lines);
	if (strncmp(text, "event 0x", 8) == 0 && hex_after(text, "event ", &event)) {
		n = fault_lines_end(state, &lines[0]);
		state->words = 0;
		snprintf(state->smmu, sizeof(state->smmu), "%s", name);
		return n;
	}
	if (strstr(text, "EVTQ overflow") || strstr(text, "EVTQ write aborted")) {
		n = fault_lines_end(state, &lines[0]);
		lines[n++] = line_of(FAULT_LINE_LOST, FAULT_IOMMU_SMMU3);
	}
	return n;
}

/* "FUNCTION: 12 callbacks suppressed", of lib/ratelimit.c. */
static bool suppressed_line(const char *text, struct fault_line *line)
{
	static const struct {
		const char *prefix;
		enum fault_iommu iommu;
	} functions[] = {
		{ "dmar_", FAULT_IOMMU_VTD },
		{ "amd_iommu_", FAULT_IOMMU_AMD },
		{ "arm_smmu_", FAULT_IOMMU_SMMU3 },
		{ "viommu_", FAULT_IOMMU_VIRTIO },
	};

	if (!strstr(text, " callbacks suppressed"))
		return false;
	for (unsigned int i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (!text_skip(&text, functions[i].prefix))
			continue;
		*line = line_of(FAULT_LINE_SUPPRESSED, functions[i].iommu);
		return true;
	}
	return false;
}

/* "DRIVER NAME: text", as the kernel writes messages of a device. */
static bool of_device(const char **text, const char *driver, char *name, size_t size)
{
	const char *rest = *text, *end;

	if (!text_skip(&rest, driver) || !text_skip(&rest, " "))
		return false;
	end = strstr(rest, ": ");
	if (!end)
		return false;
	snprintf(name, size, "%.*s", (int)(end - rest), rest);
	*text = end + 2;
	return true;
}

unsigned int fault_lines_take(
	struct fault_lines *state, const char *text, struct fault_line lines[static 2])
{
	char name[sizeof(state->smmu)];
	const char *amd;

	if (of_device(&text, "arm-smmu-v3", name, sizeof(name)))
		return smmu3_lines(state, name, text, lines);
	amd = strstr(text, "AMD-Vi: ");
	if (text_skip(&text, "DMAR: "))
		lines[0] = vtd_line(text);
	else if (amd)
		lines[0] = amd_line(text, amd + strlen("AMD-Vi: "));
	else if (of_device(&text, "virtio_iommu", name, sizeof(name)))
		lines[0] = virtio_line(text);
	else if (!suppressed_line(text, &lines[0]))
		return 0;
	return lines[0].type != FAULT_LINE_OTHER;
}
