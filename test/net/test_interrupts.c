/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How an application waits for frames, and is told of the link. Runs on the software platform; with
 * two functions named, on those of the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef stop /* a macro of cmocka 2 */
#include <rte_cycles.h>
#include <rte_interrupts.h>

#include "rte_net_shunt.h"
#include "two_ports.h"

#define QUEUES  4u
#define WAIT_MS 5000

/* @return whether the queue's interrupt came in time */
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

	config.rx_queues = QUEUES;
	config.eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	config.eth.rx_adv_conf.rss_conf.rss_hf =
		RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP;
	config.eth.intr_conf.rxq = 1;
	begin();
	send_to(1);
	frame = net_take(net.port[1], QUEUES, &queue);
	assert_non_null(frame);
	rte_pktmbuf_free(frame);
	for (uint16_t i = 0; i < QUEUES; i++)
		assert_int_equal(rte_eth_dev_rx_intr_ctl_q(net.port[1], i, RTE_EPOLL_PER_THREAD,
					 RTE_INTR_EVENT_ADD, NULL),
			0);
	for (unsigned int round = 0; round < 10; round++) {
		/* Not asked for: none. */
		send_to(1);
		frame = net_take(net.port[1], QUEUES, &queue);
		assert_non_null(frame);
		rte_pktmbuf_free(frame);
		assert_false(interrupted(1));
		/* A pending interrupt may come at once: that one does not count. */
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
	finish();
}

static void interrupts_have_to_be_configured(void **state)
{
	begin();
	assert_int_equal(rte_eth_dev_rx_intr_enable(net.port[1], 0), -ENOTSUP);
	finish();
	config.rx_queues = 10; /* there are nine vectors for them */
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

static void frames_pass(void)
{
	struct packet packets[] = { { .last = 9, .payload = 58 }, { .last = 9, .payload = 33 } };
	struct rte_mbuf *frames[2];

	for (unsigned int i = 0; i < 2; i++)
		frames[i] = packet_make(&net, &packets[i]);
	assert_int_equal(net_send(net.port[0], frames, 2), 2);
	assert_int_equal(net_receive(net.port[1], frames, 2), 2);
	for (unsigned int i = 0; i < 2; i++)
		assert_true(packet_is(frames[i], &packets[i]));
}

/* In QEMU a PHY without power keeps its link. */
static void link_by_command(void **state)
{
	uint16_t off = net_on_kernel() ? RTE_ETH_LINK_UP : RTE_ETH_LINK_DOWN;

	begin();
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(rte_eth_dev_set_link_down(net.port[0]), 0);
		assert_true(link_is(net.port[0], off));
		assert_true(link_is(net.port[1], off));
		if (i == 1) { /* so that the next start finds a link */
			assert_int_equal(rte_eth_dev_stop(net.port[0]), 0);
			assert_int_equal(rte_eth_dev_start(net.port[0]), 0);
		} else {
			assert_int_equal(rte_eth_dev_set_link_up(net.port[0]), 0);
		}
		assert_true(link_is(net.port[0], RTE_ETH_LINK_UP));
		assert_true(link_is(net.port[1], RTE_ETH_LINK_UP));
		frames_pass();
	}
	finish();
}

static void remove_both(void)
{
	net_remove(&net, 0);
	net_remove(&net, 1);
	net_destroy(&net);
}

/* The application's callback for an event, in EAL's interrupt thread. */
static void (*in_event)(uint16_t port);
static uint32_t events_done;

static int do_in_event(uint16_t port, enum rte_eth_event_type type, void *arg, void *result)
{
	void (*what)(uint16_t port) = __atomic_exchange_n(&in_event, NULL, __ATOMIC_SEQ_CST);

	if (!what)
		return 0;
	what(port);
	__atomic_fetch_add(&events_done, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void do_in_next_event(void (*what)(uint16_t port))
{
	__atomic_store_n(&events_done, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&in_event, what, __ATOMIC_SEQ_CST);
}

static void event_is_done(void)
{
	for (unsigned int ms = 0;
		ms < 4 * WAIT_MS && !__atomic_load_n(&events_done, __ATOMIC_SEQ_CST); ms++)
		rte_delay_us_sleep(1000);
	assert_int_equal(__atomic_load_n(&events_done, __ATOMIC_SEQ_CST), 1);
}

static void stop(uint16_t port)
{
	assert_int_equal(rte_eth_dev_stop(port), 0);
}

static void stop_and_close(uint16_t port)
{
	stop(port);
	assert_int_equal(rte_eth_dev_close(port), 0);
}

/* After a restart the port is told of its link again. */
static void stopped_by_who_hears_of_the_link(void **state)
{
	config.eth.intr_conf.lsc = 1;
	begin();
	assert_int_equal(rte_eth_dev_callback_register(
				 net.port[1], RTE_ETH_EVENT_INTR_LSC, do_in_event, NULL),
		0);
	for (unsigned int i = 0; i < 3; i++) {
		do_in_next_event(stop);
		assert_int_equal(rte_eth_dev_set_link_down(net.port[0]), 0);
		event_is_done();
		assert_int_equal(rte_eth_dev_set_link_up(net.port[0]), 0);
		assert_int_equal(rte_eth_dev_start(net.port[1]), 0);
		assert_true(link_is(net.port[1], RTE_ETH_LINK_UP));
		frames_pass();
	}
	do_in_next_event(stop_and_close);
	assert_int_equal(rte_eth_dev_set_link_down(net.port[0]), 0);
	event_is_done();
	stop(net.port[0]);
	remove_both();
}

static void closed_by_who_hears_of_the_removal(void **state)
{
	begin();
	assert_int_equal(rte_eth_dev_callback_register(
				 net.port[1], RTE_ETH_EVENT_INTR_RMV, do_in_event, NULL),
		0);
	do_in_next_event(stop_and_close);
	inject_request(net.inject);
	event_is_done();
	stop(net.port[0]);
	remove_both();
}

static uint32_t other_closes;

static void close_the_other(uint16_t port)
{
	while (!__atomic_load_n(&other_closes, __ATOMIC_SEQ_CST))
		rte_delay_us_sleep(1000);
	rte_delay_us_sleep(100000); /* it waits for this handler now, or soon */
	stop_and_close(net.port[0]);
}

/* A thread closes one port. Meanwhile the callback for its removal closes the other. */
static void closed_by_two_at_once(void **state)
{
	other_closes = 0;
	begin();
	assert_int_equal(rte_eth_dev_callback_register(
				 net.port[1], RTE_ETH_EVENT_INTR_RMV, do_in_event, NULL),
		0);
	do_in_next_event(close_the_other);
	inject_request(net.inject);
	net_until(!__atomic_load_n(&in_event, __ATOMIC_SEQ_CST));
	stop(net.port[1]);
	__atomic_store_n(&other_closes, 1, __ATOMIC_SEQ_CST);
	assert_int_equal(rte_eth_dev_close(net.port[1]), 0);
	event_is_done();
	remove_both();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(receive_interrupts),
		TEST(interrupts_have_to_be_configured),
		TEST(link_interrupts),
		TEST(link_by_command),
	};
	const struct CMUnitTest on_sim[] = {
		TEST(stopped_by_who_hears_of_the_link),
		TEST(closed_by_who_hears_of_the_removal),
		TEST(closed_by_two_at_once),
	};
	int failed;

	if (argc == 3)
		net_use_kernel(argv[1], argv[2]);
	net_eal_start(argv[0]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (!net_on_kernel())
		failed += cmocka_run_group_tests(on_sim, NULL, NULL);
	return failed;
}
