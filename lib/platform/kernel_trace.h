/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The tracepoint iommu:io_page_fault, in our trace instance:
 *
 *   <tracefs>/instances/shunt-PID-N/  events/iommu/io_page_fault/enable
 *                                     trace_pipe --> "... IOMMU:vfio-pci 0000:03:00.0 iova=0x..."
 *
 * No rate limit, but only some drivers call it (AMD's does, VT-d's, virtio-iommu's and SMMUv3's do
 * not). The instance is removed with its owner; those of dead processes when the next one is made.
 * One thread.
 */

struct kernel_trace;

/** An event, or a gap in the events. */
struct trace_event {
	bool lost; /**< events were overwritten before they were read */
	char function[16];
	uint64_t iova;
	bool write;
};

/**
 * Makes the instance and enables the event.
 *
 * @param tracefs  where it is mounted; NULL: the usual places
 * @return 0; -ENOENT no tracefs or no such event, -EACCES, another errno of mkdir(2) or open(2);
 *         no instance is left
 */
int kernel_trace_create(const char *tracefs, struct kernel_trace **trace);

/** Removes the instance. NULL is allowed. */
void kernel_trace_destroy(struct kernel_trace *trace);

/** Reads a line of a trace_pipe. @return whether it reports faults */
bool trace_event_parse(const char *line, struct trace_event *event);

/** The next event. @return 1; 0 there is none for now; -errno */
int kernel_trace_next(struct kernel_trace *trace, struct trace_event *event);

#endif
