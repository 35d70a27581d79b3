/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shunt/error.h>

#include "kernel_sysfs.h"
#include "kernel_trace.h"

#define PATH_LENGTH 512
#define BUFFER_KB   "64" /* for each processor */
#define FAULT_WRITE 0x1  /* IOMMU_FAULT_WRITE, include/linux/iommu.h */

struct kernel_trace {
	char path[PATH_LENGTH];
	int pipe;
	char text[8192];
	size_t length;
	size_t taken;
};

static int write_file(const char *folder, const char *file, const char *value)
{
	char path[2 * PATH_LENGTH];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return file_write(path, value);
}

/* Instances of processes that are gone. One in use, in another PID namespace, refuses to go. */
static void remove_leftovers(const char *instances)
{
	char path[2 * PATH_LENGTH];
	const struct dirent *entry;
	DIR *dir = opendir(instances);
	uint64_t pid;

	while (dir && (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;

		if (!text_skip(&name, "shunt-") || !text_number(&name, 10, &pid) || pid == 0 ||
			pid > INT_MAX)
			continue;
		if (kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/%s", instances, entry->d_name);
		rmdir(path);
	}
	if (dir)
		closedir(dir);
}

static const char *find_tracefs(void)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[PATH_LENGTH];

	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/instances", places[i]);
		if (access(path, W_OK) == 0)
			return places[i];
	}
	return places[0];
}

/* Folder of the instance, which is not there yet. */
static int name_instance(const char *tracefs, char path[static PATH_LENGTH])
{
	static _Atomic unsigned int number;
	int length = snprintf(path, PATH_LENGTH, "%s/instances", tracefs);

	if (length >= PATH_LENGTH - 40)
		return shunt_fail(-ENAMETOOLONG, "tracefs at %s: path too long", tracefs);
	remove_leftovers(path);
	snprintf(path + length, PATH_LENGTH - (size_t)length, "/shunt-%d-%u", (int)getpid(),
		atomic_fetch_add(&number, 1));
	return 0;
}

int kernel_trace_create(const char *tracefs, struct kernel_trace **trace)
{
	struct kernel_trace *made = calloc(1, sizeof(*made));
	char pipe[PATH_LENGTH + 16];
	int ret;

	if (!made)
		return shunt_fail(-ENOMEM, "trace instance: out of memory");
	ret = name_instance(tracefs ? tracefs : find_tracefs(), made->path);
	if (ret)
		goto free;
	if (mkdir(made->path, 0700)) {
		ret = shunt_fail_errno(-errno, "trace instance %s", made->path);
		goto free;
	}
	write_file(made->path, "buffer_size_kb", BUFFER_KB);
	snprintf(pipe, sizeof(pipe), "%s/trace_pipe", made->path);
	made->pipe = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (made->pipe < 0) {
		ret = shunt_fail_errno(-errno, "trace instance: %s", pipe);
		goto remove;
	}
	ret = write_file(made->path, "events/iommu/io_page_fault/enable", "1");
	if (ret) {
		shunt_fail_errno(ret, "trace instance: event iommu:io_page_fault");
		goto close;
	}
	*trace = made;
	return 0;
close:
	close(made->pipe);
remove:
	rmdir(made->path);
free:
	free(made);
	return ret;
}

void kernel_trace_destroy(struct kernel_trace *trace)
{
	if (!trace)
		return;
	close(trace->pipe);
	rmdir(trace->path);
	free(trace);
}

/* "IOMMU:DRIVER FUNCTION iova=0x... flags=0x..." after the name of the event. */
static bool parse_fault(const char *text, struct trace_event *event)
{
	uint64_t flags;
	size_t length;

	text = strchr(text, ' ');
	if (!text)
		return false;
	length = strcspn(++text, " ");
	if (length == 0 || length >= sizeof(event->function) ||
		!text_number_after(text, " iova=", 16, &event->iova) ||
		!text_number_after(text, " flags=", 16, &flags))
		return false;
	memcpy(event->function, text, length);
	event->write = (flags & FAULT_WRITE) != 0;
	return true;
}

bool trace_event_parse(const char *line, struct trace_event *event)
{
	const char *text = strstr(line, "io_page_fault: IOMMU:");

	*event = (struct trace_event){ 0 };
	if (text) /* one that cannot be read is a fault of some function */
		event->lost = !parse_fault(strstr(text, "IOMMU:"), event);
	else
		event->lost = strstr(line, "[LOST ") && strstr(line, " EVENTS]");
	return text || event->lost;
}

/* Takes a whole line out of what was read. @return NULL if there is none */
static char *take_line(struct kernel_trace *trace)
{
	char *line = trace->text + trace->taken;
	char *end = memchr(line, '\n', trace->length - trace->taken);

	if (!end)
		return NULL;
	*end = '\0';
	trace->taken = (size_t)(end + 1 - trace->text);
	return line;
}

static int read_more(struct kernel_trace *trace)
{
	ssize_t length;

	trace->length -= trace->taken;
	memmove(trace->text, trace->text + trace->taken, trace->length);
	trace->taken = 0;
	if (trace->length == sizeof(trace->text)) /* no event is as long */
		trace->length = 0;
	length =
		read(trace->pipe, trace->text + trace->length, sizeof(trace->text) - trace->length);
	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	trace->length += (size_t)length;
	return length > 0;
}

int kernel_trace_next(struct kernel_trace *trace, struct trace_event *event)
{
	const char *line;
	int ret = 1;

	while (ret == 1) {
		while ((line = take_line(trace)) != NULL)
			if (trace_event_parse(line, event))
				return 1;
		ret = read_more(trace);
	}
	return ret;
}
