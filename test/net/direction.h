/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DIRECTION_H
#define DIRECTION_H

#include <stdint.h>

#include "net.h"

/* Numbered frames from one port to the other, sent and received by the polling thread. */

#define DIRECTION_BURST 32

struct direction {
	unsigned int from; /* port */
	uint32_t length;   /* of a frame, bytes */
	uint32_t segments;
	uint32_t sent;     /* accepted by the transmit burst */
	uint32_t received; /* and unchanged; may be read at any time */
	uint32_t wrong;    /* out of order, twice, or changed */
	int64_t last;      /* sequence; -1: none yet */
};

/** Sends one burst: fewer frames if less than `room` buffers would stay in the pool. */
void direction_send(struct net *net, struct direction *direction, unsigned int room);

/** Receives one burst at the far end. */
void direction_receive(struct net *net, struct direction *direction);

#endif
