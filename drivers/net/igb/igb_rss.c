/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <shunt/error.h>

#include "igb.h"

/*
 * Receive side scaling, 7.1.1.7: a Toeplitz hash of addresses and ports chooses one of 128 entries,
 * which name queues.
 *
 * A queue is to be taken off only when no frames are directed to it (4.5.9.2): the NIC is told the
 * application's table with the queues that do not run replaced by those that do. Frames without a
 * hash go to queue 0 whatever the table says.
 */

/* The key of Microsoft's verification suite, for whoever brings none. */
static const uint8_t default_key[SHUNT_82576_RSSRK_SIZE] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b,
	0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae,
	0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b,
	0xbe, 0xac, 0x01, 0xfa };

static const struct {
	uint64_t type;
	uint32_t field;
} fields[] = {
	{ RTE_ETH_RSS_IPV4, SHUNT_82576_MRQC_IPV4 },
	{ RTE_ETH_RSS_NONFRAG_IPV4_TCP, SHUNT_82576_MRQC_TCP_IPV4 },
	{ RTE_ETH_RSS_NONFRAG_IPV4_UDP, SHUNT_82576_MRQC_UDP_IPV4 },
	{ RTE_ETH_RSS_IPV6, SHUNT_82576_MRQC_IPV6 },
	{ RTE_ETH_RSS_NONFRAG_IPV6_TCP, SHUNT_82576_MRQC_TCP_IPV6 },
	{ RTE_ETH_RSS_NONFRAG_IPV6_UDP, SHUNT_82576_MRQC_UDP_IPV6 },
	{ RTE_ETH_RSS_IPV6_EX, SHUNT_82576_MRQC_IPV6_EX },
	{ RTE_ETH_RSS_IPV6_TCP_EX, SHUNT_82576_MRQC_TCP_IPV6_EX },
	{ RTE_ETH_RSS_IPV6_UDP_EX, SHUNT_82576_MRQC_UDP_IPV6_EX },
};

int igb_rss_check_key(const struct rte_eth_rss_conf *conf)
{
	if (!conf->rss_key || !conf->rss_key_len || conf->rss_key_len == SHUNT_82576_RSSRK_SIZE)
		return 0;
	return shunt_fail(-EINVAL, "rss_key_len %u: this NIC's key has %u bytes", conf->rss_key_len,
		SHUNT_82576_RSSRK_SIZE);
}

void igb_rss_load(struct rte_eth_dev *dev)
{
	const struct rte_eth_conf *conf = &dev->data->dev_conf;
	const struct rte_eth_rss_conf *rss = &conf->rx_adv_conf.rss_conf;
	struct igb_rss *own = &igb_port_of(dev)->rss;

	own->types = rss->rss_hf & igb_port_of(dev)->hw->rss_types;
	own->on = (conf->rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG) && own->types;
	memcpy(own->key, rss->rss_key ? rss->rss_key : default_key, sizeof(own->key));
	for (uint32_t i = 0; i < SHUNT_82576_RETA_ENTRIES; i++)
		own->table[i] = (uint8_t)(i % RTE_MAX(dev->data->nb_rx_queues, 1));
}

static uint32_t mrqc(const struct igb_rss *rss)
{
	uint32_t value = SHUNT_82576_MRQC_RSS;

	if (!rss->on)
		return 0;
	for (unsigned int i = 0; i < RTE_DIM(fields); i++)
		value |= rss->types & fields[i].type ? fields[i].field : 0;
	return value;
}

/* The n-th queue that runs, around; 0 if none does. */
static unsigned int running(uint32_t queues, unsigned int n)
{
	if (!queues)
		return 0;
	for (n %= (unsigned int)__builtin_popcount(queues); n; n--)
		queues &= queues - 1;
	return (unsigned int)__builtin_ctz(queues);
}

void igb_rss_direct(struct igb_port *port, uint32_t leaving)
{
	const struct igb_rss *rss = &port->rss;
	uint32_t queues = 0, word = 0;

	if (!rss->on)
		return;
	for (unsigned int i = 0; i < SHUNT_82576_QUEUES; i++)
		queues |= (uint32_t)igb_rx_runs(port, i) << i;
	queues &= ~leaving;
	for (uint32_t i = 0; i < SHUNT_82576_RETA_ENTRIES; i++) {
		uint32_t queue = rss->table[i];

		if (queues && !(queues >> queue & 1))
			queue = running(queues, i);
		word |= queue << 8 * (i % 4);
		if (i % 4 == 3) {
			igb_write(port, SHUNT_82576_RETA(i / 4), word);
			word = 0;
		}
	}
}

void igb_rss_configure(struct igb_port *port)
{
	const uint8_t *key = port->rss.key;

	igb_write(port, SHUNT_82576_RXCSUM, port->checksums);
	for (uint32_t i = 0; port->rss.on && i < SHUNT_82576_RSSRK_SIZE; i += 4)
		igb_write(port, SHUNT_82576_RSSRK(i / 4),
			(uint32_t)key[i] | (uint32_t)key[i + 1] << 8 | (uint32_t)key[i + 2] << 16 |
				(uint32_t)key[i + 3] << 24);
	igb_rss_direct(port, 0);
	igb_write(port, SHUNT_82576_MRQC, mrqc(&port->rss));
}

static int check_size(const struct rte_eth_dev *dev, uint16_t size)
{
	uint16_t entries = igb_port_of(dev)->hw->rss_types ? SHUNT_82576_RETA_ENTRIES : 0;

	if (entries && size == entries)
		return 0;
	return igb_log_error(
		dev, shunt_fail(-EINVAL, "redirection table of size %u: it has %u entries", size,
			     entries));
}

static bool chosen(const struct rte_eth_rss_reta_entry64 *table, uint32_t entry)
{
	return table[entry / RTE_ETH_RETA_GROUP_SIZE].mask >> entry % RTE_ETH_RETA_GROUP_SIZE & 1;
}

static uint16_t *entry_of(struct rte_eth_rss_reta_entry64 *table, uint32_t entry)
{
	return &table[entry / RTE_ETH_RETA_GROUP_SIZE].reta[entry % RTE_ETH_RETA_GROUP_SIZE];
}

int igb_reta_update(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *table, uint16_t size)
{
	int ret = check_size(dev, size);
	struct igb_port *port;

	if (ret)
		return ret;
	port = igb_control_begin(dev);
	for (uint32_t i = 0; i < size; i++) {
		if (chosen(table, i))
			port->rss.table[i] = (uint8_t)*entry_of(table, i);
	}
	if (port->started)
		igb_rss_direct(port, 0);
	return igb_control_end(dev, igb_access_flush(port));
}

int igb_reta_query(struct rte_eth_dev *dev, struct rte_eth_rss_reta_entry64 *table, uint16_t size)
{
	int ret = check_size(dev, size);
	struct igb_port *port;

	if (ret)
		return ret;
	port = igb_control_begin(dev);
	for (uint32_t i = 0; i < size; i++) {
		if (chosen(table, i))
			*entry_of(table, i) = port->rss.table[i];
	}
	return igb_control_end(dev, 0);
}

int igb_rss_hash_update(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	uint64_t types = conf->rss_hf & IGB_RSS_TYPES;
	int ret = igb_rss_check_key(conf);
	struct igb_port *port;

	if (ret)
		return igb_log_error(dev, ret);
	port = igb_control_begin(dev);
	if (port->rss.on != (types != 0))
		return igb_control_end(
			dev, shunt_fail(-EINVAL,
				     "receive side scaling is %s by the port's configuration, "
				     "and stays so",
				     port->rss.on ? "on" : "off"));
	port->rss.types = types;
	if (conf->rss_key)
		memcpy(port->rss.key, conf->rss_key, sizeof(port->rss.key));
	if (port->started && port->rss.on)
		igb_rss_configure(port);
	return igb_control_end(dev, igb_access_flush(port));
}

int igb_rss_hash_conf_get(struct rte_eth_dev *dev, struct rte_eth_rss_conf *conf)
{
	int ret = igb_rss_check_key(conf);
	struct igb_port *port;

	if (!igb_port_of(dev)->hw->rss_types)
		return -ENOTSUP;
	if (ret)
		return igb_log_error(dev, ret);
	port = igb_control_begin(dev);
	conf->rss_hf = port->rss.on ? port->rss.types : 0;
	if (conf->rss_key)
		memcpy(conf->rss_key, port->rss.key, sizeof(port->rss.key));
	conf->rss_key_len = sizeof(port->rss.key);
	return igb_control_end(dev, 0);
}
