/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WHOLE_FILE_H
#define WHOLE_FILE_H

#include <stdbool.h>
#include <stdio.h>

/*
 * A file that appears whole or not at all: written as PATH.new, then renamed.
 */

struct whole_file {
	FILE *file;
	const char *path;
	char *temporary;
};

/** Opens it. @param path stays the caller's. @return 0, -errno, -ENOMEM */
int whole_file_open(struct whole_file *file, const char *path);

/**
 * Ends it, whatever happened to it before.
 *
 * @param ret  0: keep it; else it is removed, and this is returned
 * @return 0, -errno with shunt_errmsg()
 */
int whole_file_close(struct whole_file *file, int ret);

#endif
