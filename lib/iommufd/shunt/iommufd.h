/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_IOMMUFD_H
#define SHUNT_IOMMUFD_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/platform.h>

/*
 * /dev/iommu, one call each: IOAS objects, their mappings, hwpts.
 *
 *   struct shunt_iommufd (a file descriptor)
 *      IOAS 1 --- mappings: IOVA -> user memory
 *      |  `- hwpt 4 (page table for the devices of one IOMMU)
 *      IOAS 2 --- copies of the same mappings
 *         `- hwpt 5
 *      device 3 (bound by lib/vfio)
 *
 * Source of structures and semantics: <linux/iommufd.h>. Thread safety: as the kernel's, any
 * thread. Each function returns 0 or the kernel's errno, negative, with shunt_errmsg() saying what
 * was tried.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** An interval of IOVAs, last one included: the uAPI's. */
struct shunt_iova_range {
	uint64_t start;
	uint64_t last;
};

/** An open /dev/iommu. */
struct shunt_iommufd {
	struct shunt_platform *platform;
	int fd;
	unsigned int users; /**< open devices and sets of spaces: shunt_iommufd_get() */
};

/**
 * Opens /dev/iommu.
 *
 * @return 0; -ENOENT, -EACCES and others of open(2), with the remedy in shunt_errmsg()
 */
int shunt_iommufd_open(struct shunt_platform *platform, struct shunt_iommufd *iommufd);

/** Closes it: the kernel destroys what is left in it. @return 0; -EBUSY it has users */
int shunt_iommufd_close(struct shunt_iommufd *iommufd);

/** Counts a user: it cannot be closed while it has one. */
void shunt_iommufd_get(struct shunt_iommufd *iommufd);
void shunt_iommufd_put(struct shunt_iommufd *iommufd);

/** IOMMU_IOAS_ALLOC. */
int shunt_ioas_alloc(struct shunt_iommufd *iommufd, uint32_t *ioas_id);

/** IOMMU_DESTROY of an IOAS or hwpt. -EBUSY: something is attached or made from it. */
int shunt_iommufd_destroy_id(struct shunt_iommufd *iommufd, uint32_t id);

/**
 * IOMMU_IOAS_MAP with IOMMU_IOAS_MAP_FIXED_IOVA.
 *
 * @param va      start of the memory, page-aligned; it must stay mapped until unmap
 * @param length  bytes, a multiple of the page size
 * @param prot    enum shunt_dma_prot
 * @return 0, -EINVAL outside the allowed ranges or misaligned, -EEXIST over another mapping,
 *         -ENOMEM over the locked-memory limit, -EFAULT for memory that is not there
 */
int shunt_ioas_map(struct shunt_iommufd *iommufd, uint32_t ioas_id, void *va, uint64_t length,
	uint64_t iova, unsigned int prot);

/**
 * IOMMU_IOAS_MAP_FILE with IOMMU_IOAS_MAP_FIXED_IOVA: memory named by the file that it is a shared
 * mapping of. The kernel takes whole folios of hugetlbfs at once and needs no address, so pages are
 * found faster than through the process's page table.
 *
 * @param fd      of a memfd, or in hugetlbfs or tmpfs; may be closed after the call
 * @param offset  bytes into the file, a multiple of the page size
 * @return as shunt_ioas_map(); -ENOTTY the kernel is older than Linux 6.13; -EBADF no such file;
 *         -EINVAL another kind of file, or beyond its end
 */
int shunt_ioas_map_file(struct shunt_iommufd *iommufd, uint32_t ioas_id, int fd, uint64_t offset,
	uint64_t length, uint64_t iova, unsigned int prot);

/**
 * IOMMU_IOAS_UNMAP of exactly one or more whole mappings; a shorter answer is an error.
 *
 * @return 0, -ENOENT where no whole mapping is, -EIO when the kernel unmapped another length
 */
int shunt_ioas_unmap(
	struct shunt_iommufd *iommufd, uint32_t ioas_id, uint64_t iova, uint64_t length);

/**
 * IOMMU_IOAS_COPY to the same IOVA of another IOAS: pages are pinned once. The range may hold
 * several mappings without a gap between them; each becomes a mapping of its own.
 */
int shunt_ioas_copy(struct shunt_iommufd *iommufd, uint32_t dst_ioas_id, uint32_t src_ioas_id,
	uint64_t iova, uint64_t length, unsigned int prot);

/**
 * IOMMU_IOAS_IOVA_RANGES: what may be mapped, narrowed by the devices that are attached.
 *
 * @param[out] ranges     in ascending order; the caller frees them
 * @param[out] count      their number
 * @param[out] alignment  of IOVA and length
 * @return 0, -ENOMEM, the kernel's errno; nothing is to be freed then
 */
int shunt_ioas_iova_ranges(struct shunt_iommufd *iommufd, uint32_t ioas_id,
	struct shunt_iova_range **ranges, uint32_t *count, uint64_t *alignment);

/**
 * IOMMU_HWPT_ALLOC: a page table made from an IOAS, usable by the device and its group.
 *
 * @param device_id  as shunt_vfio_device::id
 */
int shunt_hwpt_alloc(
	struct shunt_iommufd *iommufd, uint32_t device_id, uint32_t ioas_id, uint32_t *hwpt_id);

/**
 * The same with IOMMU_HWPT_ALLOC_DIRTY_TRACKING: the IOMMU can note which pages DMA writes to.
 *
 * @return as shunt_hwpt_alloc(); -EOPNOTSUPP this IOMMU, or its driver, cannot
 */
int shunt_hwpt_alloc_tracking(
	struct shunt_iommufd *iommufd, uint32_t device_id, uint32_t ioas_id, uint32_t *hwpt_id);

/**
 * IOMMU_HWPT_SET_DIRTY_TRACKING: begins to note writes, with no page dirty, or ends it.
 *
 * @return 0; -EOPNOTSUPP the hwpt was not made for it; -ENOENT
 */
int shunt_hwpt_track_dirty(struct shunt_iommufd *iommufd, uint32_t hwpt_id, bool on);

/**
 * IOMMU_HWPT_GET_DIRTY_BITMAP: which pages were written to since tracking began, or since a call
 * that cleared them. A leaf of the page table that is larger than `page_size` is dirty as a whole.
 *
 * @param iova, length  multiples of page_size
 * @param page_size     bytes that a bit stands for, a power of 2
 * @param clear         the pages found count as clean from then on
 * @param bitmap        bit 0 of the first word is the page at `iova`; bits are set, none is
 * cleared; the kernel loses them where this is not in memory
 * @return 0, with no bit set while tracking is off; -EINVAL no such range; -EOPNOTSUPP the hwpt was
 *         not made for it
 */
int shunt_hwpt_read_dirty(struct shunt_iommufd *iommufd, uint32_t hwpt_id, uint64_t iova,
	uint64_t length, uint64_t page_size, bool clear, uint64_t *bitmap);

#ifdef __cplusplus
}
#endif

#endif
