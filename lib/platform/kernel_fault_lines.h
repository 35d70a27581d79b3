/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_FAULT_LINES_H
#define KERNEL_FAULT_LINES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What the kernel's log says of IOMMU faults, message by message:
 *
 *   /dev/kmsg record "3,812,5211000,-;DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault ..."
 *        |
 *   kmsg_parse() --> message of the kernel --> fault_lines_take() --> struct fault_line
 *
 * Formats are those of Linux 6.6 to 7.3: drivers/iommu/intel/dmar.c (dmar_fault), amd/iommu.c
 * (iommu_print_event), arm/arm-smmu-v3/arm-smmu-v3.c (event queue: five messages an event, newer
 * kernels add a decoded one) and virtio-iommu.c (viommu_fault_handler). One thread.
 */

/** One record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg). */
struct kmsg_message {
	bool kernel;      /**< the kernel wrote it, not a process */
	uint64_t time;    /**< microseconds, on the clock of the log */
	const char *text; /**< inside the record, without what follows its first line */
};

/** Takes a record apart, in place. @return whether it is one */
bool kmsg_parse(char *record, struct kmsg_message *message);

/** IOMMUs whose drivers log faults. */
enum fault_iommu {
	FAULT_IOMMU_VTD,
	FAULT_IOMMU_AMD,
	FAULT_IOMMU_SMMU3,
	FAULT_IOMMU_VIRTIO,
	FAULT_IOMMUS,
};

enum fault_line_type {
	FAULT_LINE_OTHER,      /**< says nothing of faults */
	FAULT_LINE_RUN,        /**< VT-d: the handler began and found something */
	FAULT_LINE_RECORD,     /**< a DMA was refused */
	FAULT_LINE_NO_DMA,     /**< a fault of the same log that is no DMA's */
	FAULT_LINE_SUPPRESSED, /**< messages were suppressed earlier */
	FAULT_LINE_LOST,       /**< faults were lost, or told in a way that cannot be read */
};

#define FAULT_DOMAIN_UNKNOWN (-1)

struct fault_line {
	enum fault_line_type type;
	enum fault_iommu iommu;
	uint32_t status; /**< RUN: the fault status register */
	int domain;      /**< RECORD: PCI domain, FAULT_DOMAIN_UNKNOWN if not told */
	uint32_t source; /**< RECORD: bus << 8 | device << 3 | function; larger: none */
	uint64_t iova;
	bool write;
	uint32_t reason; /**< the IOMMU's own */
};

#define FAULT_SOURCE_NONE UINT32_MAX

/** An SMMUv3 event of which not every message has come. */
struct fault_lines {
	char smmu[32];      /* its name; "": no event is open */
	unsigned int words; /* of 4 */
	uint64_t word[4];
	uint64_t told_stream; /* stream of the last event, should its decoded message follow */
	bool told;
};

/**
 * Takes in one message of the kernel.
 *
 * @param[out] lines  up to 2: an open event that ends here comes before what the message says
 * @return their number
 */
unsigned int fault_lines_take(
	struct fault_lines *state, const char *text, struct fault_line lines[static 2]);

/** Nothing follows for now: an open event ends. @return number of lines, 0 or 1 */
unsigned int fault_lines_end(struct fault_lines *state, struct fault_line *line);

#endif
