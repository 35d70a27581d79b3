/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TELEMETRY_REPLY_H
#define TELEMETRY_REPLY_H

#include <stdint.h>

#include <rte_telemetry.h>

/*
 * The reply to a telemetry command: one JSON object, within DPDK's limits. It holds numbers, texts
 * and objects, whose names consist of letters, digits and '_'. DPDK has no lists of objects, so
 * several of a kind are objects named by number. A text of more than 127 bytes becomes a list of
 * its parts.
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

#endif
