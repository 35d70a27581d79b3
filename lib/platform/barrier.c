/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shunt_barrier.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool registered;

static void register_process(void)
{
	registered = !THREAD_SANITIZER &&
		     syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool shunt_barrier_missing(void)
{
	pthread_once(&once, register_process);
	return !registered;
}

void shunt_barrier(void)
{
	if (!shunt_barrier_missing())
		syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}
