/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bind.h"

/* In the process that may hang: nothing but system calls, and none of the parent's descriptors. */
static void __attribute__((noreturn)) read_for(int out, const char *path)
{
	char answer[sizeof(int) + 256];
	int result = 0, fd;
	ssize_t length;

	if (out != STDIN_FILENO && dup2(out, STDIN_FILENO) < 0)
		_exit(1);
	close_range(STDOUT_FILENO, ~0u, 0);
	alarm(2 * PCI_LOCK_PATIENCE_MS / 1000); /* one that can be ended does not stay for ever */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, answer + sizeof(int), sizeof(answer) - sizeof(int));
	if (length < 0)
		result = -errno;
	memcpy(answer, &result, sizeof(result));
	length = write(STDIN_FILENO, answer, sizeof(int) + (size_t)(length < 0 ? 0 : length));
	_exit(length < 0);
}

/* Not our child: one that hangs would be ours to wait for. */
static int start(int out, const char *path)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		pid = fork();
		if (!pid)
			read_for(out, path);
		_exit(pid < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EAGAIN : 0;
}

static int receive(int in, char *text, size_t size)
{
	struct pollfd ready = { .fd = in, .events = POLLIN };
	char answer[sizeof(int) + 256];
	int result, ret;
	ssize_t length;
	size_t got;

	do
		ret = poll(&ready, 1, PCI_LOCK_PATIENCE_MS);
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

int pci_read_locked(const char *path, char *text, size_t size)
{
	int ends[2], ret;

	text[0] = '\0';
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	ret = start(ends[1], path);
	close(ends[1]);
	if (!ret)
		ret = receive(ends[0], text, size);
	close(ends[0]);
	return ret;
}
