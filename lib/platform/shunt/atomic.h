/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_ATOMIC_H
#define SHUNT_ATOMIC_H

/*
 * Atomic fields of public structures, for C and for C++ before its 23, which has no <stdatomic.h>:
 * the same size and the same operations. To be included outside extern "C".
 */

#ifdef __cplusplus
#include <atomic>

#define SHUNT_ATOMIC(type) std::atomic<type>

using std::atomic_load_explicit;
using std::atomic_store_explicit;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
#else
#include <stdatomic.h>

#define SHUNT_ATOMIC(type) _Atomic(type)
#endif

#endif
