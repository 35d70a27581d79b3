/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HANDOFF_H
#define HANDOFF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/*
 * Items from one thread to one other, in order: a ring of fixed size.
 *
 *   put   items[written % room], then written + 1     full: nothing is put
 *   take  items[taken % room], then taken + 1
 *
 * libck's ring hides its order from ThreadSanitizer, DPDK's brings EAL along.
 */

struct handoff {
	size_t size; /* of an item */
	size_t room; /* in items */
	_Atomic(size_t) written;
	_Atomic(size_t) taken;
	unsigned char items[];
};

/* To be freed. @return NULL: out of memory */
static inline struct handoff *handoff_create(size_t size, size_t room)
{
	struct handoff *handoff = calloc(1, sizeof(*handoff) + room * size);

	if (handoff) {
		handoff->size = size;
		handoff->room = room;
	}
	return handoff;
}

/* The one thread that puts. @return false: full */
static inline bool handoff_put(struct handoff *handoff, const void *item)
{
	size_t written = atomic_load_explicit(&handoff->written, memory_order_relaxed);

	if (written - atomic_load_explicit(&handoff->taken, memory_order_acquire) == handoff->room)
		return false;
	memcpy(handoff->items + written % handoff->room * handoff->size, item, handoff->size);
	atomic_store_explicit(&handoff->written, written + 1, memory_order_release);
	return true;
}

/* The one thread that takes, up to n. @return how many */
static inline unsigned int handoff_take(struct handoff *handoff, void *items, unsigned int n)
{
	size_t taken = atomic_load_explicit(&handoff->taken, memory_order_relaxed);
	size_t written = atomic_load_explicit(&handoff->written, memory_order_acquire);
	unsigned int count = 0;

	for (; count < n && taken < written; count++, taken++)
		memcpy((unsigned char *)items + count * handoff->size,
			handoff->items + taken % handoff->room * handoff->size, handoff->size);
	atomic_store_explicit(&handoff->taken, taken, memory_order_release);
	return count;
}

#endif
