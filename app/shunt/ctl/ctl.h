/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CTL_H
#define CTL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * `shunt ctl`: controls the ports of a running DPDK application that has loaded the plugin, through
 * the commands that the plugin adds to DPDK's telemetry (doc/control.md).
 *
 *   main.c     the verbs
 *   options.c  the command line
 *   client.c   the process: found by its socket, JSON requests
 *   show.c     list, group, spaces, faults, result: one request, one table
 *   switch.c   switch: a series of switches, with statistics
 *   wanted.c   functions that the kernel waits for
 *   watch.c    watch: updated every second
 */

/** The command line. Texts belong to argv. */
struct ctl_options {
	const char *prefix;    /**< --file-prefix of the process */
	const char *socket;    /**< path of its socket; NULL: by prefix and instance */
	unsigned int instance; /**< number among processes with one prefix, from 0 */
	const char *group;     /**< number; NULL: the only one */
	const char *plan;
	bool live;         /**< ports that cannot pause may keep running */
	bool force;        /**< even if the IOMMU refused DMA before */
	const char *log;   /**< NULL: none */
	uint64_t switches; /**< 0: one for each space named */
	uint64_t every_ns;
	uint64_t count; /**< of watch; 0: no end */
	bool json;
	const char *verb;
	char **words; /**< after the verb */
	int word_count;
};

/** Reads the command line. @return 1; 0: help was printed; -EINVAL */
int ctl_options_parse(int argc, char **argv, const char *usage, struct ctl_options *options);

/** The application. */
struct ctl_process {
	int fd;
	char path[PATH_MAX]; /**< of its socket */
	int pid;
	char name[64]; /**< of its program */
	bool reported; /**< the delay was reported */
	char *buffer;  /**< for a reply */
	size_t room;
};

/** Connects. @return 0; -ENOENT no such process, the text lists the others; -errno */
int ctl_connect(const struct ctl_options *options, struct ctl_process *process);

/** Disconnects. */
void ctl_disconnect(struct ctl_process *process);

/**
 * Sends a command such as "/shunt/switch,10,b".
 *
 * @param[out] reply  its value, an object; to be released
 * @return 0; -EPROTO the plugin refused, with its text, or is not loaded; -errno
 */
int ctl_ask(struct ctl_process *process, json_t **answer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Requests all of /shunt/list, which comes in parts. Like ctl_ask(). */
int ctl_ask_list(struct ctl_process *process, json_t **list);

/** Requests all of /shunt/spaces. Like ctl_ask(). */
int ctl_ask_spaces(struct ctl_process *process, json_t **spaces);

/** Reports on standard error the functions that the kernel waits for the process to release. */
void ctl_report_wanted(const struct ctl_process *process);

/** The group given by --group, or the only one. @return number, -errno */
int ctl_group(struct ctl_process *process, const struct ctl_options *options);

/** A text of a reply, safe for a terminal; "" if missing. DPDK may have split it into a list. */
const char *ctl_text(const json_t *object, const char *name);

/** A number of a reply; 0 if missing. */
uint64_t ctl_count(const json_t *object, const char *name);

/** The verbs. @return 0, -errno */
int ctl_list(struct ctl_process *process, const struct ctl_options *options);
int ctl_spaces(struct ctl_process *process, const struct ctl_options *options);
int ctl_show(struct ctl_process *process, const struct ctl_options *options);
int ctl_switch(struct ctl_process *process, const struct ctl_options *options);
int ctl_watch(struct ctl_process *process, const struct ctl_options *options);

/** Prints the warning of a result, if it has one. */
void ctl_print_warning(const json_t *result);

/** Prints the ports of a result as a table. */
void ctl_print_result(const json_t *result);

#endif
