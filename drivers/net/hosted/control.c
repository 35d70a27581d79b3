/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#include "hosted.h"
#include "shunt_error.h"

/*
 * ethdev's functions that start, stop or set up a port, as the application and other libraries call
 * them: a hosted port is not switched meanwhile. They call each other, so the lock is recursive.
 */

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void hosted_lock(void)
{
	pthread_mutex_lock(&lock);
}

void hosted_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void *hosted_next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function) {
		/* It is there, for the application could be started, or this was not called. */
		fprintf(stderr, "shunt: %s is nowhere to be found\n", name);
		abort();
	}
	return function;
}

/* NOLINTBEGIN(bugprone-macro-parentheses): they take types, names and lists */

/* The real one, looked up at the first call: harmless if two threads do it. */
#define REAL(name)                                                    \
	({                                                            \
		static __typeof__(&name) real;                        \
                                                                      \
		if (!real)                                            \
			real = (__typeof__(&name))hosted_next(#name); \
		real;                                                 \
	})

/* A function of ethdev that changes a port. */
#define CHANGES(name, parameters, arguments)         \
	int name parameters                          \
	{                                            \
		int ret;                             \
                                                     \
		if (!hosted_function_of(port_id))    \
			return REAL(name) arguments; \
		hosted_lock();                       \
		ret = REAL(name) arguments;          \
		hosted_unlock();                     \
		return ret;                          \
	}

/* NOLINTEND(bugprone-macro-parentheses) */

CHANGES(rte_eth_rx_queue_setup,
	(uint16_t port_id, uint16_t rx_queue_id, uint16_t nb_rx_desc, unsigned int socket_id,
		const struct rte_eth_rxconf *rx_conf, struct rte_mempool *mb_pool),
	(port_id, rx_queue_id, nb_rx_desc, socket_id, rx_conf, mb_pool))
CHANGES(rte_eth_tx_queue_setup,
	(uint16_t port_id, uint16_t tx_queue_id, uint16_t nb_tx_desc, unsigned int socket_id,
		const struct rte_eth_txconf *tx_conf),
	(port_id, tx_queue_id, nb_tx_desc, socket_id, tx_conf))
CHANGES(rte_eth_dev_rx_queue_start, (uint16_t port_id, uint16_t rx_queue_id),
	(port_id, rx_queue_id))
CHANGES(rte_eth_dev_rx_queue_stop, (uint16_t port_id, uint16_t rx_queue_id), (port_id, rx_queue_id))
CHANGES(rte_eth_dev_tx_queue_start, (uint16_t port_id, uint16_t tx_queue_id),
	(port_id, tx_queue_id))
CHANGES(rte_eth_dev_tx_queue_stop, (uint16_t port_id, uint16_t tx_queue_id), (port_id, tx_queue_id))
CHANGES(rte_eth_dev_stop, (uint16_t port_id), (port_id))
CHANGES(rte_eth_dev_reset, (uint16_t port_id), (port_id))
CHANGES(rte_eth_dev_set_mtu, (uint16_t port_id, uint16_t mtu), (port_id, mtu))
CHANGES(rte_eth_promiscuous_enable, (uint16_t port_id), (port_id))
CHANGES(rte_eth_promiscuous_disable, (uint16_t port_id), (port_id))
CHANGES(rte_eth_allmulticast_enable, (uint16_t port_id), (port_id))
CHANGES(rte_eth_allmulticast_disable, (uint16_t port_id), (port_id))
CHANGES(rte_eth_dev_mac_addr_add,
	(uint16_t port_id, struct rte_ether_addr *mac_addr, uint32_t pool),
	(port_id, mac_addr, pool))
CHANGES(rte_eth_dev_mac_addr_remove, (uint16_t port_id, struct rte_ether_addr *mac_addr),
	(port_id, mac_addr))
CHANGES(rte_eth_dev_default_mac_addr_set, (uint16_t port_id, struct rte_ether_addr *mac_addr),
	(port_id, mac_addr))
CHANGES(rte_eth_dev_rss_reta_update,
	(uint16_t port_id, struct rte_eth_rss_reta_entry64 *reta_conf, uint16_t reta_size),
	(port_id, reta_conf, reta_size))
CHANGES(rte_eth_dev_rss_hash_update, (uint16_t port_id, struct rte_eth_rss_conf *rss_conf),
	(port_id, rss_conf))
CHANGES(rte_eth_dev_vlan_filter, (uint16_t port_id, uint16_t vlan_id, int on),
	(port_id, vlan_id, on))
CHANGES(rte_eth_dev_set_vlan_offload, (uint16_t port_id, int offload_mask), (port_id, offload_mask))

/* The first that is done with a port. */
int rte_eth_dev_configure(uint16_t port_id, uint16_t nb_rx_queue, uint16_t nb_tx_queue,
	const struct rte_eth_conf *eth_conf)
{
	int ret;

	if (!hosted_function_of(port_id))
		return REAL(rte_eth_dev_configure)(port_id, nb_rx_queue, nb_tx_queue, eth_conf);
	hosted_port_named(port_id);
	hosted_lock();
	ret = REAL(rte_eth_dev_configure)(port_id, nb_rx_queue, nb_tx_queue, eth_conf);
	hosted_unlock();
	return ret;
}

int rte_eth_dev_set_mc_addr_list(
	uint16_t port_id, struct rte_ether_addr *mc_addr_set, uint32_t nb_mc_addr)
{
	int ret;

	hosted_lock();
	ret = REAL(rte_eth_dev_set_mc_addr_list)(port_id, mc_addr_set, nb_mc_addr);
	if (!ret && hosted_function_of(port_id))
		hosted_kept_multicast(port_id, mc_addr_set, nb_mc_addr);
	hosted_unlock();
	return ret;
}

static int set_link(uint16_t port_id, int (*real)(uint16_t port_id), bool down)
{
	int ret;

	hosted_lock();
	ret = real(port_id);
	if (!ret && hosted_function_of(port_id))
		hosted_kept_link(port_id, down);
	hosted_unlock();
	return ret;
}

int rte_eth_dev_set_link_down(uint16_t port_id)
{
	return set_link(port_id, REAL(rte_eth_dev_set_link_down), true);
}

int rte_eth_dev_set_link_up(uint16_t port_id)
{
	return set_link(port_id, REAL(rte_eth_dev_set_link_up), false);
}

/* A port that was started is between the application and its bursts from then on. */
int rte_eth_dev_start(uint16_t port_id)
{
	int ret;

	if (!hosted_function_of(port_id))
		return REAL(rte_eth_dev_start)(port_id);
	hosted_lock();
	ret = REAL(rte_eth_dev_start)(port_id);
	hosted_kept_link(port_id, false);
	if (!ret && hosted_bursts_wrap(&rte_eth_devices[port_id]))
		SHUNT_LOG(WARNING, "port %u cannot be stopped for a switch: %s", port_id,
			shunt_errmsg());
	hosted_unlock();
	return ret;
}

/*
 * A driver that closes may give its function back, which takes the locks that a switch takes before
 * ours. A port that leaves is not stopped for one.
 */
int rte_eth_dev_close(uint16_t port_id)
{
	const struct rte_device *device;
	int ret;

	if (!hosted_function_of(port_id))
		return REAL(rte_eth_dev_close)(port_id);
	device = rte_eth_devices[port_id].device;
	hosted_ports_leaving(device, true);
	ret = REAL(rte_eth_dev_close)(port_id);
	hosted_ports_leaving(device, false);
	return ret;
}

/* Its driver takes the port apart by ways of its own. */
int rte_dev_remove(struct rte_device *dev)
{
	int ret;

	hosted_ports_leaving(dev, true);
	ret = REAL(rte_dev_remove)(dev);
	if (ret)
		hosted_ports_leaving(dev, false);
	return ret;
}

/* EAL's memory goes, and with it every mapping that a switch would check. */
int rte_eal_cleanup(void)
{
	shunt_context_end();
	return REAL(rte_eal_cleanup)();
}
