/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_PAGES_H
#define SIM_PAGES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Memory that IOMMU_IOAS_MAP_FILE named: a part of a file, and where the devices' DMA finds it.
 *
 *   file   ......[start, start + length)......      the kernel holds the file from the map on, and
 *                 |                                 pins its folios when a hwpt takes the mapping
 *   memory  [.....|....................]            reserved from the map on; the file is mapped
 *                 `- sim_pages::memory              there when a hwpt takes the mapping
 *
 * Copies share it; the caller may close the file and unmap its own mapping. Under sim::lock.
 */

struct sim_pages {
	unsigned int users;
	int fd; /**< ours */
	uint64_t start, length;
	uint8_t *memory; /**< of the first byte */
	uint8_t *reserved;
	uint64_t reserved_length;
	bool mapped;
};

/**
 * Holds a part of a file, for one user.
 *
 * @param iova  its memory is aligned as this is, so that large leaves fit
 * @return 0; -EBADF no such file; -EOVERFLOW; -EINVAL no length; -ENOMEM
 */
int sim_pages_create(
	int fd, uint64_t start, uint64_t length, uint64_t iova, struct sim_pages **pages);

/** Another user. NULL is allowed. */
void sim_pages_hold(struct sim_pages *pages);

/** One user less; the last one gives the file back. NULL is allowed. */
void sim_pages_put(struct sim_pages *pages);

/**
 * Makes the memory be the file's.
 *
 * @return 0; -EINVAL no file that can be pinned (memfd, tmpfs, hugetlbfs), or beyond its end;
 * -ENOMEM
 */
int sim_pages_pin(struct sim_pages *pages);

#endif
