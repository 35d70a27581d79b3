/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports that come and go: arguments, refusals, what is left after a failure, at every seam call. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>

#include <shunt/error.h>

#include "net.h"
#include "rte_net_shunt.h"

#define NAME "net_shunt0"

static struct net net;

static int abandon(void **state)
{
	net_abandon(&net);
	return 0;
}

static void check_nothing_left(void)
{
	static const struct shunt_sim_objects none;
	struct shunt_sim_objects objects;

	shunt_sim_objects(net.sim, &objects);
	assert_memory_equal(&objects, &none, sizeof(none));
	assert_null(rte_net_shunt_platform_in_use());
	assert_null(rte_net_shunt_spaces());
	assert_int_equal(rte_mempool_avail_count(net.pool), net.config.buffers);
}

/* The probe is refused, says why, and leaves nothing. */
static void refuse(const char *arguments, int err, const char *says)
{
	uint16_t port;

	assert_int_equal(rte_vdev_init(NAME, arguments), err);
	if (!strstr(shunt_errmsg(), says))
		print_message("'%s' does not say '%s'\n", shunt_errmsg(), says);
	assert_non_null(strstr(shunt_errmsg(), says));
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &port), -ENODEV);
	check_nothing_left();
}

static void wrong_arguments(void **state)
{
	net_create(&net, &net_defaults);
	refuse("speed=1", -EINVAL, "unknown argument 'speed'");
	refuse("", -EINVAL, "pci=");
	refuse("pci=", -EINVAL, "needs a value");
	refuse("pci=03:00", -EINVAL, "03:00");
	refuse("pci=0000:0000:0000:03:00.0", -EINVAL, "expected an address");
	refuse("pci=0000:77:00.0", -ENODEV, "0000:77:00.0");
	refuse("ports=2", -EINVAL, "add sim=1");
	refuse("sim=2", -EINVAL, "sim=2");
	refuse("sim=1,ports=0", -EINVAL, "ports=0");
	refuse("sim=1,ports=17", -EINVAL, "ports=17");
	refuse("sim=1,iommu=magic", -EINVAL, "hitless");
	refuse("sim=1,nic=magic", -EINVAL, "wedge");
	net_destroy(&net);
}

static void function_of_another_kind(void **state)
{
	net_create(&net, &net_defaults);
	refuse("pci=0000:00:01.0", -ENOTSUP, "no datapath");
	net_destroy(&net);
}

/* Copper 82576 and virtual functions; not its SerDes ones. */
static void functions_that_are_driven(void **state)
{
	static const uint16_t driven[] = { 0x10C9, 0x10E8, 0x150A, 0x1526, 0x10CA };
	static const uint16_t others[] = { 0, 0x10E6, 0x10E7, 0x150D, 0x1518, 0x1521 };

	for (unsigned int i = 0; i < RTE_DIM(driven); i++) {
		char id[16];

		assert_true(rte_net_shunt_drives(0x8086, driven[i]));
		assert_false(rte_net_shunt_drives(0x8087, driven[i]));
		snprintf(id, sizeof(id), "8086:%04x", driven[i]);
		assert_non_null(strstr(rte_net_shunt_driven(), id));
	}
	for (unsigned int i = 0; i < RTE_DIM(others); i++)
		assert_false(rte_net_shunt_drives(0x8086, others[i]));
}

static void function_twice(void **state)
{
	net_create(&net, &net_defaults);
	assert_int_equal(net_probe(&net, 0), 0);
	assert_int_equal(rte_vdev_init("net_shunt7", "pci=0000:03:00.0"), -EBUSY);
	assert_non_null(strstr(shunt_errmsg(), "port already"));
	assert_int_equal(rte_net_shunt_platform(NULL), -EBUSY);
	net_remove(&net, 0);
	check_nothing_left();
	net_destroy(&net);
}

static void accessors(void **state)
{
	struct shunt_vfio_device *device;
	struct shunt_group *group, *other;

	net_create(&net, &net_defaults);
	assert_int_equal(rte_net_shunt_group(0, &group), -ENODEV);
	net_start(&net);
	assert_ptr_equal(rte_net_shunt_platform_in_use(), inject_platform(net.inject));
	assert_int_equal(rte_net_shunt_group(net.port[0], &group), 0);
	assert_int_equal(rte_net_shunt_group(net.port[1], &other), 0);
	assert_ptr_equal(group, other);
	assert_int_equal(shunt_group_members(group), 2);
	assert_ptr_equal(shunt_group_space(group),
		shunt_space_find(rte_net_shunt_spaces(), RTE_NET_SHUNT_FIRST_SPACE));
	assert_int_equal(rte_net_shunt_device(net.port[1], &device), 0);
	assert_string_equal(device->function, "0000:04:00.0");
	assert_int_equal(rte_net_shunt_device(RTE_MAX_ETHPORTS, &device), -ENODEV);
	net_stop(&net);
	check_nothing_left();
	net_destroy(&net);
}

/* One port leaves while the other one runs on; then it comes back. */
static void close_and_probe_again(void **state)
{
	struct shunt_group *group;

	net_create(&net, &net_defaults);
	net_start(&net);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(rte_net_shunt_group(net.port[1], &group), 0);
		net_remove(&net, 0);
		assert_int_equal(shunt_group_members(group), 1);
		assert_int_equal(net_probe(&net, 0), 0);
		assert_int_equal(net_configure(&net, 0), 0);
		assert_int_equal(rte_eth_dev_start(net.port[0]), 0);
		assert_int_equal(shunt_group_members(group), 2);
	}
	/* rte_eth_dev_close() is the other way out; its device is removed afterwards. */
	assert_int_equal(rte_eth_dev_stop(net.port[0]), 0);
	assert_int_equal(rte_eth_dev_close(net.port[0]), 0);
	assert_int_equal(shunt_group_members(group), 1);
	net_remove(&net, 0);
	net_remove(&net, 1);
	check_nothing_left();
	net_destroy(&net);
}

/* The kernel may refuse a detach: closing the device is one. The group is done with the port. */
static void close_while_a_detach_fails(void **state)
{
	struct shunt_switch_result result;
	struct shunt_group *group;
	struct shunt_space *b;

	net_create(&net, &net_defaults);
	net_start(&net);
	assert_int_equal(rte_net_shunt_group(net.port[1], &group), 0);
	assert_int_equal(rte_eth_dev_stop(net.port[0]), 0);
	inject_fail(net.inject, "VFIO_DEVICE_DETACH_IOMMUFD_PT", 1, 1, EIO);
	assert_int_equal(rte_eth_dev_close(net.port[0]), -EIO);
	inject_stop(net.inject);
	assert_int_equal(shunt_group_members(group), 1);
	assert_int_equal(shunt_space_create(rte_net_shunt_spaces(), "b", &b), 0);
	assert_int_equal(shunt_group_switch(group, b, SHUNT_PLAN_QUIESCE, &result), 0);
	assert_int_equal(result.member_count, 1);
	assert_string_equal(result.members[0].function, "0000:04:00.0");
	net_remove(&net, 0);
	net_remove(&net, 1);
	check_nothing_left();
	net_destroy(&net);
}

/* A paused port that is left detached makes no DMA, and can be closed. */
static void close_what_a_roll_back_left_detached(void **state)
{
	struct shunt_switch_result result;
	struct shunt_group *group;
	struct shunt_space *b;

	net_create(&net, &net_defaults);
	net_start(&net);
	assert_int_equal(rte_net_shunt_group(net.port[0], &group), 0);
	assert_int_equal(shunt_space_create(rte_net_shunt_spaces(), "b", &b), 0);
	assert_int_equal(shunt_group_prepare(group, b), 0);
	inject_fail(net.inject, "VFIO_DEVICE_ATTACH_IOMMUFD_PT", 1, UINT64_MAX, EIO);
	assert_int_equal(shunt_group_switch(group, b, SHUNT_PLAN_DETACH_ATTACH, &result), -EIO);
	inject_stop(net.inject);
	for (unsigned int i = 0; i < NET_PORTS; i++)
		assert_int_equal(result.members[i].halt, SHUNT_HALT_PAUSE);
	assert_null(shunt_group_space(group));
	net_remove(&net, 0);
	net_remove(&net, 1);
	check_nothing_left();
	net_destroy(&net);
}

/* As sysfs has it: an application takes its memory and its lcores from there. */
static void says_its_numa_node(void **state)
{
	static const int nodes[NET_PORTS] = { 1, SOCKET_ID_ANY };
	char path[256];
	FILE *file;

	net_create(&net, &net_defaults);
	snprintf(path, sizeof(path), "%s/bus/pci/devices/0000:03:00.0/numa_node", net.sim->sysfs);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%d\n", nodes[0]);
	assert_int_equal(fclose(file), 0);
	for (unsigned int i = 0; i < NET_PORTS; i++) {
		struct rte_eth_dev_info info;

		assert_int_equal(net_probe(&net, i), 0);
		assert_int_equal(rte_eth_dev_socket_id(net.port[i]), nodes[i]);
		assert_int_equal(rte_eth_dev_info_get(net.port[i], &info), 0);
		assert_int_equal(rte_dev_numa_node(info.device), nodes[i]);
		net_remove(&net, i);
	}
	net_destroy(&net);
}

static void own_software_platform(void **state)
{
	struct rte_eth_link link;
	uint16_t port[2];

	assert_int_equal(rte_vdev_init(NAME, "sim=1,iommu=hitless,nic=wedge,ports=2"), 0);
	assert_int_equal(rte_vdev_init("net_shunt1", "sim=1"), 0);
	assert_int_equal(rte_vdev_init("net_shunt2", "sim=1"), -ENODEV);
	assert_non_null(strstr(shunt_errmsg(), "ports="));
	assert_string_equal(rte_net_shunt_platform_in_use()->name, "sim");
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &port[0]), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_shunt1", &port[1]), 0);
	assert_int_equal(rte_eth_link_get_nowait(port[0], &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_DOWN);
	assert_int_equal(rte_vdev_uninit(NAME), 0);
	assert_int_equal(rte_vdev_uninit("net_shunt1"), 0);
	assert_null(rte_net_shunt_platform_in_use());
}

static void what_a_port_says_of_itself(void **state)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_ether_addr address;
	struct rte_eth_rxq_info rx;
	struct rte_eth_txq_info tx;
	struct rte_eth_dev_info info;

	net_create(&net, &net_defaults);
	net_start(&net);
	assert_int_equal(rte_eth_dev_info_get(net.port[0], &info), 0);
	assert_string_equal(info.driver_name, "net_shunt");
	assert_int_equal(info.max_mtu, 9728 - 22);
	assert_int_equal(info.max_rx_queues, 15);
	assert_int_equal(info.max_tx_queues, 16);
	assert_int_equal(rte_eth_macaddr_get(net.port[0], &address), 0);
	assert_true(rte_is_valid_assigned_ether_addr(&address));
	assert_int_equal(rte_eth_rx_queue_info_get(net.port[0], 0, &rx), 0);
	assert_int_equal(rx.nb_desc, net.config.rx_descriptors);
	assert_int_equal(rx.rx_buf_size, 2048);
	assert_ptr_equal(rx.mp, net.pool);
	assert_int_equal(rte_eth_tx_queue_info_get(net.port[0], 0, &tx), 0);
	assert_int_equal(tx.nb_desc, net.config.tx_descriptors);
	assert_int_equal(rte_eth_dev_set_mtu(net.port[0], 5000), -EBUSY);
	assert_int_equal(rte_eth_dev_set_mtu(net.port[0], 1400), 0);
	assert_int_equal(rte_eth_dev_stop(net.port[0]), 0);
	assert_true(rte_eth_dev_configure(net.port[0], 16, 1, &conf) < 0);
	net_remove(&net, 0);
	net_remove(&net, 1);
	net_destroy(&net);
}

static void pool_too_small(void **state)
{
	struct net_config config = net_defaults;

	config.buffers = 200;
	net_create(&net, &config);
	assert_int_equal(net_probe(&net, 0), 0);
	assert_int_equal(net_configure(&net, 0), 0);
	assert_int_equal(rte_eth_dev_start(net.port[0]), -ENOMEM);
	assert_non_null(strstr(shunt_errmsg(), "pool"));
	assert_int_equal(rte_mempool_avail_count(net.pool), config.buffers);
	net_remove(&net, 0);
	net_destroy(&net);
}

static void buffers_too_small(void **state)
{
	struct net_config config = net_defaults;

	config.data_room = RTE_PKTMBUF_HEADROOM + 1023;
	net_create(&net, &config);
	assert_int_equal(net_probe(&net, 0), 0);
	assert_int_equal(net_configure(&net, 0), -EINVAL);
	net_remove(&net, 0);
	net_destroy(&net);
}

static void external_memory(void **state)
{
	static char memory[4 * 4096] __attribute__((aligned(4096)));
	struct rte_eth_dev_info info;
	struct shunt_space *space;
	uint64_t before;

	net_create(&net, &net_defaults);
	assert_int_equal(net_probe(&net, 0), 0);
	assert_int_equal(rte_eth_dev_info_get(net.port[0], &info), 0);
	space = shunt_space_find(rte_net_shunt_spaces(), RTE_NET_SHUNT_FIRST_SPACE);
	before = shunt_space_mapped(space);
	assert_int_equal(rte_extmem_register(memory, sizeof(memory), NULL, 4, 4096), 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(rte_dev_dma_map((struct rte_device *)(uintptr_t)info.device,
					 memory, 0, sizeof(memory)),
			0);
	assert_int_equal(shunt_space_mapped(space), before + sizeof(memory));
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(rte_dev_dma_unmap((struct rte_device *)(uintptr_t)info.device,
					 memory, 0, sizeof(memory)),
			0);
	assert_int_equal(shunt_space_mapped(space), before);
	assert_int_equal(rte_extmem_unregister(memory, sizeof(memory)), 0);
	net_remove(&net, 0);
	check_nothing_left();
	net_destroy(&net);
}

/* Every seam call of a probe fails in turn: it is named, and nothing stays. */
static void every_call_of_a_probe_fails(void **state)
{
	uint64_t nth;
	int ret;

	net_create(&net, &net_defaults);
	for (nth = 1;; nth++) {
		inject_fail(net.inject, NULL, nth, 1, ENXIO);
		ret = net_probe(&net, 0);
		inject_stop(net.inject);
		if (!inject_failures(net.inject))
			break;
		if (ret) {
			if (!strstr(shunt_errmsg(), inject_failed_call(net.inject)) &&
				!strstr(shunt_errmsg(), "No such device or address"))
				print_message("%s failed, the text is '%s'\n",
					inject_failed_call(net.inject), shunt_errmsg());
			assert_true(strstr(shunt_errmsg(), inject_failed_call(net.inject)) ||
				    strstr(shunt_errmsg(), "No such device or address"));
			check_nothing_left();
		} else {
			net_remove(&net, 0);
			check_nothing_left();
		}
	}
	assert_int_equal(ret, 0);
	assert_true(nth > 20);
	net_remove(&net, 0);
	net_destroy(&net);
}

/* The same for start, and for stop: the port can be started again, and every buffer comes back. */
static void every_call_of_a_start_fails(void **state)
{
	uint64_t nth;

	net_create(&net, &net_defaults);
	assert_int_equal(net_probe(&net, 0), 0);
	assert_int_equal(net_configure(&net, 0), 0);
	for (nth = 1;; nth++) {
		int ret;

		inject_fail(net.inject, NULL, nth, 1, ENXIO);
		ret = rte_eth_dev_start(net.port[0]);
		inject_stop(net.inject);
		if (ret)
			assert_int_equal(rte_mempool_avail_count(net.pool), net.config.buffers);
		else
			assert_int_equal(rte_eth_dev_stop(net.port[0]), 0);
		if (!inject_failures(net.inject))
			break;
	}
	assert_true(nth > 100);
	for (nth = 1;; nth++) {
		assert_int_equal(rte_eth_dev_start(net.port[0]), 0);
		inject_fail(net.inject, NULL, nth, 1, ENXIO);
		rte_eth_dev_stop(net.port[0]);
		inject_stop(net.inject);
		assert_int_equal(rte_mempool_avail_count(net.pool), net.config.buffers);
		if (!inject_failures(net.inject))
			break;
	}
	net_remove(&net, 0);
	check_nothing_left();
	net_destroy(&net);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(wrong_arguments, abandon),
		cmocka_unit_test_teardown(function_of_another_kind, abandon),
		cmocka_unit_test(functions_that_are_driven),
		cmocka_unit_test_teardown(function_twice, abandon),
		cmocka_unit_test_teardown(accessors, abandon),
		cmocka_unit_test_teardown(close_and_probe_again, abandon),
		cmocka_unit_test_teardown(close_while_a_detach_fails, abandon),
		cmocka_unit_test_teardown(close_what_a_roll_back_left_detached, abandon),
		cmocka_unit_test(says_its_numa_node),
		cmocka_unit_test(own_software_platform),
		cmocka_unit_test_teardown(what_a_port_says_of_itself, abandon),
		cmocka_unit_test_teardown(pool_too_small, abandon),
		cmocka_unit_test_teardown(buffers_too_small, abandon),
		cmocka_unit_test_teardown(external_memory, abandon),
		cmocka_unit_test_teardown(every_call_of_a_probe_fails, abandon),
		cmocka_unit_test_teardown(every_call_of_a_start_fails, abandon),
	};

	net_eal_start(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
