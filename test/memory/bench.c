/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include <shunt/error.h>
#include <shunt/iommufd.h>

#include "memory.h"

#define DESCRIPTORS  128
#define FRAMES       64
#define FRAME_LENGTH 300
#define RECORDS      16

void memory_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, " (last error: %s)\n", shunt_errmsg());
	exit(1);
}

void memory_eal_start(const struct memory_kind *kind, char **more)
{
	const char *argv[24] = { "memory", "--no-pci", "--no-telemetry", "--iova-mode=va",
		"--log-level=lib.eal:warning", "--lcores",
		sysconf(_SC_NPROCESSORS_ONLN) > 1 ? "0@(0-1)" : "0@0" };
	int argc = 7;

	for (unsigned int i = 0; kind->eal[i]; i++)
		argv[argc++] = kind->eal[i];
	for (; *more; more++)
		argv[argc++] = *more;
	net_eal_log();
	/* EAL takes strings that it may change and changes none. */
	MEMORY_MUST(rte_eal_init(argc, (char **)(uintptr_t)argv) >= 0, "%s: EAL does not start: %s",
		kind->name, rte_strerror(rte_errno));
}

static void open_platform(struct memory_bench *bench, char **functions, bool by_file)
{
	const struct shunt_sim_config config = {
		.groups = 1,
		.ports = NET_PORTS,
		.iommu = SHUNT_SIM_BLOCKING,
		.map_file = by_file,
	};

	if (functions) {
		MEMORY_MUST(shunt_platform_kernel(&bench->platform) == 0, "the kernel's platform");
		bench->functions[0] = functions[0];
		bench->functions[1] = functions[1];
	} else {
		MEMORY_MUST(shunt_sim_create(&config, &bench->platform) == 0, "sim");
		net_time_of(bench->platform);
		bench->functions[0] = "0000:03:00.0";
		bench->functions[1] = "0000:04:00.0";
		MEMORY_MUST(shunt_sim_wire(
				    bench->platform, bench->functions[0], bench->functions[1]) == 0,
			"wire");
	}
	MEMORY_MUST(inject_create(bench->platform, &bench->inject) == 0, "inject");
	if (!by_file)
		inject_fail(bench->inject, "IOMMU_IOAS_MAP_FILE", 1, UINT64_MAX, ENOTTY);
}

void memory_open(struct memory_bench *bench, char **functions, bool by_file)
{
	struct shunt_vfio_device *device;
	struct shunt_space *space;

	memset(bench, 0, sizeof(*bench));
	open_platform(bench, functions, by_file);
	MEMORY_MUST(rte_net_shunt_platform(inject_platform(bench->inject)) == 0, "platform");
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		char name[32], arguments[64];

		snprintf(name, sizeof(name), "net_shunt%u", i);
		snprintf(arguments, sizeof(arguments), "pci=%s", bench->functions[i]);
		MEMORY_MUST(rte_vdev_init(name, arguments) == 0 &&
				    rte_eth_dev_get_port_by_name(name, &bench->net.port[i]) == 0,
			"port %s", bench->functions[i]);
	}
	bench->spaces = rte_net_shunt_spaces();
	MEMORY_MUST(rte_net_shunt_group(bench->net.port[0], &bench->group) == 0 &&
			    rte_net_shunt_device(bench->net.port[0], &device) == 0 &&
			    shunt_space_create(bench->spaces, "b", &space) == 0,
		"second space");
	bench->iommufd = device->iommufd;
	MEMORY_MUST(shunt_ioas_alloc(bench->iommufd, &bench->scratch) == 0, "IOAS");
	for (unsigned int i = 0; i < NET_PORTS; i++)
		MEMORY_MUST(bench->platform->ops->watch(bench->platform, bench->functions[i]) == 0,
			"watch");
	memory_faults(bench);
}

void memory_close(struct memory_bench *bench)
{
	MEMORY_MUST(shunt_iommufd_destroy_id(bench->iommufd, bench->scratch) == 0, "IOAS");
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "net_shunt%u", i);
		MEMORY_MUST(rte_vdev_uninit(name) == 0, "closing %s", name);
	}
	MEMORY_MUST(rte_net_shunt_platform(NULL) == 0, "platform");
	inject_destroy(bench->inject);
	if (strcmp(bench->platform->name, "sim") == 0) {
		static const struct shunt_sim_objects none;
		struct shunt_sim_objects left;

		shunt_sim_objects(bench->platform, &left);
		MEMORY_MUST(memcmp(&left, &none, sizeof(none)) == 0, "%u mappings are left",
			left.mappings);
	}
	shunt_platform_destroy(bench->platform);
}

static void wait_for_link(uint16_t port)
{
	struct rte_eth_link link;

	MEMORY_MUST(rte_eth_link_get(port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP,
		"port %u has no link", port);
}

void memory_start(struct memory_bench *bench, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = { 0 };

	bench->net.pool = pool;
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		uint16_t port = bench->net.port[i];

		MEMORY_MUST(
			rte_eth_dev_configure(port, 1, 1, &conf) == 0 &&
				rte_eth_rx_queue_setup(port, 0, DESCRIPTORS, 0, NULL, pool) == 0 &&
				rte_eth_tx_queue_setup(port, 0, DESCRIPTORS, 0, NULL) == 0 &&
				rte_eth_promiscuous_enable(port) == 0 &&
				rte_eth_dev_start(port) == 0,
			"port %u does not start", port);
	}
	for (unsigned int i = 0; i < NET_PORTS; i++)
		wait_for_link(bench->net.port[i]);
}

void memory_stop(struct memory_bench *bench)
{
	for (unsigned int i = 0; i < NET_PORTS; i++)
		MEMORY_MUST(rte_eth_dev_stop(bench->net.port[i]) == 0, "port does not stop");
	MEMORY_MUST(rte_mempool_full(bench->net.pool), "%u of %u buffers are back",
		rte_mempool_avail_count(bench->net.pool), bench->net.pool->size);
}

void memory_switch(struct memory_bench *bench, const char *name)
{
	struct shunt_space *space = shunt_space_find(bench->spaces, name);
	struct shunt_switch_result result;

	MEMORY_MUST(
		space && shunt_group_switch(bench->group, space, SHUNT_PLAN_QUIESCE, &result) == 0,
		"switching to '%s'", name);
}

static bool is_of_kind(const struct memory_buffers *buffers, const struct rte_mbuf *frame)
{
	const uint8_t *bytes = frame->buf_addr;
	const struct rte_memseg_list *list;

	if (buffers->area)
		return bytes >= buffers->area && bytes < buffers->area + buffers->length;
	list = rte_mem_virt2memseg_list(bytes);
	return list && !list->external;
}

/*
 * A frame to send. QEMU's igb drops one whose bytes cross from a page into another that is not its
 * neighbour in the guest's physical memory (it maps them at once): such buffers only receive.
 */
static struct rte_mbuf *frame_in_a_page(struct memory_bench *bench, uint32_t sequence)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct rte_mbuf *set_aside[FRAMES];
	struct rte_mbuf *frame;
	unsigned int n = 0;

	for (;;) {
		frame = net_frame(&bench->net, FRAME_LENGTH, 1, sequence);
		if (rte_pktmbuf_mtod(frame, uintptr_t) % page + FRAME_LENGTH <= page)
			break;
		MEMORY_MUST(n < FRAMES, "no buffer whose frame lies in one page");
		set_aside[n++] = frame;
	}
	rte_pktmbuf_free_bulk(set_aside, n);
	return frame;
}

void memory_traffic(struct memory_bench *bench, const struct memory_buffers *buffers)
{
	static uint32_t sequence;
	struct rte_mbuf *frames[FRAMES];

	for (unsigned int from = 0; from < NET_PORTS; from++) {
		uint32_t first = sequence;
		unsigned int arrived;

		for (unsigned int i = 0; i < FRAMES; i++)
			frames[i] = frame_in_a_page(bench, sequence++);
		MEMORY_MUST(net_send(bench->net.port[from], frames, FRAMES) == FRAMES, "not sent");
		arrived = net_receive(bench->net.port[!from], frames, FRAMES);
		MEMORY_MUST(arrived == FRAMES,
			"%u of %u frames arrived from port %u in space '%s', %u faults", arrived,
			FRAMES, from, shunt_space_name(shunt_group_space(bench->group)),
			memory_faults(bench));
		for (unsigned int i = 0; i < FRAMES; i++) {
			MEMORY_MUST(net_frame_is(frames[i], FRAME_LENGTH, first + i),
				"frame %u came changed", i);
			MEMORY_MUST(is_of_kind(buffers, frames[i]),
				"frame %u lies at %p, not in that memory", i, frames[i]->buf_addr);
		}
		rte_pktmbuf_free_bulk(frames, FRAMES);
	}
}

/* A copy of a range succeeds if all of it is mapped, and changes nothing where it is copied from.
 */
bool memory_is_mapped(
	struct memory_bench *bench, const char *name, const void *start, size_t length)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t first = (uintptr_t)start & ~(page - 1);
	uint64_t end = ((uintptr_t)start + length + page - 1) & ~(page - 1);
	struct shunt_space *space = shunt_space_find(bench->spaces, name);
	int ret;

	MEMORY_MUST(space, "no space '%s'", name);
	ret = shunt_ioas_copy(bench->iommufd, bench->scratch, shunt_space_ioas(space), first,
		end - first, SHUNT_DMA_BOTH);
	MEMORY_MUST(ret == 0 || ret == -ENOENT, "asking whether it is mapped");
	if (ret)
		return false;
	MEMORY_MUST(shunt_ioas_unmap(bench->iommufd, bench->scratch, first, end - first) == 0,
		"the copy");
	return true;
}

unsigned int memory_faults(struct memory_bench *bench)
{
	static unsigned int faults;
	struct shunt_fault records[RECORDS];
	int n;

	do {
		n = bench->platform->ops->faults(bench->platform, records, RECORDS);
		MEMORY_MUST(n >= 0, "faults");
		faults += (unsigned int)n;
	} while (n == RECORDS);
	return faults;
}
