/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_STAMP_H
#define SHUNT_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * The stamp: the last 16 bytes of every tester frame, whatever is in front of it. It numbers the
 * frame in its stream and says when it was put on the wire (RFC 6201, timestamp method).
 *
 *   | Ethernet | ... any frame of at least 60 bytes ... | sequence | stream | magic | time |
 */

#define SHUNT_STAMP_MAGIC 0x5348u

/** A stamp, in the byte order of this machine: sender and receiver are one process. */
struct shunt_stamp {
	uint32_t sequence; /**< low half of the frame's number in its stream, from 0 */
	uint16_t stream;
	uint16_t magic;
	uint64_t time; /**< shunt_clock ticks, read just before the frame went out */
};

/** Writes the stamp of a frame of length bytes. */
static inline void shunt_stamp_write(
	void *frame, uint32_t length, uint16_t stream, uint64_t sequence, uint64_t time)
{
	struct shunt_stamp stamp = {
		.sequence = (uint32_t)sequence,
		.stream = stream,
		.magic = SHUNT_STAMP_MAGIC,
		.time = time,
	};

	memcpy((uint8_t *)frame + length - sizeof(stamp), &stamp, sizeof(stamp));
}

/** Reads the stamp of a frame. @return false: not a tester frame */
static inline bool shunt_stamp_read(const void *frame, uint32_t length, struct shunt_stamp *stamp)
{
	if (length < sizeof(*stamp))
		return false;
	memcpy(stamp, (const uint8_t *)frame + length - sizeof(*stamp), sizeof(*stamp));
	return stamp->magic == SHUNT_STAMP_MAGIC;
}

#endif
