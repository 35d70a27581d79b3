/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <unistd.h>

#include <shunt/error.h>

#include "log.h"
#include "shunt_output.h"

#define LINE 8192

int log_open(struct log *log, const char *path)
{
	log->path = path;
	log->fd = path ? shunt_output_append(path) : -1;
	return path && log->fd < 0 ? shunt_fail_while(log->fd, "--log") : 0;
}

void log_close(const struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
}

/* Others may append to the file, or it is a device: a line must not be divided. */
int log_put(const struct log *log, json_t *line)
{
	char text[LINE];
	size_t length = json_dumpb(line, text, sizeof(text) - 1, JSON_COMPACT);
	int ret = -ENOMEM;

	json_decref(line);
	if (length && length < sizeof(text)) {
		text[length] = '\n';
		ret = shunt_output_write(log->fd, text, length + 1);
	}
	return ret ? shunt_fail_errno(ret, "--log %s", log->path) : 0;
}

int log_begin(const struct log *log, uint64_t number)
{
	if (log->fd < 0)
		return 0;
	return log_put(log, json_pack("{s:I, s:b}", "switch", (json_int_t)number, "begins", 1));
}

json_t *log_port(
	const char *function, json_t *faults, uint64_t ioctl_ns, uint64_t repaired, uint64_t resets)
{
	return json_pack("{s:s, s:o, s:I, s:I, s:I}", "function", function, "faults", faults,
		"ioctl_ns", (json_int_t)ioctl_ns, "repaired", (json_int_t)repaired, "resets",
		(json_int_t)resets);
}
