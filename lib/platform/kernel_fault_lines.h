/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_FAULT_LINES_H
#define KERNEL_FAULT_LINES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Details of refused DMA in the kernel's log: which function's it was, at what address.
 *
 *   /dev/kmsg record "3,812,5211000,-;DMAR: [DMA Read NO_PASID] Request device [03:00.0] fault ..."
 *        |
 *   kmsg_text() --> message of the kernel --> fault_lines_take() --> struct fault_line
 *
 * Messages have to be whole, from their first letter on: what a user can make the kernel print
 * begins with a program's name, of 15 letters at most, or with other words.
 *
 * Formats are those of Linux 6.6 to 7.3: drivers/iommu/intel/dmar.c (dmar_fault_do_one),
 * amd/iommu.c (iommu_print_event), arm/arm-smmu-v3/arm-smmu-v3.c (event queue: five messages an
 * event) and virtio-iommu.c (viommu_fault_handler). One thread.
 */

/** IOMMUs whose drivers log faults. */
enum fault_iommu {
	FAULT_IOMMU_VTD,
	FAULT_IOMMU_AMD,
	FAULT_IOMMU_SMMU3,
	FAULT_IOMMU_VIRTIO,
	FAULT_IOMMUS,
};

/** A DMA that was refused. */
struct fault_line {
	enum fault_iommu iommu;
	int domain;      /**< PCI domain, -1 if not in the message */
	uint32_t source; /**< bus << 8 | device << 3 | function */
	uint64_t iova;
	bool write;
	uint32_t reason; /**< the IOMMU's own */
};

/** An SMMUv3 event of which not every message has come. */
struct fault_lines {
	char smmu[32];      /* its name */
	unsigned int words; /* of 4 */
	uint64_t word[4];
};

/**
 * The text of a record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg), which is cut after it.
 * @return NULL: a process wrote it, or it is no record
 */
const char *kmsg_text(char *record);

/** Reads one message of the kernel. @return whether it reports a refused DMA */
bool fault_lines_take(struct fault_lines *state, const char *text, struct fault_line *line);

#endif
