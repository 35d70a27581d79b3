/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A NIC that is a thread may have to wait for a processor longer than any sensible bound. The
 * driver counts the NIC's time, not the machine's: meanwhile it takes no queue for stuck.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "net.h"
#include "rte_net_shunt.h"

#define HELD_S 2 /* longer than the driver waits for a NIC that does not answer */

static struct net net;
static struct shunt_group *group;
static bool hold, held;

static bool is(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* The engine asks a third port's far end for a frame, which blocks it for a while. */
static const void *next_frame(void *context, uint64_t now, bool ready, uint32_t *length)
{
	while (is(&hold)) {
		set(&held, true);
		nap();
	}
	set(&held, false);
	return NULL;
}

static void take_frame(void *context, uint64_t now, const void *frame, uint32_t length)
{
}

static void *let_go(void *arg)
{
	nanosleep(&(struct timespec){ .tv_sec = HELD_S }, NULL);
	set(&hold, false);
	return NULL;
}

static pthread_t hold_engine(void)
{
	pthread_t other;

	set(&hold, true);
	net_until(is(&held));
	assert_int_equal(pthread_create(&other, NULL, let_go, NULL), 0);
	return other;
}

static void begin(void)
{
	static const struct shunt_sim_endpoint far_end = { .send = next_frame,
		.receive = take_frame };
	struct net_config config = net_defaults;

	config.sim.ports = NET_PORTS + 1;
	net_create(&net, &config);
	assert_int_equal(shunt_sim_connect(net.sim, "0000:05:00.0", &far_end), 0);
	net_start(&net);
	assert_int_equal(rte_net_shunt_group(net.port[0], &group), 0);
}

static void finish(void)
{
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		assert_int_equal(net_xstat(net.port[i], "recover_events"), 0);
		assert_int_equal(net_xstat(net.port[i], "recover_liveness_checks"), 0);
	}
	net_stop(&net);
	net_destroy(&net);
}

static int abandon(void **state)
{
	set(&hold, false);
	net_abandon(&net);
	return 0;
}

static void a_queue_stops_as_soon_as_the_nic_runs(void **state)
{
	pthread_t other;

	begin();
	other = hold_engine();
	assert_int_equal(rte_eth_dev_rx_queue_stop(net.port[0], 0), 0);
	pthread_join(other, NULL);
	assert_int_equal(rte_eth_dev_rx_queue_start(net.port[0], 0), 0);
	finish();
}

static void a_port_starts_as_soon_as_the_nic_runs(void **state)
{
	pthread_t other;

	begin();
	assert_int_equal(rte_eth_dev_stop(net.port[0]), 0);
	other = hold_engine();
	assert_int_equal(rte_eth_dev_start(net.port[0]), 0);
	pthread_join(other, NULL);
	finish();
}

/* A frame waits to be sent, as in a stuck queue. */
static void a_nic_that_does_not_run_is_not_stuck(void **state)
{
	struct shunt_switch_result result;
	struct rte_mbuf *frame;
	pthread_t other;
	int repaired;

	begin();
	other = hold_engine();
	frame = net_frame(&net, 64, 1, 1);
	assert_int_equal(rte_eth_tx_burst(net.port[0], 0, &frame, 1), 1);
	repaired = shunt_group_check(group, &result);
	if (repaired < 0)
		print_message("%s\n", shunt_errmsg());
	assert_int_equal(repaired, 0);
	pthread_join(other, NULL);
	assert_int_equal(net_receive(net.port[1], &frame, 1), 1);
	assert_true(net_frame_is(frame, 64, 1));
	rte_pktmbuf_free(frame);
	finish();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_queue_stops_as_soon_as_the_nic_runs, abandon),
		cmocka_unit_test_teardown(a_port_starts_as_soon_as_the_nic_runs, abandon),
		cmocka_unit_test_teardown(a_nic_that_does_not_run_is_not_stuck, abandon),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
