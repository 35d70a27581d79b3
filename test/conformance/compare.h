/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMPARE_H
#define COMPARE_H

#include "player.h"
#include "script.h"

/*
 * Two players play the same script; the first line that they answer differently is the difference,
 * and the shortest script that still has one is what a reader wants to see.
 *
 *   script --> player a --> answers a --\
 *         `--> player b --> answers b ---`-- first line that differs
 */

/** Answers of one player to one script, by line; NULL for comments. */
struct transcript {
	char **answers;
	size_t count;
};

/** Plays a script from the beginning to the end. @return 0, -errno; nothing to free then */
int compare_play(struct player *player, const struct script *script, struct transcript *answers);

/** Frees a transcript. */
void compare_free(struct transcript *answers);

/** A difference between two platforms. */
struct difference {
	bool found;
	size_t line; /**< of the script, from 0 */
	char a[PLAYER_ANSWER];
	char b[PLAYER_ANSWER];
};

/** Plays a script with both. @return 0, found or not; -errno */
int compare_once(struct player *a, struct player *b, const struct script *script,
	struct difference *difference);

/**
 * Takes lines out of a script that has a difference as long as it still has one.
 *
 * @param[in,out] script      becomes the shorter one
 * @param[in,out] difference  becomes that of the shorter one
 * @return 0, -errno
 */
int compare_shrink(
	struct player *a, struct player *b, struct script *script, struct difference *difference);

#endif
