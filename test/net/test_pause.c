/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Applications drop frames that a transmit burst does not take. So a port that is paused for a
 * switch makes them wait: no burst is refused, and no frame is lost.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_cycles.h>

#include <shunt/error.h>

#include "net.h"
#include "rte_net_shunt.h"
#include "shunt_barrier.h"
#include "shunt_poll.h"

#define SWITCHES 500
#define LENGTH   64

static struct net net;
static bool stop;
static unsigned int sent, refused, returned;

static int abandon(void **state)
{
	net_abandon(&net);
	return 0;
}

/* One frame at a time, so that the ring is never full. */
static void *ping(void *arg)
{
	struct rte_mbuf *frame;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		frame = net_frame(&net, LENGTH, 1, sent);
		if (!rte_eth_tx_burst(net.port[0], 0, &frame, 1)) {
			rte_pktmbuf_free(frame);
			refused++;
			continue;
		}
		__atomic_store_n(&sent, sent + 1, __ATOMIC_RELAXED);
		if (net_receive(net.port[1], &frame, 1)) {
			returned += net_frame_is(frame, LENGTH, sent - 1);
			rte_pktmbuf_free(frame);
		}
	}
	return NULL;
}

static void no_burst_is_refused_while_ports_pause(void **state)
{
	struct shunt_switch_result result;
	struct shunt_space *spaces[2];
	struct shunt_group *group;
	unsigned int switches = 0;
	pthread_t poller;
	int ret = 0;

	net_create(&net, &net_defaults);
	net_start(&net);
	assert_int_equal(rte_net_shunt_group(net.port[0], &group), 0);
	spaces[0] = shunt_group_space(group);
	assert_int_equal(shunt_space_copy(spaces[0], "b", &spaces[1]), 0);
	assert_int_equal(shunt_group_prepare(group, spaces[1]), 0);
	assert_int_equal(pthread_create(&poller, NULL, ping, NULL), 0);
	/* Switches, however few frames the other thread sends between two of them. */
	while (!ret &&
		(switches < SWITCHES || __atomic_load_n(&sent, __ATOMIC_RELAXED) <= SWITCHES)) {
		ret = shunt_group_switch(
			group, spaces[++switches & 1], SHUNT_PLAN_QUIESCE, &result);
		rte_delay_us_sleep(100);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(poller, NULL);
	assert_int_equal(ret, 0);
	assert_int_equal(refused, 0);
	assert_int_equal(returned, sent);
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		assert_int_equal(net_xstat(net.port[i], "switch_events"), switches);
		assert_int_equal(net_xstat(net.port[i], "switch_failed_events"), 0);
		assert_int_equal(net_xstat(net.port[i], "switch_faults"), 0);
		assert_int_equal(net_xstat(net.port[i], "switch_faults_unknown_events"), switches);
		assert_true(net_xstat(net.port[i], "switch_paused_total_ns") >=
			    net_xstat(net.port[i], "switch_paused_max_ns"));
		assert_true(net_xstat(net.port[i], "switch_paused_last_ns") > 0);
		assert_true(net_xstat(net.port[i], "switch_ioctl_last_ns") > 0);
		assert_int_equal(rte_eth_xstats_reset(net.port[i]), 0);
		assert_int_equal(net_xstat(net.port[i], "switch_events"), 0);
	}
	net_stop(&net);
	net_destroy(&net);
}

static struct shunt_poll queue;

static void *enter_late(void *arg)
{
	bool entered = shunt_poll_enter_late(&queue, shunt_barrier_missing());

	if (entered)
		shunt_poll_leave(&queue);
	return entered ? &queue : NULL;
}

static void *enter_while(void (*end)(struct shunt_poll *poll))
{
	pthread_t poller;
	void *entered;

	shunt_poll_init(&queue);
	shunt_poll_resume(&queue);
	shunt_poll_ask(&queue);
	assert_int_equal(pthread_create(&poller, NULL, enter_late, NULL), 0);
	rte_delay_us_sleep(20000); /* long enough for it to fall asleep */
	if (end)
		end(&queue);
	pthread_join(poller, &entered);
	return entered;
}

static void who_waits_is_let_in_or_told_to_give_up(void **state)
{
	assert_non_null(enter_while(shunt_poll_resume));
	assert_null(enter_while(shunt_poll_close));
	assert_null(enter_while(NULL)); /* it is not admitted: it does not wait for ever */
	shunt_poll_close(&queue);
	shunt_poll_ask(&queue); /* a stopped queue stays closed */
	assert_null(enter_late(NULL));
	assert_int_equal(shunt_poll_waiters, 0);
}

/* Another process stops this one, once a thread waits, for longer than any wait. */
static void be_stopped(const uint32_t *waiting)
{
	const struct timespec stopped = { .tv_sec = 2, .tv_nsec = 500000000 };
	pid_t child;
	int status;

	while (!__atomic_load_n(waiting, __ATOMIC_SEQ_CST))
		sched_yield();
	child = fork();
	if (!child) {
		kill(getppid(), SIGSTOP);
		nanosleep(&stopped, NULL);
		kill(getppid(), SIGCONT);
		_exit(0);
	}
	waitpid(child, &status, 0);
	rte_delay_us_sleep(20000); /* waiting threads look first */
}

static void *leave_after_a_stop(void *arg)
{
	be_stopped(&shunt_poll_sleepers);
	shunt_poll_leave(&queue);
	return NULL;
}

static void let_in_after_a_stop(struct shunt_poll *poll)
{
	be_stopped(&shunt_poll_waiters);
	shunt_poll_resume(poll);
}

static void a_process_that_was_stopped_did_not_wait(void **state)
{
	pthread_t poller;

	shunt_poll_init(&queue);
	shunt_poll_resume(&queue);
	assert_true(shunt_poll_enter(&queue, shunt_barrier_missing()));
	shunt_poll_ask(&queue);
	assert_int_equal(pthread_create(&poller, NULL, leave_after_a_stop, NULL), 0);
	assert_int_equal(shunt_poll_wait(&queue), 0);
	pthread_join(poller, NULL);
	assert_non_null(enter_while(let_in_after_a_stop));
}

static void a_barrier_serves_all_that_came_before_it(void **state)
{
	const uint64_t one = shunt_barrier_missing() ? 0 : 1;
	const uint64_t before = shunt_barrier_begun();

	shunt_barrier_after(before);
	assert_int_equal(shunt_barrier_begun(), before + one);
	shunt_barrier_after(before);
	assert_int_equal(shunt_barrier_begun(), before + one);
	shunt_barrier_after(before + one);
	assert_int_equal(shunt_barrier_begun(), before + 2 * one);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(no_burst_is_refused_while_ports_pause, abandon),
		cmocka_unit_test(a_barrier_serves_all_that_came_before_it),
		cmocka_unit_test(who_waits_is_let_in_or_told_to_give_up),
		cmocka_unit_test(a_process_that_was_stopped_did_not_wait),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
