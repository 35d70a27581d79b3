/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A function that does not answer because it is being reset or was removed. Its registers read as
 * all ones, which none of them ever holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>

#include "rte_net_shunt.h"
#include "two_ports.h"

#define XSTATS 128

struct counted {
	struct rte_eth_stats stats;
	struct rte_eth_xstat xstats[XSTATS];
	int xstats_count;
};

static void count(uint16_t port, struct counted *counted)
{
	memset(counted, 0, sizeof(*counted));
	assert_int_equal(rte_eth_stats_get(port, &counted->stats), 0);
	counted->xstats_count = rte_eth_xstats_get(port, counted->xstats, XSTATS);
	assert_in_range(counted->xstats_count, 1, XSTATS);
}

static uint16_t link_of(uint16_t port)
{
	struct rte_eth_link link;

	assert_int_equal(rte_eth_link_get_nowait(port, &link), 0);
	if (!link.link_status)
		assert_int_equal(link.link_speed, RTE_ETH_SPEED_NUM_NONE);
	return link.link_status;
}

static void some_frames(void)
{
	struct rte_mbuf *frames[20];

	for (unsigned int i = 0; i < RTE_DIM(frames); i++)
		frames[i] = net_frame(&net, 100, 1, i);
	assert_int_equal(net_send(net.port[0], frames, RTE_DIM(frames)), RTE_DIM(frames));
	assert_int_equal(net_receive(net.port[1], frames, RTE_DIM(frames)), RTE_DIM(frames));
	rte_pktmbuf_free_bulk(frames, RTE_DIM(frames));
}

static void all_ones_count_nothing(void **state)
{
	struct counted before, after;
	struct rte_eth_stats stats;

	begin();
	some_frames();
	count(net.port[1], &before);
	inject_absent(net.inject, true);
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), -EIO);
	assert_int_equal(rte_eth_xstats_get(net.port[1], after.xstats, XSTATS), -EIO);
	assert_int_equal(rte_eth_stats_reset(net.port[1]), -EIO);
	assert_int_equal(link_of(net.port[1]), RTE_ETH_LINK_DOWN);
	inject_absent(net.inject, false);
	count(net.port[1], &after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(link_of(net.port[1]), RTE_ETH_LINK_UP);
	finish();
}

/* Calls that only write find out too. */
static void every_control_call_says_so(void **state)
{
	struct rte_ether_addr address = { .addr_bytes = { 2, 0, 0, 0, 0, 7 } };
	struct rte_ether_addr multicast = { .addr_bytes = { 1, 0, 0x5e, 0, 0, 7 } };
	struct rte_dev_reg_info registers = { 0 };
	char version[32];
	uint32_t *values;

	config.eth.rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	begin();
	assert_int_equal(rte_eth_dev_get_reg_info(net.port[1], &registers), 0);
	values = calloc(registers.length, sizeof(*values));
	assert_non_null(values);
	registers.data = values;
	inject_absent(net.inject, true);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(net.port[1], &address), -EIO);
	assert_int_equal(rte_eth_dev_mac_addr_add(net.port[1], &address, 0), -EIO);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(net.port[1], &multicast, 1), -EIO);
	assert_int_equal(rte_eth_dev_set_mtu(net.port[1], 1000), -EIO);
	assert_int_equal(rte_eth_dev_vlan_filter(net.port[1], 7, 1), -EIO);
	assert_int_equal(rte_eth_dev_set_vlan_offload(net.port[1], 0), -EIO);
	assert_int_equal(rte_eth_promiscuous_disable(net.port[1]), -EIO);
	assert_int_equal(rte_eth_allmulticast_enable(net.port[1]), -EIO);
	assert_int_equal(rte_eth_dev_set_link_down(net.port[1]), -EIO);
	assert_int_equal(rte_eth_dev_fw_version_get(net.port[1], version, sizeof(version)), -EIO);
	assert_int_equal(rte_eth_dev_get_reg_info(net.port[1], &registers), -EIO);
	inject_absent(net.inject, false);
	free(values);
	some_frames();
	finish();
}

/* A slow reset from outside: a check meanwhile fails, and then the port is set up again. */
static void a_recovery_accounts_for_no_loss(void **state)
{
	struct shunt_vfio_device *device;
	struct shunt_switch_result result;
	struct rte_eth_stats stats;
	struct shunt_group *group;

	begin();
	some_frames();
	assert_int_equal(rte_net_shunt_group(net.port[1], &group), 0);
	assert_int_equal(rte_net_shunt_device(net.port[1], &device), 0);
	inject_absent(net.inject, true);
	assert_int_equal(shunt_group_check(group, &result), -EIO);
	inject_absent(net.inject, false);
	assert_int_equal(shunt_vfio_reset(device), 0);
	net_until(shunt_group_check(group, &result) >= 0);
	assert_int_equal(rte_eth_stats_get(net.port[1], &stats), 0);
	assert_int_equal(stats.imissed, 0);
	assert_int_equal(stats.ierrors, 0);
	assert_int_equal(net_xstat(net.port[1], "recover_rx_dropped_packets"), 0);
	some_frames();
	finish();
}

static uint32_t events[RTE_MAX_ETHPORTS][RTE_ETH_EVENT_MAX];

static int count_event(uint16_t port, enum rte_eth_event_type type, void *arg, void *result)
{
	__atomic_fetch_add(&events[port][type], 1, __ATOMIC_SEQ_CST);
	return 0;
}

static uint32_t events_of(unsigned int index, enum rte_eth_event_type type)
{
	return __atomic_load_n(&events[net.port[index]][type], __ATOMIC_SEQ_CST);
}

static void hear(enum rte_eth_event_type type)
{
	memset(events, 0, sizeof(events));
	assert_int_equal(rte_eth_dev_callback_register(RTE_ETH_ALL, type, count_event, NULL), 0);
}

static void hear_no_more(enum rte_eth_event_type type)
{
	assert_int_equal(rte_eth_dev_callback_unregister(RTE_ETH_ALL, type, count_event, NULL), 0);
}

static unsigned int lines_about(const char *text, const char *function)
{
	unsigned int lines = 0;

	while ((text = strstr(text, function)) != NULL) {
		lines++;
		text += strcspn(text, "\n");
	}
	return lines;
}

/* The watchdog retries at growing intervals, and logs nothing more. */
static void one_event_and_one_line(void **state)
{
	char *text = NULL;
	size_t length;
	FILE *log = open_memstream(&text, &length);

	assert_non_null(log);
	config.check_ms = 10;
	begin();
	hear(RTE_ETH_EVENT_INTR_RMV);
	assert_int_equal(rte_openlog_stream(log), 0);
	inject_absent(net.inject, true);
	net_until(events_of(0, RTE_ETH_EVENT_INTR_RMV) && events_of(1, RTE_ETH_EVENT_INTR_RMV));
	rte_delay_us_sleep(3000000); /* some more attempts */
	rte_net_shunt_check_every(0);
	inject_absent(net.inject, false);
	rte_openlog_stream(NULL);
	fclose(log);
	assert_int_equal(events_of(0, RTE_ETH_EVENT_INTR_RMV), 1);
	assert_int_equal(events_of(1, RTE_ETH_EVENT_INTR_RMV), 1);
	assert_int_equal(lines_about(text, "0000:03:00.0"), 1);
	assert_int_equal(lines_about(text, "0000:04:00.0"), 1);
	free(text);
	hear_no_more(RTE_ETH_EVENT_INTR_RMV);
	finish();
}

static void check_until_told(struct shunt_group *group, enum rte_eth_event_type type)
{
	struct shunt_switch_result result;

	while (!events_of(1, type)) {
		shunt_group_check(group, &result);
		rte_delay_us_sleep(1000);
	}
}

/* The number of reads tells: each wait for an answer reads many times. */
static void nobody_waits_for_it(void **state)
{
	struct shunt_switch_result result;
	struct shunt_group *group;
	uint64_t reads;

	begin();
	hear(RTE_ETH_EVENT_INTR_RMV);
	assert_int_equal(rte_net_shunt_group(net.port[1], &group), 0);
	inject_absent(net.inject, true);
	inject_fail(net.inject, "VFIO_DEVICE_RESET", 1, UINT64_MAX, ENODEV);
	check_until_told(group, RTE_ETH_EVENT_INTR_RMV);
	reads = inject_calls(net.inject, INJECT_READ);
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(shunt_group_check(group, &result), -EIO);
	assert_int_equal(rte_eth_dev_rx_queue_stop(net.port[1], 0), -EIO);
	assert_int_equal(rte_eth_promiscuous_disable(net.port[1]), -EIO);
	rte_eth_dev_stop(net.port[1]);
	assert_int_equal(rte_eth_dev_close(net.port[1]), 0);
	assert_in_range(inject_calls(net.inject, INJECT_READ) - reads, 1, 100);
	inject_absent(net.inject, false);
	inject_stop(net.inject);
	hear_no_more(RTE_ETH_EVENT_INTR_RMV);
	assert_int_equal(rte_eth_dev_stop(net.port[0]), 0);
	net_remove(&net, 0);
	net_remove(&net, 1);
	net_destroy(&net);
}

static void what_comes_back_is_set_up(void **state)
{
	struct shunt_switch_result result;
	struct shunt_vfio_device *device;
	struct shunt_group *group;

	begin();
	hear(RTE_ETH_EVENT_INTR_RMV);
	assert_int_equal(rte_net_shunt_group(net.port[1], &group), 0);
	inject_absent(net.inject, true);
	check_until_told(group, RTE_ETH_EVENT_INTR_RMV);
	inject_absent(net.inject, false);
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		assert_int_equal(rte_net_shunt_device(net.port[i], &device), 0);
		assert_int_equal(shunt_vfio_reset(device), 0);
	}
	net_until(shunt_group_check(group, &result) >= 0);
	some_frames();
	hear_no_more(RTE_ETH_EVENT_INTR_RMV);
	finish();
}

/* The function answers, but its queues are dead, and the reset that would help fails. */
static void what_no_reset_helps_is_told_as_failed(void **state)
{
	struct shunt_group *group;
	struct rte_mbuf *frame;

	config.sim.nic = SHUNT_SIM_WEDGE;
	begin();
	hear(RTE_ETH_EVENT_RECOVERY_FAILED);
	assert_int_equal(rte_net_shunt_group(net.port[1], &group), 0);
	inject_fail(net.inject, "VFIO_DEVICE_RESET", 1, UINT64_MAX, EIO);
	frame = net_frame(&net, 100, 1, 1);
	frame->buf_addr = (void *)0x1000; /* which is not mapped: the DMA is refused */
	assert_int_equal(net_send(net.port[1], &frame, 1), 1);
	check_until_told(group, RTE_ETH_EVENT_RECOVERY_FAILED);
	assert_int_equal(events_of(0, RTE_ETH_EVENT_RECOVERY_FAILED), 0);
	inject_stop(net.inject);
	hear_no_more(RTE_ETH_EVENT_RECOVERY_FAILED);
	finish();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(all_ones_count_nothing),
		TEST(every_control_call_says_so),
		TEST(a_recovery_accounts_for_no_loss),
		TEST(one_event_and_one_line),
		TEST(nobody_waits_for_it),
		TEST(what_comes_back_is_set_up),
		TEST(what_no_reset_helps_is_told_as_failed),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
