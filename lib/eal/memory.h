/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEMORY_H
#define MEMORY_H

#include <pthread.h>

#include <rte_log.h>

#include "shunt_eal.h"
#include "mirror.h"

/* Inside lib/eal: what memory.c (EAL's own) and pools.c (mempools elsewhere) share. */

#define MEMORY_ERROR_SIZE 256

/** Why something could not be mapped; all zero: it could. */
struct memory_error {
	int err;
	char text[MEMORY_ERROR_SIZE];
};

struct pool; /* a mempool with memory that is not EAL's */

struct shunt_eal_memory {
	pthread_mutex_t lock; /* taken inside EAL's memory lock, never around it */
	struct mirror mirror;
	bool events;               /* EAL reports changes */
	bool following;            /* the walk has begun: events are acted upon */
	struct memory_error error; /* of the first mapping that failed in an event */
	struct pool *pools;
};

extern int shunt_eal_logtype;

/** Logs the error in shunt_errmsg() and keeps the first one. */
void memory_remember(struct memory_error *error, int err, const char *what);

/** Follows the process's mempools for this memory. @return 0; -ENOMEM; nothing is mapped then */
int pools_follow(struct shunt_eal_memory *memory);

/** Stops. On return no event touches the memory any more. */
void pools_forget(struct shunt_eal_memory *memory);

/** A mempool that could not be mapped. Caller holds the lock. @return NULL: there is none */
const struct memory_error *pools_error(const struct shunt_eal_memory *memory);

#endif
