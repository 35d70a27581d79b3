/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TELEMETRY_H
#define TELEMETRY_H

#include "telemetry_reply.h"
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
