/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_HOLD_H
#define SHUNT_HOLD_H

#include <pthread.h>

static inline pthread_mutex_t *shunt_hold_lock(pthread_mutex_t *lock)
{
	pthread_mutex_lock(lock);
	return lock;
}

static inline void shunt_hold_unlock(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

/** Holds a lock until the scope ends, however that is left. One in a scope. */
#define SHUNT_HOLD(lock) \
	__auto_type held __attribute__((cleanup(shunt_hold_unlock), unused)) = shunt_hold_lock(lock)

#endif
