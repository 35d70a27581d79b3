/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOSS_ACCOUNTING_H
#define LOSS_ACCOUNTING_H

#include <shunt/window.h>

/*
 * The numbers of a stream's frames that did not pass a watch, as ranges in ascending order.
 *
 *   after the port     [41 - - 45)          [60 61)
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

/** By how much a value is above a limit; 0 if it is not. */
static inline uint64_t above(uint64_t value, uint64_t limit)
{
	return value > limit ? value - limit : 0;
}

/** A frame came late. @return whether it was in the list: 0 or 1; -ENOMEM */
int lost_found(struct lost_list *list, uint64_t number);

/**
 * Takes apart what is missing at the tester.
 *
 * @param[in,out] in   grows by what is missing after the port too; explained by that loss
 * @param[in,out] out  grows by what is not missing there
 */
void lost_divide(const struct lost_list *tester, const struct lost_list *port, struct lost_sum *in,
	struct lost_sum *out);

/** Frames of the list with a number below this one. */
uint64_t lost_below(const struct lost_list *list, uint64_t number);

/*
 * Memory is bounded, however many switches and losses there are:
 *
 *   switches   the last ACCOUNTING_NOTES one by one; of those before, of each port the last one
 *              that troubled it: what is seen missing now may have begun then
 *   losses     of each stream the last LOST_KEPT ranges, or up to twice that many; those before
 *              are settled: summed up. A frame of these that comes late counts as one that came
 *              again
 */

#define ACCOUNTING_NOTES 1024

/* A switch, or what was repaired between two, as far as the accounting needs it. */
struct switch_note {
	uint64_t start;
	uint64_t end;
	uint32_t troubled; /* bit a port, as window.h defines it */
	bool between;      /* two switches */
};

/* One stream: what is missing where, and its gaps behind its receiving port. */
struct port_losses {
	struct shunt_gap *gaps; /* not yet dropped: a pending switch may need them */
	size_t gap_count;
	size_t gap_room;
	struct lost_list port;   /* missing after the port */
	struct lost_list tester; /* missing at the tester */
	/* Settled: frames that did not come back, lost on the way in and on the way out, and those
	   of them in the baseline. */
	struct lost_sum in;
	struct lost_sum out;
	uint64_t in_baseline;
};

struct loss_accounting {
	struct switch_note notes[ACCOUNTING_NOTES];
	uint64_t noted; /* in all */
	struct switch_note older[SHUNT_WINDOW_MAX_PORTS];
	struct port_losses ports[SHUNT_WINDOW_MAX_PORTS];
};

void accounting_free(struct loss_accounting *accounting);

/** Notes what has just ended. */
void accounting_note(struct loss_accounting *accounting, const struct switch_note *note);

/** Ports of which records of faults came after the last switch had been noted; to be followed by
    accounting_explain_late() for every list. */
void accounting_trouble_late(struct loss_accounting *accounting, uint32_t ports);

/**
 * Adds the frames of a gap to a list: explained if they could have met a switch that troubled one
 * of the ports. @return 0, -ENOMEM
 */
int accounting_lose(const struct loss_accounting *accounting, struct lost_list *list,
	const struct shunt_gap *gap, uint32_t ports);

/** What is not explained may be by now: a record of a fault can come after the gap. */
void accounting_explain_late(
	const struct loss_accounting *accounting, struct lost_list *list, uint32_t ports);

/** Something that went wrong between two times could have met a switch that troubled any port. */
bool accounting_explain_time(const struct loss_accounting *accounting, uint64_t from, uint64_t to);

int accounting_add_gap(struct port_losses *port, const struct shunt_gap *gap);

/**
 * Settles what there is too much of.
 *
 * @param next      every frame missing at the tester with a lower number is in its list
 * @param baseline  number of the first frame after the baseline
 */
void accounting_settle(const struct loss_accounting *accounting, struct port_losses *port,
	uint64_t next, uint64_t baseline);

/** Forgets gaps that ended before a time. */
void accounting_forget(struct port_losses *port, uint64_t before);

#endif
