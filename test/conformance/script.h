/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Scripts: text, one operation a line, each with the answer that was measured on the kernel.
 *
 *   # comment
 *   ioas A            -> 0 id=1
 *   destroy #9        -> ENOENT
 *   bitmap H 0 0 1p   -> EOVERFLOW; 7: EINVAL
 *                        |          `- what Linux 7 and later answer, where they differ
 *                        `- what Linux 6.12 answers, and lib/sim
 *
 * README.md has the operations.
 */

/** A script. */
struct script {
	char **lines; /**< without newlines; comments and empty lines too */
	size_t count;
};

/** Reads a file. @return 0, -errno, -ENOMEM; `script` is to be freed in either case */
int script_load(const char *path, struct script *script);

/** Adds a line at the end. @return 0, -ENOMEM */
int script_add(struct script *script, const char *line);

/** Copies lines [0, count) but those of [from, to). @return 0, -ENOMEM */
int script_copy(
	const struct script *script, size_t count, size_t from, size_t to, struct script *copy);

/** Frees the lines; the script is empty then. */
void script_free(struct script *script);

/** Whether a line holds an operation. */
bool script_is_operation(const char *line);

/**
 * The answer that a line says is right.
 *
 * @param release  version of the kernel, "6.12.95"; NULL for lib/sim, which follows 6.12
 * @return false: the line says none
 */
bool script_expected(const char *line, const char *release, char *answer, size_t size);

/** Prints a line with an answer; alternatives of later kernels are kept when asked. */
void script_print(FILE *to, const char *line, const char *answer, bool keep_alternative);

#endif
