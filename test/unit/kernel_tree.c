/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel_tree.h"

#define PATH 512

static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((unsigned int)sched_getcpu(), &here);
	assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);
}

void kernel_tree_create(struct kernel_tree *tree)
{
	*tree = (struct kernel_tree){ .root = "/tmp/shunt-test-kernel-XXXXXX" };
	stay_here();
	assert_non_null(mkdtemp(tree->root));
	snprintf(tree->sys, sizeof(tree->sys), "%s/sys", tree->root);
	snprintf(tree->proc, sizeof(tree->proc), "%s/proc", tree->root);
	snprintf(tree->boot, sizeof(tree->boot), "%s/boot", tree->root);
	/* A pipe in packet mode gives a record a read, as /dev/kmsg does. */
	assert_int_equal(pipe2(tree->pipe, O_NONBLOCK | O_DIRECT | O_CLOEXEC), 0);
	snprintf(tree->log, sizeof(tree->log), "/proc/self/fd/%d", tree->pipe[0]);
	snprintf(tree->tracefs, sizeof(tree->tracefs), "%s/none", tree->root);
	tree->roots = (struct kernel_roots){ tree->sys, tree->proc, tree->boot, tree->log,
		tree->tracefs };
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(path);
}

void kernel_tree_destroy(struct kernel_tree *tree)
{
	close(tree->pipe[0]);
	close(tree->pipe[1]);
	assert_int_equal(nftw(tree->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void path_to(const struct kernel_tree *tree, char path[static PATH], const char *name)
{
	assert_in_range(snprintf(path, PATH, "%s/%s", tree->root, name), 1, PATH - 1);
	for (char *slash = strchr(path + strlen(tree->root) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

void kernel_tree_put(const struct kernel_tree *tree, const char *name, const char *text)
{
	char path[PATH];
	FILE *file;

	path_to(tree, path, name);
	if (!text) {
		assert_int_equal(mkdir(path, 0755), 0);
		return;
	}
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void kernel_tree_link(const struct kernel_tree *tree, const char *name, const char *target)
{
	char path[PATH];

	path_to(tree, path, name);
	assert_int_equal(symlink(target, path), 0);
}

void kernel_tree_function(const struct kernel_tree *tree, const char *function, const char *iommu)
{
	char name[256], target[256];

	snprintf(name, sizeof(name), "sys/class/iommu/%s/devices/%s", iommu, function);
	kernel_tree_put(tree, name, NULL);
	snprintf(name, sizeof(name), "sys/bus/pci/devices/%s/iommu", function);
	snprintf(target, sizeof(target), "../../../../class/iommu/%s", iommu);
	kernel_tree_link(tree, name, target);
}

void kernel_tree_count(const struct kernel_tree *tree, unsigned int number, const char *count)
{
	char name[256];

	snprintf(name, sizeof(name), "sys/kernel/irq/%u/per_cpu_count", number);
	kernel_tree_put(tree, name, count);
}

void kernel_tree_irq(const struct kernel_tree *tree, unsigned int number, const char *actions)
{
	char name[256], text[64];

	snprintf(name, sizeof(name), "sys/kernel/irq/%u/actions", number);
	snprintf(text, sizeof(text), "%s\n", actions);
	kernel_tree_put(tree, name, text);
	kernel_tree_count(tree, number, "0,5\n");
	snprintf(name, sizeof(name), "proc/irq/%u/effective_affinity_list", number);
	snprintf(text, sizeof(text), "%d\n", sched_getcpu());
	kernel_tree_put(tree, name, text);
}

void kernel_tree_process(
	const struct kernel_tree *tree, unsigned int pid, const char *process, char state)
{
	char name[256], text[128];

	snprintf(name, sizeof(name), "proc/%u/comm", pid);
	snprintf(text, sizeof(text), "%s\n", process);
	kernel_tree_put(tree, name, text);
	snprintf(name, sizeof(name), "proc/%u/stat", pid);
	snprintf(text, sizeof(text), "%u (%s) %c 2 0 0 0 -1\n", pid, process, state);
	kernel_tree_put(tree, name, text);
}

void kernel_tree_log(struct kernel_tree *tree, unsigned int priority, const char *text)
{
	char record[512];
	int length = snprintf(record, sizeof(record),
		"%u,%u,100000000,-,caller=C1;%s\n SUBSYSTEM=pci\n DEVICE=+pci:0000:09:00.0\n",
		priority, tree->sequence++, text);

	assert_int_equal(write(tree->pipe[1], record, (size_t)length), length);
}
