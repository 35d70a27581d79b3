/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOST_H
#define LOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The numbers of a stream's frames that did not pass a watch, as ranges in ascending order.
 *
 *   behind the port    [41 - - 45)          [60 61)
 *   at the tester      [41 - - - - 47)      [60 61)     45 and 46 were lost on the way out
 *
 * A frame that comes late is taken out again.
 */

#define LOST_KEPT 4096 /* ranges of a stream that a late frame is looked for in, at least */

/* Frames from `from` up to and not with `to`. */
struct lost_range {
	uint64_t from;
	uint64_t to;
	uint64_t since; /* they were under way after that, ticks */
	uint64_t until; /* and a later one was seen */
	bool explained; /* a switch, at that time, can have lost them */
};

struct lost_list {
	struct lost_range *ranges;
	size_t count;
	size_t room;
};

/* Frames, and those of them that are explained. */
struct lost_sum {
	uint64_t frames;
	uint64_t explained;
};

/** Adds a range behind all others. @return 0, -ENOMEM */
int lost_add(struct lost_list *list, const struct lost_range *range);

/** A frame came late. @return whether it was in the list: 0 or 1; -ENOMEM */
int lost_found(struct lost_list *list, uint64_t number);

/**
 * Takes apart what is missing at the tester.
 *
 * @param[out] in   of these, missing behind the port too; explained by that loss
 * @param[out] out  of these, not missing there
 */
void lost_divide(const struct lost_list *tester, const struct lost_list *port, struct lost_sum *in,
	struct lost_sum *out);

/** Frames of the list with a number below this one. */
uint64_t lost_below(const struct lost_list *list, uint64_t number);

/** Takes out the first ranges. */
void lost_forget(struct lost_list *list, size_t count);

void lost_free(struct lost_list *list);

#endif
