/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_bus_vdev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf_pool_ops.h>

#include <shunt/clock.h>
#include <shunt/error.h>
#include <shunt/pci.h>

#include "forward.h"
#include "rte_net_shunt.h"
#include "text.h"

#define DESCRIPTORS        512
#define TESTER_DESCRIPTORS 2048           /* it receives the frames of all ports */
#define LINK_NS            10000000000ull /* autonegotiation of 1000BASE-T takes up to about 3 s */
#define TESTER_NAME        "net_shunt_tester"
#define POOL_CACHE         256
#define FRAME_ROOM         2048u /* bytes of a buffer, after the headroom */

/* The functions given by --ports, or the first ones that are no bridges. @return their number */
static int choose_functions(const struct forward_options *options,
	const struct shunt_pci_list *list, const char **functions)
{
	const struct shunt_pci_function *function;
	char *text = options->ports, *address;
	unsigned int count = 0;
	int ret;

	if (!text) {
		for (size_t i = 0; i < list->count && count < options->sim.ports; i++)
			if (!list->functions[i].is_bridge)
				functions[count++] = list->functions[i].address;
		return (int)count;
	}
	while ((address = strsep(&text, ",")) != NULL) {
		if (!*address)
			return shunt_fail(-EINVAL, "--ports: empty address in the list");
		ret = shunt_pci_find(list, address, &function);
		if (!ret)
			ret = shunt_pci_usable(list, function);
		if (ret)
			return shunt_fail_while(ret, "--ports");
		for (unsigned int i = 0; i < count; i++)
			if (strcmp(functions[i], function->address) == 0)
				return shunt_fail(
					-EINVAL, "--ports: %s is given twice", function->address);
		if (count == SHUNT_SIM_MAX_PORTS_PER_GROUP)
			return shunt_fail(
				-EINVAL, "--ports: more than %d", SHUNT_SIM_MAX_PORTS_PER_GROUP);
		functions[count++] = function->address;
	}
	return (int)count;
}

/* A switch moves one group: ports of another group would not move. */
static int check_group(struct forward_ports *ports, const struct shunt_pci_list *list,
	const char **functions, unsigned int count)
{
	const struct shunt_pci_function *first, *other;
	int ret;

	ret = shunt_pci_find(list, functions[0], &first);
	if (!ret)
		snprintf(ports->nic, sizeof(ports->nic), "%.*s", (int)sizeof(ports->nic) - 1,
			first->name);
	for (unsigned int i = 1; i < count && !ret; i++) {
		ret = shunt_pci_find(list, functions[i], &other);
		if (!ret && other->group != first->group)
			ret = shunt_fail(-EINVAL,
				"%s is in IOMMU group %d, %s in group %d: a run switches the ports "
				"of one group (shunt list shows them)",
				first->address, first->group, other->address, other->group);
	}
	return ret;
}

/* With FCS. */
static uint32_t longest_frame(const struct shunt_traffic *traffic)
{
	uint32_t longest = 0;

	for (size_t i = 0; i < traffic->count; i++)
		longest = RTE_MAX(longest, traffic->frames[i].length);
	return longest + SHUNT_FCS;
}

static int configure_port(const struct forward_config *config, const struct forward_ports *ports,
	uint16_t id, uint16_t descriptors, struct rte_ether_addr *address)
{
	const uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
	struct rte_eth_conf conf = {
		.rxmode.mtu = RTE_MAX((uint32_t)RTE_ETHER_MTU, ports->longest - overhead),
	};
	int ret;

	ret = rte_eth_dev_configure(id, 1, 1, &conf);
	if (!ret)
		ret = rte_eth_rx_queue_setup(
			id, 0, descriptors, (unsigned int)SOCKET_ID_ANY, NULL, ports->pool);
	if (!ret)
		ret = rte_eth_tx_queue_setup(id, 0, DESCRIPTORS, (unsigned int)SOCKET_ID_ANY, NULL);
	/* On a shared segment a port must not take the frames of the others. */
	if (!ret && config->source == FORWARD_WIRES)
		ret = rte_eth_promiscuous_enable(id);
	if (!ret)
		ret = rte_eth_macaddr_get(id, address);
	if (!ret)
		ret = rte_eth_dev_start(id);
	return ret;
}

static int start_port(const struct forward_config *config, const struct forward_ports *ports,
	const char *name, const char *function, uint16_t descriptors, uint16_t *id,
	struct rte_ether_addr *address)
{
	char args[64];
	int ret;

	snprintf(args, sizeof(args), "pci=%s", function);
	ret = rte_vdev_init(name, args);
	if (ret)
		return shunt_fail_while(ret, "making %s of %s", name, function);
	ret = rte_eth_dev_get_port_by_name(name, id);
	if (!ret)
		ret = configure_port(config, ports, *id, descriptors, address);
	if (ret) {
		shunt_fail_errno(ret, "%s: configuring the port", name);
		rte_vdev_uninit(name);
	}
	return ret;
}

static int wait_for_link(uint16_t id, const char *function)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t end = shunt_clock_now() + shunt_clock_from_ns(LINK_NS);
	struct rte_eth_link link;
	int ret;

	for (;;) {
		ret = rte_eth_link_get_nowait(id, &link);
		if (ret)
			return shunt_fail_errno(ret, "%s: link", function);
		if (link.link_status == RTE_ETH_LINK_UP || forward_interrupted())
			return 0;
		if (shunt_clock_now() >= end)
			return shunt_fail(-ENETDOWN,
				"%s: no link after %llu s: check the cable and the link partner",
				function, LINK_NS / 1000000000);
		nanosleep(&pause, NULL);
	}
}

static int make_pool(
	const struct forward_config *config, struct forward_ports *ports, unsigned int count)
{
	unsigned int buffers = count * (2 * DESCRIPTORS + 2 * FORWARD_BURST) + 2 * POOL_CACHE;

	unsigned int room =
		RTE_PKTMBUF_HEADROOM + RTE_MAX(FRAME_ROOM, RTE_ALIGN_CEIL(ports->longest, 1024u));

	if (config->source == FORWARD_TESTER)
		buffers += 2 * TESTER_DESCRIPTORS + POOL_CACHE;

	ports->pool = rte_pktmbuf_pool_create(
		"frames", buffers, POOL_CACHE, 0, (uint16_t)room, SOCKET_ID_ANY);
	if (ports->pool)
		return 0;
	if (rte_errno == ENOMEM)
		return shunt_fail(-ENOMEM,
			"%u frame buffers for %u port%s do not fit into %" PRIu64
			" MiB: increase --memory",
			buffers, count, plural(count), config->options->memory_mib);
	/* EAL has not loaded the driver of ring_... pools. */
	if (rte_errno == EINVAL)
		return shunt_fail(-EINVAL,
			"DPDK's memory pools of kind '%s' are unavailable: install their driver "
			"(Debian: librte-mempool-ring23)",
			rte_mbuf_best_mempool_ops());
	return shunt_fail_errno(-rte_errno, "%u frame buffers", buffers);
}

/* Takes the drivers' names from the group. */
static int name_drivers(struct forward_ports *ports)
{
	struct shunt_member_info members[SHUNT_GROUP_MAX_MEMBERS];
	unsigned int count;
	int ret = rte_net_shunt_group(ports->list[0].id, &ports->group);

	if (ret)
		return ret;
	count = shunt_group_list(ports->group, members);
	for (unsigned int i = 0; i < ports->count; i++)
		for (unsigned int j = 0; j < count; j++)
			if (strcmp(ports->list[i].function, members[j].function) == 0)
				memcpy(ports->list[i].driver, members[j].driver,
					sizeof(ports->list[i].driver));
	return 0;
}

static int start_all(const struct forward_config *config, struct forward_ports *ports,
	const char **functions, unsigned int count)
{
	struct forward_port *port;
	int ret;

	ret = make_pool(config, ports, count);
	if (ret)
		return ret;
	ret = posix_memalign((void **)&ports->list, RTE_CACHE_LINE_SIZE, count * sizeof(*port));
	if (ret)
		return shunt_fail(-ret, "out of memory for %u port%s", count, plural(count));
	memset(ports->list, 0, count * sizeof(*port));
	for (; ports->count < count; ports->count++) {
		port = &ports->list[ports->count];
		snprintf(port->name, sizeof(port->name), "net_shunt%u", ports->count);
		snprintf(port->function, sizeof(port->function), "%s", functions[ports->count]);
		port->out_index = (ports->count + 1) % count;
		ret = start_port(config, ports, port->name, port->function, DESCRIPTORS, &port->id,
			&port->address);
		if (ret)
			return ret;
	}
	for (unsigned int i = 0; i < count; i++)
		ports->list[i].out = ports->list[ports->list[i].out_index].id;
	return name_drivers(ports);
}

/* The tester's port must not move with the group. */
static int choose_tester(const struct forward_config *config, struct forward_ports *ports,
	const struct shunt_pci_list *list, const char *first_port)
{
	const struct shunt_pci_function *tester, *port;
	int ret;

	if (config->source != FORWARD_TESTER)
		return 0;
	ret = shunt_pci_find(list, config->options->tester, &tester);
	if (!ret)
		ret = shunt_pci_usable(list, tester);
	if (!ret)
		ret = shunt_pci_find(list, first_port, &port);
	if (ret)
		return shunt_fail_while(ret, "--tester");
	if (tester->group == port->group)
		return shunt_fail(-EINVAL,
			"--tester: %s is in IOMMU group %d, which is switched: use a port "
			"of another group",
			tester->address, tester->group);
	snprintf(ports->tester.function, sizeof(ports->tester.function), "%s", tester->address);
	return 0;
}

static int start_tester(const struct forward_config *config, struct forward_ports *ports)
{
	int ret;

	if (config->source != FORWARD_TESTER)
		return 0;
	ret = start_port(config, ports, TESTER_NAME, ports->tester.function, TESTER_DESCRIPTORS,
		&ports->tester.id, &ports->tester.address);
	ports->tester.present = !ret;
	return ret;
}

int forward_ports_wait(const struct forward_ports *ports)
{
	int ret = 0;

	for (unsigned int i = 0; i < ports->count && !ret; i++)
		ret = wait_for_link(ports->list[i].id, ports->list[i].function);
	if (!ret && ports->tester.present)
		ret = wait_for_link(ports->tester.id, ports->tester.function);
	return ret;
}

/* EAL's interrupt thread. The run ends, which releases the function. */
static int removed(uint16_t id, enum rte_eth_event_type event, void *arg, void *result)
{
	struct forward_ports *ports = arg;
	int none = -1;

	atomic_compare_exchange_strong(&ports->removed, &none, id);
	return 0;
}

int forward_ports_check(const struct forward_ports *ports)
{
	int id = atomic_load(&ports->removed);

	if (id < 0)
		return 0;
	for (unsigned int i = 0; i < ports->count; i++)
		if (ports->list[i].id == id)
			return shunt_fail(-ENODEV,
				"%s: the kernel asks for the function (it was unbound or removed), "
				"or it does not respond: the run ends and releases it; bind it "
				"again with  shunt bind %s",
				ports->list[i].function, ports->list[i].function);
	return shunt_fail(-ENODEV,
		"%s: the kernel asks for the tester's function, or it does not respond: the run "
		"ends and releases it",
		ports->tester.function);
}

int forward_ports_start(const struct forward_config *config, const struct shunt_traffic *frames,
	struct forward_ports *ports)
{
	const char *functions[SHUNT_SIM_MAX_PORTS_PER_GROUP] = { NULL };
	struct shunt_pci_list list;
	int ret;

	ports->longest = longest_frame(frames);
	atomic_init(&ports->removed, -1);
	rte_eth_dev_callback_register(RTE_ETH_ALL, RTE_ETH_EVENT_INTR_RMV, removed, ports);
	rte_net_shunt_check_every(0); /* the run checks, and accounts for what it finds */
	ret = rte_net_shunt_platform(config->platform);
	if (!ret)
		ret = shunt_pci_scan(config->platform, &list);
	if (ret)
		return ret;
	ret = choose_functions(config->options, &list, functions);
	if (ret > 0) {
		unsigned int count = (unsigned int)ret;

		ret = check_group(ports, &list, functions, count);
		if (!ret && config->source == FORWARD_OWN && count < 2)
			ret = shunt_fail(-EINVAL,
				"--ports: without --tester the ports send to each other, so at "
				"least two are needed");
		if (!ret)
			ret = choose_tester(config, ports, &list, functions[0]);
		if (!ret)
			ret = start_all(config, ports, functions, count);
		if (!ret)
			ret = start_tester(config, ports);
	}
	shunt_pci_list_free(&list);
	if (ret)
		forward_ports_stop(ports);
	return ret;
}

void forward_ports_stop(struct forward_ports *ports)
{
	if (ports->tester.present) {
		rte_eth_dev_stop(ports->tester.id);
		rte_vdev_uninit(TESTER_NAME);
		ports->tester.present = false;
	}
	while (ports->count) {
		struct forward_port *port = &ports->list[--ports->count];

		rte_eth_dev_stop(port->id);
		rte_vdev_uninit(port->name);
	}
	rte_eth_dev_callback_unregister(RTE_ETH_ALL, RTE_ETH_EVENT_INTR_RMV, removed, ports);
	free(ports->list);
	ports->list = NULL;
	rte_mempool_free(ports->pool);
	ports->pool = NULL;
}
