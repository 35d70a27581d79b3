/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Values on the command line. Each returns 0, or -EINVAL with shunt_errmsg() naming the option. */

/** A number in [min, max], decimal or 0x hexadecimal. */
int parse_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value);

/** A time with its unit: 250us, 100ms, 0.5s, 2m, 1h. @param[out] ns nanoseconds */
int parse_time(const char *option, const char *text, uint64_t *ns);

/** A size in bytes: 4096, 4k, 2M, 1.5G. */
int parse_size(const char *option, const char *text, uint64_t *bytes);

/** kernel or sim. @param kernel  bool * */
int parse_platform(const char *text, void *kernel);

/** An option of a command. One pointer says what it sets. */
struct parse_option {
	const char *name;    /**< without "--" */
	const char *applies; /**< what it is limited to, for the command; NULL: no limit */
	bool *flag;          /**< it takes no value */
	const char **text;
	uint64_t *time;   /**< nanoseconds */
	uint64_t *number; /**< in [min, max] */
	unsigned int *count;
	uint64_t min, max;
	int (*take)(const char *text, void *context); /**< @return 0, -EINVAL */
	void *context;
	bool given;
};

/**
 * Reads a command line. A flag `verbose` is also -v. For --help and -h, prints the usage.
 *
 * @param options  the last one has no name
 * @param command  "shunt forward"
 * @return index of the first argument; 0: the usage was printed; -EINVAL with shunt_errmsg()
 */
int parse_options(int argc, char **argv, struct parse_option *options, const char *command,
	const char *usage);

/** Flushes standard output and prints a negative result's error. @return exit status */
int parse_exit(const char *command, int ret);

#endif
