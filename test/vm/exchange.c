/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other end of an application's ports: numbered frames into each, and the check of what comes
 * back, from whichever. By ports of another driver, DPDK's own.
 *
 *   exchange EAL-ARGUMENT... -- PEER...
 *
 * PEERs are the MAC addresses of the application's ports, in the order of our ports. Commands on
 * standard input: "send" (a closed loop: a fixed number of frames under way), "send RATE" (frames
 * a second and port, whether they come back or not), "listen", and "stop", which waits for what is
 * under way and prints one line of JSON.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#define MAX_PORTS   8
#define BURST       32
#define DESCRIPTORS 2048
#define BUFFERS     (MAX_PORTS * (DESCRIPTORS + 1024))
#define UNDER_WAY   96 /* frames of each stream: all of them fit into one ring of 512 */
#define FLOWS       64
#define HISTORY     (1u << 16)
#define MAGIC       0x7368u
#define FILLER      10
#define LINK_S      20
#define QUIET_MS    1500
#define ASK_MS      500

struct payload {
	uint32_t sequence;
	uint16_t stream;
	uint16_t magic;
	uint8_t filler[FILLER];
} __attribute__((packed));

struct frame {
	struct rte_ether_hdr ether;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	struct payload payload;
} __attribute__((packed, aligned(2)));

struct stream {
	struct rte_ether_addr own, peer;
	uint64_t sent, received, duplicates, changed;
	uint64_t polled; /* frames of whatever kind that came in by this port */
	uint64_t due;    /* ticks: of the next frame, or of a frame although none came back */
	uint32_t seen[HISTORY]; /* sequence + 1 */
};

static struct stream streams[MAX_PORTS];
static uint16_t count;
static uint64_t foreign;
static struct rte_mempool *pool;

static void die(const char *what)
{
	fprintf(stderr, "exchange: %s\n", what);
	exit(1);
}

static uint64_t ticks(uint64_t ms)
{
	return rte_get_tsc_hz() / 1000 * ms;
}

static void start_port(uint16_t port, const char *peer)
{
	struct rte_eth_conf conf = { 0 };

	if (rte_ether_unformat_addr(peer, &streams[port].peer))
		die("a PEER is no MAC address");
	if (rte_eth_dev_configure(port, 1, 1, &conf) ||
		rte_eth_rx_queue_setup(port, 0, DESCRIPTORS, 0, NULL, pool) ||
		rte_eth_tx_queue_setup(port, 0, DESCRIPTORS / 2, 0, NULL) ||
		rte_eth_macaddr_get(port, &streams[port].own) || rte_eth_promiscuous_enable(port) ||
		rte_eth_dev_start(port))
		die("a port does not start");
}

static void wait_for_links(void)
{
	struct rte_eth_link link;

	for (uint16_t port = 0; port < count; port++)
		for (int tries = LINK_S * 100;; tries--) {
			if (!rte_eth_link_get_nowait(port, &link) && link.link_status)
				break;
			if (!tries)
				die("a port has no link");
			usleep(10000);
		}
}

static void make_frame(unsigned int stream, struct frame *frame)
{
	struct stream *from = &streams[stream];
	uint32_t sequence = (uint32_t)from->sent;

	memset(frame, 0, sizeof(*frame));
	rte_ether_addr_copy(&from->peer, &frame->ether.dst_addr);
	rte_ether_addr_copy(&from->own, &frame->ether.src_addr);
	frame->ether.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	frame->ip.version_ihl = RTE_IPV4_VHL_DEF;
	frame->ip.total_length =
		rte_cpu_to_be_16((uint16_t)(sizeof(*frame) - sizeof(frame->ether)));
	frame->ip.time_to_live = 64;
	frame->ip.next_proto_id = IPPROTO_UDP;
	/* RFC 2544's networks, one a port: what l3fwd routes. */
	frame->ip.src_addr = rte_cpu_to_be_32(RTE_IPV4(198, 18, stream, 1));
	frame->ip.dst_addr = rte_cpu_to_be_32(RTE_IPV4(198, 18, (stream + 1) % count, 1));
	frame->udp.src_port = rte_cpu_to_be_16((uint16_t)(1024 + sequence % FLOWS));
	frame->udp.dst_port = RTE_BE16(9);
	frame->udp.dgram_len =
		rte_cpu_to_be_16((uint16_t)(sizeof(frame->udp) + sizeof(frame->payload)));
	frame->payload.sequence = sequence;
	frame->payload.stream = (uint16_t)stream;
	frame->payload.magic = MAGIC;
	memset(frame->payload.filler, (int)(sequence * 7 + 1), FILLER);
	frame->ip.hdr_checksum = rte_ipv4_cksum(&frame->ip);
	frame->udp.dgram_cksum = rte_ipv4_udptcp_cksum(&frame->ip, &frame->udp);
}

/* Whether it is as it was sent, but for what a router or a checksum engine may change. */
static bool intact(struct frame *frame)
{
	uint8_t wanted = (uint8_t)(frame->payload.sequence * 7 + 1);

	for (unsigned int i = 0; i < FILLER; i++)
		if (frame->payload.filler[i] != wanted)
			return false;
	return frame->ether.ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
	       rte_raw_cksum(&frame->ip, sizeof(frame->ip)) == 0xffff &&
	       rte_ipv4_udptcp_cksum_verify(&frame->ip, &frame->udp) == 0;
}

static void take(struct rte_mbuf *mbuf)
{
	struct frame *frame = rte_pktmbuf_mtod(mbuf, struct frame *);
	struct stream *stream;
	uint32_t sequence;

	if (mbuf->pkt_len != sizeof(*frame) || frame->payload.magic != MAGIC ||
		frame->payload.stream >= count) {
		foreign++;
		return;
	}
	stream = &streams[frame->payload.stream];
	sequence = frame->payload.sequence;
	if (sequence >= stream->sent || !intact(frame)) {
		stream->changed++;
	} else if (stream->seen[sequence % HISTORY] == sequence + 1) {
		stream->duplicates++;
	} else {
		stream->seen[sequence % HISTORY] = sequence + 1;
		stream->received++;
	}
}

static unsigned int receive(void)
{
	struct rte_mbuf *frames[BURST];
	unsigned int all = 0;

	for (uint16_t port = 0; port < count; port++) {
		uint16_t n = rte_eth_rx_burst(port, 0, frames, BURST);

		for (uint16_t i = 0; i < n; i++)
			take(frames[i]);
		rte_pktmbuf_free_bulk(frames, n);
		streams[port].polled += n;
		all += n;
	}
	return all;
}

/* Whether a frame is due: by the rate, or, in the closed loop, if one has come back for it. When
 * none comes any more one asks now and then, so that a loss is not an end. */
static bool due(struct stream *stream, uint64_t interval)
{
	uint64_t now = rte_rdtsc();

	if (interval) {
		if (now < stream->due)
			return false;
		stream->due = stream->due ? stream->due + interval : now + interval;
		return true;
	}
	if (stream->sent - stream->received >= UNDER_WAY && now < stream->due)
		return false;
	stream->due = now + ticks(ASK_MS);
	return true;
}

static unsigned int send_due(uint64_t interval)
{
	unsigned int all = 0;

	for (uint16_t port = 0; port < count; port++) {
		struct rte_mbuf *mbuf;

		if (!due(&streams[port], interval))
			continue;
		mbuf = rte_pktmbuf_alloc(pool);
		if (!mbuf)
			continue;
		make_frame(port, (struct frame *)rte_pktmbuf_append(mbuf, sizeof(struct frame)));
		streams[port].sent++;
		if (!rte_eth_tx_burst(port, 0, &mbuf, 1)) {
			streams[port].sent--;
			rte_pktmbuf_free(mbuf);
			continue;
		}
		all++;
	}
	return all;
}

static void report(void)
{
	printf("{\"foreign\":%" PRIu64 ",\"streams\":[", foreign);
	for (uint16_t port = 0; port < count; port++) {
		const struct stream *stream = &streams[port];
		struct rte_eth_stats stats = { 0 };

		rte_eth_stats_get(port, &stats);
		printf("%s{\"sent\":%" PRIu64 ",\"received\":%" PRIu64 ",\"duplicates\":%" PRIu64
		       ",\"changed\":%" PRIu64 ",\"polled\":%" PRIu64 ",\"missed\":%" PRIu64 "}",
			port ? "," : "", stream->sent, stream->received, stream->duplicates,
			stream->changed, stream->polled, stats.imissed);
	}
	printf("]}\n");
	fflush(stdout);
}

static void reset(void)
{
	foreign = 0;
	for (uint16_t port = 0; port < count; port++) {
		struct stream *stream = &streams[port];

		stream->sent = stream->received = stream->duplicates = stream->changed = 0;
		stream->polled = stream->due = 0;
		memset(stream->seen, 0, sizeof(stream->seen));
		rte_eth_stats_reset(port);
	}
}

static bool command_waits(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&input, 1, 0) > 0;
}

static void nap(void)
{
	const struct timespec pause = { .tv_nsec = 20000 };

	nanosleep(&pause, NULL);
}

/* Until the next command; then until nothing has come for a while. */
static void exchange(bool sends, uint64_t interval)
{
	uint64_t quiet;

	for (unsigned int i = 0; i % 64 || !command_waits(); i++) {
		unsigned int frames = receive();

		if (sends)
			frames += send_due(interval);
		if (!frames)
			nap();
	}
	for (quiet = rte_rdtsc(); rte_rdtsc() - quiet < ticks(QUIET_MS);)
		if (receive())
			quiet = rte_rdtsc();
		else
			nap();
}

static void serve(void)
{
	char line[64];
	uint64_t rate;

	while (fgets(line, sizeof(line), stdin)) {
		rate = strncmp(line, "send ", 5) == 0 ? strtoull(line + 5, NULL, 10) : 0;
		if (strncmp(line, "stop", 4) == 0) {
			report();
			continue;
		}
		if (strncmp(line, "send", 4) != 0 && strncmp(line, "listen", 6) != 0)
			die("unknown command");
		reset();
		exchange(line[0] == 's', rate ? rte_get_tsc_hz() / rate : 0);
	}
}

int main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv);

	if (used < 0)
		die("EAL does not start");
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() has to see what is not read */
	count = (uint16_t)(argc - used - 1);
	if (!count || count > MAX_PORTS || rte_eth_dev_count_avail() != count)
		die("as many PEERs as ports are wanted");
	pool = rte_pktmbuf_pool_create(
		"exchange", BUFFERS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!pool)
		die("no memory for frames");
	for (uint16_t port = 0; port < count; port++)
		start_port(port, argv[used + 1 + port]);
	wait_for_links();
	printf("ready\n");
	fflush(stdout);
	serve();
	for (uint16_t port = 0; port < count; port++)
		rte_eth_dev_stop(port);
	rte_eal_cleanup();
	return 0;
}
