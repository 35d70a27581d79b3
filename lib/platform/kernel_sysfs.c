/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel_sysfs.h"

#define PATH_LENGTH 512

bool text_skip(const char **text, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(*text, prefix, length) != 0)
		return false;
	*text += length;
	return true;
}

bool text_number(const char **text, int base, uint64_t *value)
{
	char *end;

	if (!isxdigit((unsigned char)**text))
		return false;
	errno = 0;
	*value = strtoull(*text, &end, base);
	if (end == *text || errno)
		return false;
	*text = end;
	return true;
}

bool text_number_after(const char *text, const char *key, int base, uint64_t *value)
{
	text = strstr(text, key);
	if (!text)
		return false;
	text += strlen(key);
	return text_number(&text, base, value);
}

bool file_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	if (!file || !fgets(line, (int)size, file))
		line[0] = '\0';
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return line[0];
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int ret = 0;

	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	if (written < 0)
		ret = -errno;
	else if ((size_t)written != strlen(text))
		ret = -EIO;
	close(fd);
	return ret;
}

bool link_target(const char *path, char target[static PATH_MAX])
{
	ssize_t length = readlink(path, target, PATH_MAX - 1);

	target[length < 0 ? 0 : length] = '\0';
	return length >= 0;
}

bool iommu_has_functions(const char *sys, const char *name)
{
	char path[PATH_LENGTH];
	const struct dirent *entry;
	uint32_t source;
	bool found = false;
	int domain;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/iommu/%s/devices", sys, name);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir)) != NULL)
		found = pci_source_parse(entry->d_name, &domain, &source);
	if (dir)
		closedir(dir);
	return found;
}

bool iommu_of_function(const char *sys, const char *function, char *name, size_t size)
{
	char path[PATH_LENGTH], target[PATH_MAX];
	const char *slash;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/iommu", sys, function);
	if (!link_target(path, target))
		return false;
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : target);
	return true;
}

/* Numbers are 8 bits wide at most but for the domain. */
bool pci_source_parse(const char *text, int *domain, uint32_t *source)
{
	uint64_t part[4]; /* domain, bus, device, function */
	unsigned int first = 1;

	if (!text_number(&text, 16, &part[1]) || !text_skip(&text, ":") ||
		!text_number(&text, 16, &part[2]))
		return false;
	if (text_skip(&text, ":")) {
		part[0] = part[1];
		part[1] = part[2];
		first = 0;
		if (!text_number(&text, 16, &part[2]))
			return false;
	}
	if (!text_skip(&text, ".") || !text_number(&text, 16, &part[3]))
		return false;
	if (part[1] > 255 || part[2] > 31 || part[3] > 7 || (!first && part[0] > 0xffffff))
		return false;
	*domain = first ? -1 : (int)part[0];
	*source = (uint32_t)(part[1] << 8 | part[2] << 3 | part[3]);
	return true;
}
