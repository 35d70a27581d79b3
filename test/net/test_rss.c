/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of several queues a frame goes to. On the software platform; with two functions named, on
 * those of the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_ip.h>
#include <rte_thash.h>

#include "rte_net_shunt.h"
#include "two_ports.h"

#define QUEUES 4u
#define TYPES  (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP)

static void use_rss(uint64_t types)
{
	config.rx_queues = QUEUES;
	config.eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	config.eth.rxmode.offloads = RTE_ETH_RX_OFFLOAD_RSS_HASH;
	config.eth.rx_adv_conf.rss_conf.rss_hf = types;
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
	frame = net_take(net.port[1], QUEUES, &queue);
	assert_non_null(frame);
	assert_true(frame->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
	*hash = frame->hash.rss;
	assert_true(packet_is(frame, &packet));
	return queue;
}

/* A buffer shorter than a key is not overrun, and a key that is too short is refused. */
static void a_key_has_its_length(void **state)
{
	uint8_t key[40] = { 0 };
	struct rte_eth_rss_conf rss = { .rss_key = key, .rss_key_len = 16 };

	use_rss(TYPES);
	begin();
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(net.port[1], &rss), -EINVAL);
	for (unsigned int i = 0; i < sizeof(key); i++)
		assert_int_equal(key[i], 0);
	rss.rss_hf = TYPES;
	assert_int_equal(rte_eth_dev_rss_hash_update(net.port[1], &rss), -EINVAL);
	rss.rss_key_len = sizeof(key);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(net.port[1], &rss), 0);
	assert_int_equal(rss.rss_key_len, sizeof(key));
	assert_int_equal(rte_eth_dev_rss_hash_update(net.port[1], &rss), 0);
	finish();
}

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
	finish();
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
		frame = net_take(net.port[1], QUEUES, &queue);
		assert_non_null(frame);
		assert_int_equal(frame->hash.rss, expected_hash(&packet, key));
		assert_int_equal(queue, frame->hash.rss % 128 % QUEUES);
		rte_pktmbuf_free(frame);
	}
	finish();
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
	finish();
}

/* A disabled queue gets no frames: the others get them, until it is enabled again. */
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
	finish();
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
		frame = net_take(net.port[1], QUEUES, &queue);
		assert_non_null(frame);
		assert_int_equal(queue, 0);
		assert_false(frame->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
		rte_pktmbuf_free(frame);
	}
	assert_int_equal(rte_eth_dev_rss_hash_update(net.port[1], &rss), -ENOTSUP);
	finish();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_has_its_length),
		TEST(flows_spread_over_queues),
		TEST(ipv6_is_hashed),
		TEST(the_table_is_obeyed),
		TEST(stopped_queues_are_passed_by),
		TEST(without_hash_all_go_to_the_first),
	};

	if (argc == 3)
		net_use_kernel(argv[1], argv[2]);
	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
