/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread does not leave a burst, because a debugger or a real-time thread keeps it from its
 * processor. Nothing that it may use is freed until it has left.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>

#include <cmocka.h>
#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_malloc.h>

#include "two_ports.h"

static bool inside, may_leave;

/* The driver frees the buffer of a sent frame in a later burst. */
static void stay_in_the_burst(void *address, void *arg)
{
	__atomic_store_n(&inside, true, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&may_leave, __ATOMIC_SEQ_CST))
		rte_delay_us_sleep(1000);
}

static struct rte_mbuf *frame_that_stays(struct rte_mbuf_ext_shared_info *shared)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(net.pool);
	void *data = rte_zmalloc(NULL, 2048, 0);

	assert_non_null(frame);
	assert_non_null(data);
	shared->free_cb = stay_in_the_burst;
	shared->fcb_opaque = NULL;
	rte_mbuf_ext_refcnt_set(shared, 1);
	rte_pktmbuf_attach_extbuf(frame, data, (uintptr_t)data, 2048, shared);
	rte_pktmbuf_append(frame, 100);
	return frame;
}

static void *send_until_inside(void *arg)
{
	struct rte_mbuf *frame = arg;

	while (!__atomic_load_n(&inside, __ATOMIC_SEQ_CST)) {
		if (!rte_eth_tx_burst(net.port[0], 0, &frame, 1))
			rte_pktmbuf_free(frame);
		frame = net_frame(&net, 100, 1, 1);
	}
	rte_pktmbuf_free(frame);
	return NULL;
}

static void take_all(void)
{
	struct rte_mbuf *frames[32];
	unsigned int n;

	while ((n = rte_eth_rx_burst(net.port[1], 0, frames, RTE_DIM(frames))) > 0)
		rte_pktmbuf_free_bulk(frames, n);
}

static void keeps_what_it_uses(void **state)
{
	struct rte_mbuf_ext_shared_info shared;
	struct rte_mbuf *frame;
	pthread_t poller;
	void *data;

	inside = may_leave = false;
	begin();
	frame = frame_that_stays(&shared);
	data = frame->buf_addr;
	assert_int_equal(pthread_create(&poller, NULL, send_until_inside, frame), 0);
	while (!__atomic_load_n(&inside, __ATOMIC_SEQ_CST))
		take_all();

	assert_int_equal(rte_eth_dev_tx_queue_stop(net.port[0], 0), -ETIMEDOUT);
	assert_int_equal(rte_eth_dev_stop(net.port[0]), -ETIMEDOUT);
	assert_int_equal(rte_eth_tx_queue_setup(net.port[0], 0, 256, 0, NULL), -EBUSY);
	assert_int_equal(rte_eth_dev_close(net.port[0]), -EINVAL);
	assert_int_not_equal(rte_vdev_uninit("net_shunt0"), 0);
	assert_true(rte_eth_dev_is_valid_port(net.port[0]));

	__atomic_store_n(&may_leave, true, __ATOMIC_SEQ_CST);
	assert_int_equal(pthread_join(poller, NULL), 0);
	finish();
	rte_free(data);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { TEST(keeps_what_it_uses) };

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
