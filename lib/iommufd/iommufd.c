/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <shunt/error.h>
#include <shunt/iommufd.h>

#include "shunt_iommufd_uapi.h"

#define IOMMUFD_PATH "/dev/iommu"
#define USUAL_RANGES 32u

static int iommufd_ioctl(struct shunt_iommufd *iommufd, unsigned long request, void *arg)
{
	return iommufd->platform->ops->ioctl(iommufd->platform, iommufd->fd, request, arg);
}

static const char *open_remedy(int err)
{
	switch (err) {
	case -ENOENT:
		return " (the kernel needs CONFIG_IOMMUFD, 6.6 or later; 'shunt forward --platform "
		       "sim' needs neither)";
	case -EACCES:
	case -EPERM:
		return " (run as root, or give this user the device: chown it by a udev rule)";
	default:
		return "";
	}
}

int shunt_iommufd_open(struct shunt_platform *platform, struct shunt_iommufd *iommufd)
{
	int fd = platform->ops->open(platform, IOMMUFD_PATH);

	if (fd == -ESTALE)
		return fd;
	if (fd < 0)
		return shunt_fail_errno(fd, "open %s%s", IOMMUFD_PATH, open_remedy(fd));
	*iommufd = (struct shunt_iommufd){ .platform = platform, .fd = fd };
	return 0;
}

int shunt_iommufd_close(struct shunt_iommufd *iommufd)
{
	unsigned int users = __atomic_load_n(&iommufd->users, __ATOMIC_ACQUIRE);

	if (users)
		return shunt_fail(-EBUSY,
			"closing %s: devices or sets of spaces use it (%u): close them first",
			IOMMUFD_PATH, users);
	iommufd->platform->ops->close(iommufd->platform, iommufd->fd);
	iommufd->fd = -1;
	return 0;
}

void shunt_iommufd_get(struct shunt_iommufd *iommufd)
{
	__atomic_fetch_add(&iommufd->users, 1, __ATOMIC_RELAXED);
}

void shunt_iommufd_put(struct shunt_iommufd *iommufd)
{
	__atomic_fetch_sub(&iommufd->users, 1, __ATOMIC_RELEASE);
}

int shunt_ioas_alloc(struct shunt_iommufd *iommufd, uint32_t *ioas_id)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int ret = iommufd_ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc);

	if (ret < 0)
		return shunt_fail_errno(ret, "IOMMU_IOAS_ALLOC");
	*ioas_id = alloc.out_ioas_id;
	return 0;
}

int shunt_iommufd_destroy_id(struct shunt_iommufd *iommufd, uint32_t id)
{
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = id };
	int ret = iommufd_ioctl(iommufd, IOMMU_DESTROY, &destroy);

	if (ret < 0)
		return shunt_fail_errno(ret, "IOMMU_DESTROY object %u", id);
	return 0;
}

static uint32_t map_flags(unsigned int prot)
{
	uint32_t flags = IOMMU_IOAS_MAP_FIXED_IOVA;

	if (prot & SHUNT_DMA_READ)
		flags |= IOMMU_IOAS_MAP_READABLE;
	if (prot & SHUNT_DMA_WRITE)
		flags |= IOMMU_IOAS_MAP_WRITEABLE;
	return flags;
}

#define NO_MEMORY " (out of memory, or over the locked-memory limit: raise `ulimit -l`)"

static const char *map_remedy(int err)
{
	switch (err) {
	case -ENOMEM:
		return NO_MEMORY;
	case -EFAULT:
		return " (that memory is not mapped in this process)";
	default:
		return "";
	}
}

int shunt_ioas_map(struct shunt_iommufd *iommufd, uint32_t ioas_id, void *va, uint64_t length,
	uint64_t iova, unsigned int prot)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = map_flags(prot),
		.ioas_id = ioas_id,
		.user_va = (uintptr_t)va,
		.length = length,
		.iova = iova,
	};
	int ret = iommufd_ioctl(iommufd, IOMMU_IOAS_MAP, &map);

	if (ret < 0)
		return shunt_fail_errno(ret,
			"IOMMU_IOAS_MAP iova 0x%" PRIx64 " length 0x%" PRIx64
			" of memory at %p in IOAS %u%s",
			iova, length, va, ioas_id, map_remedy(ret));
	return 0;
}

int shunt_ioas_map_file(struct shunt_iommufd *iommufd, uint32_t ioas_id, int fd, uint64_t offset,
	uint64_t length, uint64_t iova, unsigned int prot)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = map_flags(prot),
		.ioas_id = ioas_id,
		.fd = fd,
		.start = offset,
		.length = length,
		.iova = iova,
	};
	int ret = iommufd_ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map);

	if (ret < 0)
		return shunt_fail_errno(ret,
			"IOMMU_IOAS_MAP_FILE iova 0x%" PRIx64 " length 0x%" PRIx64
			" of file descriptor %d at 0x%" PRIx64 " in IOAS %u%s",
			iova, length, fd, offset, ioas_id, map_remedy(ret));
	return 0;
}

int shunt_ioas_unmap(
	struct shunt_iommufd *iommufd, uint32_t ioas_id, uint64_t iova, uint64_t length)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = ioas_id,
		.iova = iova,
		.length = length,
	};
	int ret = iommufd_ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap);

	if (ret < 0)
		return shunt_fail_errno(ret,
			"IOMMU_IOAS_UNMAP iova 0x%" PRIx64 " length 0x%" PRIx64 " in IOAS %u", iova,
			length, ioas_id);
	if (unmap.length != length)
		return shunt_fail(-EIO,
			"IOMMU_IOAS_UNMAP iova 0x%" PRIx64 " in IOAS %u: 0x%" PRIx64
			" bytes were requested, 0x%" PRIx64 " unmapped",
			iova, ioas_id, length, (uint64_t)unmap.length);
	return 0;
}

int shunt_ioas_copy(struct shunt_iommufd *iommufd, uint32_t dst_ioas_id, uint32_t src_ioas_id,
	uint64_t iova, uint64_t length, unsigned int prot)
{
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = map_flags(prot),
		.dst_ioas_id = dst_ioas_id,
		.src_ioas_id = src_ioas_id,
		.length = length,
		.dst_iova = iova,
		.src_iova = iova,
	};
	int ret = iommufd_ioctl(iommufd, IOMMU_IOAS_COPY, &copy);

	if (ret < 0)
		return shunt_fail_errno(ret,
			"IOMMU_IOAS_COPY iova 0x%" PRIx64 " length 0x%" PRIx64
			" from IOAS %u to IOAS %u%s",
			iova, length, src_ioas_id, dst_ioas_id, map_remedy(ret));
	return 0;
}

int shunt_ioas_iova_ranges(struct shunt_iommufd *iommufd, uint32_t ioas_id,
	struct shunt_iova_range **ranges, uint32_t *count, uint64_t *alignment)
{
	struct iommu_ioas_iova_ranges query = {
		.size = sizeof(query), .ioas_id = ioas_id, .num_iovas = USUAL_RANGES
	};
	void *room = NULL, *more;
	int ret;

	_Static_assert(sizeof(**ranges) == sizeof(struct iommu_iova_range), "same as the uAPI's");
	do { /* their number may grow */
		more = realloc(room, query.num_iovas * sizeof(**ranges));
		if (!more) {
			ret = shunt_fail(
				-ENOMEM, "no memory for ranges of IOVAs (%u)", query.num_iovas);
			goto free;
		}
		room = more;
		query.allowed_iovas = (uintptr_t)room;
		ret = iommufd_ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &query);
	} while (ret == -EMSGSIZE);
	if (ret < 0) {
		shunt_fail_errno(ret, "IOMMU_IOAS_IOVA_RANGES of IOAS %u", ioas_id);
		goto free;
	}
	*ranges = room;
	*count = query.num_iovas;
	*alignment = query.out_iova_alignment;
	return 0;

free:
	free(room);
	return ret;
}

/* The first page table of an IOAS pins what is mapped; nothing was charged before. */
static const char *hwpt_remedy(int err)
{
	switch (err) {
	case -ENOMEM:
		return NO_MEMORY;
	case -EADDRINUSE:
		return " (a mapping lies where this IOMMU allows none: beyond its width, or in a "
		       "range that it reserves)";
	default:
		return "";
	}
}

static int hwpt_alloc(struct shunt_iommufd *iommufd, uint32_t device_id, uint32_t ioas_id,
	uint32_t flags, uint32_t *hwpt_id)
{
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = flags,
		.dev_id = device_id,
		.pt_id = ioas_id,
	};
	int ret = iommufd_ioctl(iommufd, IOMMU_HWPT_ALLOC, &alloc);

	if (ret < 0)
		return shunt_fail_errno(ret, "IOMMU_HWPT_ALLOC%s for device %u from IOAS %u%s",
			flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING ? " with dirty tracking" : "",
			device_id, ioas_id, hwpt_remedy(ret));
	*hwpt_id = alloc.out_hwpt_id;
	return 0;
}

int shunt_hwpt_alloc(
	struct shunt_iommufd *iommufd, uint32_t device_id, uint32_t ioas_id, uint32_t *hwpt_id)
{
	return hwpt_alloc(iommufd, device_id, ioas_id, 0, hwpt_id);
}

int shunt_hwpt_alloc_tracking(
	struct shunt_iommufd *iommufd, uint32_t device_id, uint32_t ioas_id, uint32_t *hwpt_id)
{
	return hwpt_alloc(iommufd, device_id, ioas_id, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, hwpt_id);
}

int shunt_hwpt_track_dirty(struct shunt_iommufd *iommufd, uint32_t hwpt_id, bool on)
{
	struct iommu_hwpt_set_dirty_tracking set = {
		.size = sizeof(set),
		.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = hwpt_id,
	};
	int ret = iommufd_ioctl(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &set);

	if (ret < 0)
		return shunt_fail_errno(ret, "IOMMU_HWPT_SET_DIRTY_TRACKING %s of hwpt %u",
			on ? "on" : "off", hwpt_id);
	return 0;
}

int shunt_hwpt_read_dirty(struct shunt_iommufd *iommufd, uint32_t hwpt_id, uint64_t iova,
	uint64_t length, uint64_t page_size, bool clear, uint64_t *bitmap)
{
	struct iommu_hwpt_get_dirty_bitmap get = {
		.size = sizeof(get),
		.hwpt_id = hwpt_id,
		.flags = clear ? 0 : IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.data = (uintptr_t)bitmap,
	};
	int ret = iommufd_ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &get);

	if (ret < 0)
		return shunt_fail_errno(ret,
			"IOMMU_HWPT_GET_DIRTY_BITMAP iova 0x%" PRIx64 " length 0x%" PRIx64
			" in pages of 0x%" PRIx64 " of hwpt %u",
			iova, length, page_size, hwpt_id);
	return 0;
}
