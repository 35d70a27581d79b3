/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/tester.h>

#include "handoff.h"
#include "shunt_processor.h"

#define LOG_SIZE       (1u << 18) /* stamps of the last frames of a stream; a power of two */
#define CHANGED_SIZE   4096u
#define CONTENTS_EVERY 64      /* one frame in this many is compared byte by byte */
#define ADDRESSES      12      /* bytes: forwarders rewrite them */
#define LAG_MAX_NS     1000000 /* a sender that fell further behind goes on from now: no bursts */

/* When a frame was stamped, and by when it had left; 0: not known. Ticks. */
struct sent_frame {
	_Atomic uint64_t stamp;
	_Atomic uint64_t left;
};

struct stream {
	uint64_t next;          /* number of the frame to send next; the sending thread's */
	uint64_t due;           /* ticks; when it is due */
	uint64_t left;          /* number of the first frame not known to have left */
	size_t frame;           /* its frame in the cycle */
	_Atomic uint64_t sent;  /* published */
	struct sent_frame *log; /* by number */
	struct shunt_watch watch;
	uint64_t due_back;         /* number that has to come back next, and */
	size_t due_back_frame;     /* its frame in the cycle */
	unsigned int unsampled;    /* frames since the last one whose latency was taken */
	struct shunt_times *times; /* by phase */
	_Atomic uint64_t corrupt;
} __attribute__((aligned(SHUNT_CACHE_LINE)));

struct shunt_tester {
	const struct shunt_traffic *traffic;
	uint64_t interval; /* ticks between two frames; 0: as the port takes them */
	uint64_t lag_max;
	unsigned int count;
	bool in_bursts;
	_Atomic uint64_t from; /* ticks: nothing is sent before; UINT64_MAX: it has stopped */
	_Atomic uint64_t resumed;
	_Atomic unsigned int phase;
	_Atomic uint64_t foreign;
	struct handoff *changed;
	_Atomic uint64_t changed_dropped;
	uint64_t last_stamp; /* of the last good frame seen; the receiving thread's */
	struct stream streams[];
};

static void free_stream(struct stream *stream)
{
	free(stream->log);
	free(stream->times);
	shunt_watch_fini(&stream->watch);
}

static int make_stream(struct stream *stream, uint16_t number)
{
	int ret = -ENOMEM;

	stream->log = calloc(LOG_SIZE, sizeof(*stream->log));
	stream->times = calloc(SHUNT_PHASES, sizeof(*stream->times));
	if (stream->log && stream->times)
		ret = shunt_watch_init(&stream->watch, number);
	if (ret)
		free_stream(stream);
	return ret;
}

int shunt_tester_create(unsigned int streams, const struct shunt_traffic *traffic, uint64_t rate,
	struct shunt_tester **tester)
{
	struct shunt_tester *made;
	size_t size = sizeof(*made) + streams * sizeof(struct stream);
	int ret = -ENOMEM;

	if (streams == 0 || streams > SHUNT_TESTER_MAX_STREAMS)
		return shunt_fail(-EINVAL, "tester: %u streams, 1 to %d are possible", streams,
			SHUNT_TESTER_MAX_STREAMS);
	if (rate > shunt_clock_hz())
		return shunt_fail(-EINVAL,
			"tester: %" PRIu64 " frames per second is more than the "
			"clock's %" PRIu64 " ticks",
			rate, shunt_clock_hz());
	made = aligned_alloc(SHUNT_CACHE_LINE, roundup(size, SHUNT_CACHE_LINE));
	if (!made)
		return shunt_fail(-ENOMEM, "tester: out of memory");
	memset(made, 0, size);
	made->changed = handoff_create(sizeof(struct shunt_changed), CHANGED_SIZE);
	if (!made->changed)
		goto free;
	made->traffic = traffic;
	made->from = UINT64_MAX;
	made->interval = rate ? shunt_clock_hz() / rate : 0;
	made->lag_max = shunt_clock_from_ns(LAG_MAX_NS);
	for (; made->count < streams; made->count++) {
		ret = make_stream(&made->streams[made->count], (uint16_t)made->count);
		if (ret)
			goto free;
	}
	*tester = made;
	return 0;

free:
	shunt_tester_destroy(made);
	return shunt_fail(ret, "tester: out of memory for streams (%u)", streams);
}

void shunt_tester_destroy(struct shunt_tester *tester)
{
	if (!tester)
		return;
	free(tester->changed);
	while (tester->count--)
		free_stream(&tester->streams[tester->count]);
	free(tester);
}

void shunt_tester_start(struct shunt_tester *tester)
{
	atomic_store(&tester->from, 0);
}

void shunt_tester_resume(struct shunt_tester *tester, uint64_t time)
{
	atomic_store(&tester->resumed, time);
	atomic_store(&tester->from, time);
}

uint64_t shunt_tester_resumed(const struct shunt_tester *tester)
{
	return atomic_load_explicit(&tester->resumed, memory_order_relaxed);
}

void shunt_tester_stop(struct shunt_tester *tester)
{
	atomic_store(&tester->from, UINT64_MAX);
}

void shunt_tester_in_bursts(struct shunt_tester *tester)
{
	tester->in_bursts = true;
}

/* Whether a frame is due at the set rate; keeps the average unless the sender fell far behind. */
static bool due(const struct shunt_tester *tester, struct stream *stream, uint64_t now)
{
	if (now < stream->due)
		return false;
	stream->due += tester->interval;
	if (now > stream->due + tester->lag_max)
		stream->due = now + tester->interval;
	return true;
}

const void *shunt_tester_send(struct shunt_tester *tester, unsigned int number, uint64_t now,
	bool ready, uint32_t *length)
{
	struct stream *stream = &tester->streams[number];
	const struct shunt_frame *frame;
	struct sent_frame *sent;

	if (now < atomic_load_explicit(&tester->from, memory_order_relaxed))
		return NULL;
	if (tester->interval ? !due(tester, stream, now) : !ready)
		return NULL;
	frame = &tester->traffic->frames[stream->frame];
	if (++stream->frame == tester->traffic->count)
		stream->frame = 0;
	shunt_stamp_write(frame->bytes, frame->length, (uint16_t)number, stream->next, now);
	sent = &stream->log[stream->next % LOG_SIZE];
	atomic_store_explicit(&sent->stamp, now, memory_order_relaxed);
	atomic_store_explicit(&sent->left, tester->in_bursts ? 0 : now, memory_order_relaxed);
	stream->next++;
	atomic_store_explicit(&stream->sent, stream->next, memory_order_release);
	*length = frame->length;
	return frame->bytes;
}

void shunt_tester_left(struct shunt_tester *tester, unsigned int number, uint64_t now)
{
	struct stream *stream = &tester->streams[number];

	for (; stream->left < stream->next; stream->left++)
		atomic_store_explicit(
			&stream->log[stream->left % LOG_SIZE].left, now, memory_order_relaxed);
}

/* The frame that went out with a number. In order it is the next one: no division for each. */
static const struct shunt_frame *frame_of(
	const struct shunt_traffic *traffic, struct stream *stream, uint64_t number)
{
	size_t frame = stream->due_back_frame;

	if (__builtin_expect(number != stream->due_back, 0))
		frame = number % traffic->count;
	stream->due_back = number + 1;
	stream->due_back_frame = frame + 1 == traffic->count ? 0 : frame + 1;
	return &traffic->frames[frame];
}

static bool intact(const struct shunt_tester *tester, struct stream *stream, uint64_t number,
	const struct shunt_stamp *stamp, const uint8_t *bytes, uint32_t length)
{
	const struct shunt_frame *frame = frame_of(tester->traffic, stream, number);

	if (number >= stream->next || length != frame->length)
		return false;
	if (stream->next - number < LOG_SIZE &&
		atomic_load_explicit(&stream->log[number % LOG_SIZE].stamp, memory_order_relaxed) !=
			stamp->time)
		return false;
	return number % CONTENTS_EVERY || memcmp(bytes + ADDRESSES, frame->bytes + ADDRESSES,
						  length - ADDRESSES - sizeof(*stamp)) == 0;
}

static void note_changed(struct shunt_tester *tester, uint64_t now)
{
	struct shunt_changed changed = { .after = tester->last_stamp, .seen = now };

	if (!handoff_put(tester->changed, &changed))
		atomic_fetch_add_explicit(&tester->changed_dropped, 1, memory_order_relaxed);
}

unsigned int shunt_tester_changed(
	struct shunt_tester *tester, struct shunt_changed *changed, unsigned int n)
{
	return handoff_take(tester->changed, changed, n);
}

uint64_t shunt_tester_changed_dropped(struct shunt_tester *tester)
{
	return atomic_load_explicit(&tester->changed_dropped, memory_order_relaxed);
}

/* Of a frame in order; its stamp counts only if it is as it was sent, a gap if frames were sent. */
static void note_times(const struct shunt_tester *tester, struct stream *stream, uint64_t now,
	const struct shunt_stamp *stamp, bool good)
{
	struct shunt_times *times =
		&stream->times[atomic_load_explicit(&tester->phase, memory_order_relaxed)];

	if (__builtin_expect(stream->watch.last_seen > shunt_tester_resumed(tester), 1))
		shunt_histogram_add(&times->gap, now - stream->watch.last_seen);
	if (++stream->unsampled < SHUNT_LATENCY_EVERY || !good)
		return;
	stream->unsampled = 0;
	shunt_histogram_add(&times->latency, now - stamp->time);
}

void shunt_tester_receive(
	struct shunt_tester *tester, uint64_t now, const void *frame, uint32_t length)
{
	struct shunt_stamp stamp;
	struct stream *stream;
	uint64_t number;
	bool good;

	if (!shunt_stamp_read(frame, length, &stamp) || stamp.stream >= tester->count) {
		atomic_fetch_add_explicit(&tester->foreign, 1, memory_order_relaxed);
		note_changed(tester, now);
		return;
	}
	stream = &tester->streams[stamp.stream];
	number = stream->watch.next +
		 (uint64_t)(int32_t)(stamp.sequence - (uint32_t)stream->watch.next);
	good = intact(tester, stream, number, &stamp, frame, length);
	if (__builtin_expect(!good, 0)) {
		atomic_fetch_add_explicit(&stream->corrupt, 1, memory_order_relaxed);
		note_changed(tester, now);
		if (number >= stream->next) /* not even its number can be believed */
			return;
	} else {
		tester->last_stamp = stamp.time;
	}
	if (__builtin_expect(number >= stream->watch.next, 1))
		note_times(tester, stream, now, &stamp, good);
	shunt_watch_see(&stream->watch, &stamp, now);
	shunt_watch_publish(&stream->watch);
}

uint64_t shunt_tester_sent(struct shunt_tester *tester, unsigned int stream)
{
	return atomic_load_explicit(&tester->streams[stream].sent, memory_order_acquire);
}

struct shunt_watch *shunt_tester_watch(struct shunt_tester *tester, unsigned int stream)
{
	return &tester->streams[stream].watch;
}

void shunt_tester_phase(struct shunt_tester *tester, enum shunt_phase phase)
{
	atomic_store_explicit(&tester->phase, phase, memory_order_relaxed);
}

const struct shunt_times *shunt_tester_times(
	struct shunt_tester *tester, unsigned int stream, enum shunt_phase phase)
{
	return &tester->streams[stream].times[phase];
}

uint64_t shunt_tester_corrupt(struct shunt_tester *tester, unsigned int stream)
{
	return atomic_load_explicit(&tester->streams[stream].corrupt, memory_order_relaxed);
}

uint64_t shunt_tester_foreign(struct shunt_tester *tester)
{
	return atomic_load_explicit(&tester->foreign, memory_order_relaxed);
}

/* A time of a frame; 0: it was not sent yet, or the sender has come round while it was read. */
static uint64_t logged(struct shunt_tester *tester, unsigned int stream, uint64_t number, bool left)
{
	struct sent_frame *frame = &tester->streams[stream].log[number % LOG_SIZE];
	uint64_t time;

	if (number >= shunt_tester_sent(tester, stream))
		return 0;
	time = atomic_load_explicit(left ? &frame->left : &frame->stamp, memory_order_relaxed);
	return shunt_tester_sent(tester, stream) - number < LOG_SIZE ? time : 0;
}

uint64_t shunt_tester_stamp(struct shunt_tester *tester, unsigned int stream, uint64_t number)
{
	return logged(tester, stream, number, false);
}

uint64_t shunt_tester_left_by(struct shunt_tester *tester, unsigned int stream, uint64_t number)
{
	return logged(tester, stream, number, true);
}

uint64_t shunt_tester_sent_after(struct shunt_tester *tester, unsigned int stream, uint64_t time)
{
	uint64_t number = shunt_tester_sent(tester, stream), stamp, after = 0;

	for (; number-- > 0; after = stamp) {
		stamp = shunt_tester_stamp(tester, stream, number);
		if (!stamp)
			return 0;
		if (stamp <= time)
			break;
	}
	return after;
}

uint64_t shunt_tester_interval(
	struct shunt_tester *tester, unsigned int stream, uint64_t from, uint64_t to, uint64_t kept)
{
	uint64_t after, stamp, longest = 0;
	uint64_t number = shunt_tester_sent(tester, stream);
	const uint64_t now = shunt_clock_now();

	if (!number)
		return 0;
	after = now;
	while (number-- > 0 && after > from) {
		stamp = shunt_tester_stamp(tester, stream, number);
		if (!stamp)
			return 0;
		if (after < kept)
			after = kept;
		if (stamp < to && after - stamp > longest)
			longest = after - stamp;
		after = shunt_tester_left_by(tester, stream, number);
		if (!after)
			after = now;
	}
	return longest;
}
