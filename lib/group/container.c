/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <shunt/container.h>
#include <shunt/error.h>
#include <shunt/pci.h>
#include <shunt/space.h>

struct opened {
	struct opened *next;
	struct shunt_vfio_device device;
	struct shunt_group *group;
};

struct memory {
	struct memory *next;
	struct shunt_arena arena;
};

struct shunt_container {
	struct shunt_iommufd iommufd;
	struct shunt_spaces *spaces; /* NULL: closed already, with all that stood on it */
	struct opened *opened;
	struct memory *memory;
};

int shunt_container_open(struct shunt_platform *platform, struct shunt_container **container)
{
	struct shunt_container *made = calloc(1, sizeof(*made));
	int ret;

	if (!made)
		return shunt_fail(-ENOMEM, "container: out of memory");
	ret = shunt_iommufd_open(platform, &made->iommufd);
	if (!ret) {
		ret = shunt_spaces_create(&made->iommufd, &made->spaces);
		if (ret)
			shunt_iommufd_close(&made->iommufd);
	}
	if (ret)
		free(made);
	else
		*container = made;
	return ret;
}

struct shunt_spaces *shunt_container_spaces(struct shunt_container *container)
{
	return container->spaces;
}

int shunt_container_memory(struct shunt_container *container, size_t size, void **memory)
{
	struct memory *made = calloc(1, sizeof(*made));
	struct shunt_arena *arena;
	int ret;

	if (!made)
		return shunt_fail(-ENOMEM, "container: out of memory");
	arena = &made->arena;
	ret = shunt_arena_create(size, SHUNT_ARENA_ANY, arena);
	if (!ret) {
		ret = shunt_spaces_map(container->spaces, arena->addr, arena->size,
			(uintptr_t)arena->addr, SHUNT_DMA_BOTH);
		if (ret)
			shunt_arena_destroy(arena);
	}
	if (ret) {
		free(made);
		return ret;
	}
	made->next = container->memory;
	container->memory = made;
	*memory = arena->addr;
	return 0;
}

static struct shunt_group *find_group(const struct opened *opened, int number)
{
	while (opened && shunt_group_number(opened->group) != number)
		opened = opened->next;
	return opened ? opened->group : NULL;
}

static int open_device(struct shunt_container *container, const struct shunt_pci_list *list,
	const char *address, struct opened *opened)
{
	const struct shunt_pci_function *function;
	int ret;

	ret = shunt_pci_find(list, address, &function);
	if (!ret)
		ret = shunt_pci_usable(list, function);
	if (!ret)
		ret = shunt_vfio_open(
			&container->iommufd, function->cdev, function->address, &opened->device);
	if (ret)
		return ret;
	opened->group = find_group(container->opened, function->group);
	if (!opened->group)
		ret = shunt_group_create(function->group, &opened->group);
	if (ret)
		shunt_vfio_close(&opened->device);
	return ret;
}

int shunt_container_device(struct shunt_container *container, const char *function,
	struct shunt_vfio_device **device, struct shunt_group **group)
{
	struct opened *opened = calloc(1, sizeof(*opened));
	struct shunt_pci_list list;
	int ret;

	if (!opened)
		return shunt_fail(-ENOMEM, "container: out of memory");
	ret = shunt_pci_scan(container->iommufd.platform, &list);
	if (!ret) {
		ret = open_device(container, &list, function, opened);
		shunt_pci_list_free(&list);
	}
	if (ret) {
		free(opened);
		return ret;
	}
	opened->next = container->opened;
	container->opened = opened;
	*device = &opened->device;
	*group = opened->group;
	return 0;
}

/* A device whose detach fails is detached by its close. Its group goes with its last device. */
static int close_first(struct shunt_container *container)
{
	struct opened *opened = container->opened;
	int ret = 0;

	if (opened->device.used)
		shunt_group_leave(opened->group, &opened->device);
	if (!find_group(opened->next, shunt_group_number(opened->group)))
		ret = shunt_group_destroy(opened->group);
	if (ret)
		return ret;
	shunt_vfio_close(&opened->device);
	container->opened = opened->next;
	free(opened);
	return 0;
}

int shunt_container_close(struct shunt_container *container)
{
	struct memory *memory;
	int ret = 0;

	if (!container)
		return 0;
	while (container->opened && !ret)
		ret = close_first(container);
	if (!ret)
		ret = shunt_spaces_destroy(container->spaces);
	if (ret)
		return shunt_fail_while(ret, "closing the container");
	container->spaces = NULL;
	while ((memory = container->memory) != NULL) {
		container->memory = memory->next;
		shunt_arena_destroy(&memory->arena);
		free(memory);
	}
	ret = shunt_iommufd_close(&container->iommufd);
	if (ret)
		return shunt_fail_while(ret, "closing the container");
	shunt_platform_destroy(container->iommufd.platform);
	free(container);
	return 0;
}
