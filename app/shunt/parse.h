/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PARSE_H
#define PARSE_H

#include <stdint.h>

/* Values on the command line. Each returns 0, or -EINVAL with shunt_errmsg() naming the option. */

/** A number in [min, max], decimal or 0x hexadecimal. */
int parse_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value);

/** A time with its unit: 250us, 100ms, 10s, 2m. @param[out] ns nanoseconds */
int parse_time(const char *option, const char *text, uint64_t *ns);

/** A size in bytes: 4096, 4K, 2M, 1G. */
int parse_size(const char *option, const char *text, uint64_t *bytes);

#endif
