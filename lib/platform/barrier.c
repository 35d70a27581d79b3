/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <shunt/error.h>

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

/*
 * Numbers of barriers: the last that has begun, and one that has ended: not always the highest,
 * which costs a barrier more.
 */
static uint64_t begun, ended;

int shunt_barrier(void)
{
	uint64_t number;

	if (shunt_barrier_missing())
		return 0;
	number = __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		return shunt_fail_errno(
			-errno, "membarrier(2): without it, pollers may not see a pause");
	__atomic_store_n(&ended, number, __ATOMIC_SEQ_CST);
	return 0;
}

uint64_t shunt_barrier_begun(void)
{
	return __atomic_load_n(&begun, __ATOMIC_SEQ_CST);
}

int shunt_barrier_after(uint64_t number)
{
	return __atomic_load_n(&ended, __ATOMIC_SEQ_CST) > number ? 0 : shunt_barrier();
}
