/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "sim_vfio.h"

#define FIRST_GROUP 10
#define FIRST_BUS   3
#define GROUP_BUSES 16
#define CDEV_PREFIX "/dev/vfio/devices/vfio"

static const char *const iommu_names[] = {
	[SHUNT_SIM_BLOCKING] = "blocking",
	[SHUNT_SIM_HITLESS] = "hitless",
	[SHUNT_SIM_CACHED] = "cached",
};

static const char *const nic_names[] = {
	[SHUNT_SIM_DROP] = "drop",
	[SHUNT_SIM_WEDGE] = "wedge",
};

int shunt_sim_iommu_parse(const char *name, enum shunt_sim_iommu *iommu)
{
	for (int i = SHUNT_SIM_BLOCKING; i <= SHUNT_SIM_CACHED; i++) {
		if (strcmp(name, iommu_names[i]) == 0) {
			*iommu = (enum shunt_sim_iommu)i;
			return 0;
		}
	}
	return shunt_fail(
		-EINVAL, "unknown IOMMU behaviour '%s': blocking, hitless or cached", name);
}

int shunt_sim_nic_parse(const char *name, enum shunt_sim_nic *nic)
{
	for (int i = SHUNT_SIM_DROP; i <= SHUNT_SIM_WEDGE; i++) {
		if (strcmp(name, nic_names[i]) == 0) {
			*nic = (enum shunt_sim_nic)i;
			return 0;
		}
	}
	return shunt_fail(-EINVAL, "unknown NIC fault behaviour '%s': drop or wedge", name);
}

struct sim_function *sim_function_find(struct sim *sim, const char *address)
{
	for (unsigned int i = 0; i < sim->function_count; i++) {
		if (strcmp(sim->functions[i].address, address) == 0)
			return &sim->functions[i];
	}
	return NULL;
}

/* Opens "/dev/vfio/devices/vfioN". */
static int open_function(struct sim *sim, const char *path, struct sim_file **file)
{
	const char *number = path + strlen(CDEV_PREFIX);
	unsigned long index;
	char *end;

	if (strncmp(path, CDEV_PREFIX, strlen(CDEV_PREFIX)) != 0)
		return -ENOENT;
	if (*number < '0' || *number > '9' || (number[0] == '0' && number[1]))
		return -ENOENT;
	index = strtoul(number, &end, 10);
	if (*end || index >= sim->function_count)
		return -ENOENT;
	return sim_vfio_open(&sim->functions[index], file);
}

static int sim_open(struct shunt_platform *platform, const char *path)
{
	struct sim *sim = (struct sim *)platform;
	struct sim_file *file;
	int fd, ret;

	if (strcmp(path, "/dev/iommu") == 0)
		ret = sim_iommufd_open(sim, &file);
	else
		ret = open_function(sim, path, &file);
	if (ret)
		return ret;
	fd = sim_fd_install(sim, file);
	if (fd < 0)
		sim_file_put(file);
	return fd;
}

static int sim_close(struct shunt_platform *platform, int fd)
{
	return sim_fd_close((struct sim *)platform, fd);
}

static int sim_ioctl(struct shunt_platform *platform, int fd, unsigned long request, void *arg)
{
	struct sim_file *file = sim_fd_get((struct sim *)platform, fd);
	int ret;

	if (!file)
		return -EBADF;
	ret = file->ops->ioctl(file, request, arg);
	sim_file_put(file);
	return ret;
}

static int sim_map(
	struct shunt_platform *platform, int fd, uint64_t offset, size_t length, void **addr)
{
	struct sim_file *file = sim_fd_get((struct sim *)platform, fd);
	int ret;

	if (!file)
		return -EBADF;
	ret = file->ops->map ? file->ops->map(file, offset, length, addr) : -ENODEV;
	sim_file_put(file);
	return ret;
}

static int sim_unmap(struct shunt_platform *platform, void *addr, size_t length)
{
	return sim_region_unmap((struct sim *)platform, addr, length);
}

static int sim_read(
	struct shunt_platform *platform, int fd, uint64_t offset, void *buf, size_t length)
{
	struct sim_file *file = sim_fd_get((struct sim *)platform, fd);
	int ret;

	if (!file)
		return -EBADF;
	ret = file->ops->read ? file->ops->read(file, offset, buf, length) : -EINVAL;
	sim_file_put(file);
	return ret;
}

static int sim_write(
	struct shunt_platform *platform, int fd, uint64_t offset, const void *buf, size_t length)
{
	struct sim_file *file = sim_fd_get((struct sim *)platform, fd);
	int ret;

	if (!file)
		return -EBADF;
	ret = file->ops->write ? file->ops->write(file, offset, buf, length) : -EINVAL;
	sim_file_put(file);
	return ret;
}

/* The model reports faults of every function. */
static int sim_watch(struct shunt_platform *platform, const char *function)
{
	return 0;
}

static int sim_faults(struct shunt_platform *platform, struct shunt_fault *records, unsigned int n)
{
	return sim_faults_take(&((struct sim *)platform)->iommu, records, n);
}

static uint64_t sim_time(struct shunt_platform *platform)
{
	return atomic_load_explicit(&((struct sim *)platform)->time, memory_order_acquire);
}

static void sim_info(
	struct shunt_platform *platform, const char *function, struct shunt_platform_info *info)
{
	const struct sim *sim = (const struct sim *)platform;

	snprintf(info->iommu, sizeof(info->iommu), "sim %s", iommu_names[sim->config.iommu]);
	snprintf(info->nic, sizeof(info->nic), "82576 model, %s", nic_names[sim->config.nic]);
	info->kernel[0] = '\0';
	snprintf(info->fault_observers, sizeof(info->fault_observers), "sim");
	info->emulated = true;
}

void shunt_sim_objects(struct shunt_platform *platform, struct shunt_sim_objects *objects)
{
	struct sim *sim = (struct sim *)platform;

	pthread_mutex_lock(&sim->lock);
	*objects = sim->objects;
	pthread_mutex_unlock(&sim->lock);
	objects->descriptors = sim_fd_count(sim);
}

static void destroy_functions(struct sim *sim)
{
	for (unsigned int i = 0; sim->functions && i < sim->function_count; i++)
		sim_nic_destroy(sim->functions[i].nic);
	free(sim->functions);
	free(sim->groups);
}

/* Also of a platform that was made in part. */
static void sim_destroy(struct shunt_platform *platform)
{
	struct sim *sim = (struct sim *)platform;

	sim_regions_destroy(sim);
	sim_fds_destroy(sim);
	sim_engine_stop(sim);
	destroy_functions(sim);
	sim_sysfs_destroy(sim);
	sim_iommu_destroy(sim);
	pthread_mutex_destroy(&sim->lock);
	free(sim);
}

static const struct shunt_platform_ops sim_ops = {
	.open = sim_open,
	.close = sim_close,
	.ioctl = sim_ioctl,
	.map = sim_map,
	.unmap = sim_unmap,
	.read = sim_read,
	.write = sim_write,
	.watch = sim_watch,
	.faults = sim_faults,
	.time = sim_time,
	.info = sim_info,
	.destroy = sim_destroy,
};

static int check_config(const struct shunt_sim_config *config)
{
	if (config->groups < 1 || config->groups > SHUNT_SIM_MAX_GROUPS)
		return shunt_fail(-EINVAL, "sim: %u groups asked for, 1 to %u are possible",
			config->groups, SHUNT_SIM_MAX_GROUPS);
	if (config->ports < 1 || config->ports > SHUNT_SIM_MAX_PORTS_PER_GROUP)
		return shunt_fail(-EINVAL, "sim: %u ports asked for, 1 to %u are possible",
			config->ports, SHUNT_SIM_MAX_PORTS_PER_GROUP);
	if ((unsigned int)config->iommu > SHUNT_SIM_CACHED)
		return shunt_fail(-EINVAL, "sim: unknown IOMMU behaviour %d", (int)config->iommu);
	if (config->nic != SHUNT_SIM_DROP && config->nic != SHUNT_SIM_WEDGE)
		return shunt_fail(-EINVAL, "sim: unknown NIC fault behaviour %d", (int)config->nic);
	return 0;
}

static void lay_out_group(struct sim *sim, unsigned int index)
{
	struct sim_group *group = &sim->groups[index];

	group->number = FIRST_GROUP + (int)index;
	group->functions = &sim->functions[(size_t)index * sim->config.ports];
	group->function_count = sim->config.ports;
	TAILQ_INIT(&group->attached);
	for (unsigned int i = 0; i < group->function_count; i++) {
		struct sim_function *function = &group->functions[i];

		function->sim = sim;
		function->group = group;
		function->dma.function = function;
		snprintf(function->address, sizeof(function->address), "0000:%02x:00.0",
			(uint8_t)(GROUP_BUSES * index + FIRST_BUS + i));
	}
}

static int create_functions(struct sim *sim)
{
	sim->function_count = sim->config.groups * sim->config.ports;
	sim->functions = calloc(sim->function_count, sizeof(*sim->functions));
	sim->groups = calloc(sim->config.groups, sizeof(*sim->groups));
	if (!sim->functions || !sim->groups)
		return -ENOMEM;
	for (unsigned int i = 0; i < sim->config.groups; i++)
		lay_out_group(sim, i);
	for (unsigned int i = 0; i < sim->function_count; i++) {
		if (sim_nic_create(&sim->functions[i], i))
			return -ENOMEM;
	}
	return 0;
}

int shunt_sim_create(const struct shunt_sim_config *config, struct shunt_platform **platform)
{
	struct sim *sim;
	int ret = check_config(config);

	if (ret)
		return ret;
	sim = calloc(1, sizeof(*sim));
	if (!sim)
		return shunt_fail(-ENOMEM, "sim: out of memory");
	sim->platform.ops = &sim_ops;
	sim->platform.name = "sim";
	sim->config = *config;
	LIST_INIT(&sim->regions);
	pthread_mutex_init(&sim->lock, NULL);

	ret = sim_iommu_create(sim);
	if (!ret)
		ret = create_functions(sim);
	if (!ret)
		ret = sim_fds_create(sim);
	if (!ret)
		ret = sim_sysfs_create(sim);
	if (!ret)
		ret = sim_engine_start(sim);
	if (ret) {
		sim_destroy(&sim->platform);
		return ret == -ENOMEM ? shunt_fail(ret, "sim: out of memory") : ret;
	}
	*platform = &sim->platform;
	return 0;
}
