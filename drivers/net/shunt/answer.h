/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_telemetry.h>

/*
 * An answer of a telemetry command: one JSON object, in the bounds that DPDK sets. Numbers, texts
 * and objects; names of letters, digits and '_'; no lists of objects, so that what there may be
 * several of is an object by number. A text of more than 127 bytes becomes a list of its parts.
 */

/** An object that is being filled. */
struct answer {
	struct rte_tel_data *data; /**< NULL: it could not be made, what it is told is dropped */
	int *error;                /**< of the first thing that did not fit; 0: all did */
};

/** Begins the answer to a command. @param error  outlives it */
struct answer answer_begin(struct rte_tel_data *data, int *error);

void answer_count(struct answer answer, const char *name, uint64_t count);
void answer_number(struct answer answer, const char *name, int number);
void answer_text(struct answer answer, const char *name, const char *text);

/** 0 or 1: DPDK 22.11 knows no others. */
void answer_flag(struct answer answer, const char *name, bool flag);

/** An object inside. */
struct answer answer_object(struct answer answer, const char *name);

/** An object inside, by number. */
struct answer answer_nth(struct answer answer, unsigned int number);

#endif
