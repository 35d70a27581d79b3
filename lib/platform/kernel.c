/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shunt/error.h>
#include <shunt/platform.h>

#include "kernel_faults.h"
#include "kernel_info.h"
#include "shunt_hold.h"
#include "shunt_node.h"

/* A descriptor that the process came with, given out once in place of an open of its path. */
struct inherited {
	struct inherited *next;
	int fd; /* -1: given out */
	char path[PATH_MAX];
};

struct kernel {
	struct shunt_platform platform;
	pthread_mutex_t lock;         /* of both pointers */
	struct kernel_faults *faults; /* NULL: not asked for yet */
	struct inherited *inherited;
};

static struct inherited *inherited_find(struct inherited *list, const char *path)
{
	while (list && strcmp(list->path, path) != 0)
		list = list->next;
	return list;
}

static int inherited_add(struct inherited **list, const char *path, int fd)
{
	struct inherited *entry;

	if (inherited_find(*list, path))
		return shunt_fail(-EEXIST, "%s: a descriptor is given already", path);
	if (strlen(path) >= sizeof(entry->path))
		return shunt_fail(-ENAMETOOLONG, "the path of descriptor %d is too long", fd);
	/* Programs that this one starts do not inherit it. */
	if (fcntl(fd, F_SETFD, FD_CLOEXEC))
		return shunt_fail(-EBADF,
			"%s: descriptor %d is not open: open it in the process that starts this "
			"one",
			path, fd);
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return shunt_fail(-ENOMEM, "%s: out of memory", path);
	entry->fd = fd;
	memcpy(entry->path, path, strlen(path) + 1);
	entry->next = *list;
	*list = entry;
	return 0;
}

static int inherited_take(struct inherited *list, const char *path)
{
	struct inherited *entry = inherited_find(list, path);
	int fd;

	if (!entry)
		return -ENOENT;
	fd = entry->fd;
	entry->fd = -1;
	return fd < 0 ? -EBUSY : fd;
}

static void inherited_free(struct inherited *list)
{
	while (list) {
		struct inherited *next = list->next;

		if (list->fd >= 0)
			close(list->fd);
		free(list);
		list = next;
	}
}

/* A number may belong to no device, or to another than the one that is meant. */
static int check_node(
	const struct shunt_platform *platform, const char *path, int fd, const char *whose)
{
	struct stat status;

	if (fd < 0 && fd != -ENXIO && fd != -ENODEV)
		return fd;
	if (fd < 0 ? stat(path, &status) : fstat(fd, &status))
		return fd < 0 ? fd : -errno;
	return shunt_node_check(platform->sysfs, path, &status, whose);
}

static int kernel_open(struct shunt_platform *platform, const char *path)
{
	struct kernel *kernel = (struct kernel *)platform;
	char whose[32] = "the node";
	int fd, ret;

	pthread_mutex_lock(&kernel->lock);
	fd = inherited_take(kernel->inherited, path);
	pthread_mutex_unlock(&kernel->lock);
	if (fd >= 0) {
		snprintf(whose, sizeof(whose), "descriptor %d", fd);
	} else if (fd == -ENOENT) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	}
	ret = check_node(platform, path, fd, whose);
	if (ret && fd >= 0)
		close(fd);
	return ret ? ret : fd;
}

static int kernel_close(struct shunt_platform *platform, int fd)
{
	return close(fd) ? -errno : 0;
}

static int kernel_ioctl(struct shunt_platform *platform, int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int kernel_map(
	struct shunt_platform *platform, int fd, uint64_t offset, size_t length, void **addr)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	if (at == MAP_FAILED)
		return -errno;
	*addr = at;
	return 0;
}

static int kernel_unmap(struct shunt_platform *platform, void *addr, size_t length)
{
	return munmap(addr, length) ? -errno : 0;
}

static int transferred(ssize_t done, size_t length)
{
	if (done < 0)
		return -errno;
	return (size_t)done == length ? 0 : -EIO;
}

static int kernel_read(
	struct shunt_platform *platform, int fd, uint64_t offset, void *buf, size_t length)
{
	return transferred(pread(fd, buf, length, (off_t)offset), length);
}

static int kernel_write(
	struct shunt_platform *platform, int fd, uint64_t offset, const void *buf, size_t length)
{
	return transferred(pwrite(fd, buf, length, (off_t)offset), length);
}

static const struct kernel_roots roots = {
	.sys = "/sys", .proc = "/proc", .boot = "/boot", .log = "/dev/kmsg"
};

/* Only when asked for: it leaves traces in the machine. */
static int begin_to_observe(struct kernel *kernel)
{
	SHUNT_HOLD(&kernel->lock);

	return kernel->faults ? 0 : kernel_faults_create(&roots, &kernel->faults);
}

static int kernel_watch(struct shunt_platform *platform, const char *function)
{
	struct kernel *kernel = (struct kernel *)platform;
	int ret = begin_to_observe(kernel);

	return ret ? ret : kernel_faults_watch(kernel->faults, function);
}

static int kernel_faults(
	struct shunt_platform *platform, struct shunt_fault *records, unsigned int n)
{
	struct kernel *kernel = (struct kernel *)platform;
	int ret = begin_to_observe(kernel);

	return ret ? ret : kernel_faults_take(kernel->faults, records, n);
}

static void kernel_info(
	struct shunt_platform *platform, const char *function, struct shunt_platform_info *info)
{
	struct kernel *kernel = (struct kernel *)platform;

	kernel_info_fill(&roots, function, info);
	info->fault_observers[0] = '\0';
	pthread_mutex_lock(&kernel->lock);
	if (kernel->faults)
		kernel_faults_observers(
			kernel->faults, info->fault_observers, sizeof(info->fault_observers));
	pthread_mutex_unlock(&kernel->lock);
}

static void kernel_destroy(struct shunt_platform *platform)
{
	struct kernel *kernel = (struct kernel *)platform;

	kernel_faults_destroy(kernel->faults);
	inherited_free(kernel->inherited);
	pthread_mutex_destroy(&kernel->lock);
	free(kernel);
}

static const struct shunt_platform_ops kernel_ops = {
	.open = kernel_open,
	.close = kernel_close,
	.ioctl = kernel_ioctl,
	.map = kernel_map,
	.unmap = kernel_unmap,
	.read = kernel_read,
	.write = kernel_write,
	.watch = kernel_watch,
	.faults = kernel_faults,
	.info = kernel_info,
	.destroy = kernel_destroy,
};

int shunt_platform_kernel(struct shunt_platform **platform)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return shunt_fail(-ENOMEM, "kernel platform: out of memory");
	pthread_mutex_init(&kernel->lock, NULL);
	kernel->platform.ops = &kernel_ops;
	kernel->platform.name = "kernel";
	kernel->platform.sysfs = "/sys";
	kernel->platform.registers_mapped = true;
	*platform = &kernel->platform;
	return 0;
}

int shunt_platform_inherit(struct shunt_platform *platform, const char *path, int fd)
{
	struct kernel *kernel = (struct kernel *)platform;
	int ret;

	if (platform->ops != &kernel_ops)
		return shunt_fail(-EINVAL, "platform %s opens no files: it inherits no descriptors",
			platform->name);
	pthread_mutex_lock(&kernel->lock);
	ret = inherited_add(&kernel->inherited, path, fd);
	pthread_mutex_unlock(&kernel->lock);
	return ret;
}
