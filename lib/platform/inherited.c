/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <shunt/error.h>

#include "inherited.h"

static struct inherited *find(struct inherited *list, const char *path)
{
	while (list && strcmp(list->path, path) != 0)
		list = list->next;
	return list;
}

int inherited_add(struct inherited **list, const char *path, int fd)
{
	struct inherited *entry;

	if (find(*list, path))
		return shunt_fail(-EEXIST, "%s: a descriptor is given already", path);
	if (strlen(path) >= sizeof(entry->path))
		return shunt_fail(-ENAMETOOLONG, "the path of descriptor %d is too long", fd);
	/* Ours from now on: it shall not go on to the programs that this one starts. */
	if (fcntl(fd, F_SETFD, FD_CLOEXEC))
		return shunt_fail(-EBADF,
			"%s: descriptor %d is not open: open it in the process that starts this "
			"one",
			path, fd);
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return shunt_fail(-ENOMEM, "%s: out of memory", path);
	entry->fd = fd;
	memcpy(entry->path, path, strlen(path) + 1);
	entry->next = *list;
	*list = entry;
	return 0;
}

int inherited_take(struct inherited *list, const char *path)
{
	struct inherited *entry = find(list, path);
	int fd;

	if (!entry)
		return -ENOENT;
	fd = entry->fd;
	entry->fd = -1;
	return fd < 0 ? -EBUSY : fd;
}

void inherited_free(struct inherited *list)
{
	while (list) {
		struct inherited *next = list->next;

		if (list->fd >= 0)
			close(list->fd);
		free(list);
		list = next;
	}
}
