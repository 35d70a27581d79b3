/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_ERROR_H
#define SHUNT_ERROR_H

/*
 * Errors: every function of libshunt that can fail returns 0 (or a count) or a negative errno, and
 * leaves in this thread the sentence that explains it: what was tried, on which device, hwpt and
 * group, what the kernel said, and what to do. Outer layers put their own part in front:
 *
 *   shunt_fail()        "IOMMU_IOAS_MAP iova 0x1000 length 0x1000 in IOAS 3: File exists"
 *   shunt_fail_while()  "space 'b': mirroring arena 'rings': IOMMU_IOAS_MAP iova ..."
 */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Explanation of the last error in the calling thread.
 *
 * @return  A sentence without newline, valid until the thread's next failing call; "" if none.
 */
const char *shunt_errmsg(void);

/**
 * Records an error of the calling thread, replacing the last one.
 *
 * @param err  negative errno
 * @param fmt  what was tried and what to do; strerror is not added
 * @return     err, so that callers can `return shunt_fail(-EINVAL, ...)`
 */
int shunt_fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Like shunt_fail(), with ": " and the text of errno -err added. */
int shunt_fail_errno(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Puts "fmt: " in front of the thread's last error; returns err. */
int shunt_fail_while(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* clang's analyzer cannot see that they return err, and would follow an error as a success. */
#ifdef __clang_analyzer__
#define shunt_fail(err, ...)       (shunt_fail(err, __VA_ARGS__), (err))
#define shunt_fail_errno(err, ...) (shunt_fail_errno(err, __VA_ARGS__), (err))
#define shunt_fail_while(err, ...) (shunt_fail_while(err, __VA_ARGS__), (err))
#endif

#ifdef __cplusplus
}
#endif

#endif
