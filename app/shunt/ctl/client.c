/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <shunt/error.h>

#include "ctl.h"
#include "text.h"

#define SOCKET   "dpdk_telemetry.v2"
#define GREETING 1024 /* bytes of the first message, which has the length of others */
#define MAX_ROOM (1 << 20)
#define REPLY_S  60 /* a switch that recovers ports may take seconds */
#define REPORT_S 2  /* until a delay is reported */
#define ERROR    "error: "
#define TEXT     1536 /* of a reply */

/* Items in a reply (doc/control.md). */
#define LIST_PART   12
#define SPACES_PART 64

/* EAL's folder, found as dpdk-telemetry.py finds it. */
static const char *runtime_folder(void)
{
	const char *folder = getenv("RUNTIME_DIRECTORY"), *xdg = getenv("XDG_RUNTIME_DIR");

	if (!folder)
		folder = getuid() == 0 ? "/var/run" : xdg ? xdg : "/tmp";
	return text_of("%s/dpdk", folder);
}

/* The prefixes of other processes with a socket, for a message. */
static const char *others_in(const char *folder)
{
	const char *text = "no process has a socket there";
	const size_t skip = strlen(folder) + 1;
	glob_t found;

	if (glob(text_of("%s/*/" SOCKET, folder), 0, NULL, &found))
		return text;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = found.gl_pathv[i] + skip;

		text = text_of("%s%s%.*s", i ? text : "existing prefixes: ", i ? ", " : "",
			(int)strcspn(name, "/"), name);
	}
	globfree(&found);
	return text;
}

static int find_socket(const struct ctl_options *options, char *path, size_t size)
{
	const char *folder = runtime_folder();
	const char *instance = options->instance ? text_of(":%u", options->instance) : "";

	if (options->socket) {
		snprintf(path, size, "%s", options->socket);
		return 0;
	}
	if (snprintf(path, size, "%s/%s/" SOCKET "%s", folder, options->prefix, instance) >=
		(int)size)
		return shunt_fail_errno(-ENAMETOOLONG, "--file-prefix");
	if (access(path, F_OK) == 0 || errno == EACCES)
		return 0;
	return shunt_fail(-ENOENT,
		"no DPDK process of this user has --file-prefix %s (its socket would be %s); %s",
		options->prefix, path, others_in(folder));
}

/* ": process N is stopped..." if it is, otherwise "". */
static const char *stopped(const struct ctl_process *process)
{
	const char *line = text_line(text_of("/proc/%d/stat", process->pid));
	const char *state = strrchr(line, ')'); /* after the name, which may contain anything */

	if (!state || (strncmp(state, ") T", 3) != 0 && strncmp(state, ") t", 3) != 0))
		return "";
	return text_of(
		": process %d is stopped (kill -CONT %d resumes it)", process->pid, process->pid);
}

/* After a call failed, for want of a reply in REPORT_S or for good. @return 0: call again; -errno
 */
static int try_again(struct ctl_process *process, unsigned int *waited)
{
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return shunt_fail_errno(-errno, "%s", process->path);
	*waited += REPORT_S;
	if (*waited >= REPLY_S)
		return shunt_fail(-ETIMEDOUT, "%s: no reply in %d s%s", process->path, REPLY_S,
			stopped(process));
	if (!process->reported) {
		fprintf(stderr, "shunt ctl: %s: no reply yet%s; waiting up to %d s\n",
			process->path, stopped(process), REPLY_S);
		ctl_report_wanted(process);
	}
	process->reported = true;
	return 0;
}

static int cannot_connect(const char *path, int err)
{
	switch (err) {
	case -ECONNREFUSED:
		return shunt_fail(err, "%s: the process that created it is gone", path);
	case -EACCES:
	case -EPERM:
		return shunt_fail(
			err, "%s: no permission: run as the application's user, or as root", path);
	case -EPROTOTYPE:
	case -ENOTSOCK:
		return shunt_fail(err, "%s: not a telemetry socket", path);
	default:
		return shunt_fail_errno(err, "%s", path);
	}
}

/* connect() refuses other files like a socket whose process is gone. */
static int check_socket(const char *path)
{
	struct stat there;

	if (stat(path, &there) == 0 && !S_ISSOCK(there.st_mode))
		return cannot_connect(path, -ENOTSOCK);
	return 0;
}

/* The process id of the listener, known before its first message. */
static void find_peer(struct ctl_process *process)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(process->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
		process->pid = peer.pid;
}

static int connect_to(struct ctl_process *process)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = REPORT_S };
	unsigned int waited = 0;
	int ret = check_socket(process->path);

	if (ret)
		return ret;
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", process->path) >=
		(int)sizeof(address.sun_path))
		return shunt_fail_errno(-ENAMETOOLONG, "%s", process->path);
	process->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (process->fd < 0)
		return shunt_fail_errno(-errno, "socket");
	if (setsockopt(process->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
		setsockopt(process->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		return shunt_fail_errno(-errno, "socket");
	while (connect(process->fd, (const struct sockaddr *)&address, sizeof(address))) {
		ret = try_again(process, &waited);
		if (ret)
			return ret == -ETIMEDOUT ? ret : cannot_connect(process->path, ret);
	}
	find_peer(process);
	return 0;
}

/* Receives a message. @return its length; 0: disconnected; -errno */
static ssize_t receive(struct ctl_process *process, char *buffer, size_t size)
{
	unsigned int waited = 0;
	ssize_t length;
	int ret;

	while ((length = recv(process->fd, buffer, size - 1, 0)) < 0) {
		if (errno == ECONNRESET)
			return 0;
		ret = try_again(process, &waited);
		if (ret)
			return ret;
	}
	buffer[length] = '\0';
	return length;
}

static int disconnected(const struct ctl_process *process)
{
	return shunt_fail(-EPIPE, "%s: the process closed the connection, or ended", process->path);
}

static int ask(struct ctl_process *process, const char *command)
{
	unsigned int waited = 0;
	int ret;

	while (send(process->fd, command, strlen(command), MSG_NOSIGNAL) < 0) {
		if (errno == EPIPE || errno == ECONNRESET)
			return disconnected(process);
		ret = try_again(process, &waited);
		if (ret)
			return ret;
	}
	return 0;
}

static void find_name(struct ctl_process *process)
{
	const char *line = text_line(text_of("/proc/%d/comm", process->pid));

	if (line[0])
		snprintf(process->name, sizeof(process->name), "%s (process %d)",
			safe_text(line, 39), process->pid);
	else
		snprintf(process->name, sizeof(process->name), "process %d", process->pid);
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
	if (!length)
		return shunt_fail(-EPIPE,
			"%s: the process closed the connection at once: it is ending, or has the "
			"maximum of 10 telemetry clients",
			process->path);
	json = json_loadb(greeting, (size_t)length, 0, NULL);
	process->pid = (int)json_integer_value(json_object_get(json, "pid"));
	room = json_integer_value(json_object_get(json, "max_output_len"));
	json_decref(json);
	if (room < 1 || room > MAX_ROOM)
		return shunt_fail(-EPROTO, "%s: not a DPDK process", process->path);
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
		ret = connect_to(process);
	if (!ret)
		ret = greet(process);
	if (ret)
		ctl_disconnect(process);
	return ret;
}

void ctl_disconnect(struct ctl_process *process)
{
	if (process->fd >= 0)
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
		return shunt_fail(
			-EPROTO, "%s: %s", process->name, safe_text(text + strlen(ERROR), 1023));
	if (strncmp(command, "/shunt/", strlen("/shunt/")) == 0)
		return shunt_fail(-EPROTO,
			"%s: unknown command %.*s: the plugin is not loaded, or too old: start it "
			"with  -d librte_net_shunt.so",
			process->name, (int)strcspn(command, ","), command);
	return shunt_fail(-EPROTO, "%s: no reply to %s", process->name, command);
}

static int exchange(struct ctl_process *process, const char *command, json_t **answer)
{
	json_error_t error;
	ssize_t length;
	json_t *json;
	int ret;

	ret = ask(process, command);
	if (ret)
		return ret;
	length = receive(process, process->buffer, process->room);
	if (length <= 0)
		return length ? (int)length : disconnected(process);
	json = json_loadb(process->buffer, (size_t)length, JSON_ALLOW_NUL, &error);
	if (!json)
		return shunt_fail(-EPROTO, "%s: the reply to %s is not JSON: %s", process->name,
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
		return shunt_fail(-E2BIG, "the command is too long for telemetry");
	*answer = NULL;
	ret = exchange(process, command, answer);
	if (ret)
		return ret;
	ret = judge(process, command, *answer);
	if (ret)
		json_decref(*answer);
	return ret;
}

/* Requests parts until one is empty or not full. */
static int ask_parts(struct ctl_process *process, json_t **answer, const char *command, size_t room,
	size_t (*count)(const json_t *))
{
	json_t *whole = json_object(), *part;
	size_t before;
	int ret;

	do {
		before = count(whole);
		ret = before ? ctl_ask(process, &part, "%s,%zu", command, before)
			     : ctl_ask(process, &part, "%s", command);
		if (ret)
			break;
		if (json_object_update_recursive(whole, part))
			ret = shunt_fail(-ENOMEM, "out of memory");
		json_decref(part);
	} while (!ret && count(whole) > before && count(whole) % room == 0);
	if (ret)
		json_decref(whole);
	else
		*answer = whole;
	return ret;
}

static size_t count_ports(const json_t *list)
{
	const char *number;
	json_t *group;
	size_t count = 0;

	json_object_foreach (json_object_get(list, "groups"), number, group)
		count += json_object_size(json_object_get(group, "ports"));
	return count;
}

int ctl_ask_list(struct ctl_process *process, json_t **list)
{
	return ask_parts(process, list, "/shunt/list", LIST_PART, count_ports);
}

int ctl_ask_spaces(struct ctl_process *process, json_t **spaces)
{
	return ask_parts(process, spaces, "/shunt/spaces", SPACES_PART, json_object_size);
}

static int choose_group(const json_t *groups)
{
	const char *number, *text = "";
	json_t *group;

	if (json_object_size(groups) == 1)
		return (int)strtol(
			json_object_iter_key(json_object_iter((json_t *)(uintptr_t)groups)), NULL,
			10);
	json_object_foreach ((json_t *)(uintptr_t)groups, number, group)
		text = text_of("%s%s%s", text, text[0] ? ", " : "", number);
	if (!text[0])
		return shunt_fail(-ENOENT, "no port group");
	return shunt_fail(-EINVAL, "several groups, %s: add --group", text);
}

int ctl_group(struct ctl_process *process, const struct ctl_options *options)
{
	json_t *list;
	int ret;

	if (options->group)
		return (int)strtol(options->group, NULL, 10);
	ret = ctl_ask_list(process, &list);
	if (ret)
		return ret;
	ret = choose_group(json_object_get(list, "groups"));
	json_decref(list);
	return ret < 0 ? shunt_fail_while(ret, "%s", process->name) : ret;
}

const char *ctl_text(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name), *part;
	const char *whole = json_string_value(value);
	char text[TEXT];
	size_t i, used = 0;

	snprintf(text, sizeof(text), "%s", whole ? whole : "");
	json_array_foreach (value, i, part) {
		whole = json_string_value(part);
		if (used < sizeof(text))
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s", whole ? whole : "");
	}
	return safe_text(text, sizeof(text) - 1);
}

uint64_t ctl_count(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}
