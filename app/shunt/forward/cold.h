/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FORWARD_COLD_H
#define FORWARD_COLD_H

#include <stdbool.h>
#include <stdint.h>

#include <shunt/window.h>

struct forward;

/*
 * --cold: switches while the IOMMU's caches lack the ports' entries.
 *
 *   traffic --> stopped, until all is back --> a switch --> idle --> the measured switch:
 *                                              without              its first frames come in the
 *                                              traffic              first member's ioctl
 *
 * The switch without traffic is a quiesce: its flush invalidates the caches, no DMA fills them
 * again, and it is no evidence about replace. Other ways to evict an entry are weaker: waiting for
 * long, or DMA of many functions.
 *
 * The send time is set before the switch, from the time that the previous one took to reach its
 * ioctl. It moves to another place in the ioctl each time, so that all places are covered. The
 * stamps decide afterwards: a switch is cold only if the first frame of every port since the flush
 * came while the first member's ioctl ran.
 */

enum forward_cold_state { FORWARD_FLOWS, FORWARD_STOPPED, FORWARD_IDLE, FORWARD_AIMED };

struct forward_cold {
	enum forward_cold_state state;
	uint64_t since;    /* ticks: when the last frame came back, or the traffic stopped */
	uint64_t returned; /* frames until then */
	uint64_t received; /* frames of all ports when the caches became cold */
	bool disturbed;    /* frames came between then and the switch */
	uint64_t first[SHUNT_WINDOW_MAX_PORTS]; /* by stream: number of the next frame */
	int64_t late[SHUNT_GROUP_MAX_MEMBERS];  /* fault records found by the switch without traffic
						 */
	uint64_t number;                        /* of the last measured switch */
	uint64_t called;                        /* ticks: it was called */
	uint64_t lead;                          /* ticks: from there to its ioctl */
	uint64_t length;                        /* ticks: of that */
	double place;                           /* in it, 0 to 1: target of the next frames */
};

/** The time of a port's first frame. Ticks. */
struct forward_cold_first {
	uint64_t stamp;
	uint64_t left; /* latest time at which it left */
};

/**
 * Takes the next step towards a switch, when it is due.
 *
 * @param[out] again  when the following step is due; 0: the switch is due now
 * @return 0; error of the switch without traffic
 */
int forward_cold_step(struct forward *run, uint64_t now, uint64_t *again);

/** Takes in a finished switch, and adds late faults that belong to its predecessor. */
void forward_cold_switched(
	struct forward_cold *cold, uint64_t number, struct shunt_switch_result *result);

/** @return false if it is unknown, or if the caches were not cold */
bool forward_cold_first(const struct forward_cold *cold, struct shunt_tester *tester,
	const struct shunt_measurement *measurement, struct forward_cold_first *first);

#endif
