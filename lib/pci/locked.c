/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bind.h"

/* A file, and what to write to it; NULL: it is read. */
struct locked_access {
	const char *path;
	const char *text;
	int patience_ms;
};

/* In the process that may hang: nothing but system calls, and none of the parent's descriptors. */
static void __attribute__((noreturn)) do_access(int out, const struct locked_access *access)
{
	char answer[sizeof(int) + 256];
	int result = 0, fd;
	ssize_t length;

	if (out != STDIN_FILENO && dup2(out, STDIN_FILENO) < 0)
		_exit(1);
	close_range(STDOUT_FILENO, ~0u, 0);
	/* One that can be ended does not stay for ever. */
	alarm((unsigned int)(2 * access->patience_ms / 1000 + 1));
	fd = open(access->path, (access->text ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		length = -1;
	else if (access->text)
		length = write(fd, access->text, strlen(access->text));
	else
		length = read(fd, answer + sizeof(int), sizeof(answer) - sizeof(int));
	if (length < 0)
		result = -errno;
	memcpy(answer, &result, sizeof(result));
	if (access->text || length < 0)
		length = 0;
	length = write(STDIN_FILENO, answer, sizeof(int) + (size_t)length);
	_exit(length < 0);
}

/* Not our child: one that hangs would be ours to wait for. */
static int start(int out, const struct locked_access *access)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		pid = fork();
		if (!pid)
			do_access(out, access);
		_exit(pid < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EAGAIN : 0;
}

static int receive(int in, int patience_ms, char *text, size_t size)
{
	struct pollfd ready = { .fd = in, .events = POLLIN };
	char answer[sizeof(int) + 256];
	int result, ret;
	ssize_t length;
	size_t got;

	do
		ret = poll(&ready, 1, patience_ms);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	if (!ret)
		return -ETIMEDOUT;
	length = read(in, answer, sizeof(answer));
	if (length < (ssize_t)sizeof(int))
		return -EIO;
	memcpy(&result, answer, sizeof(result));
	got = (size_t)length - sizeof(int);
	got = got < size ? got : size - 1;
	memcpy(text, answer + sizeof(int), got);
	text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return result;
}

static int access_locked(const struct locked_access *access, char *text, size_t size)
{
	int ends[2], ret;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	ret = start(ends[1], access);
	close(ends[1]);
	if (!ret)
		ret = receive(ends[0], access->patience_ms, text, size);
	close(ends[0]);
	return ret;
}

int pci_read_locked(const char *path, char *text, size_t size)
{
	const struct locked_access access = { .path = path, .patience_ms = PCI_LOCK_PATIENCE_MS };

	text[0] = '\0';
	return access_locked(&access, text, size);
}

int pci_write_locked(const char *path, const char *text, int patience_ms)
{
	const struct locked_access access = {
		.path = path, .text = text, .patience_ms = patience_ms
	};
	char none[1];

	return access_locked(&access, none, sizeof(none));
}
