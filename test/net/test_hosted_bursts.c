/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts of hosted ports. No poller is inside a stopped driver's bursts, however often it is
 * stopped. What ethdev and the driver write into the table meanwhile does no harm. The test's own
 * driver checks that its rings are there.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "hosted.h"

#define PORT   7
#define QUEUES 3
#define STOPS  2000

struct ring {
	bool there;
	unsigned int bursts;
	unsigned int strays; /* bursts in a ring that is not there */
};

static struct ring rings[2][QUEUES];
static void *rx_queues[QUEUES], *tx_queues[QUEUES];
static struct rte_eth_dev_data data;
static struct rte_eth_dev dev = { .data = &data };
static bool ended;
static unsigned int received; /* bursts, by pollers */

static uint16_t burst(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	struct ring *ring = queue;

	ring->strays += !__atomic_load_n(&ring->there, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < 50; i++)
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	ring->strays += !__atomic_load_n(&ring->there, __ATOMIC_RELAXED);
	__atomic_fetch_add(&ring->bursts, 1, __ATOMIC_RELAXED);
	return count;
}

/* The bursts that a driver chooses at another start. */
static uint16_t other_burst(void *queue, struct rte_mbuf **frames, uint16_t count)
{
	return burst(queue, frames, count);
}

static void set_rings(bool there)
{
	for (unsigned int i = 0; i < QUEUES; i++) {
		__atomic_store_n(&rings[0][i].there, there, __ATOMIC_SEQ_CST);
		__atomic_store_n(&rings[1][i].there, there, __ATOMIC_SEQ_CST);
	}
}

static int start(void **state)
{
	struct rte_eth_fp_ops *table = &rte_eth_fp_ops[PORT];

	for (unsigned int i = 0; i < QUEUES; i++) {
		rx_queues[i] = &rings[0][i];
		tx_queues[i] = &rings[1][i];
	}
	data = (struct rte_eth_dev_data){
		.port_id = PORT,
		.nb_rx_queues = QUEUES,
		.nb_tx_queues = QUEUES,
		.rx_queues = rx_queues,
		.tx_queues = tx_queues,
	};
	dev.rx_pkt_burst = burst;
	dev.tx_pkt_burst = burst;
	/* The table as ethdev leaves it after a start. */
	table->rx_pkt_burst = burst;
	table->tx_pkt_burst = burst;
	table->rxq.data = rx_queues;
	table->txq.data = tx_queues;
	set_rings(true);
	ended = false;
	return hosted_bursts_wrap(&dev);
}

static uint16_t receive(unsigned int queue)
{
	struct rte_mbuf *frames[4];

	return rte_eth_fp_ops[PORT].rx_pkt_burst(rte_eth_fp_ops[PORT].rxq.data[queue], frames, 4);
}

static uint16_t transmit(unsigned int queue)
{
	struct rte_mbuf *frames[4];

	return rte_eth_fp_ops[PORT].tx_pkt_burst(rte_eth_fp_ops[PORT].txq.data[queue], frames, 4);
}

static void *poll_queue(void *arg)
{
	unsigned int queue = (unsigned int)(uintptr_t)arg;

	while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
		if (receive(queue))
			__atomic_fetch_add(&received, 1, __ATOMIC_RELAXED);
		transmit(queue);
	}
	return NULL;
}

static void every_queue_is_the_drivers_own(void **state)
{
	assert_true(hosted_bursts_wrapped(PORT));
	for (unsigned int i = 0; i < QUEUES; i++) {
		assert_int_equal(receive(i), 4);
		assert_int_equal(transmit(i), 4);
		assert_true(rings[0][i].bursts > 0 && rings[1][i].bursts > 0);
	}
}

static void nobody_is_inside_a_closed_burst(void **state)
{
	const struct timespec nap = { .tv_nsec = 100000 };
	pthread_t pollers[QUEUES];
	unsigned int strays = 0;

	received = 0;
	for (uintptr_t i = 0; i < QUEUES; i++)
		assert_int_equal(pthread_create(&pollers[i], NULL, poll_queue, (void *)i), 0);
	for (unsigned int i = 0; i < STOPS; i++) {
		assert_int_equal(hosted_bursts_close(PORT), 0);
		set_rings(false);
		if (i % 16 == 0)
			nanosleep(&nap, NULL);
		set_rings(true);
		dev.rx_pkt_burst = i % 2 ? burst : other_burst;
		assert_int_equal(hosted_bursts_wrap(&dev), 0);
		if (i % 16 == 0)
			nanosleep(&nap, NULL);
	}
	/* The pollers may not have run yet. */
	for (int i = 0; !__atomic_load_n(&received, __ATOMIC_RELAXED) && i < 100000; i++)
		nanosleep(&nap, NULL);
	__atomic_store_n(&ended, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < QUEUES; i++) {
		pthread_join(pollers[i], NULL);
		strays += rings[0][i].strays + rings[1][i].strays;
	}
	assert_int_equal(strays, 0);
	assert_true(received > 0);
}

static void a_closed_burst_gives_nothing(void **state)
{
	assert_int_equal(hosted_bursts_close(PORT), 0);
	assert_int_equal(receive(1), 0);
	assert_int_equal(transmit(1), 0);
	hosted_bursts_open(PORT);
	assert_int_equal(receive(1), 4);
	assert_int_equal(transmit(1), 4);
}

/* What a poller reads before ethdev puts its own bursts and queues into the table, and after. */
static void a_queue_of_somebody_else_is_left_alone(void **state)
{
	struct ring other = { .there = true };
	struct rte_mbuf *frames[4];

	assert_int_equal(rte_eth_fp_ops[PORT].rx_pkt_burst(&other, frames, 4), 0);
	assert_int_equal(rte_eth_fp_ops[PORT].tx_pkt_burst(&other, frames, 4), 0);
	assert_int_equal(other.bursts, 0);
}

static void a_driver_that_puts_its_own_bursts_back_is_seen(void **state)
{
	rte_eth_fp_ops[PORT].rx_pkt_burst = burst;
	assert_false(hosted_bursts_wrapped(PORT));
	assert_int_equal(receive(0), 4);
	assert_int_equal(hosted_bursts_wrap(&dev), 0);
	assert_true(hosted_bursts_wrapped(PORT));
}

static void queues_come_and_go(void **state)
{
	data.nb_rx_queues = 1;
	assert_int_equal(hosted_bursts_wrap(&dev), 0);
	assert_int_equal(receive(0), 4);
	assert_int_equal(receive(2), 0);
	data.nb_rx_queues = QUEUES;
	assert_int_equal(hosted_bursts_wrap(&dev), 0);
	assert_int_equal(receive(2), 4);
}

static void a_port_beyond_the_table_is_refused(void **state)
{
	data.port_id = HOSTED_PORTS;
	assert_int_equal(hosted_bursts_wrap(&dev), -ENOTSUP);
	data.port_id = PORT;
	assert_false(hosted_bursts_wrapped(HOSTED_PORTS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_queue_is_the_drivers_own, start),
		cmocka_unit_test_setup(nobody_is_inside_a_closed_burst, start),
		cmocka_unit_test_setup(a_closed_burst_gives_nothing, start),
		cmocka_unit_test_setup(a_queue_of_somebody_else_is_left_alone, start),
		cmocka_unit_test_setup(a_driver_that_puts_its_own_bursts_back_is_seen, start),
		cmocka_unit_test_setup(queues_come_and_go, start),
		cmocka_unit_test_setup(a_port_beyond_the_table_is_refused, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
