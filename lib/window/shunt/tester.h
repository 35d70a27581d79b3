/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_TESTER_H
#define SHUNT_TESTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <shunt/histogram.h>
#include <shunt/watch.h>

/*
 * The tester: one stream of numbered, stamped frames into each port, and the check of what comes
 * back, wherever it comes back.
 *
 *   stream 0 --> port 0 --(forwarded)--> port 1 --> check of stream 0: order, loss, contents
 *   stream 1 --> port 1 --(forwarded)--> port 2 --> check of stream 1
 *
 * shunt_tester_send() and shunt_tester_receive() belong to one thread (sim: the engine); starting,
 * stopping and reading are any thread's.
 */

#ifdef __cplusplus
extern "C" {
#endif

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

#define SHUNT_TESTER_MAX_STREAMS 128
#define SHUNT_RATE_MAX           0 /* as many frames as the port takes, held back when it is full */

struct shunt_tester;

/**
 * Makes a stopped tester.
 *
 * @param streams  1 to SHUNT_TESTER_MAX_STREAMS
 * @param traffic  what to send; must outlive the tester
 * @param rate     frames per second of each stream, or SHUNT_RATE_MAX
 * @return 0, -EINVAL, -ENOMEM
 */
int shunt_tester_create(unsigned int streams, const struct shunt_traffic *traffic, uint64_t rate,
	struct shunt_tester **tester);

/** Releases it. Nobody may send or receive any more. NULL is allowed. */
void shunt_tester_destroy(struct shunt_tester *tester);

/** Begins to send. */
void shunt_tester_start(struct shunt_tester *tester);

/**
 * Goes on after a stop, at a time, in ticks; it may be called again until then. From now on gaps
 * between frames leave out those in which nothing was sent, and outages are not measured.
 */
void shunt_tester_resume(struct shunt_tester *tester, uint64_t time);

/** When it goes on, or went on last; 0: it was never resumed. */
uint64_t shunt_tester_resumed(const struct shunt_tester *tester);

/** Ends sending; what is under way still comes back. */
void shunt_tester_stop(struct shunt_tester *tester);

/**
 * Next frame of a stream, if one is due.
 *
 * @param now     shunt_clock ticks, just read: the frame's stamp
 * @param ready   the port would take it; with SHUNT_RATE_MAX nothing is sent unless it would
 * @param length  [out] bytes, without FCS
 * @return frame, valid until the next call for any stream; NULL: none is due
 */
const void *shunt_tester_send(struct shunt_tester *tester, unsigned int stream, uint64_t now,
	bool ready, uint32_t *length);

/**
 * Frames leave some time after shunt_tester_send(), in bursts; the sender says when. Without it a
 * frame leaves at its stamp. To be called before the start.
 */
void shunt_tester_in_bursts(struct shunt_tester *tester);

/** Sending thread: all frames of a stream had left by `now`, in ticks. */
void shunt_tester_left(struct shunt_tester *tester, unsigned int stream, uint64_t now);

/** A frame came back; frames that are not the tester's are counted as foreign. */
void shunt_tester_receive(
	struct shunt_tester *tester, uint64_t now, const void *frame, uint32_t length);

/** Frames of a stream sent so far. */
uint64_t shunt_tester_sent(struct shunt_tester *tester, unsigned int stream);

/** The watch on a stream where it comes back. */
struct shunt_watch *shunt_tester_watch(struct shunt_tester *tester, unsigned int stream);

/** Parts of a run whose times are kept apart. */
enum shunt_phase {
	SHUNT_PHASE_SWITCHING, /**< a tester begins with it */
	SHUNT_PHASE_BASELINE,  /**< the same without switches */
	SHUNT_PHASES,
};

#define SHUNT_LATENCY_EVERY 17 /* one frame in this many; no divisor of a usual cycle of frames */

/** Times of a stream where it comes back, in ticks; of frames in order. */
struct shunt_times {
	struct shunt_histogram gap;     /**< from one frame to the next */
	struct shunt_histogram latency; /**< stamp to return; of one in SHUNT_LATENCY_EVERY */
};

/** Frames that come back from now on belong to this phase. Any thread. */
void shunt_tester_phase(struct shunt_tester *tester, enum shunt_phase phase);

/** Times of a stream in a phase. */
const struct shunt_times *shunt_tester_times(
	struct shunt_tester *tester, unsigned int stream, enum shunt_phase phase);

/** Frames that came back with other contents, length or stamp than they were sent with. */
uint64_t shunt_tester_corrupt(struct shunt_tester *tester, unsigned int stream);

/** Frames that came back without a stamp of this tester. */
uint64_t shunt_tester_foreign(struct shunt_tester *tester);

/** A frame that came back changed, or foreign. Times in ticks. */
struct shunt_changed {
	uint64_t after; /**< stamp of the last good frame that was seen before it */
	uint64_t seen;
};

/** Takes out up to n of them, one thread. @return their number */
unsigned int shunt_tester_changed(
	struct shunt_tester *tester, struct shunt_changed *changed, unsigned int n);

/** Those that could not be kept: they were not taken out in time. */
uint64_t shunt_tester_changed_dropped(struct shunt_tester *tester);

/** A frame's stamp; 0: that is too long ago to be known, or it was not sent yet. */
uint64_t shunt_tester_stamp(struct shunt_tester *tester, unsigned int stream, uint64_t number);

/** By when a frame had surely left, after its stamp; 0: not known, or not known yet. */
uint64_t shunt_tester_left_by(struct shunt_tester *tester, unsigned int stream, uint64_t number);

/** Stamp of the first frame sent after a time; 0: there is none, or it is too long ago. */
uint64_t shunt_tester_sent_after(struct shunt_tester *tester, unsigned int stream, uint64_t time);

/**
 * Longest time from a frame's stamp until the next one had left, of those of which a part lies in
 * [from, to]: the uncertainty of a measurement in which no frame was lost.
 *
 * @param kept  frames that left after `from` may have been kept until then; 0: none was
 * @return ticks; 0: not known
 */
uint64_t shunt_tester_interval(struct shunt_tester *tester, unsigned int stream, uint64_t from,
	uint64_t to, uint64_t kept);

#ifdef __cplusplus
}
#endif

#endif
