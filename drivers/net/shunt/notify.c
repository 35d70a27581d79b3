/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include <shunt/error.h>

#include "shunt_port.h"

/*
 * EAL's spinlock orders the return of a handler before that of its unregistration. EAL is not
 * instrumented, so ThreadSanitizer has to be told.
 */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>

static char handlers;
#define HANDLED()     __tsan_release(&handlers)
#define HANDLED_ALL() __tsan_acquire(&handlers)
#else
#define HANDLED()
#define HANDLED_ALL()
#endif

int shunt_notify_open(const char *function, rte_intr_callback_fn handler, void *arg,
	struct rte_intr_handle **handle)
{
	struct rte_intr_handle *made = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int ret;

	if (fd < 0) {
		ret = shunt_fail_errno(-errno, "%s: eventfd", function);
		goto free;
	}
	if (!made || rte_intr_fd_set(made, fd) || rte_intr_type_set(made, RTE_INTR_HANDLE_EXT)) {
		ret = shunt_fail(-ENOMEM, "%s: interrupt: out of memory", function);
		goto close;
	}
	/* The handler reads it, and with it all that the caller has written before. */
	__atomic_store_n(handle, made, __ATOMIC_RELEASE);
	ret = rte_intr_callback_register(made, handler, arg);
	if (!ret)
		return 0;
	shunt_fail_errno(ret, "%s: EAL's interrupts of a descriptor", function);
	*handle = NULL;

close:
	close(fd);
free:
	rte_intr_instance_free(made);
	return ret;
}

static void close_descriptor(struct rte_intr_handle *handle, void *arg)
{
	close(rte_intr_fd_get(handle));
}

/*
 * EAL's rte_intr_callback_unregister_sync() waits until the handler has returned, which it does not
 * do for one that calls it. So EAL is told to forget that one when it has returned.
 */
void shunt_notify_close(struct rte_intr_handle *handle, rte_intr_callback_fn handler, void *arg)
{
	if (!rte_thread_is_intr() ||
		rte_intr_callback_unregister_pending(handle, handler, arg, close_descriptor) <= 0) {
		rte_intr_callback_unregister_sync(handle, handler, arg);
		HANDLED_ALL();
		close(rte_intr_fd_get(handle));
	}
	rte_intr_instance_free(handle);
}

bool shunt_notify_taken(struct rte_intr_handle *const *handle)
{
	const struct rte_intr_handle *made = __atomic_load_n(handle, __ATOMIC_ACQUIRE);
	uint64_t count;
	bool taken = read(rte_intr_fd_get(made), &count, sizeof(count)) == sizeof(count);

	HANDLED();
	return taken;
}
