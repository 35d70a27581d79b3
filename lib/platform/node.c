/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <shunt/error.h>

#include "kernel_sysfs.h"
#include "shunt_node.h"

/* Folders of /dev, and where sysfs has the numbers of what is in them; longer ones first. */
static const struct place {
	const char *nodes;
	const char *class;
} places[] = {
	{ "/dev/vfio/devices/", "vfio-dev" },
	{ "/dev/vfio/", "vfio" },
	{ "/dev/", "misc" },
};

int shunt_node_read(const char *path, dev_t *number)
{
	uint64_t major, minor;
	char line[32];
	const char *text = line;

	if (!file_line(path, line, sizeof(line)) || !text_number(&text, 10, &major) ||
		!text_skip(&text, ":") || !text_number(&text, 10, &minor) || *text)
		return -ENOENT;
	*number = makedev((unsigned int)major, (unsigned int)minor);
	return 0;
}

int shunt_node_number(const char *sysfs, const char *node, dev_t *number)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *name = node + strlen(places[i].nodes);

		if (strncmp(node, places[i].nodes, strlen(places[i].nodes)) != 0)
			continue;
		if (strchr(name, '/') || snprintf(path, sizeof(path), "%s/class/%s/%s/dev", sysfs,
						 places[i].class, name) >= (int)sizeof(path))
			return -ENOENT;
		return shunt_node_read(path, number);
	}
	return -ENOENT;
}

int shunt_node_check(
	const char *sysfs, const char *node, const struct stat *status, const char *whose)
{
	bool vfio = strncmp(node, places[0].nodes, strlen(places[0].nodes)) == 0;
	char is[64] = "no device";
	dev_t number;

	if (shunt_node_number(sysfs, node, &number))
		return vfio ? shunt_fail(-ESTALE,
				      "%s: sysfs has no such device: the kernel has taken it back, "
				      "'shunt list' shows what there is",
				      node)
			    : 0;
	if (S_ISCHR(status->st_mode) && status->st_rdev == number)
		return 0;
	if (S_ISCHR(status->st_mode))
		snprintf(is, sizeof(is), "device %u:%u", major(status->st_rdev),
			minor(status->st_rdev));
	return shunt_fail(-ESTALE,
		"%s: %s is %s, but sysfs has %u:%u for this name, so it is not what is meant; as "
		"root: rm -f %s; mknod -m 600 %s c %u %u",
		node, whose, is, major(number), minor(number), node, node, major(number),
		minor(number));
}
