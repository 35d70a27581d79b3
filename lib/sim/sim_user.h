/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_USER_H
#define SIM_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The caller's memory, as the kernel sees it from outside: an address that is not mapped in the
 * process is an error, not a crash. Permissions are not looked at.
 */

/** Whether all of a range is mapped in this process. */
bool sim_user_mapped(uint64_t address, uint64_t length);

/** Copies to or from the caller's memory. @return 0, -EFAULT not mapped */
int sim_user_read(void *to, uint64_t from, uint64_t length);
int sim_user_write(uint64_t to, const void *from, uint64_t length);
int sim_user_zero(uint64_t to, uint64_t length);

#endif
