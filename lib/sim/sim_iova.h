/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_IOVA_H
#define SIM_IOVA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shunt_iommufd_uapi.h"
#include "sim_user.h"

/*
 * The IOVAs of one IOAS: what is mapped, what is reserved by devices and domains, what the user
 * wants kept allowed.
 *
 *   0 ....... 0xfee00000 ..... 0xfeefffff ............ 2^48 ............ 2^64 - 1
 *     areas   |   reserved by a device  |    areas     | reserved by a domain |
 *
 * Sorted arrays; the order of checks and the errnos are those of Linux 6.12's io_pagetable.c.
 * Under sim::lock.
 */

/** One mapping. */
struct sim_area {
	uint64_t start;
	uint64_t last;
	uint8_t *memory;         /**< of the first byte */
	unsigned int prot;       /**< enum shunt_dma_prot */
	struct sim_pages *pages; /**< that hold the memory, if a file named it; else NULL */
	bool writable; /**< the memory was first mapped for writing: copies may be writable */
};

struct sim_reservation {
	struct iommu_iova_range interval;
	const void *owner; /**< device or domain */
};

/** The IOVAs of an IOAS. */
struct sim_iova_space {
	struct sim_area **areas;
	size_t area_count;
	struct sim_reservation *reserved; /**< in order of start; may overlap */
	size_t reserved_count;
	struct iommu_iova_range *allowed; /**< disjoint, in order */
	size_t allowed_count;
	uint64_t alignment; /**< of IOVA, length and memory */
	bool small_pages;   /**< IOMMU_OPTION_HUGE_PAGES is off */
};

/** Frees an area that is in no table. NULL is allowed. */
void sim_area_free(struct sim_area *area);

void sim_iova_init(struct sim_iova_space *space);

/** Frees everything, areas included. */
void sim_iova_free(struct sim_iova_space *space);

/** Index of the first area that ends at or after an IOVA; area_count if there is none. */
size_t sim_iova_first(const struct sim_iova_space *space, uint64_t iova);

/** Whether an area or a reservation has part of an interval. */
bool sim_iova_mapped(const struct sim_iova_space *space, uint64_t start, uint64_t last);
bool sim_iova_reserved(const struct sim_iova_space *space, uint64_t start, uint64_t last);

/**
 * Checks a chosen IOVA.
 *
 * @return 0, -EINVAL misaligned or reserved, -EOVERFLOW, -EEXIST mapped
 */
int sim_iova_check(const struct sim_iova_space *space, uint64_t iova, uint64_t length);

/**
 * Finds a free IOVA for memory, aligned as far as its address and length allow, never 0.
 *
 * @return 0, -EOVERFLOW, -EINVAL, -ENOSPC
 */
int sim_iova_place(
	const struct sim_iova_space *space, uint64_t memory, uint64_t length, uint64_t *iova);

/** Puts an area in. @return 0, -ENOMEM */
int sim_iova_insert(struct sim_iova_space *space, struct sim_area *area);

/** Takes an area out; it is the caller's. */
void sim_iova_remove(struct sim_iova_space *space, struct sim_area *area);

/** Reserves. @return 0, -EADDRINUSE mapped or wanted by the user, -ENOMEM */
int sim_iova_reserve(
	struct sim_iova_space *space, uint64_t start, uint64_t last, const void *owner);

/** Takes away all reservations of an owner. */
void sim_iova_unreserve(struct sim_iova_space *space, const void *owner);

/** Whether all areas conform to an alignment. @return 0, -EADDRINUSE */
int sim_iova_aligned(const struct sim_iova_space *space, uint64_t alignment);

/**
 * The first interval, at or after an IOVA, that is not reserved.
 *
 * @return false: none
 */
bool sim_iova_usable(
	const struct sim_iova_space *space, uint64_t from, struct iommu_iova_range *usable);

#endif
