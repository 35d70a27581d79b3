/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_fbarray.h>
#include <rte_memory.h>

#include <shunt/error.h>

#include "memory.h"

#define CALLBACK_NAME "shunt"

/* The file of a page, if EAL has one for it. Under EAL's memory lock. */
static struct mirror_file file_of(const struct rte_memseg *page)
{
	struct mirror_file file = { .fd = page ? rte_memseg_get_fd_thread_unsafe(page) : -1 };

	if (file.fd >= 0 && rte_memseg_get_fd_offset_thread_unsafe(page, &file.offset))
		file.fd = -1;
	return file;
}

/* How many pages from `at` on continue each other and are there for good. */
static int lasting_pages(const struct shunt_eal_memory *memory, struct rte_fbarray *array, int at)
{
	int pages = rte_fbarray_find_contig_used(array, (unsigned int)at);
	int lasting = 0;

	while (memory->events && lasting < pages) {
		const struct rte_memseg *page =
			rte_fbarray_get(array, (unsigned int)(at + lasting));

		if (!(page->flags & RTE_MEMSEG_FLAG_DO_NOT_FREE))
			break;
		lasting++;
	}
	return memory->events && pages > 0 ? RTE_MAX(lasting, 1) : pages;
}

/* Whether this number of pages from `at` on is contiguous in their file too. */
static bool in_one_file(const struct rte_memseg_list *list, struct rte_fbarray *array, int at,
	int pages, const struct mirror_file *first)
{
	for (int i = 1; i < pages; i++) {
		struct mirror_file next = file_of(rte_fbarray_get(array, (unsigned int)(at + i)));

		if (next.fd != first->fd ||
			next.offset != first->offset + (size_t)i * list->page_sz)
			return false;
	}
	return true;
}

/*
 * One memseg list of the walk: pages one by one, or as runs where they stay for good. A run is one
 * mapping, by its file if it has only one, else by its address: a call for each page takes longer
 * at start, and an IOMMU that looks mappings up, as virtio-iommu does, has more to look through.
 */
static int walk_pages(const struct rte_memseg_list *list, struct shunt_eal_memory *memory)
{
	/* EAL's array functions take no const; nothing is changed. */
	struct rte_fbarray *array = (struct rte_fbarray *)(uintptr_t)&list->memseg_arr;
	int at = 0;
	int ret = 0;

	while (!ret && (at = rte_fbarray_find_next_used(array, (unsigned int)at)) >= 0) {
		int pages = lasting_pages(memory, array, at);
		uintptr_t start = (uintptr_t)list->base_va + (uintptr_t)at * list->page_sz;
		struct mirror_file file = file_of(rte_fbarray_get(array, (unsigned int)at));

		if (pages < 1)
			return shunt_fail(-EIO, "EAL memory at %#zx: no length", (size_t)start);
		if (!in_one_file(list, array, at, pages, &file))
			file.fd = -1;
		ret = mirror_add_eal(&memory->mirror, start, (size_t)pages * list->page_sz, &file);
		at += pages;
	}
	return ret;
}

/* Called for each list under EAL's memory lock, which the event callback needs too: from here on no
 * change is missed and none is seen twice. */
static int walk_list(const struct rte_memseg_list *list, void *arg)
{
	struct shunt_eal_memory *memory = arg;
	int ret = 0;

	pthread_mutex_lock(&memory->lock);
	memory->following = true;
	/* External memory has events if it is in a heap and EAL has any: what is mapped and can go
	 * without a word would be mapped too long. Its users say rte_dev_dma_map(), its mempools
	 * are followed. */
	if (list->base_va && !list->external)
		ret = walk_pages(list, memory);
	else if (list->base_va && list->heap && memory->events)
		ret = mirror_add_eal(&memory->mirror, (uintptr_t)list->base_va, list->len, NULL);
	pthread_mutex_unlock(&memory->lock);
	return ret;
}

static void on_page(enum rte_mem_event type, struct shunt_eal_memory *memory, uintptr_t start,
	size_t length, const struct mirror_file *file, bool external)
{
	struct mirror *mirror = &memory->mirror;
	int ret;

	if (type == RTE_MEM_EVENT_ALLOC) {
		ret = mirror_add_eal(mirror, start, length, file);
		if (ret)
			memory_remember(&memory->error, ret, "mapping memory that EAL allocated");
	} else {
		ret = mirror_remove_eal(mirror, start, length, !external);
		if (ret && ret != -ENOENT) /* what it could not map is not there */
			memory_remember(&memory->error, ret, "unmapping memory that EAL freed");
	}
}

static void on_event(enum rte_mem_event type, const void *addr, size_t length, void *arg)
{
	struct shunt_eal_memory *memory = arg;
	const struct rte_memseg_list *list = rte_mem_virt2memseg_list(addr);
	bool pages = list && !list->external;
	size_t step = pages ? list->page_sz : length;
	uintptr_t start = (uintptr_t)addr;

	pthread_mutex_lock(&memory->lock);
	for (uintptr_t at = start; memory->following && at < start + length; at += step) {
		struct mirror_file file = { .fd = -1 };

		if (pages && type == RTE_MEM_EVENT_ALLOC)
			file = file_of(rte_mem_virt2memseg((const void *)at, list));
		on_page(type, memory, at, step, &file, list && list->external);
	}
	pthread_mutex_unlock(&memory->lock);
}

static void unmap_all(struct shunt_eal_memory *memory)
{
	pthread_mutex_lock(&memory->lock);
	if (mirror_clear(&memory->mirror))
		rte_log(RTE_LOG_ERR, (uint32_t)shunt_eal_logtype,
			"SHUNT: unmapping EAL memory: %s\n", shunt_errmsg());
	pthread_mutex_unlock(&memory->lock);
}

int shunt_eal_memory_create(struct shunt_spaces *spaces, struct shunt_eal_memory **result)
{
	struct shunt_eal_memory *memory = calloc(1, sizeof(*memory));
	int ret;

	if (!memory)
		return shunt_fail(-ENOMEM, "following EAL's memory: out of memory");
	memory->mirror.spaces = spaces;
	pthread_mutex_init(&memory->lock, NULL);

	memory->events = true;
	if (rte_mem_event_callback_register(CALLBACK_NAME, on_event, memory)) {
		if (rte_errno != ENOTSUP) {
			ret = shunt_fail_errno(-rte_errno, "asking EAL for memory events");
			goto free_memory;
		}
		memory->events = false;
	}
	/* The walk holds EAL's lock in read mode, events hold it in write mode; both take ours
	 * inside it. */
	ret = rte_memseg_list_walk(walk_list, memory);
	if (ret) {
		ret = shunt_fail_while(ret < 0 ? ret : -EIO, "mapping EAL's memory");
		goto unregister;
	}
	ret = pools_follow(memory);
	if (ret)
		goto unregister;
	*result = memory;
	return 0;

unregister:
	if (memory->events)
		rte_mem_event_callback_unregister(CALLBACK_NAME, memory);
	unmap_all(memory);
free_memory:
	pthread_mutex_destroy(&memory->lock);
	free(memory);
	return ret;
}

void shunt_eal_memory_destroy(struct shunt_eal_memory *memory)
{
	if (!memory)
		return;
	pools_forget(memory);
	if (memory->events)
		rte_mem_event_callback_unregister(CALLBACK_NAME, memory);
	unmap_all(memory);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

int shunt_eal_memory_check(struct shunt_eal_memory *memory)
{
	const struct memory_error *error;
	int ret = 0;

	pthread_mutex_lock(&memory->lock);
	error = memory->error.err ? &memory->error : pools_error(memory);
	if (error)
		ret = shunt_fail(error->err, "%s", error->text);
	pthread_mutex_unlock(&memory->lock);
	return ret;
}

int shunt_eal_memory_map(struct shunt_eal_memory *memory, void *va, size_t length)
{
	int ret;

	pthread_mutex_lock(&memory->lock);
	ret = mirror_add(&memory->mirror, (uintptr_t)va, length);
	pthread_mutex_unlock(&memory->lock);
	return ret ? shunt_fail_while(ret, "external memory %p, %zu bytes", va, length) : 0;
}

int shunt_eal_memory_unmap(struct shunt_eal_memory *memory, void *va, size_t length)
{
	int ret;

	pthread_mutex_lock(&memory->lock);
	ret = mirror_remove(&memory->mirror, (uintptr_t)va, length);
	pthread_mutex_unlock(&memory->lock);
	return ret ? shunt_fail_while(ret, "external memory %p, %zu bytes", va, length) : 0;
}
