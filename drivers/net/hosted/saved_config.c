/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <shunt/error.h>

#include "hosted.h"

/*
 * Settings that ethdev would give to a port again after a start: addresses, promiscuous and
 * all-multicast mode. And those that a driver's start may reset: RSS redirection table and key,
 * states of single queues. The NIC's counters are read before the stop, which may clear them.
 * Multicast addresses and a link that was taken down cannot be read back: control.c reports them.
 * All else that a driver loses in a stop and a start is lost. DPDK requires that rte_flow rules
 * survive where RTE_ETH_DEV_CAPA_FLOW_RULE_KEEP is set.
 */

#define RETA_GROUPS 16 /* of 64 entries: as many as ethdev allows */
#define KEY_SIZE    128

struct hosted_config {
	struct rte_eth_rss_reta_entry64 reta[RETA_GROUPS];
	uint16_t reta_size; /* 0: not known */
	uint64_t rss_hf;
	uint8_t key[KEY_SIZE];
	uint8_t key_size; /* 0: not known */
	struct hosted_waits *waits;
	uint8_t rx_states[RTE_MAX_QUEUES_PER_PORT];
	uint8_t tx_states[RTE_MAX_QUEUES_PER_PORT];
};

/* What cannot be read back, by port. */
static struct {
	struct rte_ether_addr *multicast;
	uint32_t multicast_count;
	bool link_down;
} reported[RTE_MAX_ETHPORTS];

void hosted_config_multicast(uint16_t port_id, const struct rte_ether_addr *list, uint32_t count)
{
	struct rte_ether_addr *copy = calloc(count + 1, sizeof(*copy));

	if (copy && count)
		memcpy(copy, list, count * sizeof(*copy));
	free(reported[port_id].multicast);
	reported[port_id].multicast = copy;
	reported[port_id].multicast_count = copy ? count : 0;
}

void hosted_config_link(uint16_t port_id, bool down)
{
	reported[port_id].link_down = down;
}

static int restore_reported(struct rte_eth_dev *dev)
{
	uint16_t port_id = dev->data->port_id;
	const struct eth_dev_ops *ops = dev->dev_ops;
	int ret = 0;

	if (reported[port_id].multicast_count && ops->set_mc_addr_list)
		ret = ops->set_mc_addr_list(
			dev, reported[port_id].multicast, reported[port_id].multicast_count);
	if (ret)
		return shunt_fail_errno(ret, "%s: multicast addresses", dev->data->name);
	if (reported[port_id].link_down && ops->dev_set_link_down)
		ret = ops->dev_set_link_down(dev);
	return ret ? shunt_fail_errno(ret, "%s: link down", dev->data->name) : 0;
}

static uint16_t read_reta(
	uint16_t port_id, uint16_t size, struct rte_eth_rss_reta_entry64 reta[RETA_GROUPS])
{
	memset(reta, 0, RETA_GROUPS * sizeof(*reta));
	for (unsigned int i = 0; i < size / RTE_ETH_RETA_GROUP_SIZE && i < RETA_GROUPS; i++)
		reta[i].mask = UINT64_MAX;
	if (!size || size > RETA_GROUPS * RTE_ETH_RETA_GROUP_SIZE ||
		rte_eth_dev_rss_reta_query(port_id, reta, size))
		return 0;
	return size;
}

static uint8_t read_hash(uint16_t port_id, uint8_t size, uint8_t key[KEY_SIZE], uint64_t *rss_hf)
{
	struct rte_eth_rss_conf conf = { .rss_key = key, .rss_key_len = size };

	if (!size || size > KEY_SIZE || rte_eth_dev_rss_hash_conf_get(port_id, &conf))
		return 0;
	*rss_hf = conf.rss_hf;
	return size;
}

struct hosted_config *hosted_config_save(struct rte_eth_dev *dev)
{
	struct hosted_config *config = calloc(1, sizeof(*config));
	const struct rte_eth_dev_data *data = dev->data;
	struct rte_eth_dev_info info;

	if (!config)
		return NULL;
	memcpy(config->rx_states, data->rx_queue_state, sizeof(config->rx_states));
	memcpy(config->tx_states, data->tx_queue_state, sizeof(config->tx_states));
	config->waits = hosted_waits_save(dev);
	if (!(data->dev_conf.rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG) ||
		rte_eth_dev_info_get(data->port_id, &info))
		return config;
	config->reta_size = read_reta(data->port_id, info.reta_size, config->reta);
	config->key_size =
		read_hash(data->port_id, info.hash_key_size, config->key, &config->rss_hf);
	return config;
}

void hosted_config_drop(struct hosted_config *config)
{
	free(config->waits);
	free(config);
}

/* The answers are of no use, and neither are errors: such a driver has no counters. */
void hosted_config_read_counters(struct rte_eth_dev *dev)
{
	uint16_t port_id = dev->data->port_id;
	struct rte_eth_xstat *values;
	struct rte_eth_stats stats;
	int count;

	rte_eth_stats_get(port_id, &stats);
	count = rte_eth_xstats_get(port_id, NULL, 0);
	values = count > 0 ? calloc((size_t)count, sizeof(*values)) : NULL;
	if (values)
		rte_eth_xstats_get(port_id, values, (unsigned int)count);
	free(values);
}

static void restore_addresses(struct rte_eth_dev *dev, uint32_t count)
{
	const struct eth_dev_ops *ops = dev->dev_ops;
	struct rte_ether_addr *addresses = dev->data->mac_addrs;

	if (ops->mac_addr_set)
		ops->mac_addr_set(dev, &addresses[0]);
	else if (ops->mac_addr_add)
		ops->mac_addr_add(dev, &addresses[0], 0, 0);
	for (uint32_t i = 1; i < count && ops->mac_addr_add; i++) {
		uint64_t pools = dev->data->mac_pool_sel[i] | 1;

		if (rte_is_zero_ether_addr(&addresses[i]))
			continue;
		for (uint32_t pool = 0; pools; pool++, pools >>= 1)
			if (pools & 1)
				ops->mac_addr_add(dev, &addresses[i], i, pool);
	}
}

static int set_mode(struct rte_eth_dev *dev, int on, int (*enable)(struct rte_eth_dev *),
	int (*disable)(struct rte_eth_dev *), const char *name)
{
	int (*set)(struct rte_eth_dev *) = on ? enable : disable;
	int ret = set ? set(dev) : 0;

	if (ret && ret != -ENOTSUP)
		return shunt_fail_errno(ret, "%s: %s %s", dev->data->name, name, on ? "on" : "off");
	return 0;
}

static int restore_rss(uint16_t port_id, struct hosted_config *config)
{
	struct rte_eth_rss_reta_entry64 reta[RETA_GROUPS];
	struct rte_eth_rss_conf conf = {
		.rss_key = config->key,
		.rss_key_len = config->key_size,
		.rss_hf = config->rss_hf,
	};
	uint8_t key[KEY_SIZE] = { 0 };
	uint64_t rss_hf = 0;
	int ret = 0;

	if (config->key_size &&
		(!read_hash(port_id, config->key_size, key, &rss_hf) || rss_hf != config->rss_hf ||
			memcmp(key, config->key, config->key_size) != 0))
		ret = rte_eth_dev_rss_hash_update(port_id, &conf);
	if (ret)
		return shunt_fail_errno(ret, "port %u: the key of RSS", port_id);
	if (config->reta_size && (!read_reta(port_id, config->reta_size, reta) ||
					 memcmp(reta, config->reta, sizeof(reta)) != 0))
		ret = rte_eth_dev_rss_reta_update(port_id, config->reta, config->reta_size);
	return ret ? shunt_fail_errno(ret, "port %u: the redirection table of RSS", port_id) : 0;
}

/* Of the queues of one direction. */
static int restore_states(struct rte_eth_dev *dev, uint16_t queues, const uint8_t *now,
	const uint8_t *before, int (*start)(struct rte_eth_dev *, uint16_t),
	int (*stop)(struct rte_eth_dev *, uint16_t))
{
	for (uint16_t i = 0; i < queues; i++) {
		const bool started = before[i] == RTE_ETH_QUEUE_STATE_STARTED;
		int (*set)(struct rte_eth_dev *, uint16_t) = started ? start : stop;
		int ret = now[i] != before[i] && set ? set(dev, i) : 0;

		if (ret)
			return shunt_fail_errno(ret, "%s: queue %u %s", dev->data->name, i,
				started ? "started" : "stopped");
	}
	return 0;
}

int hosted_config_restore(struct rte_eth_dev *dev, struct hosted_config *config)
{
	const struct rte_eth_dev_data *data = dev->data;
	const struct eth_dev_ops *ops = dev->dev_ops;
	struct rte_eth_dev_info info;
	int ret;

	ret = rte_eth_dev_info_get(data->port_id, &info);
	if (ret) {
		shunt_fail_errno(ret, "%s: what it can do", data->name);
		goto free;
	}
	restore_addresses(dev, info.max_mac_addrs);
	ret = set_mode(dev, data->promiscuous, ops->promiscuous_enable, ops->promiscuous_disable,
		"promiscuous");
	if (!ret)
		ret = set_mode(dev, data->all_multicast, ops->allmulticast_enable,
			ops->allmulticast_disable, "all-multicast");
	if (!ret)
		ret = restore_reported(dev);
	if (!ret)
		ret = restore_rss(data->port_id, config);
	if (!ret)
		ret = restore_states(dev, data->nb_rx_queues, data->rx_queue_state,
			config->rx_states, ops->rx_queue_start, ops->rx_queue_stop);
	if (!ret)
		ret = restore_states(dev, data->nb_tx_queues, data->tx_queue_state,
			config->tx_states, ops->tx_queue_start, ops->tx_queue_stop);
	if (!ret)
		ret = hosted_waits_restore(dev, config->waits);
free:
	hosted_config_drop(config);
	return ret;
}
