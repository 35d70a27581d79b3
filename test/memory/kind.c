/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One kind of memory: it is mapped in every space for as long as it is there and not longer, and
 * frames are received into it in each of them.
 *
 *   kind NAME address|file [--ports FUNCTION FUNCTION] [EAL's arguments...]
 *   kind --list
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

#include "memory.h"

struct visit {
	struct memory_bench *bench;
	const char *space;
};

static void must_be_mapped(struct rte_mempool *pool, void *opaque, void *object, unsigned int index)
{
	const struct rte_mbuf *buffer = object;
	const struct visit *visit = opaque;

	MEMORY_MUST(memory_is_mapped(visit->bench, visit->space, buffer->buf_addr, buffer->buf_len),
		"buffer %u at %p is not mapped in space '%s'", index, buffer->buf_addr,
		visit->space);
}

static void must_be_everywhere(struct memory_bench *bench, struct rte_mempool *pool)
{
	static const char *const spaces[] = { "a", "b", "c" };

	for (size_t i = 0; i < RTE_DIM(spaces); i++) {
		struct visit visit = { bench, spaces[i] };

		rte_mempool_obj_iter(pool, must_be_mapped, &visit);
	}
}

static uint64_t mapped(struct memory_bench *bench, const char *space)
{
	return shunt_space_mapped(shunt_space_find(bench->spaces, space));
}

/* Makes the memory, uses it in three spaces, one of them made by now, and gives it back. */
static void cycle(struct memory_bench *bench, const struct memory_kind *kind, uint64_t *during,
	uint64_t *file)
{
	struct memory_buffers buffers = { .bench = bench };
	struct shunt_space *space;
	const uint8_t *area;
	size_t length;

	kind->create(&buffers);
	MEMORY_MUST(shunt_space_create(bench->spaces, "c", &space) == 0, "third space");
	must_be_everywhere(bench, buffers.pool);
	*during = mapped(bench, "a");
	*file = shunt_spaces_mapped_by_file(bench->spaces);
	MEMORY_MUST(mapped(bench, "b") == *during && mapped(bench, "c") == *during,
		"spaces have not the same mapped");
	memory_start(bench, buffers.pool);
	memory_traffic(bench, &buffers);
	memory_switch(bench, "b");
	memory_traffic(bench, &buffers);
	memory_switch(bench, "c");
	memory_traffic(bench, &buffers);
	memory_switch(bench, "a");
	memory_traffic(bench, &buffers);
	memory_stop(bench);
	area = buffers.area;
	length = buffers.length;
	kind->destroy(&buffers);
	for (unsigned int i = 0; area && kind->comes && i < 3; i++) {
		const char *name = (const char *[]){ "a", "b", "c" }[i];

		MEMORY_MUST(!memory_is_mapped(bench, name, area, length),
			"the memory is gone and still mapped in space '%s'", name);
	}
	MEMORY_MUST(shunt_space_destroy(space) == 0, "third space");
}

static int list(void)
{
	const struct memory_kind *kind;

	for (unsigned int i = 0; (kind = memory_kind_at(i)); i++)
		printf("%s\n", kind->name);
	return 0;
}

int main(int argc, char **argv)
{
	const struct memory_kind *kind;
	struct memory_bench bench;
	uint64_t before, during, file;
	char **functions = NULL;
	bool by_file;

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	MEMORY_MUST(argc >= 3, "usage: kind NAME address|file [--ports FUNCTION FUNCTION] ...");
	kind = memory_kind_find(argv[1]);
	MEMORY_MUST(kind, "no kind '%s'", argv[1]);
	by_file = strcmp(argv[2], "file") == 0;
	argv += 3;
	if (*argv && strcmp(*argv, "--ports") == 0) {
		functions = argv + 1;
		argv += 3;
	}
	memory_eal_start(kind, argv);
	memory_open(&bench, functions, by_file);
	/* The first time EAL also gets pages for what ports need. */
	cycle(&bench, kind, &during, &file);
	before = mapped(&bench, "a");
	cycle(&bench, kind, &during, &file);
	MEMORY_MUST(mapped(&bench, "a") == before && mapped(&bench, "b") == before,
		"%lu bytes were mapped, now there are %lu", before, mapped(&bench, "a"));
	if (kind->comes)
		MEMORY_MUST(during > before, "nothing was mapped for it");
	MEMORY_MUST(!by_file || !kind->file || file > 0, "nothing is mapped by file");
	MEMORY_MUST(!kind->lasting || file <= before / 2,
		"%lu KiB of pages that stay for good are mapped by file, not as runs", file >> 10);
	MEMORY_MUST(by_file || file == 0, "mapped by file, without being able to");
	MEMORY_MUST(memory_faults(&bench) == 0, "%u faults", memory_faults(&bench));
	printf("%-22s by %s: %lu KiB mapped, %lu with the buffers, %lu of them by file\n",
		kind->name, by_file ? "file" : "address", before >> 10, during >> 10, file >> 10);
	memory_close(&bench);
	return rte_eal_cleanup() ? 1 : 0;
}
