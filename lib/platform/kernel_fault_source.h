/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KERNEL_FAULT_SOURCE_H
#define KERNEL_FAULT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The PCI function that a requester ID stands for, looked up in sysfs:
 *
 *   0x0300 of domain 0 --> <sysfs>/bus/pci/devices/0000:03:00.0 --> "0000:03:00.0"
 *
 * A bridge does no DMA of its own: an ID that is a bridge's stands for any function behind it.
 *
 * @param domain  FAULT_DOMAIN_UNKNOWN: the only one that has such a function
 * @param source  bus << 8 | device << 3 | function
 * @param[out] function  its address
 * @return whether it stands for one function
 */
bool fault_source_function(
	const char *sysfs, int domain, uint32_t source, char *function, size_t size);

#endif
