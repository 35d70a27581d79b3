/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Refused DMA, as much of it and of whose as is wanted, and what the kernel platform says of it.
 *
 * usage: refuse FUNCTION... <STEPS
 *
 * Each 82576 gets a transmit ring at an address that is not mapped: every write of its doorbell
 * makes it read a descriptor, which the IOMMU refuses. A step is a line: for each function, by
 * letter, how often ("ab5": once the first, then five times the second). After each step the fault
 * log is asked, and a line says both: "step ab5 : 1 5", "?" for unknown. "time N" asks N times with
 * nothing refused and tells on stderr how long that takes, "wait N" waits N seconds. The rings of
 * step N, from 0, are at RING_IOVA + N * RING_LENGTH: by a fault's address QEMU's trace tells whose
 * step it was.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/evidence.h>
#include <shunt/pci.h>
#include <shunt/vfio.h>

#include "82576.h"

#define MAX_FUNCTIONS 8
#define RING_IOVA     0x40000000ull
#define RING_LENGTH   4096u /* bytes */
#define DESCRIPTORS   (RING_LENGTH / 16)
#define LINE          256

struct port {
	struct shunt_vfio_device device;
	struct shunt_vfio_region bar;
	uint32_t tail;
};

struct refuse {
	struct shunt_platform *platform;
	struct shunt_iommufd iommufd;
	struct port ports[MAX_FUNCTIONS];
	int count;
	struct shunt_fault_log *log;
	uint32_t ioas;
	uint32_t pt_id;
};

static int put(struct port *port, uint32_t offset, uint32_t value)
{
	return shunt_vfio_write(&port->device, &port->bar, offset, &value, sizeof(value));
}

static int start_port(struct port *port)
{
	int ret = shunt_vfio_reset(&port->device);

	if (!ret)
		ret = shunt_vfio_bus_master(&port->device, true);
	return ret ? ret : put(port, SHUNT_82576_TCTL, SHUNT_82576_TCTL_EN);
}

static int start_ring(struct port *port, uint64_t iova)
{
	const uint32_t registers[][2] = {
		{ SHUNT_82576_TXDCTL(0), 0 },
		{ SHUNT_82576_TDBAL(0), (uint32_t)iova },
		{ SHUNT_82576_TDBAL(0) + 4, (uint32_t)(iova >> 32) },
		{ SHUNT_82576_TDLEN(0), RING_LENGTH },
		{ SHUNT_82576_TDH(0), 0 },
		{ SHUNT_82576_TDT(0), 0 },
		{ SHUNT_82576_TXDCTL(0), SHUNT_82576_TXDCTL_ENABLE },
	};
	int ret = 0;

	port->tail = 0;
	for (unsigned int i = 0; i < sizeof(registers) / sizeof(registers[0]) && !ret; i++)
		ret = put(port, registers[i][0], registers[i][1]);
	return ret;
}

static int open_port(struct refuse *refuse, const struct shunt_pci_list *list, const char *address)
{
	struct port *port = &refuse->ports[refuse->count];
	const struct shunt_pci_function *function;
	int ret;

	ret = shunt_pci_find(list, address, &function);
	if (!ret)
		ret = shunt_pci_usable(list, function);
	if (!ret)
		ret = shunt_vfio_open(
			&refuse->iommufd, function->cdev, function->address, &port->device);
	if (ret)
		return ret;
	refuse->count++;
	/* All ports are on the first one's page table; where it can be made only by attaching, on
	 * what the kernel makes of the IOAS. */
	if (!refuse->pt_id &&
		shunt_hwpt_alloc(&refuse->iommufd, port->device.id, refuse->ioas, &refuse->pt_id))
		refuse->pt_id = refuse->ioas;
	ret = shunt_vfio_attach(&port->device, refuse->pt_id, NULL);
	if (!ret)
		ret = shunt_vfio_region(&port->device, VFIO_PCI_BAR0_REGION_INDEX, &port->bar);
	if (!ret)
		ret = start_port(port);
	if (!ret)
		ret = shunt_fault_log_add(refuse->log, port->device.function);
	return ret;
}

static int open_ports(struct refuse *refuse, char **addresses, int count)
{
	struct shunt_pci_list list = { 0 };
	int ret;

	if (count < 1 || count > MAX_FUNCTIONS)
		return shunt_fail(
			-EINVAL, "%d functions: 1 to %d are possible", count, MAX_FUNCTIONS);
	ret = shunt_iommufd_open(refuse->platform, &refuse->iommufd);
	if (ret)
		return ret;
	ret = shunt_ioas_alloc(&refuse->iommufd, &refuse->ioas);
	if (!ret)
		ret = shunt_pci_scan(refuse->platform, &list);
	if (!ret)
		ret = shunt_fault_log_create(refuse->platform, &refuse->log);
	for (int i = 0; i < count && !ret; i++)
		ret = open_port(refuse, &list, addresses[i]);
	shunt_pci_list_free(&list);
	return ret;
}

static void close_ports(struct refuse *refuse)
{
	while (refuse->count > 0)
		shunt_vfio_close(&refuse->ports[--refuse->count].device);
	shunt_fault_log_destroy(refuse->log);
	if (refuse->iommufd.platform)
		shunt_iommufd_close(&refuse->iommufd);
	shunt_platform_destroy(refuse->platform);
}

static int be_refused(struct port *port, unsigned long times)
{
	int ret = 0;

	while (times-- && !ret) {
		port->tail = (port->tail + 1) % DESCRIPTORS;
		ret = put(port, SHUNT_82576_TDT(0), port->tail);
	}
	return ret;
}

static int step(struct refuse *refuse, unsigned int number, const char *text)
{
	unsigned long times;
	char *end;
	int ret = 0;

	for (int i = 0; i < refuse->count && !ret; i++)
		ret = start_ring(&refuse->ports[i], RING_IOVA + number * (uint64_t)RING_LENGTH);
	while (*text && !ret) {
		int port = *text++ - 'a';

		if (port < 0 || port >= refuse->count)
			return shunt_fail(-EINVAL, "step: no function '%c'", port + 'a');
		times = strtoul(text, &end, 10);
		ret = be_refused(&refuse->ports[port], end == text ? 1 : times);
		text = end;
	}
	return ret;
}

static void ask(struct refuse *refuse, const char *text)
{
	char line[2 * LINE];
	size_t used = (size_t)snprintf(line, sizeof(line), "step %s :", text);

	for (int i = 0; i < refuse->count && used < LINE + 128; i++) {
		int64_t faults =
			shunt_fault_log_since(refuse->log, refuse->ports[i].device.function);

		used += (size_t)(faults < 0 ? snprintf(line + used, sizeof(line) - used, " ?")
					    : snprintf(line + used, sizeof(line) - used,
						      " %" PRId64, faults));
	}
	printf("%s\n", line);
}

static void take_time(struct refuse *refuse, unsigned long times)
{
	struct shunt_fault record;
	uint64_t start, end, least = UINT64_MAX, sum = 0;

	for (unsigned long i = 0; i < times; i++) {
		start = shunt_clock_now();
		refuse->platform->ops->faults(refuse->platform, &record, 1);
		end = shunt_clock_now();
		sum += end - start;
		if (end - start < least)
			least = end - start;
	}
	fprintf(stderr, "time of a call: mean %" PRIu64 " ns, least %" PRIu64 " ns\n",
		times ? shunt_clock_to_ns(sum) / times : 0, shunt_clock_to_ns(least));
}

static int play(struct refuse *refuse)
{
	struct shunt_platform_info info;
	char text[LINE];
	unsigned int number = 0;
	int ret = 0;

	refuse->platform->ops->info(refuse->platform, NULL, &info);
	printf("observers: %s\n", info.fault_observers);
	while (!ret && fgets(text, sizeof(text), stdin)) {
		text[strcspn(text, "\n")] = '\0';
		if (strncmp(text, "time ", 5) == 0) {
			take_time(refuse, strtoul(text + 5, NULL, 10));
		} else if (strncmp(text, "wait ", 5) == 0) {
			sleep((unsigned int)strtoul(text + 5, NULL, 10));
		} else {
			ret = step(refuse, number++, text);
			ask(refuse, text);
		}
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct refuse refuse = { 0 };
	int ret;

	ret = shunt_platform_kernel(&refuse.platform);
	if (ret)
		goto out;
	ret = open_ports(&refuse, argv + 1, argc - 1);
	if (!ret)
		ret = play(&refuse);
	if (ret)
		fprintf(stderr, "refuse: %s\n", shunt_errmsg());
	close_ports(&refuse);
out:
	return ret ? 1 : 0;
}
