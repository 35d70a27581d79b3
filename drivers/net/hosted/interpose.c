/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "hosted.h"

/* For functions that replace DPDK's of the same name: their lock, and the way to DPDK's. */

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void hosted_lock(void)
{
	pthread_mutex_lock(&lock);
}

void hosted_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void *hosted_next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function) {
		/* Impossible: the application was linked with it, or did not call it. */
		fprintf(stderr, "shunt: %s is in no library\n", name);
		abort();
	}
	return function;
}
