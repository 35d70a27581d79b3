/* SPDX-License-Identifier: BSD-3-Clause */
/* Drivers of DPDK follow mempools by the same two functions; they are in the libraries of every
 * release, but not for applications. */
#define ALLOW_INTERNAL_API

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_mempool.h>

#include <shunt/error.h>

#include "memory.h"

RTE_LOG_REGISTER(shunt_eal_logtype, lib.shunt.eal, NOTICE)

/*
 * A mempool may be populated with memory that EAL does not know: rte_mempool_populate_anon(), or
 * _virt() of anything. Nothing announces that memory (testpmd tries, and is refused for the
 * length), so a pool's chunks are mapped when it is complete and unmapped before it is freed.
 */

/* One pass over a pool's chunks. */
struct pass {
	struct shunt_eal_memory *memory;
	bool map;
	int ret; /* an error */
};

/*
 * Events come for as long as the process lives: DPDK cannot take a callback back while another
 * thread may be calling it. This lock is taken before that of the memory.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shunt_eal_memory *followed;

bool memory_follows(const struct shunt_eal_memory *memory, const struct rte_memseg_list *list)
{
	return list && (!list->external || (list->heap && memory->events));
}

void memory_remember(struct shunt_eal_memory *memory, const struct rte_mempool *pool, int err)
{
	struct memory_error *error = pool ? calloc(1, sizeof(*error)) : NULL;

	RTE_LOG(ERR, SHUNT, "%s\n", shunt_errmsg());
	if (error)
		SLIST_INSERT_HEAD(&memory->pools, error, next);
	else
		error = &memory->error;
	if (error->err)
		return;
	error->pool = pool;
	error->err = err;
	snprintf(error->text, sizeof(error->text), "%s", shunt_errmsg());
}

static void on_chunk(
	struct rte_mempool *mp, void *opaque, struct rte_mempool_memhdr *chunk, unsigned int index)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)chunk->addr & ~(page - 1);
	uintptr_t end = ((uintptr_t)chunk->addr + chunk->len + page - 1) & ~(page - 1);
	struct pass *pass = opaque;
	struct mirror *mirror = &pass->memory->mirror;
	int ret = 0;

	if (!pass->map)
		ret = mirror_remove(mirror, mp, start, end - start, false);
	else if (!pass->ret && !memory_follows(pass->memory, rte_mem_virt2memseg_list(chunk->addr)))
		ret = mirror_add(mirror, mp,
			&(struct shunt_mapping){ .iova = start, .length = end - start });
	if (ret)
		pass->ret = ret;
}

static void unmap_chunks(struct shunt_eal_memory *memory, struct rte_mempool *mp)
{
	struct pass pass = { .memory = memory };

	rte_mempool_mem_iter(mp, on_chunk, &pass);
	if (pass.ret)
		RTE_LOG(ERR, SHUNT, "unmapping mempool '%s': %s\n", mp->name, shunt_errmsg());
}

static struct memory_error *error_of(struct shunt_eal_memory *memory, const struct rte_mempool *mp)
{
	struct memory_error *error;

	SLIST_FOREACH (error, &memory->pools, next)
		if (error->pool == mp)
			break;
	return error;
}

static void map_pool(struct rte_mempool *mp, void *arg)
{
	struct shunt_eal_memory *memory = arg;
	struct pass pass = { .memory = memory, .map = true };

	SHUNT_HOLD(&memory->lock);
	if ((mp->flags & RTE_MEMPOOL_F_NON_IO) || mp->populated_size < mp->size ||
		error_of(memory, mp))
		return;
	rte_mempool_mem_iter(mp, on_chunk, &pass);
	if (!pass.ret)
		return;
	shunt_fail_while(pass.ret, "mapping mempool '%s'", mp->name);
	memory_remember(memory, mp, pass.ret);
	unmap_chunks(memory, mp);
}

static void unmap_pool(struct rte_mempool *mp, struct shunt_eal_memory *memory)
{
	struct memory_error *error;

	SHUNT_HOLD(&memory->lock);
	unmap_chunks(memory, mp);
	error = error_of(memory, mp);
	if (error)
		SLIST_REMOVE(&memory->pools, error, memory_error, next);
	free(error);
}

static void on_event(enum rte_mempool_event event, struct rte_mempool *mp, void *arg)
{
	SHUNT_HOLD(&lock);
	if (followed && event == RTE_MEMPOOL_EVENT_READY)
		map_pool(mp, followed);
	else if (followed && event == RTE_MEMPOOL_EVENT_DESTROY)
		unmap_pool(mp, followed);
}

int pools_follow(struct shunt_eal_memory *memory)
{
	int ret = 0;

	pthread_mutex_lock(&lock);
	if (rte_mempool_event_callback_register(on_event, NULL) && rte_errno != EEXIST)
		ret = shunt_fail_errno(-rte_errno, "asking for events of mempools");
	else
		followed = memory;
	pthread_mutex_unlock(&lock);
	if (!ret)
		rte_mempool_walk(map_pool, memory);
	return ret;
}

void pools_forget(struct shunt_eal_memory *memory)
{
	struct memory_error *error;

	SHUNT_HOLD(&lock);
	if (followed == memory)
		followed = NULL;
	while ((error = SLIST_FIRST(&memory->pools)) != NULL) {
		SLIST_REMOVE_HEAD(&memory->pools, next);
		free(error);
	}
}
