/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_fbarray.h>
#include <rte_log.h>
#include <rte_memory.h>

#include "ranges.h"
#include "shunt_eal.h"
#include "shunt_error.h"

RTE_LOG_REGISTER(shunt_eal_logtype, lib.shunt.eal, NOTICE)

#define CALLBACK_NAME "shunt"
#define ERROR_SIZE    256

struct shunt_eal_memory {
	struct shunt_spaces *spaces;
	pthread_mutex_t lock; /* taken inside EAL's memory lock, never around it */
	struct ranges ranges;
	bool events;    /* EAL reports changes */
	bool following; /* the walk has begun: events are acted upon */
	int error;      /* of the first mapping that failed in an event */
	char error_text[ERROR_SIZE];
};

/* Caller holds the lock. */
static int map_range(struct shunt_eal_memory *memory, uintptr_t start, size_t length)
{
	void *va = (void *)start;
	int ret;

	ret = ranges_add(&memory->ranges, start, length);
	if (ret)
		return ret;
	ret = shunt_spaces_map(memory->spaces, va, length, start, SHUNT_DMA_BOTH);
	if (ret)
		ranges_remove(&memory->ranges, ranges_find(&memory->ranges, start, length));
	return ret;
}

/* Caller holds the lock. An entry whose unmapping fails is forgotten: the kernel has it no more. */
static int unmap_range(struct shunt_eal_memory *memory, struct range *entry)
{
	int ret = shunt_spaces_unmap(memory->spaces, entry->start, entry->length);

	ranges_remove(&memory->ranges, entry);
	return ret;
}

/* One memseg list of the walk: pages one by one, or as runs when they stay for good. */
static int walk_pages(const struct rte_memseg_list *list, struct shunt_eal_memory *memory)
{
	/* EAL's array functions take no const; nothing is changed. */
	struct rte_fbarray *array = (struct rte_fbarray *)(uintptr_t)&list->memseg_arr;
	int at = 0;
	int ret = 0;

	while (!ret && (at = rte_fbarray_find_next_used(array, (unsigned int)at)) >= 0) {
		int pages =
			memory->events ? 1 : rte_fbarray_find_contig_used(array, (unsigned int)at);
		uintptr_t start = (uintptr_t)list->base_va + (uintptr_t)at * list->page_sz;

		if (pages < 1)
			return shunt_fail(-EIO, "EAL memory at %#zx: no length", (size_t)start);
		ret = map_range(memory, start, (size_t)pages * list->page_sz);
		at += pages;
	}
	return ret;
}

/* Called for each list under EAL's memory lock, which the event callback needs too: from here on no
 * change is missed and none is seen twice. */
static int walk_list(const struct rte_memseg_list *list, void *arg)
{
	struct shunt_eal_memory *memory = arg;

	memory->following = true;
	if (!list->base_va)
		return 0;
	/* External memory outside a heap has no events; its users say rte_dev_dma_map(). */
	if (list->external)
		return list->heap ? map_range(memory, (uintptr_t)list->base_va, list->len) : 0;
	return walk_pages(list, memory);
}

static void remember(struct shunt_eal_memory *memory, int err, const char *what)
{
	rte_log(RTE_LOG_ERR, shunt_eal_logtype, "SHUNT: %s: %s\n", what, shunt_errmsg());
	if (memory->error)
		return;
	memory->error = err;
	snprintf(memory->error_text, sizeof(memory->error_text), "%s: %s", what, shunt_errmsg());
}

static void on_event(enum rte_mem_event type, const void *addr, size_t length, void *arg)
{
	struct shunt_eal_memory *memory = arg;
	const struct rte_memseg_list *list = rte_mem_virt2memseg_list(addr);
	size_t step = list && !list->external ? list->page_sz : length;
	uintptr_t start = (uintptr_t)addr;

	pthread_mutex_lock(&memory->lock);
	for (uintptr_t at = start; memory->following && at < start + length; at += step) {
		if (type == RTE_MEM_EVENT_ALLOC) {
			int ret = map_range(memory, at, step);

			if (ret)
				remember(memory, ret, "mapping memory that EAL allocated");
		} else {
			struct range *entry = ranges_find(&memory->ranges, at, step);
			int ret = entry ? unmap_range(memory, entry) : 0;

			if (ret)
				remember(memory, ret, "unmapping memory that EAL freed");
		}
	}
	pthread_mutex_unlock(&memory->lock);
}

static void unmap_all(struct shunt_eal_memory *memory)
{
	pthread_mutex_lock(&memory->lock);
	while (memory->ranges.count > 0) {
		if (unmap_range(memory, &memory->ranges.entries[memory->ranges.count - 1]))
			rte_log(RTE_LOG_ERR, shunt_eal_logtype, "SHUNT: unmapping EAL memory: %s\n",
				shunt_errmsg());
	}
	pthread_mutex_unlock(&memory->lock);
	free(memory->ranges.entries);
	memory->ranges = (struct ranges){ 0 };
}

int shunt_eal_memory_create(struct shunt_spaces *spaces, struct shunt_eal_memory **result)
{
	struct shunt_eal_memory *memory = calloc(1, sizeof(*memory));
	int ret;

	if (!memory)
		return shunt_fail(-ENOMEM, "following EAL's memory: out of memory");
	memory->spaces = spaces;
	pthread_mutex_init(&memory->lock, NULL);

	memory->events = true;
	if (rte_mem_event_callback_register(CALLBACK_NAME, on_event, memory)) {
		if (rte_errno != ENOTSUP) {
			ret = shunt_fail_errno(-rte_errno, "asking EAL for memory events");
			goto free_memory;
		}
		memory->events = false;
	}
	/* No event can come in here that takes our lock while EAL's is waited for: the walk holds
	 * EAL's lock in read mode, events hold it in write mode. */
	ret = rte_memseg_list_walk(walk_list, memory);
	if (ret) {
		ret = shunt_fail_while(ret < 0 ? ret : -EIO, "mapping EAL's memory");
		goto unregister;
	}
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
	if (memory->events)
		rte_mem_event_callback_unregister(CALLBACK_NAME, memory);
	unmap_all(memory);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

int shunt_eal_memory_check(struct shunt_eal_memory *memory)
{
	int ret;

	pthread_mutex_lock(&memory->lock);
	ret = memory->error;
	if (ret)
		shunt_fail(ret, "%s", memory->error_text);
	pthread_mutex_unlock(&memory->lock);
	return ret;
}

int shunt_eal_memory_map(struct shunt_eal_memory *memory, void *va, size_t length)
{
	struct range *entry;
	int ret = 0;

	pthread_mutex_lock(&memory->lock);
	entry = ranges_find(&memory->ranges, (uintptr_t)va, length);
	if (entry)
		entry->users++;
	else
		ret = map_range(memory, (uintptr_t)va, length);
	pthread_mutex_unlock(&memory->lock);
	return ret ? shunt_fail_while(ret, "external memory %p, %zu bytes", va, length) : 0;
}

int shunt_eal_memory_unmap(struct shunt_eal_memory *memory, void *va, size_t length)
{
	struct range *entry;
	int ret = 0;

	pthread_mutex_lock(&memory->lock);
	entry = ranges_find(&memory->ranges, (uintptr_t)va, length);
	if (!entry)
		ret = shunt_fail(-ENOENT, "external memory %p, %zu bytes: not mapped", va, length);
	else if (--entry->users == 0)
		ret = unmap_range(memory, entry);
	pthread_mutex_unlock(&memory->lock);
	return ret;
}
