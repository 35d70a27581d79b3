/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
		uint64_t part = end - at;

		if (part > PAGES_AT_ONCE * page)
			part = PAGES_AT_ONCE * page;
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
