/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PARSE_H
#define PARSE_H

#include <getopt.h>
#include <stdint.h>

/* Values on the command line. Each returns 0, or -EINVAL with shunt_errmsg() naming the option. */

/** A number in [min, max], decimal or 0x hexadecimal. */
int parse_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value);

/** A time with its unit: 250us, 100ms, 0.5s, 2m, 1h. @param[out] ns nanoseconds */
int parse_time(const char *option, const char *text, uint64_t *ns);

/** A size in bytes: 4096, 4k, 2M, 1.5G. */
int parse_size(const char *option, const char *text, uint64_t *bytes);

/**
 * Explains a wrong option after getopt_long() returned ':' or '?'. Call it before the next one.
 *
 * @param known    the command's long options
 * @param command  "shunt forward"
 * @return -EINVAL with shunt_errmsg()
 */
int parse_option_error(int code, char **argv, const struct option *known, const char *command);

#endif
