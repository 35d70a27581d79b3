/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "calls.h"

static int call(struct shunt_platform *platform, int fd, unsigned long request, void *arg)
{
	return platform->ops->ioctl(platform, fd, request, arg);
}

int call_ioas_alloc(struct shunt_platform *platform, int fd, uint32_t *id)
{
	struct iommu_ioas_alloc arg = { .size = sizeof(arg) };
	int ret = call(platform, fd, IOMMU_IOAS_ALLOC, &arg);

	*id = arg.out_ioas_id;
	return ret;
}

int call_destroy(struct shunt_platform *platform, int fd, uint32_t id)
{
	struct iommu_destroy arg = { .size = sizeof(arg), .id = id };

	return call(platform, fd, IOMMU_DESTROY, &arg);
}

int call_map(struct shunt_platform *platform, int fd, uint32_t ioas, uint64_t va, uint64_t length,
	uint64_t *iova, uint32_t flags)
{
	struct iommu_ioas_map arg = {
		.size = sizeof(arg),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = va,
		.length = length,
		.iova = *iova,
	};
	int ret = call(platform, fd, IOMMU_IOAS_MAP, &arg);

	*iova = arg.iova;
	return ret;
}

int call_map_at(struct shunt_platform *platform, int fd, uint32_t ioas, const void *va,
	uint64_t length, uint64_t iova)
{
	return call_map(platform, fd, ioas, (uintptr_t)va, length, &iova, FIXED);
}

int call_copy(struct shunt_platform *platform, int fd, uint32_t from, uint64_t src, uint32_t to,
	uint64_t length, uint64_t *dst, uint32_t flags)
{
	struct iommu_ioas_copy arg = {
		.size = sizeof(arg),
		.flags = flags,
		.dst_ioas_id = to,
		.src_ioas_id = from,
		.length = length,
		.dst_iova = *dst,
		.src_iova = src,
	};
	int ret = call(platform, fd, IOMMU_IOAS_COPY, &arg);

	*dst = arg.dst_iova;
	return ret;
}

int call_unmap(
	struct shunt_platform *platform, int fd, uint32_t ioas, uint64_t iova, uint64_t *length)
{
	struct iommu_ioas_unmap arg = {
		.size = sizeof(arg), .ioas_id = ioas, .iova = iova, .length = *length
	};
	int ret = call(platform, fd, IOMMU_IOAS_UNMAP, &arg);

	*length = arg.length;
	return ret;
}

int call_ranges(struct shunt_platform *platform, int fd, uint32_t ioas,
	struct iommu_iova_range *ranges, uint32_t *count, uint64_t *alignment)
{
	struct iommu_ioas_iova_ranges arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.num_iovas = *count,
		.allowed_iovas = (uintptr_t)ranges,
	};
	int ret = call(platform, fd, IOMMU_IOAS_IOVA_RANGES, &arg);

	*count = arg.num_iovas;
	*alignment = arg.out_iova_alignment;
	return ret;
}

int call_allow(struct shunt_platform *platform, int fd, uint32_t ioas,
	const struct iommu_iova_range *ranges, uint32_t count)
{
	struct iommu_ioas_allow_iovas arg = {
		.size = sizeof(arg),
		.ioas_id = ioas,
		.num_iovas = count,
		.allowed_iovas = (uintptr_t)ranges,
	};

	return call(platform, fd, IOMMU_IOAS_ALLOW_IOVAS, &arg);
}

int call_huge_pages(struct shunt_platform *platform, int fd, uint32_t ioas, bool on)
{
	struct iommu_option arg = {
		.size = sizeof(arg),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_SET,
		.object_id = ioas,
		.val64 = on,
	};

	return call(platform, fd, IOMMU_OPTION, &arg);
}

int call_hwpt_alloc(struct shunt_platform *platform, int fd, uint32_t device, uint32_t pt,
	uint32_t flags, uint32_t *id)
{
	struct iommu_hwpt_alloc arg = {
		.size = sizeof(arg), .flags = flags, .dev_id = device, .pt_id = pt
	};
	int ret = call(platform, fd, IOMMU_HWPT_ALLOC, &arg);

	*id = arg.out_hwpt_id;
	return ret;
}

int call_bind(struct shunt_platform *platform, int device, int fd, uint32_t *id)
{
	struct vfio_device_bind_iommufd arg = { .argsz = sizeof(arg), .iommufd = fd };
	int ret = call(platform, device, VFIO_DEVICE_BIND_IOMMUFD, &arg);

	*id = arg.out_devid;
	return ret;
}

int call_attach(struct shunt_platform *platform, int device, uint32_t *pt)
{
	struct vfio_device_attach_iommufd_pt arg = { .argsz = sizeof(arg), .pt_id = *pt };
	int ret = call(platform, device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &arg);

	*pt = arg.pt_id;
	return ret;
}

int call_detach(struct shunt_platform *platform, int device)
{
	struct vfio_device_detach_iommufd_pt arg = { .argsz = sizeof(arg) };

	return call(platform, device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &arg);
}

void rig_open(struct rig *rig, unsigned int ports, enum shunt_sim_iommu iommu)
{
	const struct shunt_sim_config config = {
		.groups = 1, .ports = ports, .iommu = iommu, .nic = SHUNT_SIM_DROP
	};
	struct shunt_platform *platform;

	assert_int_equal(shunt_sim_create(&config, &platform), 0);
	rig->platform = platform;
	rig->sim = (struct sim *)platform;
	rig->ports = ports;
	rig->fd = platform->ops->open(platform, "/dev/iommu");
	assert_true(rig->fd >= 0);
	for (unsigned int i = 0; i < ports; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/dev/vfio/devices/vfio%u", i);
		rig->devices[i] = platform->ops->open(platform, path);
		assert_true(rig->devices[i] >= 0);
		assert_int_equal(call_bind(platform, rig->devices[i], rig->fd, &rig->ids[i]), 0);
	}
}

void rig_close(struct rig *rig)
{
	const struct shunt_sim_objects none = { 0 };
	struct shunt_platform *platform = rig->platform;
	struct shunt_sim_objects left;

	for (unsigned int i = 0; i < rig->ports; i++)
		assert_int_equal(platform->ops->close(platform, rig->devices[i]), 0);
	assert_int_equal(platform->ops->close(platform, rig->fd), 0);
	shunt_sim_objects(platform, &left);
	assert_memory_equal(&left, &none, sizeof(none));
	shunt_platform_destroy(platform);
}

uint8_t *pages_create(size_t length, uint8_t fill)
{
	uint8_t *pages =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(pages != MAP_FAILED);
	memset(pages, fill, length);
	return pages;
}

void pages_destroy(uint8_t *pages, size_t length)
{
	assert_int_equal(munmap(pages, length), 0);
}
