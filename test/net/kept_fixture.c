/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <shunt/error.h>

#include "kept_fixture.h"

#define TYPES (RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_TCP)
#define CHECKSUMS                                                       \
	(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
		RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

static struct shunt_group *group;
static struct shunt_space *spaces[2];
static unsigned int space; /* in use */

int set_up_kept(void **state)
{
	set_up(state);
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

void begin_kept(void)
{
	begin();
	assert_int_equal(rte_net_shunt_group(net.port[1], &group), 0);
	spaces[0] = shunt_space_find(rte_net_shunt_spaces(), RTE_NET_SHUNT_FIRST_SPACE);
	assert_int_equal(shunt_space_create(rte_net_shunt_spaces(), "b", &spaces[1]), 0);
	assert_int_equal(shunt_group_prepare(group, spaces[1]), 0);
	space = 0;
}

void change_space(enum shunt_plan plan)
{
	struct shunt_switch_result result;
	int ret = shunt_group_switch(group, spaces[!space], plan, &result);

	if (ret)
		print_message("switch: %s\n", shunt_errmsg());
	assert_int_equal(ret, 0);
	space = !space;
}

void reset_from_outside(unsigned int index)
{
	struct shunt_vfio_device *device;
	struct shunt_switch_result result;

	assert_int_equal(rte_net_shunt_device(net.port[index], &device), 0);
	assert_int_equal(shunt_vfio_reset(device), 0);
	assert_int_equal(shunt_group_check(group, &result), 1);
}
