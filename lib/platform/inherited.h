/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INHERITED_H
#define INHERITED_H

#include <limits.h>
#include <pthread.h>

/*
 * Descriptors that came with the process: whoever started it opened the devices and this user need
 * not be able to. Each is given out once, in place of an open of its path.
 */

struct inherited {
	struct inherited *next;
	int fd; /* -1: given out */
	char path[PATH_MAX];
};

/** Adds one. @return 0, -EBADF, -EEXIST, -ENAMETOOLONG, -ENOMEM */
int inherited_add(struct inherited **list, const char *path, int fd);

/**
 * Takes the descriptor of a path.
 *
 * @return it; -ENOENT there is none for this path; -EBUSY it was given out before
 */
int inherited_take(struct inherited *list, const char *path);

/** Closes those that nobody took. */
void inherited_free(struct inherited *list);

#endif
