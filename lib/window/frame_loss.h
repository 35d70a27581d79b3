/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FRAME_LOSS_H
#define FRAME_LOSS_H

#include <shunt/tester.h>

/*
 * RFC 6201's frame-loss method, from the offered stream around a gap:
 *
 *   sent    | | | | | | |x x x x x x| | | | | | |
 *           |<- before ->|           |<- after ->|
 *
 *   window      = lost * mean time between two frames, of both parts
 *   uncertainty  = the longest such time + lost * how much the means of the two parts differ
 *
 * A part has as many frames as were lost, within the limits below: a sender that works in bursts
 * shows them. What the sender did while frames were lost is left out: that is the check.
 */

#define FRAME_LOSS_MIN 128  /* times between frames in a part, if there are */
#define FRAME_LOSS_MAX 1024 /* and at most */

/**
 * @param gap   where the frames were lost
 * @param lost  frames
 * @return false: too few frames before it or after it are known
 */
bool frame_loss(struct shunt_tester *tester, unsigned int stream, const struct shunt_gap *gap,
	uint64_t lost, uint64_t *window, uint64_t *uncertainty);

#endif
