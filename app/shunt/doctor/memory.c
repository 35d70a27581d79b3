/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/capability.h>

#include "commands.h"
#include "doctor.h"
#include "rte_net_shunt.h"
#include "text.h"

#define SIZE_PREFIX "hugepages-" /* of a folder of /sys/kernel/mm/hugepages */

static unsigned long read_number(const struct doctor *doctor, const char *folder, const char *name)
{
	const char *path = text_of("kernel/mm/hugepages/%s/%s", folder, name);

	return strtoul(text_line(doctor_sysfs(doctor, path)), NULL, 10);
}

static void check_size(struct doctor *doctor, const char *folder, unsigned long kib)
{
	const unsigned long total = read_number(doctor, folder, "nr_hugepages");
	const unsigned long unused = read_number(doctor, folder, "free_hugepages");
	unsigned long wanted = ((unsigned long)COMMAND_MEMORY_MIB << 10) / kib;
	bool enough;

	wanted = wanted ? wanted : 1;
	enough = unused >= wanted;
	if (!total && kib > 2048)
		return; /* none is reserved, and none is needed */
	if (enough || kib > 2048) {
		doctor_find(doctor, FINDING_OK, "hugepages", "%lu KiB: %lu of %lu free", kib,
			unused, total);
		return;
	}
	doctor_fix(doctor_find(doctor, FINDING_WARN, "hugepages",
			   "%lu KiB: %lu of %lu free, a run takes %lu (%d MiB); without them it "
			   "uses plain memory, in more mappings",
			   kib, unused, total, wanted, COMMAND_MEMORY_MIB),
		"echo %lu > /sys/kernel/mm/hugepages/%s/nr_hugepages", total - unused + wanted,
		folder);
}

static void check_sizes(struct doctor *doctor)
{
	DIR *dir = opendir(doctor_sysfs(doctor, "kernel/mm/hugepages"));
	const struct dirent *entry;
	unsigned long kib;

	if (!dir) {
		doctor_advise(doctor_find(doctor, FINDING_WARN, "hugepages",
				      "this kernel has none: runs use plain memory"),
			"boot a kernel built with CONFIG_HUGETLBFS");
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, SIZE_PREFIX, strlen(SIZE_PREFIX)) != 0)
			continue;
		kib = strtoul(entry->d_name + strlen(SIZE_PREFIX), NULL, 10);
		if (kib)
			check_size(doctor, entry->d_name, kib);
	}
	closedir(dir);
}

static void check_mount(struct doctor *doctor)
{
	FILE *file = fopen(text_of("%s/mounts", doctor->machine.proc), "re");
	char line[512], folder[256], type[32];
	bool mounted = false;

	while (file && !mounted && fgets(line, sizeof(line), file))
		mounted = sscanf(line, "%*s %255s %31s", folder, type) == 2 &&
			  strcmp(type, "hugetlbfs") == 0 && strcmp(folder, "/dev/hugepages") == 0;
	if (file)
		fclose(file);
	if (!mounted)
		doctor_fix(doctor_find(doctor, FINDING_WARN, "hugepages",
				   "no hugetlbfs is mounted on /dev/hugepages"),
			"mkdir -p /dev/hugepages; mount -t hugetlbfs none /dev/hugepages");
	else if (access(text_of("%s/hugepages", doctor->machine.dev), W_OK))
		doctor_fix(doctor_find(doctor, FINDING_WARN, "hugepages",
				   "this user may not write /dev/hugepages"),
			"chmod 1777 /dev/hugepages");
	else
		doctor_find(doctor, FINDING_OK, "hugepages", "mounted on /dev/hugepages");
}

/* With CAP_IPC_LOCK the kernel does not apply the limit to pinned pages. */
static bool may_lock_any(const struct doctor *doctor)
{
	const char *set = text_field(text_of("%s/self/status", doctor->machine.proc), "CapEff:");

	return strtoull(set, NULL, 16) & (1ull << CAP_IPC_LOCK);
}

/* Default hugepage size in bytes; 1 without hugepages. */
static rlim_t default_page(const struct doctor *doctor)
{
	const char *kib = text_field(text_of("%s/meminfo", doctor->machine.proc), "Hugepagesize:");

	return strtoul(kib, NULL, 10) ? (rlim_t)strtoul(kib, NULL, 10) << 10 : 1;
}

/*
 * What iommufd pins in a run, counted once for any number of spaces: EAL's memory, and the rings of
 * each port of our drivers. DPDK's drivers have their rings in EAL's memory.
 */
static rlim_t locked_by_run(const struct doctor *doctor)
{
	const rlim_t page = default_page(doctor);
	const rlim_t frames = (rlim_t)COMMAND_MEMORY_MIB << 20;
	const rlim_t rings = RTE_NET_SHUNT_PORT_BYTES;

	return (frames + page - 1) / page * page +
	       doctor->ports * ((rings + page - 1) / page * page);
}

static void check_locked_memory(struct doctor *doctor)
{
	const rlim_t need = locked_by_run(doctor);
	struct rlimit limit;
	struct finding *finding;

	if (may_lock_any(doctor)) {
		doctor_find(doctor, FINDING_OK, "memory", "this user may lock any amount");
		return;
	}
	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		limit.rlim_cur = limit.rlim_max = 0;
	if (limit.rlim_cur >= need) {
		doctor_find(doctor, FINDING_OK, "memory",
			"this user may lock %ju KiB, a run with %u port%s takes %ju",
			(uintmax_t)limit.rlim_cur >> 10, doctor->ports, plural(doctor->ports),
			(uintmax_t)need >> 10);
		return;
	}
	finding = doctor_find(doctor, FINDING_WRONG, "memory",
		"this user may lock %ju KiB, a run with %u port%s takes %ju (permanently: memlock "
		"in /etc/security/limits.conf)",
		(uintmax_t)limit.rlim_cur >> 10, doctor->ports, plural(doctor->ports),
		(uintmax_t)need >> 10);
	/* Our parent is the user's shell. */
	doctor_fix(finding, "prlimit --pid %ld --memlock=%ju:%ju", (long)getppid(), (uintmax_t)need,
		(uintmax_t)(limit.rlim_max > need ? limit.rlim_max : need));
}

void doctor_check_memory(struct doctor *doctor)
{
	check_sizes(doctor);
	check_mount(doctor);
	check_locked_memory(doctor);
}
