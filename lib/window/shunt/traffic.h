/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_TRAFFIC_H
#define SHUNT_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

/*
 * What a tester sends: a cycle of frames, sent over and over. Lengths are without FCS; where people
 * give frame sizes they mean with it (RFC 2544), so a 64-byte frame has 60 bytes here.
 *
 *   fixed    one UDP frame of a size
 *   IMIX     twelve frames: 7 of 64, 4 of 594, 1 of 1518 bytes, mixed
 *   capture  the frames of a pcap file; the last 16 bytes of each make room for the stamp
 *
 * Read-only once made.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define SHUNT_FRAME_MIN 60u   /* Ethernet's minimum, without FCS */
#define SHUNT_FRAME_MAX 9000u /* longest that is sent */
#define SHUNT_FCS       4u

/** One frame of the cycle. */
struct shunt_frame {
	uint32_t length;
	uint8_t *bytes;
};

/** A cycle of frames. */
struct shunt_traffic {
	struct shunt_frame *frames;
	size_t count;
	uint8_t *memory; /**< of all frames */
};

/** One UDP frame of `size` bytes with FCS, 64 to SHUNT_FRAME_MAX. @return 0, -EINVAL, -ENOMEM */
int shunt_traffic_fixed(unsigned int size, struct shunt_traffic *traffic);

/** Simple IMIX. @return 0, -ENOMEM */
int shunt_traffic_imix(struct shunt_traffic *traffic);

/**
 * The frames of a capture file; short ones are padded to the minimum.
 *
 * @return 0; -EINVAL not a capture of Ethernet frames, or an empty one, or a frame cut short or
 *         longer than SHUNT_FRAME_MAX (its number is named); -errno of the file
 */
int shunt_traffic_pcap(const char *path, struct shunt_traffic *traffic);

/** Releases the frames. */
void shunt_traffic_free(struct shunt_traffic *traffic);

#ifdef __cplusplus
}
#endif

#endif
