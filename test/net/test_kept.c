/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an application has set up is kept, whatever happens to the NIC: recovery after refused DMA,
 * switches by every plan, resets by others; and frames in a ring are sent with the work on them
 * that they asked for. On the software platform; with two functions named, on those of the kernel.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>
#include <rte_interrupts.h>

#include "packet.h"
#include "rte_net_shunt.h"
#include "shunt_error.h"

#define QUEUES  2u
#define BURST   32
#define VLAN    0x0123
#define MTU     3000
#define WAIT_MS 5000
#define TYPES   (RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_TCP)
#define CHECKSUMS                                                       \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
		RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

static struct net net;
static struct net_config config;
static struct shunt_group *group;
static struct shunt_space *spaces[2];
static unsigned int space; /* in use */

static int set_up(void **state)
{
	config = net_defaults;
	config.buffers = 4095;
	config.rx_queues = QUEUES;
	config.mtu = MTU;
	config.tx_offloads = CHECKSUMS | RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	config.eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	config.eth.rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_STRIP |
				     RTE_ETH_RX_OFFLOAD_VLAN_FILTER | RTE_ETH_RX_OFFLOAD_SCATTER |
				     RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
	config.eth.rx_adv_conf.rss_conf.rss_hf = TYPES;
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
	assert_int_equal(rte_net_shunt_group(net.port[1], &group), 0);
	spaces[0] = shunt_space_find(rte_net_shunt_spaces(), RTE_NET_SHUNT_FIRST_SPACE);
	assert_int_equal(shunt_space_create(rte_net_shunt_spaces(), "b", &spaces[1]), 0);
	assert_int_equal(shunt_group_prepare(group, spaces[1]), 0);
	space = 0;
}

static void end(void)
{
	net_stop(&net);
	net_destroy(&net);
}

/* ---- what is set up, and that it is so ---- */

static const struct rte_ether_addr more = { { 2, 0, 0, 0, 0, 9 } };
static struct rte_ether_addr many = { { 1, 0, 0x5E, 7, 7, 7 } };

static void set_all(uint16_t port)
{
	struct rte_eth_rss_reta_entry64 table[2] = { { .mask = UINT64_MAX },
		{ .mask = UINT64_MAX } };
	struct rte_ether_addr address = more;

	assert_int_equal(rte_eth_promiscuous_disable(port), 0);
	assert_int_equal(rte_eth_dev_mac_addr_add(port, &address, 0), 0);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(port, &many, 1), 0);
	assert_int_equal(rte_eth_dev_vlan_filter(port, VLAN, 1), 0);
	for (unsigned int i = 0; i < 128; i++)
		table[i / 64].reta[i % 64] = i < 64;
	assert_int_equal(rte_eth_dev_rss_reta_update(port, table, 128), 0);
}

static struct rte_mbuf *take(uint16_t *queue)
{
	uint64_t limit = rte_rdtsc() + 2 * rte_get_tsc_hz();
	struct rte_mbuf *frame;

	while (rte_rdtsc() < limit) {
		for (*queue = 0; *queue < QUEUES; ++*queue) {
			if (rte_eth_rx_burst(net.port[1], *queue, &frame, 1))
				return frame;
		}
		rte_delay_us_sleep(50);
	}
	return NULL;
}

/* Something may be on its way yet. */
static void drain(void)
{
	struct rte_mbuf *frames[BURST];
	unsigned int quiet = 0;

	while (quiet < 50) {
		unsigned int n = 0;

		for (uint16_t i = 0; i < QUEUES; i++) {
			n = rte_eth_rx_burst(net.port[1], i, frames, BURST);
			rte_pktmbuf_free_bulk(frames, n);
			quiet = n ? 0 : quiet;
		}
		quiet++;
		rte_delay_us_sleep(100);
	}
}

/* Unwanted in front, so that what arrives tells of both. */
static void check_frame(const struct packet *packet, const struct rte_ether_addr *to)
{
	struct packet other = *packet, wanted = *packet;
	struct rte_mbuf *frames[3], *frame;
	uint16_t queue;

	other.last = 77;
	frames[0] = packet_make(&net, &other);
	other.last = 9;
	other.vlan++;
	frames[1] = packet_make(&net, &other);
	frames[2] = packet_make(&net, packet);
	if (to)
		*rte_pktmbuf_mtod(frames[2], struct rte_ether_addr *) = *to;
	assert_int_equal(net_send(net.port[0], frames, 3), 3);
	frame = take(&queue);
	assert_non_null(frame);
	assert_int_equal(frame->vlan_tci, VLAN);
	assert_int_equal(
		frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED, RTE_MBUF_F_RX_VLAN_STRIPPED);
	assert_int_equal(
		frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	assert_int_equal(queue, frame->hash.rss % 128 < 64);
	wanted.vlan = 0;
	if (to)
		memcpy(rte_pktmbuf_mtod(frame, void *), (uint8_t[6]){ 2, 0, 0, 0, 0, 9 }, 6);
	assert_true(packet_is(frame, &wanted));
}

static void check_all(void)
{
	drain();
	for (uint16_t flow = 0; flow < 12; flow++) {
		struct packet packet = { .flow = flow, .vlan = VLAN, .last = 9, .payload = 30 };

		check_frame(&packet, flow & 1 ? &many : NULL);
	}
	for (uint16_t flow = 0; flow < 3; flow++) {
		struct packet packet = {
			.flow = flow, .vlan = VLAN, .last = 9, .payload = MTU - 28, .segments = 3
		};

		check_frame(&packet, NULL);
	}
}

/* ---- what happens ---- */

static void change_space(enum shunt_plan plan)
{
	struct shunt_switch_result result;
	int ret = shunt_group_switch(group, spaces[!space], plan, &result);

	if (ret)
		print_message("switch: %s\n", shunt_errmsg());
	assert_int_equal(ret, 0);
	space = !space;
}

static void reset_from_outside(unsigned int index)
{
	struct shunt_vfio_device *device;
	struct shunt_switch_result result;

	assert_int_equal(rte_net_shunt_device(net.port[index], &device), 0);
	assert_int_equal(shunt_vfio_reset(device), 0);
	assert_int_equal(shunt_group_check(group, &result), 1);
}

static void wait_for_link(void)
{
	struct rte_eth_link link;

	for (unsigned int i = 0; i < NET_PORTS; i++) {
		for (unsigned int ms = 0; ms < 2 * WAIT_MS; ms++) {
			assert_int_equal(rte_eth_link_get_nowait(net.port[i], &link), 0);
			if (link.link_status == RTE_ETH_LINK_UP)
				break;
			rte_delay_us_sleep(1000);
		}
		assert_int_equal(link.link_status, RTE_ETH_LINK_UP);
	}
}

static void all_is_kept(void **state)
{
	config.eth.intr_conf.rxq = config.eth.intr_conf.lsc = 1;
	begin();
	set_all(net.port[1]);
	check_all();
	change_space(SHUNT_PLAN_QUIESCE);
	check_all();
	change_space(SHUNT_PLAN_RESTART);
	wait_for_link();
	check_all();
	change_space(SHUNT_PLAN_STOP_REPLACE_START);
	wait_for_link();
	check_all();
	for (unsigned int i = 0; i < 2; i++) {
		reset_from_outside(1);
		wait_for_link();
		check_all();
	}
	assert_int_equal(rte_eth_dev_stop(net.port[1]), 0);
	assert_int_equal(rte_eth_dev_start(net.port[1]), 0);
	wait_for_link();
	check_all();
	end();
}

/* A device reset is different: it leaves a port as it was found. */
static void a_device_reset_forgets(void **state)
{
	struct rte_ether_addr before, after;

	begin();
	assert_int_equal(rte_eth_macaddr_get(net.port[1], &before), 0);
	set_all(net.port[1]);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(net.port[1], &many), -EINVAL);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(
				 net.port[1], &(struct rte_ether_addr){ { 2, 1, 1, 1, 1, 1 } }),
		0);
	assert_int_equal(rte_eth_dev_reset(net.port[1]), 0);
	assert_int_equal(rte_eth_promiscuous_get(net.port[1]), 0);
	assert_int_equal(rte_eth_macaddr_get(net.port[1], &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(net_configure(&net, 1), 0);
	assert_int_equal(rte_eth_dev_start(net.port[1]), 0);
	wait_for_link();
	set_all(net.port[1]);
	check_all();
	end();
}

/* One that finds a paused queue empty, and goes to sleep, is woken when it runs again. */
static void sleepers_are_woken(void **state)
{
	struct rte_epoll_event event;

	config.eth.intr_conf.rxq = 1;
	begin();
	assert_int_equal(rte_eth_dev_rx_intr_ctl_q(
				 net.port[1], 1, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, NULL),
		0);
	for (unsigned int i = 0; i < 6; i++) {
		assert_int_equal(rte_eth_dev_rx_intr_enable(net.port[1], 1), 0);
		while (rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, 20) == 1)
			;
		if (i < 4)
			change_space(SHUNT_PLAN_QUIESCE);
		else
			reset_from_outside(1);
		assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, WAIT_MS), 1);
	}
	assert_int_equal(rte_eth_dev_rx_intr_ctl_q(
				 net.port[1], 1, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_DEL, NULL),
		0);
	end();
}

/* ---- frames in the ring ---- */

/* Runs of frames that share a context, and others between them. */
static struct packet kind(unsigned int i)
{
	return (struct packet){ .tcp = i / 7 & 1,
		.ipv6 = i / 20 & 1,
		.flow = (uint16_t)i,
		.vlan = VLAN,
		.payload = 20 + i % 900,
		.segments = 1 + i % 3,
		.last = 9 };
}

static struct rte_mbuf *make(unsigned int i)
{
	struct packet packet = kind(i);
	struct rte_mbuf *frame;

	packet.vlan = 0;
	frame = i % 5 ? packet_make_unsummed(&net, &packet) : packet_make(&net, &packet);
	frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
	frame->vlan_tci = VLAN;
	return frame;
}

static bool is_kind(const struct rte_mbuf *frame, unsigned int number)
{
	struct packet packet = kind(number);

	packet.vlan = 0;
	return packet_equals(frame, &packet);
}

/* Up to the frame of this number. */
static unsigned int receive_up_to(unsigned int last, struct rte_mbuf **frames, unsigned int room)
{
	unsigned int received = 0, quiet = 0;

	while (quiet < 20000 && received < room) {
		uint16_t n = rte_eth_rx_burst(
			net.port[1], 0, frames + received, (uint16_t)(room - received));

		received += n;
		if (n && is_kind(frames[received - 1], last))
			break;
		quiet = n ? 0 : quiet + 1;
		rte_delay_us_sleep(n ? 0 : 100);
	}
	return received;
}

/*
 * Some frames are sent, and some are in the ring with no DMA to take them, when the NIC is reset.
 * Those are sent afterwards, in order and whole; of the others, those that had not been reported
 * may come again.
 */
static void held_frames_are_sent(unsigned int sent, unsigned int held)
{
	struct rte_mbuf *frames[256], *received[512];
	struct shunt_vfio_device *device;
	unsigned int n;

	for (unsigned int i = 0; i < sent + held; i++)
		frames[i] = make(i);
	assert_int_equal(
		rte_eth_tx_prepare(net.port[0], 0, frames, (uint16_t)(sent + held)), sent + held);
	assert_int_equal(net_send(net.port[0], frames, sent), sent);
	assert_int_equal(net_receive(net.port[1], received, sent), sent);
	rte_pktmbuf_free_bulk(received, sent);
	assert_int_equal(rte_net_shunt_device(net.port[0], &device), 0);
	assert_int_equal(shunt_vfio_bus_master(device, false), 0);
	assert_int_equal(net_send(net.port[0], frames + sent, held), held);
	reset_from_outside(0);

	n = receive_up_to(sent + held - 1, received, RTE_DIM(received));
	assert_true(n >= held);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(received[i]->vlan_tci, VLAN);
		assert_true(packet_sums_right(received[i]));
	}
	for (unsigned int i = 0; i < held; i++)
		assert_true(is_kind(received[n - held + i], sent + i));
	rte_pktmbuf_free_bulk(received, n);
}

static void work_on_held_frames_is_not_forgotten(void **state)
{
	config.rx_queues = 1;
	config.eth.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	begin();
	for (unsigned int sent = 0; sent < 80; sent += 3)
		held_frames_are_sent(sent, 1 + sent * 7 % 50);
	end();
}

static bool came(struct rte_mbuf **frames, unsigned int n, unsigned int number)
{
	while (n--) {
		if (is_kind(frames[n], number))
			return true;
	}
	return false;
}

/* The second time, some of what was held before may have been sent, and comes again. */
static void held_twice(void **state)
{
	struct rte_mbuf *frames[64], *received[128];
	struct shunt_vfio_device *device;
	unsigned int n;

	config.rx_queues = 1;
	config.eth.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	begin();
	for (unsigned int i = 0; i < 64; i++)
		frames[i] = make(i);
	assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, frames, 64), 64);
	assert_int_equal(rte_net_shunt_device(net.port[0], &device), 0);
	assert_int_equal(shunt_vfio_bus_master(device, false), 0);
	assert_int_equal(net_send(net.port[0], frames, 40), 40);
	reset_from_outside(0);
	assert_int_equal(shunt_vfio_bus_master(device, false), 0);
	assert_int_equal(net_send(net.port[0], frames + 40, 24), 24);
	reset_from_outside(0);
	n = receive_up_to(63, received, RTE_DIM(received));
	for (unsigned int i = 0; i < n; i++)
		assert_true(packet_sums_right(received[i]));
	for (unsigned int i = 0; i < 64; i++)
		assert_true(came(received, n, i));
	rte_pktmbuf_free_bulk(received, n);
	end();
}

/* A switch makes an idle queue prove that it runs, by a context of its own. */
static void work_is_not_forgotten_between_frames(void **state)
{
	const struct packet packet = { .flow = 3, .payload = 50, .last = 9 };

	config.rx_queues = 1;
	config.eth.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	begin();
	for (unsigned int i = 0; i < 80; i++) {
		struct rte_mbuf *frame = packet_make_unsummed(&net, &packet);

		frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
		frame->vlan_tci = VLAN;
		assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, &frame, 1), 1);
		assert_int_equal(net_send(net.port[0], &frame, 1), 1);
		assert_int_equal(net_receive(net.port[1], &frame, 1), 1);
		assert_int_equal(frame->vlan_tci, VLAN);
		assert_true(packet_is(frame, &packet));
		if (i % 3 == 0)
			change_space(SHUNT_PLAN_QUIESCE);
	}
	end();
}

static unsigned int check_received(uint16_t queue)
{
	struct rte_mbuf *frames[BURST];
	uint16_t n = rte_eth_rx_burst(net.port[1], queue, frames, BURST);

	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(frames[i]->vlan_tci, VLAN);
		assert_true(packet_sums_right(frames[i]));
		if (frames[i]->ol_flags & RTE_MBUF_F_RX_RSS_HASH)
			assert_int_equal(frames[i]->hash.rss % config.rx_queues, queue);
	}
	rte_pktmbuf_free_bulk(frames, n);
	return n;
}

/* Switches whose DMA is refused, and queues that stop: no frame comes out with wrong sums. */
static void across_switches(uint16_t queues)
{
	unsigned int received[QUEUES] = { 0 };
	struct rte_mbuf *frames[BURST];

	config.sim.nic = SHUNT_SIM_WEDGE;
	config.rx_queues = queues;
	config.eth.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	begin();
	for (unsigned int round = 0; round < 800; round++) {
		unsigned int n = rte_mempool_avail_count(net.pool) > 1500 ? BURST : 0, sent;

		for (unsigned int i = 0; i < n; i++)
			frames[i] = make(round * BURST + i);
		assert_int_equal(rte_eth_tx_prepare(net.port[0], 0, frames, (uint16_t)n), n);
		sent = rte_eth_tx_burst(net.port[0], 0, frames, (uint16_t)n);
		rte_pktmbuf_free_bulk(frames + sent, n - sent);
		if (round % 8 == 0)
			change_space(round % 16 ? SHUNT_PLAN_DETACH_ATTACH : SHUNT_PLAN_REPLACE);
		for (uint16_t i = 0; i < queues; i++)
			received[i] += check_received(i);
	}
	for (uint16_t i = 0; i < queues; i++)
		assert_true(received[i] > 1000);
	end();
}

static void sums_are_right_across_switches(void **state)
{
	across_switches(1);
}

static void and_over_several_queues(void **state)
{
	across_switches(QUEUES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, abandon)

int main(int argc, char **argv)
{
	const struct CMUnitTest on_both[] = {
		TEST(all_is_kept),
		TEST(a_device_reset_forgets),
		TEST(sleepers_are_woken),
		TEST(work_is_not_forgotten_between_frames),
	};
	const struct CMUnitTest on_sim[] = {
		TEST(work_on_held_frames_is_not_forgotten),
		TEST(held_twice),
		TEST(sums_are_right_across_switches),
		TEST(and_over_several_queues),
	};
	int failed;

	if (argc == 3)
		net_use_kernel(argv[1], argv[2]);
	net_eal_start(argv[0]);
	failed = cmocka_run_group_tests(on_both, NULL, NULL);
	if (!net_on_kernel())
		failed += cmocka_run_group_tests(on_sim, NULL, NULL);
	return failed;
}
