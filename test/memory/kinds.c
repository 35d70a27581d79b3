/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>
#include <sys/mman.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_memzone.h>

#include "memory.h"

#define POOL    "buffers"
#define HEAP    "heap"
#define PAGE    4096u
#define AREA    ((size_t)8 << 20)
#define ELEMENT (MEMORY_ROOM)

static void create_pool(struct memory_buffers *buffers)
{
	buffers->pool =
		rte_pktmbuf_pool_create(POOL, MEMORY_BUFFERS, 0, 0, MEMORY_ROOM, SOCKET_ID_ANY);
	MEMORY_MUST(buffers->pool, "pool: %s", rte_strerror(rte_errno));
}

static void destroy_pool(struct memory_buffers *buffers)
{
	rte_mempool_free(buffers->pool);
}

static void map_area(struct memory_buffers *buffers)
{
	buffers->length = AREA;
	buffers->area = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	MEMORY_MUST(buffers->area != MAP_FAILED, "no memory");
}

static void unmap_area(struct memory_buffers *buffers)
{
	MEMORY_MUST(munmap(buffers->area, buffers->length) == 0, "munmap");
	buffers->area = NULL;
}

static struct rte_mempool *empty_pool(void)
{
	struct rte_mempool *pool = rte_mempool_create_empty(POOL, MEMORY_BUFFERS,
		sizeof(struct rte_mbuf) + MEMORY_ROOM, 0, sizeof(struct rte_pktmbuf_pool_private),
		SOCKET_ID_ANY, 0);

	MEMORY_MUST(pool && rte_mempool_set_ops_byname(pool, "ring_mp_mc", NULL) == 0, "pool: %s",
		rte_strerror(rte_errno));
	rte_pktmbuf_pool_init(pool, NULL);
	return pool;
}

static void create_anonymous(struct memory_buffers *buffers)
{
	buffers->pool = empty_pool();
	MEMORY_MUST(rte_mempool_populate_anon(buffers->pool) == MEMORY_BUFFERS, "populate: %s",
		rte_strerror(rte_errno));
	rte_mempool_obj_iter(buffers->pool, rte_pktmbuf_init, NULL);
	buffers->area = STAILQ_FIRST(&buffers->pool->mem_list)->addr;
	buffers->length = STAILQ_FIRST(&buffers->pool->mem_list)->len;
}

static void destroy_anonymous(struct memory_buffers *buffers)
{
	rte_mempool_free(buffers->pool);
	buffers->area = NULL;
}

static struct rte_device *device_of(const struct memory_buffers *buffers, unsigned int port)
{
	struct rte_eth_dev_info info;

	MEMORY_MUST(rte_eth_dev_info_get(buffers->bench->net.port[port], &info) == 0, "port info");
	return info.device;
}

static void map_external(struct memory_buffers *buffers)
{
	map_area(buffers);
	MEMORY_MUST(rte_extmem_register(buffers->area, buffers->length, NULL, 0, PAGE) == 0,
		"rte_extmem_register: %s", rte_strerror(rte_errno));
	for (unsigned int i = 0; i < NET_PORTS; i++)
		MEMORY_MUST(rte_dev_dma_map(
				    device_of(buffers, i), buffers->area, 0, buffers->length) == 0,
			"rte_dev_dma_map: %s", rte_strerror(rte_errno));
}

static void unmap_external(struct memory_buffers *buffers)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		MEMORY_MUST(memory_is_mapped(buffers->bench, "a", buffers->area, buffers->length),
			"unmapped although a port still has it");
		MEMORY_MUST(rte_dev_dma_unmap(
				    device_of(buffers, i), buffers->area, 0, buffers->length) == 0,
			"rte_dev_dma_unmap: %s", rte_strerror(rte_errno));
	}
	MEMORY_MUST(rte_extmem_unregister(buffers->area, buffers->length) == 0,
		"rte_extmem_unregister: %s", rte_strerror(rte_errno));
	unmap_area(buffers);
}

static void create_pinned(struct memory_buffers *buffers, uint8_t *area, size_t length)
{
	struct rte_pktmbuf_extmem memory = {
		.buf_ptr = area,
		.buf_iova = (uintptr_t)area,
		.buf_len = length,
		.elt_size = ELEMENT,
	};

	buffers->pool = rte_pktmbuf_pool_create_extbuf(
		POOL, MEMORY_BUFFERS, 0, 0, ELEMENT, SOCKET_ID_ANY, &memory, 1);
	MEMORY_MUST(buffers->pool, "pool: %s", rte_strerror(rte_errno));
}

/* Buffers alone are outside; what the pool knows of them is EAL's. */
static void create_external(struct memory_buffers *buffers)
{
	map_external(buffers);
	create_pinned(buffers, buffers->area, buffers->length);
}

static void destroy_external(struct memory_buffers *buffers)
{
	rte_mempool_free(buffers->pool);
	unmap_external(buffers);
}

/* The whole pool lies in external memory: wanted by two ports, and by the pool. */
static void create_populated(struct memory_buffers *buffers)
{
	map_external(buffers);
	buffers->pool = empty_pool();
	MEMORY_MUST(rte_mempool_populate_virt(buffers->pool, (char *)buffers->area, buffers->length,
			    PAGE, NULL, NULL) == MEMORY_BUFFERS,
		"populate: %s", rte_strerror(rte_errno));
	rte_mempool_obj_iter(buffers->pool, rte_pktmbuf_init, NULL);
}

/* Memory of EAL for buffers of their own, as testpmd's xbuf has it. */
static void create_zone(struct memory_buffers *buffers)
{
	const struct rte_memzone *zone =
		rte_memzone_reserve_aligned("zone", AREA, SOCKET_ID_ANY, 0, PAGE);

	MEMORY_MUST(zone, "memzone: %s", rte_strerror(rte_errno));
	buffers->area = zone->addr;
	buffers->length = zone->len;
	create_pinned(buffers, zone->addr, zone->len);
}

static void destroy_zone(struct memory_buffers *buffers)
{
	rte_mempool_free(buffers->pool);
	MEMORY_MUST(rte_memzone_free(rte_memzone_lookup("zone")) == 0, "memzone");
	buffers->area = NULL;
}

static void create_heap(struct memory_buffers *buffers)
{
	map_area(buffers);
	MEMORY_MUST(
		rte_malloc_heap_create(HEAP) == 0 && rte_malloc_heap_memory_add(HEAP, buffers->area,
							     buffers->length, NULL, 0, PAGE) == 0,
		"heap: %s", rte_strerror(rte_errno));
	buffers->pool = rte_pktmbuf_pool_create(
		POOL, MEMORY_BUFFERS, 0, 0, MEMORY_ROOM, rte_malloc_heap_get_socket(HEAP));
	MEMORY_MUST(buffers->pool, "pool: %s", rte_strerror(rte_errno));
}

static void destroy_heap(struct memory_buffers *buffers)
{
	rte_mempool_free(buffers->pool);
	MEMORY_MUST(rte_malloc_heap_memory_remove(HEAP, buffers->area, buffers->length) == 0 &&
			    rte_malloc_heap_destroy(HEAP) == 0,
		"heap: %s", rte_strerror(rte_errno));
	unmap_area(buffers);
}

/* The process lets go of the heap's memory and takes it again. */
static void create_attached(struct memory_buffers *buffers)
{
	struct memory_bench *bench = buffers->bench;

	create_heap(buffers);
	rte_mempool_free(buffers->pool);
	MEMORY_MUST(memory_is_mapped(bench, "a", buffers->area, buffers->length), "heap: mapped");
	MEMORY_MUST(rte_malloc_heap_memory_detach(HEAP, buffers->area, buffers->length) == 0,
		"detach: %s", rte_strerror(rte_errno));
	MEMORY_MUST(!memory_is_mapped(bench, "a", buffers->area, buffers->length) &&
			    !memory_is_mapped(bench, "b", buffers->area, buffers->length),
		"a detached heap is still mapped");
	MEMORY_MUST(rte_malloc_heap_memory_attach(HEAP, buffers->area, buffers->length) == 0,
		"attach: %s", rte_strerror(rte_errno));
	buffers->pool = rte_pktmbuf_pool_create(
		POOL, MEMORY_BUFFERS, 0, 0, MEMORY_ROOM, rte_malloc_heap_get_socket(HEAP));
	MEMORY_MUST(buffers->pool, "pool: %s", rte_strerror(rte_errno));
}

/* clang-format off */
#define ARGUMENTS(...) { __VA_ARGS__ }
/* clang-format on */
#define NO_HUGE   ARGUMENTS("--no-huge", "-m", "256", "--no-shconf")
#define IN_MEMORY ARGUMENTS("--in-memory")

const struct memory_kind *memory_kind_at(unsigned int index)
{
	static const struct memory_kind kinds[] = {
		{ "hugepages", ARGUMENTS("--huge-unlink"), create_pool, destroy_pool, true, true },
		{ "in-memory", IN_MEMORY, create_pool, destroy_pool, true, true },
		{ "single-file", ARGUMENTS("--single-file-segments"), create_pool, destroy_pool,
			true, true },
		{ "in-memory-single-file", ARGUMENTS("--in-memory", "--single-file-segments"),
			create_pool, destroy_pool, true, true },
		{ "legacy", ARGUMENTS("--legacy-mem", "-m", "128"), create_pool, destroy_pool,
			false, false, true },
		{ "no-huge", NO_HUGE, create_pool, destroy_pool, false, true },
		{ "gigantic", ARGUMENTS("--huge-unlink"), create_pool, destroy_pool, false, true },
		{ "anonymous", IN_MEMORY, create_anonymous, destroy_anonymous, true, false },
		{ "anonymous-no-huge", NO_HUGE, create_anonymous, destroy_anonymous, true, false },
		{ "external", IN_MEMORY, create_external, destroy_external, true, false },
		{ "external-no-huge", NO_HUGE, create_external, destroy_external, true, false },
		{ "external-pool", IN_MEMORY, create_populated, destroy_external, true, false },
		{ "heap", IN_MEMORY, create_heap, destroy_heap, true, false },
		{ "heap-attach", ARGUMENTS("--huge-unlink"), create_attached, destroy_heap, true,
			false },
		{ "heap-no-huge", NO_HUGE, create_heap, destroy_heap, true, false },
		{ "zone", IN_MEMORY, create_zone, destroy_zone, true, true },
	};

	return index < RTE_DIM(kinds) ? &kinds[index] : NULL;
}

const struct memory_kind *memory_kind_find(const char *name)
{
	const struct memory_kind *kind;

	for (unsigned int i = 0; (kind = memory_kind_at(i)); i++) {
		if (strcmp(kind->name, name) == 0)
			return kind;
	}
	return NULL;
}
