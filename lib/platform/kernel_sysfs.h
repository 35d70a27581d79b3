/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_SYSFS_H
#define KERNEL_SYSFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Texts as the kernel writes them, and files of sysfs and procfs that hold one:
 *
 *   "0000:03:00.0"  number, ':', number, ':', number, '.', number
 *                   ^-- *text moves past what was read
 *
 * Functions that read from *text leave it as it was when they find something else.
 */

/** Skips a prefix. @return whether it was there */
bool text_skip(const char **text, const char *prefix);

/** Reads a number without sign; base 16 with or without 0x. @return whether there was one */
bool text_number(const char **text, int base, uint64_t *value);

/** Reads the number after the first `key`, as text_number(). */
bool text_number_after(const char *text, const char *key, int base, uint64_t *value);

/** Reads the first line of a file, without its end. @return whether there was one; else "" */
bool file_line(const char *path, char *line, size_t size);

/** Writes a file in one call. @return 0; -errno, no shunt_errmsg() */
int file_write(const char *path, const char *text);

/** Reads where a link leads. @return whether that was possible; else errno */
bool link_target(const char *path, char target[static PATH_MAX]);

/** Whether <sys>/class/iommu/NAME translates PCI functions. */
bool iommu_has_functions(const char *sys, const char *name);

/**
 * Name of the IOMMU that translates a function's DMA, "dmar0": where <sys>/bus/pci/devices/F/iommu
 * leads. @return whether there is one
 */
bool iommu_of_function(const char *sys, const char *function, char *name, size_t size);

/** Reads "0000:03:00.0" or, with the domain unknown (-1), "03:00.0"; anything may follow. */
bool pci_source_parse(const char *text, int *domain, uint32_t *source);

#endif
