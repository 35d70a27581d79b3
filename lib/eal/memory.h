/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEMORY_H
#define MEMORY_H

#include <pthread.h>
#include <sys/queue.h>

#include <rte_log.h>

#include "shunt_eal.h"
#include "mirror.h"

/* Inside lib/eal: what memory.c (EAL's memory) and pools.c (mempools outside it) share. */

/** Why something could not be mapped; all zero: it could. */
struct memory_error {
	SLIST_ENTRY(memory_error) next;
	const struct rte_mempool *pool; /* in the list: which one */
	int err;
	char text[256];
};

struct shunt_eal_memory {
	pthread_mutex_t lock; /* taken inside EAL's memory lock, never around it */
	struct mirror mirror;
	bool events;                      /* EAL reports changes */
	struct memory_error error;        /* of the first mapping that failed in an event */
	SLIST_HEAD(, memory_error) pools; /* mempools that could not be mapped */
};

extern int shunt_eal_logtype;

/** Logs the error in shunt_errmsg() and keeps the first one. */
void memory_remember(struct memory_error *error, int err, const char *what);

/** Follows the process's mempools for this memory. @return 0; -ENOMEM; nothing is mapped then */
int pools_follow(struct shunt_eal_memory *memory);

/** Stops. On return no event touches the memory any more. */
void pools_forget(struct shunt_eal_memory *memory);

#endif
