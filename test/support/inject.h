/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INJECT_H
#define INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/platform.h>

/*
 * A platform that makes chosen calls of another one fail, so that a test can walk every error path:
 *
 *   code under test --> struct inject --> platform below (sim, or a fake)
 *                          |
 *                          `-- the n-th fallible call returns the errno and goes no further
 *
 *   for (nth = 1; ; nth++) {
 *           inject_fail(inject, NULL, nth, 1, EIO);
 *           ret = run(inject_platform(inject));
 *           if (!inject_failures(inject))
 *                   break;                       every call has had its turn
 *           check ret and that shunt_errmsg() names inject_failed_call(inject)
 *   }
 *
 * Fallible: open, ioctl, map, read, write. close, unmap and faults are counted and passed on.
 * Any thread may call the platform; one thread at a time the inject_ functions.
 */

/** Operations of the seam that are counted. */
enum inject_op {
	INJECT_OPEN,
	INJECT_CLOSE,
	INJECT_IOCTL,
	INJECT_MAP,
	INJECT_UNMAP,
	INJECT_READ,
	INJECT_WRITE,
	INJECT_FAULTS,
	INJECT_OPS,
};

struct inject;

/**
 * Wraps a platform, which stays the caller's. No call fails until inject_fail().
 *
 * @return 0, -ENOMEM
 */
int inject_create(struct shunt_platform *below, struct inject **inject);

/** Releases the wrapper, not the platform below. NULL is allowed. */
void inject_destroy(struct inject *inject);

/** The platform to hand to the code under test; shunt_platform_destroy() does not end it. */
struct shunt_platform *inject_platform(struct inject *inject);

/**
 * Makes calls fail, counted from now; forgets what failed before.
 *
 * @param call   only calls of this name are counted and failed: "open", "map", "read", "write" or
 *               the name of an ioctl request, "IOMMU_IOAS_MAP"; NULL for every fallible call
 * @param nth    the first call that fails, from 1
 * @param count  how many calls in a row fail; UINT64_MAX: all from then on
 * @param err    positive errno that they return, negative
 */
void inject_fail(struct inject *inject, const char *call, uint64_t nth, uint64_t count, int err);

/**
 * Every read of a region gives all ones, and writes do nothing, as for functions that are being
 * reset or that were removed; or they answer again.
 */
void inject_absent(struct inject *inject, bool absent);

/** Calls a function after the next read of a register of BAR 0, once, in the thread that reads. */
void inject_after_read(
	struct inject *inject, uint32_t reg, void (*then)(void *context), void *context);

/** Asks for a function back, as the kernel does: the one whose request eventfd was set last. */
void inject_request(struct inject *inject);

/** Lets every call through from now on; keeps what failed. */
void inject_stop(struct inject *inject);

/** Calls failed since inject_fail(). */
uint64_t inject_failures(struct inject *inject);

/**
 * The first call failed since inject_fail(): "open", "map", "read", "write", or for an ioctl the
 * request's name, "ioctl 0x1234" if it has none here.
 *
 * @return "" if none failed; valid until inject_fail() or inject_destroy()
 */
const char *inject_failed_call(struct inject *inject);

/** Calls of an operation since inject_create(), failed ones included. */
uint64_t inject_calls(struct inject *inject, enum inject_op op);

/** Fallible calls since inject_create(), failed ones included. */
uint64_t inject_fallible_calls(struct inject *inject);

/** Name of an iommufd or VFIO device request; NULL if it is not known here. */
const char *inject_request_name(unsigned long request);

#endif
