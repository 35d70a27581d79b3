/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include <shunt/error.h>

#include "forward.h"
#include "text.h"

/*
 * Assigns processors. The engine acts as the hardware, so it gets its own; the main thread shares
 * the worker's if there are two. With one processor all share it. The tester's lcore polls like the
 * worker: it takes the processor that the engine would have.
 */
static void divide_processors(
	cpu_set_t *engine, int *worker, int *control, unsigned int *processors)
{
	CPU_ZERO(engine);
	sched_getaffinity(0, sizeof(*engine), engine);
	*processors = (unsigned int)CPU_COUNT(engine);
	*worker = *control = -1;
	for (int cpu = CPU_SETSIZE; cpu-- > 0;) {
		if (!CPU_ISSET(cpu, engine))
			continue;
		if (*worker < 0)
			*worker = *control = cpu;
		else if (*control == *worker && CPU_COUNT(engine) > 1)
			*control = cpu;
		else
			break;
		if (CPU_COUNT(engine) > 1)
			CPU_CLR(cpu, engine);
	}
}

/* Value of a line of /proc/meminfo, in its unit; 0 if there is no such line. */
static uint64_t meminfo(const char *name)
{
	return strtoull(text_field("/proc/meminfo", name), NULL, 10);
}

/* Free hugepages of the default size. */
static uint64_t free_hugepage_bytes(void)
{
	return meminfo("HugePages_Free:") * (meminfo("Hugepagesize:") << 10);
}

static bool hugetlbfs_writable(void)
{
	return access("/dev/hugepages", W_OK) == 0;
}

/* EAL finds processors there; if there is none, it prints its usage. */
static int check_processor(int cpu)
{
	const char *path = text_of("/sys/devices/system/cpu/cpu%d/topology/core_id", cpu);

	if (access(path, F_OK) == 0)
		return 0;
	return shunt_fail_errno(
		-errno, "DPDK needs sysfs mounted on /sys, to find processors: %s", path);
}

/* Lcore 0 is the main thread, 1 the worker, 2 the tester if there is one. */
static int choose_lcores(struct forward_config *config, char *lcores, size_t size)
{
	int worker, control, tester = 0, ret;

	divide_processors(&config->engine_processors, &worker, &control, &config->processors);
	while (!CPU_ISSET(tester, &config->engine_processors))
		tester++;
	snprintf(lcores, size, "--lcores=0@%d,1@%d", control, worker);
	if (config->source == FORWARD_TESTER)
		snprintf(lcores + strlen(lcores), size - strlen(lcores), ",2@%d", tester);
	ret = check_processor(control);
	return ret ? ret : check_processor(worker);
}

/* EAL crashes if it is told to use a thousand times too much. */
static int check_memory(const struct forward_options *options)
{
	uint64_t machine = meminfo("MemTotal:") >> 10;

	if (!machine || options->memory_mib <= machine)
		return 0;
	return shunt_fail(-ENOMEM, "--memory %" PRIu64 ": this machine has %" PRIu64 " MiB",
		options->memory_mib, machine);
}

uint64_t forward_memory_available(void)
{
	return meminfo("MemAvailable:") << 10;
}

/*
 * Another process took the hugepages after they were looked at. EAL starts once in a process, so
 * that the command begins anew, with plain memory.
 */
static void begin_without_hugepages(const struct forward_options *options)
{
	static char program[] = "shunt", no_huge[] = "--no-huge";
	char **words = calloc(options->command_words + 3, sizeof(*words));

	if (!words)
		return;
	words[0] = program;
	memcpy(&words[1], options->command, options->command_words * sizeof(*words));
	words[options->command_words + 1] = no_huge;
	fputs("shunt forward: another process took the hugepages: plain memory is used\n", stderr);
	execv("/proc/self/exe", words);
	free(words);
}

int forward_eal_start(struct forward_config *config)
{
	int ret = check_memory(config->options);
	char lcores[64], memory[32];
	char name[] = "shunt", no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry";
	char log_level[] = "--log-level=error", in_memory[] = "--in-memory";
	char no_huge[] = "--no-huge", no_files[] = "--no-shconf", va[] = "--iova-mode=va";
	bool huge = !config->options->no_huge && hugetlbfs_writable() &&
		    free_hugepage_bytes() >= config->options->memory_mib << 20;
	char *argv[] = { name, lcores, memory, no_pci, no_telemetry, log_level, va,
		huge ? in_memory : no_files, huge ? NULL : no_huge, NULL };
	int argc = huge ? 8 : 9;

	if (!ret)
		ret = choose_lcores(config, lcores, sizeof(lcores));
	if (ret)
		return ret;
	forward_view_memory(config->text, "--memory", config->options->memory_mib << 20, "frames");
	snprintf(memory, sizeof(memory), "-m%" PRIu64, config->options->memory_mib);
	if (rte_eal_init(argc, argv) < 0) {
		const int err = -rte_errno;

		if (huge && free_hugepage_bytes() < config->options->memory_mib << 20)
			begin_without_hugepages(config->options);
		return shunt_fail_errno(err, "starting EAL with %" PRIu64 " MiB (--memory) of %s",
			config->options->memory_mib, huge ? "hugepages" : "plain memory");
	}
	config->hugepages = huge;
	return 0;
}

void forward_eal_stop(void)
{
	rte_eal_cleanup();
}
