/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
 * Populated at once: without enough hugepages this has to fail, not the first use.
 */
static void *map_low(size_t size, size_t page_size, int fd)
{
	const int prot = PROT_READ | PROT_WRITE;
	const int flags = MAP_SHARED | MAP_POPULATE | (fd < 0 ? MAP_ANONYMOUS : 0);
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

static int map(struct shunt_arena *arena, size_t size, bool huge)
{
	struct stat file = { .st_blksize = sysconf(_SC_PAGESIZE) };
	int fd = huge ? memfd_create("shunt-arena", MFD_CLOEXEC | MFD_HUGETLB) : -1;
	size_t page_size;
	void *addr;
	int err;

	if (huge && fd < 0)
		return shunt_fail_errno(-errno, "making a file of hugepages");
	if (huge && fstat(fd, &file))
		goto close;
	page_size = (size_t)file.st_blksize;
	size = round_up(size, page_size);
	if (huge && ftruncate(fd, (off_t)size))
		goto close;
	addr = map_low(size, page_size, fd);
	if (addr == MAP_FAILED)
		goto close;
	*arena = (struct shunt_arena){ .addr = addr, .size = size, .fd = fd };
	return 0;

close:
	err = -errno;
	if (!huge)
		return shunt_fail_errno(err, "%zu bytes of plain memory", size);
	close(fd);
	return shunt_fail_errno(err,
		"%zu bytes of hugepages (reserve some: echo %zu > /proc/sys/vm/nr_hugepages)", size,
		size / (size_t)file.st_blksize);
}

int shunt_arena_create(size_t size, enum shunt_arena_pages pages, struct shunt_arena *arena)
{
	int ret;

	*arena = (struct shunt_arena){ .fd = -1 };
	if (size == 0)
		return shunt_fail(-EINVAL, "an arena of no bytes");
	ret = map(arena, size, pages != SHUNT_ARENA_PLAIN);
	if (ret && pages == SHUNT_ARENA_ANY)
		ret = map(arena, size, false);
	if (ret)
		return shunt_fail_while(ret, "arena");
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
	size_t step = align > BLOCK ? align / BLOCK : 1;
	size_t free_blocks = 0;
	size_t skew, first;
	void *piece;

	/* First block at an aligned address: the arena itself is only aligned to its pages. */
	skew = (uintptr_t)arena->addr / BLOCK % step;
	for (first = skew ? step - skew : 0; need && first + need <= blocks; first += step) {
		if (memchr(arena->used + first, 1, need))
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
