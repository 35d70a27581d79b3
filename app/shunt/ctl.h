/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CTL_H
#define CTL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * `shunt ctl`: what one can do with the ports of a running DPDK application that has the plugin, by
 * the commands that the plugin adds to DPDK's telemetry (doc/control.md).
 *
 *   ctl.c            options, the verbs
 *   ctl_options.c      what stands on the command line
 *   ctl_process.c      the process: found by its socket, asked in JSON
 *   ctl_show.c         list, group, spaces, faults, result: one question, one table
 *   ctl_switch.c       switch: one after the other, with figures
 *   ctl_watch.c        watch: what changes, second by second
 */

/** The command line. Texts belong to argv. */
struct ctl_options {
	const char *prefix;    /**< --file-prefix of the process */
	const char *socket;    /**< path of its socket; NULL: by prefix and instance */
	unsigned int instance; /**< of processes with one prefix, 0 the first */
	const char *group;     /**< number; NULL: the only one */
	const char *plan;
	bool live;         /**< ports that cannot pause may run on */
	bool force;        /**< whatever is known of the IOMMU */
	const char *log;   /**< NULL: none */
	uint64_t switches; /**< 0: one for each space named */
	uint64_t every_ns;
	uint64_t count; /**< of watch; 0: no end */
	bool json;
	bool help;
	const char *verb;
	char **words; /**< after the verb */
	int word_count;
};

/** Reads the command line. @return 0, -EINVAL */
int ctl_options_parse(int argc, char **argv, struct ctl_options *options);

/** A process that we talk to. */
struct ctl_process {
	int fd;
	char path[PATH_MAX]; /**< of its socket */
	int pid;
	char name[64]; /**< of its program */
	char *buffer;  /**< for an answer */
	size_t room;
};

/** Connects. @return 0; -ENOENT no such process, the text names those there are; -errno */
int ctl_connect(const struct ctl_options *options, struct ctl_process *process);

/** Hangs up. */
void ctl_disconnect(struct ctl_process *process);

/**
 * Asks a command, "/shunt/switch,10,b".
 *
 * @param[out] answer  its value, an object; to be released
 * @return 0; -EPROTO the plugin refuses, in its own words, or it is not there; -errno
 */
int ctl_ask(struct ctl_process *process, json_t **answer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** The group that is meant: the one that is named, or the only one. @return number, -errno */
int ctl_group(struct ctl_process *process, const struct ctl_options *options);

/** A text of an answer, of which DPDK may have made a list of parts. @return text */
const char *ctl_text(const json_t *object, const char *name, char *text, size_t size);

/** A number of an answer; 0 if it has none of that name. */
uint64_t ctl_count(const json_t *object, const char *name);

/** The verbs. @return 0, -errno */
int ctl_list(struct ctl_process *process, const struct ctl_options *options);
int ctl_group_show(struct ctl_process *process, const struct ctl_options *options);
int ctl_spaces(struct ctl_process *process, const struct ctl_options *options);
int ctl_copy(struct ctl_process *process, const struct ctl_options *options);
int ctl_destroy(struct ctl_process *process, const struct ctl_options *options);
int ctl_faults(struct ctl_process *process, const struct ctl_options *options);
int ctl_result(struct ctl_process *process, const struct ctl_options *options);
int ctl_switch(struct ctl_process *process, const struct ctl_options *options);
int ctl_watch(struct ctl_process *process, const struct ctl_options *options);

/** Prints the warning of a result, if it has one. */
void ctl_print_warning(const json_t *result);

/** Prints the ports of a result as a table. */
void ctl_print_result(const json_t *result);

/** Prints an answer as JSON. @return 0, -EIO */
int ctl_print_json(const json_t *json);

#endif
