/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hugetlbfs.h>

#include <shunt/error.h>
#include <shunt/space.h>

#define BLOCK     ((size_t)4096)
#define LOW_START ((uintptr_t)0x40000000)
#define LOW_END   ((uintptr_t)0x7fff0000) /* AddressSanitizer has its shadow from there on */

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/*
 * mmap() at a low address if there is room: devices see an arena at its own address, and some
 * IOMMUs translate no more than 39 bits, while the kernel places mappings near the end of 47.
 * Populated at once: a hugetlbfs mapping without enough pages has to fail here, not at first use.
 */
static bool map_low(struct shunt_arena *arena)
{
	const int prot = PROT_READ | PROT_WRITE;
	const int flags = MAP_SHARED | MAP_POPULATE | (arena->fd < 0 ? MAP_ANONYMOUS : 0);
	const size_t size = arena->size;
	uintptr_t at = round_up(LOW_START, arena->page_size);

	for (; size < LOW_END && at <= LOW_END - size; at += size) {
		arena->addr =
			mmap((void *)at, size, prot, flags | MAP_FIXED_NOREPLACE, arena->fd, 0);
		if (arena->addr != MAP_FAILED || errno != EEXIST)
			return arena->addr != MAP_FAILED;
	}
	arena->addr = mmap(NULL, size, prot, flags, arena->fd, 0);
	return arena->addr != MAP_FAILED;
}

static int map_hugepages(struct shunt_arena *arena, size_t size)
{
	long page_size = gethugepagesize();
	int ret;

	if (page_size <= 0)
		return shunt_fail(-ENOMEM, "this kernel has no hugepages");
	arena->page_size = (size_t)page_size;
	arena->size = round_up(size, arena->page_size);
	arena->fd = hugetlbfs_unlinked_fd();
	if (arena->fd < 0)
		return shunt_fail(-ENOMEM,
			"no hugetlbfs is mounted for this user: mount -t hugetlbfs none "
			"/dev/hugepages");
	arena->huge = !fcntl(arena->fd, F_SETFD, FD_CLOEXEC) &&
		      !ftruncate(arena->fd, (off_t)arena->size) && map_low(arena);
	if (arena->huge)
		return 0;
	ret = shunt_fail_errno(-errno,
		"%zu bytes of hugepages (reserve some: echo %zu > /proc/sys/vm/nr_hugepages)",
		arena->size, arena->size / arena->page_size);
	close(arena->fd);
	arena->fd = -1;
	return ret;
}

static int map_plain(struct shunt_arena *arena, size_t size)
{
	arena->page_size = (size_t)sysconf(_SC_PAGESIZE);
	arena->size = round_up(size, arena->page_size);
	if (!map_low(arena))
		return shunt_fail_errno(-errno, "%zu bytes of plain memory", arena->size);
	return 0;
}

int shunt_arena_create(size_t size, enum shunt_arena_pages pages, struct shunt_arena *arena)
{
	int ret;

	*arena = (struct shunt_arena){ .fd = -1 };
	if (size == 0)
		return shunt_fail(-EINVAL, "an arena of no bytes");
	ret = pages == SHUNT_ARENA_PLAIN ? map_plain(arena, size) : map_hugepages(arena, size);
	if (ret && pages == SHUNT_ARENA_ANY)
		ret = map_plain(arena, size);
	if (ret) {
		*arena = (struct shunt_arena){ .fd = -1 }; /* nothing to destroy */
		return shunt_fail_while(ret, "arena");
	}
	arena->used = calloc(arena->size / BLOCK, 1);
	if (!arena->used) {
		shunt_arena_destroy(arena);
		return shunt_fail(-ENOMEM, "arena: out of memory");
	}
	return 0;
}

void shunt_arena_destroy(struct shunt_arena *arena)
{
	if (arena->addr)
		munmap(arena->addr, arena->size);
	if (arena->fd >= 0)
		close(arena->fd);
	free(arena->used);
	*arena = (struct shunt_arena){ .fd = -1 };
}

void *shunt_arena_alloc(struct shunt_arena *arena, size_t size, size_t align)
{
	size_t blocks = arena->size / BLOCK;
	size_t need = round_up(size, BLOCK) / BLOCK;
	size_t free_blocks = 0;

	for (size_t first = 0; need && first + need <= blocks; first++) {
		char *piece = (char *)arena->addr + first * BLOCK;

		/* The arena itself is only aligned to its pages. */
		if ((align && (uintptr_t)piece % align) || memchr(arena->used + first, 1, need))
			continue;
		memset(arena->used + first, 1, need);
		return memset(piece, 0, need * BLOCK);
	}
	for (size_t i = 0; i < blocks; i++)
		free_blocks += !arena->used[i];
	shunt_fail(-ENOMEM, "no piece of %zu bytes in an arena of %zu, %zu of them free", size,
		arena->size, free_blocks * BLOCK);
	return NULL;
}

void shunt_arena_free(struct shunt_arena *arena, void *piece, size_t size)
{
	if (piece)
		memset(arena->used + ((char *)piece - (char *)arena->addr) / BLOCK, 0,
			round_up(size, BLOCK) / BLOCK);
}
