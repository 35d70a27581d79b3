/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_ether.h>
#include <rte_log.h>

#include <shunt/error.h>

#include "net.h"
#include "rte_net_shunt.h"
#include "shunt_wait.h"

#define PATTERN_START (RTE_ETHER_HDR_LEN + sizeof(uint32_t))
#define POLL_SLEEP_NS 50000

const struct net_config net_defaults = {
	.sim = { .groups = 1, .ports = NET_PORTS, .iommu = SHUNT_SIM_BLOCKING },
	.rx_descriptors = 256,
	.tx_descriptors = 256,
	.rx_queues = 1,
	.tx_queues = 1,
	.data_room = RTE_MBUF_DEFAULT_BUF_SIZE,
	.mtu = RTE_ETHER_MTU,
	.buffers = 2047,
};

#define LINK_WAITS 900 /* of 10 ms: QEMU negotiates too */

static const char *addresses[NET_PORTS] = { "0000:03:00.0", "0000:04:00.0" };
static bool kernel;

/* A model's time passes only while it acts. QEMU's NICs have the machine's time, and may wait for a
 * processor. */
#define MODEL_WAIT_NS  1000000000ull
#define KERNEL_WAIT_NS 10000000000ull

static const struct shunt_platform_ops no_time;
static struct shunt_platform machine = { .ops = &no_time };
static struct shunt_platform *timed = &machine; /* whose time waits for frames take */

void net_use_kernel(const char *function_0, const char *function_1)
{
	addresses[0] = function_0;
	addresses[1] = function_1;
	kernel = true;
}

bool net_on_kernel(void)
{
	return kernel;
}

void net_eal_log(void)
{
	rte_openlog_stream(stderr);
}

void net_eal_start_shared(const char *program, const char *prefix)
{
	bool two = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	char own[256], name[64];
	char *argv[] = { own, kernel ? (char[]){ "--in-memory" } : (char[]){ "--no-huge" },
		(char[]){ "-m" }, (char[]){ "512" }, (char[]){ "--no-pci" },
		(char[]){ "--iova-mode=va" }, (char[]){ "--log-level=lib.eal:warning" },
		(char[]){ "--lcores" }, two ? (char[]){ "0@(0-1)" } : (char[]){ "0@0" },
		prefix ? (char[]){ "--file-prefix" } : (char[]){ "--no-telemetry" },
		prefix ? name : (char[]){ "--no-shconf" }, NULL };

	snprintf(own, sizeof(own), "%s", program);
	snprintf(name, sizeof(name), "%s", prefix ? prefix : "");
	net_eal_log();
	if (rte_eal_init((int)RTE_DIM(argv) - 1, argv) < 0) {
		fprintf(stderr, "%s: EAL does not start\n", program);
		exit(1);
	}
}

void net_eal_start(const char *program)
{
	net_eal_start_shared(program, NULL);
}

void net_time_of(struct shunt_platform *model)
{
	timed = model;
}

static void begin_wait(struct shunt_wait *wait)
{
	shunt_wait_begin(wait, timed);
}

/* Sleeps. @return false: the wait is over */
static bool may_come(struct shunt_wait *wait)
{
	shunt_wait_nap(wait, POLL_SLEEP_NS);
	return !shunt_wait_over(wait, timed == &machine ? KERNEL_WAIT_NS : MODEL_WAIT_NS);
}

void net_create(struct net *net, const struct net_config *config)
{
	memset(net, 0, sizeof(*net));
	net->config = *config;
	net->port[0] = net->port[1] = RTE_MAX_ETHPORTS;
	if (!kernel) {
		assert_int_equal(shunt_sim_create(&config->sim, &net->sim), 0);
		net_time_of(net->sim);
		if (config->sim.ports >= NET_PORTS)
			assert_int_equal(shunt_sim_wire(net->sim, addresses[0], addresses[1]), 0);
		assert_int_equal(inject_create(net->sim, &net->inject), 0);
		assert_int_equal(rte_net_shunt_platform(inject_platform(net->inject)), 0);
	}
	rte_net_shunt_check_every(net->config.check_ms);
	net->pool = rte_pktmbuf_pool_create(
		"net", config->buffers, 0, 0, config->data_room, SOCKET_ID_ANY);
	assert_non_null(net->pool);
}

void net_destroy(struct net *net)
{
	static const struct shunt_sim_objects none;
	struct shunt_sim_objects objects;

	assert_int_equal(rte_mempool_avail_count(net->pool), net->config.buffers);
	rte_mempool_free(net->pool);
	net->pool = NULL;
	if (kernel)
		return;
	shunt_sim_objects(net->sim, &objects);
	assert_memory_equal(&objects, &none, sizeof(none));
	assert_int_equal(rte_net_shunt_platform(NULL), 0);
	inject_destroy(net->inject);
	shunt_platform_destroy(net->sim);
	net->sim = NULL;
}

static void device_name(unsigned int index, char *name, size_t size)
{
	snprintf(name, size, "net_shunt%u", index);
}

int net_probe(struct net *net, unsigned int index)
{
	char name[32], arguments[64];
	int ret;

	device_name(index, name, sizeof(name));
	snprintf(arguments, sizeof(arguments), "pci=%s", addresses[index]);
	ret = rte_vdev_init(name, arguments);
	if (!ret)
		assert_int_equal(rte_eth_dev_get_port_by_name(name, &net->port[index]), 0);
	return ret;
}

int net_configure(struct net *net, unsigned int index)
{
	struct rte_eth_conf conf = net->config.eth;
	uint16_t port = net->port[index];
	int ret;

	conf.txmode.offloads |= net->config.tx_offloads;
	ret = rte_eth_dev_configure(port, net->config.rx_queues, net->config.tx_queues, &conf);
	if (!ret)
		ret = rte_eth_dev_set_mtu(port, net->config.mtu);
	for (uint16_t i = 0; !ret && i < net->config.rx_queues; i++)
		ret = rte_eth_rx_queue_setup(
			port, i, net->config.rx_descriptors, 0, NULL, net->pool);
	for (uint16_t i = 0; !ret && i < net->config.tx_queues; i++)
		ret = rte_eth_tx_queue_setup(port, i, net->config.tx_descriptors, 0, NULL);
	if (!ret)
		ret = rte_eth_promiscuous_enable(port);
	return ret;
}

void net_remove(struct net *net, unsigned int index)
{
	char name[32];

	device_name(index, name, sizeof(name));
	assert_int_equal(rte_vdev_uninit(name), 0);
	net->port[index] = RTE_MAX_ETHPORTS;
}

static bool link_comes_up(uint16_t port)
{
	struct rte_eth_link link;

	for (unsigned int i = 0; i < LINK_WAITS; i++) {
		assert_int_equal(rte_eth_link_get_nowait(port, &link), 0);
		if (link.link_status == RTE_ETH_LINK_UP)
			return true;
		usleep(10000);
	}
	return false;
}

void net_start(struct net *net)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		assert_int_equal(net_probe(net, i), 0);
		assert_int_equal(net_configure(net, i), 0);
		assert_int_equal(rte_eth_dev_start(net->port[i]), 0);
	}
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_true(link_comes_up(net->port[i]));
}

void net_stop(struct net *net)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		assert_int_equal(rte_eth_dev_stop(net->port[i]), 0);
		net_remove(net, i);
	}
}

void net_abandon(struct net *net)
{
	if (!net->pool)
		return;
	if (!kernel)
		inject_stop(net->inject);
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		char name[32];

		device_name(i, name, sizeof(name));
		rte_vdev_uninit(name);
	}
	rte_mempool_free(net->pool);
	net->pool = NULL;
	if (kernel)
		return;
	rte_net_shunt_platform(NULL);
	inject_destroy(net->inject);
	shunt_platform_destroy(net->sim);
	net->sim = NULL;
}

static uint8_t pattern(uint32_t sequence, uint32_t offset)
{
	return (uint8_t)(sequence * 31 + offset * 7 + (offset >> 8));
}

struct rte_mbuf *net_frame(
	struct net *net, uint32_t length, unsigned int segments, uint32_t sequence)
{
	static const struct rte_ether_hdr header = {
		.dst_addr.addr_bytes = { 2, 0, 0, 0, 0, 9 },
		.src_addr.addr_bytes = { 2, 0, 0, 0, 0, 8 },
		.ether_type = RTE_BE16(0x88b5),
	};
	uint32_t piece = length / segments, offset = 0;
	struct rte_mbuf *frame = NULL;
	uint8_t *bytes = malloc(length);

	assert_non_null(bytes);
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), &sequence, sizeof(sequence));
	for (uint32_t i = PATTERN_START; i < length; i++)
		bytes[i] = pattern(sequence, i);
	for (unsigned int i = 0; i < segments; i++) {
		uint32_t part = i + 1 == segments ? length - offset : piece;
		struct rte_mbuf *segment = rte_pktmbuf_alloc(net->pool);

		assert_non_null(segment);
		assert_true(part <= rte_pktmbuf_tailroom(segment));
		memcpy(rte_pktmbuf_append(segment, (uint16_t)part), bytes + offset, part);
		if (frame)
			assert_int_equal(rte_pktmbuf_chain(frame, segment), 0);
		else
			frame = segment;
		offset += part;
	}
	free(bytes);
	return frame;
}

uint32_t net_frame_sequence(const struct rte_mbuf *frame)
{
	uint32_t sequence;

	memcpy(&sequence, rte_pktmbuf_mtod_offset(frame, void *, RTE_ETHER_HDR_LEN),
		sizeof(sequence));
	return sequence;
}

bool net_frame_is(const struct rte_mbuf *frame, uint32_t length, uint32_t sequence)
{
	uint32_t offset = 0;

	if (frame->pkt_len != length || net_frame_sequence(frame) != sequence)
		return false;
	for (; frame; frame = frame->next) {
		const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);

		for (uint32_t i = 0; i < frame->data_len; i++, offset++) {
			if (offset >= PATTERN_START && bytes[i] != pattern(sequence, offset))
				return false;
		}
	}
	return offset == length;
}

unsigned int net_receive(uint16_t port, struct rte_mbuf **frames, unsigned int n)
{
	return net_receive_from(port, 0, frames, n);
}

unsigned int net_receive_from(
	uint16_t port, uint16_t queue, struct rte_mbuf **frames, unsigned int n)
{
	unsigned int received = 0;
	struct shunt_wait quiet;
	uint16_t more;

	begin_wait(&quiet);
	do {
		more = rte_eth_rx_burst(
			port, queue, frames + received, (uint16_t)RTE_MIN(n - received, 32u));
		if (more)
			begin_wait(&quiet);
		received += more;
	} while (received < n && (more || may_come(&quiet)));
	return received;
}

unsigned int net_send(uint16_t port, struct rte_mbuf **frames, unsigned int n)
{
	unsigned int sent = 0;
	struct shunt_wait full;
	uint16_t more;

	begin_wait(&full);
	do {
		more = rte_eth_tx_burst(port, 0, frames + sent, (uint16_t)(n - sent));
		if (more)
			begin_wait(&full);
		sent += more;
	} while (sent < n && (more || may_come(&full)));
	return sent;
}

struct rte_mbuf *net_take(uint16_t port, uint16_t queues, uint16_t *queue)
{
	struct rte_mbuf *frame;
	struct shunt_wait wait;

	begin_wait(&wait);
	do {
		for (*queue = 0; *queue < queues; ++*queue) {
			if (rte_eth_rx_burst(port, *queue, &frame, 1))
				return frame;
		}
	} while (may_come(&wait));
	return NULL;
}

uint64_t net_xstat(uint16_t port, const char *name)
{
	uint64_t id, value;

	assert_int_equal(rte_eth_xstats_get_id_by_name(port, name, &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(port, &id, &value, 1), 1);
	return value;
}

void net_exchange(struct net *net, unsigned int from, unsigned int n, uint32_t length,
	unsigned int segments, uint32_t sequence)
{
	struct rte_mbuf *frames[NET_BURST];

	for (unsigned int i = 0; i < n; i++)
		frames[i] = net_frame(net, length, segments, sequence + i);
	assert_int_equal(net_send(net->port[from], frames, n), n);
	assert_int_equal(net_receive(net->port[!from], frames, n), n);
	for (unsigned int i = 0; i < n; i++) {
		assert_true(net_frame_is(frames[i], length, sequence + i));
		assert_int_equal(frames[i]->port, net->port[!from]);
		rte_pktmbuf_free(frames[i]);
	}
}
