/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cost as work grows, on the software platform: what a switch to a prepared hwpt and its
 * preparation take with more memory mapped, and with more ports in the group. Medians; times are
 * this machine's, only their ratios mean something.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/group.h>
#include <shunt/histogram.h>
#include <shunt/sim.h>

#define PAGE_2M  (2ull << 20)
#define SWITCHES 2000
#define ROUNDS   5

/* A group whose spaces are made by copying, and what that took. */
struct bench {
	struct shunt_platform *platform;
	struct shunt_iommufd iommufd;
	struct shunt_spaces *spaces;
	struct shunt_space *a;
	struct shunt_group *group;
	struct shunt_vfio_device devices[SHUNT_SIM_MAX_PORTS_PER_GROUP];
	unsigned int ports;
	char *memory;
	uint64_t bytes;
};

static int give_up(void)
{
	fprintf(stderr, "bench_scale: %s\n", shunt_errmsg());
	return 1;
}

static int open_ports(struct bench *bench)
{
	int ret = 0;

	for (unsigned int i = 0; i < bench->ports && !ret; i++) {
		char cdev[64], function[16];

		snprintf(cdev, sizeof(cdev), "/dev/vfio/devices/vfio%u", i);
		snprintf(function, sizeof(function), "0000:%02x:00.0", 3 + i);
		ret = shunt_vfio_open(&bench->iommufd, cdev, function, &bench->devices[i]);
		if (!ret)
			ret = shunt_group_join(
				bench->group, &bench->devices[i], "", NULL, NULL, bench->a);
	}
	return ret;
}

/* In pages of 2 MiB, each a mapping of its own, as EAL's memory is. */
static int map_memory(struct bench *bench)
{
	char *memory;
	int ret = 0;

	bench->memory = mmap(NULL, bench->bytes + PAGE_2M, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bench->memory == MAP_FAILED)
		return shunt_fail_errno(-errno, "%" PRIu64 " bytes of address space", bench->bytes);
	memory = (char *)(((uintptr_t)bench->memory + PAGE_2M - 1) / PAGE_2M * PAGE_2M);
	for (uint64_t at = 0; at < bench->bytes && !ret; at += PAGE_2M)
		ret = shunt_spaces_map(bench->spaces, memory + at, PAGE_2M, (uintptr_t)memory + at,
			SHUNT_DMA_BOTH);
	return ret;
}

static int set_up(struct bench *bench)
{
	const struct shunt_sim_config config = { .groups = 1, .ports = bench->ports };
	int ret;

	ret = shunt_sim_create(&config, &bench->platform);
	if (!ret)
		ret = shunt_iommufd_open(bench->platform, &bench->iommufd);
	if (!ret)
		ret = shunt_spaces_create(&bench->iommufd, &bench->spaces);
	if (!ret)
		ret = shunt_space_create(bench->spaces, "a", &bench->a);
	if (!ret)
		ret = shunt_group_create(10, &bench->group);
	if (!ret)
		ret = map_memory(bench);
	if (!ret)
		ret = open_ports(bench);
	return ret;
}

static void take_down(struct bench *bench)
{
	for (unsigned int i = 0; i < bench->ports; i++) {
		shunt_group_leave(bench->group, &bench->devices[i]);
		shunt_vfio_close(&bench->devices[i]);
	}
	shunt_group_destroy(bench->group);
	shunt_spaces_destroy(bench->spaces);
	shunt_iommufd_close(&bench->iommufd);
	shunt_platform_destroy(bench->platform);
	munmap(bench->memory, bench->bytes + PAGE_2M);
}

/* Medians of a space by copy with its hwpt, and of a switch, in nanoseconds. */
static int measure(struct bench *bench, uint64_t *prepare_ns, uint64_t *switch_ns)
{
	struct shunt_samples prepare = { 0 }, change = { 0 };
	struct shunt_switch_result result;
	struct shunt_space *b = NULL;
	int ret = 0;

	for (int round = 0; round < ROUNDS && !ret; round++) {
		uint64_t start = shunt_clock_now();

		ret = shunt_space_create(bench->spaces, "b", &b);
		if (!ret)
			ret = shunt_group_prepare(bench->group, b);
		if (!ret)
			ret = shunt_samples_add(
				&prepare, shunt_clock_to_ns(shunt_clock_now() - start));
		if (!ret && round + 1 < ROUNDS)
			ret = shunt_space_destroy(b);
	}
	for (int i = 0; i < SWITCHES && !ret; i++) {
		ret = shunt_group_switch(
			bench->group, i % 2 ? bench->a : b, SHUNT_PLAN_REPLACE, &result);
		if (!ret)
			ret = shunt_samples_add(
				&change, shunt_clock_to_ns(result.moved - result.start));
	}
	*prepare_ns = shunt_samples_quantile(&prepare, 0.5);
	*switch_ns = shunt_samples_quantile(&change, 0.5);
	shunt_samples_free(&prepare);
	shunt_samples_free(&change);
	return ret;
}

static int run(unsigned int ports, uint64_t bytes, uint64_t *prepare_ns, uint64_t *switch_ns)
{
	struct bench bench = { .ports = ports, .bytes = bytes };
	int ret;

	ret = set_up(&bench);
	if (!ret)
		ret = measure(&bench, prepare_ns, switch_ns);
	if (!ret)
		take_down(&bench);
	return ret;
}

int main(void)
{
	static const uint64_t sizes[] = { 64ull << 20, 1ull << 30, 8ull << 30 };
	static const unsigned int ports[] = { 1, 3, 16 };
	uint64_t prepare_ns, switch_ns, one_port_ns = 0;

	printf("sim, blocking; one mapping for each page of 2 MiB; medians\n\n");
	printf("%10s %10s %14s %14s %14s\n", "mapped", "pages", "switch", "prepare",
		"prepare/page");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t pages = sizes[i] / PAGE_2M;

		if (run(3, sizes[i], &prepare_ns, &switch_ns))
			return give_up();
		printf("%6" PRIu64 " MiB %10" PRIu64 " %11" PRIu64 " ns %11" PRIu64 " ns %11" PRIu64
		       " ns\n",
			sizes[i] >> 20, pages, switch_ns, prepare_ns, prepare_ns / pages);
	}
	printf("\n%10s %14s %22s\n", "ports", "switch", "for each further port");
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (run(ports[i], sizes[0], &prepare_ns, &switch_ns))
			return give_up();
		one_port_ns = i ? one_port_ns : switch_ns;
		printf("%10u %11" PRIu64 " ns", ports[i], switch_ns);
		if (i)
			printf(" %19.0f ns",
				((double)switch_ns - (double)one_port_ns) / (ports[i] - 1));
		printf("\n");
	}
	return 0;
}
