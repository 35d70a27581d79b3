/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ThreadSanitizer cannot see the locks of EAL's heap and of a pool's ring. Memory that one thread
 * frees and another gets would look shared. Only under it, this program's rte_malloc functions hold
 * a lock of their own around those of librte_eal, and its pool is a stack with a lock.
 */
#include <stddef.h>

#include "stress.h"

#if defined(__SANITIZE_THREAD__)

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>
#include <rte_mempool.h>

/* ---- heap ---- */

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

void *rte_malloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	static void *(*real)(const char *, size_t, unsigned int, int);
	void *memory;

	pthread_mutex_lock(&lock);
	if (!real)
		*(void **)&real = next("rte_malloc_socket");
	memory = real(type, size, align, socket);
	pthread_mutex_unlock(&lock);
	return memory;
}

void *rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	static void *(*real)(const char *, size_t, unsigned int, int);
	void *memory;

	pthread_mutex_lock(&lock);
	if (!real)
		*(void **)&real = next("rte_zmalloc_socket");
	memory = real(type, size, align, socket);
	pthread_mutex_unlock(&lock);
	return memory;
}

void *rte_malloc(const char *type, size_t size, unsigned int align)
{
	return rte_malloc_socket(type, size, align, SOCKET_ID_ANY);
}

void *rte_zmalloc(const char *type, size_t size, unsigned int align)
{
	return rte_zmalloc_socket(type, size, align, SOCKET_ID_ANY);
}

void *rte_calloc_socket(const char *type, size_t count, size_t size, unsigned int align, int socket)
{
	return rte_zmalloc_socket(type, count * size, align, socket);
}

void *rte_calloc(const char *type, size_t count, size_t size, unsigned int align)
{
	return rte_zmalloc_socket(type, count * size, align, SOCKET_ID_ANY);
}

void rte_free(void *memory)
{
	static void (*real)(void *);

	pthread_mutex_lock(&lock);
	if (!real)
		*(void **)&real = next("rte_free");
	real(memory);
	pthread_mutex_unlock(&lock);
}

/* ---- pool ---- */

struct stack {
	pthread_mutex_t lock;
	unsigned int count;
	void *objects[];
};

static int stack_alloc(struct rte_mempool *pool)
{
	struct stack *stack = malloc(sizeof(*stack) + pool->size * sizeof(stack->objects[0]));

	if (!stack)
		return -ENOMEM;
	pthread_mutex_init(&stack->lock, NULL);
	stack->count = 0;
	pool->pool_data = stack;
	return 0;
}

static void stack_free(struct rte_mempool *pool)
{
	struct stack *stack = pool->pool_data;

	pthread_mutex_destroy(&stack->lock);
	free(stack);
}

static int stack_put(struct rte_mempool *pool, void *const *objects, unsigned int n)
{
	struct stack *stack = pool->pool_data;
	int ret = 0;

	pthread_mutex_lock(&stack->lock);
	if (stack->count + n > pool->size) {
		ret = -ENOBUFS;
	} else {
		memcpy(stack->objects + stack->count, objects, n * sizeof(objects[0]));
		stack->count += n;
	}
	pthread_mutex_unlock(&stack->lock);
	return ret;
}

static int stack_get(struct rte_mempool *pool, void **objects, unsigned int n)
{
	struct stack *stack = pool->pool_data;
	int ret = 0;

	pthread_mutex_lock(&stack->lock);
	if (stack->count < n) {
		ret = -ENOBUFS;
	} else {
		stack->count -= n;
		memcpy(objects, stack->objects + stack->count, n * sizeof(objects[0]));
	}
	pthread_mutex_unlock(&stack->lock);
	return ret;
}

static unsigned int stack_count(const struct rte_mempool *pool)
{
	struct stack *stack = pool->pool_data;
	unsigned int count;

	pthread_mutex_lock(&stack->lock);
	count = stack->count;
	pthread_mutex_unlock(&stack->lock);
	return count;
}

static const struct rte_mempool_ops stack_ops = {
	.name = "stress",
	.alloc = stack_alloc,
	.free = stack_free,
	.enqueue = stack_put,
	.dequeue = stack_get,
	.get_count = stack_count,
};

RTE_MEMPOOL_REGISTER_OPS(stack_ops);

const char *stress_pool_ops(void)
{
	return stack_ops.name;
}

#else

const char *stress_pool_ops(void)
{
	return NULL;
}

#endif
