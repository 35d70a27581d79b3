/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "kernel_settle.h"

#define SIZE sizeof(struct processors)

int processors_add(struct processors *set, const char *list)
{
	unsigned long first, last;
	char *end;

	while (*list && *list != '\n') {
		first = last = strtoul(list, &end, 10);
		if (end == list)
			return -EINVAL;
		if (*end == '-') {
			list = end + 1;
			last = strtoul(list, &end, 10);
			if (end == list)
				return -EINVAL;
		}
		if (last < first || last >= SETTLE_PROCESSORS)
			return -EINVAL;
		for (; first <= last; first++)
			CPU_SET_S(first, SIZE, set->parts);
		list = *end == ',' ? end + 1 : end;
		if (*end && *end != ',' && *end != '\n')
			return -EINVAL;
	}
	return 0;
}

static int visit(int processor)
{
	struct processors one = { 0 };

	CPU_SET_S(processor, SIZE, one.parts);
	if (sched_setaffinity(0, SIZE, one.parts))
		return -errno;
	return sched_getcpu() == processor ? 0 : -EINVAL;
}

int processors_settle(const struct processors *set)
{
	struct processors own;
	bool moved = false;
	int ret = 0, here = sched_getcpu();
	int left = CPU_COUNT_S(SIZE, set->parts);

	for (int processor = 0; left > 0 && !ret; processor++) {
		if (!CPU_ISSET_S(processor, SIZE, set->parts))
			continue;
		left--;
		if (processor == here)
			continue;
		if (!moved && sched_getaffinity(0, SIZE, own.parts))
			return -errno;
		moved = true;
		ret = visit(processor);
	}
	if (moved && sched_setaffinity(0, SIZE, own.parts) && !ret)
		ret = -errno;
	return ret;
}
