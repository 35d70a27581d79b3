/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long it takes to map EAL's memory for a first device, and again for a second address space:
 * one process, one way, its system calls timed where they leave the libraries.
 *
 *   mapping_shunt FUNCTION [EAL's arguments...]   our igb: iommufd, spaces "a" and "b"
 *   mapping_dpdk FUNCTION [EAL's arguments...]    DPDK's net_e1000_igb: VFIO type1; without our
 *                                                 library, which would take the function
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

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <shunt/error.h>

#include "shunt_iommufd_uapi.h"
#if OURS
#include <rte_bus_vdev.h>

#include "rte_net_shunt.h"
#endif

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

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "mapping: %s: %s\n", what, why);
	return 1;
}

#if OURS

#define NAME "net_shunt0"

static int first_port(const char *function, uint16_t *port)
{
	char arguments[64];

	snprintf(arguments, sizeof(arguments), "pci=%s", function);
	if (rte_vdev_init(NAME, arguments) || rte_eth_dev_get_port_by_name(NAME, port))
		return fail(function, shunt_errmsg());
	return 0;
}

static int second_space(uint16_t port)
{
	struct shunt_space *space;
	struct shunt_group *group;

	if (rte_net_shunt_group(port, &group) ||
		shunt_space_create(rte_net_shunt_spaces(), "b", &space) ||
		shunt_group_prepare(group, space))
		return fail("second space", shunt_errmsg());
	print("second");
	return 0;
}

#else

static int first_port(const char *function, uint16_t *port)
{
	return rte_eth_dev_get_port_by_name(function, port) ? fail(function, "no port of EAL's")
							    : 0;
}

static int second_space(uint16_t port)
{
	(void)port; /* a type1 container has one */
	return 0;
}

#endif

int main(int argc, char **argv)
{
	const char *eal[32] = { argv[0], "--no-telemetry", OURS ? "--no-pci" : "-a" };
	int count = 3;
	uint16_t port;

	if (argc < 2 || argc > 24)
		return fail("usage", "mapping_shunt|mapping_dpdk FUNCTION [EAL's arguments...]");
	if (!OURS)
		eal[count++] = argv[1];
	for (int i = 2; i < argc; i++)
		eal[count++] = argv[i];
	/* EAL takes strings that it may change and changes none. */
	if (rte_eal_init(count, (char **)(uintptr_t)eal) < 0)
		return fail("EAL does not start", rte_strerror(rte_errno));
	if (first_port(argv[1], &port))
		return 1;
	print("first");
	if (second_space(port))
		return 1;
	return rte_eth_dev_close(port) || rte_eal_cleanup();
}
