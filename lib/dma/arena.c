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
 */
static void *map_low(size_t size, size_t page_size, int flags, int fd)
{
	const int prot = PROT_READ | PROT_WRITE;
	uintptr_t at = round_up(LOW_START, page_size);
	void *addr;

	for (; size < LOW_END && at <= LOW_END - size; at += round_up(size, page_size)) {
		/* NOLINTNEXTLINE(performance-no-int-to-ptr) an address to ask for */
		addr = mmap((void *)at, size, prot, flags | MAP_FIXED_NOREPLACE, fd, 0);
		if (addr != MAP_FAILED || errno != EEXIST)
			return addr;
	}
	return mmap(NULL, size, prot, flags, fd, 0);
}

/* Populated at once: a hugetlbfs mapping without enough pages has to fail here, not at first use.
 */
static int map_hugepages(struct shunt_arena *arena, size_t size)
{
	long page_size = gethugepagesize();
	int err;

	if (page_size <= 0)
		return shunt_fail(-ENOMEM, "this kernel has no hugepages");
	arena->size = round_up(size, (size_t)page_size);
	arena->fd = hugetlbfs_unlinked_fd();
	if (arena->fd < 0)
		return shunt_fail(-ENOMEM,
			"no hugetlbfs is mounted for this user: mount -t hugetlbfs none "
			"/dev/hugepages");
	if (fcntl(arena->fd, F_SETFD, FD_CLOEXEC) || ftruncate(arena->fd, (off_t)arena->size)) {
		err = -errno;
		goto close;
	}
	arena->addr = map_low(arena->size, (size_t)page_size, MAP_SHARED | MAP_POPULATE, arena->fd);
	if (arena->addr == MAP_FAILED) {
		err = -errno;
		goto close;
	}
	arena->page_size = (size_t)page_size;
	arena->huge = true;
	return 0;

close:
	close(arena->fd);
	return shunt_fail_errno(err,
		"%zu bytes of hugepages (reserve some: echo %zu > /proc/sys/vm/nr_hugepages)",
		arena->size, arena->size / (size_t)page_size);
}

static int map_plain(struct shunt_arena *arena, size_t size)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);

	arena->size = round_up(size, page_size);
	arena->addr =
		map_low(arena->size, page_size, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1);
	if (arena->addr == MAP_FAILED)
		return shunt_fail_errno(-errno, "%zu bytes of plain memory", arena->size);
	arena->page_size = page_size;
	arena->huge = false;
	arena->fd = -1;
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

static bool blocks_free(const struct shunt_arena *arena, size_t first, size_t count)
{
	return memchr(arena->used + first, 1, count) == NULL;
}

void *shunt_arena_alloc(struct shunt_arena *arena, size_t size, size_t align)
{
	size_t blocks = arena->size / BLOCK;
	size_t need = round_up(size, BLOCK) / BLOCK;
	size_t step = align > BLOCK ? align / BLOCK : 1;
	size_t free_blocks = 0;
	size_t skew, first;
	void *piece;

	/* First block at an aligned address: the arena itself is only aligned to its pages. */
	skew = (uintptr_t)arena->addr / BLOCK % step;
	for (first = skew ? step - skew : 0; need && first + need <= blocks; first += step) {
		if (!blocks_free(arena, first, need))
			continue;
		memset(arena->used + first, 1, need);
		piece = (char *)arena->addr + first * BLOCK;
		memset(piece, 0, need * BLOCK);
		return piece;
	}
	for (first = 0; first < blocks; first++)
		free_blocks += !arena->used[first];
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
