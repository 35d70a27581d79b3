/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_OUTPUT_H
#define SHUNT_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * A file that a user has named for a result. It is opened before the work, so that a name that
 * cannot be written is found before it, and written in one piece after it:
 *
 *   open --> FILE in memory --> close --> a regular file, or a free name: by rename, so that it
 *                                     |   appears whole or not at all; links are followed, mode
 *                                     |   and owner stay
 *                                     `-> anything else (a device, a FIFO, a descriptor by
 *                                         /dev/fd): in place
 *
 * An output belongs to one thread at a time.
 */

#ifdef __cplusplus
extern "C" {
#endif

/** A file being written. */
struct shunt_output {
	FILE *file;    /**< to be written to */
	bool standard; /**< it is this process's standard output */
	char *path;    /**< as the user has named it */
	char *name;    /**< in folder, to be renamed to; NULL: written in place */
	int folder;    /**< -1: written in place */
	int place;     /**< what is written in place; of a rename: the file that is there, or -1 */
};

/**
 * Opens an output. A FIFO without a reader is waited for, ten seconds at most.
 *
 * @param path  "-" is standard output
 * @return 0; -errno with the path in shunt_errmsg()
 */
int shunt_output_open(struct shunt_output *output, const char *path);

/**
 * Writes what was put into it, if all went well, and ends it.
 *
 * @param ret  0: write it; else what is there stays as it is, and this is returned
 * @return 0; -errno with the path in shunt_errmsg()
 */
int shunt_output_close(struct shunt_output *output, int ret);

/**
 * Opens a file to append to, at once and not by rename. A FIFO is waited for as above.
 *
 * @return descriptor; -errno with the path in shunt_errmsg()
 */
int shunt_output_append(const char *path);

/** Writes all of some bytes, however often a signal interrupts it. @return 0, -errno */
int shunt_output_write(int fd, const char *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
