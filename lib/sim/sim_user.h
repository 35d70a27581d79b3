/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_USER_H
#define SIM_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The caller's memory, as the kernel sees it from outside: an address that is not mapped in the
 * process is an error, not a crash. Permissions are not looked at.
 */

/** Whether all of a range is mapped in this process. */
bool sim_user_mapped(uint64_t address, uint64_t length);

/** Copies to or from the caller's memory. @return 0, -EFAULT not mapped */
int sim_user_read(void *to, uint64_t from, uint64_t length);
int sim_user_write(uint64_t to, const void *from, uint64_t length);
int sim_user_zero(uint64_t to, uint64_t length);

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
 * @param iova  the memory gets its alignment, so that large leaves fit
 * @return 0; -EBADF no such file; -EOVERFLOW; -EINVAL no length; -ENOMEM
 */
int sim_pages_create(
	int fd, uint64_t start, uint64_t length, uint64_t iova, struct sim_pages **pages);

/** Another user. NULL is allowed. */
void sim_pages_hold(struct sim_pages *pages);

/** One user less; the last one gives the file back. NULL is allowed. */
void sim_pages_put(struct sim_pages *pages);

/**
 * Maps the file in the place reserved for it.
 *
 * @return 0; -EINVAL no file that can be pinned (memfd, tmpfs, hugetlbfs), or beyond its end;
 * -ENOMEM
 */
int sim_pages_pin(struct sim_pages *pages);

#endif
