/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim_dma.h"
#include "sim_user.h"

#define PAGES_AT_ONCE 16384u

bool sim_user_mapped(uint64_t address, uint64_t length)
{
	unsigned char resident[PAGES_AT_ONCE];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t at = address & ~(page - 1);
	uint64_t end;

	if (__builtin_add_overflow(address, length, &end))
		return false;
	while (at < end) {
		uint64_t part = MIN(end - at, PAGES_AT_ONCE * page);

		if (mincore((void *)(uintptr_t)at, part, resident))
			return false;
		at += part;
	}
	return true;
}

int sim_user_read(void *to, uint64_t from, uint64_t length)
{
	if (!sim_user_mapped(from, length))
		return -EFAULT;
	memcpy(to, (const void *)(uintptr_t)from, length);
	return 0;
}

int sim_user_write(uint64_t to, const void *from, uint64_t length)
{
	if (!sim_user_mapped(to, length))
		return -EFAULT;
	memcpy((void *)(uintptr_t)to, from, length);
	return 0;
}

int sim_user_zero(uint64_t to, uint64_t length)
{
	if (!sim_user_mapped(to, length))
		return -EFAULT;
	memset((void *)(uintptr_t)to, 0, length);
	return 0;
}

/* The unit in which a file can be mapped: the page size, or that of hugetlbfs. */
static uint64_t file_unit(const struct stat *file)
{
	uint64_t unit = (uint64_t)file->st_blksize;

	if (!S_ISREG(file->st_mode) || unit < SIM_PAGE_SIZE || (unit & (unit - 1)))
		return SIM_PAGE_SIZE;
	return unit;
}

/* Reserves address space for whole units of the file, at the IOVA's offset in a large leaf. */
static int reserve(struct sim_pages *pages, uint64_t unit, uint64_t iova)
{
	uint64_t align = MAX(unit, SIM_SUPER_SIZE);
	uint64_t head = pages->start & (unit - 1);
	uint64_t want, skip;
	uint8_t *memory;

	if (__builtin_add_overflow(pages->length, head + 2 * align, &pages->reserved_length))
		return -ENOMEM;
	pages->reserved_length = (pages->reserved_length + unit - 1) & ~(unit - 1);
	memory = mmap(NULL, pages->reserved_length, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return -ENOMEM;
	pages->reserved = memory;
	/* The first byte has its IOVA's offset in a leaf, if the file's unit allows that. */
	want = unit > SIM_PAGE_SIZE
		       ? pages->start & (align - 1)
		       : ((iova & ~(SIM_PAGE_SIZE - 1)) | (pages->start & (SIM_PAGE_SIZE - 1))) &
				 (align - 1);
	skip = (want - (uintptr_t)memory) & (align - 1);
	if (skip < head)
		skip += align;
	pages->memory = memory + skip;
	return 0;
}

int sim_pages_create(
	int fd, uint64_t start, uint64_t length, uint64_t iova, struct sim_pages **result)
{
	struct sim_pages *pages;
	struct stat file;
	uint64_t end;
	int ret;

	if (fstat(fd, &file))
		return -EBADF;
	if (length && __builtin_add_overflow(start, length - 1, &end))
		return -EOVERFLOW;
	if (!length || length > UINT64_MAX - SIM_PAGE_SIZE)
		return -EINVAL;
	pages = calloc(1, sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	pages->users = 1;
	pages->start = start;
	pages->length = length;
	pages->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (pages->fd < 0) {
		ret = errno == EBADF ? -EBADF : -ENOMEM;
		goto free_pages;
	}
	ret = reserve(pages, file_unit(&file), iova);
	if (ret)
		goto close_file;
	*result = pages;
	return 0;

close_file:
	close(pages->fd);
free_pages:
	free(pages);
	return ret;
}

void sim_pages_hold(struct sim_pages *pages)
{
	if (pages)
		pages->users++;
}

void sim_pages_put(struct sim_pages *pages)
{
	if (!pages || --pages->users > 0)
		return;
	munmap(pages->reserved, pages->reserved_length);
	close(pages->fd);
	free(pages);
}

int sim_pages_pin(struct sim_pages *pages)
{
	uint64_t unit, head, length;
	struct stat file;

	if (pages->mapped)
		return 0;
	/* A file has seals if, and only if, the kernel can pin its folios. */
	if (fcntl(pages->fd, F_GET_SEALS) < 0 || fstat(pages->fd, &file) || file.st_size <= 0 ||
		pages->start + (pages->length - 1) >= (uint64_t)file.st_size)
		return -EINVAL;
	unit = file_unit(&file);
	head = pages->start & (unit - 1);
	length = (head + pages->length + unit - 1) & ~(unit - 1);
	if (mmap(pages->memory - head, length, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED | MAP_POPULATE, pages->fd,
		    (off_t)(pages->start - head)) == MAP_FAILED)
		return errno == EPERM ? -EPERM : -ENOMEM;
	pages->mapped = true;
	return 0;
}
