/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TELEMETRY_H
#define TELEMETRY_H

#include "answer.h"
#include "context.h"

/*
 * The commands of the plugin on DPDK's telemetry socket; doc/control.md tells what they answer.
 *
 *   client --> telemetry's thread --> telemetry.c    words, the context's lock, errors
 *                                       |- telemetry_list.c    /shunt/list, /shunt/group
 *                                       |    `- telemetry_members.c  their ports
 *                                       |- telemetry_spaces.c  /shunt/spaces, copy, destroy
 *                                       |- telemetry_switch.c  /shunt/switch, /shunt/result
 *                                       `- telemetry_faults.c  /shunt/faults
 *
 * A switch runs in the thread that serves the client; the ports keep being polled meanwhile. The
 * answer is an object, or "error: " and a sentence.
 */

#define TELEMETRY_WORDS 4

/** A command's words after its name. */
struct words {
	const char *text[TELEMETRY_WORDS];
	unsigned int count;
};

/** A command. Called with the context's lock; an error's sentence is shunt_errmsg(). */
typedef int (*telemetry_command)(
	struct shunt_context *context, const struct words *words, struct answer answer);

int telemetry_list(struct shunt_context *context, const struct words *words, struct answer answer);
int telemetry_group(struct shunt_context *context, const struct words *words, struct answer answer);
int telemetry_spaces(
	struct shunt_context *context, const struct words *words, struct answer answer);
int telemetry_copy(struct shunt_context *context, const struct words *words, struct answer answer);
int telemetry_destroy(
	struct shunt_context *context, const struct words *words, struct answer answer);
int telemetry_switch(
	struct shunt_context *context, const struct words *words, struct answer answer);
int telemetry_result(
	struct shunt_context *context, const struct words *words, struct answer answer);
int telemetry_faults(
	struct shunt_context *context, const struct words *words, struct answer answer);

/**
 * A member of a group in an answer: by ethdev's number of its port, with the port's name; a
 * function that is no ethdev port by the member's, "member2".
 */
struct answer telemetry_member(struct shunt_context *context, struct answer ports,
	const char *function, unsigned int index);

/** The members of a group, as "ports". */
void telemetry_members(
	struct shunt_context *context, struct shunt_group *group, struct answer answer);

/** Finds the group that a word names by its number. @return 0, -EINVAL, -ENOENT */
int telemetry_find_group(
	struct shunt_context *context, const char *word, struct context_group **group);

/** Finds the space that a word names. @return 0, -ENOENT, naming those there are */
int telemetry_find_space(
	struct shunt_context *context, const char *word, struct shunt_space **space);

#endif
