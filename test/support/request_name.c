/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include <linux/vfio.h>

#include "inject.h"
#include "shunt_iommufd_uapi.h"

struct request {
	unsigned long number;
	const char *name;
};

/* VFIO's container requests share numbers with device requests; only the latter are used here. */
/* clang-format off */
#define REQUEST(name) { (unsigned long)(name), #name }
/* clang-format on */
static const struct request requests[] = {
	REQUEST(IOMMU_DESTROY),
	REQUEST(IOMMU_IOAS_ALLOC),
	REQUEST(IOMMU_IOAS_IOVA_RANGES),
	REQUEST(IOMMU_IOAS_ALLOW_IOVAS),
	REQUEST(IOMMU_IOAS_MAP),
	REQUEST(IOMMU_IOAS_COPY),
	REQUEST(IOMMU_IOAS_UNMAP),
	REQUEST(IOMMU_OPTION),
	REQUEST(IOMMU_VFIO_IOAS),
	REQUEST(IOMMU_HWPT_ALLOC),
	REQUEST(IOMMU_GET_HW_INFO),
	REQUEST(IOMMU_HWPT_SET_DIRTY_TRACKING),
	REQUEST(IOMMU_HWPT_GET_DIRTY_BITMAP),
	REQUEST(IOMMU_HWPT_INVALIDATE),
	REQUEST(IOMMU_FAULT_QUEUE_ALLOC),
	REQUEST(IOMMU_IOAS_MAP_FILE),
	REQUEST(VFIO_DEVICE_GET_INFO),
	REQUEST(VFIO_DEVICE_GET_REGION_INFO),
	REQUEST(VFIO_DEVICE_GET_IRQ_INFO),
	REQUEST(VFIO_DEVICE_SET_IRQS),
	REQUEST(VFIO_DEVICE_RESET),
	REQUEST(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO),
	REQUEST(VFIO_DEVICE_PCI_HOT_RESET),
	REQUEST(VFIO_DEVICE_FEATURE),
	REQUEST(VFIO_DEVICE_BIND_IOMMUFD),
	REQUEST(VFIO_DEVICE_ATTACH_IOMMUFD_PT),
	REQUEST(VFIO_DEVICE_DETACH_IOMMUFD_PT),
};

const char *inject_request_name(unsigned long request)
{
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].number == request)
			return requests[i].name;
	}
	return NULL;
}
