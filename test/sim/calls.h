/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CALLS_H
#define CALLS_H

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "sim.h"

/*
 * The system calls of iommufd and VFIO, one function each, through a platform's operations. All
 * return 0 or the negative errno of the call; none checks anything.
 */

#define PAGE  4096ull
#define RW    (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define FIXED (RW | IOMMU_IOAS_MAP_FIXED_IOVA)

int call_ioas_alloc(struct shunt_platform *platform, int fd, uint32_t *id);
int call_destroy(struct shunt_platform *platform, int fd, uint32_t id);
int call_map(struct shunt_platform *platform, int fd, uint32_t ioas, uint64_t va, uint64_t length,
	uint64_t *iova, uint32_t flags);
int call_map_at(struct shunt_platform *platform, int fd, uint32_t ioas, const void *va,
	uint64_t length, uint64_t iova);
int call_copy(struct shunt_platform *platform, int fd, uint32_t from, uint64_t src, uint32_t to,
	uint64_t length, uint64_t *dst, uint32_t flags);
int call_unmap(
	struct shunt_platform *platform, int fd, uint32_t ioas, uint64_t iova, uint64_t *length);
int call_ranges(struct shunt_platform *platform, int fd, uint32_t ioas,
	struct iommu_iova_range *ranges, uint32_t *count, uint64_t *alignment);
int call_allow(struct shunt_platform *platform, int fd, uint32_t ioas,
	const struct iommu_iova_range *ranges, uint32_t count);
int call_huge_pages(struct shunt_platform *platform, int fd, uint32_t ioas, bool on);
int call_hwpt_alloc(struct shunt_platform *platform, int fd, uint32_t device, uint32_t pt,
	uint32_t flags, uint32_t *id);
int call_bind(struct shunt_platform *platform, int device, int fd, uint32_t *id);
int call_attach(struct shunt_platform *platform, int device, uint32_t *pt);
int call_detach(struct shunt_platform *platform, int device);

/** A platform with an open iommufd and the ports of its first group bound to it. */
struct rig {
	struct shunt_platform *platform;
	struct sim *sim;
	int fd;
	int devices[SHUNT_SIM_MAX_PORTS_PER_GROUP];
	uint32_t ids[SHUNT_SIM_MAX_PORTS_PER_GROUP];
	unsigned int ports;
};

/** Asserts that all of it works. */
void rig_open(struct rig *rig, unsigned int ports, enum shunt_sim_iommu iommu);

/** Closes all; asserts that nothing is left on the platform. */
void rig_close(struct rig *rig);

/** Anonymous memory, filled with a byte; asserts that there is some. */
uint8_t *pages_create(size_t length, uint8_t fill);
void pages_destroy(uint8_t *pages, size_t length);

#endif
