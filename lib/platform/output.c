/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <shunt/error.h>

#include "kernel_sysfs.h"
#include "shunt_output.h"

#define LINKS       40 /* as the kernel */
#define FIFO_TRIES  1000
#define FIFO_NAP_NS 10000000
#define TEMPORARIES 100 /* names that are tried */
#define NAME        64

/* Folder and last part of a path, which is taken apart. */
static const char *split(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	snprintf(folder, PATH_MAX, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
	return slash ? slash + 1 : path;
}

/*
 * A descriptor of this process by its name (/dev/stdout, /dev/fd/3, /proc/self/fd/3): opened again
 * it would be written from its beginning, or not at all. @return it, -1
 */
static int own_descriptor(const char *path)
{
	char folder[PATH_MAX], there[PATH_MAX], own[PATH_MAX], *end;
	const char *name = split(path, folder);
	long fd = strtol(name, &end, 10);

	if (end == name || *end || fd < 0 || fd > INT_MAX)
		return -1;
	if (!realpath(folder, there) || !realpath("/proc/self/fd", own))
		return -1;
	return strcmp(there, own) == 0 ? (int)fd : -1;
}

/* Links of procfs lead where their text does not say. */
static bool on_procfs(const char *path)
{
	char folder[PATH_MAX];
	struct statfs info;

	split(path, folder);
	return statfs(folder, &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

/* Follows the links at the end of a path, as far as they have a text. @return 0, -errno */
static int follow(char path[PATH_MAX])
{
	char text[PATH_MAX], folder[PATH_MAX], next[PATH_MAX];
	struct stat there;

	for (int i = 0; i < LINKS; i++) {
		if (lstat(path, &there) || !S_ISLNK(there.st_mode) || on_procfs(path))
			return 0;
		if (!link_target(path, text))
			return -errno;
		split(path, folder);
		if (snprintf(next, sizeof(next), "%s%s%s", text[0] == '/' ? "" : folder,
			    text[0] == '/' ? "" : "/", text) >= (int)sizeof(next))
			return -ENAMETOOLONG;
		memcpy(path, next, sizeof(next));
	}
	return -ELOOP;
}

static bool is_fifo(const char *path)
{
	struct stat there;

	return stat(path, &there) == 0 && S_ISFIFO(there.st_mode);
}

/* A FIFO has to have a reader, and the shell may still be starting it. @return descriptor, -errno
 */
static int open_in_place(const char *path, int flags)
{
	const struct timespec nap = { .tv_nsec = FIFO_NAP_NS };
	int fd;

	flags |= O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	fd = open(path, flags, 0666);
	for (int i = 0; fd < 0 && errno == ENXIO && is_fifo(path) && i < FIFO_TRIES; i++) {
		nanosleep(&nap, NULL);
		fd = open(path, flags, 0666);
	}
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK)) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

static int say_why(int ret, const char *path)
{
	if (ret == -ENXIO)
		return shunt_fail(ret, "%s: no process reads from it", path);
	return shunt_fail_errno(ret, "%s", strcmp(path, "-") ? path : "standard output");
}

int shunt_output_append(const char *path)
{
	int fd = open_in_place(path, O_CREAT | O_APPEND);

	return fd < 0 ? say_why(fd, path) : fd;
}

static int take_descriptor(struct shunt_output *output, int fd)
{
	output->standard = fd == STDOUT_FILENO;
	if (fcntl(fd, F_GETFL) >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	output->place = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return output->place < 0 ? -errno : 0;
}

/* A regular file, or a free name; the folder is where the new file is made first. */
static int take_name(struct shunt_output *output, const char *path, bool there)
{
	char folder[PATH_MAX];
	const char *name = split(path, folder);

	if (!*name)
		return -EISDIR;
	if (there) {
		output->place = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
		if (output->place < 0)
			return -errno;
	}
	output->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (output->folder < 0)
		return -errno;
	if (!there && faccessat(output->folder, ".", W_OK | X_OK, AT_EACCESS))
		return -errno;
	output->name = strdup(name);
	return output->name ? 0 : -ENOMEM;
}

static int take(struct shunt_output *output)
{
	char path[PATH_MAX];
	struct stat there;
	bool present;
	int ret;

	if (strcmp(output->path, "-") == 0)
		return take_descriptor(output, STDOUT_FILENO);
	if (snprintf(path, sizeof(path), "%s", output->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	ret = follow(path);
	if (ret)
		return ret;
	ret = own_descriptor(path);
	if (ret >= 0)
		return take_descriptor(output, ret);
	present = stat(path, &there) == 0;
	if (!present && errno != ENOENT)
		return -errno;
	if (present && (!S_ISREG(there.st_mode) || on_procfs(path))) {
		output->place = open_in_place(path, 0);
		return output->place < 0 ? output->place : 0;
	}
	return take_name(output, path, present);
}

static void release(struct shunt_output *output)
{
	if (output->file)
		fclose(output->file);
	if (output->folder >= 0)
		close(output->folder);
	if (output->place >= 0)
		close(output->place);
	free(output->name);
	free(output->path);
	*output = (struct shunt_output){ .folder = -1, .place = -1 };
}

int shunt_output_open(struct shunt_output *output, const char *path)
{
	int memory, ret;

	*output = (struct shunt_output){ .folder = -1, .place = -1 };
	if (!path[0])
		return shunt_fail(-EINVAL, "'': the name of a file is wanted");
	output->path = strdup(path);
	if (!output->path)
		return shunt_fail(-ENOMEM, "%s: out of memory", path);
	ret = take(output);
	if (!ret) {
		memory = memfd_create("output", MFD_CLOEXEC);
		output->file = memory < 0 ? NULL : fdopen(memory, "w+");
		ret = output->file ? 0 : -errno;
		if (ret && memory >= 0)
			close(memory);
	}
	if (!ret)
		return 0;
	release(output);
	return say_why(ret, path);
}

int shunt_output_write(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t done = write(fd, bytes, length);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			bytes += done;
			length -= (size_t)done;
		}
	}
	return 0;
}

/* All that is in the memory, from its beginning. */
static int copy(const struct shunt_output *output, int to)
{
	char bytes[65536];
	off_t at = 0;
	ssize_t length;
	int ret = 0;

	while (!ret && (length = pread(fileno(output->file), bytes, sizeof(bytes), at)) != 0) {
		if (length < 0)
			return -errno;
		ret = shunt_output_write(to, bytes, (size_t)length);
		at += length;
	}
	return ret;
}

/* @param[out] name  of the new file */
static int make_temporary(const struct shunt_output *output, char name[NAME])
{
	static atomic_uint number;
	int fd = -1;

	for (int i = 0; i < TEMPORARIES && fd < 0; i++) {
		snprintf(name, NAME, ".shunt-%d-%u", getpid(), atomic_fetch_add(&number, 1));
		fd = openat(output->folder, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd < 0 ? -errno : fd;
}

/* Mode and owner of the file that is there; a new one has what the process gives. */
static int keep_mode(const struct shunt_output *output, int fd)
{
	struct stat before, now;

	if (output->place < 0)
		return 0;
	if (fstat(output->place, &before) || fstat(fd, &now))
		return -errno;
	if ((before.st_uid != now.st_uid || before.st_gid != now.st_gid) &&
		fchown(fd, before.st_uid, before.st_gid))
		return -errno;
	return fchmod(fd, before.st_mode & 07777) ? -errno : 0;
}

/* @param[out] unable  the file system or its rights allow no rename; nothing has changed */
static int by_rename(const struct shunt_output *output, bool *unable)
{
	char name[NAME];
	int fd = make_temporary(output, name), ret;

	*unable = fd < 0;
	if (fd < 0)
		return fd;
	ret = keep_mode(output, fd);
	*unable = ret != 0;
	if (!ret)
		ret = copy(output, fd);
	if (!ret && fsync(fd))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && renameat(output->folder, name, output->folder, output->name)) {
		ret = -errno;
		*unable = true;
	}
	if (ret)
		unlinkat(output->folder, name, 0);
	return ret;
}

static int finish(const struct shunt_output *output)
{
	bool unable;
	int ret;

	if (fflush(output->file) || ferror(output->file))
		return errno ? -errno : -EIO;
	if (!output->name)
		return copy(output, output->place);
	ret = by_rename(output, &unable);
	if (!ret || !unable || output->place < 0)
		return ret;
	return ftruncate(output->place, 0) ? -errno : copy(output, output->place);
}

int shunt_output_close(struct shunt_output *output, int ret)
{
	int err = ret ? 0 : finish(output);

	if (err)
		say_why(err, output->path);
	release(output);
	return ret ? ret : err;
}
