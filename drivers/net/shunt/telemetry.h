/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TELEMETRY_H
#define TELEMETRY_H

#include <rte_telemetry.h>

#include "context.h"

/*
 * The plugin's commands on DPDK's telemetry socket; doc/control.md documents their replies.
 *
 *   client --> telemetry's thread --> telemetry.c    words, the context's lock, errors
 *                                       |- telemetry_params.c  groups, spaces and parts named
 *                                       |- telemetry_list.c    /shunt/list, /shunt/group
 *                                       |- telemetry_spaces.c  /shunt/spaces, copy, destroy
 *                                       |- telemetry_switch.c  /shunt/switch, /shunt/result
 *                                       `- telemetry_faults.c  /shunt/faults
 *
 * A switch runs in the thread that serves the client; the ports keep being polled meanwhile. The
 * reply is an object, or "error: " and a sentence.
 */

/*
 * telemetry_reply.c: the reply to a telemetry command: one JSON object, within DPDK's limits. It
 * holds numbers, texts and objects, whose names consist of letters, digits and '_'. DPDK has no
 * lists of objects, so several of a kind are objects named by number. A text of more than 127 bytes
 * becomes a list of its parts.
 */

/** An object that is being filled. */
struct telemetry_reply {
	struct rte_tel_data *data; /**< NULL: it could not be made, additions are dropped */
	int *error;                /**< of the first addition that did not fit; 0: all did */
};

/** Begins the reply to a command. @param error  outlives it */
struct telemetry_reply reply_begin(struct rte_tel_data *data, int *error);

void reply_count(struct telemetry_reply reply, const char *name, uint64_t count);
/** Also for flags, 0 or 1: DPDK 22.11 has no booleans. */
void reply_number(struct telemetry_reply reply, const char *name, int number);
void reply_text(struct telemetry_reply reply, const char *name, const char *text);

/** An object inside. */
struct telemetry_reply reply_object(struct telemetry_reply reply, const char *name);

/** An object inside, by number. */
struct telemetry_reply reply_nth(struct telemetry_reply reply, unsigned int number);

#define TELEMETRY_WORDS 4

/** A command's words after its name. */
struct words {
	const char *text[TELEMETRY_WORDS];
	unsigned int count;
};

/** A command. Called with the context's lock; an error's sentence is shunt_errmsg(). */
typedef int telemetry_command(
	struct shunt_context *context, const struct words *words, struct telemetry_reply reply);

telemetry_command telemetry_list, telemetry_group, telemetry_spaces, telemetry_copy,
	telemetry_destroy, telemetry_switch, telemetry_result, telemetry_faults;

/**
 * Adds a member of a group: named by the number of its ethdev port, with the port's name; or, for a
 * function that is no ethdev port, by the number of the member, "member2".
 */
struct telemetry_reply telemetry_member(struct shunt_context *context, struct telemetry_reply ports,
	const char *function, unsigned int index);

/** Which entries of a list that may be longer than a reply are shown. */
struct part {
	unsigned long skip; /**< entries still to be skipped */
	unsigned long room; /**< entries still to be shown */
};

/** Parses the optional word that says how many entries to skip. @return 0, -EINVAL */
int telemetry_part(const struct words *words, unsigned long room, struct part *part);

/** Whether the next entry is shown. */
bool telemetry_in_part(struct part *part);

/** Finds the group that a word names by its number. @return 0, -EINVAL, -ENOENT */
int telemetry_find_group(
	struct shunt_context *context, const char *word, struct context_group **group);

/** Finds the space that a word names. @return 0; -ENOENT, the message lists the spaces */
int telemetry_find_space(
	struct shunt_context *context, const char *word, struct shunt_space **space);

#endif
