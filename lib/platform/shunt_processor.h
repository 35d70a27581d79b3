/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_PROCESSOR_H
#define SHUNT_PROCESSOR_H

/* What C does not say of the processor. */

#define likely(x)        __builtin_expect(!!(x), 1)
#define unlikely(x)      __builtin_expect(!!(x), 0)

#define SHUNT_CACHE_LINE 64

/** In a loop that waits for another processor. */
static inline void shunt_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/** Whatever follows, a read of the clock too, happens once earlier stores can be seen. */
static inline void shunt_stores_seen(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#if defined(__x86_64__)
	__builtin_ia32_mfence();
	__builtin_ia32_lfence();
#elif defined(__aarch64__)
	__asm__ volatile("dsb sy; isb" ::: "memory");
#endif
}

#endif
