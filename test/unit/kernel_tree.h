/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_TREE_H
#define KERNEL_TREE_H

#include "kernel_info.h"

/*
 * Made-up trees of sysfs and procfs and a log of the kernel, as far as lib/platform reads them. The
 * calling thread stays on one processor, on which interrupts come. Failing to build it fails the
 * test.
 */

struct kernel_tree {
	char root[64];
	char sys[80], proc[80], boot[80], log[80], tracefs[80];
	struct kernel_roots roots;
	int pipe[2]; /* the log: a record a write(2) */
	unsigned int sequence;
};

void kernel_tree_create(struct kernel_tree *tree);
void kernel_tree_destroy(struct kernel_tree *tree);

/** Writes a file, and the folders that lead to it. A NULL text: a folder. */
void kernel_tree_put(const struct kernel_tree *tree, const char *name, const char *text);
void kernel_tree_link(const struct kernel_tree *tree, const char *name, const char *target);

/** An IOMMU, and a function behind it. */
void kernel_tree_function(const struct kernel_tree *tree, const char *function, const char *iommu);

/** An interrupt, which came five times; and what its count is. */
void kernel_tree_irq(const struct kernel_tree *tree, unsigned int number, const char *actions);
void kernel_tree_count(const struct kernel_tree *tree, unsigned int number, const char *count);

/** A process's name and state. */
void kernel_tree_process(
	const struct kernel_tree *tree, unsigned int pid, const char *name, char state);

/** The log gets a message: of the kernel with a priority below 8. */
void kernel_tree_log(struct kernel_tree *tree, unsigned int priority, const char *text);

#endif
