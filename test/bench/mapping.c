/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long it takes to map EAL's memory for a first device, and again for a second address space:
 * one process, one way, its system calls timed where they leave the libraries.
 *
 *   mapping shunt FUNCTION [EAL's arguments...]   our igb: iommufd, spaces "a" and "b"
 *   mapping dpdk FUNCTION [EAL's arguments...]    DPDK's net_e1000_igb: VFIO type1
 *
 * Prints of the first mapping, and of the second space: bytes; nanoseconds in calls that map or
 * copy; in calls that make and fill a page table; how many calls mapped or copied. iommufd pins
 * when a page table is filled, type1 when it is asked to map: the sums of both compare.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/vfio.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#include "rte_net_shunt.h"
#include "shunt_error.h"
#include "shunt_iommufd_uapi.h"

static struct {
	uint64_t bytes, map_ns, table_ns;
	unsigned int calls;
} spent;

int ioctl(int fd, unsigned long request, ...);

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Bytes that a call maps; 0: it maps none. */
static uint64_t mapped_by(unsigned long request, const void *arg)
{
	switch (request) {
	case VFIO_IOMMU_MAP_DMA:
		return ((const struct vfio_iommu_type1_dma_map *)arg)->size;
	case IOMMU_IOAS_MAP:
		return ((const struct iommu_ioas_map *)arg)->length;
	case IOMMU_IOAS_MAP_FILE:
		return ((const struct iommu_ioas_map_file *)arg)->length;
	case IOMMU_IOAS_COPY:
		return ((const struct iommu_ioas_copy *)arg)->length;
	default:
		return 0;
	}
}

static bool makes_table(unsigned long request)
{
	return request == VFIO_SET_IOMMU || request == IOMMU_HWPT_ALLOC ||
	       request == VFIO_DEVICE_ATTACH_IOMMUFD_PT;
}

/* Takes the place of the C library's for every library of this process. */
int ioctl(int fd, unsigned long request, ...)
{
	static int (*call)(int fd, unsigned long request, void *arg);
	uint64_t start, bytes;
	va_list arguments;
	void *arg;
	int ret;

	if (!call)
		*(void **)&call = dlsym(RTLD_NEXT, "ioctl");
	va_start(arguments, request);
	arg = va_arg(arguments, void *);
	va_end(arguments);
	start = now_ns();
	ret = call(fd, request, arg);
	if (ret < 0)
		return ret;
	start = now_ns() - start;
	if (makes_table(request))
		spent.table_ns += start;
	bytes = mapped_by(request, arg);
	if (bytes) {
		spent.map_ns += start;
		spent.bytes += bytes;
		spent.calls++;
	}
	return ret;
}

static void print(const char *name)
{
	printf("%s %lu %lu %lu %u\n", name, spent.bytes, spent.map_ns, spent.table_ns, spent.calls);
	memset(&spent, 0, sizeof(spent));
}

static int fail(const char *what)
{
	fprintf(stderr, "mapping: %s: %s\n", what, shunt_errmsg());
	return 1;
}

static int second_space(uint16_t port)
{
	struct shunt_space *space;
	struct shunt_group *group;

	if (rte_net_shunt_group(port, &group) ||
		shunt_space_create(rte_net_shunt_spaces(), "b", &space) ||
		shunt_group_prepare(group, space))
		return fail("second space");
	print("second");
	return 0;
}

int main(int argc, char **argv)
{
	bool ours = argc > 2 && strcmp(argv[1], "shunt") == 0;
	char arguments[64];
	const char *eal[32] = { "mapping", "--no-telemetry", ours ? "--no-pci" : "-a" };
	int count = 3;
	uint16_t port;

	if (argc < 3 || argc > 24)
		return fail("usage: mapping shunt|dpdk FUNCTION [EAL's arguments...]");
	if (!ours)
		eal[count++] = argv[2];
	for (int i = 3; i < argc; i++)
		eal[count++] = argv[i];
	/* EAL takes strings that it may change and changes none. */
	if (rte_eal_init(count, (char **)(uintptr_t)eal) < 0)
		return fail("EAL does not start");
	snprintf(arguments, sizeof(arguments), "pci=%s", argv[2]);
	if (ours && rte_vdev_init("net_shunt0", arguments))
		return fail(argv[2]);
	if (rte_eth_dev_count_avail() != 1 ||
		rte_eth_dev_get_port_by_name(ours ? "net_shunt0" : argv[2], &port))
		return fail("no port");
	print("first");
	if (ours && second_space(port))
		return 1;
	return rte_eth_dev_close(port) || rte_eal_cleanup();
}
