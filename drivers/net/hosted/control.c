/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#include <shunt/error.h>

#include "hosted.h"

/*
 * Functions of ethdev and EAL that need more than to be serialized with switches (ordered.c does
 * that for the others). They call each other, so the lock is recursive.
 */

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

/* NOLINTEND(bugprone-macro-parentheses) */

/* The first call for a port. */
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
		hosted_config_multicast(port_id, mc_addr_set, nb_mc_addr);
	hosted_unlock();
	return ret;
}

static int set_link(uint16_t port_id, int (*real)(uint16_t port_id), bool down)
{
	int ret;

	hosted_lock();
	ret = real(port_id);
	if (!ret && hosted_function_of(port_id))
		hosted_config_link(port_id, down);
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

/* From the first start on the application calls our bursts. */
int rte_eth_dev_start(uint16_t port_id)
{
	int ret;

	if (!hosted_function_of(port_id))
		return REAL(rte_eth_dev_start)(port_id);
	hosted_lock();
	ret = REAL(rte_eth_dev_start)(port_id);
	hosted_config_link(port_id, false);
	if (!ret && hosted_bursts_wrap(&rte_eth_devices[port_id]))
		SHUNT_LOG(WARNING, "port %u cannot be stopped for a switch: %s", port_id,
			shunt_errmsg());
	hosted_unlock();
	return ret;
}

/* It frees sent frames, as a transmit burst of that queue does. */
int rte_eth_tx_done_cleanup(uint16_t port_id, uint16_t queue_id, uint32_t free_cnt)
{
	struct shunt_poll *poll;
	int ret = 0;

	if (!hosted_function_of(port_id) || hosted_bursts_enter_tx(port_id, queue_id, &poll))
		return REAL(rte_eth_tx_done_cleanup)(port_id, queue_id, free_cnt);
	if (poll) {
		ret = REAL(rte_eth_tx_done_cleanup)(port_id, queue_id, free_cnt);
		shunt_poll_leave(poll);
	}
	return ret;
}

/*
 * A driver's close may give its function back, which takes locks that come before ours. So the port
 * is marked as leaving, and no switch stops it.
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

/* The driver closes the port without ethdev. */
int rte_dev_remove(struct rte_device *dev)
{
	int ret;

	hosted_ports_leaving(dev, true);
	ret = REAL(rte_dev_remove)(dev);
	if (ret)
		hosted_ports_leaving(dev, false);
	return ret;
}

/* EAL's memory goes away, and with it the mappings that a switch would check. */
int rte_eal_cleanup(void)
{
	shunt_context_end();
	return REAL(rte_eal_cleanup)();
}
