/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a port offers beside the content of frames: who gets which, over how many queues, how long
 * they may be, how an application waits for them, and what the port tells of itself. On the
 * software platform; with two functions named, on those of the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>
#include <rte_interrupts.h>
#include <rte_ip.h>
#include <rte_thash.h>

#include "packet.h"
#include "rte_net_shunt.h"

#define QUEUES  4u
#define WAIT_MS 5000

static struct net net;
static struct net_config config;

static int set_up(void **state)
{
	config = net_defaults;
	config.buffers = 4095;
	return 0;
}

static int abandon(void **state)
{
	net_abandon(&net);
	return 0;
}

static void begin(void)
{
	net_create(&net, &config);
	net_start(&net);
}

static void end(void)
{
	net_stop(&net);
	net_destroy(&net);
}

/* ---- who gets which ---- */

static struct rte_mbuf *addressed(const struct rte_ether_addr *to, uint8_t seed)
{
	struct packet packet = { .payload = 64, .seed = seed, .last = 1 };
	struct rte_mbuf *frame = packet_make(&net, &packet);

	*rte_pktmbuf_mtod(frame, struct rte_ether_addr *) = *to;
	return frame;
}

/* Frames arrive in order, so one that surely passes tells of the one before. */
static bool passes(const struct rte_ether_addr *to)
{
	static const struct rte_ether_addr broadcast = { { 255, 255, 255, 255, 255, 255 } };
	struct rte_mbuf *frames[2] = { addressed(to, 1), addressed(&broadcast, 2) };
	bool passed;

	assert_int_equal(net_send(net.port[0], frames, 2), 2);
	assert_int_equal(net_receive(net.port[1], frames, 1), 1);
	passed = rte_is_same_ether_addr(rte_pktmbuf_mtod(frames[0], void *), to);
	if (passed) {
		assert_int_equal(net_receive(net.port[1], frames + 1, 1), 1);
		rte_pktmbuf_free(frames[1]);
	}
	rte_pktmbuf_free(frames[0]);
	return passed;
}

static void unicast_addresses(void **state)
{
	struct rte_ether_addr own, more, other = { { 2, 0, 0, 0, 7, 7 } };

	begin();
	assert_true(passes(&other));
	assert_int_equal(rte_eth_promiscuous_disable(net.port[1]), 0);
	assert_false(passes(&other));
	assert_int_equal(rte_eth_macaddr_get(net.port[1], &own), 0);
	assert_true(passes(&own));
	for (uint8_t i = 1; i < 24; i++) { /* all that the NIC has */
		more = (struct rte_ether_addr){ { 2, 0, 0, 0, 9, i } };
		assert_int_equal(rte_eth_dev_mac_addr_add(net.port[1], &more, 0), 0);
	}
	for (uint8_t i = 1; i < 24; i++) {
		more = (struct rte_ether_addr){ { 2, 0, 0, 0, 9, i } };
		assert_true(passes(&more));
		assert_int_equal(rte_eth_dev_mac_addr_remove(net.port[1], &more), 0);
		assert_false(passes(&more));
	}
	assert_int_equal(rte_eth_dev_default_mac_addr_set(net.port[1], &other), 0);
	assert_true(passes(&other));
	assert_false(passes(&own));
	assert_int_equal(rte_eth_dev_default_mac_addr_set(net.port[1], &own), 0);
	assert_int_equal(rte_eth_promiscuous_enable(net.port[1]), 0);
	assert_true(passes(&other));
	end();
}

static void multicast_addresses(void **state)
{
	struct rte_ether_addr list[] = { { { 1, 0, 0x5E, 1, 2, 3 } },
		{ { 1, 0, 0x5E, 0, 0, 251 } } };
	struct rte_ether_addr other = { { 0x33, 0x33, 0, 0, 0x12, 0x34 } };

	begin();
	assert_int_equal(rte_eth_promiscuous_disable(net.port[1]), 0);
	assert_false(passes(&list[0]));
	assert_int_equal(rte_eth_dev_set_mc_addr_list(net.port[1], list, 2), 0);
	assert_true(passes(&list[0]));
	assert_true(passes(&list[1]));
	assert_false(passes(&other));
	assert_int_equal(rte_eth_allmulticast_enable(net.port[1]), 0);
	assert_true(passes(&other));
	assert_int_equal(rte_eth_allmulticast_disable(net.port[1]), 0);
	assert_false(passes(&other));
	assert_int_equal(rte_eth_dev_set_mc_addr_list(net.port[1], NULL, 0), 0);
	assert_false(passes(&list[0]));
	end();
}

/* ---- how long ---- */

static void send_long(uint32_t length, bool arrives)
{
	struct packet packet = { .last = 9, .seed = (uint8_t)length };
	struct packet marker = { .last = 9, .payload = 33 };
	struct rte_mbuf *frames[2];

	packet.payload = length - packet_headers(&packet);
	packet.segments = 1 + length / 900;
	frames[0] = packet_make(&net, &packet);
	frames[1] = packet_make(&net, &marker);
	assert_int_equal(net_send(net.port[0], frames, 2), 2);
	assert_int_equal(net_receive(net.port[1], frames, 1 + arrives), 1 + arrives);
	if (arrives) {
		assert_int_equal(frames[0]->nb_segs, (length + 1023) / 1024);
		assert_true(packet_is(frames[0], &packet));
	}
	assert_true(packet_is(frames[arrives], &marker));
}

static void long_frames_as_the_mtu_says(void **state)
{
	config.data_room = RTE_PKTMBUF_HEADROOM + 1024;
	config.mtu = 4000;
	config.tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	begin();
	for (unsigned int i = 0; i < 30; i++)
		send_long(60 + 131 * i, true);
	send_long(4014, true);
	send_long(4014 + 5, false); /* room for one VLAN tag is left */
	assert_int_equal(rte_eth_dev_set_mtu(net.port[1], 9000), 0);
	send_long(9014, true);
	assert_int_equal(rte_eth_dev_set_mtu(net.port[1], 1500), 0);
	send_long(1519, false);
	send_long(1514, true);
	end();
}

/* ---- over how many queues ---- */

static void use_rss(uint64_t types)
{
	config.rx_queues = QUEUES;
	config.eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	config.eth.rxmode.offloads = RTE_ETH_RX_OFFLOAD_RSS_HASH;
	config.eth.rx_adv_conf.rss_conf.rss_hf = types;
}

/* Takes a frame from whatever queue it went to. */
static struct rte_mbuf *take(uint16_t *queue)
{
	uint64_t end = rte_rdtsc() + 2 * rte_get_tsc_hz();
	struct rte_mbuf *frame;

	while (rte_rdtsc() < end) {
		for (*queue = 0; *queue < QUEUES; ++*queue) {
			if (rte_eth_rx_burst(net.port[1], *queue, &frame, 1))
				return frame;
		}
		rte_delay_us_sleep(50);
	}
	return NULL;
}

static uint32_t expected_hash(const struct packet *packet, const uint8_t *key)
{
	union rte_thash_tuple tuple;
	uint8_t bytes[2048];
	uint8_t *transport;

	packet_bytes(packet, bytes);
	if (packet->ipv6) {
		const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)(bytes + 14);

		transport = bytes + 14 + sizeof(*ip);
		rte_thash_load_v6_addrs(ip, &tuple);
		tuple.v6.sport = (uint16_t)(transport[0] << 8 | transport[1]);
		tuple.v6.dport = (uint16_t)(transport[2] << 8 | transport[3]);
		return rte_softrss((uint32_t *)&tuple, RTE_THASH_V6_L4_LEN, key);
	}
	tuple.v4.src_addr = rte_be_to_cpu_32(((struct rte_ipv4_hdr *)(bytes + 14))->src_addr);
	tuple.v4.dst_addr = rte_be_to_cpu_32(((struct rte_ipv4_hdr *)(bytes + 14))->dst_addr);
	transport = bytes + 14 + sizeof(struct rte_ipv4_hdr);
	tuple.v4.sport = (uint16_t)(transport[0] << 8 | transport[1]);
	tuple.v4.dport = (uint16_t)(transport[2] << 8 | transport[3]);
	return rte_softrss((uint32_t *)&tuple, RTE_THASH_V4_L4_LEN, key);
}

static uint16_t queue_of_flow(uint16_t flow, uint32_t *hash)
{
	struct packet packet = { .flow = flow, .payload = 20, .last = 9, .tcp = flow & 1 };
	struct rte_mbuf *frame = packet_make(&net, &packet);
	uint16_t queue;

	assert_int_equal(net_send(net.port[0], &frame, 1), 1);
	frame = take(&queue);
	assert_non_null(frame);
	assert_true(frame->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
	*hash = frame->hash.rss;
	assert_true(packet_is(frame, &packet));
	return queue;
}

#define TYPES (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP)

static void flows_spread_over_queues(void **state)
{
	uint8_t key[40], other[40];
	struct rte_eth_rss_conf rss = { .rss_key = key };
	unsigned int of_queue[QUEUES] = { 0 };
	uint32_t hash;

	use_rss(TYPES);
	begin();
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(net.port[1], &rss), 0);
	assert_int_equal(rss.rss_hf, TYPES);
	for (uint16_t flow = 0; flow < 64; flow++) {
		struct packet packet = { .flow = flow, .payload = 20, .last = 9, .tcp = flow & 1 };
		uint16_t queue = queue_of_flow(flow, &hash);

		assert_int_equal(hash, expected_hash(&packet, key));
		assert_int_equal(queue, hash % 128 % QUEUES);
		of_queue[queue]++;
	}
	for (unsigned int i = 0; i < QUEUES; i++)
		assert_true(of_queue[i] > 4);
	for (unsigned int i = 0; i < sizeof(other); i++)
		other[i] = (uint8_t)(i * 77 + 5);
	rss = (struct rte_eth_rss_conf){ .rss_key = other, .rss_key_len = 40, .rss_hf = TYPES };
	assert_int_equal(rte_eth_dev_rss_hash_update(net.port[1], &rss), 0);
	for (uint16_t flow = 0; flow < 8; flow++) {
		struct packet packet = { .flow = flow, .payload = 20, .last = 9, .tcp = flow & 1 };

		queue_of_flow(flow, &hash);
		assert_int_equal(hash, expected_hash(&packet, other));
	}
	end();
}

static void ipv6_is_hashed(void **state)
{
	struct packet packet = { .ipv6 = true, .payload = 20, .last = 9 };
	uint8_t key[40];
	struct rte_eth_rss_conf rss = { .rss_key = key };
	uint16_t queue;

	use_rss(RTE_ETH_RSS_NONFRAG_IPV6_UDP);
	begin();
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(net.port[1], &rss), 0);
	for (packet.flow = 0; packet.flow < 9; packet.flow++) {
		struct rte_mbuf *frame = packet_make(&net, &packet);

		assert_int_equal(net_send(net.port[0], &frame, 1), 1);
		frame = take(&queue);
		assert_non_null(frame);
		assert_int_equal(frame->hash.rss, expected_hash(&packet, key));
		assert_int_equal(queue, frame->hash.rss % 128 % QUEUES);
		rte_pktmbuf_free(frame);
	}
	end();
}

static void the_table_is_obeyed(void **state)
{
	struct rte_eth_rss_reta_entry64 table[2];
	uint32_t hash;

	use_rss(TYPES);
	begin();
	for (unsigned int i = 0; i < 128; i++) {
		table[i / 64].mask = UINT64_MAX;
		table[i / 64].reta[i % 64] = i < 100 ? 2 : 3;
	}
	assert_int_equal(rte_eth_dev_rss_reta_update(net.port[1], table, 128), 0);
	for (uint16_t flow = 0; flow < 40; flow++) {
		uint16_t queue = queue_of_flow(flow, &hash);

		assert_int_equal(queue, hash % 128 < 100 ? 2 : 3);
	}
	memset(table, 0, sizeof(table));
	table[1].mask = 3ull << 40;
	table[1].reta[40] = 1;
	assert_int_equal(rte_eth_dev_rss_reta_update(net.port[1], table, 128), 0);
	table[0].mask = table[1].mask = UINT64_MAX;
	assert_int_equal(rte_eth_dev_rss_reta_query(net.port[1], table, 128), 0);
	assert_int_equal(table[0].reta[63], 2);
	assert_int_equal(table[1].reta[39], 3);
	assert_int_equal(table[1].reta[40], 1);
	assert_int_equal(table[1].reta[41], 0);
	assert_true(rte_eth_dev_rss_reta_query(net.port[1], table, 64) < 0);
	end();
}

/* A queue that is off gets no frames: they go to the others, and come back with it. */
static void stopped_queues_are_passed_by(void **state)
{
	uint32_t hash;

	use_rss(TYPES);
	begin();
	assert_int_equal(rte_eth_dev_rx_queue_stop(net.port[1], 1), 0);
	assert_int_equal(rte_eth_dev_rx_queue_stop(net.port[1], 2), 0);
	for (uint16_t flow = 0; flow < 40; flow++) {
		uint16_t queue = queue_of_flow(flow, &hash);

		assert_true(queue == 0 || queue == 3);
		if (hash % QUEUES == 0 || hash % QUEUES == 3)
			assert_int_equal(queue, hash % QUEUES);
	}
	assert_int_equal(rte_eth_dev_rx_queue_start(net.port[1], 2), 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(net.port[1], 1), 0);
	for (uint16_t flow = 0; flow < 40; flow++) {
		uint16_t queue = queue_of_flow(flow, &hash);

		assert_int_equal(queue, hash % QUEUES);
	}
	end();
}

static void without_hash_all_go_to_the_first(void **state)
{
	struct packet packet = { .payload = 20, .last = 9 };
	struct rte_eth_rss_conf rss = { .rss_hf = TYPES };
	uint16_t queue;

	config.rx_queues = QUEUES;
	begin();
	for (packet.flow = 0; packet.flow < 20; packet.flow++) {
		struct rte_mbuf *frame = packet_make(&net, &packet);

		assert_int_equal(net_send(net.port[0], &frame, 1), 1);
		frame = take(&queue);
		assert_non_null(frame);
		assert_int_equal(queue, 0);
		assert_false(frame->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
		rte_pktmbuf_free(frame);
	}
	assert_int_equal(rte_eth_dev_rss_hash_update(net.port[1], &rss), -ENOTSUP);
	end();
}

/* ---- how an application waits ---- */

/* @return whether the queue's interrupt came within a time */
static bool interrupted(int ms)
{
	struct rte_epoll_event event;

	return rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, ms) == 1;
}

static void send_to(uint16_t flow)
{
	struct packet packet = { .flow = flow, .payload = 20, .last = 9, .tcp = flow & 1 };
	struct rte_mbuf *frame = packet_make(&net, &packet);

	assert_int_equal(net_send(net.port[0], &frame, 1), 1);
}

static void receive_interrupts(void **state)
{
	struct rte_mbuf *frame;
	uint16_t queue;
	uint32_t hash;

	use_rss(TYPES);
	config.eth.intr_conf.rxq = 1;
	begin();
	queue = queue_of_flow(1, &hash);
	for (uint16_t i = 0; i < QUEUES; i++)
		assert_int_equal(rte_eth_dev_rx_intr_ctl_q(net.port[1], i, RTE_EPOLL_PER_THREAD,
					 RTE_INTR_EVENT_ADD, NULL),
			0);
	for (unsigned int round = 0; round < 10; round++) {
		/* Not asked for: none. */
		send_to(1);
		frame = take(&queue);
		assert_non_null(frame);
		rte_pktmbuf_free(frame);
		assert_false(interrupted(1));
		/* What is pending may come at once, and then says nothing. */
		assert_int_equal(rte_eth_dev_rx_intr_enable(net.port[1], queue), 0);
		while (interrupted(20))
			;
		send_to(1);
		assert_true(interrupted(WAIT_MS));
		assert_int_equal(rte_eth_dev_rx_intr_disable(net.port[1], queue), 0);
		assert_int_equal(net_receive_from(net.port[1], queue, &frame, 1), 1);
		rte_pktmbuf_free(frame);
		while (interrupted(1))
			;
	}
	for (uint16_t i = 0; i < QUEUES; i++)
		assert_int_equal(rte_eth_dev_rx_intr_ctl_q(net.port[1], i, RTE_EPOLL_PER_THREAD,
					 RTE_INTR_EVENT_DEL, NULL),
			0);
	end();
}

static void interrupts_have_to_be_configured(void **state)
{
	begin();
	assert_int_equal(rte_eth_dev_rx_intr_enable(net.port[1], 0), -ENOTSUP);
	end();
	config.rx_queues = 10; /* and there are nine vectors for them */
	config.eth.intr_conf.rxq = 1;
	net_create(&net, &config);
	assert_int_equal(net_probe(&net, 0), 0);
	assert_int_equal(net_configure(&net, 0), 0);
	assert_int_equal(rte_eth_dev_start(net.port[0]), -ENOTSUP);
	net_remove(&net, 0);
	net_destroy(&net);
}

static uint32_t changes;

static int changed(uint16_t port, enum rte_eth_event_type type, void *arg, void *result)
{
	__atomic_fetch_add(&changes, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static bool changed_within(uint32_t before, unsigned int ms)
{
	for (; ms && __atomic_load_n(&changes, __ATOMIC_SEQ_CST) == before; ms--)
		rte_delay_us_sleep(1000);
	return __atomic_load_n(&changes, __ATOMIC_SEQ_CST) != before;
}

static void tester_takes(void *context, uint64_t now, const void *frame, uint32_t length)
{
}

static const void *tester_sends(void *context, uint64_t now, bool ready, uint32_t *length)
{
	return NULL;
}

static void link_interrupts(void **state)
{
	static const struct shunt_sim_endpoint tester = { .send = tester_sends,
		.receive = tester_takes };
	struct rte_eth_link link;
	uint32_t before = 0;

	config.sim.ports = net_on_kernel() ? config.sim.ports : 1; /* a wire that can be cut */
	config.eth.intr_conf.lsc = 1;
	changes = 0;
	net_create(&net, &config);
	if (!net_on_kernel())
		assert_int_equal(shunt_sim_connect(net.sim, "0000:03:00.0", &tester), 0);
	assert_int_equal(net_probe(&net, 0), 0);
	assert_int_equal(
		rte_eth_dev_callback_register(net.port[0], RTE_ETH_EVENT_INTR_LSC, changed, NULL),
		0);
	assert_int_equal(net_configure(&net, 0), 0);
	assert_int_equal(rte_eth_dev_start(net.port[0]), 0);
	assert_true(changed_within(before, WAIT_MS));
	assert_int_equal(rte_eth_link_get_nowait(net.port[0], &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_UP);
	for (unsigned int i = 0; !net_on_kernel() && i < 10; i++) {
		before = __atomic_load_n(&changes, __ATOMIC_SEQ_CST);
		assert_int_equal(
			shunt_sim_connect(net.sim, "0000:03:00.0", i & 1 ? &tester : NULL), 0);
		assert_true(changed_within(before, WAIT_MS));
		assert_int_equal(rte_eth_link_get_nowait(net.port[0], &link), 0);
		assert_int_equal(link.link_status, i & 1);
	}
	assert_int_equal(
		rte_eth_dev_callback_unregister(net.port[0], RTE_ETH_EVENT_INTR_LSC, changed, NULL),
		0);
	assert_int_equal(rte_eth_dev_stop(net.port[0]), 0);
	net_remove(&net, 0);
	net_destroy(&net);
}

static bool link_is(uint16_t port, uint16_t status)
{
	struct rte_eth_link link;

	for (unsigned int ms = 0; ms < WAIT_MS; ms++) {
		assert_int_equal(rte_eth_link_get_nowait(port, &link), 0);
		if (link.link_status == status)
			return true;
		rte_delay_us_sleep(1000);
	}
	return false;
}

/* QEMU keeps the link of a PHY without power. */
static void link_by_command(void **state)
{
	uint16_t off = net_on_kernel() ? RTE_ETH_LINK_UP : RTE_ETH_LINK_DOWN;

	begin();
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(rte_eth_dev_set_link_down(net.port[0]), 0);
		assert_true(link_is(net.port[0], off));
		assert_true(link_is(net.port[1], off));
		if (i == 1) { /* the next start is one with a link */
			assert_int_equal(rte_eth_dev_stop(net.port[0]), 0);
			assert_int_equal(rte_eth_dev_start(net.port[0]), 0);
		} else {
			assert_int_equal(rte_eth_dev_set_link_up(net.port[0]), 0);
		}
		assert_true(link_is(net.port[0], RTE_ETH_LINK_UP));
		assert_true(link_is(net.port[1], RTE_ETH_LINK_UP));
		send_long(100, true);
	}
	end();
}

/* ---- what the port tells of itself ---- */

static void registers_and_firmware(void **state)
{
	struct rte_dev_reg_info info = { 0 };
	uint32_t values[2048];
	char version[16];

	begin();
	assert_int_equal(rte_eth_dev_fw_version_get(net.port[0], version, sizeof(version)), 0);
	if (!net_on_kernel())
		assert_string_equal(version, "1.7.0");
	assert_int_equal(
		rte_eth_dev_fw_version_get(net.port[0], version, 3), (int)strlen(version) + 1);
	assert_int_equal(rte_eth_dev_get_reg_info(net.port[0], &info), 0);
	assert_int_equal(info.width, sizeof(values[0]));
	assert_true(info.length > 100 && info.length <= RTE_DIM(values));
	info.data = values;
	assert_int_equal(rte_eth_dev_get_reg_info(net.port[0], &info), 0);
	assert_true(values[1] & 1u << 1); /* STATUS.LU */
	end();
}

static void statistics(void **state)
{
	struct rte_eth_stats stats;
	struct rte_mbuf *frames[20];
	uint64_t bytes = 0;

	begin();
	for (unsigned int round = 1; round <= 2; round++) {
		bytes = 0;
		for (uint16_t i = 0; i < 20; i++) {
			struct packet packet = { .flow = i, .payload = 30 + 60u * i, .last = 9 };

			frames[i] = packet_make(&net, &packet);
			bytes += frames[i]->pkt_len;
		}
		assert_int_equal(net_send(net.port[0], frames, 20), 20);
		assert_int_equal(net_receive(net.port[1], frames, 20), 20);
		rte_pktmbuf_free_bulk(frames, 20);
		assert_int_equal(rte_eth_stats_get(net.port[0], &stats), 0);
		assert_int_equal(stats.opackets, 20);
		assert_int_equal(stats.obytes, bytes);
		assert_int_equal(stats.oerrors, 0);
		assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
		assert_int_equal(stats.ipackets, 20);
		assert_int_equal(stats.ibytes, bytes);
		assert_int_equal(net_xstat(net.port[1], "rx_q0_packets"), 20);
		assert_int_equal(stats.imissed, 0);
		assert_int_equal(net_xstat(net.port[0], "tx_nic_good_packets"), 20);
		assert_int_equal(net_xstat(net.port[1], "rx_nic_good_packets"), 20);
		assert_int_equal(net_xstat(net.port[1], "rx_nic_good_bytes"),
			bytes + 20 * RTE_ETHER_CRC_LEN);
		assert_int_equal(net_xstat(net.port[1], "rx_size_1024_to_max_packets"), 4);
		assert_int_equal(rte_eth_stats_reset(net.port[0]), 0);
		assert_int_equal(rte_eth_stats_reset(net.port[1]), 0);
		assert_int_equal(net_xstat(net.port[1], "rx_nic_good_packets"), 0);
	}
	end();
}

static void what_is_left_in_queues(void **state)
{
	struct rte_mbuf *frames[8];

	config.tx_offloads = RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	begin();
	assert_int_equal(rte_eth_rx_queue_count(net.port[1], 0), 0);
	for (uint16_t i = 0; i < 8; i++) {
		struct packet packet = { .flow = i, .payload = 20, .last = 9 };

		frames[i] = packet_make_unsummed(&net, &packet);
	}
	assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, frames, 8), 8);
	assert_int_equal(net_send(net.port[0], frames, 8), 8);
	while (rte_eth_rx_queue_count(net.port[1], 0) < 8)
		rte_delay_us_sleep(100);
	assert_int_equal(rte_eth_rx_descriptor_status(net.port[1], 0, 7), RTE_ETH_RX_DESC_DONE);
	assert_int_equal(net_receive(net.port[1], frames, 8), 8);
	assert_int_equal(rte_eth_rx_queue_count(net.port[1], 0), 0);
	rte_pktmbuf_free_bulk(frames, 8);
	assert_true(rte_eth_tx_done_cleanup(net.port[0], 0, 0) >= 0);
	end();
}

static void loopback(void **state)
{
	struct packet packet = { .payload = 100, .last = 9 };
	struct rte_mbuf *frame;

	config.eth.lpbk_mode = 1;
	begin();
	for (packet.flow = 0; packet.flow < 10; packet.flow++) {
		frame = packet_make(&net, &packet);
		assert_int_equal(net_send(net.port[0], &frame, 1), 1);
		assert_int_equal(net_receive(net.port[0], &frame, 1), 1);
		assert_true(packet_is(frame, &packet));
	}
	assert_int_equal(rte_eth_rx_burst(net.port[1], 0, &frame, 1), 0);
	end();
}

static void modes_that_are_not_driven_are_refused(void **state)
{
	struct rte_eth_conf conf = { .lpbk_mode = 2 };

	net_create(&net, &config);
	assert_int_equal(net_probe(&net, 0), 0);
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), -ENOTSUP);
	conf = (struct rte_eth_conf){ .rxmode.mq_mode = RTE_ETH_MQ_RX_VMDQ_ONLY };
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), -ENOTSUP);
	conf = (struct rte_eth_conf){ .link_speeds = RTE_ETH_LINK_SPEED_FIXED };
	assert_int_equal(rte_eth_dev_configure(net.port[0], 1, 1, &conf), -ENOTSUP);
	net_remove(&net, 0);
	net_destroy(&net);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, abandon)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(unicast_addresses),
		TEST(multicast_addresses),
		TEST(long_frames_as_the_mtu_says),
		TEST(flows_spread_over_queues),
		TEST(ipv6_is_hashed),
		TEST(the_table_is_obeyed),
		TEST(stopped_queues_are_passed_by),
		TEST(without_hash_all_go_to_the_first),
		TEST(receive_interrupts),
		TEST(interrupts_have_to_be_configured),
		TEST(link_interrupts),
		TEST(link_by_command),
		TEST(registers_and_firmware),
		TEST(statistics),
		TEST(what_is_left_in_queues),
		TEST(loopback),
		TEST(modes_that_are_not_driven_are_refused),
	};

	if (argc == 3)
		net_use_kernel(argv[1], argv[2]);
	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
