/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shunt_error.h"
#include "shunt_platform.h"

static int kernel_open(struct shunt_platform *platform, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
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

/* Observers of the kernel's faults are not part of this platform yet: say unknown, never none. */
static int kernel_faults(
	struct shunt_platform *platform, struct shunt_fault *records, unsigned int n)
{
	return -ENOTSUP;
}

/* Name of the first IOMMU of this machine, as /sys/class/iommu shows it: dmar0, ivhd0, smmu3.*. */
static void first_iommu(char *name, size_t size)
{
	DIR *dir = opendir("/sys/class/iommu");
	const struct dirent *entry;

	snprintf(name, size, "none");
	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.') {
			snprintf(name, size, "%.*s", (int)size - 1, entry->d_name);
			break;
		}
	}
	closedir(dir);
}

static bool inside_virtual_machine(void)
{
	char line[4096];
	bool found = false;
	FILE *cpuinfo = fopen("/proc/cpuinfo", "re");

	if (!cpuinfo)
		return false;
	while (!found && fgets(line, sizeof(line), cpuinfo))
		found = strncmp(line, "flags", 5) == 0 && strstr(line, " hypervisor");
	fclose(cpuinfo);
	return found;
}

static void kernel_info(struct shunt_platform *platform, struct shunt_platform_info *info)
{
	first_iommu(info->iommu, sizeof(info->iommu));
	info->emulated = inside_virtual_machine();
	snprintf(
		info->nic, sizeof(info->nic), "%s", info->emulated ? "virtual machine's" : "82576");
}

static void kernel_destroy(struct shunt_platform *platform)
{
	free(platform);
}

static const struct shunt_platform_ops kernel_ops = {
	.open = kernel_open,
	.close = kernel_close,
	.ioctl = kernel_ioctl,
	.map = kernel_map,
	.unmap = kernel_unmap,
	.read = kernel_read,
	.write = kernel_write,
	.faults = kernel_faults,
	.info = kernel_info,
	.destroy = kernel_destroy,
};

int shunt_platform_kernel(struct shunt_platform **platform)
{
	struct shunt_platform *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return shunt_fail(-ENOMEM, "kernel platform: out of memory");
	kernel->ops = &kernel_ops;
	kernel->name = "kernel";
	kernel->sysfs = "/sys";
	*platform = kernel;
	return 0;
}
