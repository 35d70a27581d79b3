/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hosted.h"
#include "shunt_error.h"

/*
 * What ethdev would give a port again when it is started (addresses, promiscuous, all-multicast),
 * and what a driver's start may set to its defaults: the redirection table and key of RSS, the
 * state of single queues. The list of multicast addresses and a link that was taken down are not to
 * be asked for: control.c tells of them. Whatever else a driver forgets when it is stopped and
 * started, it forgets here too; DPDK wants rte_flow rules to be kept where
 * RTE_ETH_DEV_CAPA_FLOW_RULE_KEEP is set.
 */

#define RETA_GROUPS 16 /* of 64 entries: as many as ethdev allows */
#define KEY_SIZE    128

struct hosted_kept {
	struct rte_eth_rss_reta_entry64 reta[RETA_GROUPS];
	uint16_t reta_size; /* 0: not known */
	uint64_t rss_hf;
	uint8_t key[KEY_SIZE];
	uint8_t key_size; /* 0: not known */
	struct hosted_waits *waits;
	uint8_t rx_states[RTE_MAX_QUEUES_PER_PORT];
	uint8_t tx_states[RTE_MAX_QUEUES_PER_PORT];
};

/* What only the application knows, by port. */
static struct {
	struct rte_ether_addr *multicast;
	uint32_t multicast_count;
	bool link_down;
} told[RTE_MAX_ETHPORTS];

void hosted_kept_multicast(uint16_t port_id, const struct rte_ether_addr *list, uint32_t count)
{
	struct rte_ether_addr *copy = calloc(count + 1, sizeof(*copy));

	if (copy && count)
		memcpy(copy, list, count * sizeof(*copy));
	free(told[port_id].multicast);
	told[port_id].multicast = copy;
	told[port_id].multicast_count = copy ? count : 0;
}

void hosted_kept_link(uint16_t port_id, bool down)
{
	told[port_id].link_down = down;
}

static int give_told(struct rte_eth_dev *dev)
{
	uint16_t port_id = dev->data->port_id;
	const struct eth_dev_ops *ops = dev->dev_ops;
	int ret = 0;

	if (told[port_id].multicast_count && ops->set_mc_addr_list)
		ret = ops->set_mc_addr_list(
			dev, told[port_id].multicast, told[port_id].multicast_count);
	if (ret)
		return shunt_fail_errno(ret, "%s: multicast addresses", dev->data->name);
	if (told[port_id].link_down && ops->dev_set_link_down)
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

struct hosted_kept *hosted_kept_take(struct rte_eth_dev *dev)
{
	struct hosted_kept *kept = calloc(1, sizeof(*kept));
	const struct rte_eth_dev_data *data = dev->data;
	struct rte_eth_dev_info info;

	if (!kept)
		return NULL;
	memcpy(kept->rx_states, data->rx_queue_state, sizeof(kept->rx_states));
	memcpy(kept->tx_states, data->tx_queue_state, sizeof(kept->tx_states));
	kept->waits = hosted_waits_take(dev);
	if (!(data->dev_conf.rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG) ||
		rte_eth_dev_info_get(data->port_id, &info))
		return kept;
	kept->reta_size = read_reta(data->port_id, info.reta_size, kept->reta);
	kept->key_size = read_hash(data->port_id, info.hash_key_size, kept->key, &kept->rss_hf);
	return kept;
}

void hosted_kept_drop(struct hosted_kept *kept)
{
	free(kept->waits);
	free(kept);
}

static void give_addresses(struct rte_eth_dev *dev, uint32_t count)
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

static int give_rss(uint16_t port_id, struct hosted_kept *kept)
{
	struct rte_eth_rss_reta_entry64 reta[RETA_GROUPS];
	struct rte_eth_rss_conf conf = {
		.rss_key = kept->key,
		.rss_key_len = kept->key_size,
		.rss_hf = kept->rss_hf,
	};
	uint8_t key[KEY_SIZE] = { 0 };
	uint64_t rss_hf = 0;
	int ret = 0;

	if (kept->key_size &&
		(!read_hash(port_id, kept->key_size, key, &rss_hf) || rss_hf != kept->rss_hf ||
			memcmp(key, kept->key, kept->key_size) != 0))
		ret = rte_eth_dev_rss_hash_update(port_id, &conf);
	if (ret)
		return shunt_fail_errno(ret, "port %u: the key of RSS", port_id);
	if (kept->reta_size && (!read_reta(port_id, kept->reta_size, reta) ||
				       memcmp(reta, kept->reta, sizeof(reta)) != 0))
		ret = rte_eth_dev_rss_reta_update(port_id, kept->reta, kept->reta_size);
	return ret ? shunt_fail_errno(ret, "port %u: the redirection table of RSS", port_id) : 0;
}

static int give_state(struct rte_eth_dev *dev, uint16_t queue, bool started,
	int (*start)(struct rte_eth_dev *, uint16_t), int (*stop)(struct rte_eth_dev *, uint16_t))
{
	int (*set)(struct rte_eth_dev *, uint16_t) = started ? start : stop;
	int ret = set ? set(dev, queue) : 0;

	if (!ret)
		return 0;
	return shunt_fail_errno(
		ret, "%s: queue %u %s", dev->data->name, queue, started ? "started" : "stopped");
}

static int give_states(struct rte_eth_dev *dev, const struct hosted_kept *kept)
{
	const struct rte_eth_dev_data *data = dev->data;
	const struct eth_dev_ops *ops = dev->dev_ops;
	int ret = 0;

	for (uint16_t i = 0; i < data->nb_rx_queues && !ret; i++)
		if (data->rx_queue_state[i] != kept->rx_states[i])
			ret = give_state(dev, i, kept->rx_states[i] == RTE_ETH_QUEUE_STATE_STARTED,
				ops->rx_queue_start, ops->rx_queue_stop);
	for (uint16_t i = 0; i < data->nb_tx_queues && !ret; i++)
		if (data->tx_queue_state[i] != kept->tx_states[i])
			ret = give_state(dev, i, kept->tx_states[i] == RTE_ETH_QUEUE_STATE_STARTED,
				ops->tx_queue_start, ops->tx_queue_stop);
	return ret;
}

int hosted_kept_give(struct rte_eth_dev *dev, struct hosted_kept *kept)
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
	give_addresses(dev, info.max_mac_addrs);
	ret = set_mode(dev, data->promiscuous, ops->promiscuous_enable, ops->promiscuous_disable,
		"promiscuous");
	if (!ret)
		ret = set_mode(dev, data->all_multicast, ops->allmulticast_enable,
			ops->allmulticast_disable, "all-multicast");
	if (!ret)
		ret = give_told(dev);
	if (!ret)
		ret = give_rss(data->port_id, kept);
	if (!ret)
		ret = give_states(dev, kept);
	if (!ret)
		ret = hosted_waits_give(dev, kept->waits);
free:
	hosted_kept_drop(kept);
	return ret;
}
