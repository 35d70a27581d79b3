/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_IOMMUFD_UAPI_H
#define SHUNT_IOMMUFD_UAPI_H

/*
 * <linux/iommufd.h>, and of it what headers older than the kernel lack: we build with those of
 * Linux 6.12 and ask the kernel that runs.
 */

#include <linux/iommufd.h>

/* Linux 6.13. A macro there too, so that this can be asked. */
#ifndef IOMMU_IOAS_MAP_FILE
#define IOMMUFD_CMD_IOAS_MAP_FILE 0x8f

/* Its fields in the order that <linux/iommufd.h> of Linux 6.13 has. */
struct iommu_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};
#define IOMMU_IOAS_MAP_FILE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP_FILE)
#endif

#endif
