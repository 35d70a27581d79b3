/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_memory.h>

#include <shunt/error.h>

#include "memory.h"

#define CALLBACK_NAME "shunt"

/* Adds the file of a page, if EAL has one for it. Under EAL's memory lock. */
static void set_file(struct shunt_mapping *memory, const struct rte_memseg *page)
{
	size_t offset = 0;

	memory->fd = rte_memseg_get_fd_thread_unsafe(page);
	memory->by_file =
		memory->fd >= 0 && rte_memseg_get_fd_offset_thread_unsafe(page, &offset) == 0;
	memory->offset = offset;
}

/* Pages of a list that follow each other and stay for good, not mapped yet; or one other page. */
struct run {
	struct shunt_eal_memory *memory;
	const struct rte_memseg_list *list;
	bool lasting;
	struct shunt_mapping pages;
};

static int map_run(struct run *run)
{
	struct mirror *mirror = &run->memory->mirror;

	return run->list ? mirror_add(mirror, mirror, &run->pages) : 0;
}

/*
 * A run is one mapping, by its file if it has only one, else by its address: a call for each page
 * takes longer at start, and an IOMMU that looks mappings up, as virtio-iommu does, has more to
 * look through.
 */
static int on_page(const struct rte_memseg_list *list, const struct rte_memseg *page, void *arg)
{
	struct run *run = arg;
	struct shunt_mapping next = { .iova = (uintptr_t)page->addr, .length = page->len };
	struct shunt_mapping *pages = &run->pages;
	bool lasting = !run->memory->events || list->external ||
		       (page->flags & RTE_MEMSEG_FLAG_DO_NOT_FREE);
	int ret;

	if (!memory_follows(run->memory, list))
		return 0;
	set_file(&next, page);
	if (lasting && run->lasting && run->list == list &&
		next.iova == pages->iova + pages->length) {
		pages->by_file = pages->by_file && next.by_file && next.fd == pages->fd &&
				 next.offset == pages->offset + pages->length;
		pages->length += next.length;
		return 0;
	}
	ret = map_run(run);
	*run = (struct run){
		.memory = run->memory, .list = list, .lasting = lasting, .pages = next
	};
	return ret;
}

static void on_event(enum rte_mem_event type, const void *addr, size_t length, void *arg)
{
	struct shunt_eal_memory *memory = arg;
	struct mirror *mirror = &memory->mirror;
	const struct rte_memseg_list *list = rte_mem_virt2memseg_list(addr);
	bool external = list && list->external;
	struct shunt_mapping next = { .iova = (uintptr_t)addr,
		.length = list && !external ? list->page_sz : length };
	const char *what = type == RTE_MEM_EVENT_ALLOC ? "mapping memory that EAL allocated"
						       : "unmapping memory that EAL freed";
	int ret;

	SHUNT_HOLD(&memory->lock);
	for (; next.iova < (uintptr_t)addr + length; next.iova += next.length) {
		if (type == RTE_MEM_EVENT_ALLOC) {
			set_file(&next, rte_mem_virt2memseg((const void *)next.iova, list));
			ret = mirror_add(mirror, mirror, &next);
		} else {
			ret = mirror_remove(mirror, mirror, next.iova, next.length, !external);
		}
		if (ret)
			memory_remember(memory, NULL, shunt_fail_while(ret, "%s", what));
	}
}

/* Under EAL's memory lock, which events take too: no change is missed, and none is seen twice. */
static int follow(struct shunt_eal_memory *memory)
{
	struct run run = { .memory = memory };
	int ret;

	SHUNT_HOLD(&memory->lock);
	memory->events = !rte_mem_event_callback_register(CALLBACK_NAME, on_event, memory);
	if (!memory->events && rte_errno != ENOTSUP)
		return shunt_fail_errno(-rte_errno, "asking EAL for memory events");
	ret = rte_memseg_walk_thread_unsafe(on_page, &run);
	if (!ret)
		ret = map_run(&run);
	return ret ? shunt_fail_while(ret, "mapping EAL's memory") : 0;
}

int shunt_eal_memory_create(struct shunt_spaces *spaces, struct shunt_eal_memory **result)
{
	struct shunt_eal_memory *memory = calloc(1, sizeof(*memory));
	int ret;

	if (!memory)
		return shunt_fail(-ENOMEM, "following EAL's memory: out of memory");
	memory->mirror.spaces = spaces;
	pthread_mutex_init(&memory->lock, NULL);
	rte_mcfg_mem_read_lock();
	ret = follow(memory);
	rte_mcfg_mem_read_unlock();
	if (!ret)
		ret = pools_follow(memory);
	if (ret)
		shunt_eal_memory_destroy(memory);
	else
		*result = memory;
	return ret;
}

void shunt_eal_memory_destroy(struct shunt_eal_memory *memory)
{
	if (!memory)
		return;
	pools_forget(memory);
	if (memory->events)
		rte_mem_event_callback_unregister(CALLBACK_NAME, memory);
	pthread_mutex_lock(&memory->lock);
	if (mirror_clear(&memory->mirror))
		RTE_LOG(ERR, SHUNT, "unmapping EAL memory: %s\n", shunt_errmsg());
	pthread_mutex_unlock(&memory->lock);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

int shunt_eal_memory_check(struct shunt_eal_memory *memory)
{
	const struct memory_error *error;

	SHUNT_HOLD(&memory->lock);
	error = memory->error.err ? &memory->error : SLIST_FIRST(&memory->pools);
	return error ? shunt_fail(error->err, "%s", error->text) : 0;
}

int shunt_eal_memory_map(struct shunt_eal_memory *memory, void *va, size_t length)
{
	int ret;

	SHUNT_HOLD(&memory->lock);
	ret = mirror_add(&memory->mirror, NULL,
		&(struct shunt_mapping){ .iova = (uintptr_t)va, .length = length });
	return ret ? shunt_fail_while(ret, "external memory %p, %zu bytes", va, length) : 0;
}

int shunt_eal_memory_unmap(struct shunt_eal_memory *memory, void *va, size_t length)
{
	int ret;

	SHUNT_HOLD(&memory->lock);
	ret = mirror_remove(&memory->mirror, NULL, (uintptr_t)va, length, false);
	return ret ? shunt_fail_while(ret, "external memory %p, %zu bytes", va, length) : 0;
}
