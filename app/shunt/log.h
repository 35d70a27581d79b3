/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>

#include <jansson.h>

/* --log of `shunt forward` and `shunt ctl switch`: JSON objects, one a line. */

struct log {
	const char *path;
	int fd; /* -1: none */
};

/** Opens a log. @param path  NULL: none @return 0, -errno */
int log_open(struct log *log, const char *path);
void log_close(const struct log *log);

/** Writes a line, with one write, and releases the object. @return 0; -ENOMEM; -errno */
int log_put(const struct log *log, json_t *line);

/** Logs that a switch begins. @return as above */
int log_begin(const struct log *log, uint64_t number);

/** A port of a switch that has ended. @param faults  its number, or a text */
json_t *log_port(const char *function, json_t *faults, uint64_t ioctl_ns, uint64_t repaired,
	uint64_t resets);

#endif
