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
 * _virt() of anything. Nobody has to announce that memory (testpmd tries, and is refused for the
 * length), so a pool's chunks are mapped when it is complete and unmapped before it goes.
 */
struct pool {
	struct pool *next;
	struct rte_mempool *mp;
	struct memory_error error;
};

/* One pass over a pool's chunks. */
struct pass {
	struct shunt_eal_memory *memory;
	int (*act)(struct mirror *mirror, uintptr_t start, size_t length);
	unsigned int count; /* chunks acted upon */
	unsigned int limit; /* of them */
	int ret;            /* first error */
};

/*
 * Events come for as long as the process lives: DPDK cannot take a callback back while another
 * thread may be calling it. This lock is taken before that of the memory.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shunt_eal_memory *followed;
static bool registered;

void memory_remember(struct memory_error *error, int err, const char *what)
{
	rte_log(RTE_LOG_ERR, (uint32_t)shunt_eal_logtype, "SHUNT: %s: %s\n", what, shunt_errmsg());
	if (error->err)
		return;
	error->err = err;
	snprintf(error->text, sizeof(error->text), "%s: %s", what, shunt_errmsg());
}

static void on_chunk(
	struct rte_mempool *mp, void *opaque, struct rte_mempool_memhdr *chunk, unsigned int index)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)chunk->addr & ~(page - 1);
	uintptr_t end = ((uintptr_t)chunk->addr + chunk->len + page - 1) & ~(page - 1);
	struct pass *pass = opaque;
	int ret;

	if (pass->ret || pass->count == pass->limit ||
		mirror_is_eal(&pass->memory->mirror, start, end - start))
		return;
	ret = pass->act(&pass->memory->mirror, start, end - start);
	if (ret)
		pass->ret = ret;
	else
		pass->count++;
}

static struct pool *find(struct shunt_eal_memory *memory, const struct rte_mempool *mp)
{
	struct pool *pool = memory->pools;

	while (pool && pool->mp != mp)
		pool = pool->next;
	return pool;
}

static void unmap_chunks(struct shunt_eal_memory *memory, struct pool *pool, unsigned int count)
{
	struct pass pass = { .memory = memory, .act = mirror_remove, .limit = count };

	rte_mempool_mem_iter(pool->mp, on_chunk, &pass);
	if (pass.ret)
		rte_log(RTE_LOG_ERR, (uint32_t)shunt_eal_logtype,
			"SHUNT: unmapping mempool '%s': %s\n", pool->mp->name, shunt_errmsg());
}

/* Caller holds the memory's lock, as below. */
static void map_pool(struct shunt_eal_memory *memory, struct rte_mempool *mp)
{
	struct pass pass = { .memory = memory, .act = mirror_add, .limit = UINT32_MAX };
	struct pool *pool;
	char what[64];

	if ((mp->flags & RTE_MEMPOOL_F_NON_IO) || mp->populated_size < mp->size || find(memory, mp))
		return;
	snprintf(what, sizeof(what), "mapping mempool '%s'", mp->name);
	pool = calloc(1, sizeof(*pool));
	if (!pool) {
		memory_remember(&memory->error, shunt_fail(-ENOMEM, "out of memory"), what);
		return;
	}
	pool->mp = mp;
	rte_mempool_mem_iter(mp, on_chunk, &pass);
	if (pass.ret) {
		memory_remember(&pool->error, pass.ret, what);
		unmap_chunks(memory, pool, pass.count);
	}
	if (!pass.ret && !pass.count) {
		free(pool); /* all of it is EAL's */
		return;
	}
	pool->next = memory->pools;
	memory->pools = pool;
}

static void unmap_pool(struct shunt_eal_memory *memory, struct rte_mempool *mp)
{
	struct pool *pool = find(memory, mp), **link;

	if (!pool)
		return;
	if (!pool->error.err)
		unmap_chunks(memory, pool, UINT32_MAX);
	for (link = &memory->pools; *link != pool; link = &(*link)->next)
		;
	*link = pool->next;
	free(pool);
}

static void on_event(enum rte_mempool_event event, struct rte_mempool *mp, void *arg)
{
	pthread_mutex_lock(&lock);
	if (followed) {
		pthread_mutex_lock(&followed->lock);
		if (event == RTE_MEMPOOL_EVENT_READY)
			map_pool(followed, mp);
		else if (event == RTE_MEMPOOL_EVENT_DESTROY)
			unmap_pool(followed, mp);
		pthread_mutex_unlock(&followed->lock);
	}
	pthread_mutex_unlock(&lock);
}

static void on_known_pool(struct rte_mempool *mp, void *arg)
{
	struct shunt_eal_memory *memory = arg;

	pthread_mutex_lock(&memory->lock);
	map_pool(memory, mp);
	pthread_mutex_unlock(&memory->lock);
}

int pools_follow(struct shunt_eal_memory *memory)
{
	int ret = 0;

	pthread_mutex_lock(&lock);
	if (!registered && rte_mempool_event_callback_register(on_event, NULL))
		ret = shunt_fail_errno(-rte_errno, "asking for events of mempools");
	if (!ret) {
		registered = true;
		followed = memory;
	}
	pthread_mutex_unlock(&lock);
	if (!ret)
		rte_mempool_walk(on_known_pool, memory);
	return ret;
}

void pools_forget(struct shunt_eal_memory *memory)
{
	struct pool *pool;

	pthread_mutex_lock(&lock);
	if (followed == memory)
		followed = NULL;
	pthread_mutex_unlock(&lock);
	while ((pool = memory->pools) != NULL) {
		memory->pools = pool->next;
		free(pool);
	}
}

const struct memory_error *pools_error(const struct shunt_eal_memory *memory)
{
	const struct pool *pool = memory->pools;

	while (pool && !pool->error.err)
		pool = pool->next;
	return pool ? &pool->error : NULL;
}
