/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"
#include "shunt_error.h"

#define SOCKET "dpdk_telemetry.v2"
#define GREETING                                                                        \
	1024 /* bytes of the first message, before the process says how long others are \
	      */
#define MAX_ROOM (1 << 20)
#define ANSWER_S 60 /* a switch that has to mend ports may take seconds */
#define ERROR    "error: "

/* Where EAL puts its files (dpdk-telemetry.py looks there too). */
static void runtime_folder(char *path, size_t size)
{
	const char *folder = getenv("RUNTIME_DIRECTORY"), *xdg = getenv("XDG_RUNTIME_DIR");

	if (!folder)
		folder = getuid() == 0 ? "/var/run" : xdg ? xdg : "/tmp";
	snprintf(path, size, "%s/dpdk", folder);
}

/* The prefixes of processes that have a socket, for a message. */
static void name_others(const char *folder, char *text, size_t size)
{
	char pattern[PATH_MAX];
	size_t used = 0;
	glob_t found;

	snprintf(text, size, "none has a socket there");
	snprintf(pattern, sizeof(pattern), "%s/*/" SOCKET, folder);
	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc && used < size; i++) {
		const char *name = found.gl_pathv[i] + strlen(folder) + 1;

		used += (size_t)snprintf(text + used, size - used, "%s%.*s",
			i ? ", " : "there are ", (int)strcspn(name, "/"), name);
	}
	globfree(&found);
}

static int find_socket(const struct ctl_options *options, char *path, size_t size)
{
	char folder[PATH_MAX / 2], others[512], instance[16] = "";

	if (options->socket) {
		snprintf(path, size, "%s", options->socket);
		return 0;
	}
	runtime_folder(folder, sizeof(folder));
	if (options->instance)
		snprintf(instance, sizeof(instance), ":%u", options->instance);
	if (snprintf(path, size, "%s/%s/" SOCKET "%s", folder, options->prefix, instance) >=
		(int)size)
		return shunt_fail_errno(-ENAMETOOLONG, "--file-prefix");
	if (access(path, F_OK) == 0 || errno == EACCES)
		return 0;
	name_others(folder, others, sizeof(others));
	return shunt_fail(-ENOENT,
		"no DPDK process of this user has --file-prefix %s (its socket would be %s); %s",
		options->prefix, path, others);
}

static int connect_to(const char *path, int *result)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = ANSWER_S };
	int fd, ret;

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
		(int)sizeof(address.sun_path))
		return shunt_fail_errno(-ENAMETOOLONG, "%s", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return shunt_fail_errno(-errno, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
		connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		*result = fd;
		return 0;
	}
	ret = -errno;
	close(fd);
	switch (ret) {
	case -ECONNREFUSED:
		return shunt_fail(ret, "%s: the process that made it is gone", path);
	case -EACCES:
	case -EPERM:
		return shunt_fail(ret,
			"%s: this user may not: be the user that runs the application, or root",
			path);
	case -EPROTOTYPE:
	case -ENOTSOCK:
		return shunt_fail(ret, "%s: that is no telemetry socket", path);
	default:
		return shunt_fail_errno(ret, "%s", path);
	}
}

/* One message. @return its length, -errno */
static ssize_t receive(const struct ctl_process *process, char *buffer, size_t size)
{
	ssize_t length = recv(process->fd, buffer, size - 1, 0);

	if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return shunt_fail(-ETIMEDOUT, "%s: no answer in %d s", process->path, ANSWER_S);
	if (length < 0)
		return shunt_fail_errno(-errno, "%s", process->path);
	if (length == 0)
		return shunt_fail(-EPIPE, "%s: the process hung up, or ended", process->path);
	buffer[length] = '\0';
	return length;
}

static void find_name(struct ctl_process *process)
{
	char path[64], line[64];
	FILE *file;

	snprintf(process->name, sizeof(process->name), "process %d", process->pid);
	snprintf(path, sizeof(path), "/proc/%d/comm", process->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(line, sizeof(line) / 2, file))
		snprintf(process->name, sizeof(process->name), "%.*s (process %d)",
			(int)strcspn(line, "\n"), line, process->pid);
	fclose(file);
}

static int greet(struct ctl_process *process)
{
	char greeting[GREETING];
	json_int_t room;
	json_t *json;
	ssize_t length;

	length = receive(process, greeting, sizeof(greeting));
	if (length < 0)
		return (int)length;
	json = json_loadb(greeting, (size_t)length, 0, NULL);
	process->pid = (int)json_integer_value(json_object_get(json, "pid"));
	room = json_integer_value(json_object_get(json, "max_output_len"));
	json_decref(json);
	if (room < 1 || room > MAX_ROOM)
		return shunt_fail(-EPROTO, "%s: that is no DPDK process", process->path);
	process->room = (size_t)room + 1;
	process->buffer = malloc(process->room);
	if (!process->buffer)
		return shunt_fail(-ENOMEM, "out of memory");
	find_name(process);
	return 0;
}

int ctl_connect(const struct ctl_options *options, struct ctl_process *process)
{
	int ret;

	*process = (struct ctl_process){ .fd = -1 };
	ret = find_socket(options, process->path, sizeof(process->path));
	if (!ret)
		ret = connect_to(process->path, &process->fd);
	if (ret)
		return ret;
	ret = greet(process);
	if (ret)
		ctl_disconnect(process);
	return ret;
}

void ctl_disconnect(struct ctl_process *process)
{
	close(process->fd);
	free(process->buffer);
	process->fd = -1;
	process->buffer = NULL;
}

static int judge(const struct ctl_process *process, const char *command, json_t *value)
{
	const char *text = json_string_value(value);

	if (json_is_object(value))
		return 0;
	if (text && strncmp(text, ERROR, strlen(ERROR)) == 0)
		return shunt_fail(-EPROTO, "%s: %s", process->name, text + strlen(ERROR));
	if (strncmp(command, "/shunt/", strlen("/shunt/")) == 0)
		return shunt_fail(-EPROTO,
			"%s knows no command %.*s: it has not loaded the plugin, or an older one: "
			"start it with  -d librte_net_shunt.so",
			process->name, (int)strcspn(command, ","), command);
	return shunt_fail(-EPROTO, "%s answers nothing to %s", process->name, command);
}

static int exchange(struct ctl_process *process, const char *command, json_t **answer)
{
	json_error_t error;
	ssize_t length;
	json_t *json;

	if (send(process->fd, command, strlen(command), MSG_NOSIGNAL) < 0)
		return shunt_fail_errno(-errno, "%s", process->path);
	length = receive(process, process->buffer, process->room);
	if (length < 0)
		return (int)length;
	json = json_loadb(process->buffer, (size_t)length, JSON_ALLOW_NUL, &error);
	if (!json)
		return shunt_fail(-EPROTO, "%s: its answer to %s is no JSON: %s", process->name,
			command, error.text);
	*answer = json_incref(json_object_iter_value(json_object_iter(json)));
	json_decref(json);
	return 0;
}

int ctl_ask(struct ctl_process *process, json_t **answer, const char *format, ...)
{
	char command[1024];
	va_list args;
	int ret, length;

	va_start(args, format);
	length = vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (length >= (int)sizeof(command))
		return shunt_fail(-E2BIG, "that is too long for telemetry");
	*answer = NULL;
	ret = exchange(process, command, answer);
	if (ret)
		return ret;
	ret = judge(process, command, *answer);
	if (ret)
		json_decref(*answer);
	return ret;
}

static int choose_group(const json_t *groups)
{
	char text[256] = "";
	const char *number;
	json_t *group;
	size_t used = 0;

	if (json_object_size(groups) == 1)
		return (int)strtol(
			json_object_iter_key(json_object_iter((json_t *)(uintptr_t)groups)), NULL,
			10);
	json_object_foreach ((json_t *)(uintptr_t)groups, number, group)
		if (used < sizeof(text))
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s%s", used ? ", " : "", number);
	if (!used)
		return shunt_fail(-ENOENT, "it has no group");
	return shunt_fail(-EINVAL, "it has ports of the groups %s: add --group", text);
}

int ctl_group(struct ctl_process *process, const struct ctl_options *options)
{
	json_t *list;
	int ret;

	if (options->group)
		return (int)strtol(options->group, NULL, 10);
	ret = ctl_ask(process, &list, "/shunt/list");
	if (ret)
		return ret;
	ret = choose_group(json_object_get(list, "groups"));
	json_decref(list);
	return ret < 0 ? shunt_fail_while(ret, "%s", process->name) : ret;
}

const char *ctl_text(const json_t *object, const char *name, char *text, size_t size)
{
	const json_t *value = json_object_get(object, name);
	size_t used = 0;

	snprintf(text, size, "%s", json_string_value(value) ? json_string_value(value) : "");
	for (size_t i = 0; i < json_array_size(value) && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s",
			json_string_value(json_array_get(value, i)));
	return text;
}

uint64_t ctl_count(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}
